//! Gmail's own items of a FETCH response (X-GM-EXT-1). Labels come as atoms, quoted strings and
//! literals, in modified UTF-7, and may hold anything; so they are read here and cut out, and the
//! line that is left is as from any server.

use memchr::memmem;

use crate::gmail::Gmail;
use crate::mailbox_name;

/// Takes the items out of a line. `None` if there are none, or none that can be understood.
pub(super) fn lift(line: &mut Vec<u8>) -> Option<Box<Gmail>> {
    memmem::find(line, b" X-GM-")?;
    // First, because a label may hold what looks like another item.
    let labels = lift_labels(line)?;
    Some(Box::new(Gmail {
        message_id: lift_number(line, b" X-GM-MSGID ")?,
        thread_id: lift_number(line, b" X-GM-THRID ")?,
        labels,
    }))
}

fn lift_number(line: &mut Vec<u8>, name: &[u8]) -> Option<u64> {
    let start = memmem::find(line, name)?;
    let digits = line[start + name.len()..].iter();
    let length = digits.take_while(|octet| octet.is_ascii_digit()).count();
    let end = start + name.len() + length;
    let number = str::from_utf8(&line[start + name.len()..end])
        .ok()?
        .parse()
        .ok()?;
    line.drain(start..end);
    Some(number)
}

fn lift_labels(line: &mut Vec<u8>) -> Option<Vec<String>> {
    const NAME: &[u8] = b" X-GM-LABELS (";
    let start = memmem::find(line, NAME)?;
    let mut rest = &line[start + NAME.len()..];
    let mut labels = Vec::new();
    loop {
        match *rest.first()? {
            b')' => break,
            b' ' => rest = &rest[1..],
            _ => {
                let (label, after) = string(rest)?;
                let text = String::from_utf8_lossy(&label);
                labels.push(mailbox_name::decode(&text).unwrap_or_else(|| text.into_owned()));
                rest = after;
            }
        }
    }
    let end = line.len() - rest.len() + 1;
    line.drain(start..end);
    Some(labels)
}

/// A string in any form (RFC 9051, section 9, `astring`), and what follows it.
fn string(rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    if let Some(mut rest) = rest.strip_prefix(b"\"") {
        let mut text = Vec::new();
        loop {
            let (&octet, after) = rest.split_first()?;
            rest = after;
            match octet {
                b'"' => return Some((text, rest)),
                b'\\' => {
                    let (&escaped, after) = rest.split_first()?;
                    text.push(escaped);
                    rest = after;
                }
                _ => text.push(octet),
            }
        }
    }
    if let Some(announced) = rest.strip_prefix(b"{") {
        let end = memchr::memchr(b'}', announced)?;
        let length: usize = str::from_utf8(&announced[..end]).ok()?.parse().ok()?;
        let octets = announced[end + 1..].strip_prefix(b"\r\n")?;
        let (text, after) = octets.split_at_checked(length)?;
        return Some((text.to_vec(), after));
    }
    let length = memchr::memchr2(b' ', b')', rest)?;
    let (text, after) = rest.split_at(length);
    Some((text.to_vec(), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifted(items: &str) -> (Option<Gmail>, String) {
        let mut line =
            format!("* 1 FETCH (UID 7 FLAGS (){items} BODY[] {{0}}\r\n)\r\n").into_bytes();
        let gmail = lift(&mut line).map(|gmail| *gmail);
        (gmail, String::from_utf8(line).unwrap())
    }

    #[test]
    fn labels_may_hold_anything() {
        let (gmail, line) = lifted(
            " X-GM-THRID 18446744073709551615 X-GM-MSGID 2 X-GM-LABELS (\"\\\\Inbox\" \\Sent a&b \
             \"a) X-GM-MSGID 9 \\\"b\\\"\" {4}\r\n) ( \"Entw&APw-rfe\" \"\")",
        );
        let gmail = gmail.unwrap();
        assert_eq!((gmail.message_id, gmail.thread_id), (2, u64::MAX));
        assert_eq!(
            gmail.labels,
            [
                "\\Inbox",
                "\\Sent",
                "a&b",
                "a) X-GM-MSGID 9 \"b\"",
                ") ( ",
                "Entwürfe",
                ""
            ][..]
        );
        assert_eq!(line, "* 1 FETCH (UID 7 FLAGS () BODY[] {0}\r\n)\r\n");
    }

    #[test]
    fn what_is_cut_off_or_missing_is_none() {
        for items in [
            "",
            " X-GM-MSGID 1",
            " X-GM-MSGID 1 X-GM-THRID 2 X-GM-LABELS (\"a",
            " X-GM-MSGID 1 X-GM-THRID 2 X-GM-LABELS ({99}\r\na)",
            " X-GM-MSGID x X-GM-THRID 2 X-GM-LABELS ()",
        ] {
            assert_eq!(lifted(items).0, None, "{items}");
        }
    }
}
