//! The attributes of one FETCH response, parsed from its line after the body was lifted out. The
//! only file that names `imap_proto`.

use std::borrow::Cow;

use imap_proto::{AttributeValue, Response};
use memchr::memmem;

use super::{gmail, plain};
use crate::gmail::Gmail;
use crate::message::{DateTime, Flags, parse_internal_date};
use crate::uid_set::Uid;
use crate::unwind;

/// What a FETCH response says besides the body's octets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) uid: Option<Uid>,
    pub(super) flags: Flags,
    pub(super) internal_date: Option<DateTime>,
    pub(super) size: Option<u64>,
    pub(super) body: BodyItem,
    /// Absent unless it was asked for.
    pub(super) gmail: Option<Box<Gmail>>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum BodyItem {
    #[default]
    Missing,
    Nil,
    Present,
}

impl Attributes {
    /// Parses a line such as `* 1 FETCH (UID 7 BODY[] {0}⏎)⏎`. `None` if it cannot be
    /// understood.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        plain::parse(line).or_else(|| {
            let mut rest = line.to_vec();
            let Some(gmail) = gmail::lift(&mut rest) else {
                return Self::parse_any(line);
            };
            let mut attributes = plain::parse(&rest).or_else(|| Self::parse_any(&rest))?;
            attributes.gmail = Some(gmail);
            Some(attributes)
        })
    }

    /// Parses a line in whatever form.
    pub(super) fn parse_any(line: &[u8]) -> Option<Self> {
        // The parser calls itself for each parenthesis of a body's structure, and running out of
        // stack cannot be caught.
        if depth(line) > DEEPEST {
            return None;
        }
        let line = tame(line);
        // The parser is not ours: fed with a stranger's octets it may panic as well as refuse.
        let parsed = unwind::catch(|| match imap_proto::parser::parse_response(&line) {
            Ok((_, Response::Fetch(_, values))) => Some(Self::from_values(&values)),
            _ => None,
        });
        parsed.ok().flatten()
    }

    fn from_values(values: &[AttributeValue<'_>]) -> Self {
        let mut attributes = Self::default();
        for value in values {
            match value {
                AttributeValue::Uid(uid) => attributes.uid = Uid::new(*uid),
                AttributeValue::Flags(flags) => {
                    for flag in flags {
                        attributes.flags.insert(flag);
                    }
                }
                AttributeValue::InternalDate(date) => {
                    attributes.internal_date = parse_internal_date(date);
                }
                AttributeValue::Rfc822Size(size) => attributes.size = Some(u64::from(*size)),
                AttributeValue::BodySection { data, .. } => {
                    attributes.body = if data.is_some() {
                        BodyItem::Present
                    } else {
                        BodyItem::Nil
                    };
                }
                _ => {}
            }
        }
        attributes
    }
}

/// How deep parentheses may be nested. What is asked for nests two deep; a structure that nobody
/// asked for has one more for each message within a message.
const DEEPEST: usize = 64;

