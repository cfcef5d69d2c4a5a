//! Taking a set apart into shards.

use super::range::Range;
use super::{Uid, UidSet};

/// Which end of a set a [`Cursor`] starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the smallest UID up: oldest messages first.
    Ascending,
    /// From the largest UID down: newest messages first.
    Descending,
}

/// A position in a set that moves as UIDs are taken.
///
/// It holds no reference, so that the set and the cursor can live in one struct, and what it takes
/// costs as much as the ranges taken, wherever it stands.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    direction: Direction,
    // The ranges taken as a whole, counted from the end where the cursor started.
    ranges: usize,
    // The UIDs taken of the range after those.
    within: u32,
}

impl Cursor {
    pub(crate) fn new(direction: Direction) -> Self {
        Self {
            direction,
            ranges: 0,
            within: 0,
        }
    }

    /// Takes the next `count` UIDs, or as many as are left. `set` is the same in every call.
    ///
    /// The pieces of a descending cursor come from the end of the set; each in itself is a set,
    /// and so ascending.
    pub(crate) fn take(&mut self, set: &UidSet, count: usize) -> UidSet {
        // More UIDs than this there are not.
        let mut wanted = u32::try_from(count).unwrap_or(u32::MAX);
        let mut piece = UidSet::new();
        while wanted > 0
            && let Some(range) = self.current(set)
        {
            let taken = match range.without_first(wanted) {
                None => {
                    self.ranges += 1;
                    self.within = 0;
                    range
                }
                Some(_) => {
                    self.within += wanted;
                    match self.direction {
                        Direction::Ascending => Range {
                            last: range.first.plus(wanted - 1),
                            ..range
                        },
                        Direction::Descending => Range {
                            first: range.last.minus(wanted - 1),
                            ..range
                        },
                    }
                }
            };
            wanted -= taken.len();
            piece.len += taken.len() as usize;
            piece.ranges.push(taken);
        }
        if self.direction == Direction::Descending {
            piece.ranges.reverse();
        }
        piece
    }

    /// As [`take`](Cursor::take), but no more than fit into a text of so many characters; at least
    /// one.
    pub(crate) fn take_within(&mut self, set: &UidSet, count: usize, text: usize) -> UidSet {
        let mut fitting = self.clone();
        let mut left = text;
        let mut most = 0;
        while most < count
            && let Some(range) = fitting.current(set)
        {
            // With the comma.
            let length = 1 + text_length(range);
            if length > left && most > 0 {
                break;
            }
            left = left.saturating_sub(length);
            most += fitting.take(set, range.len() as usize).len();
        }
        self.take(set, most.min(count))
    }

    /// What is left of the range that the cursor stands in.
    fn current(&self, set: &UidSet) -> Option<Range> {
        match self.direction {
            Direction::Ascending => set
                .ranges
                .get(self.ranges)
                .and_then(|range| range.without_first(self.within)),
            Direction::Descending => set
                .ranges
                .iter()
                .nth_back(self.ranges)
                .and_then(|range| range.without_last(self.within)),
        }
    }
}

/// How long a range is as text. A part of it is no longer.
fn text_length(range: Range) -> usize {
    let digits = |uid: Uid| uid.get().ilog10() as usize + 1;
    digits(range.first) + 1 + digits(range.last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> UidSet {
        text.parse().unwrap()
    }

    fn pieces(set: &UidSet, direction: Direction, count: usize) -> Vec<UidSet> {
        let mut cursor = Cursor::new(direction);
        let mut pieces = Vec::new();
        loop {
            let piece = cursor.take(set, count);
            if piece.is_empty() {
                return pieces;
            }
            pieces.push(piece);
        }
    }

    fn shown(pieces: &[UidSet]) -> Vec<String> {
        pieces.iter().map(UidSet::to_string).collect()
    }

    #[test]
    fn walks_up_from_the_start_and_down_from_the_end() {
        let set = set("1:5,9,20:22");
        assert_eq!(
            shown(&pieces(&set, Direction::Ascending, 4)),
            ["1:4", "5,9,20:21", "22"]
        );
        assert_eq!(
            shown(&pieces(&set, Direction::Descending, 4)),
            ["9,20:22", "2:5", "1"]
        );
    }

    #[test]
    fn takes_all_there_are_when_asked_for_more() {
        let all = UidSet::from(Uid::MIN..=Uid::MAX);
        for direction in [Direction::Ascending, Direction::Descending] {
            assert_eq!(Cursor::new(direction).take(&all, usize::MAX), all);
            assert!(Cursor::new(direction).take(&all, 0).is_empty());
        }
    }

    #[test]
    fn takes_what_fits_into_a_line_and_always_something() {
        let set = set("1:5,9,20:22,30:4294967295");
        let mut cursor = Cursor::new(Direction::Ascending);
        assert_eq!(cursor.take_within(&set, 100, 8).to_string(), "1:5,9");
        assert_eq!(cursor.take_within(&set, 2, 100).to_string(), "20:21");
        assert_eq!(cursor.take_within(&set, 100, 0).to_string(), "22");
        assert_eq!(cursor.take_within(&set, 1_000, 5).to_string(), "30:1029");
        assert!(cursor.take_within(&set, usize::MAX, usize::MAX).len() > 4_000_000_000);
        assert!(cursor.take_within(&set, 1, 5).is_empty());
    }

    proptest! {
        #[test]
        fn pieces_together_are_the_set(
            numbers in proptest::collection::vec(1_u32..400, 0..200),
            count in 1_usize..50,
        ) {
            let set: UidSet = numbers.into_iter().filter_map(Uid::new).collect();
            for direction in [Direction::Ascending, Direction::Descending] {
                let mut pieces = pieces(&set, direction, count);
                prop_assert_eq!(pieces.len(), set.len().div_ceil(count));
                if direction == Direction::Descending {
                    pieces.reverse();
                }
                let uids: Vec<Uid> = pieces.iter().flatten().collect();
                prop_assert_eq!(uids, set.iter().collect::<Vec<Uid>>());
                for piece in pieces {
                    prop_assert_eq!(piece.iter().count(), piece.iter().collect::<Vec<_>>().len());
                    prop_assert!(piece.len() <= count);
                }
            }
        }
    }
}
