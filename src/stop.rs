//! The flag that ends waits from outside. Whoever may wait looks at it at least every
//! [`TICK`](crate::transport::TICK).

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

/// How often somebody who sleeps looks at it.
const LOOK: Duration = Duration::from_millis(100);

/// A flag that goes up once and stays up. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    state: AtomicU8,
    /// When this one goes up, it is as if both did.
    parent: Option<Stop>,
}

const OVER: u8 = 1;
const CANCELLED: u8 = 2;

impl Stop {
    /// A flag of its own that also goes up with this one.
    pub(crate) fn under(parent: &Self) -> Self {
        Self(Arc::new(Flag {
            state: AtomicU8::default(),
            parent: Some(parent.clone()),
        }))
    }

    /// Ends what is under way, before it is done.
    pub(crate) fn raise(&self) {
        self.0.state.store(CANCELLED, Ordering::Release);
    }

    /// Ends the waits of those who help with something that is done.
    pub(crate) fn finish(&self) {
        let (order, other) = (Ordering::AcqRel, Ordering::Acquire);
        let _ = self.0.state.compare_exchange(0, OVER, order, other);
    }

    /// Whether there is nothing more to wait for.
    pub(crate) fn is_raised(&self) -> bool {
        self.any(|state| state != 0)
    }

    /// Whether it was [raised](Stop::raise), and not because all is done.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.any(|state| state == CANCELLED)
    }

    /// Sleeps for so long, or until there is nothing more to wait for.
    pub(crate) fn sleep(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() && !self.is_raised() {
            let step = left.min(LOOK);
            thread::sleep(step);
            left -= step;
        }
    }

    fn any(&self, is_it: fn(u8) -> bool) -> bool {
        is_it(self.0.state.load(Ordering::Acquire))
            || self
                .0
                .parent
                .as_ref()
                .is_some_and(|parent| parent.any(is_it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_up_with_its_parent_and_not_the_other_way_round() {
        let parent = Stop::default();
        let (one, other) = (Stop::under(&parent), Stop::under(&parent));
        one.finish();
        assert!(one.is_raised() && !one.is_cancelled() && !parent.is_raised());
        one.raise();
        assert!(one.is_cancelled() && !other.is_raised());
        parent.raise();
        assert!(other.is_raised() && other.is_cancelled());
        other.finish();
        assert!(other.is_cancelled());
    }
}
