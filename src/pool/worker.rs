//! One worker: takes shards, asks for them ahead of need, hands out what comes, and when its
//! session breaks gets another and goes on.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use super::dispenser::{InFlight, Shard, Slot, Take};
use super::governor::{Advice, Patience};
use super::run::{Admission, Run};
use super::sessions::Sessions;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::fetch::{Answer, Body, Fetch, Fetched, Reader};
use crate::message::Message;
use crate::session::Session;
use crate::transport::Condition;
use crate::uid_set::Uid;
use crate::unwind;

/// How many times a message is asked for before it counts as failed.
const MESSAGE_ATTEMPTS: u32 = 3;

/// What becomes of one position.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) slot: Slot,
    pub(crate) content: Content,
    /// Octets held in the budget for it; to be given back with [`Run::settle`].
    pub(crate) held: u64,
}

#[derive(Debug)]
pub(crate) enum Content {
    Message(Message),
    Gone,
    Failed(Error),
}

/// Where a worker's results go.
pub(crate) trait Sink {
    /// Takes one arrival, and calls the caller's closure if it is a message.
    fn take(&mut self, arrival: Arrival);

    /// Called when the worker may wait for long: whatever was held back goes out now.
    fn flush(&mut self);
}

/// Works until the run is over, on the calling thread.
pub(crate) fn work(run: &Run, sessions: &Sessions, fetch: Fetch, sink: &mut dyn Sink) {
    let settings = sessions.settings();
    let mut worker = Worker {
        run,
        sessions,
        fetch,
        sink,
        reader: Reader::new(fetch, settings.max_message_size),
        pipeline: VecDeque::new(),
        patience: Patience::new(settings.retry),
        is_verdict: false,
        has_yielded: false,
    };
    // The closure's panics are caught where it is called. This is for those of nobody: a run must
    // end with an error rather than wait for a worker that is gone.
    let result = unwind::catch(|| worker.work()).unwrap_or_else(|panic| {
        Err(Error::new(
            ErrorKind::Panicked,
            format!("in the worker itself: {panic}"),
        ))
    });
    worker.retreat(None);
    let is_verdict = worker.is_verdict;
    worker.sink.flush();
    run.leave(result, is_verdict);
}

struct Worker<'a> {
    run: &'a Run,
    sessions: &'a Sessions,
    fetch: Fetch,
    sink: &'a mut dyn Sink,
    reader: Reader,
    pipeline: VecDeque<Command>,
    patience: Patience,
    /// The error that this worker leaves with would meet every other as well.
    is_verdict: bool,
    /// It has given a healthy session up to take a shard that is wanted first.
    has_yielded: bool,
}

/// A FETCH command whose end has not been seen.
struct Command {
    tag: u64,
    shard: Shard,
    answered: Vec<bool>,
    missing: usize,
    /// Where the next answer is expected.
    hint: usize,
    octets: u64,
}

/// Why a session is given back in good order.
enum Pause {
    /// There is nothing to do at the moment.
    Idle,
    /// The run is over.
    Over,
}

