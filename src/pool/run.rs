//! One run: what its workers and its consumer share.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::budget::Budget;
use super::dispenser::{Dispenser, Plan, Take, Taker};
use super::ledger::{Balance, Outcome};
use super::shard::Shard;
use super::sink::Flushed;
use crate::counter::Counter;
use crate::error::{Error, ErrorKind, Result};
use crate::octets::Shelf;
use crate::pulse::Pulse;
use crate::session::Session;
use crate::stop::Stop;
use crate::transport::TICK;
use crate::uid_set::{Uid, UidSet};

/// A message that is fetched again to see whether messages are served is no larger than this, if
/// there was one.
const SMALL_OCTETS: u64 = 64 * 1024;

/// What is parked is for others to fetch when its session has been set up for so many round trips,
/// and for this long.
const PARKING_ROUND_TRIPS: u32 = 4;
const SHORTEST_PARKING: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Run {
    /// Tells runs apart, and them from whoever else uses a session.
    id: u64,
    state: Mutex<State>,
    /// Told of everything that may end somebody's wait under `state`.
    changed: Condvar,
    budget: Budget,
    stop: Stop,
    totals: Arc<Totals>,
    /// Beats with every octet of an answer, on any session.
    pulse: Pulse,
    /// Beats with every message that is whole.
    arrivals: Pulse,
    first_arrival: OnceLock<Instant>,
    /// A message that has come, or 0.
    control: AtomicU32,
    /// Workers that have a session.
    sessions_in_use: AtomicUsize,
    shelf: Arc<Shelf>,
    started: Instant,
    /// How many it started with.
    workers: usize,
}

#[derive(Debug)]
struct State {
    dispenser: Dispenser,
    /// Workers that have not left.
    workers: usize,
    /// Those of them that have nothing to do.
    waiting: usize,
    /// What ended the run early.
    failure: Option<Error>,
    /// The position that an ordered consumer waits for, with nothing else to do.
    wanted: Option<u32>,
    ended: Option<Instant>,
    /// The sessions that took part.
    sessions: BTreeSet<u64>,
    /// Messages received when one was last found guilty of breaking sessions.
    served_at_conviction: u64,
}

/// Running sums, read from any thread.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Messages of the run.
    pub(crate) total: Counter,
    /// Messages whose outcome is known.
    pub(crate) done: Counter,
    /// Octets of messages received.
    pub(crate) octets: Counter,
    /// Messages received.
    pub(crate) received: Counter,
    /// Messages received, and controls that were answered.
    pub(super) served: Counter,
    /// Sessions that broke and were replaced.
    pub(crate) reconnects: Counter,
    /// Messages that came though nobody had asked for them.
    pub(crate) unsolicited: Counter,
}

/// How long a worker may go on without room in the budget.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Granted,
    /// There is no room, and what is wanted comes behind it over the same connection: let it go
    /// by.
    Pass,
    /// Another position is wanted first and nobody else is free to fetch it, or somebody waits for
    /// a session: give this one up.
    Yield,
}

/// Why a worker leaves a run that is not over.
#[derive(Debug)]
pub(super) struct Resignation {
    pub(super) error: Error,
    /// The same would meet every other worker, so the run is over.
    pub(super) is_verdict: bool,
}

