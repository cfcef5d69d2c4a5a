//! The answer to an extended SEARCH (RFC 4731), read byte by byte and never held: the set of UIDs of a
//! large mailbox may be a line of megabytes also in ranges.

use super::too_many_ranges;
use crate::error::Result;
use crate::transport::Wire;
use crate::uid_set::{Uid, UidSetBuilder};

/// A longer word is none that matters here.
const LONGEST_WORD: usize = 16;

/// What an answer has beside the set.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// There was a set.
    pub(super) has_set: bool,
    /// The set cannot be one of UIDs.
    pub(super) is_odd: bool,
    /// How many messages match.
    pub(super) count: Option<u64>,
}

impl Summary {
    /// Whether the answer is not to be relied on: the set is not as long as the server says, or is
    /// missing though it does not say that nothing matches. Strato and iCloud leave it out whatever
    /// there is.
    pub(super) fn is_doubtful(&self, found: usize) -> bool {
        let is_right = match self.count {
            Some(count) => count == found as u64,
            None => self.has_set,
        };
        self.is_odd || !is_right
    }
}

/// Reads to the end of the line, of which `* ESEARCH` has been read.
pub(super) fn read(
    wire: &mut Wire,
    found: &mut UidSetBuilder,
    summary: &mut Summary,
) -> Result<()> {
    let most = wire.limits().search_ranges;
    let mut answer = Answer::new(summary);
    loop {
        let available = wire.available()?;
        for (index, &byte) in available.iter().enumerate() {
            answer.take(byte, found);
            if byte == b'\n' {
                wire.consume(index + 1);
                return Ok(());
            }
        }
        let count = available.len();
        wire.consume(count);
        if found.ranges() > most {
            return Err(too_many_ranges(most));
        }
    }
}

struct Answer<'a> {
    summary: &'a mut Summary,
    /// Parentheses around the tag of the command, or around data that does not matter.
    depth: u32,
    in_quotes: bool,
    /// The last word, in capitals.
    word: Vec<u8>,
    expected: Expected,
    first: Option<u32>,
    number: Option<u32>,
}

/// What the word that comes next is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Name,
    Set,
    Count,
}

impl<'a> Answer<'a> {
    fn new(summary: &'a mut Summary) -> Self {
        Self {
            summary,
            depth: 0,
            in_quotes: false,
            word: Vec::new(),
            expected: Expected::Name,
            first: None,
            number: None,
        }
    }

    fn take(&mut self, byte: u8, found: &mut UidSetBuilder) {
        if self.in_quotes {
            self.in_quotes = byte != b'"' && byte != b'\n';
            return;
        }
        if self.expected == Expected::Set {
            if self.take_of_set(byte, found).is_none() {
                self.summary.is_odd = true;
                self.number = None;
                self.first = None;
                self.expected = Expected::Name;
            }
            return;
        }
        match byte {
            b'"' => self.in_quotes = true,
            b'(' => self.depth += 1,
            b')' => self.depth = self.depth.saturating_sub(1),
            b' ' | b'\r' | b'\n' => self.end_word(byte),
            _ if self.depth == 0 && self.word.len() < LONGEST_WORD => {
                self.word.push(byte.to_ascii_uppercase());
            }
            _ => {}
        }
    }

    fn end_word(&mut self, byte: u8) {
        if self.depth > 0 || self.word.is_empty() {
            return;
        }
        let is_more = byte == b' ';
        self.expected = match (self.expected, &self.word[..]) {
            (Expected::Count, digits) => {
                let digits = str::from_utf8(digits).unwrap_or_default();
                self.summary.count = digits.parse().ok();
                Expected::Name
            }
            (_, b"ALL") if is_more => {
                self.summary.has_set = true;
                Expected::Set
            }
            (_, b"COUNT") if is_more => Expected::Count,
            _ => Expected::Name,
        };
        self.word.clear();
    }

    /// `None` if it is no set.
    fn take_of_set(&mut self, byte: u8, found: &mut UidSetBuilder) -> Option<()> {
        match byte {
            b'0'..=b'9' => {
                let longer = self.number.unwrap_or(0).checked_mul(10)?;
                self.number = Some(longer.checked_add(u32::from(byte - b'0'))?);
            }
            b':' if self.first.is_none() => self.first = Some(self.number.take()?),
            b',' | b' ' | b'\r' | b'\n' => {
                let last = Uid::new(self.number.take()?)?;
                let first = self.first.take().map_or(Some(last), Uid::new)?;
                found.push_between(first, last);
                if byte != b',' {
                    self.expected = Expected::Name;
                }
            }
            _ => return None,
        }
        Some(())
    }
}