impl Worker<'_> {
    fn work(&mut self) -> Result<()> {
        while self.run.wait_for_work() {
            let mut session = match self.sessions.check_out(self.run.stop()) {
                Ok(session) => session,
                Err(error) => {
                    self.refused(error)?;
                    continue;
                }
            };
            match self.converse(&mut session) {
                Ok(pause) => {
                    self.run.used(&session);
                    self.sessions.check_in(session);
                    if matches!(pause, Pause::Over) {
                        return Ok(());
                    }
                }
                Err(error) => {
                    self.run.used(&session);
                    let was_stale = session.was_stale();
                    self.sessions.discard(session);
                    self.lost(error, was_stale)?;
                }
            }
        }
        Ok(())
    }

    /// A session could not be opened. An error means that this worker leaves.
    fn refused(&mut self, error: Error) -> Result<()> {
        if self.run.stop().is_raised() {
            return Err(error);
        }
        let advice = self.patience.refused(&error, self.sessions.open());
        let retry_in = match advice {
            Advice::Retry(delay) => Some(delay),
            Advice::Leave | Advice::Stop => None,
        };
        let event = Event::SessionRefused {
            error: error.clone(),
            retry_in,
        };
        self.sessions.settings().emit(&event);
        self.follow(advice, error)
    }

    /// A session broke. What it had not delivered goes back; the first of its shards is under
    /// suspicion, unless the session had been dead before it was asked anything.
    fn lost(&mut self, error: Error, was_stale: bool) -> Result<()> {
        if self.run.stop().is_raised() {
            self.retreat(None);
            return Err(error);
        }
        self.sink.flush();
        if was_stale || std::mem::take(&mut self.has_yielded) {
            self.retreat(None);
            return Ok(());
        }
        self.run.totals().reconnects.fetch_add(1, Ordering::Relaxed);
        self.sessions.settings().emit(&Event::SessionLost {
            error: error.clone(),
        });
        self.retreat(Some(&error));
        let advice = self.patience.lost();
        self.follow(advice, error)
    }

    fn follow(&mut self, advice: Advice, error: Error) -> Result<()> {
        match advice {
            Advice::Retry(delay) => {
                self.run.pause(delay);
                Ok(())
            }
            Advice::Leave => Err(error.with_attempts(self.patience.failures())),
            Advice::Stop => {
                self.is_verdict = true;
                Err(error)
            }
        }
    }

    /// Gives back all that is in flight. With an error, the shard that was being answered is to
    /// blame for it.
    fn retreat(&mut self, blame: Option<&Error>) {
        let mut culprit = blame;
        let mut returned = Vec::with_capacity(self.pipeline.len());
        for command in std::mem::take(&mut self.pipeline) {
            let had_progress = command.missing < command.answered.len();
            let mut shard = command.into_rest();
            if let Some(error) = culprit.take() {
                shard.deaths = if had_progress { 1 } else { shard.deaths + 1 };
                shard.error = Some(error.clone());
                if shard.slots.len() == 1 && shard.deaths > MESSAGE_ATTEMPTS {
                    let attempts = shard.deaths;
                    self.fail(shard.slots[0], error.clone().with_attempts(attempts), 0);
                    shard.slots.clear();
                }
            }
            returned.push(shard);
        }
        self.run.give_back(returned);
    }

    /// Uses a session until there is nothing more to do with it.
    fn converse(&mut self, session: &mut Session) -> Result<Pause> {
        loop {
            if let Some(pause) = self.send_ahead(session)? {
                self.sink.flush();
                return Ok(pause);
            }
            self.receive(session)?;
        }
    }

    /// Sends commands until enough is in flight. Returns a reason to pause if nothing is.
    fn send_ahead(&mut self, session: &mut Session) -> Result<Option<Pause>> {
        loop {
            let in_flight = self.in_flight();
            let is_idle = in_flight.commands == 0;
            match self.run.take(&in_flight) {
                Take::Shard(shard) => {
                    if is_idle {
                        session.expect_answers();
                    }
                    let uids = shard.uids();
                    // In the pipeline first, so that a failure to send gives it back.
                    self.pipeline.push_back(Command::new(0, shard));
                    let tag = session.send_fetch(&uids, self.fetch)?;
                    if let Some(command) = self.pipeline.back_mut() {
                        command.tag = tag;
                    }
                }
                Take::NotNow if is_idle => return Ok(Some(Pause::Idle)),
                Take::Finished if is_idle => return Ok(Some(Pause::Over)),
                Take::NotNow | Take::Finished => {
                    // With the stop raised, waiting for the rest would only take time.
                    return if self.run.stop().is_raised() {
                        Err(Error::cancelled())
                    } else {
                        Ok(None)
                    };
                }
            }
        }
    }

    fn in_flight(&self) -> InFlight {
        InFlight {
            commands: self.pipeline.len(),
            messages: self.pipeline.iter().map(|command| command.missing).sum(),
            has_suspect: self
                .pipeline
                .iter()
                .any(|command| command.shard.is_suspect()),
        }
    }

    /// Reads one response and deals with it.
    fn receive(&mut self, session: &mut Session) -> Result<()> {
        let mut held = 0;
        let mut yields = false;
        let (run, pipeline) = (self.run, &self.pipeline);
        let answer = session.next_answer(&mut self.reader, |octets| {
            let first_missing = || pipeline.iter().filter_map(Command::first_missing).min();
            match run.admit(octets, first_missing)? {
                Admission::Granted => {
                    held += octets;
                    Ok(())
                }
                Admission::Yield => {
                    yields = true;
                    Err(Error::cancelled())
                }
            }
        });
        // What was taken for a message that never became one goes back.
        let claimed = match answer {
            Ok(Answer::Fetched(Fetched {
                uid,
                body: Body::Nil,
                ..
            })) => {
                // Left open, so that it is asked for once more.
                note(
                    &mut self.pipeline,
                    uid,
                    Error::new(ErrorKind::NoBody, "it sent NIL"),
                );
                false
            }
            Ok(Answer::Fetched(fetched)) => {
                let claimed = claim(&mut self.pipeline, fetched.uid, held);
                if let Some(slot) = claimed {
                    self.arrived(slot, fetched, held);
                }
                claimed.is_some()
            }
            Ok(Answer::Garbled { uid, excerpt }) => {
                let error = Error::protocol(format!("the answer cannot be parsed: {excerpt}"));
                match uid {
                    Some(uid) => {
                        if let Some(slot) = claim(&mut self.pipeline, uid, 0) {
                            self.fail(slot, error, 0);
                        }
                    }
                    // It will be found missing; then this is why.
                    None => {
                        if let Some(command) = self.pipeline.front_mut() {
                            command.shard.error = Some(error);
                        }
                    }
                }
                false
            }
            Ok(Answer::Completed { tag, status }) => {
                let error = (status.condition != Condition::Ok)
                    .then(|| Error::server(status.code_word(), status.text, "FETCH"));
                if let Some(at) = self.pipeline.iter().position(|command| command.tag == tag)
                    && let Some(command) = self.pipeline.remove(at)
                {
                    self.completed(session, command, error)?;
                }
                false
            }
            Ok(Answer::Bye { text }) => {
                run.release(held);
                return Err(Error::new(
                    ErrorKind::Disconnected,
                    format!("the server said goodbye: {text}"),
                ));
            }
            Ok(Answer::Unrelated) => false,
            Err(error) => {
                run.release(held);
                self.has_yielded = yields;
                return Err(error);
            }
        };
        if !claimed {
            run.release(held);
        }
        Ok(())
    }

    fn arrived(&mut self, slot: Slot, fetched: Fetched, held: u64) {
        let Fetched {
            uid,
            flags,
            internal_date,
            size,
            body,
        } = fetched;
        match body {
            Body::Octets(raw) => {
                let octets = raw.len() as u64;
                self.run
                    .totals()
                    .octets
                    .fetch_add(octets, Ordering::Relaxed);
                self.patience.delivered();
                let size = size.unwrap_or(octets);
                let message = Message::new(uid, flags, internal_date, size, raw);
                self.sink.take(Arrival {
                    slot,
                    content: Content::Message(message),
                    held,
                });
            }
            Body::TooLarge { octets: size } => {
                let limit = self.sessions.settings().max_message_size;
                let error = Error::new(ErrorKind::TooLarge { size, limit }, "");
                self.fail(slot, error, held);
            }
            // Not claimed, so it does not get here.
            Body::Nil => {}
        }
    }

    fn fail(&mut self, slot: Slot, error: Error, held: u64) {
        let error = error.with_uid(slot.uid);
        self.sessions.settings().emit(&Event::MessageFailed {
            error: error.clone(),
        });
        self.sink.take(Arrival {
            slot,
            content: Content::Failed(error),
            held,
        });
    }

    /// A command is over. What its answer left out is asked for again, and then looked into.
    fn completed(
        &mut self,
        session: &mut Session,
        command: Command,
        error: Option<Error>,
    ) -> Result<()> {
        self.sink.flush();
        let answered = command.answered.len() - command.missing;
        let (octets, was_absent) = (command.octets, command.shard.absences > 0);
        if command.missing == 0 {
            self.run.complete(answered as u64, octets);
            return Ok(());
        }
        let mut shard = command.into_rest();
        shard.deaths = 0;
        shard.absences += 1;
        shard.error = error.or(shard.error);
        if was_absent {
            // The second time. A suspect shard is alone, so the connection is free for a question.
            match session.still_there(&shard.uids(), self.sessions.settings().timeouts.search) {
                Ok(there) => self.sort_out(&mut shard, |uid| there.contains(uid)),
                Err(error) => {
                    self.run.give_back([shard]);
                    return Err(error);
                }
            }
            session.expect_answers();
        }
        self.run.give_back([shard]);
        Ok(())
    }

    /// Of a shard left out twice, reports what is gone, and what is there but withheld too often.
    fn sort_out(&mut self, shard: &mut Shard, is_there: impl Fn(Uid) -> bool) {
        let attempts = shard.absences;
        for slot in std::mem::take(&mut shard.slots) {
            if !is_there(slot.uid) {
                self.sessions
                    .settings()
                    .emit(&Event::MessageGone { uid: slot.uid });
                self.sink.take(Arrival {
                    slot,
                    content: Content::Gone,
                    held: 0,
                });
                continue;
            }
            let error = shard.error.clone().unwrap_or_else(|| {
                Error::new(ErrorKind::NoBody, "its answers leave the message out")
            });
            // A body of NIL is an answer, and will not be another the third time.
            let has_said_no = *error.kind() == ErrorKind::NoBody && shard.error.is_some();
            if has_said_no || attempts >= MESSAGE_ATTEMPTS {
                self.fail(slot, error.with_attempts(attempts), 0);
            } else {
                shard.slots.push(slot);
            }
        }
    }
}

