//! How many octets of messages may be in memory: received, and not yet taken by the consumer.
//!
//! The common case is two atomic operations per message; only when the budget is used up does a
//! worker go to the lock and wait there (see [`Run::admit`](super::Run::admit)).

use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    held: AtomicUsize,
    /// Workers that wait for room.
    pub(super) waiting: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit: size(limit),
            held: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Takes room for a message, if there is any. A message larger than the whole budget gets in
    /// when nothing else is held.
    pub(super) fn try_take(&self, octets: u64) -> bool {
        let octets = size(octets);
        let before = self.held.fetch_add(octets, Ordering::SeqCst);
        if before == 0 || before.saturating_add(octets) <= self.limit {
            return true;
        }
        self.held.fetch_sub(octets, Ordering::SeqCst);
        false
    }

    /// Takes room whether there is any or not.
    pub(super) fn force(&self, octets: u64) {
        self.held.fetch_add(size(octets), Ordering::SeqCst);
    }

    /// Gives room back. Returns whether somebody waits for it.
    pub(super) fn give(&self, octets: u64) -> bool {
        self.held.fetch_sub(size(octets), Ordering::SeqCst);
        // Sequentially consistent with `waiting`: either the waiter sees the room, or this sees
        // the waiter.
        self.waiting.load(Ordering::SeqCst) > 0
    }
}

/// What is in memory fits into a `usize`.
fn size(octets: u64) -> usize {
    usize::try_from(octets).unwrap_or(usize::MAX)
}
