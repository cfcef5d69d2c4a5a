//! The statistics of a mailbox, from the headers and sizes of its messages.
//!
//! [`read`] is all there is to using the crate. Each worker adds up a [`Tally`] of its
//! own, with no lock and no channel; in the end they are joined to [`Statistics`].

pub mod charts;
pub mod made_up;
pub mod statistics;
mod table;
pub mod tally;
pub mod threads;
pub mod volume;

use parallel_mailbox::{Fetch, ParallelMailbox, Query, Report, Result};

pub use self::statistics::Statistics;
use self::tally::Tally;

/// Reads the headers and sizes of all messages that can be had. The report tells of the others.
///
/// # Errors
///
/// The run ended early.
pub fn read(mailbox: &ParallelMailbox) -> Result<(Statistics, Report)> {
    let matches = mailbox.search(Query::all())?.fetch(Fetch::headers());
    let (tally, report) = matches.fold_each(Tally::default, Tally::with, Tally::join)?;
    Ok((tally.into(), report))
}
