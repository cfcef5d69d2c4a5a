//! What became of each position of a run. Every position ends in one outcome, written once.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::uid_set::{Cursor, Direction, Uid, UidSet, UidSetBuilder};

/// What became of one UID.
#[derive(Debug)]
pub(crate) enum Outcome {
    Delivered,
    Gone,
    Failed(Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Open,
    Delivered,
    Gone,
    Failed,
}

/// Positions that stand together. A power of two, so that finding a position's place is cheap.
const CHUNK: u32 = 4096;

/// The marks of a chunk: one for all, or one each.
#[derive(Debug)]
enum Chunk {
    Uniform(Mark),
    Mixed { marks: Box<[Mark]>, open: u32 },
}

/// The marks of the chunks in which something was settled: an octet for each position at most, and
/// next to nothing where all ended alike, however many positions there are.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    chunks: BTreeMap<u32, Chunk>,
    errors: BTreeMap<u32, Error>,
    settled: usize,
}

/// The ledger as sets of UIDs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Balance {
    pub(crate) delivered: UidSet,
    pub(crate) gone: UidSet,
    pub(crate) failed: Vec<(Uid, Error)>,
    pub(crate) unfinished: UidSet,
}

impl Ledger {
    /// Writes the outcome of a position, unless it has one already. Returns whether it was
    /// written.
    pub(crate) fn settle(&mut self, position: u32, outcome: Outcome) -> bool {
        let mark = match &outcome {
            Outcome::Delivered => Mark::Delivered,
            Outcome::Gone => Mark::Gone,
            Outcome::Failed(_) => Mark::Failed,
        };
        let chunk = self.chunks.entry(position / CHUNK);
        let is_new = chunk
            .or_insert(Chunk::Uniform(Mark::Open))
            .settle((position % CHUNK) as usize, mark);
        if !is_new {
            debug_assert!(false, "position {position} is settled twice");
            return false;
        }
        if let Outcome::Failed(error) = outcome {
            self.errors.insert(position, error);
        }
        self.settled += 1;
        true
    }

    pub(crate) fn settled(&self) -> usize {
        self.settled
    }

    /// Sorts the UIDs by outcome. `uids` are those of the run, in the order of their positions in
    /// this direction.
    pub(crate) fn balance(&self, uids: &UidSet, direction: Direction) -> Balance {
        let mut cursor = Cursor::new(direction);
        let mut sets = [(); 3].map(|()| UidSetBuilder::new());
        let [delivered, gone, unfinished] = &mut sets;
        let mut failed = Vec::new();
        let mut position = 0;
        self.runs(uids.len(), |mark, length| {
            let part = cursor.take(uids, length);
            let set = match mark {
                Mark::Open => &mut *unfinished,
                Mark::Delivered => &mut *delivered,
                Mark::Gone => &mut *gone,
                Mark::Failed => {
                    // Every mark `Failed` was written together with its error.
                    let errors = (position..position + length)
                        .filter_map(|position| self.errors.get(&(position as u32)));
                    match direction {
                        Direction::Ascending => failed.extend(part.iter().zip(errors)),
                        Direction::Descending => failed.extend(part.iter().rev().zip(errors)),
                    }
                    position += length;
                    return;
                }
            };
            for (first, last) in part.ranges() {
                set.push_between(first, last);
            }
            position += length;
        });
        failed.sort_unstable_by_key(|(uid, _)| *uid);
        let [delivered, gone, unfinished] = sets.map(UidSetBuilder::finish);
        Balance {
            delivered,
            gone,
            failed: failed
                .into_iter()
                .map(|(uid, error)| (uid, error.clone()))
                .collect(),
            unfinished,
        }
    }

    /// Goes through the marks of so many positions, those alike together.
    fn runs(&self, positions: usize, mut each: impl FnMut(Mark, usize)) {
        let mut run = (Mark::Open, 0);
        let mut add = |mark, length: usize| {
            if mark == run.0 || length == 0 {
                run.1 += length;
                return;
            }
            let (before, so_far) = std::mem::replace(&mut run, (mark, length));
            if so_far > 0 {
                each(before, so_far);
            }
        };
        let mut at = 0;
        for (number, chunk) in &self.chunks {
            let start = (*number as usize) * CHUNK as usize;
            let end = (start + CHUNK as usize).min(positions);
            add(Mark::Open, start - at);
            match chunk {
                Chunk::Uniform(mark) => add(*mark, end - start),
                Chunk::Mixed { marks, .. } => {
                    for mark in &marks[..end - start] {
                        add(*mark, 1);
                    }
                }
            }
            at = end;
        }
        add(Mark::Open, positions - at);
        let (last, length) = run;
        if length > 0 {
            each(last, length);
        }
    }
}

impl Chunk {
    fn settle(&mut self, at: usize, mark: Mark) -> bool {
        if let Self::Uniform(all) = self {
            *self = Self::Mixed {
                marks: vec![*all; CHUNK as usize].into_boxed_slice(),
                open: match all {
                    Mark::Open => CHUNK,
                    _ => 0,
                },
            };
        }
        let Self::Mixed { marks, open } = self else {
            return false;
        };
        if marks[at] != Mark::Open {
            return false;
        }
        marks[at] = mark;
        *open -= 1;
        if *open == 0 && marks.iter().all(|other| *other == mark) {
            *self = Self::Uniform(mark);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn set(text: &str) -> UidSet {
        text.parse().unwrap()
    }

    #[test]
    fn sorts_uids_by_outcome_in_either_direction() {
        let uids = set("10:20,30:39,1000:99999");
        for direction in [Direction::Ascending, Direction::Descending] {
            let mut ledger = Ledger::default();
            let mut order: Vec<Uid> = uids.iter().collect();
            if direction == Direction::Descending {
                order.reverse();
            }
            for (position, uid) in order.iter().enumerate() {
                let outcome = match uid.get() {
                    15..=30 => Outcome::Gone,
                    31 | 35 => Outcome::Failed(
                        Error::new(ErrorKind::NoBody, uid.to_string()).with_uid(*uid),
                    ),
                    1000..=80_000 => Outcome::Delivered,
                    _ => continue,
                };
                assert!(ledger.settle(position as u32, outcome));
            }
            let balance = ledger.balance(&uids, direction);
            assert_eq!(balance.delivered, set("1000:80000"));
            assert_eq!(balance.gone, set("15:20,30"));
            assert_eq!(balance.unfinished, set("10:14,32:34,36:39,80001:99999"));
            let failed: Vec<u32> = balance.failed.iter().map(|(uid, _)| uid.get()).collect();
            assert_eq!(failed, [31, 35]);
            assert!(
                balance
                    .failed
                    .iter()
                    .all(|(uid, error)| error.uid() == Some(*uid))
            );
            assert_eq!(ledger.settled(), 79_001 + 7 + 2);
        }
    }

    #[test]
    fn four_billion_positions_cost_what_is_settled_of_them() {
        let uids = UidSet::from_range(Uid::MIN, Uid::MAX);
        let mut ledger = Ledger::default();
        for position in (0..100_000).chain([u32::MAX - 1]) {
            ledger.settle(position, Outcome::Delivered);
        }
        assert_eq!(ledger.chunks.len(), 26);
        let balance = ledger.balance(&uids, Direction::Ascending);
        assert_eq!(balance.delivered, set("1:100000,4294967295"));
        assert_eq!(balance.unfinished, set("100001:4294967294"));
    }
}