/// How deep the parentheses of a line are nested. Those within quotes count as well, which are few.
fn depth(line: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for octet in line {
        match octet {
            b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Rewrites what the parser would refuse, or panic at, though it does no harm.
fn tame(line: &[u8]) -> Cow<'_, [u8]> {
    const NO_DATE: &[u8] = b"INTERNALDATE NIL";
    let mut line = Cow::Borrowed(line);
    if let Some(at) = memmem::find(&line, NO_DATE) {
        line.to_mut()
            .splice(at..at + NO_DATE.len(), *b"INTERNALDATE \"\"");
    }
    if !line.is_ascii() {
        for octet in line.to_mut() {
            if !octet.is_ascii() {
                *octet = b'?';
            }
        }
    }
    line
}

/// Finds a body sent as a quoted string (RFC 9051, section 4.3) instead of a literal, takes it
/// out of the line and leaves `{0}` in its place, as framing does with literals.
pub(super) fn lift_quoted_body(line: &mut Vec<u8>) -> Option<Vec<u8>> {
    let section = memmem::find(line, b"BODY[")?;
    let mut at = section + memchr::memchr(b']', &line[section..])? + 1;
    if line.get(at) == Some(&b'<') {
        at += memchr::memchr(b'>', &line[at..])? + 1;
    }
    if line.get(at..at + 2) != Some(b" \"") {
        return None;
    }
    let start = at + 1;
    let mut body = Vec::new();
    let mut octets = line[start + 1..].iter().enumerate();
    while let Some((index, &octet)) = octets.next() {
        match octet {
            b'"' => {
                line.splice(start..start + index + 2, *b"{0}\r\n");
                return Some(body);
            }
            b'\\' => body.push(*octets.next()?.1),
            _ => body.push(octet),
        }
    }
    None
}

/// The UID in a line that could not be parsed, to know at least whose it is.
pub(super) fn find_uid(line: &[u8]) -> Option<Uid> {
    // Short lines, with the UID near the start: searching it cleverly takes longer.
    let start = line.windows(4).position(|word| word == b"UID ")? + 4;
    let digits = line[start..]
        .iter()
        .take_while(|octet| octet.is_ascii_digit())
        .count();
    Uid::new(
        str::from_utf8(&line[start..start + digits])
            .ok()?
            .parse()
            .ok()?,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_uid_flags_date_size_and_whether_there_is_a_body() {
        let line = b"* 3 FETCH (UID 7 FLAGS (\\Seen $Junk) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 4286 BODY[] {0}\r\n)\r\n";
        let attributes = Attributes::parse(line).unwrap();
        assert_eq!(attributes.uid, Uid::new(7));
        assert_eq!(attributes.flags.to_string(), "\\Seen $Junk");
        assert_eq!(
            attributes.internal_date.unwrap().to_timestamp(),
            837_596_665
        );
        assert_eq!(attributes.size, Some(4286));
        assert_eq!(attributes.body, BodyItem::Present);
    }

    #[test]
    fn a_missing_body_is_not_a_body_of_nil() {
        let missing = Attributes::parse(b"* 3 FETCH (UID 7 FLAGS ())\r\n").unwrap();
        assert_eq!(missing.body, BodyItem::Missing);
        let nil = Attributes::parse(b"* 3 FETCH (UID 7 BODY[] NIL)\r\n").unwrap();
        assert_eq!(nil.body, BodyItem::Nil);
        let part = Attributes::parse(b"* 3 FETCH (BODY[]<0> {0}\r\n UID 7)\r\n").unwrap();
        assert_eq!(part.body, BodyItem::Present);
    }

    #[test]
    fn tolerates_a_date_of_nil_and_keywords_beyond_ascii() {
        let line = "* 3 FETCH (UID 7 FLAGS (wichtig-für) INTERNALDATE NIL BODY[] {0}\r\n)\r\n";
        let attributes = Attributes::parse(line.as_bytes()).unwrap();
        assert_eq!(attributes.uid, Uid::new(7));
        assert_eq!(attributes.internal_date, None);
    }

    #[test]
    fn refuses_what_is_no_fetch_response() {
        assert!(Attributes::parse(b"* 3 FETCH (UID x)\r\n").is_none());
        assert!(Attributes::parse(b"* 3 EXISTS\r\n").is_none());
        assert_eq!(find_uid(b"* 3 FETCH (FLAGS [ UID 12 X)\r\n"), Uid::new(12));
        assert_eq!(find_uid(b"* 3 FETCH (UID 0)\r\n"), None);
    }

    #[test]
    fn lifts_a_quoted_body_out_of_the_line() {
        let mut line = br#"* 3 FETCH (UID 7 BODY[] "a\"b\\" FLAGS ())"#.to_vec();
        assert_eq!(lift_quoted_body(&mut line).unwrap(), br#"a"b\"#);
        assert_eq!(line, b"* 3 FETCH (UID 7 BODY[] {0}\r\n FLAGS ())");
        let mut empty = br#"* 3 FETCH (BODY[]<0> "" UID 7)"#.to_vec();
        assert_eq!(lift_quoted_body(&mut empty).unwrap(), b"");
        let mut literal = b"* 3 FETCH (BODY[] {0}\r\n FLAGS (\"))".to_vec();
        assert_eq!(lift_quoted_body(&mut literal), None);
    }
}
