//! The line that all connections of a server share, where it has a limited bandwidth.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A line of limited bandwidth.
#[derive(Debug)]
pub(super) struct Uplink {
    octets_per_second: u64,
    free_at: Mutex<Instant>,
}

impl Uplink {
    pub(super) fn new(octets_per_second: u64) -> Self {
        Self {
            octets_per_second: octets_per_second.max(1),
            free_at: Mutex::new(Instant::now()),
        }
    }

    /// Takes the line for so many octets, after all that others have taken it for, and answers
    /// when they may leave.
    pub(super) fn reserve(&self, octets: usize) -> Instant {
        let time = Duration::from_secs_f64(octets as f64 / self.octets_per_second as f64);
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let start = (*free_at).max(Instant::now());
        *free_at = start + time;
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_next_waits_for_all_before() {
        let uplink = Uplink::new(1_000);
        let first = uplink.reserve(500);
        let second = uplink.reserve(1_000);
        let third = uplink.reserve(1);
        assert_eq!(second - first, Duration::from_millis(500));
        assert_eq!(third - second, Duration::from_secs(1));
    }
}
