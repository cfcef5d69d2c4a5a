//! Cuts the octets of a connection into responses: a line, the literals it announces, and what
//! follows them (RFC 9051, section 4.3). Framing knows nothing of what a response means, so one
//! that cannot be understood costs itself alone and not the connection.

use std::sync::Arc;

use super::wire::Wire;
use crate::error::{Error, Result, excerpt};
use crate::octets::{Octets, Shelf};
use crate::status::Status;

/// What becomes of an announced literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Read into a buffer of its own.
    Keep,
    /// Read into the line, if the line's limit allows it.
    Inline,
    /// Read and dropped, however long it is.
    Discard,
    /// Not yet: reading ends here, and goes on from here with the next call.
    Later,
}

/// How much of a response that broke off an error shows.
const EXCERPT_OCTETS: usize = 100;

/// How many literals of one response are kept: the crate never asks for more than one.
const MAX_KEPT: usize = 1;

/// How many empty lines may follow a literal.
const MOST_EMPTY_LINES: usize = 3;

/// One response. Reused from response to response, so that a line costs no allocation.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    /// The response's line with `{0}` in place of every literal that is not part of it.
    pub(crate) line: Vec<u8>,
    /// The literals that were kept, in order.
    pub(crate) literals: Vec<Octets>,
    /// The length of a literal at which reading stopped, because it goes beyond the limit for a
    /// whole response.
    pub(crate) refused: Option<u64>,
    /// The response has been read to its end.
    is_whole: bool,
    /// Where reading goes on, if it ended with [`Fate::Later`].
    pause: Option<Pause>,
    /// Has room for large literals.
    shelf: Arc<Shelf>,
}

/// A place before a literal.
#[derive(Debug, Clone, Copy)]
struct Pause {
    /// Where the last part of the line starts, which announces the literal.
    from: usize,
    /// How many octets may still come in literals.
    allowed: u64,
}

impl Frame {
    pub(crate) fn new(shelf: Arc<Shelf>) -> Self {
        Self {
            shelf,
            ..Self::default()
        }
    }

    /// Reads the next response. `fate` decides on each literal from the line so far and the
    /// announced number of octets; it may take its time. Returns whether the response is at its
    /// end, as it always is without [`Fate::Later`].
    pub(crate) fn read(
        &mut self,
        wire: &mut Wire,
        mut fate: impl FnMut(&[u8], u64) -> Result<Fate>,
    ) -> Result<bool> {
        let pause = self.pause.take();
        if pause.is_none() {
            self.line.clear();
            self.literals.clear();
            self.refused = None;
            self.is_whole = false;
        }
        self.is_whole = self.read_parts(wire, pause, &mut fate)?;
        Ok(self.is_whole)
    }

    /// Whether the next call goes on with the same response.
    pub(crate) fn is_paused(&self) -> bool {
        self.pause.is_some()
    }

    /// The next call begins with another response, of another connection.
    pub(crate) fn forget_pause(&mut self) {
        self.pause = None;
    }

    /// The start of what had arrived of a response when its end did not come, fit for printing.
    pub(crate) fn unfinished(&self) -> Option<String> {
        if self.is_whole || self.line.is_empty() {
            return None;
        }
        let mut octets = self.line.clone();
        if let Some(literal) = self.literals.last() {
            octets.extend_from_slice(&literal[..literal.len().min(EXCERPT_OCTETS)]);
        }
        Some(excerpt(&octets[..octets.len().min(EXCERPT_OCTETS)]))
    }

    fn read_parts(
        &mut self,
        wire: &mut Wire,
        pause: Option<Pause>,
        fate: &mut impl FnMut(&[u8], u64) -> Result<Fate>,
    ) -> Result<bool> {
        let longest_line = wire.limits().line_octets;
        // Only what follows the last literal can announce the next: an inlined one may hold
        // anything.
        let Pause {
            mut from,
            mut allowed,
        } = match pause {
            Some(pause) => pause,
            None => {
                wire.read_line(&mut self.line)?;
                // A status response ends in free text, which may look like an announcement.
                if !may_announce(&self.line) {
                    return Ok(true);
                }
                Pause {
                    from: 0,
                    allowed: wire.limits().response_octets,
                }
            }
        };
        while let Some((start, octets)) = announced(&self.line[from..])? {
            let start = from + start;
            if octets > allowed {
                self.refused = Some(octets);
                self.line.truncate(start);
                let limit = wire.limits().response_octets;
                return Err(Error::protocol(format!(
                    "a response of more than {limit} octets"
                )));
            }
            match fate(&self.line[..start], octets)? {
                Fate::Later => {
                    self.pause = Some(Pause { from, allowed });
                    return Ok(false);
                }
                Fate::Keep if self.literals.len() < MAX_KEPT => {
                    self.replace_announcement(start);
                    let count = usize::try_from(octets)
                        .map_err(|_| Error::protocol(format!("a literal of {octets} octets")))?;
                    self.keep(wire, count)?;
                }
                Fate::Inline if octets <= longest_line.saturating_sub(self.line.len()) as u64 => {
                    wire.append_literal(octets as usize, &mut self.line)?;
                }
                _ => {
                    self.replace_announcement(start);
                    wire.discard(octets)?;
                }
            }
            allowed -= octets;
            from = self.line.len();
            wire.read_line(&mut self.line)?;
            if self.line.get(from) != Some(&b')') {
                self.pass_empty_lines(wire, from)?;
            }
        }
        Ok(true)
    }

