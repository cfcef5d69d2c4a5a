//! One run: what its workers and its consumer share.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::budget::Budget;
use super::dispenser::{Dispenser, InFlight, Plan, Shard, Take};
use super::ledger::{Balance, Outcome};
use crate::error::{Error, Result};
use crate::octets::Shelf;
use crate::pulse::Pulse;
use crate::session::Session;
use crate::stop::Stop;
use crate::transport::TICK;
use crate::uid_set::UidSet;

/// How many shards in a row may be refused before they count as refused for each of their messages.
/// Halving a shard to its last message takes nine.
const MAX_REFUSALS: u32 = 32;

#[derive(Debug)]
pub(crate) struct Run {
    state: Mutex<State>,
    /// Told of everything that may end somebody's wait under `state`.
    changed: Condvar,
    budget: Budget,
    stop: Stop,
    totals: Totals,
    /// Beats with every octet of an answer, on any session.
    pulse: Pulse,
    /// Beats with every message that is whole.
    arrivals: Pulse,
    first_arrival: OnceLock<Instant>,
    shelf: Arc<Shelf>,
    started: Instant,
    total: u64,
    /// How many it started with.
    workers: usize,
}

#[derive(Debug)]
struct State {
    dispenser: Dispenser,
    /// Workers that have not left.
    workers: usize,
    /// What ended the run early.
    failure: Option<Error>,
    /// The position that an ordered consumer waits for, with nothing else to do.
    wanted: Option<u32>,
    ended: Option<Instant>,
    /// The sessions that took part.
    sessions: BTreeSet<u64>,
    /// Messages received when one was last found guilty of breaking sessions.
    received_at_conviction: u64,
    /// Shards refused in a row, and the messages received when the first of them was.
    refusals: u32,
    received_at_refusal: u64,
}

/// Running sums, read from any thread without a lock.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Messages whose outcome is known.
    pub(crate) done: AtomicU64,
    /// Messages received.
    pub(crate) received: AtomicU64,
    /// Their octets.
    pub(crate) octets: AtomicU64,
    /// Sessions that broke and were replaced.
    pub(crate) reconnects: AtomicUsize,
    /// Messages that came though nobody had asked for them.
    pub(crate) unsolicited: AtomicU64,
}

/// How long a worker may go on without room in the budget.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Granted,
    /// Another position is wanted first and nobody else is free to fetch it, or somebody waits for
    /// a session: give this one up.
    Yield,
}

