//! The receiving end of a lazy run: takes items off the channel, puts them in order where that is
//! asked for, gives permits back, writes the ledger.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};

use crate::error::{Error, ErrorKind, Result};
use crate::pool::{Outcome, Run};
use crate::report::Report;

/// What a worker sends for one position.
#[derive(Debug)]
pub(crate) struct Item<T> {
    pub(crate) position: u32,
    pub(crate) content: Content<T>,
    /// Octets held in the budget until the consumer takes the item.
    pub(crate) held: u64,
}

#[derive(Debug)]
pub(crate) enum Content<T> {
    Value(T),
    Failed(Error),
    Gone,
}

/// Where a report is left for [`Matches::last_report`](crate::Matches::last_report).
pub(crate) type ReportPlace = Arc<Mutex<Option<Report>>>;

/// How many permits are given back at a time, since each time costs a lock: a small part of the
/// window, or those who wait for them would wait for what is held back.
pub(crate) fn batch_size(window: usize) -> usize {
    (window / 16).clamp(1, 64)
}

#[derive(Debug)]
pub(super) struct Consumer<T> {
    run: Arc<Run>,
    receiver: Receiver<Item<T>>,
    /// Empty if the threads belong to a scope.
    threads: Vec<JoinHandle<()>>,
    place: ReportPlace,
    /// Present if items are wanted in order.
    reorder: Option<Reorder<T>>,
    /// Outcomes not yet in the ledger, whose permits are still out.
    settled: Vec<(u32, Outcome)>,
    held: u64,
    batch: usize,
    /// Positions whose outcome has come.
    taken: u64,
    /// There is nothing more to come.
    is_over: bool,
    is_joined: bool,
}

/// Items that came before their turn. Bounded by the window.
#[derive(Debug)]
struct Reorder<T> {
    /// The position of the front.
    next: u32,
    items: VecDeque<Option<Item<T>>>,
}

pub(super) enum Next<T> {
    Item(Result<T>),
    End,
    /// The deadline passed.
    NotYet,
}

impl<T> Consumer<T> {
    pub(super) fn new(
        run: Arc<Run>,
        receiver: Receiver<Item<T>>,
        threads: Vec<JoinHandle<()>>,
        place: ReportPlace,
        in_order: bool,
        window: usize,
    ) -> Self {
        let mut consumer = Self {
            run,
            receiver,
            threads,
            place,
            reorder: in_order.then(|| Reorder {
                next: 0,
                items: VecDeque::new(),
            }),
            settled: Vec::new(),
            held: 0,
            batch: batch_size(window),
            taken: 0,
            is_over: false,
            is_joined: false,
        };
        if consumer.left() == 0 {
            consumer.is_over = true;
            consumer.join();
        }
        consumer
    }

    pub(super) fn run(&self) -> &Arc<Run> {
        &self.run
    }

    /// How many items may come at most.
    pub(super) fn left(&self) -> usize {
        if self.is_over {
            return 0;
        }
        let left = self.run.totals().total.get().saturating_sub(self.taken);
        usize::try_from(left).unwrap_or(usize::MAX)
    }

