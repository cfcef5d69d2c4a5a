//! What the sender of a message wrote: its text, without what is quoted and the signature.

/// The lines of a text that are neither quoted nor of the signature. Quotations in HTML are marked by
/// the crate as those in plain text are.
#[must_use]
pub fn own_words(text: &str) -> String {
    let mut own = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        // RFC 3676, section 4.3. The space is often lost on the way.
        if line.trim_end() == "--" {
            break;
        }
        if is_quoted(line) {
            continue;
        }
        // "On Monday Anna wrote:", which is not what the sender feels either.
        if line.trim_end().ends_with(':') {
            let mut next = lines.clone().skip_while(|next| next.trim().is_empty());
            if next.next().is_some_and(is_quoted) {
                continue;
            }
        }
        own.push_str(line);
        own.push('\n');
    }
    own
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

#[cfg(test)]
mod tests {
    use parallel_mailbox::testing::Server;
    use parallel_mailbox::{Query, Result};

    /// What is left of each message.
    fn of(raw: &[&str]) -> Result<Vec<String>> {
        let messages = raw.iter().map(|raw| raw.to_string());
        let server = Server::builder()
            .messages(messages)
            .start()
            .expect("start a server");
        let mailbox = server.client().connect()?;
        mailbox.search(Query::all())?.map(|message| {
            let own = super::own_words(&message.text());
            own.split_whitespace().collect::<Vec<_>>().join(" ")
        })
    }

    #[test]
    fn quotations_the_signature_and_tags_are_left_out() {
        let own = of(&[
            "Subject: x\r\n\r\nGood.\r\nTwo things:\r\nOne.\r\n\r\nOn Monday Ben wrote:\r\n\
             > Bad.\r\n>> Worse.\r\n\r\nFine.\r\n-- \r\nAnna, a terrible signature\r\n",
            "Content-Type: text/html\r\n\r\n<html><head><title>bad</title></head>\
             <style>.awful {}</style><body class=\"terrible\"><div>One<b class='bad'>!</b></div>\
             <div>Two &amp; three</div><p>On Monday Ben wrote:</p><BLOCKQUOTE type=cite>Bad \
             <blockquote>worse</blockquote> horrible</BLOCKQUOTE><p>Four</p><div>--&nbsp;<br></div>\
             <div>bad</div></body></html>",
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nGood.\r\n\
             --b\r\nContent-Type: text/html\r\n\r\n<p>Good.</p>\r\n--b--\r\n",
        ]);
        let expected = [
            "Good. Two things: One. Fine.",
            "One! Two & three Four",
            "Good.",
        ];
        assert_eq!(own.unwrap(), expected);
    }
}
