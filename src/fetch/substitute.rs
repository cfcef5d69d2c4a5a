//! Texts that servers invent in place of a message that they cannot read. What is known of them is
//! data here; a message that reads like one did not come.

use crate::uid_set::Uid;

/// They are some hundred octets. A longer message was written by somebody.
const LONGEST: usize = 8 * 1024;

/// What a server puts in place of a message.
struct Substitute {
    /// Its From field begins with this.
    from: &'static str,
    /// It has one of these, in the header or in the text.
    says: &'static [&'static str],
    /// And behind it the UID of the message.
    names_uid: bool,
}

/// In lower case.
const SUBSTITUTES: [Substitute; 3] = [
    // Courier, for a message that another session has expunged: constant, without a date, an
    // identifier or a trace.
    Substitute {
        from: "system administrator",
        says: &[
            "this message is no longer available on the server",
            "subject: message unavailable",
        ],
        names_uid: false,
    },
    // hMailServer, whose file is not there.
    Substitute {
        from: "postmaster",
        says: &["the mail server could not deliver the message to you since the file"],
        names_uid: false,
    },
    // Exchange, for what it cannot convert.
    Substitute {
        from: "microsoft exchange server",
        says: &["retrieval using the imap4 protocol failed for the following message:"],
        names_uid: true,
    },
];

/// Whether these octets, fetched as the message with this UID or as its header, are a text that the
/// server has invented.
pub(crate) fn is_substitute(octets: &[u8], uid: Uid) -> bool {
    // Asked of every message, so that nearly all of them must cost next to nothing.
    if octets.len() > LONGEST {
        return false;
    }
    let from = author(octets);
    let begins = |name: &str| {
        from.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
    };
    if !SUBSTITUTES.iter().any(|substitute| begins(substitute.from)) {
        return false;
    }
    let text = String::from_utf8_lossy(octets).to_lowercase();
    // Lines may be folded anywhere.
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let has_trace = words.contains("received: ") || words.contains("message-id: ");
    SUBSTITUTES.iter().any(|substitute| {
        begins(substitute.from)
            && substitute.says.iter().any(|said| {
                let Some((_, after)) = words.split_once(said) else {
                    return false;
                };
                let mut next = after.split(|c: char| c.is_whitespace() || c == '"');
                let named = next.find(|word| !word.is_empty());
                match substitute.names_uid {
                    true => named == Some(uid.to_string().as_str()),
                    false => !has_trace,
                }
            })
    })
}

/// The value of the From field and what follows it, without white space and quotes before it.
fn author(octets: &[u8]) -> &[u8] {
    const NAME: &[u8] = b"From:";
    let mut rest = octets;
    loop {
        // The header ends in an empty line.
        if matches!(rest, [] | [b'\r' | b'\n', ..]) {
            return &[];
        }
        if rest
            .get(..NAME.len())
            .is_some_and(|name| name.eq_ignore_ascii_case(NAME))
        {
            let value = rest[NAME.len()..].trim_ascii_start();
            return value.strip_prefix(b"\"").unwrap_or(value);
        }
        match memchr::memchr(b'\n', rest) {
            Some(end) => rest = &rest[end + 1..],
            None => return &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_one(text: &str) -> bool {
        is_substitute(text.as_bytes(), Uid::new(15_541).unwrap())
    }

    const COURIER: &str = "From: System Administrator <root@localhost>\r\n\
        Subject: message unavailable\r\n\r\n\
        This message is no longer available on the server.\r\n";

    const EXCHANGE: &str = "From: \"Microsoft Exchange Server 2010\" <x@example.org>\r\n\
        Subject: Retrieval using the IMAP4 protocol failed for the following message:\r\n\
        \t15541\r\nMIME-Version: 1.0\r\n\r\n\
        The server couldn't retrieve the following message\r\n";

    const HMAILSERVER: &str = "From: Postmaster\r\nSubject: Message undeliverable\r\n\r\n\
        The mail server could not deliver the message to you since the file C:\\x.eml does not \
        exist on the server.\r\n";

    #[test]
    fn texts_of_the_servers_themselves_are_no_messages() {
        assert!(is_one(HMAILSERVER));
        assert!(is_one(COURIER));
        assert!(is_one(&COURIER.replace("\r\n", "\n")));
        let (header, _) = COURIER.split_once("\r\n\r\n").unwrap();
        assert!(is_one(header), "its header alone");
        assert!(is_one(EXCHANGE));
    }

    #[test]
    fn mail_about_them_is_mail() {
        for text in [
            format!("Received: by mail.example.org\r\n{COURIER}"),
            format!("From: me@example.org\r\nSubject: Fwd: odd\r\n\r\n{COURIER}"),
            format!("{COURIER}{}", "x".repeat(LONGEST)),
            COURIER.replacen("Subject", "Message-ID: <1@example.org>\r\nSubject", 1),
            // Moved here from another mailbox, where it had another UID.
            EXCHANGE.replace("15541", "15542"),
            EXCHANGE.replace("15541", "155410"),
            "From: System Administrator <root@localhost>\r\n\r\nbackup done\r\n".to_owned(),
            String::new(),
        ] {
            assert!(!is_one(&text), "{text}");
        }
    }
}
