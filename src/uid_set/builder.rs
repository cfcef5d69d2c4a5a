//! Building a set from UIDs in whatever order they come.
//!
//! Servers answer a SEARCH in ascending order, nearly all of them, with up to millions of UIDs: so
//! ascending input takes constant time for each UID and nothing but the ranges in memory. Any
//! other order is sorted, and duplicates take no more room than twice the set itself.

use super::range::Range;
use super::{Uid, UidSet};

/// Takes UIDs one by one, or ranges of them, and ends as a set.
///
/// It is for input that arrives in pieces, such as a SEARCH response of several megabytes: no list
/// of the UIDs ever exists.
#[derive(Default)]
pub(crate) struct UidSetBuilder {
    ranges: Vec<Range>,
    // Not whether the input is ascending, but whether `ranges` is: apart and in order.
    unordered: bool,
}

impl UidSetBuilder {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes one UID.
    pub(crate) fn push(&mut self, uid: Uid) {
        self.push_range(Range::single(uid));
    }

    /// How many ranges are held, each of 8 octets. In the end there may be fewer.
    pub(crate) fn ranges(&self) -> usize {
        self.ranges.len()
    }

    /// Takes all UIDs between two, in either order.
    pub(crate) fn push_between(&mut self, one: Uid, other: Uid) {
        self.push_range(Range::between(one, other));
    }

    fn push_range(&mut self, range: Range) {
        // Before anything is compared with the end, because it may change the end.
        self.make_room();
        if let Some(end) = self.ranges.last_mut() {
            if range.first >= end.first {
                if end.reaches(range) {
                    end.last = end.last.max(range.last);
                    return;
                }
            } else {
                // Also when it grows downwards, because it may now reach the one before it.
                self.unordered = true;
                if range.reaches(*end) {
                    end.first = range.first;
                    end.last = end.last.max(range.last);
                    return;
                }
            }
        }
        self.ranges.push(range);
    }

    /// Before the list would grow, looks whether it has to.
    ///
    /// Without this a server could fill the memory with one short set repeated.
    fn make_room(&mut self) {
        if self.ranges.len() < self.ranges.capacity() || !self.unordered {
            return;
        }
        self.put_in_order();
        // At least half of the room is free afterwards, or else it doubles; so the next sort is
        // as many pushes away as this one sorted ranges, and sorting stays cheap altogether.
        let full = self.ranges.capacity();
        if self.ranges.len() > full / 2 {
            self.ranges.reserve(full);
        }
    }

    fn put_in_order(&mut self) {
        if !self.unordered {
            return;
        }
        self.ranges.sort_unstable_by_key(|range| range.first);
        self.ranges.dedup_by(|next, kept| {
            let joined = kept.reaches(*next);
            if joined {
                kept.last = kept.last.max(next.last);
            }
            joined
        });
        self.unordered = false;
    }

    /// The set of all UIDs taken.
    pub(crate) fn finish(mut self) -> UidSet {
        self.put_in_order();
        self.ranges.shrink_to_fit();
        UidSet {
            len: self.ranges.iter().map(|range| range.len() as usize).sum(),
            ranges: self.ranges,
        }
    }
}

impl Extend<Uid> for UidSetBuilder {
    fn extend<I: IntoIterator<Item = Uid>>(&mut self, uids: I) {
        for uid in uids {
            self.push(uid);
        }
    }
}

/// In any order and with duplicates. Ascending UIDs, as servers send them, are the fast case.
impl FromIterator<Uid> for UidSet {
    fn from_iter<I: IntoIterator<Item = Uid>>(uids: I) -> Self {
        let mut builder = UidSetBuilder::new();
        builder.extend(uids);
        builder.finish()
    }
}

/// In any order and with duplicates. UIDs above the largest of the set are the fast case.
impl Extend<Uid> for UidSet {
    fn extend<I: IntoIterator<Item = Uid>>(&mut self, uids: I) {
        // Inserting in the middle moves all that follows, so these are merged once, at the end.
        let mut others = UidSetBuilder::new();
        for uid in uids {
            if self.last().is_none_or(|last| uid > last) {
                self.append(Range::single(uid));
            } else {
                others.push(uid);
            }
        }
        let others = others.finish();
        if !others.is_empty() {
            *self = self.union(&others);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    #[test]
    fn a_million_uids_in_a_row_take_one_range_in_either_direction() {
        let up: UidSet = (1..=1_000_000).map(uid).collect();
        let down: UidSet = (1..=1_000_000).rev().map(uid).collect();
        assert_eq!(up.len(), 1_000_000);
        assert_eq!(up.ranges.capacity(), 1);
        assert_eq!(down, up);
    }

    #[test]
    fn a_short_set_repeated_for_ever_takes_no_more_room() {
        let mut builder = UidSetBuilder::new();
        for _ in 0..100_000 {
            for number in [9, 1, 5] {
                builder.push(uid(number));
            }
        }
        assert!(builder.ranges.capacity() <= 16);
        assert_eq!(builder.finish().to_string(), "1,5,9");
    }

    #[test]
    fn sorting_on_the_way_loses_no_uid_that_comes_next() {
        // Each of these may be the one before which the list is full.
        for length in 1..100 {
            let numbers = (1..=length).flat_map(|number| [2 * number + 1_000, 2 * number]);
            let set: UidSet = numbers.map(uid).collect();
            assert_eq!(set.len(), 2 * length as usize);
            assert!(set.iter().is_sorted());
        }
    }

    #[test]
    fn growing_downwards_into_the_range_before_joins_both() {
        let mut builder = UidSetBuilder::new();
        builder.push_between(uid(1), uid(3));
        builder.push_between(uid(9), uid(7));
        builder.push(uid(6));
        builder.push_between(uid(5), uid(2));
        assert_eq!(builder.finish().to_string(), "1:9");
    }
}
