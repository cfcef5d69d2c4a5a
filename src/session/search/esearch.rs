//! The answer to an extended SEARCH (RFC 4731), read octet by octet and never held: the set of UIDs
//! of a large mailbox may be a line of megabytes also in ranges.

use super::too_many_ranges;
use crate::error::{Error, Result};
use crate::transport::Wire;
use crate::uid_set::{Uid, UidSetBuilder};

/// A longer word is none that matters here.
const LONGEST_WORD: usize = 16;

/// Reads to the end of the line, of which `* ESEARCH` has been read.
pub(super) fn read_set(wire: &mut Wire, found: &mut UidSetBuilder) -> Result<()> {
    let most = wire.limits().search_ranges;
    let mut answer = Answer::default();
    loop {
        let available = wire.available()?;
        for (index, &octet) in available.iter().enumerate() {
            answer.take(octet, found)?;
            if octet == b'\n' {
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

#[derive(Default)]
struct Answer {
    /// Parentheses around the tag of the command, or around data that does not matter.
    depth: u32,
    in_quotes: bool,
    /// The last word, in capitals.
    word: Vec<u8>,
    /// The word is the set, of which these are under way.
    in_set: bool,
    first: Option<u32>,
    number: Option<u32>,
}

impl Answer {
    fn take(&mut self, octet: u8, found: &mut UidSetBuilder) -> Result<()> {
        if self.in_quotes {
            self.in_quotes = octet != b'"' && octet != b'\n';
            return Ok(());
        }
        if self.in_set {
            return self.take_of_set(octet, found);
        }
        match octet {
            b'"' => self.in_quotes = true,
            b'(' => self.depth += 1,
            b')' => self.depth = self.depth.saturating_sub(1),
            b' ' | b'\r' | b'\n' => {
                self.in_set = octet == b' ' && self.depth == 0 && self.word == b"ALL";
                self.word.clear();
            }
            _ if self.depth == 0 && self.word.len() < LONGEST_WORD => {
                self.word.push(octet.to_ascii_uppercase());
            }
            _ => {}
        }
        Ok(())
    }

    fn take_of_set(&mut self, octet: u8, found: &mut UidSetBuilder) -> Result<()> {
        let no_set = || Error::protocol("SEARCH: an answer that is not a set of UIDs");
        match octet {
            b'0'..=b'9' => {
                let longer = self.number.unwrap_or(0).checked_mul(10);
                let longer = longer.and_then(|longer| longer.checked_add(u32::from(octet - b'0')));
                self.number = Some(longer.ok_or_else(no_set)?);
            }
            b':' if self.first.is_none() => {
                self.first = Some(self.number.take().ok_or_else(no_set)?);
            }
            b',' | b' ' | b'\r' | b'\n' => {
                let uid = |number| Uid::new(number).ok_or_else(no_set);
                let last = uid(self.number.take().ok_or_else(no_set)?)?;
                let first = self.first.take().map_or(Ok(last), uid)?;
                found.push_between(first, last);
                self.in_set = octet == b',';
            }
            _ => return Err(no_set()),
        }
        Ok(())
    }
}