impl Run {
    pub(crate) fn new(id: u64, plan: Plan, budget_octets: u64, cancelled_by: &Stop) -> Self {
        let started = Instant::now();
        let workers = plan.workers;
        let totals = Totals::default();
        totals.total.set(plan.total() as u64);
        Self {
            id,
            state: Mutex::new(State {
                workers,
                waiting: 0,
                ended: (workers == 0).then_some(started),
                dispenser: Dispenser::new(plan),
                failure: None,
                wanted: None,
                sessions: BTreeSet::new(),
                served_at_conviction: 0,
            }),
            changed: Condvar::new(),
            budget: Budget::new(budget_octets),
            stop: Stop::under(cancelled_by),
            totals: Arc::new(totals),
            pulse: Pulse::default(),
            arrivals: Pulse::default(),
            first_arrival: OnceLock::new(),
            control: AtomicU32::new(0),
            sessions_in_use: AtomicUsize::new(0),
            shelf: Arc::default(),
            started,
            workers,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that panics by design runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    pub(crate) fn totals(&self) -> &Arc<Totals> {
        &self.totals
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    // ---- for the caller's side ----

    /// Ends the run as soon as possible. Workers notice within a [`TICK`].
    pub(crate) fn cancel(&self) {
        self.stop.raise();
        self.wake_all();
    }

    /// Ends the run because of an error of the caller's choice, such as the first failure in
    /// `map`. The first one counts.
    pub(crate) fn fail(&self, error: Error) {
        let mut state = self.lock();
        state
            .failure
            .get_or_insert_with(|| error.that_ended_the_run());
        self.stop.raise();
        drop(state);
        self.changed.notify_all();
    }

    fn wake_all(&self) {
        // Under the lock, so that nobody misses it between looking and waiting.
        drop(self.lock());
        self.changed.notify_all();
    }

    /// What ended the run early.
    pub(crate) fn failure(&self) -> Option<Error> {
        let state = self.lock();
        let is_cancelled = self.stop.is_cancelled() && !state.dispenser.is_settled();
        let failure = state.failure.clone();
        failure.or_else(|| is_cancelled.then(Error::cancelled))
    }

    /// Writes outcomes and gives back their permits and octets.
    pub(crate) fn settle(&self, outcomes: impl IntoIterator<Item = (u32, Outcome)>, octets: u64) {
        let mut state = self.lock();
        for (position, outcome) in outcomes {
            state.dispenser.settle(position, outcome);
        }
        state.wanted = None;
        if octets > 0 {
            self.budget.give(octets);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Says which position the consumer waits for. Until it settles something, the worker that
    /// has this position is not held back by the budget.
    pub(crate) fn want(&self, position: u32) {
        self.lock().wanted = Some(position);
        if self.budget.waiting.load(Ordering::SeqCst) > 0 {
            self.changed.notify_all();
        }
    }

    /// The UIDs of the run, and what became of them.
    pub(crate) fn balance(&self) -> (UidSet, Balance) {
        self.lock().dispenser.balance()
    }

    /// From the start to the last worker's end, or to now.
    pub(crate) fn elapsed(&self) -> Duration {
        let ended = self.lock().ended;
        ended
            .unwrap_or_else(Instant::now)
            .saturating_duration_since(self.started)
    }

    pub(crate) fn sessions(&self) -> usize {
        self.lock().sessions.len()
    }

    // ---- for workers ----

    /// A worker has a session from now on, or has none any more.
    pub(super) fn has_session(&self, has: bool) {
        match has {
            true => self.sessions_in_use.fetch_add(1, Ordering::SeqCst),
            false => self.sessions_in_use.fetch_sub(1, Ordering::SeqCst),
        };
    }

    pub(super) fn sessions_in_use(&self) -> usize {
        self.sessions_in_use.load(Ordering::SeqCst)
    }

    /// Takes note that a session took part, if it did.
    pub(super) fn used(&self, session: &Session) {
        if session.has_answered() {
            self.lock().sessions.insert(session.id());
        }
    }

    /// Where large messages are put.
    pub(super) fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    pub(super) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// A message is here.
    pub(super) fn received(&self, uid: Uid, octets: u64) {
        self.totals.octets.add(octets);
        self.totals.received.add(1);
        self.totals.served.add(1);
        if octets <= SMALL_OCTETS || self.control.load(Ordering::Relaxed) == 0 {
            self.control.store(uid.get(), Ordering::Relaxed);
        }
        let now = Instant::now();
        self.first_arrival.get_or_init(|| now);
        self.arrivals.beat(now);
    }

    /// A message that has come before has come again.
    pub(super) fn served_control(&self) {
        self.totals.served.add(1);
    }

    /// Something that came before, to see whether anything is served.
    pub(super) fn control(&self) -> Option<Uid> {
        Uid::new(self.control.load(Ordering::Relaxed))
    }

    /// For how long no message has come, on any session.
    pub(super) fn since_last_message(&self) -> Duration {
        self.arrivals.age()
    }

    /// Takes something to see by whether the server answers at all, if there is anything of use.
    pub(super) fn take_probe(&self) -> Option<Shard> {
        let has_received = self.totals.received.get() > 0;
        self.lock().dispenser.take_probe(has_received)
    }

    /// Takes a shard if there is one now.
    pub(super) fn take(&self, mut taker: Taker, round_trip: Duration) -> Take {
        if self.stop.is_raised() {
            return Take::Finished;
        }
        taker.parked_before = parked_before(round_trip);
        self.lock().dispenser.take(&taker)
    }

    /// How many messages one worker deals with, on average, in the time of a round trip. 0 as long
    /// as nothing is known.
    pub(super) fn messages_per(&self, round_trip: Duration) -> usize {
        let Some(first) = self.first_arrival.get() else {
            return 0;
        };
        let received = self.totals.received.get() as f64;
        // They were on their way for a round trip before the first was here. Set-up is not counted.
        let time = first.elapsed() + round_trip;
        let worked = time.as_secs_f64() * self.workers as f64;
        (received / worked * round_trip.as_secs_f64()) as usize
    }

    /// Whether an idle worker would get something now.
    pub(super) fn has_work(&self, round_trip: Duration) -> bool {
        let state = self.lock();
        state.dispenser.is_worth_asking(parked_before(round_trip)) && !state.dispenser.is_over()
    }

    /// Waits until an idle worker would get something. Returns false when the run is over.
    pub(super) fn wait_for_work(&self, _: Flushed, round_trip: Duration) -> bool {
        let mut state = self.lock();
        state.waiting += 1;
        let has_work = loop {
            if self.stop.is_raised() {
                break false;
            }
            if state.dispenser.is_worth_asking(parked_before(round_trip)) {
                break !state.dispenser.is_over();
            }
            if state.waiting == state.workers && state.dispenser.is_stuck() {
                state.failure.get_or_insert_with(|| {
                    internal("every worker waits, and there is nothing to wait for")
                });
                self.stop.raise();
                break false;
            }
            state = self.wait(state, TICK);
        };
        state.waiting -= 1;
        has_work
    }

    /// Waits, but no longer than until the run is over. Returns false if it is.
    pub(super) fn pause(&self, _: Flushed, time: Duration) -> bool {
        let end = Instant::now().checked_add(time);
        let mut state = self.lock();
        loop {
            let left = end.map_or(TICK, |end| end.saturating_duration_since(Instant::now()));
            if self.stop.is_raised() || state.dispenser.is_over() {
                return false;
            }
            if left.is_zero() {
                return true;
            }
            state = self.wait(state, left.min(TICK));
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        // The time bound is for the stop flag; every other change is announced.
        self.changed
            .wait_timeout(state, time)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// Takes note of messages and octets on the way to them, for planning.
    pub(super) fn observe(&self, messages: u64, octets: u64) {
        self.lock().dispenser.observe(messages, octets);
    }

    /// A command for so many messages is over but for these.
    pub(super) fn close(&self, messages: usize, rest: impl IntoIterator<Item = Shard>) {
        let mut state = self.lock();
        state.dispenser.close(messages, rest);
        if state.dispenser.is_over() {
            // Whoever still opens a session does so for nothing.
            self.stop.finish();
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Whether a command that is being dealt with is all that is left.
    pub(super) fn is_last(&self) -> bool {
        self.lock().dispenser.is_last()
    }

    pub(super) fn shorten_lines(&self, uids: &UidSet) {
        self.lock().dispenser.shorten_lines(uids);
    }

    /// The first of what waits needs a session newer than this.
    pub(super) fn newer_than(&self) -> u64 {
        self.lock().dispenser.newer_than()
    }

    pub(super) fn park(&self, shard: Shard) -> u64 {
        self.lock().dispenser.park(shard, Instant::now())
    }

    pub(super) fn claim(&self, parking: u64) -> Option<Shard> {
        self.lock().dispenser.claim(parking)
    }

    /// What a survey found of the messages that it was about; `None` if it found out nothing.
    pub(super) fn surveyed(&self, found: Option<&UidSet>) {
        let mut state = self.lock();
        match found {
            Some(found) => state.dispenser.found(found),
            None => state.dispenser.not_surveyed(),
        }
        let (total, before) = (state.dispenser.total(), self.totals.total.get());
        self.totals.total.set(total as u64);
        debug_assert!(total as u64 <= before);
        if state.dispenser.is_over() {
            self.stop.finish();
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until there is room for a message of so many octets. `position` is the message's, as
    /// far as it is known; `first_missing` tells the first position in order that the worker has in
    /// flight, `is_session_wanted` whether somebody waits for a session: perhaps the consumer
    /// itself, who then makes no room before it has one.
    pub(super) fn admit(
        &self,
        octets: u64,
        position: Option<u32>,
        flush: impl FnOnce() -> Flushed,
        first_missing: impl Fn() -> Option<u32>,
        is_session_wanted: impl Fn() -> bool,
    ) -> Result<Admission> {
        if self.budget.try_take(octets) {
            return Ok(Admission::Granted);
        }
        let _ = flush();
        let first = first_missing();
        let mut state = self.lock();
        self.budget.waiting.fetch_add(1, Ordering::SeqCst);
        let admission = loop {
            if self.stop.is_raised() {
                break Err(Error::cancelled());
            }
            if self.budget.try_take(octets) {
                break Ok(Admission::Granted);
            }
            if state.wanted.is_some() && state.wanted == first {
                // Without its UID nobody knows that it is not the one.
                if position.is_none() || position == first {
                    self.budget.force(octets);
                    break Ok(Admission::Granted);
                }
                break Ok(Admission::Pass);
            }
            let all_wait = self.budget.waiting.load(Ordering::SeqCst) >= state.workers;
            if all_wait
                && state.wanted.is_some()
                && state.wanted == state.dispenser.first_returned()
            {
                break Ok(Admission::Yield);
            }
            state = self.wait(state, TICK);
            // Not under this lock: the two are never held together.
            drop(state);
            let is_wanted = is_session_wanted();
            state = self.lock();
            if is_wanted {
                break Ok(Admission::Yield);
            }
        };
        self.budget.waiting.fetch_sub(1, Ordering::SeqCst);
        admission
    }

    /// Whether a message may be found guilty of breaking sessions. Not if they break in any case:
    /// since the last such verdict, something must have been received.
    pub(super) fn may_convict(&self) -> bool {
        let served = self.totals.served.get();
        let mut state = self.lock();
        let may = served > state.served_at_conviction;
        if may {
            state.served_at_conviction = served;
        }
        may
    }

    /// Gives room in the budget back.
    pub(crate) fn release(&self, octets: u64) {
        if octets > 0 && self.budget.give(octets) {
            self.wake_all();
        }
    }

    /// A worker leaves, perhaps because of an error. If it ends the run for all, or nobody is
    /// left to do what is left, it becomes the run's. Whatever the reason, a run of which something
    /// is left has failed.
    pub(super) fn leave(&self, result: Result<(), Resignation>) {
        let mut state = self.lock();
        state.workers -= 1;
        let is_last = state.workers == 0;
        if !state.dispenser.is_over() {
            let (error, is_verdict) = match result {
                Err(resignation) => (resignation.error, resignation.is_verdict),
                Ok(()) if self.stop.is_cancelled() => (Error::cancelled(), false),
                Ok(()) => (internal("the workers left before all was done"), false),
            };
            if is_verdict || is_last {
                state.failure.get_or_insert(error);
                self.stop.raise();
            }
        }
        if is_last {
            state.ended = Some(Instant::now());
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Threads that could not be started count as workers that have left.
    pub(crate) fn dismiss(&self, workers: usize) {
        let mut state = self.lock();
        state.workers -= workers;
        if state.workers == 0 {
            state.ended = Some(Instant::now());
        }
        drop(state);
        self.changed.notify_all();
    }
}

fn parked_before(round_trip: Duration) -> Option<Instant> {
    let time = (PARKING_ROUND_TRIPS * round_trip).max(SHORTEST_PARKING);
    Instant::now().checked_sub(time)
}

/// A mistake of this crate.
fn internal(what: &str) -> Error {
    let report = "the report says what is left; please report this as a bug of parallel-mailbox";
    Error::new(ErrorKind::Internal, format!("{what}; {report}"))
}
