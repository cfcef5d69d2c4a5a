//! The lazy results of a run, in order and as they come.

mod consumer;

use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::consumer::{Consumer, Next};
pub(crate) use self::consumer::{Content, Item, ReportPlace, batch_size};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Run;
use crate::progress::{Canceller, Progress};
use crate::report::Report;

/// Marks an iterator whose threads belong to itself.
#[derive(Debug)]
pub struct Unscoped(());

/// Marks an iterator whose threads belong to a [`std::thread::scope`], and which cannot leave it.
#[derive(Debug)]
pub struct Scoped<'scope>(PhantomData<&'scope ()>);

pub(crate) struct Parts<T> {
    pub(crate) run: Arc<Run>,
    pub(crate) receiver: crossbeam_channel::Receiver<Item<T>>,
    pub(crate) threads: Vec<std::thread::JoinHandle<()>>,
    pub(crate) place: ReportPlace,
    pub(crate) window: usize,
}

macro_rules! iterator {
    ($(#[$documentation:meta])* $name:ident, $in_order:literal) => {
        $(#[$documentation])*
        ///
        /// # Errors
        ///
        /// An error stands in place of its message and iteration goes on: the closure panicked on
        /// it, or it could not be had. An error that concerns no message
        /// ([`is_fatal`](Error::is_fatal)) ends the run and is the last item. A message that is
        /// gone since the SEARCH is no item; the [`Report`] has it.
        ///
        /// # Dropping
        ///
        /// Dropping the iterator ends the run: connections that are in the middle of something
        /// are closed, threads are joined. That takes a fraction of a second, or as long as a
        /// closure that is running now.
        #[must_use = "the run has started; dropping its iterator ends it"]
        pub struct $name<T, S = Unscoped> {
            consumer: Consumer<T>,
            scope: PhantomData<S>,
        }

        impl<T, S> $name<T, S> {
            pub(crate) fn new(parts: Parts<T>) -> Self {
                let Parts { run, receiver, threads, place, window } = parts;
                let consumer = Consumer::new(run, receiver, threads, place, $in_order, window);
                Self { consumer, scope: PhantomData }
            }

            /// Waits for the next item, but no longer than `timeout`.
            ///
            /// Returns `None` at the end of the run, as `next` does.
            ///
            /// # Errors
            ///
            /// The outer error is of kind [`Timeout`](ErrorKind::Timeout): nothing was ready in
            /// time. The run goes on, and the item comes with a later call.
            pub fn next_timeout(&mut self, timeout: Duration) -> Result<Option<Result<T>>> {
                // A time beyond what the clock can say is no bound.
                match self.consumer.next(Instant::now().checked_add(timeout)) {
                    Next::Item(item) => Ok(Some(item)),
                    Next::End => Ok(None),
                    Next::NotYet => {
                        let waited = format!("no result within {timeout:?}");
                        Err(Error::new(ErrorKind::Timeout, waited))
                    }
                }
            }

            /// Returns a handle that tells how far the run is.
            #[must_use]
            pub fn progress(&self) -> Progress {
                Progress::new(self.consumer.run().totals().clone())
            }

            /// Returns a handle that ends the run.
            #[must_use]
            pub fn canceller(&self) -> Canceller {
                Canceller::of(self.consumer.run().stop())
            }

            /// Completes the run, discards the items that were not taken, and returns the report.
            ///
            /// The closure still runs on every message. To stop early instead, cancel first:
            /// `iterator.canceller().cancel(); iterator.finish()`.
            #[must_use = "the report is the only place that tells what failed"]
            pub fn finish(self) -> Report {
                self.consumer.finish()
            }
        }

        impl<T, S> Iterator for $name<T, S> {
            type Item = Result<T>;

            fn next(&mut self) -> Option<Result<T>> {
                match self.consumer.next(None) {
                    Next::Item(item) => Some(item),
                    // Without a deadline there is no third case.
                    Next::End | Next::NotYet => None,
                }
            }

            /// The upper bound is the number of messages left. The lower one is 0, since those
            /// may all be gone.
            fn size_hint(&self) -> (usize, Option<usize>) {
                (0, Some(self.consumer.left()))
            }
        }

        impl<T, S> FusedIterator for $name<T, S> {}

        impl<T, S> fmt::Debug for $name<T, S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("progress", &self.progress())
                    .finish_non_exhaustive()
            }
        }
    };
}

iterator! {
    /// The results of a run in the order of the messages, as they become ready.
    ///
    /// Made by [`Matches::imap`](crate::Matches::imap) and
    /// [`Matches::imap_scoped`](crate::Matches::imap_scoped).
    Imap, true
}

iterator! {
    /// The results of a run in whatever order they become ready.
    ///
    /// Made by [`Matches::imap_unordered`](crate::Matches::imap_unordered) and
    /// [`Matches::imap_unordered_scoped`](crate::Matches::imap_unordered_scoped).
    ImapUnordered, false
}
