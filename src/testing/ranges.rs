//! A sequence set of a command, resolved against one mailbox: sorted ranges that do not overlap.
//! Membership is a binary search, and a range is never walked number by number, so `1:*` over a
//! sparse mailbox costs what the mailbox holds.

use std::ops::RangeInclusive;

use imap_codec::imap_types::sequence::{SeqOrUid, Sequence, SequenceSet};

/// Ascending ranges with gaps between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ranges(Vec<RangeInclusive<u32>>);

impl Ranges {
    /// Resolves `*` to `largest`, the highest number in use (RFC 9051, section 9, `seq-number`).
    pub(super) fn new(set: &SequenceSet, largest: u32) -> Self {
        let value = |number: &SeqOrUid| match number {
            SeqOrUid::Value(value) => value.get(),
            SeqOrUid::Asterisk => largest,
        };
        let mut ranges: Vec<_> = set
            .0
            .as_ref()
            .iter()
            .map(|sequence| match sequence {
                Sequence::Single(number) => value(number)..=value(number),
                Sequence::Range(from, to) => {
                    value(from).min(value(to))..=value(from).max(value(to))
                }
            })
            .collect();
        ranges.sort_unstable_by_key(|range| *range.start());
        let mut merged: Vec<RangeInclusive<u32>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if *range.start() <= last.end().saturating_add(1) => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => merged.push(range),
            }
        }
        Self(merged)
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        let after = self.0.partition_point(|range| *range.end() < number);
        self.0
            .get(after)
            .is_some_and(|range| range.contains(&number))
    }

    /// The positions in `uids`, which ascend, of those that are in the set.
    pub(super) fn positions_of_uids(&self, uids: &[u32]) -> Vec<usize> {
        let mut positions = Vec::new();
        for range in &self.0 {
            let from = uids.partition_point(|uid| uid < range.start());
            let to = uids.partition_point(|uid| uid <= range.end());
            positions.extend(from..to);
        }
        positions
    }

    /// The positions, from 0, of the sequence numbers in the set, in a view of `length` messages.
    pub(super) fn positions_of_sequence_numbers(&self, length: usize) -> Vec<usize> {
        let mut positions = Vec::new();
        for range in &self.0 {
            let from = (*range.start() as usize).max(1) - 1;
            positions.extend(from..(*range.end() as usize).min(length));
        }
        positions
    }
}

/// Whether a range of the set has its larger number first.
pub(super) fn descends(set: &SequenceSet) -> bool {
    set.0.as_ref().iter().any(|sequence| {
        matches!(
            sequence,
            Sequence::Range(SeqOrUid::Value(from), SeqOrUid::Value(to)) if from > to
        )
    })
}

/// The largest number that the set names, `*` aside; 0 where it names none.
pub(super) fn largest(set: &SequenceSet) -> u32 {
    let value = |number: &SeqOrUid| match number {
        SeqOrUid::Value(value) => value.get(),
        SeqOrUid::Asterisk => 0,
    };
    let numbers = set.0.as_ref().iter().map(|sequence| match sequence {
        Sequence::Single(number) => value(number),
        Sequence::Range(from, to) => value(from).max(value(to)),
    });
    numbers.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(set: &str, largest: u32) -> Ranges {
        Ranges::new(&set.parse().unwrap(), largest)
    }

    #[test]
    fn merges_what_overlaps_or_touches_in_any_order() {
        assert_eq!(
            ranges("7:5,1,2,6:9,20", 100),
            Ranges(vec![1..=2, 5..=9, 20..=20])
        );
    }

    #[test]
    fn an_asterisk_is_the_largest_number_even_below_the_other_end() {
        assert_eq!(ranges("500:*", 40), Ranges(vec![40..=500]));
        assert_eq!(ranges("500:*", 40).positions_of_uids(&[3, 40]), [1]);
    }

    #[test]
    fn finds_members_without_walking_the_gaps() {
        let set = ranges("1:4294967294", 9);
        assert_eq!(set.positions_of_uids(&[5, 4_000_000_000]), [0, 1]);
        assert!(set.contains(77));
        assert_eq!(ranges("2:*", 3).positions_of_sequence_numbers(3), [1, 2]);
    }
}
