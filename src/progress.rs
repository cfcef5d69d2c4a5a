//! Handles on a run that other threads may hold: how far it is, and a way to end it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::pool::Run;

/// How far a run is. Cheap to clone and to ask, from any thread; always up to date.
#[derive(Clone)]
pub struct Progress(Arc<Run>);

impl Progress {
    pub(crate) fn new(run: Arc<Run>) -> Self {
        Self(run)
    }

    /// Returns how many messages have an outcome: delivered, gone or failed.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.0.totals().done.load(Ordering::Relaxed)
    }

    /// Returns how many messages the run has in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.total()
    }

    /// Returns how many octets of messages have been received.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.0.totals().octets.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress")
            .field("done", &self.done())
            .field("total", &self.total())
            .field("octets", &self.octets())
            .finish()
    }
}

/// Ends a run from another thread, such as a handler of Ctrl-C.
#[derive(Clone)]
pub struct Canceller(Arc<Run>);

impl Canceller {
    pub(crate) fn new(run: Arc<Run>) -> Self {
        Self(run)
    }

    /// Ends the run. The iterator's next item is its last, an error of kind
    /// [`Cancelled`](crate::ErrorKind::Cancelled). Workers stop within a second, or when the
    /// closure that they are in returns.
    ///
    /// Does nothing if the run is over.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller").finish_non_exhaustive()
    }
}
