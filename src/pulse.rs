//! When something last happened, for whoever wonders whether anything still does. Written on one
//! thread and read on another, without a lock, and without 64 bits, which not every processor changes
//! at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The time of the last beat. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Pulse {
    started: Instant,
    /// Milliseconds from the start to the last beat, modulo 2³².
    last: Arc<AtomicU32>,
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
        self.last.store(self.time(now), Ordering::Relaxed);
    }

    /// How long ago the last beat was.
    pub(crate) fn age(&self) -> Duration {
        let last = self.last.load(Ordering::Relaxed);
        let age = self.time(Instant::now()).wrapping_sub(last) as i32;
        // Another thread may have beaten just now. No wait asks for more than the 24 days of half the
        // range.
        Duration::from_millis(age.max(0) as u64)
    }

    fn time(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.started).as_millis() as u32
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
