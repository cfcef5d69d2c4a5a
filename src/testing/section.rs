//! The parts of a message that FETCH can ask for by name: header, text, some header fields, and a
//! range of octets of each. Works on the octets alone, so it is exact for any of them.

use std::borrow::Cow;

use imap_codec::imap_types::core::AString;
use imap_codec::imap_types::fetch::Section;

/// The part of `raw` that `section` names, or `None` where the server does not know such parts.
pub(super) fn select<'a>(raw: &'a [u8], section: Option<&Section<'_>>) -> Option<Cow<'a, [u8]>> {
    let (header, text) = raw.split_at(header_length(raw));
    match section {
        None => Some(raw.into()),
        Some(Section::Header(None)) => Some(header.into()),
        Some(Section::Text(None)) => Some(text.into()),
        Some(Section::HeaderFields(None, names)) => {
            Some(fields(header, |name| is_one_of(name, names.as_ref())).into())
        }
        Some(Section::HeaderFieldsNot(None, names)) => {
            Some(fields(header, |name| !is_one_of(name, names.as_ref())).into())
        }
        Some(_) => None,
    }
}

/// The octets from `start`, at most `length` (RFC 9051, section 6.4.5): less, or none, at the end.
pub(super) fn partial(octets: Cow<'_, [u8]>, start: u32, length: u32) -> Cow<'_, [u8]> {
    let start = (start as usize).min(octets.len());
    let end = start.saturating_add(length as usize).min(octets.len());
    match octets {
        Cow::Borrowed(octets) => octets[start..end].into(),
        Cow::Owned(octets) => octets[start..end].to_vec().into(),
    }
}

/// The length of the header with the empty line after it; without an empty line all is header.
fn header_length(raw: &[u8]) -> usize {
    let mut start = 0;
    for line in raw.split_inclusive(|octet| *octet == b'\n') {
        start += line.len();
        if line == b"\r\n" || line == b"\n" {
            break;
        }
    }
    start
}

/// The fields of a header whose name is wanted, folded lines included, and the empty line.
fn fields(header: &[u8], is_wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut found = Vec::new();
    let mut wanted = false;
    for line in header.split_inclusive(|octet| *octet == b'\n') {
        if line == b"\r\n" || line == b"\n" {
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line
                .split(|octet| *octet == b':')
                .next()
                .unwrap_or_default();
            wanted = is_wanted(name.trim_ascii_end());
        }
        if wanted {
            found.extend_from_slice(line);
        }
    }
    found.extend_from_slice(b"\r\n");
    found
}

fn is_one_of(name: &[u8], names: &[AString<'_>]) -> bool {
    names
        .iter()
        .any(|own| own.as_ref().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &[u8] = b"Subject: a\r\n b\r\nFrom: c\r\n\r\ntext\r\n\r\nmore";

    #[test]
    fn header_and_text_together_are_the_message() {
        for raw in [
            RAW,
            b"",
            b"no header end",
            b"a: b\n\nbare",
            b"\r\nonly text",
        ] {
            let header = select(raw, Some(&Section::Header(None))).unwrap();
            let text = select(raw, Some(&Section::Text(None))).unwrap();
            assert_eq!([header, text].concat(), raw);
        }
    }

    #[test]
    fn header_fields_keep_their_folded_lines() {
        let names = vec![AString::try_from("SUBJECT").unwrap()]
            .try_into()
            .unwrap();
        let section = Section::HeaderFields(None, names);
        assert_eq!(
            *select(RAW, Some(&section)).unwrap(),
            *b"Subject: a\r\n b\r\n\r\n"
        );
    }

    #[test]
    fn a_partial_beyond_the_end_is_empty() {
        assert_eq!(*partial(RAW.into(), 0, 7), *b"Subject");
        assert_eq!(*partial(RAW.into(), 4_000_000_000, u32::MAX), *b"");
    }
}
