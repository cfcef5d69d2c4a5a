//! One worker: takes shards, asks for them ahead of need, hands out what comes, and when its
//! session breaks gets another and goes on.

mod answers;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use super::dispenser::Take;
use super::lease::{Lease, Lent};
use super::pipeline::{Pipeline, Purpose, Rest};
use super::run::{Resignation, Run};
use super::sessions::{Sessions, Wish};
use super::shard::{Shard, Slot};
use super::sink::{Arrival, Content, Flushed, Sink};
use super::verdict::{self, Advice, Broken, Streak};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::fetch::{Fetch, Reader};
use crate::refusal::Refusal;
use crate::session::{Opening, Session};
use crate::uid_set::UidSet;
use crate::unwind;

/// How long a new session may be silent when all others are, for a start. The round trips of its
/// own connection come on top.
const SIGN_OF_LIFE: Duration = Duration::from_millis(500);

/// How often the server is asked which messages of a set there are.
const SURVEYS: u32 = 3;

/// Works until the run is over, on the calling thread.
pub(crate) fn work(run: &Run, sessions: &Arc<Sessions>, fetch: Fetch, sink: &mut dyn Sink) {
    let max_message_size = sessions.settings().max_message_size;
    let mut worker = Worker {
        run,
        sessions,
        fetch,
        sink,
        reader: Reader::new(fetch, max_message_size, run.shelf().clone()),
        pipeline: Pipeline::default(),
        streak: Streak::default(),
        is_probing: false,
        doubt: None,
        is_doubtful: false,
        suspect: None,
        is_sound: false,
        surveys: 0,
        round_trip: Duration::ZERO,
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
    let _ = Flushed::new(worker.sink);
    run.leave(result);
}

/// Why a session is not used any further.
enum Break {
    /// It is broken.
    Lost(Error),
    /// It is in order, and given up: a shard is wanted first, somebody waits for a session, or a
    /// newer one is needed.
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
    sessions: &'a Arc<Sessions>,
    fetch: Fetch,
    sink: &'a mut dyn Sink,
    reader: Reader,
    pipeline: Pipeline,
    streak: Streak,
    /// All is silent: the next session is to show that the server answers at all.
    is_probing: bool,
    /// Messages were refused, and since then nothing was served.
    doubt: Option<Error>,
    /// Something else is to be asked for first, to see whether anything is served.
    is_doubtful: bool,
    /// Is suspected of breaking sessions, and waits until this one has shown that it is sound.
    suspect: Option<Shard>,
    /// The last control over this session was served.
    is_sound: bool,
    surveys: u32,
    /// That of the last session.
    round_trip: Duration,
}

/// What a session was like that is no more.
struct Former {
    id: u64,
    was_stale: bool,
    age: Duration,
}

/// Why a session is given back in good order.
enum Pause {
    /// There is nothing to do at the moment, or somebody else is to have it.
    Idle,
    /// The run is over.
    Over,
}

/// A worker that has a session, for as long as this lives.
struct InUse<'a>(&'a Run);

impl<'a> InUse<'a> {
    fn new(run: &'a Run) -> Self {
        run.has_session(true);
        Self(run)
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.0.has_session(false);
    }
}