    /// Reads on where an empty line follows a literal and then what belongs behind the literal
    /// (python/cpython#88574, mjs/imapclient#162). A numbered response does not end in a literal.
    fn pass_empty_lines(&mut self, wire: &mut Wire, from: usize) -> Result<()> {
        for _ in 0..MOST_EMPTY_LINES {
            let is_empty = self.line[from..].iter().all(u8::is_ascii_whitespace);
            let is_numbered = self.line.get(2).is_some_and(u8::is_ascii_digit);
            if !is_empty || !is_numbered {
                break;
            }
            // Whatever it is, something comes: at least the end of the command.
            if !matches!(wire.available()?, [b')' | b' ' | b'\r' | b'\n', ..]) {
                break;
            }
            wire.read_line(&mut self.line)?;
        }
        Ok(())
    }

    /// Reads a literal. What arrived of it before an error is kept, too.
    fn keep(&mut self, wire: &mut Wire, count: usize) -> Result<()> {
        let (literal, result) = match self.shelf.lend(count) {
            Some(mut pages) => {
                let (filled, result) = wire.fill(pages.room());
                pages.truncate(filled);
                (pages.into(), result)
            }
            None => {
                let mut literal = Vec::new();
                let result = wire.append_literal(count, &mut literal);
                (literal.into(), result)
            }
        };
        self.literals.push(literal);
        result
    }

    fn replace_announcement(&mut self, start: usize) {
        self.line.truncate(start);
        self.line.extend_from_slice(b"{0}\r\n");
    }
}

/// Whether a literal may follow: only untagged data other than status responses have any.
fn may_announce(line: &[u8]) -> bool {
    line.starts_with(b"* ") && (line[2].is_ascii_digit() || Status::untagged(line).is_none())
}

/// Where the announcement of a literal starts, if the line ends in one, and its length.
/// Also takes the `~{n}` of BINARY (RFC 3516) and the `{n+}` that some servers send by mistake.
fn announced(line: &[u8]) -> Result<Option<(usize, u64)>> {
    let Some(rest) = line.strip_suffix(b"\n") else {
        return Ok(None);
    };
    let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
    let Some(rest) = rest.strip_suffix(b"}") else {
        return Ok(None);
    };
    let rest = rest.strip_suffix(b"+").unwrap_or(rest);
    let digits = rest
        .iter()
        .rev()
        .take_while(|octet| octet.is_ascii_digit())
        .count();
    let (before, digits) = rest.split_at(rest.len() - digits);
    let Some(before) = before.strip_suffix(b"{") else {
        return Ok(None);
    };
    if digits.is_empty() {
        return Ok(None);
    }
    let octets = digits
        .iter()
        .try_fold(0u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        })
        .ok_or_else(|| Error::protocol("a literal longer than a 64-bit number can say"))?;
    let start = before.strip_suffix(b"~").unwrap_or(before).len();
    Ok(Some((start, octets)))
}

#[cfg(test)]
mod tests {
    use super::super::wire::tests::wire;
    use super::*;

    fn read(octets: &[u8], fate: Fate) -> (Frame, Vec<u64>) {
        let mut frames = Vec::new();
        for piece in [1, 3, 1000] {
            let mut frame = Frame::default();
            let mut seen = Vec::new();
            frame
                .read(&mut wire(octets, piece), |_, octets| {
                    seen.push(octets);
                    Ok(fate)
                })
                .unwrap();
            frames.push((frame, seen));
        }
        frames.pop().unwrap()
    }

    #[test]
    fn keeps_a_literal_apart_from_its_line_whatever_it_holds() {
        let octets = b"* 1 FETCH (UID 7 BODY[] {19}\r\na1 OK\r\n{10}\r\n)\n\x00\xff\r\n FLAGS ())\r\n* next\r\n";
        let (frame, seen) = read(octets, Fate::Keep);
        assert_eq!(frame.line, b"* 1 FETCH (UID 7 BODY[] {0}\r\n FLAGS ())\r\n");
        assert_eq!(frame.literals.len(), 1);
        assert_eq!(*frame.literals[0], *b"a1 OK\r\n{10}\r\n)\n\x00\xff\r\n");
        assert_eq!(seen, [19]);
    }

