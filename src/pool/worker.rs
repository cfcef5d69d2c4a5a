//! One worker: takes shards, asks for them ahead of need, hands out what comes, and when its
//! session breaks gets another and goes on.

mod answers;

use std::sync::atomic::Ordering;

use super::dispenser::{Slot, Take};
use super::governor::{Advice, Patience};
use super::pipeline::Pipeline;
use super::run::Run;
use super::sessions::Sessions;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::fetch::{Fetch, Reader};
use crate::message::Message;
use crate::session::{Refusal, Session};
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
        pipeline: Pipeline::default(),
        patience: Patience::new(settings.retry),
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

struct Worker<'a> {
    run: &'a Run,
    sessions: &'a Sessions,
    fetch: Fetch,
    sink: &'a mut dyn Sink,
    reader: Reader,
    pipeline: Pipeline,
    patience: Patience,
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
                        break;
                    }
                }
                Err(reason) => {
                    self.run.used(&session);
                    let (id, was_stale) = (session.id(), session.was_stale());
                    self.sessions.discard(session);
                    self.sink.flush();
                    match reason {
                        Break::Lost(error) => self.lost(error, id, was_stale)?,
                        Break::Yielded => self.retreat(None),
                        Break::Resign(resignation) => return Err(resignation),
                    }
                }
            }
        }
        Ok(())
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
        if let Refusal::Throttled(Some(hint)) = Refusal::of(None, error.to_string().as_bytes()) {
            self.throttled(hint);
        }
        self.follow(advice, error)
    }

    /// A session broke. What it had not delivered goes back; the first of its shards is under
    /// suspicion, unless the session had been dead before it was asked anything.
    fn lost(&mut self, error: Error, id: u64, was_stale: bool) -> Result<(), Resignation> {
        if self.run.stop().is_raised() {
            self.retreat(None);
            return Err(Resignation {
                error,
                is_verdict: false,
            });
        }
        if was_stale {
            self.retreat(None);
            return Ok(());
        }
        self.run.totals().reconnects.fetch_add(1, Ordering::Relaxed);
        self.emit(&Event::SessionLost {
            error: error.clone(),
        });
        if *error.kind() == ErrorKind::Timeout && self.pipeline.looks_dropped() {
            self.sessions.governor().use_one_command_at_a_time();
            self.retreat(None);
        } else {
            self.retreat(Some((&error, id)));
        }
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
                let is_silence = |error: &Error| *error.kind() == ErrorKind::Timeout;
                let enough = match shard.error.replace(error.clone()) {
                    Some(before) if is_silence(&before) && is_silence(error) => 2,
                    _ => MESSAGE_ATTEMPTS + 1,
                };
                if shard.slots.len() == 1 && shard.deaths >= enough && self.run.may_convict() {
                    let attempts = shard.deaths;
                    self.fail(shard.slots[0], error.clone().with_attempts(attempts), 0);
                    shard.slots.clear();
                    self.patience.delivered();
                }
            }
            returned.push(shard);
        }
        self.run.give_back(returned);
    }

    /// Uses a session until there is nothing more to do with it.
    fn converse(&mut self, session: &mut Session) -> Result<Pause, Break> {
        self.reader.begin();
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
    fn send_ahead(&mut self, session: &mut Session) -> Result<Option<Pause>> {
        loop {
            let is_idle = self.pipeline.is_empty();
            let governor = self.sessions.governor();
            if is_idle && !governor.time_left().is_zero() {
                return Ok(Some(Pause::Idle));
            }
            if !is_idle && (governor.is_serial() || !governor.time_left().is_zero()) {
                break;
            }
            let per_round_trip = self.run.messages_in(session.round_trip());
            match self.run.take(&self.pipeline.in_flight(per_round_trip)) {
                Take::Shard(shard) => {
                    if is_idle {
                        session.expect_answers();
                    }
                    let uids = shard.uids();
                    // In the pipeline first, so that a failure to send gives it back.
                    self.pipeline.push(shard);
                    let tag = session.send_fetch(&uids, self.fetch)?;
                    self.pipeline.sent(tag);
                }
                Take::NotNow if is_idle => return Ok(Some(Pause::Idle)),
                Take::Finished if is_idle => return Ok(Some(Pause::Over)),
                // With the stop raised, waiting for the rest would only take time.
                _ if self.run.stop().is_raised() => return Err(Error::cancelled()),
                Take::NotNow | Take::Finished => break,
            }
        }
        self.pipeline.top_up_done();
        Ok(None)
    }
}
