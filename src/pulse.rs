//! When something last happened, for whoever wonders whether anything still does. Written on one
//! thread and read on another, without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time of the last beat. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Pulse {
    started: Instant,
    /// Milliseconds from the start to the last beat.
    last: Arc<AtomicU64>,
}

impl Default for Pulse {
    /// Beats for the first time when it is made.
    fn default() -> Self {
        Self {
            started: Instant::now(),
            last: Arc::default(),
        }
    }
}

impl Pulse {
    pub(crate) fn beat(&self, now: Instant) {
        let time = now.saturating_duration_since(self.started);
        // Whole milliseconds, and half a billion years of them.
        self.last.store(time.as_millis() as u64, Ordering::Relaxed);
    }

    /// How long ago the last beat was.
    pub(crate) fn age(&self) -> Duration {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_makes_it_young_again_for_every_clone() {
        let second = Duration::from_secs(1);
        let Some(started) = Instant::now().checked_sub(10 * second) else {
            return;
        };
        let pulse = Pulse {
            started,
            ..Pulse::default()
        };
        let clone = pulse.clone();
        assert!(clone.age() >= 10 * second);
        pulse.beat(started + 8 * second);
        assert!(clone.age() >= 2 * second && clone.age() < 10 * second);
    }
}