    #[test]
    fn of_a_large_literal_that_breaks_off_only_what_came_is_kept() {
        let shelf = Arc::<Shelf>::default();
        let announced = 200_000;
        for octets in [announced, 150_000, 10] {
            let mut response = format!("* 1 FETCH (BODY[] {{{announced}}}\r\n").into_bytes();
            response.resize(response.len() + octets, b'x');
            if octets == announced {
                response.extend_from_slice(b")\r\n");
            }
            let mut frame = Frame::new(shelf.clone());
            let result = frame.read(&mut wire(response, 70_000), |_, _| Ok(Fate::Keep));
            assert_eq!(result.is_ok(), octets == announced);
            assert_eq!(frame.unfinished().is_none(), octets == announced);
            assert!(*frame.literals[0] == *vec![b'x'; octets]);
        }
    }

    #[test]
    fn inlines_or_discards_when_told_to() {
        let octets = b"* 1 FETCH (X {3}\r\nabc BODY[] {2}\r\nde)\r\n";
        assert_eq!(read(octets, Fate::Inline).0.line, octets);
        let (frame, seen) = read(octets, Fate::Discard);
        assert_eq!(frame.line, b"* 1 FETCH (X {0}\r\n BODY[] {0}\r\n)\r\n");
        assert_eq!(seen, [3, 2]);
    }

    #[test]
    fn an_inlined_literal_that_ends_like_an_announcement_is_none() {
        let octets = b"* 1 FETCH (X {6}\r\n{99}\r\n FLAGS ())\r\n";
        let (frame, seen) = read(octets, Fate::Inline);
        assert_eq!((frame.line.as_slice(), seen), (&octets[..], vec![6]));
    }

    #[test]
    fn empty_lines_behind_a_literal_do_not_end_a_numbered_response() {
        for end in ["\r\n)\r\n", "\n FLAGS ())\r\n", "\r\n\r\n)\r\n", ")\r\n"] {
            let sent = format!("* 1 FETCH (BODY[] {{2}}\r\nab{end}* 2 FETCH ()\r\n");
            let (frame, _) = read(sent.as_bytes(), Fate::Keep);
            let expected = format!("* 1 FETCH (BODY[] {{0}}\r\n{end}");
            assert_eq!(frame.line, expected.as_bytes());
        }
        // Another response, or one that does end in a literal.
        for (sent, line) in [
            (
                "* 1 FETCH (X {1}\r\na\r\n* 2 FETCH ()\r\n",
                "* 1 FETCH (X {1}\r\na\r\n",
            ),
            (
                "* 1 FETCH (X {1}\r\na\r\np1 OK\r\n",
                "* 1 FETCH (X {1}\r\na\r\n",
            ),
            ("* LIST () {1}\r\na\r\n)\r\n", "* LIST () {1}\r\na\r\n"),
        ] {
            assert_eq!(read(sent.as_bytes(), Fate::Inline).0.line, line.as_bytes());
        }
    }

    #[test]
    fn reading_goes_on_where_it_was_put_off() {
        let octets = b"* 1 FETCH (X {2}\r\nab BODY[] {3}\r\nabc)\r\n* 2 FETCH ()\r\n";
        let mut frame = Frame::default();
        let mut wire = wire(&octets[..], 3);
        let mut fates = [Fate::Inline, Fate::Later, Fate::Later, Fate::Keep].into_iter();
        let mut seen = Vec::new();
        for is_whole in [false, false, true] {
            let result = frame.read(&mut wire, |line, octets| {
                seen.push((line.len(), octets));
                Ok(fates.next().unwrap())
            });
            assert_eq!((result.unwrap(), frame.is_paused()), (is_whole, !is_whole));
        }
        assert_eq!(seen, [(13, 2), (28, 3), (28, 3), (28, 3)]);
        assert_eq!(frame.line, b"* 1 FETCH (X {2}\r\nab BODY[] {0}\r\n)\r\n");
        assert_eq!(*frame.literals[0], *b"abc");
        assert!(frame.read(&mut wire, |_, _| Ok(Fate::Keep)).unwrap());
        assert_eq!(frame.line, b"* 2 FETCH ()\r\n");
    }

    #[test]
    fn free_text_that_looks_like_an_announcement_is_text() {
        for line in [
            &b"* OK see {10}\r\n"[..],
            b"a1 NO quota {10}\r\n",
            b"+ go {10}\r\n",
        ] {
            assert_eq!(read(line, Fate::Keep).0.line, line);
        }
        let quoted = b"* 1 FETCH (BODY[] \"{10}\")\r\n";
        assert_eq!(read(quoted, Fate::Keep).0.line, quoted);
    }

    #[test]
    fn an_absurd_length_is_a_protocol_error() {
        let line = b"* 1 FETCH (BODY[] {99999999999999999999999}\r\n";
        let mut frame = Frame::default();
        assert!(
            frame
                .read(&mut wire(&line[..], 9), |_, _| Ok(Fate::Keep))
                .is_err()
        );
    }
}
