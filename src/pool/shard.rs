//! What one FETCH command asks for.

use super::verdict::Past;
use crate::uid_set::{Uid, UidSet};

/// One UID and its place in the order of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) uid: Uid,
    pub(crate) position: u32,
}

/// The UIDs of one FETCH command, ascending, with what has gone wrong with them before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shard {
    pub(crate) slots: Vec<Slot>,
    pub(crate) past: Past,
}

impl Shard {
    pub(crate) fn uids(&self) -> UidSet {
        self.slots.iter().map(|slot| slot.uid).collect()
    }

    /// The place of its first in the order of the run.
    pub(super) fn lowest(&self) -> u32 {
        let positions = self.slots.iter().map(|slot| slot.position);
        positions.min().unwrap_or(u32::MAX)
    }

    /// Takes some of its messages, which have the same past.
    pub(super) fn part(&self, slots: Vec<Slot>) -> Self {
        Self {
            slots,
            past: self.past.clone(),
        }
    }

    /// Keeps the first half and returns the other.
    pub(super) fn split(&mut self) -> Self {
        let rest = self.slots.split_off(self.slots.len() / 2);
        self.past = self.past.of_part();
        self.part(rest)
    }

    /// Its first message alone, since servers answer in order and stumble over what is next, and
    /// the halves of the rest.
    pub(super) fn narrowed(mut self) -> [Self; 3] {
        let rest = self.slots.split_off(self.slots.len().min(1));
        self.past = self.past.of_part();
        let mut rest = self.part(rest);
        let half = match rest.slots.len() {
            0 | 1 => Self::default(),
            _ => rest.split(),
        };
        [self, rest, half]
    }
}
