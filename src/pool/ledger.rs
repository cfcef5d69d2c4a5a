//! What became of every UID of a run. Each gets exactly one outcome.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::uid_set::{Uid, UidSet};

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

/// One mark for each position: a megabyte for a million messages, whatever order they finish in.
#[derive(Debug)]
pub(crate) struct Ledger {
    marks: Vec<Mark>,
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
    pub(crate) fn new(positions: usize) -> Self {
        Self {
            marks: vec![Mark::Open; positions],
            errors: BTreeMap::new(),
            settled: 0,
        }
    }

    /// Writes the outcome of a position, unless it has one already. Returns whether it was
    /// written.
    pub(crate) fn settle(&mut self, position: u32, outcome: Outcome) -> bool {
        let mark = &mut self.marks[position as usize];
        if *mark != Mark::Open {
            debug_assert!(false, "position {position} is settled twice");
            return false;
        }
        *mark = match outcome {
            Outcome::Delivered => Mark::Delivered,
            Outcome::Gone => Mark::Gone,
            Outcome::Failed(error) => {
                self.errors.insert(position, error);
                Mark::Failed
            }
        };
        self.settled += 1;
        true
    }

    pub(crate) fn settled(&self) -> usize {
        self.settled
    }

    /// Sorts the UIDs by outcome. `uids` are those of the run, `reversed` if position 0 is the
    /// last of them.
    pub(crate) fn balance(&self, uids: &UidSet, reversed: bool) -> Balance {
        let last = self.marks.len().saturating_sub(1);
        let mut balance = Balance::default();
        for (index, uid) in uids.iter().enumerate() {
            let position = if reversed { last - index } else { index };
            match self.marks[position] {
                Mark::Open => balance.unfinished.insert(uid),
                Mark::Delivered => balance.delivered.insert(uid),
                Mark::Gone => balance.gone.insert(uid),
                Mark::Failed => {
                    // Every mark `Failed` was written together with its error.
                    if let Some(error) = self.errors.get(&(position as u32)) {
                        balance.failed.push((uid, error.clone()));
                    }
                    true
                }
            };
        }
        balance
    }
}
