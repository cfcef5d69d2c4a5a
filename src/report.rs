//! The ledger of a run, for the caller.

use std::fmt;
use std::time::Duration;

use crate::error::Error;
use crate::pool::Run;
use crate::uid_set::{Uid, UidSet};

/// What became of every message of a run.
///
/// Always `matched = delivered + gone + failed + unfinished`, without overlap, also after a run
/// that ended early. To go on where a run stopped:
///
/// ```no_run
/// # use parallel_mailbox::{ParallelMailbox, Report};
/// # fn go_on(mailbox: &ParallelMailbox, report: &Report) -> parallel_mailbox::Result<()> {
/// let rest = mailbox.uids(report.unfinished());
/// rest.for_each(|message| println!("{}", message.uid()))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Report {
    matched: UidSet,
    delivered: UidSet,
    gone: UidSet,
    failed: Vec<(Uid, Error)>,
    unfinished: UidSet,
    octets: u64,
    sessions: usize,
    reconnects: usize,
    unsolicited: u64,
    elapsed: Duration,
    error: Option<Error>,
}

impl Report {
    pub(crate) fn of(run: &Run) -> Self {
        let (matched, balance) = run.balance();
        Self {
            matched,
            delivered: balance.delivered,
            gone: balance.gone,
            failed: balance.failed,
            unfinished: balance.unfinished,
            octets: run.totals().octets.get(),
            sessions: run.sessions(),
            reconnects: run.totals().reconnects.get() as usize,
            unsolicited: run.totals().unsolicited.get(),
            elapsed: run.elapsed(),
            error: run.failure(),
        }
    }

    /// Returns all messages of the run.
    #[must_use]
    pub fn matched(&self) -> &UidSet {
        &self.matched
    }

    /// Returns the messages that were dealt with.
    ///
    /// With `map`, `for_each` and `fold`: the closure has returned. With the iterators: the
    /// consumer has received the item, or [`finish`](crate::Imap::finish) has discarded it for
    /// the consumer. An item that was ready when the run was cancelled does not count.
    #[must_use]
    pub fn delivered(&self) -> &UidSet {
        &self.delivered
    }

    /// Returns the messages that were in the mailbox when it was searched and are not any more.
    #[must_use]
    pub fn gone(&self) -> &UidSet {
        &self.gone
    }

    /// Returns the messages that could not be had, or on which the closure panicked, each with
    /// the reason, in ascending order of their UIDs.
    #[must_use]
    pub fn failed(&self) -> &[(Uid, Error)] {
        &self.failed
    }

    /// Returns the messages of [`failed`](Report::failed) as a set, to try them once more.
    #[must_use]
    pub fn failed_uids(&self) -> UidSet {
        self.failed.iter().map(|(uid, _)| *uid).collect()
    }

    /// Returns the messages that the run did not get to, because it ended early.
    #[must_use]
    pub fn unfinished(&self) -> &UidSet {
        &self.unfinished
    }

    /// Returns how many octets of messages were received.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Returns how many sessions took part.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions
    }

    /// Returns how often a session broke in mid-run.
    #[must_use]
    pub fn reconnects(&self) -> usize {
        self.reconnects
    }

    /// Returns how many messages came that nobody had asked for, or that had come already. They
    /// were not delivered.
    #[must_use]
    pub fn unsolicited(&self) -> u64 {
        self.unsolicited
    }

    /// Returns how long the run took, from its start to the end of its last worker.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns what ended the run early, if something did.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Returns whether every message was delivered or is gone.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.unfinished.is_empty()
    }
}

impl fmt::Display for Report {
    /// One line for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} matched: {} delivered, {} gone, {} failed, {} unfinished; {} octets over {} \
             sessions, {} reconnects, {:.1?}",
            self.matched.len(),
            self.delivered.len(),
            self.gone.len(),
            self.failed.len(),
            self.unfinished.len(),
            self.octets,
            self.sessions,
            self.reconnects,
            self.elapsed
        )
    }
}
