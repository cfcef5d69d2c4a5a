//! What the sender of a message wrote: its text, without what is quoted, the signature, and tags.

use parallel_mailbox::mail_parser::decoders::html::html_to_text;
use parallel_mailbox::mail_parser::{Message, PartType};

/// The text of all text parts that are shown. Where there is a choice of plain text and HTML, it is
/// the plain text.
pub fn own_words(message: &Message<'_>) -> String {
    let mut own = String::new();
    for part in message.text_bodies() {
        match &part.body {
            PartType::Text(text) => add(&mut own, text),
            PartType::Html(html) => add(&mut own, &text_of(html)),
            _ => {}
        }
    }
    own
}

/// Adds the lines that are neither quoted nor of the signature.
fn add(own: &mut String, text: &str) {
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
            let quotation = lines.peek().is_some_and(|next| is_quoted(next));
            if quotation {
                continue;
            }
        }
        own.push_str(line);
        own.push('\n');
    }
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// HTML as text, without what is in a `blockquote`, which is what mail programs quote by.
fn text_of(html: &str) -> String {
    let mut own = String::with_capacity(html.len());
    let mut depth = 0_usize;
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        let (tag, after) = tag.split_at(tag.find('>').map_or(tag.len(), |end| end + 1));
        let is_quotation = depth > 0;
        if names(tag, "<blockquote") {
            depth += 1;
        } else if names(tag, "</blockquote") {
            depth = depth.saturating_sub(1);
        }
        if !is_quotation {
            own.push_str(before);
            // Which the conversion takes for nothing, so that words would grow together.
            if [
                "</div",
                "</td",
                "</li",
                "</h1",
                "</h2",
                "</h3",
                "</tr",
                "<blockquote",
            ]
            .iter()
            .any(|name| names(tag, name))
            {
                own.push_str("<br>");
            }
            own.push_str(tag);
        } else if depth == 0 {
            own.push_str(tag);
        }
        rest = after;
    }
    if depth == 0 {
        own.push_str(rest);
    }
    html_to_text(&own)
}

/// Whether a tag begins so, in capitals or not, and is not another that is longer.
fn names(tag: &str, name: &str) -> bool {
    let Some((start, rest)) = tag.as_bytes().split_at_checked(name.len()) else {
        return false;
    };
    start.eq_ignore_ascii_case(name.as_bytes())
        && !rest.first().is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use parallel_mailbox::mail_parser::MessageParser;

    use super::own_words;

    fn of(raw: &str) -> String {
        let message = MessageParser::new().parse(raw.as_bytes()).unwrap();
        let own = own_words(&message);
        own.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn quotations_and_the_signature_are_left_out() {
        let own = of(
            "Subject: x\r\n\r\nGood.\r\nTwo things:\r\nOne.\r\n\r\nOn Monday Ben wrote:\r\n\
                      > Bad.\r\n>> Worse.\r\n\r\nFine.\r\n-- \r\nAnna, a terrible signature\r\n",
        );
        assert_eq!(own, "Good. Two things: One. Fine.");
    }

    #[test]
    fn tags_are_no_words_and_do_not_join_any() {
        let own = of(
            "Content-Type: text/html\r\n\r\n<html><head><title>bad</title></head>\
             <style>.awful {}</style><body class=\"terrible\"><div>One<b class='bad'>!</b></div>\
             <div>Two &amp; three</div><BLOCKQUOTE type=cite>Bad <blockquote>worse</blockquote> \
             horrible</BLOCKQUOTE><p>Four</p><div>--&nbsp;<br></div><div>bad</div></body></html>",
        );
        assert!(own.starts_with("One"), "{own}");
        for word in ["bad", "awful", "terrible", "worse", "horrible", "OneTwo"] {
            assert!(!own.contains(word), "{word}: {own}");
        }
        for word in ["Two & three", "Four"] {
            assert!(own.contains(word), "{word}: {own}");
        }
    }

    #[test]
    fn of_two_forms_of_a_text_one_is_read() {
        let own = of(
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nGood.\r\n\
                      --b\r\nContent-Type: text/html\r\n\r\n<p>Good.</p>\r\n--b--\r\n",
        );
        assert_eq!(own, "Good.");
    }

    #[test]
    fn broken_html_is_no_reason_to_stop() {
        for text in [
            "a < b",
            "<",
            "<é",
            "</blockquote",
            "<blockquote>",
            "a<blockquoteé>b",
        ] {
            of(&format!(
                "Content-Type: text/html; charset=utf-8\r\n\r\n{text}"
            ));
        }
    }
}
