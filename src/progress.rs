//! Handles on a run that other threads may hold: how far it is, and a way to end it. Neither holds
//! the memory of the run.

use std::fmt;
use std::sync::Arc;

use crate::pool::Totals;
use crate::stop::Stop;

/// How far a run is. Cheap to clone and to ask, from any thread; always up to date.
#[derive(Clone)]
pub struct Progress(Arc<Totals>);

impl Progress {
    pub(crate) fn new(totals: Arc<Totals>) -> Self {
        Self(totals)
    }

    /// Returns how many messages have an outcome: delivered, gone or failed.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.0.done.get()
    }

    /// Returns how many messages the run has in all. It gets smaller if a run over
    /// [`uids`](crate::ParallelMailbox::uids) learns that some of them are not there.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.total.get()
    }

    /// Returns how many octets of messages have been received.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.0.octets.get()
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

/// Ends something from another thread, such as a handler of Ctrl-C: a run, all runs over a
/// [`Matches`](crate::Matches), or everything that is done with a mailbox. Clones end the same.
///
/// Cancelling cannot be taken back.
#[derive(Clone, Default)]
pub struct Canceller(Stop);

impl Canceller {
    /// Makes one for [`Builder::canceller`](crate::Builder::canceller).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn of(stop: &Stop) -> Self {
        Self(stop.clone())
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.0
    }

    /// Ends what this is for. A run ends with an error of kind
    /// [`Cancelled`](crate::ErrorKind::Cancelled), which is the last item of an iterator; its
    /// workers stop within a second, or when the closure that they are in returns.
    ///
    /// Does nothing to what is over.
    pub fn cancel(&self) {
        self.0.raise();
    }

    /// Returns whether [`cancel`](Canceller::cancel) was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller")
            .field("is_cancelled", &self.is_cancelled())
            .finish()
    }
}
