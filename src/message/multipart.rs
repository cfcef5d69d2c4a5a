//! The parts of a multipart (RFC 2046, section 5.1): where each begins and ends, without a copy and
//! whatever is in them.

/// The parts between the delimiters, and how they end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) parts: Vec<&'a [u8]>,
    /// Whether the closing delimiter is there. It is missing where a message was cut off.
    pub(crate) is_closed: bool,
}

/// Splits a body. `None` if the boundary is nowhere.
///
/// What follows a closing delimiter is no part, unless the delimiter comes again: a multipart within
/// this one has the same boundary then.
pub(crate) fn split<'a>(body: &'a [u8], boundary: &[u8]) -> Option<Parts<'a>> {
    let boundary = boundary.trim_ascii_end();
    if boundary.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    let mut start = None;
    let mut is_closed = false;
    let needle = [b"--", boundary].concat();
    for at in memchr::memmem::find_iter(body, &needle) {
        let Some(delimiter) = delimiter(body, at, needle.len()) else {
            continue;
        };
        if let Some(start) = start.take() {
            parts.push(&body[start..end_of_part(body, start, at)]);
        }
        is_closed = delimiter.is_closing;
        start = (!is_closed).then_some(delimiter.end);
    }
    match start {
        // Cut off; a delimiter that nothing follows begins nothing.
        Some(start) if start < body.len() => parts.push(&body[start..]),
        None if !is_closed => return None,
        _ => {}
    }
    Some(Parts { parts, is_closed })
}

/// The boundary that a body shows where the header does not tell it: its first line with two hyphens,
/// if there is another of the kind.
pub(crate) fn guessed_boundary(body: &[u8]) -> Option<&[u8]> {
    let lines = || {
        body.split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii_end)
    };
    let is_delimiter = |line: &&[u8]| line.len() > 4 && line.starts_with(b"--");
    let first = lines().find(is_delimiter)?;
    let others = lines().filter(|line| line.strip_suffix(b"--").unwrap_or(line) == first);
    // Hyphens alone are a line across the page.
    let is_drawn = first.iter().all(|byte| *byte == b'-');
    (!is_drawn && others.count() >= 2).then(|| &first[2..])
}

struct Delimiter {
    is_closing: bool,
    /// Where the next part begins.
    end: usize,
}

/// A delimiter is a line of its own; white space may follow it.
fn delimiter(body: &[u8], at: usize, length: usize) -> Option<Delimiter> {
    if at > 0 && body[at - 1] != b'\n' {
        return None;
    }
    let after = &body[at + length..];
    let end = memchr::memchr(b'\n', after).map_or(after.len(), |end| end + 1);
    let (mark, is_closing) = match after[..end].strip_prefix(b"--") {
        Some(mark) => (mark, true),
        None => (&after[..end], false),
    };
    mark.trim_ascii().is_empty().then_some(Delimiter {
        is_closing,
        end: at + length + end,
    })
}

/// The line's end before a delimiter belongs to the delimiter.
fn end_of_part(body: &[u8], start: usize, delimiter: usize) -> usize {
    let part = &body[start..delimiter];
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    start + part.strip_suffix(b"\r").unwrap_or(part).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(body: &str) -> Option<(Vec<&str>, bool)> {
        let Parts { parts, is_closed } = split(body.as_bytes(), b"b")?;
        let parts = parts.into_iter().map(|part| str::from_utf8(part).unwrap());
        Some((parts.collect(), is_closed))
    }

    #[test]
    fn parts_are_between_lines_that_are_delimiters() {
        for (body, expected, is_closed) in [
            (
                "--b\r\none\r\n--b\r\ntwo\r\n--b--\r\nepilogue",
                vec!["one", "two"],
                true,
            ),
            (
                "preamble --b\n--b \t\none\n\n--bb\n--b--",
                vec!["one\n\n--bb"],
                true,
            ),
            ("--b\r\n\r\n--b--", vec![""], true),
            ("--b\r\n--b--", vec![""], true),
            (
                "--b\r\none\r\n--b\r\ntwo, cut of",
                vec!["one", "two, cut of"],
                false,
            ),
            ("--b\r\none\r\n--b", vec!["one"], false),
            (
                "--b\none\n--b--\nlost?\n--b\ntwo\n--b--",
                vec!["one", "two"],
                true,
            ),
        ] {
            assert_eq!(parts(body), Some((expected, is_closed)), "{body:?}");
        }
        assert_eq!(parts("text -- b\n --b\n--bc\n"), None);
        assert_eq!(split(b"--\n--\n", b""), None);
    }

    #[test]
    fn a_boundary_that_is_not_told_is_found() {
        assert_eq!(
            guessed_boundary(b"\r\n--xyz\r\none\r\n--xyz--\r\n"),
            Some(&b"xyz"[..])
        );
        assert_eq!(guessed_boundary(b"text\n-----\ntext\n-----\n"), None);
        assert_eq!(guessed_boundary(b"-- \nsignature --xyz\n--once\n"), None);
    }
}