impl Worker<'_> {
    fn work(&mut self) -> Result<(), Resignation> {
        loop {
            let flushed = Flushed::new(self.sink);
            if !self.run.wait_for_work(flushed, self.round_trip) || !self.hold_off() {
                return Ok(());
            }
            let mut lease = match self.borrow() {
                Ok(Some(lease)) => lease,
                Ok(None) => continue,
                Err(error) => {
                    self.refused(error)?;
                    continue;
                }
            };
            let in_use = InUse::new(self.run);
            let result = self.converse(&mut lease);
            drop(in_use);
            self.run.used(&lease);
            match result {
                Ok(pause) => {
                    lease.give_back();
                    if matches!(pause, Pause::Over) {
                        return Ok(());
                    }
                }
                Err(reason) => {
                    let former = Former {
                        id: lease.id(),
                        was_stale: lease.was_stale(),
                        age: lease.age(),
                    };
                    drop(lease);
                    match reason {
                        Break::Lost(error) => self.lost(error, &former)?,
                        Break::Yielded => self.retreat(None),
                        Break::Resign(resignation) => return Err(resignation),
                    }
                }
            }
        }
    }

    /// Borrows a session. A new one is asked for messages before it is known to come about, so
    /// that they come a round trip earlier. Until then another worker may fetch them.
    fn borrow(&mut self) -> Result<Option<Lease>> {
        let run = self.run;
        let wish = Wish {
            user: run.id(),
            stop: run.stop(),
            newer_than: run.newer_than(),
            is_needed: &|| run.has_work(self.round_trip),
            has_others: &|| run.sessions_in_use() > 0,
        };
        let mut setup = match self.sessions.lend(&wish)? {
            Some(Lent::Session(lease)) => return Ok(Some(*lease)),
            Some(Lent::Setup(setup)) => setup,
            None => return Ok(None),
        };
        let early = self.send_early(&mut setup.opening);
        let result = self.sessions.complete(setup, run.stop()).map(Some);
        let Some((parking, tag)) = early else {
            return result;
        };
        let is_asked = matches!(&result, Ok(Some(lease)) if lease.has_commands());
        match run.claim(parking) {
            Some(shard) if is_asked => self.pipeline.push_early(shard, Purpose::Messages, tag),
            Some(shard) => run.close(shard.slots.len(), [shard]),
            None if is_asked => {
                let shard = Shard::default();
                self.pipeline.push_early(shard, Purpose::Nothing, tag);
            }
            None => {}
        }
        result
    }

    /// Asks for a shard behind the login. Returns the number of its parking and the tag.
    fn send_early(&mut self, opening: &mut Opening) -> Option<(u64, u64)> {
        let sessions = self.sessions;
        if self.is_probing || self.is_doubtful || sessions.is_serial() {
            return None;
        }
        let taker = self.pipeline.taker(0, 0);
        let shard = match self.run.take(taker, self.round_trip) {
            Take::Shard(shard) => shard,
            Take::Survey(_) => {
                self.run.surveyed(None);
                return None;
            }
            Take::Renew | Take::NotNow | Take::Finished => return None,
        };
        // What breaks a session must not be blamed on the login, nor the other way round.
        let tag = match shard.past.is_suspect() {
            true => None,
            // If it cannot be sent, the answers cannot be read.
            false => opening.send_fetch(&shard.uids(), self.fetch).ok().flatten(),
        };
        let Some(tag) = tag else {
            self.run.close(shard.slots.len(), [shard]);
            return None;
        };
        Some((self.run.park(shard), tag))
    }

    /// Waits as long as the server wants to be left in peace. Returns false when the run is over.
    fn hold_off(&mut self) -> bool {
        let left = self.sessions.pause_left();
        left.is_zero() || self.run.pause(Flushed::new(self.sink), left)
    }

    /// A session could not be opened.
    fn refused(&mut self, error: Error) -> Result<(), Resignation> {
        if self.run.stop().is_raised() {
            return Err(Resignation {
                error,
                is_verdict: false,
            });
        }
        let sessions = verdict::Sessions {
            others: self.sessions.open(),
            have_worked: self.sessions.selected().is_some(),
        };
        let retry = &self.sessions.settings().retry;
        let advice = self.streak.not_opened(&error, sessions, retry);
        let retry_in = match advice {
            Advice::Retry(delay) => Some(delay.max(self.sessions.pause_left())),
            Advice::Queue | Advice::Leave | Advice::Stop => None,
        };
        self.emit(&Event::SessionRefused {
            error: error.clone(),
            retry_in,
        });
        self.follow(advice, error)
    }

    /// A session broke. What it had not delivered goes back; the first of its shards is under
    /// suspicion, unless the session had been dead before it was asked anything.
    fn lost(&mut self, error: Error, former: &Former) -> Result<(), Resignation> {
        if self.run.stop().is_raised() {
            self.retreat(None);
            return Err(Resignation {
                error,
                is_verdict: false,
            });
        }
        self.sessions.learn(&error);
        let is_silence = error.is_timeout();
        let silence = self.run.since_last_message();
        let was_probing = std::mem::take(&mut self.is_probing);
        self.is_probing = is_silence && silence >= self.sessions.settings().timeouts.read;
        // Only a session opened since all fell silent can tell that the server did.
        let is_verdict = was_probing
            && self.is_probing
            && former.age < silence
            && self.run.pulse().age() >= SIGN_OF_LIFE;
        let has_reason = !matches!(
            error.refusal(),
            None | Some(Refusal::Passing | Refusal::Unknown)
        );
        if former.was_stale && !is_verdict && !has_reason {
            self.retreat(None);
            return Ok(());
        }
        self.run.totals().reconnects.add(1);
        self.emit(&Event::SessionLost {
            error: error.clone(),
        });
        if is_verdict {
            self.retreat(None);
            return Err(Resignation { error, is_verdict });
        }
        let is_dropped = is_silence && !was_probing && self.pipeline.looks_dropped();
        if is_dropped {
            self.sessions.use_one_command_at_a_time();
        }
        let too_large = match error.kind() {
            ErrorKind::TooLarge { .. } => error.uid(),
            _ => None,
        };
        if let Some(slot) = too_large.and_then(|uid| self.pipeline.claim(uid, 0)) {
            self.fail(slot, error.clone(), 0);
            self.streak.end();
        }
        let is_explained = is_dropped
            || is_silence && was_probing
            || too_large.is_some()
            || says_nothing_about_messages(&error);
        self.retreat((!is_explained).then_some((&error, former.id)));
        let advice = self.streak.lost(&error, &self.sessions.settings().retry);
        self.follow(advice, error)
    }

    fn follow(&mut self, advice: Advice, error: Error) -> Result<(), Resignation> {
        match advice {
            Advice::Retry(delay) => {
                self.run.pause(Flushed::new(self.sink), jittered(delay));
                Ok(())
            }
            Advice::Queue => Ok(()),
            Advice::Leave => {
                let error = error.with_attempts(self.streak.failures());
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
        if let Some(shard) = self.suspect.take() {
            self.run.close(shard.slots.len(), [shard]);
        }
        let mut blame = blame;
        for rest in self.pipeline.drain() {
            if rest.purpose != Purpose::Messages {
                continue;
            }
            let had_progress = rest.came > 0;
            let was_sound = rest.was_sound;
            let (messages, mut shards) = unfinished(rest);
            if let Some(missing) = shards.first_mut()
                && !missing.slots.is_empty()
                && let Some((error, id)) = blame.take()
            {
                let broken = Broken {
                    id,
                    newest: Session::newest_id(),
                    had_progress,
                    was_sound,
                };
                self.blame(missing, error, broken);
            }
            let returned: usize = shards.iter().map(|shard| shard.slots.len()).sum();
            if returned > 0 {
                self.emit(&Event::ShardReturned { messages: returned });
            }
            self.run.close(messages, shards);
        }
    }

    /// Holds the end of a session against the messages that it was asked for. One that is alone and
    /// guilty has failed.
    fn blame(&mut self, shard: &mut Shard, error: &Error, broken: Broken) {
        let lost = self.run.totals().reconnects.get();
        let past = &mut shard.past;
        let was_silent = past.error.as_ref().is_some_and(Error::is_timeout);
        past.broke(error, broken, lost);
        let is_guilty = past.is_guilty(error, was_silent, lost);
        let [slot] = shard.slots[..] else { return };
        if !is_guilty || !self.run.may_convict() {
            return;
        }
        let sessions = shard.past.deaths;
        self.emit(&Event::PoisonFound {
            uid: slot.uid,
            sessions,
        });
        let error = self.with_last_words(error.clone());
        self.fail(slot, error.with_attempts(sessions), 0);
        shard.slots.clear();
        self.streak.end();
    }

    /// Adds to an error what had arrived of the answer that broke off.
    fn with_last_words(&self, error: Error) -> Error {
        match self.reader.unfinished() {
            Some(words) => error.followed_by(format_args!("; the last that came was {words:?}")),
            None => error.followed_by("; nothing came in answer"),
        }
    }

    fn fail(&mut self, slot: Slot, error: Error, held: u64) {
        let error = error.with_uid(slot.uid);
        self.emit(&Event::MessageFailed {
            error: error.clone(),
        });
        self.sink.take(Arrival {
            slot,
            content: Content::Failed(error),
            held,
        });
    }

    /// Uses a session until there is nothing more to do with it.
    fn converse(&mut self, session: &mut Session) -> Result<Pause, Break> {
        self.reader.was_answered();
        session.set_pulse(self.run.pulse().clone());
        self.round_trip = session.round_trip();
        if !self.pipeline.is_empty() {
            session.expect_answers();
        }
        loop {
            if self.pipeline.is_low()
                && let Some(pause) = self.send_ahead(session)?
            {
                return Ok(pause);
            }
            self.receive(session)?;
        }
    }

    /// Sends commands until enough is in flight. Returns a reason to pause if nothing is.
    fn send_ahead(&mut self, session: &mut Session) -> Result<Option<Pause>, Break> {
        loop {
            let is_idle = self.pipeline.is_empty();
            if is_idle && let Some(shard) = self.suspect.take() {
                let is_sound = std::mem::take(&mut self.is_sound);
                // It may have ended after what it has just brought.
                if let Err(error) = session.check(self.sessions.settings().timeouts.read) {
                    self.suspect = Some(shard);
                    return Err(error.into());
                }
                self.ask_for(session, shard, is_idle, is_sound)?;
                break;
            }
            // Somebody else has a turn, or the server wants to be left in peace.
            let is_held_up =
                !self.sessions.pause_left().is_zero() || self.sessions.is_one_wanted(self.run.id());
            if is_idle && is_held_up {
                return Ok(Some(Pause::Idle));
            }
            if is_idle && let Some(error) = self.doubt.take() {
                self.is_doubtful = true;
                let advice = self.streak.refused(&self.sessions.settings().retry);
                self.follow(advice, error).map_err(Break::Resign)?;
                continue;
            }
            let is_alone = self.is_probing
                || self.doubt.is_some()
                || self.suspect.is_some()
                || self.sessions.is_serial();
            if !is_idle && (is_alone || is_held_up) {
                break;
            }
            match self.next_shard(session) {
                Take::Shard(shard) => self.send(session, shard, is_idle)?,
                Take::Survey(uids) => self.survey(session, &uids)?,
                Take::Renew => return Err(Break::Yielded),
                Take::NotNow if is_idle && self.is_doubtful => {
                    self.is_doubtful = false;
                    self.send_control(session)?;
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

    /// What to ask for next, over this session.
    fn next_shard(&mut self, session: &Session) -> Take {
        let is_idle = self.pipeline.is_empty();
        if is_idle && (self.is_probing || self.is_doubtful) {
            if let Some(shard) = self.run.take_probe() {
                self.is_doubtful = false;
                return Take::Shard(shard);
            }
            self.is_probing = false;
            // Nothing else is left to ask for: something that has come before will do.
            if self.is_doubtful && self.run.control().is_some() && !self.run.stop().is_raised() {
                return Take::NotNow;
            }
            self.is_doubtful = false;
        }
        let per_round_trip = self.run.messages_per(session.round_trip());
        let taker = self.pipeline.taker(session.id(), per_round_trip);
        self.run.take(taker, session.round_trip())
    }

    fn send(&mut self, session: &mut Session, shard: Shard, is_idle: bool) -> Result<(), Break> {
        if shard.past.deaths > 0 && is_idle && !self.is_probing && self.run.control().is_some() {
            // Over a session that does not bring this, nothing can be learned about the suspect.
            self.suspect = Some(shard);
            return self.send_control(session);
        }
        self.ask_for(session, shard, is_idle, false)
    }

    fn ask_for(
        &mut self,
        session: &mut Session,
        shard: Shard,
        is_idle: bool,
        was_sound: bool,
    ) -> Result<(), Break> {
        if self.is_probing {
            session.expect_a_sign_of_life(SIGN_OF_LIFE);
        } else if is_idle {
            session.expect_answers();
        }
        let uids = shard.uids();
        let fetch = match shard.past.empties {
            0 => self.fetch,
            // Whether there is anything to come, the size tells.
            _ => self.fetch.with_size(),
        };
        // In the pipeline first, so that a failure to send gives it back.
        self.pipeline.push(shard, Purpose::Messages, was_sound);
        self.send_fetch(session, &uids, fetch)
    }

    /// Asks once more for a message that has come, to see whether messages are served at all.
    fn send_control(&mut self, session: &mut Session) -> Result<(), Break> {
        let Some(uid) = self.run.control() else {
            return Ok(());
        };
        session.expect_answers();
        let position = u32::MAX;
        let shard = Shard {
            slots: vec![Slot { uid, position }],
            ..Shard::default()
        };
        let purpose = Purpose::Control { is_served: false };
        self.pipeline.push(shard, purpose, false);
        self.send_fetch(session, &UidSet::from(uid), self.fetch)
    }

    fn send_fetch(
        &mut self,
        session: &mut Session,
        uids: &UidSet,
        fetch: Fetch,
    ) -> Result<(), Break> {
        match session.send_fetch(uids, fetch) {
            Ok(tag) => {
                self.pipeline.sent(tag);
                Ok(())
            }
            Err(error) => Err(self.last_words(session, error)),
        }
    }

    /// Asks the server which of these it has, before any is asked for.
    fn survey(&mut self, session: &mut Session, uids: &UidSet) -> Result<(), Break> {
        let limit = self.sessions.settings().timeouts.search;
        let presence = match session.presence(uids, limit) {
            Ok(presence) => presence,
            Err(error) => {
                self.run.surveyed(None);
                return Err(error.into());
            }
        };
        if presence.there.len() + presence.gone.len() >= uids.len() {
            self.run.surveyed(Some(&presence.there));
            return Ok(());
        }
        self.run.surveyed(None);
        self.surveys += 1;
        let error = presence.refused.unwrap_or_else(|| {
            Error::protocol("the server does not say which messages of a set there are")
        });
        if self.surveys >= SURVEYS {
            return Err(Break::Resign(Resignation {
                error,
                is_verdict: true,
            }));
        }
        let advice = self.streak.refused(&self.sessions.settings().retry);
        self.follow(advice, error).map_err(Break::Resign)
    }
}

/// What goes back of a command that will not be answered any further: first what was missing.
fn unfinished(rest: Rest) -> (usize, Vec<Shard>) {
    let messages = rest.messages;
    let empty = rest
        .missing
        .part(rest.empty.iter().map(|empty| empty.slot).collect());
    let passed = rest
        .missing
        .part(rest.passed.iter().map(|(slot, _)| *slot).collect());
    (messages, vec![rest.missing, empty, passed])
}

/// Whether an error is about the account or the server and no message.
fn says_nothing_about_messages(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Throttled | ErrorKind::SessionLimit)
        || matches!(
            error.refusal(),
            Some(Refusal::UsedUp | Refusal::Credentials)
        )
}

/// Between a half and the whole of `delay`, so that workers that failed together do not come back
/// together.
fn jittered(delay: Duration) -> Duration {
    // The standard library's source of randomness that needs no dependency: a hasher's keys.
    let random = RandomState::new().hash_one(0) as u32;
    delay / 2 + (delay / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}
