//! Starts the workers of a run, on threads of their own, and connects them to whoever wants the
//! results.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Scope};

use crossbeam_channel::{Sender, unbounded};

use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::iter::{self, Item, Parts, batch_size};
use crate::matches::Matches;
use crate::message::{Message, is_dropped_by};
use crate::pool::{Arrival, Content, Outcome, Run, Sink, work};
use crate::report::Report;
use crate::unwind;

/// A run over the plan of the matches as they are now, and how many threads it takes.
fn new_run<I>(matches: &Matches<I>) -> (Run, usize) {
    let plan = matches.plan();
    let workers = plan.workers;
    let id = matches.sessions().new_user();
    let run = Run::new(id, plan, matches.budget(), matches.stop());
    (run, workers)
}

fn thread_name(index: usize) -> String {
    format!("mailbox-{index}")
}

/// Some threads fewer make a slower run; none at all makes none.
fn started(run: &Run, wanted: usize, started: usize, error: Option<io::Error>) {
    if let Some(error) = error {
        if started == 0 {
            let failed = Error::new(ErrorKind::Connect, "no thread could be started");
            run.fail(failed.with_source(error));
        }
        run.dismiss(wanted - started);
    }
}

// ---- lazy runs ----

pub(crate) fn spawn<I, S, T>(
    matches: &Matches<I>,
    initializer: impl Fn() -> S + Send + Sync + 'static,
    job: impl Fn(&mut S, Message) -> T + Send + Sync + 'static,
) -> Parts<T>
where
    T: Send + 'static,
    S: 'static,
{
    spawn_by(matches, initializer, job, |name, work| {
        thread::Builder::new().name(name).spawn(work).map(Some)
    })
}

pub(crate) fn spawn_scoped<'scope, I, S, T>(
    matches: &Matches<I>,
    scope: &'scope Scope<'scope, '_>,
    initializer: impl Fn() -> S + Send + Sync + 'scope,
    job: impl Fn(&mut S, Message) -> T + Send + Sync + 'scope,
) -> Parts<T>
where
    T: Send + 'scope,
    S: 'scope,
{
    spawn_by(matches, initializer, job, |name, work| {
        thread::Builder::new()
            .name(name)
            .spawn_scoped(scope, work)
            .map(|_| None)
    })
}

fn spawn_by<'a, I, S, T>(
    matches: &Matches<I>,
    initializer: impl Fn() -> S + Send + Sync + 'a,
    job: impl Fn(&mut S, Message) -> T + Send + Sync + 'a,
    mut start: impl FnMut(String, Box<dyn FnOnce() + Send + 'a>) -> io::Result<Option<JoinHandle<()>>>,
) -> Parts<T>
where
    T: Send + 'a,
    S: 'a,
{
    let (run, workers) = new_run(matches);
    let run = Arc::new(run);
    // Unbounded, because the window bounds it: a worker never waits to be rid of a result, so the
    // one that has the next in order cannot be kept from delivering it.
    let (sender, receiver) = unbounded();
    let shared = Arc::new((initializer, job));
    let mut threads = Vec::with_capacity(workers);
    let mut error = None;
    let mut running = 0;
    for index in 0..workers {
        let (run, sessions, fetch) = (run.clone(), matches.sessions().clone(), matches.fetched());
        let (sender, shared) = (sender.clone(), shared.clone());
        let work = move || {
            let (initializer, job) = &*shared;
            let Some(mut state) = initialize(&run, initializer) else {
                return;
            };
            let emit = |event: &Event| sessions.settings().emit(event);
            let mut sink = Channel {
                run: &run,
                sender,
                job: |m| job(&mut state, m),
                emit,
            };
            work(&run, &sessions, fetch, &mut sink);
        };
        match start(thread_name(index), Box::new(work)) {
            Ok(thread) => {
                running += 1;
                threads.extend(thread);
            }
            Err(failed) => error = Some(failed),
        }
    }
    started(&run, workers, running, error);
    Parts {
        run,
        receiver,
        threads,
        place: matches.place().clone(),
        window: matches.window_messages(),
    }
}

/// Makes a worker's state. A panic there would meet every worker, so it ends the run.
fn initialize<S>(run: &Run, initializer: &impl Fn() -> S) -> Option<S> {
    match unwind::catch(initializer) {
        Ok(state) => Some(state),
        Err(text) => {
            run.fail(Error::new(
                ErrorKind::Panicked,
                format!("in the initializer: {text}"),
            ));
            run.dismiss(1);
            None
        }
    }
}

/// Sends results to the consumer, who keeps the ledger.
struct Channel<'a, T, J, E> {
    run: &'a Run,
    sender: Sender<Item<T>>,
    job: J,
    emit: E,
}