impl Command {
    fn new(tag: u64, shard: Shard) -> Self {
        let missing = shard.slots.len();
        Self {
            tag,
            answered: vec![false; missing],
            missing,
            hint: 0,
            octets: 0,
            shard,
        }
    }

    /// Finds an UID that was asked for and has not been received.
    fn claim(&mut self, uid: Uid, octets: u64) -> Option<Slot> {
        let slots = &self.shard.slots;
        let at = if slots.get(self.hint).is_some_and(|slot| slot.uid == uid) {
            self.hint
        } else {
            slots.binary_search_by_key(&uid, |slot| slot.uid).ok()?
        };
        if std::mem::replace(&mut self.answered[at], true) {
            return None;
        }
        self.hint = at + 1;
        self.missing -= 1;
        self.octets += octets;
        Some(slots[at])
    }

    fn first_missing(&self) -> Option<u32> {
        let slots = self.shard.slots.iter().zip(&self.answered);
        slots
            .filter(|(_, answered)| !**answered)
            .map(|(slot, _)| slot.position)
            .min()
    }

    /// What was not answered.
    fn into_rest(mut self) -> Shard {
        let mut answered = self.answered.iter();
        self.shard.slots.retain(|_| answered.next() == Some(&false));
        self.shard
    }
}

fn claim(pipeline: &mut VecDeque<Command>, uid: Uid, octets: u64) -> Option<Slot> {
    pipeline
        .iter_mut()
        .find_map(|command| command.claim(uid, octets))
}

/// Notes why an UID that was asked for will be found missing.
fn note(pipeline: &mut VecDeque<Command>, uid: Uid, error: Error) {
    let asked = |command: &&mut Command| {
        command
            .shard
            .slots
            .binary_search_by_key(&uid, |slot| slot.uid)
            .is_ok()
    };
    if let Some(command) = pipeline.iter_mut().find(asked) {
        command.shard.error = Some(error);
    }
}
