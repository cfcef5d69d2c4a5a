//! One worker: takes shards, asks for them ahead of need, hands out what comes, and when its
//! session breaks gets another and goes on.

mod answers;

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::dispenser::{Slot, Take};
use super::governor::{Advice, Patience};
use super::pipeline::Pipeline;
use super::run::Run;
use super::sessions::{Lent, Sessions};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::fetch::{Fetch, Reader};
use crate::message::Message;
use crate::session::{Opening, Session};
use crate::unwind;

/// How many times a message is asked for before it counts as failed.
const MESSAGE_ATTEMPTS: u32 = 3;

/// How long a new session may be silent when all others are, for a start. The round trips of its
/// own connection come on top.
const SIGN_OF_LIFE: Duration = Duration::from_millis(500);

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
        reader: Reader::new(fetch, settings.max_message_size, run.shelf().clone()),
        pipeline: Pipeline::default(),
        patience: Patience::new(settings.retry),
        is_probing: false,
    };
    // The closure's panics are caught where it is called. This is for those of nobody: a run must
    // end with an error rather than wait for a worker that is gone.
    let result = unwind::catch(|| worker.work()).unwrap_or_else(|panic| {
        let text = format!("in the worker itself: {panic}");
        Err(Resignation {
            error: Error::new(ErrorKind::Panicked, text),
            is_verdict: false,
        })
    });
    worker.retreat(None);
    worker.sink.flush();
    let is_verdict = result
        .as_ref()
        .is_err_and(|resignation| resignation.is_verdict);
    run.leave(result.map_err(|resignation| resignation.error), is_verdict);
}

/// Why a worker leaves a run that is not over.
struct Resignation {
    error: Error,
    /// The same would meet every other worker, so the run is over.
    is_verdict: bool,
}

/// Why a session is not used any further.
enum Break {
    /// It is broken.
    Lost(Error),
    /// It is in order, and given up: a shard is wanted first, or somebody waits for a session.
    Yielded,
    /// It is in order, but of no use to this worker.
    Resign(Resignation),
}

impl From<Error> for Break {
    fn from(error: Error) -> Self {
        Self::Lost(error)
    }
}

/// Whether an error says nothing about the messages asked for: the server wants fewer sessions, or
/// less of everything.
fn is_about_sessions(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Throttled | ErrorKind::SessionLimit)
}

struct Worker<'a> {
    run: &'a Run,
    sessions: &'a Sessions,
    fetch: Fetch,
    sink: &'a mut dyn Sink,
    reader: Reader,
    pipeline: Pipeline,
    patience: Patience,
    /// All is silent: the next session is to show that the server answers at all.
    is_probing: bool,
}

/// What a session was like that is no more.
struct Past {
    id: u64,
    was_stale: bool,
    age: Duration,
}

/// Why a session is given back in good order.
enum Pause {
    /// There is nothing to do at the moment.
    Idle,
    /// The run is over.
    Over,
}

