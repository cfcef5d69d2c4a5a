//! The words of FETCH responses: where a head, a name, a string, a literal or a section ends. Each
//! function looks at a line from one place on and keeps nothing; what follows from it is for the
//! reading.

use std::ops::Range;

/// Reads `* 7 FETCH (`, and returns the number and the length.
pub(super) fn head(line: &[u8]) -> Option<(Option<u32>, usize)> {
    let mut at = line.strip_prefix(b"*").map(|_| 1)?;
    at += spaces(&line[at..]);
    let start = at;
    let mut number = 0u64;
    while let Some(digit) = line.get(at).filter(|byte| byte.is_ascii_digit()) {
        number = number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'));
        at += 1;
    }
    if line[at..].starts_with(b" FETCH (") && (1..=18).contains(&(at - start)) {
        return Some((u32::try_from(number).ok(), at + 8));
    }
    let gap = spaces(&line[at..]);
    // More digits than this do not fit.
    if !(1..=18).contains(&(at - start)) || gap == 0 {
        return None;
    }
    at += gap;
    let word = line.get(at..at + 5)?;
    if !word.eq_ignore_ascii_case(b"FETCH") {
        return None;
    }
    at += 5;
    at += spaces(&line[at..]);
    (line.get(at) == Some(&b'(')).then_some((u32::try_from(number).ok(), at + 1))
}

pub(super) fn spaces(line: &[u8]) -> usize {
    line.iter().take_while(|byte| **byte == b' ').count()
}

/// How long a word is. Keywords hold what the grammar forbids: quotes, braces, brackets, stars.
pub(super) fn word_length(line: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = line.get(at) {
        // A star as DavMail has it, in the middle of a number.
        if ends(*byte, WORD) && (*byte != b'*' || head(&line[at..]).is_some()) {
            break;
        }
        at += 1;
    }
    at
}

/// Bytes that end a word, or may do so.
const WORD: u8 = 1;
/// Bytes that end the name of an item.
pub(super) const NAME: u8 = 2;

/// Which bytes end what. Every byte of a line is looked up here, or nearly.
const ENDS: [u8; 256] = {
    let mut ends = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        ends[byte] = match byte as u8 {
            b' ' | b'(' | b')' | b'\t' | b'\r' | b'\n' | b'*' => WORD | NAME,
            b'[' | b'"' | b'{' | 0..b' ' => NAME,
            _ => 0,
        };
        byte += 1;
    }
    ends
};

pub(super) fn ends(byte: u8, what: u8) -> bool {
    ENDS[usize::from(byte)] & what != 0
}

/// Where the text of a quoted string ends that starts here. `None` if it does not end in its line.
pub(super) fn quoted(line: &[u8], start: usize) -> Option<Range<usize>> {
    let mut at = start;
    loop {
        at += memchr::memchr3(b'"', b'\\', b'\n', line.get(at..)?)?;
        match line[at] {
            b'"' => return Some(start..at),
            b'\n' => return None,
            _ => at += 2,
        }
    }
}

/// Where the bytes of a literal are that is announced here: within the line, or none where it was
/// taken out and `{0}` stands in its place.
pub(super) fn literal(line: &[u8], start: usize) -> Option<Range<usize>> {
    if line[start..].starts_with(b"{0}\r\n") {
        return Some(start + 5..start + 5);
    }
    let announced = line[start..].strip_prefix(b"~").unwrap_or(&line[start..]);
    let announced = announced.strip_prefix(b"{")?;
    let length = announced.iter().take(20);
    let length = length.take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = announced.split_at(length);
    let rest = rest.strip_prefix(b"+").unwrap_or(rest).strip_prefix(b"}")?;
    let rest = rest
        .strip_prefix(b"\r")
        .unwrap_or(rest)
        .strip_prefix(b"\n")?;
    let length: usize = str::from_utf8(digits).ok()?.parse().ok()?;
    let start = line.len() - rest.len();
    (length <= rest.len()).then(|| start..start + length)
}

/// The section whose name starts here, and where it ends with what it says of its origin:
/// `HEADER.FIELDS ("TO")]<0>`. `None` if it does not end.
pub(super) fn section(line: &[u8], start: usize) -> Option<(Section<'_>, usize)> {
    let mut at = start;
    let name = loop {
        match line.get(at)? {
            b']' => break &line[start..at],
            b'"' => at = quoted(line, at + 1)?.end + 1,
            b'\n' => return None,
            _ => at += 1,
        }
    };
    at += 1;
    let gap = spaces(&line[at..]);
    let Some(origin) = line[at + gap..].strip_prefix(b"<") else {
        return Some((Section { name, origin: b"" }, at));
    };
    let length = origin
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();
    (origin.get(length) == Some(&b'>')).then(|| {
        let section = Section {
            name,
            origin: &origin[..length],
        };
        (section, at + gap + length + 2)
    })
}

/// A part of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section<'a> {
    /// What stands between the brackets.
    pub(super) name: &'a [u8],
    /// What stands in angle brackets behind them.
    pub(super) origin: &'a [u8],
}

/// All of a message.
pub(super) const WHOLE: Section<'_> = Section {
    name: b"",
    origin: b"",
};

/// Whether this may be the name of an item that is not known. Of a text's words hardly any is.
pub(super) fn looks_like_an_item(name: &[u8]) -> bool {
    let is_capital = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_in_capitals = name.first().is_some_and(u8::is_ascii_uppercase)
        && name
            .iter()
            .all(|byte| is_capital(byte) || b".-_".contains(byte));
    name.len() > 2 && (is_in_capitals || name[..2].eq_ignore_ascii_case(b"X-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_response_is_read_to_its_parenthesis() {
        for (line, read) in [
            ("* 7 FETCH (", Some((Some(7), 11))),
            ("*  7  fetch  (x", Some((Some(7), 14))),
            ("* 7 FETCH(", Some((Some(7), 10))),
            ("* 4294967296 FETCH (", Some((None, 20))),
            ("* 7FETCH (", None),
            ("* FETCH (", None),
            ("* 7 FETCH", None),
            ("* 7 FETCHED (", None),
            ("* 7 EXISTS", None),
            ("* 9999999999999999999999 FETCH (", None),
            ("p1 FETCH (", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(head(line.as_bytes()), read, "{line}");
        }
    }

    #[test]
    fn a_section_ends_at_its_own_bracket() {
        for (rest, read) in [
            ("]", Some(("", "", 1))),
            ("HEADER] ", Some(("HEADER", "", 7))),
            (
                "HEADER.FIELDS (\"A]\" B)]<0.9> x",
                Some(("HEADER.FIELDS (\"A]\" B)", "0.9", 28)),
            ),
            ("] <7> x", Some(("", "7", 5))),
            ("]<x>", None),
            ("]<", None),
            ("HEADER", None),
            ("\"]", None),
        ] {
            let read = read.map(|(name, origin, end)| (name.as_bytes(), origin.as_bytes(), end));
            let section = section(rest.as_bytes(), 0);
            let section = section.map(|(section, end)| (section.name, section.origin, end));
            assert_eq!(section, read, "{rest}");
        }
    }
}
