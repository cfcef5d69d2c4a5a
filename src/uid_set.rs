//! UIDs and sets of them, kept as ranges.
//!
//! A mailbox of a million messages is usually a handful of ranges. Everything here works on the
//! ranges, never on a list of the UIDs, and does no I/O.

use std::ops::RangeInclusive;

mod algebra;
mod builder;
mod cursor;
mod iter;
mod range;
mod text;
mod uid;

pub(crate) use self::builder::UidSetBuilder;
pub(crate) use self::cursor::{Cursor, Direction};
pub use self::iter::{IntoIter, Iter};
use self::range::Range;
pub use self::uid::Uid;

/// A set of UIDs, ascending and range-compressed.
///
/// The memory it takes depends on its gaps, not on its length: 8 octets for each range without
/// one.
///
/// # Examples
///
/// ```
/// use parallel_mailbox::{Uid, UidSet};
///
/// let set: UidSet = [3, 1, 2, 9].into_iter().filter_map(Uid::new).collect();
/// assert_eq!(set.to_string(), "1:3,9");
/// assert_eq!(set.len(), 4);
///
/// let done: UidSet = "1:2".parse()?;
/// assert_eq!(set.difference(&done).to_string(), "3,9");
/// # Ok::<(), parallel_mailbox::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct UidSet {
    // Ascending, with at least one UID missing between one range and the next; so equal sets have
    // equal ranges.
    ranges: Vec<Range>,
    // The sum of the lengths, at most 2³² − 1.
    len: usize,
}

impl UidSet {
    /// The empty set. It allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            ranges: Vec::new(),
            len: 0,
        }
    }

    /// All UIDs from `first` to `last`, both included; none if `first` is above `last`.
    ///
    /// # Examples
    ///
    /// ```
    /// use parallel_mailbox::{Uid, UidSet};
    ///
    /// let from_100_on = UidSet::from_range(Uid::try_from(100)?, Uid::MAX);
    /// assert_eq!(from_100_on.to_string(), "100:4294967295");
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    #[must_use]
    pub fn from_range(first: Uid, last: Uid) -> Self {
        let mut set = Self::new();
        if first <= last {
            set.append(Range { first, last });
        }
        set
    }

    /// How many UIDs the set has. It is not counted but known.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether the set has no UID.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the set has this UID.
    #[must_use]
    pub fn contains(&self, uid: Uid) -> bool {
        self.ranges
            .get(self.position(uid))
            .is_some_and(|range| range.first <= uid)
    }

    /// The smallest UID, or `None` if the set is empty.
    #[must_use]
    pub fn first(&self) -> Option<Uid> {
        self.ranges.first().map(|range| range.first)
    }

    /// The largest UID, or `None` if the set is empty.
    #[must_use]
    pub fn last(&self) -> Option<Uid> {
        self.ranges.last().map(|range| range.last)
    }

    /// Iterates over the ranges, ascending: the first and the last UID of each. Between one range
    /// and the next at least one UID is missing.
    ///
    /// # Examples
    ///
    /// ```
    /// use parallel_mailbox::UidSet;
    ///
    /// let set: UidSet = "1:3,4,9".parse()?;
    /// let ranges: Vec<(u32, u32)> = set
    ///     .ranges()
    ///     .map(|(first, last)| (first.get(), last.get()))
    ///     .collect();
    /// assert_eq!(ranges, [(1, 4), (9, 9)]);
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    pub fn ranges(
        &self,
    ) -> impl DoubleEndedIterator<Item = (Uid, Uid)> + ExactSizeIterator + Clone + '_ {
        self.ranges.iter().map(|range| (range.first, range.last))
    }

    /// Puts a UID into the set, and says whether it was not there before.
    ///
    /// It takes constant time where the UID is above all others, and else moves the ranges that
    /// follow. To insert many in no order, use [`extend`](Extend::extend), which sorts them first.
    pub fn insert(&mut self, uid: Uid) -> bool {
        let position = self.position(uid);
        if position == self.ranges.len() {
            self.append(Range::single(uid));
            return true;
        }
        let next = self.ranges[position];
        if next.first <= uid {
            return false;
        }
        let single = Range::single(uid);
        let joins_next = single.reaches(next);
        // The one before ends below the UID, or it would be at `position`.
        let before = position
            .checked_sub(1)
            .filter(|&before| self.ranges[before].reaches(single));
        match before {
            Some(before) if joins_next => {
                self.ranges[before].last = next.last;
                self.ranges.remove(position);
            }
            Some(before) => self.ranges[before].last = uid,
            None if joins_next => self.ranges[position].first = uid,
            None => self.ranges.insert(position, single),
        }
        self.len += 1;
        true
    }

    /// The first range that ends at `uid` or above it, or the number of ranges if none does.
    fn position(&self, uid: Uid) -> usize {
        // Most questions are about the end: a run goes upwards.
        if self.last().is_none_or(|last| last < uid) {
            return self.ranges.len();
        }
        self.ranges.partition_point(|range| range.last < uid)
    }

    /// Puts a range at the end, joined to the last one if there is no gap. It must not start
    /// before the last one does.
    fn append(&mut self, range: Range) {
        match self.ranges.last_mut() {
            Some(end) if end.reaches(range) => {
                if range.last > end.last {
                    self.len += (range.last.get() - end.last.get()) as usize;
                    end.last = range.last;
                }
            }
            _ => {
                self.len += range.len() as usize;
                self.ranges.push(range);
            }
        }
    }
}

impl From<Uid> for UidSet {
    fn from(uid: Uid) -> Self {
        Self::from_range(uid, uid)
    }
}

impl From<&UidSet> for UidSet {
    fn from(set: &UidSet) -> Self {
        set.clone()
    }
}

/// Empty where the range is.
impl From<RangeInclusive<Uid>> for UidSet {
    fn from(range: RangeInclusive<Uid>) -> Self {
        if range.is_empty() {
            return Self::new();
        }
        Self::from_range(*range.start(), *range.end())
    }
}
