//! How many octets of messages may be in memory: received, and not yet taken by the consumer.
//!
//! The common case is two atomic operations per message; only when the budget is used up does a
//! worker go to the lock and wait there (see [`Run::admit`](super::Run::admit)).

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    held: AtomicU64,
    /// Workers that wait for room.
    pub(super) waiting: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            held: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Takes room for a message, if there is any. A message larger than the whole budget gets in
    /// when nothing else is held.
    pub(super) fn try_take(&self, octets: u64) -> bool {
        let before = self.held.fetch_add(octets, Ordering::SeqCst);
        if before == 0 || before.saturating_add(octets) <= self.limit {
            return true;
        }
        self.held.fetch_sub(octets, Ordering::SeqCst);
        false
    }

    /// Takes room whether there is any or not.
    pub(super) fn force(&self, octets: u64) {
        self.held.fetch_add(octets, Ordering::SeqCst);
    }

    /// Gives room back. Returns whether somebody waits for it.
    pub(super) fn give(&self, octets: u64) -> bool {
        self.held.fetch_sub(octets, Ordering::SeqCst);
        // Sequentially consistent with `waiting`: either the waiter sees the room, or this sees
        // the waiter.
        self.waiting.load(Ordering::SeqCst) > 0
    }
}
