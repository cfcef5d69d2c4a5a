//! The command LOGIN (RFC 9051, section 6.2.3), in the parts between which a server may have to be
//! waited for.

use crate::credentials::Secret;
use crate::session::literals::Literals;

/// Whether quoted strings can hold both, which not every server takes with more than ASCII.
pub(super) fn is_quotable(user: &str, password: &Secret) -> bool {
    user.is_ascii() && password.expose().is_ascii()
}

/// With quoted strings: one line.
pub(super) fn quoted(tag: &str, user: &str, password: &Secret) -> Secret {
    let mut line = Secret::concat(&[tag.as_bytes(), b" LOGIN "]);
    push_quoted(&mut line, user.as_bytes());
    line.push(b" ");
    push_quoted(&mut line, password.expose());
    line.push(b"\r\n");
    line
}

/// With a literal each: one part, or one more for each literal that the server is waited for.
pub(super) fn with_literals(
    tag: &str,
    user: &str,
    password: &Secret,
    offers: &[String],
) -> Vec<Secret> {
    let literals = Literals::of(offers);
    let mut part = Secret::concat(&[tag.as_bytes(), b" LOGIN"]);
    let mut parts = Vec::new();
    for octets in [user.as_bytes(), password.expose()] {
        let announcement = literals.announce(octets.len());
        part.push(b" ");
        part.push(announcement.text.as_bytes());
        if announcement.is_awaited {
            parts.push(std::mem::take(&mut part));
        }
        part.push(octets);
    }
    part.push(b"\r\n");
    parts.push(part);
    parts
}

/// As it stands in the line.
pub(super) fn push_quoted(line: &mut Secret, text: &[u8]) {
    line.push(b"\"");
    for octet in text {
        if matches!(octet, b'"' | b'\\') {
            line.push(b"\\");
        }
        line.push(&[*octet]);
    }
    line.push(b"\"");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(offers: &str) -> Vec<String> {
        let offers: Vec<String> = offers.split(' ').map(str::to_owned).collect();
        let parts = with_literals("l1", "me", &Secret::from("ß\"".to_owned()), &offers);
        let text = |part: &Secret| String::from_utf8(part.expose().to_vec()).unwrap();
        parts.iter().map(text).collect()
    }

    #[test]
    fn a_quoted_string_escapes_what_would_end_it() {
        let line = quoted("l1", r#"a"b"#, &Secret::from(r"c\d".to_owned()));
        assert_eq!(line.expose(), b"l1 LOGIN \"a\\\"b\" \"c\\\\d\"\r\n");
        let line = quoted("l1", "me", &Secret::default());
        assert_eq!(line.expose(), b"l1 LOGIN \"me\" \"\"\r\n");
    }

    #[test]
    fn literals_are_waited_for_unless_the_server_says_otherwise() {
        let at_once = "l1 LOGIN {2+}\r\nme {3+}\r\nß\"\r\n";
        assert_eq!(literals("IMAP4REV1 LITERAL+"), [at_once]);
        assert_eq!(literals("IMAP4REV2"), [at_once]);
        assert_eq!(
            literals("IMAP4REV1"),
            ["l1 LOGIN {2}\r\n", "me {3}\r\n", "ß\"\r\n"]
        );
    }
}
