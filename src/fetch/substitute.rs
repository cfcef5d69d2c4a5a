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
    // Whatever was sent by mail begins with the trace of its way, and this is asked of every
    // message.
    let starts_like_one = |name: &[u8]| {
        octets
            .get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    if octets.len() > LONGEST
        || ![
            &b"From:"[..],
            b"Subject:",
            b"To:",
            b"Date:",
            b"MIME-Version:",
            b"Content-",
        ]
        .into_iter()
        .any(starts_like_one)
    {
        return false;
    }
    let text = String::from_utf8_lossy(octets).to_lowercase();
    // Lines may be folded anywhere.
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let has_trace = words.contains("received: ") || words.contains("message-id: ");
    SUBSTITUTES.iter().any(|substitute| {
        let from = words.split_once("from: ").map_or("", |(_, from)| from);
        let from = from.trim_start_matches('"');
        from.starts_with(substitute.from)
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