impl<T, J, E> Sink for Channel<'_, T, J, E>
where
    J: FnMut(Message) -> T,
    E: Fn(&Event),
{
    fn take(&mut self, arrival: Arrival) {
        let Arrival {
            slot,
            content,
            mut held,
        } = arrival;
        let content = match content {
            Content::Message(message) => {
                // Whoever stopped the run is waiting for it to end.
                if self.run.stop().is_cancelled() {
                    return;
                }
                let (result, is_dropped) =
                    is_dropped_by(message, |message| unwind::catch(|| (self.job)(message)));
                // The room of a message that has become a result may go to the next at once.
                if is_dropped {
                    self.run.release(std::mem::take(&mut held));
                }
                match result {
                    Ok(value) => iter::Content::Value(value),
                    Err(text) => iter::Content::Failed(panicked(text, slot.uid, &self.emit)),
                }
            }
            Content::Failed(error) => iter::Content::Failed(error),
            Content::Gone => iter::Content::Gone,
        };
        // Without a receiver the run is being cancelled, and the result is nobody's.
        let _ = self.sender.send(Item {
            position: slot.position,
            content,
            held,
        });
    }

    fn let_out(&mut self) {}
}

fn panicked(text: String, uid: crate::Uid, emit: &impl Fn(&Event)) -> Error {
    let error = Error::new(ErrorKind::Panicked, text).with_uid(uid);
    emit(&Event::MessageFailed {
        error: error.clone(),
    });
    error
}

// ---- runs that return when they are over ----

pub(crate) fn map<I, S, T: Send>(
    matches: &Matches<I>,
    initializer: impl Fn() -> S + Sync,
    job: impl Fn(&mut S, Message) -> T + Sync,
) -> Result<Vec<T>> {
    let step = |state: &mut S, results: &mut Vec<(u32, T)>, position, message| {
        results.push((position, job(state, message)));
        Step::Done
    };
    let (parts, _) = run_to_the_end(matches, OnFailure::Stop, initializer, Vec::new, step)?;
    Ok(in_order(parts))
}

fn in_order<T>(parts: Vec<Vec<(u32, T)>>) -> Vec<T> {
    let mut results: Vec<(u32, T)> = parts.into_iter().flatten().collect();
    results.sort_unstable_by_key(|(position, _)| *position);
    results.into_iter().map(|(_, value)| value).collect()
}

pub(crate) fn for_each<I, S>(
    matches: &Matches<I>,
    initializer: impl Fn() -> S + Sync,
    job: impl Fn(&mut S, Message) + Sync,
) -> Result<Report> {
    let step = |state: &mut S, (): &mut (), _, message| {
        job(state, message);
        Step::Done
    };
    let (_, report) = run_to_the_end(matches, OnFailure::GoOn, initializer, || (), step)?;
    Ok(report)
}

/// As [`map`], with a closure that may break the run off by an error of its own.
pub(crate) fn try_map<I, S, T: Send, E: From<Error> + Send>(
    matches: &Matches<I>,
    initializer: impl Fn() -> S + Sync,
    job: impl Fn(&mut S, Message) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let broken = Mutex::new(None);
    let step = |state: &mut S, results: &mut Vec<(u32, T)>, position, message| {
        let value = match job(state, message) {
            Ok(value) => value,
            Err(error) => return break_off(&broken, error),
        };
        results.push((position, value));
        Step::Done
    };
    let ended = run_to_the_end(matches, OnFailure::Stop, initializer, Vec::new, step);
    let (parts, _) = or_broken(ended, broken)?;
    Ok(in_order(parts))
}

/// As [`for_each`], with a closure that may break the run off by an error of its own.
pub(crate) fn try_for_each<I, S, E: From<Error> + Send>(
    matches: &Matches<I>,
    initializer: impl Fn() -> S + Sync,
    job: impl Fn(&mut S, Message) -> Result<(), E> + Sync,
) -> Result<Report, E> {
    let broken = Mutex::new(None);
    let step = |state: &mut S, (): &mut (), _, message| match job(state, message) {
        Ok(()) => Step::Done,
        Err(error) => break_off(&broken, error),
    };
    let ended = run_to_the_end(matches, OnFailure::GoOn, initializer, || (), step);
    let (_, report) = or_broken(ended, broken)?;
    Ok(report)
}

/// The closure has returned an error. The first one counts.
fn break_off<E>(broken: &Mutex<Option<E>>, error: E) -> Step {
    let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
    broken.get_or_insert(error);
    Step::Break
}

fn or_broken<T, E: From<Error>>(ended: Result<T>, broken: Mutex<Option<E>>) -> Result<T, E> {
    match broken.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(ended?),
    }
}