    pub(super) fn next(&mut self, deadline: Option<Instant>) -> Next<T> {
        while !self.is_over {
            if self.run.stop().is_cancelled() && self.was_cancelled() {
                return self.end();
            }
            match self.next_item(deadline) {
                Ok(item) => {
                    self.taken += 1;
                    let value = self.settle(item);
                    if self.left() == 0 {
                        // Whoever has the last item need not wait for the workers to leave.
                        self.is_over = true;
                        self.flush();
                        self.leave_report();
                    }
                    if let Some(value) = value {
                        return Next::Item(value);
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Next::NotYet,
                Err(RecvTimeoutError::Disconnected) => return self.end(),
            }
        }
        self.join();
        Next::End
    }

    fn was_cancelled(&self) -> bool {
        self.run
            .failure()
            .is_some_and(|error| *error.kind() == ErrorKind::Cancelled)
    }

    /// All workers are gone, or nobody waits for them any more.
    fn end(&mut self) -> Next<T> {
        self.is_over = true;
        self.join();
        match self.run.failure() {
            Some(error) => Next::Item(Err(error)),
            None => Next::End,
        }
    }

    /// Takes the item whose turn it is.
    fn next_item(&mut self, deadline: Option<Instant>) -> Result<Item<T>, RecvTimeoutError> {
        loop {
            if let Some(item) = self.reorder.as_mut().and_then(Reorder::pop) {
                return Ok(item);
            }
            let item = match self.receiver.try_recv() {
                Ok(item) => item,
                Err(TryRecvError::Disconnected) => return self.leftover(),
                Err(TryRecvError::Empty) => {
                    // Before waiting: workers may be waiting for what is held back here.
                    self.flush();
                    if let Some(reorder) = &self.reorder {
                        self.run.want(reorder.next);
                    }
                    let received = match deadline {
                        Some(deadline) => self.receiver.recv_deadline(deadline),
                        None => self.receiver.recv().map_err(RecvTimeoutError::from),
                    };
                    match received {
                        Ok(item) => item,
                        Err(RecvTimeoutError::Timeout) => return Err(RecvTimeoutError::Timeout),
                        // What is left behind holes has had its turn in the reordering already.
                        Err(RecvTimeoutError::Disconnected) => return self.leftover(),
                    }
                }
            };
            match &mut self.reorder {
                None => return Ok(item),
                Some(reorder) => reorder.push(item),
            }
        }
    }

    /// When no more will come, the items behind a hole are due, in their order.
    fn leftover(&mut self) -> Result<Item<T>, RecvTimeoutError> {
        let item = self.reorder.as_mut().and_then(Reorder::pop_behind_hole);
        item.ok_or(RecvTimeoutError::Disconnected)
    }

    /// Notes the outcome; a message that is gone is no item.
    fn settle(&mut self, item: Item<T>) -> Option<Result<T>> {
        let (outcome, value) = match item.content {
            Content::Value(value) => (Outcome::Delivered, Some(Ok(value))),
            Content::Failed(error) => (Outcome::Failed(error.clone()), Some(Err(error))),
            Content::Gone => (Outcome::Gone, None),
        };
        self.settled.push((item.position, outcome));
        self.held += item.held;
        self.run.totals().done.add(1);
        if self.settled.len() >= self.batch {
            self.flush();
        }
        value
    }

    fn flush(&mut self) {
        if !self.settled.is_empty() {
            let held = std::mem::take(&mut self.held);
            self.run.settle(self.settled.drain(..), held);
        }
    }

    /// Waits for the threads and leaves the report.
    fn join(&mut self) {
        if std::mem::replace(&mut self.is_joined, true) {
            return;
        }
        self.flush();
        // Threads of a scope are joined by the scope; here it is enough that they have let go.
        while self.receiver.recv().is_ok() {}
        for thread in self.threads.drain(..) {
            // A worker catches its panics, so there is nothing to learn from the result.
            let _ = thread.join();
        }
        self.leave_report();
    }

    fn leave_report(&self) {
        let report = Report::of(&self.run);
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
    }

    /// Takes all that is left, and tells what became of everything.
    pub(super) fn finish(mut self) -> Report {
        while let Next::Item(_) = self.next(None) {}
        Report::of(&self.run)
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        if !self.is_over {
            self.run.cancel();
        }
        self.join();
    }
}

impl<T> Reorder<T> {
    fn push(&mut self, item: Item<T>) {
        // What was taken already would be a mistake of ours; it must not become a huge index.
        let Some(at) = item.position.checked_sub(self.next) else {
            debug_assert!(false, "position {} comes twice", item.position);
            return;
        };
        let at = at as usize;
        if at >= self.items.len() {
            self.items.resize_with(at + 1, || None);
        }
        self.items[at] = Some(item);
    }

    fn pop(&mut self) -> Option<Item<T>> {
        let item = self.items.front_mut()?.take()?;
        self.items.pop_front();
        self.next += 1;
        Some(item)
    }

    fn pop_behind_hole(&mut self) -> Option<Item<T>> {
        while let Some(item) = self.items.pop_front() {
            self.next += 1;
            if item.is_some() {
                return item;
            }
        }
        None
    }
}
