//! Reads a FETCH line in the plain form that servers send nearly always: the items that were asked
//! for, in capitals, a space between them. A twentieth of the work of a parser for all of IMAP,
//! which gets whatever is not so plain; so a doubt here costs time and nothing else.

use super::attributes::{Attributes, BodyItem};
use crate::message::parse_internal_date;
use crate::uid_set::Uid;

/// Reads `* 1 FETCH (UID 7 FLAGS () BODY[] {0}⏎)⏎` and the like. `None` in any doubt.
pub(super) fn parse(line: &[u8]) -> Option<Attributes> {
    let mut rest = number(line.strip_prefix(b"* ")?)?
        .1
        .strip_prefix(b" FETCH (")?;
    let mut attributes = Attributes::default();
    loop {
        rest = item(rest, &mut attributes)?;
        match rest {
            [b' ', next @ ..] => rest = next,
            b")\r\n" => return Some(attributes),
            _ => return None,
        }
    }
}

fn item<'a>(line: &'a [u8], attributes: &mut Attributes) -> Option<&'a [u8]> {
    if let Some(rest) = line.strip_prefix(b"UID ") {
        let (uid, rest) = number(rest)?;
        attributes.uid = Some(Uid::new(uid)?);
        return Some(rest);
    }
    if let Some(rest) = line.strip_prefix(b"BODY[") {
        return body(rest, attributes);
    }
    if let Some(rest) = line.strip_prefix(b"FLAGS (") {
        return flags(rest, attributes);
    }
    if let Some(rest) = line.strip_prefix(b"INTERNALDATE \"") {
        let (date, rest) = rest.split_at(memchr::memchr(b'"', rest)?);
        if !date.is_ascii() || date.contains(&b'\\') || date.iter().any(u8::is_ascii_control) {
            return None;
        }
        attributes.internal_date = parse_internal_date(str::from_utf8(date).ok()?);
        return Some(&rest[1..]);
    }
    let (size, rest) = number(line.strip_prefix(b"RFC822.SIZE ")?)?;
    attributes.size = Some(u64::from(size));
    Some(rest)
}

fn number(line: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0u32;
    let mut digits = 0;
    while let Some(digit) = line.get(digits).filter(|octet| octet.is_ascii_digit()) {
        value = value
            .checked_mul(10)?
            .checked_add(u32::from(digit - b'0'))?;
        digits += 1;
    }
    (digits > 0).then_some((value, &line[digits..]))
}

/// What follows `BODY[`: a section without fields, and a literal that has been taken out, or NIL.
fn body<'a>(line: &'a [u8], attributes: &mut Attributes) -> Option<&'a [u8]> {
    let (section, rest) = line.split_at(memchr::memchr(b']', line)?);
    if !matches!(section, b"" | b"HEADER") {
        return None;
    }
    let mut rest = &rest[1..];
    if let Some(origin) = rest.strip_prefix(b"<") {
        rest = number(origin)?.1.strip_prefix(b">")?;
    }
    if let Some(rest) = rest.strip_prefix(b" {0}\r\n") {
        attributes.body = BodyItem::Present;
        return Some(rest);
    }
    attributes.body = BodyItem::Nil;
    rest.strip_prefix(b" NIL")
}

fn flags<'a>(line: &'a [u8], attributes: &mut Attributes) -> Option<&'a [u8]> {
    let (list, rest) = line.split_at(memchr::memchr(b')', line)?);
    if !list.is_empty() {
        for flag in list.split(|octet| *octet == b' ') {
            let name = flag.strip_prefix(b"\\").unwrap_or(flag);
            let is_plain = |octet: &u8| octet.is_ascii_alphanumeric() || b"$-_.".contains(octet);
            if name.is_empty() || !name.iter().all(is_plain) {
                return None;
            }
            attributes.flags.insert(str::from_utf8(flag).ok()?);
        }
    }
    Some(&rest[1..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: [&str; 6] = [
        "* 1 FETCH (UID 7 FLAGS (\\Seen $Junk) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[] {0}\r\n)\r\n",
        "* 4294967295 FETCH (FLAGS () UID 1 BODY[HEADER] {0}\r\n RFC822.SIZE 0)\r\n",
        "* 3 FETCH (BODY[]<0> {0}\r\n UID 9)\r\n",
        "* 3 FETCH (UID 9 BODY[] NIL)\r\n",
        "* 3 FETCH (UID 9 INTERNALDATE \"nonsense\")\r\n",
        "* 3 FETCH (FLAGS (\\Deleted \\Recent a-b_c.d $X) UID 4)\r\n",
    ];

    #[test]
    fn reads_the_plain_form_as_the_parser_does() {
        for line in PLAIN {
            let plain = parse(line.as_bytes());
            assert!(plain.is_some(), "{line}");
            assert_eq!(plain, Attributes::parse_any(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn leaves_everything_else_to_the_parser() {
        for line in [
            "* 1 fetch (UID 7)\r\n",
            "* 1 FETCH (UID 0)\r\n",
            "* 1 FETCH (UID 4294967296)\r\n",
            "* 1 FETCH (UID 7  FLAGS ())\r\n",
            "* 1 FETCH (UID 7 MODSEQ (1))\r\n",
            "* 1 FETCH (UID 7 FLAGS (\\* x))\r\n",
            "* 1 FETCH (UID 7 FLAGS (x  y))\r\n",
            "* 1 FETCH (UID 7 INTERNALDATE NIL)\r\n",
            "* 1 FETCH (UID 7 BODY[] \"quoted\")\r\n",
            "* 1 FETCH (UID 7) \r\n",
            "* 1 FETCH ()\r\n",
            "* 1 FETCH (",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_reads_the_parser_reads_in_the_same_way(
            which in 0..PLAIN.len(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let mut line = PLAIN[which].as_bytes().to_vec();
            for (at, octet) in changes {
                let at = at.index(line.len());
                line[at] = octet;
            }
            if let Some(attributes) = parse(&line) {
                prop_assert_eq!(Some(attributes), Attributes::parse_any(&line));
            }
        }
    }
}