pub(crate) fn fold<I, S, A: Send>(
    matches: &Matches<I>,
    initializer: impl Fn() -> S + Sync,
    init: impl Fn() -> A + Sync,
    fold: impl Fn(&mut S, A, Message) -> A + Sync,
    reduce: impl Fn(A, A) -> A,
    on_failure: OnFailure,
) -> Result<(A, Report)> {
    let step = |state: &mut S, value: &mut Option<A>, _, message| {
        // Nothing is there on the first message, and after a panic, which must end the run.
        let before = value.take().unwrap_or_else(&init);
        *value = Some(fold(state, before, message));
        Step::Done
    };
    let (parts, report) = run_to_the_end(matches, on_failure, initializer, || None, step)?;
    let value = parts.into_iter().flatten().reduce(reduce);
    Ok((value.unwrap_or_else(init), report))
}

/// What a closure wants after a message.
enum Step {
    Done,
    /// No further message.
    Break,
}

/// What becomes of a run when a message fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    Stop,
    GoOn,
    /// It stops if the closure panicked, and with what it was working on what it held.
    StopAtPanic,
}

impl OnFailure {
    fn stops_at(self, error: &Error) -> bool {
        match self {
            Self::Stop => true,
            Self::GoOn => false,
            Self::StopAtPanic => *error.kind() == ErrorKind::Panicked,
        }
    }
}

/// Runs `step` on every message, with the worker's state, the worker's value and the position.
/// Returns the workers' values.
fn run_to_the_end<I, S, A: Send>(
    matches: &Matches<I>,
    on_failure: OnFailure,
    initializer: impl Fn() -> S + Sync,
    new_value: impl Fn() -> A + Sync,
    step: impl Fn(&mut S, &mut A, u32, Message) -> Step + Sync,
) -> Result<(Vec<A>, Report)> {
    let (run, workers) = new_run(matches);
    let batch = batch_size(matches.window_messages());
    let (sessions, fetch) = (matches.sessions(), matches.fetched());
    let worker = || {
        let mut state = initialize(&run, &initializer)?;
        let mut value = new_value();
        let mut sink = Direct {
            run: &run,
            step: |position, message| step(&mut state, &mut value, position, message),
            on_failure,
            settled: Vec::new(),
            batch,
            emit: |event: &Event| sessions.settings().emit(event),
        };
        work(&run, sessions, fetch, &mut sink);
        Some(value)
    };
    let values = thread::scope(|scope| {
        let mut threads = Vec::with_capacity(workers);
        let mut error = None;
        for index in 0..workers {
            match thread::Builder::new()
                .name(thread_name(index))
                .spawn_scoped(scope, worker)
            {
                Ok(thread) => threads.push(thread),
                Err(failed) => error = Some(failed),
            }
        }
        started(&run, workers, threads.len(), error);
        // A worker catches its panics, so none gets lost here.
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok().flatten())
            .collect()
    });
    let report = Report::of(&run);
    *matches
        .place()
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Some(report.clone());
    match run.failure() {
        Some(error) => Err(error),
        None => Ok((values, report)),
    }
}

/// Runs the step at once and writes the ledger itself.
struct Direct<'a, J, E> {
    run: &'a Run,
    step: J,
    on_failure: OnFailure,
    settled: Vec<(u32, Outcome)>,
    /// How many outcomes are written into the ledger together.
    batch: usize,
    emit: E,
}

impl<J, E> Sink for Direct<'_, J, E>
where
    J: FnMut(u32, Message) -> Step,
    E: Fn(&Event),
{
    fn take(&mut self, arrival: Arrival) {
        let Arrival {
            slot,
            content,
            held,
        } = arrival;
        let outcome = match content {
            Content::Message(message) => {
                if self.run.stop().is_cancelled() {
                    return;
                }
                match unwind::catch(|| (self.step)(slot.position, message)) {
                    Ok(Step::Done) => Outcome::Delivered,
                    // The closure has ended the run: it is not done with this one.
                    Ok(Step::Break) => {
                        self.run.release(held);
                        self.run.fail(Error::new(
                            ErrorKind::Cancelled,
                            "the closure returned an error",
                        ));
                        return;
                    }
                    Err(text) => Outcome::Failed(panicked(text, slot.uid, &self.emit)),
                }
            }
            Content::Failed(error) => Outcome::Failed(error),
            Content::Gone => Outcome::Gone,
        };
        self.run.release(held);
        self.run.totals().done.add(1);
        if let Outcome::Failed(error) = &outcome
            && self.on_failure.stops_at(error)
        {
            self.run.fail(error.clone());
        }
        self.settled.push((slot.position, outcome));
        if self.settled.len() >= self.batch {
            self.let_out();
        }
    }

    fn let_out(&mut self) {
        if !self.settled.is_empty() {
            self.run.settle(self.settled.drain(..), 0);
        }
    }
}