impl Worker<'_> {
    fn work(&mut self) -> Result<(), Resignation> {
        while self.run.wait_for_work() {
            if !self.hold_off() {
                break;
            }
            let mut session = match self.borrow() {
                Ok(session) => session,
                Err(error) => {
                    self.retreat(None);
                    self.refused(error)?;
                    continue;
                }
            };
            match self.converse(&mut session) {
                Ok(pause) => {
                    self.run.used(&session);
                    self.sessions.check_in(session);
                    if matches!(pause, Pause::Over) {
                        break;
                    }
                }
                Err(reason) => {
                    self.run.used(&session);
                    let past = Past {
                        id: session.id(),
                        was_stale: session.was_stale(),
                        age: session.age(),
                    };
                    self.sessions.discard(session);
                    self.sink.flush();
                    match reason {
                        Break::Lost(error) => self.lost(error, &past)?,
                        Break::Yielded => self.retreat(None),
                        Break::Resign(resignation) => return Err(resignation),
                    }
                }
            }
        }
        Ok(())
    }

    /// Borrows a session. A new one is asked for messages before it is known to come about, so
    /// that they come a round trip earlier.
    fn borrow(&mut self) -> Result<Session> {
        let stop = self.run.stop();
        let mut opening = match self.sessions.check_out_early(stop)? {
            Lent::Session(session) => return Ok(*session),
            Lent::Opening(opening) => opening,
        };
        self.send_early(&mut opening);
        let session = self.sessions.complete(opening, stop)?;
        if !session.has_commands() {
            self.retreat(None);
        }
        Ok(session)
    }

    fn send_early(&mut self, opening: &mut Opening) {
        let governor = self.sessions.governor();
        if self.is_probing || governor.is_serial() || !governor.time_left().is_zero() {
            return;
        }
        let Take::Shard(shard) = self.run.take(&self.pipeline.in_flight(0)) else {
            return;
        };
        // What breaks a session must not be blamed on the login, nor the other way round.
        if shard.is_suspect() {
            self.run.give_back([shard]);
            return;
        }
        match opening.send_fetch(&shard.uids(), self.fetch) {
            Ok(Some(tag)) => {
                self.pipeline.push_early(shard);
                self.pipeline.sent(tag);
            }
            // If it cannot be sent, the answers cannot be read.
            Ok(None) | Err(_) => self.run.give_back([shard]),
        }
    }

    /// Waits as long as the server wants to be left in peace. Returns false when the run is over.
    fn hold_off(&self) -> bool {
        let left = self.sessions.governor().time_left();
        left.is_zero() || self.run.pause(left)
    }

    /// A session could not be opened.
    fn refused(&mut self, error: Error) -> Result<(), Resignation> {
        if self.run.stop().is_raised() {
            return Err(Resignation {
                error,
                is_verdict: false,
            });
        }
        let advice = self.patience.refused(&error, self.sessions.open());
        let retry_in = match advice {
            Advice::Retry(delay) => Some(delay),
            Advice::Leave | Advice::Stop => None,
        };
        self.emit(&Event::SessionRefused {
            error: error.clone(),
            retry_in,
        });
        self.follow(advice, error)
    }

    /// A session broke. What it had not delivered goes back; the first of its shards is under
    /// suspicion, unless the session had been dead before it was asked anything.
    fn lost(&mut self, error: Error, past: &Past) -> Result<(), Resignation> {
        if self.run.stop().is_raised() {
            self.retreat(None);
            return Err(Resignation {
                error,
                is_verdict: false,
            });
        }
        let is_silence = error.is_timeout();
        let silence = self.run.since_last_message();
        let was_probing = std::mem::take(&mut self.is_probing);
        self.is_probing = is_silence && silence >= self.sessions.settings().timeouts.read;
        // Only a session opened since all fell silent can tell that the server did.
        let is_verdict = was_probing
            && self.is_probing
            && past.age < silence
            && self.run.pulse().age() >= SIGN_OF_LIFE;
        if past.was_stale && !is_verdict {
            self.retreat(None);
            return Ok(());
        }
        self.run.totals().reconnects.fetch_add(1, Ordering::Relaxed);
        self.emit(&Event::SessionLost {
            error: error.clone(),
        });
        if is_verdict {
            self.retreat(None);
            return Err(Resignation { error, is_verdict });
        }
        let is_dropped = is_silence && !was_probing && self.pipeline.looks_dropped();
        if is_dropped {
            self.sessions.governor().use_one_command_at_a_time();
        }
        let too_large = match error.kind() {
            ErrorKind::TooLarge { .. } => error.uid(),
            _ => None,
        };
        if let Some(slot) = too_large.and_then(|uid| self.pipeline.claim(uid, 0)) {
            self.fail(slot, error.clone(), 0);
            self.patience.delivered();
        }
        let is_explained = is_dropped
            || is_silence && was_probing
            || too_large.is_some()
            || is_about_sessions(&error);
        self.retreat((!is_explained).then_some((&error, past.id)));
        let advice = self.patience.lost(&error);
        self.follow(advice, error)
    }

    fn follow(&mut self, advice: Advice, error: Error) -> Result<(), Resignation> {
        match advice {
            Advice::Retry(delay) => {
                self.run.pause(delay);
                Ok(())
            }
            Advice::Leave => {
                let error = error.with_attempts(self.patience.failures());
                Err(Resignation {
                    error,
                    is_verdict: false,
                })
            }
            Advice::Stop => Err(Resignation {
                error,
                is_verdict: true,
            }),
        }
    }

    fn emit(&self, event: &Event) {
        self.sessions.settings().emit(event);
    }

    /// Gives back all that is in flight. The shard that was being answered is to blame for the
    /// error of the session with this number.
    fn retreat(&mut self, blame: Option<(&Error, u64)>) {
        self.run.release(self.reader.forget());
        let mut blame = blame;
        let mut returned = Vec::new();
        for command in self.pipeline.drain() {
            let is_due = command.missing() > 0;
            let had_progress = command.has_progress();
            let mut shard = command.into_rest();
            if is_due && let Some((error, id)) = blame.take() {
                if had_progress || id > shard.suspect_since {
                    shard.deaths = if had_progress { 1 } else { shard.deaths + 1 };
                    shard.suspect_since = Session::newest_id();
                }
                // Silence costs a deadline each time, so two in a row must do.
                let enough = match shard.error.replace(error.clone()) {
                    Some(before) if before.is_timeout() && error.is_timeout() => 2,
                    _ => MESSAGE_ATTEMPTS + 1,
                };
                if shard.slots.len() == 1 && shard.deaths >= enough && self.run.may_convict() {
                    let slot = shard.slots[0];
                    self.emit(&Event::PoisonFound {
                        uid: slot.uid,
                        sessions: shard.deaths,
                    });
                    let error = self.with_last_words(error.clone());
                    self.fail(slot, error.with_attempts(shard.deaths), 0);
                    shard.slots.clear();
                    self.patience.delivered();
                }
            }
            if !shard.slots.is_empty() {
                self.emit(&Event::ShardReturned {
                    messages: shard.slots.len(),
                });
            }
            returned.push(shard);
        }
        self.run.give_back(returned);
    }

    /// Adds to an error what had arrived of the answer that broke off.
    fn with_last_words(&self, error: Error) -> Error {
        match self.reader.unfinished() {
            Some(words) => error.followed_by(format_args!("; the last that came was {words:?}")),
            None => error.followed_by("; nothing came in answer"),
        }
    }

    /// Uses a session until there is nothing more to do with it.
    fn converse(&mut self, session: &mut Session) -> Result<Pause, Break> {
        self.reader.was_answered();
        session.set_pulse(self.run.pulse().clone());
        if !self.pipeline.is_empty() {
            session.expect_answers();
        }
        loop {
            if self.pipeline.is_low()
                && let Some(pause) = self.send_ahead(session)?
            {
                self.sink.flush();
                return Ok(pause);
            }
            self.receive(session)?;
        }
    }

    /// Sends commands until enough is in flight. Returns a reason to pause if nothing is.
    fn send_ahead(&mut self, session: &mut Session) -> Result<Option<Pause>, Break> {
        loop {
            let is_idle = self.pipeline.is_empty();
            let governor = self.sessions.governor();
            if is_idle && !governor.time_left().is_zero() {
                return Ok(Some(Pause::Idle));
            }
            if !is_idle
                && (self.is_probing || governor.is_serial() || !governor.time_left().is_zero())
            {
                break;
            }
            let probe = match self.is_probing {
                true => self.run.take_probe(),
                false => None,
            };
            let is_probe = probe.is_some();
            let per_round_trip = self.run.messages_per(session.round_trip());
            let taken = match probe {
                Some(shard) => Take::Shard(shard),
                None => self.run.take(&self.pipeline.in_flight(per_round_trip)),
            };
            match taken {
                Take::Shard(shard) => {
                    self.is_probing = is_probe;
                    if is_probe {
                        session.expect_a_sign_of_life(SIGN_OF_LIFE);
                    } else if is_idle {
                        session.expect_answers();
                    }
                    let uids = shard.uids();
                    // In the pipeline first, so that a failure to send gives it back.
                    self.pipeline.push(shard);
                    let tag = match session.send_fetch(&uids, self.fetch) {
                        Ok(tag) => tag,
                        Err(error) => return Err(self.last_words(session, error)),
                    };
                    self.pipeline.sent(tag);
                }
                Take::NotNow if is_idle => return Ok(Some(Pause::Idle)),
                Take::Finished if is_idle => return Ok(Some(Pause::Over)),
                // With the stop raised, waiting for the rest would only take time.
                _ if self.run.stop().is_raised() => return Err(Error::cancelled().into()),
                Take::NotNow | Take::Finished => break,
            }
        }
        self.pipeline.top_up_done();
        Ok(None)
    }
}
