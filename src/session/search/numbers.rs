//! The answer to a plain SEARCH: numbers to the end of the line, read byte by byte and never held. What
//! is no UID is passed over and counted.

use super::too_many_ranges;
use crate::error::{Result, excerpt};
use crate::transport::Wire;
use crate::uid_set::{Uid, UidSetBuilder};

/// A longer word is no number, and none that could be shown would say more.
const LONGEST_WORD: usize = 32;

/// What is odd about an answer.
#[derive(Debug, Default)]
pub(super) struct Oddities {
    /// Words that are no UIDs.
    pub(super) count: usize,
    /// The first of them, fit for printing.
    pub(super) first: String,
    /// One of them is not even a number.
    pub(super) has_garbage: bool,
}

/// Reads to the end of the line, of which `* SEARCH` has been read. A modification sequence in
/// parentheses (RFC 7162, section 3.1.5) is passed over.
pub(super) fn read(
    wire: &mut Wire,
    found: &mut UidSetBuilder,
    oddities: &mut Oddities,
) -> Result<()> {
    let most = wire.limits().search_ranges;
    let mut word = Vec::new();
    let mut in_parentheses = false;
    loop {
        if found.ranges() > most {
            return Err(too_many_ranges(most));
        }
        let available = wire.available()?;
        for (index, &byte) in available.iter().enumerate() {
            match byte {
                // Quoted or as a list, they are the same numbers.
                b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b'"' | b',' => {
                    take(&word, found, oddities);
                    word.clear();
                    in_parentheses = match byte {
                        b'(' => true,
                        b')' | b'\n' => false,
                        _ => in_parentheses,
                    };
                    if byte == b'\n' {
                        wire.consume(index + 1);
                        return Ok(());
                    }
                }
                _ if in_parentheses => {}
                _ if word.len() < LONGEST_WORD => word.push(byte),
                _ => {}
            }
        }
        let count = available.len();
        wire.consume(count);
    }
}

fn take(word: &[u8], found: &mut UidSetBuilder, oddities: &mut Oddities) {
    if word.is_empty() {
        return;
    }
    let text = str::from_utf8(word).unwrap_or_default();
    if let Some(uid) = text.parse().ok().and_then(Uid::new) {
        found.push(uid);
        return;
    }
    oddities.count += 1;
    oddities.has_garbage |= !word.iter().all(u8::is_ascii_digit);
    if oddities.first.is_empty() {
        oddities.first = excerpt(word);
    }
}
