//! When something must be over. "Never" is such a time like any other, so that a time-out of
//! [`Duration::MAX`] is one that does not happen, and no sum of times can overflow.

use std::time::{Duration, Instant};

/// A moment, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) const NEVER: Self = Self(None);

    /// So long from now, or never if no clock goes so far.
    pub(crate) fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// The same moment, but so much earlier.
    pub(crate) fn earlier_by(self, time: Duration) -> Self {
        // Before the clock began is over, as is now.
        let earlier = |end: Instant| end.checked_sub(time).unwrap_or_else(Instant::now);
        Self(self.0.map(earlier))
    }

    /// The same moment, but so much later.
    pub(crate) fn later_by(self, time: Duration) -> Self {
        Self(self.0.and_then(|end| end.checked_add(time)))
    }

    /// The time until then: nothing if it has passed, `Duration::MAX` if there is none.
    pub(crate) fn left(self) -> Duration {
        match self.0 {
            Some(end) => end.saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        }
    }

    pub(crate) fn is_over(self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_comes_however_it_is_made_and_whatever_is_taken_from_it() {
        let never = Deadline::after(Duration::MAX);
        assert_eq!(never, Deadline::NEVER);
        assert_eq!(never.earlier_by(Duration::MAX), Deadline::NEVER);
        assert_eq!(never.left(), Duration::MAX);
        assert!(!never.is_over());
    }

    #[test]
    fn a_moment_passes() {
        let minute = Duration::from_secs(60);
        let end = Deadline::after(minute);
        assert!(!end.is_over() && end.left() <= minute);
        let earlier = end.earlier_by(minute);
        assert!(earlier.is_over() && earlier.left().is_zero());
        assert!(end.earlier_by(Duration::MAX).is_over());
        assert!(end.later_by(minute).left() > minute);
        assert_eq!(end.later_by(Duration::MAX), Deadline::NEVER);
        assert!(Deadline::after(Duration::ZERO).is_over());
    }
}
