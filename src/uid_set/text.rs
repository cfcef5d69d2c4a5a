//! Sets as text, in the `sequence-set` form of IMAP (RFC 9051, section 9).

use std::fmt;
use std::str::FromStr;

use super::builder::UidSetBuilder;
use super::range::Range;
use super::{Uid, UidSet};
use crate::error::{Error, Result};

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}:{}", self.first, self.last)
        }
    }
}

/// Writes the set as a command needs it, `1:5,9`: ascending and as short as can be. The empty
/// set, for which IMAP has no form, is the empty string.
impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{range}")?;
        }
        Ok(())
    }
}

/// How many ranges [`Debug`](fmt::Debug) shows, about one line.
const SHOWN_RANGES: usize = 16;

impl fmt::Debug for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UidSet({})", self.excerpt())
    }
}

impl UidSet {
    /// The set for people to read: of a long one its start, and how long it is.
    pub(crate) fn excerpt(&self) -> String {
        match self.ranges.get(..SHOWN_RANGES) {
            Some(head) if head.len() < self.ranges.len() => {
                let head: Vec<String> = head.iter().map(Range::to_string).collect();
                format!("{},… {} UIDs", head.join(","), self.len)
            }
            _ => self.to_string(),
        }
    }
}

/// Reads a `sequence-set` in any order, with overlaps; `5:3` is `3:5`. The empty string is the
/// empty set, so that what [`Display`](fmt::Display) writes can be read again.
///
/// `*` is refused: which UID it stands for depends on the mailbox, and changes while mail
/// arrives. [`Uid::MAX`] is an open end that does not.
impl FromStr for UidSet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut builder = UidSetBuilder::new();
        if !text.is_empty() {
            for item in text.split(',') {
                let (one, other) = item.split_once(':').unwrap_or((item, item));
                builder.push_between(read_uid(one)?, read_uid(other)?);
            }
        }
        Ok(builder.finish())
    }
}

fn read_uid(text: &str) -> Result<Uid> {
    if text == "*" {
        return Err(Error::config(format!(
            "set of UIDs: * depends on the mailbox, write {} for an open end",
            Uid::MAX
        )));
    }
    text.parse()
        .map_err(|error: Error| error.in_context("set of UIDs"))
}