impl Run {
    pub(crate) fn new(plan: Plan, budget_octets: u64, stop: Stop) -> Self {
        let total = plan.uids.len() as u64;
        let started = Instant::now();
        let workers = plan.workers;
        Self {
            state: Mutex::new(State {
                workers: plan.workers,
                ended: (plan.workers == 0).then_some(started),
                dispenser: Dispenser::new(plan),
                failure: None,
                wanted: None,
                sessions: BTreeSet::new(),
                received_at_conviction: 0,
                refusals: 0,
                received_at_refusal: 0,
            }),
            changed: Condvar::new(),
            budget: Budget::new(budget_octets),
            stop,
            totals: Totals::default(),
            pulse: Pulse::default(),
            arrivals: Pulse::default(),
            first_arrival: OnceLock::new(),
            shelf: Arc::default(),
            started,
            total,
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

    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    // ---- for the caller's side ----

    /// Ends the run as soon as possible. Workers notice within a [`TICK`].
    pub(crate) fn cancel(&self) {
        let mut state = self.lock();
        if !state.dispenser.is_settled() {
            state.failure.get_or_insert_with(Error::cancelled);
        }
        drop(state);
        self.raise_stop();
    }

    /// Ends the run because of an error of the caller's choice, such as the first failure in
    /// `map`. The first one counts.
    pub(crate) fn fail(&self, error: Error) {
        self.lock().failure.get_or_insert(error);
        self.raise_stop();
    }

    fn raise_stop(&self) {
        self.stop.raise();
        self.changed.notify_all();
    }

    pub(crate) fn failure(&self) -> Option<Error> {
        self.lock().failure.clone()
    }

    /// Writes outcomes and gives back their permits and octets.
    pub(crate) fn settle(&self, outcomes: impl IntoIterator<Item = (u32, Outcome)>, octets: u64) {
        let mut state = self.lock();
        for (position, outcome) in outcomes {
            state.dispenser.settle(position, outcome);
        }
        state.wanted = None;
        drop(state);
        if octets > 0 {
            self.budget.give(octets);
        }
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
        let state = self.lock();
        let plan = state.dispenser.plan();
        let balance = state
            .dispenser
            .ledger()
            .balance(&plan.uids, plan.newest_first);
        (plan.uids.clone(), balance)
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
    pub(super) fn received(&self, octets: u64) {
        self.totals.octets.fetch_add(octets, Ordering::Relaxed);
        self.totals.received.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        self.first_arrival.get_or_init(|| now);
        self.arrivals.beat(now);
    }

    /// For how long no message has come, on any session.
    pub(super) fn since_last_message(&self) -> Duration {
        self.arrivals.age()
    }

    /// Takes something to see by whether the server answers at all, if there is anything of use.
    pub(super) fn take_probe(&self) -> Option<Shard> {
        let has_received = self.totals.received.load(Ordering::Relaxed) > 0;
        self.lock().dispenser.take_probe(has_received)
    }

    /// Takes a shard if there is one now.
    pub(super) fn take(&self, in_flight: &InFlight) -> Take {
        if self.stop.is_raised() {
            return Take::Finished;
        }
        self.lock().dispenser.take(in_flight)
    }

    /// How many messages one worker deals with, on average, in the time of a round trip. 0 as long
    /// as nothing is known.
    pub(super) fn messages_per(&self, round_trip: Duration) -> usize {
        let Some(first) = self.first_arrival.get() else {
            return 0;
        };
        let received = self.totals.received.load(Ordering::Relaxed) as f64;
        // They were on their way for a round trip before the first was here. Set-up is not counted.
        let time = first.elapsed() + round_trip;
        let worked = time.as_secs_f64() * self.workers as f64;
        (received / worked * round_trip.as_secs_f64()) as usize
    }

    /// Waits until an idle worker would get something. Returns false when the run is over.
    pub(super) fn wait_for_work(&self) -> bool {
        let mut state = self.lock();
        loop {
            if self.stop.is_raised() {
                return false;
            }
            if state.dispenser.is_worth_asking() {
                return !state.dispenser.is_over();
            }
            state = self.wait(state, TICK);
        }
    }

    /// Waits, but no longer than until the run is over. Returns false if it is.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        let mut state = self.lock();
        loop {
            let left = end.saturating_duration_since(Instant::now());
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
        // The time bound is a second line of defence; every change is announced.
        self.changed
            .wait_timeout(state, time)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    pub(super) fn complete(&self, messages: u64, octets: u64) {
        let mut state = self.lock();
        state.dispenser.observe(messages, octets);
        state.dispenser.complete();
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn give_back(&self, shards: impl IntoIterator<Item = Shard>) {
        let mut state = self.lock();
        for shard in shards {
            state.dispenser.give_back(shard);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until there is room for a message of so many octets. `first_missing` tells the first
    /// position in order that the worker has in flight, `is_session_wanted` whether somebody waits
    /// for a session: perhaps the consumer itself, who then makes no room before it has one.
    pub(super) fn admit(
        &self,
        octets: u64,
        first_missing: impl Fn() -> Option<u32>,
        is_session_wanted: impl Fn() -> bool,
    ) -> Result<Admission> {
        if self.budget.try_take(octets) {
            return Ok(Admission::Granted);
        }
        let mine = first_missing();
        let mut state = self.lock();
        self.budget.waiting.fetch_add(1, Ordering::SeqCst);
        let admission = loop {
            if self.stop.is_raised() {
                break Err(Error::cancelled());
            }
            if self.budget.try_take(octets) {
                break Ok(Admission::Granted);
            }
            if state.wanted.is_some() && state.wanted == mine {
                self.budget.force(octets);
                break Ok(Admission::Granted);
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

    pub(super) fn give_back_in_parts(&self, shard: Shard) {
        self.lock().dispenser.give_back_in_parts(shard);
        self.changed.notify_all();
    }

    pub(super) fn give_back_in_halves(&self, shard: Shard) {
        self.lock().dispenser.give_back_in_halves(shard);
        self.changed.notify_all();
    }

    /// Whether a message may be found guilty of breaking sessions. Not if they break in any case:
    /// since the last such verdict, something must have been received.
    pub(super) fn may_convict(&self) -> bool {
        let received = self.totals.received.load(Ordering::Relaxed);
        let mut state = self.lock();
        let may = received > state.received_at_conviction;
        if may {
            state.received_at_conviction = received;
        }
        may
    }

    /// Whether a shard that was refused may be looked through for the one message that is the
    /// reason. Not if all are refused: now and then, something must have been received.
    pub(super) fn may_look_on(&self) -> bool {
        let received = self.totals.received.load(Ordering::Relaxed);
        let mut state = self.lock();
        if received > state.received_at_refusal {
            state.received_at_refusal = received;
            state.refusals = 0;
        }
        state.refusals += 1;
        state.refusals <= MAX_REFUSALS
    }

    /// Gives room in the budget back.
    pub(crate) fn release(&self, octets: u64) {
        if octets > 0 && self.budget.give(octets) {
            // Under the lock, so that nobody misses it between looking and waiting.
            drop(self.lock());
            self.changed.notify_all();
        }
    }

    /// A worker leaves, perhaps because of an error. If it ends the run for all, or nobody is
    /// left to do what is left, it becomes the run's.
    pub(super) fn leave(&self, result: Result<()>, is_verdict: bool) {
        let mut state = self.lock();
        state.workers -= 1;
        let is_last = state.workers == 0;
        if let Err(error) = result
            && (is_verdict || is_last)
            && !state.dispenser.is_over()
        {
            state.failure.get_or_insert(error);
            self.stop.raise();
        }
        if is_last {
            state.ended = Some(Instant::now());
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Threads that could not be started count as workers that have left.
    pub(crate) fn dismiss(&self, workers: usize) {
        self.lock().workers -= workers;
        self.changed.notify_all();
    }
}
