//! The pool: sessions, the workers that use them, and what keeps a run complete and in bounds.
//!
//! # How a run works
//!
//! A run has *positions*, one for each UID of the matches, in the order in which results are
//! wanted. The [`dispenser`] hands out positions in that order, in shards, and no further than a
//! *window* beyond what the consumer has taken. Each position handed out is a permit; the consumer
//! gives it back with the item. Requeued positions have their permit already, so a worker that
//! repeats them waits for nobody. The [`budget`] bounds in the same way the octets of messages
//! that were received and not yet taken.
//!
//! # Why it cannot deadlock
//!
//! Permits are given out in order, so the consumer's next item is always with a worker or at the
//! front of the queue. A worker takes a requeued shard only with nothing else in flight, so what
//! it has in flight is in ascending order, and the item that the consumer waits for comes first.
//! The budget lets that one item through even when it is used up. If it is in the queue and all
//! workers wait for the budget, one of them gives its session up and takes it.
//!
//! # Locks
//!
//! The dispenser's lock and that of the sessions are never held together, nor over I/O or the
//! caller's code.

mod budget;
mod dispenser;
mod lease;
mod ledger;
mod pace;
mod pipeline;
mod run;
mod sessions;
mod shard;
mod sink;
mod verdict;
mod worker;

pub(crate) use self::dispenser::{Plan, SHARD_OCTETS};
pub(crate) use self::ledger::Outcome;
pub(crate) use self::run::{Run, Totals};
pub(crate) use self::sessions::Sessions;
pub(crate) use self::sink::{Arrival, Content, Sink};
pub(crate) use self::verdict::ask_again;
pub(crate) use self::worker::work;
