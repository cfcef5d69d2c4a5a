//! What the responses to FETCH mean for a worker: messages to hand on, messages to ask for again,
//! messages to give up.

use super::{Break, Worker};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::fetch::{Answer, Body, Fetched, is_substitute};
use crate::message::Message;
use crate::pool::pipeline::{Empty, Purpose, Rest};
use crate::pool::run::{Admission, Resignation};
use crate::pool::shard::{Shard, Slot};
use crate::pool::sink::{Arrival, Content, Flushed};
use crate::pool::verdict::{Answered, Broken, Fate, Mood};
use crate::refusal::Refusal;
use crate::session::{Presence, Session};
use crate::transport::{Condition, Status};
use crate::uid_set::{Uid, UidSet};

/// How many responses are looked through for a goodbye on a connection that is closed already.
const LAST_WORDS: usize = 100;

impl Worker<'_> {
    /// Reads one response and deals with it.
    pub(super) fn receive(&mut self, session: &mut Session) -> Result<(), Break> {
        let mut held = 0;
        let mut yields = false;
        let mut passed = None;
        let mut unasked = None;
        let (run, sessions, pipeline) = (self.run, self.sessions, &self.pipeline);
        let sink = &mut *self.sink;
        let answer = session.next_answer(&mut self.reader, |uid, octets| {
            let slot = uid.and_then(|uid| pipeline.expects(uid));
            if uid.is_some() && slot.is_none() {
                unasked = uid;
                return Ok(false);
            }
            let admission = run.admit(
                octets,
                slot.map(|slot| slot.position),
                || Flushed::new(&mut *sink),
                || pipeline.first_missing(),
                || sessions.is_one_wanted(run.id()),
            )?;
            match admission {
                Admission::Granted => {
                    held += octets;
                    Ok(true)
                }
                Admission::Pass => {
                    passed = uid.map(|uid| (uid, octets));
                    Ok(false)
                }
                Admission::Yield => {
                    yields = true;
                    Err(Error::cancelled())
                }
            }
        });
        let mut is_taken = false;
        let result = match answer {
            Ok(Answer::Part) => {
                // Held until the rest of the message comes.
                is_taken = true;
                Ok(())
            }
            Ok(Answer::Fetched(fetched)) => {
                held += fetched.earlier;
                is_taken = self.fetched(session, fetched, held);
                Ok(())
            }
            Ok(Answer::Garbled { uid, excerpt }) => {
                // A message will be found missing, and be asked for again; then this is why.
                let error = Error::protocol(format!("the answer cannot be parsed: {excerpt}"));
                self.pipeline.note(uid, error);
                Ok(())
            }
            Ok(Answer::Completed { tag, status }) => {
                let code = status.code_word();
                let refusal = Refusal::of(status.condition, code.as_deref(), status.text);
                let error = (status.condition != Condition::Ok)
                    .then(|| Error::refused(status.condition, code, status.text, "FETCH"));
                match self.pipeline.complete(tag) {
                    Some(rest) => {
                        self.reader.was_answered();
                        self.completed(session, rest, refusal, error)
                    }
                    None => Ok(()),
                }
            }
            Ok(Answer::Bye { status }) => Err(goodbye(&status).into()),
            Ok(Answer::Unasked) => {
                match (passed, unasked) {
                    (Some((uid, octets)), _) => self.passed_by(session, uid, octets),
                    (None, Some(uid)) => self.unsolicited(uid),
                    (None, None) => {}
                }
                Ok(())
            }
            Ok(Answer::Unrelated) => Ok(()),
            Err(_) if yields => Err(Break::Yielded),
            Err(error) => Err(error.into()),
        };
        if !is_taken {
            self.run.release(held);
        }
        result
    }

    /// A command cannot be sent any more. The server may have said why.
    pub(super) fn last_words(&mut self, session: &mut Session, error: Error) -> Break {
        // The connection is closed, so this waits for nothing.
        for _ in 0..LAST_WORDS {
            let nothing_more = |_, _| Err(Error::cancelled());
            match session.next_answer(&mut self.reader, nothing_more) {
                Ok(Answer::Bye { status }) => return goodbye(&status).into(),
                Ok(Answer::Fetched(fetched)) => self.run.release(fetched.earlier),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        error.into()
    }

    /// A message that nobody waits for.
    fn unsolicited(&mut self, uid: Uid) {
        if self.pipeline.serves_control(uid) {
            self.reader.was_answered();
        } else if !self.pipeline.awaits_nothing() {
            self.run.totals().unsolicited.add(1);
        }
    }

    /// There was no room for a message. It comes again in its turn.
    fn passed_by(&mut self, session: &mut Session, uid: Uid, octets: u64) {
        self.pipeline.pass(uid, octets);
        self.run.observe(1, octets);
        self.answered(session);
    }

    /// Something came that was asked for.
    fn answered(&mut self, session: &mut Session) {
        self.reader.was_answered();
        if std::mem::take(&mut self.is_probing) {
            session.expect_answers();
        }
    }

    /// A message came, or what the server says instead of it. Returns whether its octets are with
    /// the sink.
    fn fetched(&mut self, session: &mut Session, fetched: Fetched, held: u64) -> bool {
        let uid = fetched.uid;
        let note = |worker: &mut Self, text| {
            // Left open, so that it is asked for once more.
            let error = Error::new(ErrorKind::NoBody, text);
            worker.pipeline.note(Some(uid), error);
        };
        match &fetched.body {
            Body::Nil => {
                note(self, "it sent NIL");
                return false;
            }
            Body::Octets(octets) if self.fetch.has_body() && octets.is_empty() => {
                let told = fetched.size;
                if let Some(message) = message(fetched)
                    && !self.pipeline.keep_empty(message, told)
                {
                    self.unsolicited(uid);
                }
                return false;
            }
            Body::Octets(octets) if self.fetch.has_body() && is_substitute(octets, uid) => {
                note(self, "it sent a text of its own in place of the message");
                return false;
            }
            Body::Octets(_) | Body::TooLarge { .. } => {}
        }
        let Some(slot) = self.pipeline.claim(uid, held) else {
            self.unsolicited(uid);
            return false;
        };
        self.answered(session);
        if let Body::TooLarge { octets: size } = fetched.body {
            let limit = self.sessions.settings().max_message_size;
            let error = Error::new(ErrorKind::TooLarge { size, limit }, "");
            self.fail(slot, error, held);
        } else if let Some(message) = message(fetched) {
            self.deliver(slot, message, held);
        }
        true
    }

    fn deliver(&mut self, slot: Slot, message: Message, held: u64) {
        self.run.received(slot.uid, message.raw().len() as u64);
        self.streak.end();
        self.doubt = None;
        let (sessions, sink) = (self.sessions, &mut *self.sink);
        let content = Content::Message(message);
        sessions.holding(|| {
            sink.take(Arrival {
                slot,
                content,
                held,
            });
        });
    }

    /// A command is over. What its answer left out is asked for again, and then looked into.
    fn completed(
        &mut self,
        session: &mut Session,
        mut rest: Rest,
        refusal: Option<Refusal>,
        error: Option<Error>,
    ) -> Result<(), Break> {
        match rest.purpose {
            Purpose::Messages => {}
            Purpose::Control { is_served } => {
                self.is_sound = is_served;
                if is_served {
                    self.run.served_control();
                    self.streak.pause();
                }
            }
            Purpose::Nothing => {}
        }
        self.run.observe(rest.came, rest.octets);
        let mut back = Vec::new();
        let (passed, empty) = (
            std::mem::take(&mut rest.passed),
            std::mem::take(&mut rest.empty),
        );
        let is_partial = rest.came > 0 || !passed.is_empty() || !empty.is_empty();
        let (messages, mut missing) = (rest.messages, rest.missing);
        // Each alone, since there was no room for them together.
        back.extend(passed.iter().map(|(slot, _)| Shard {
            slots: vec![*slot],
            ..Shard::default()
        }));
        let mut result = self.look_at_empty(session, &missing, empty, &mut back);
        let mut mood = match refusal {
            Some(Refusal::Throttled(_) | Refusal::Limit | Refusal::SessionLimit) => Mood::SlowDown,
            Some(Refusal::UsedUp | Refusal::Credentials) => Mood::Stop,
            _ => Mood::GoOn,
        };
        if !missing.slots.is_empty() {
            if is_partial {
                missing.past.deaths = 0;
            }
            let answered = Answered {
                missing: missing.slots.len(),
                is_partial,
                served: self.run.totals().served.get(),
                is_last: self.run.is_last(),
            };
            let fate;
            (fate, mood) = match (refusal, &error) {
                (Some(refusal), Some(_)) => missing.past.refused(refusal, answered),
                _ => (missing.past.left_out(answered), mood),
            };
            if error.is_some() {
                missing.past.error.clone_from(&error);
            }
            match &result {
                Ok(()) => result = self.carry_out(session, fate, missing, &mut back),
                Err(_) => back.push(missing),
            }
        }
        if messages > 0 {
            self.run.close(messages, back);
        }
        result?;
        match mood {
            Mood::GoOn => Ok(()),
            Mood::Doubt => {
                self.doubt = error;
                Ok(())
            }
            Mood::SlowDown => self.slow_down(refusal, error),
            Mood::Stop => {
                let error = error.unwrap_or_else(|| Error::new(ErrorKind::Throttled, ""));
                Err(Break::Resign(Resignation {
                    error,
                    is_verdict: true,
                }))
            }
        }
    }

    /// The server asks for less. It does not do so for ever while nothing is served.
    fn slow_down(&mut self, refusal: Option<Refusal>, error: Option<Error>) -> Result<(), Break> {
        let is_news = self.sessions.throttled(refusal.and_then(Refusal::hint));
        match error {
            Some(error) if is_news => {
                let advice = self.streak.refused(&self.sessions.settings().retry);
                match advice {
                    // As long as the server asked for, and no longer.
                    crate::pool::verdict::Advice::Retry(_) => Ok(()),
                    advice => self.follow(advice, error).map_err(Break::Resign),
                }
            }
            _ => Ok(()),
        }
    }

    /// Does with messages that did not come what was decided about them.
    fn carry_out(
        &mut self,
        session: &mut Session,
        fate: Fate,
        mut shard: Shard,
        back: &mut Vec<Shard>,
    ) -> Result<(), Break> {
        match fate {
            Fate::Again => {}
            Fate::Halves => back.push(shard.split()),
            Fate::ShorterLines => {
                self.run.shorten_lines(&shard.uids());
                back.push(shard.split());
            }
            Fate::LookInto => return self.look_into(session, shard, back),
            Fate::Fail => {
                let attempts = shard.past.refusals.max(shard.past.absences);
                let error = shard.past.error.take().unwrap_or_else(|| {
                    Error::new(ErrorKind::NoBody, "its answers leave the message out")
                });
                for slot in shard.slots.drain(..) {
                    self.fail(slot, error.clone().with_attempts(attempts), 0);
                }
                // One that was found is progress: what was refused with it may come now.
                self.streak.end();
            }
        }
        back.push(shard);
        Ok(())
    }

    /// Asks whether the server has these messages. What is gone is told; of what is there the past
    /// decides. Being suspect, they are alone, so that the connection is free for a question.
    fn look_into(
        &mut self,
        session: &mut Session,
        mut shard: Shard,
        back: &mut Vec<Shard>,
    ) -> Result<(), Break> {
        if !self.pipeline.is_empty() {
            back.push(shard);
            return Ok(());
        }
        // A session that is at its end in any case says nothing about them.
        if let Err(error) = session.check(self.sessions.settings().timeouts.read) {
            back.push(shard);
            return Err(error.into());
        }
        let presence = match self.presence(session, &shard.uids()) {
            Ok(presence) => presence,
            Err(error) => {
                // The question counts against them as a FETCH would.
                let broken = Broken {
                    id: session.id(),
                    newest: Session::newest_id(),
                    had_progress: false,
                    was_sound: true,
                };
                self.blame(&mut shard, &error, broken);
                back.push(shard);
                return Err(error.into());
            }
        };
        let (gone, rest) = shard
            .slots
            .drain(..)
            .partition(|slot| presence.gone.contains(slot.uid));
        self.are_gone(gone);
        shard.slots = rest;
        if shard.slots.is_empty() {
            return Ok(());
        }
        let is_known = shard
            .slots
            .iter()
            .all(|slot| presence.there.contains(slot.uid));
        if let Some(error) = presence.refused {
            if !is_known && error.refusal().is_some_and(Refusal::may_pass) {
                // It is asked again when that has passed.
                self.sessions.learn(&error);
                self.doubt = Some(error);
                shard.past.absences = shard.past.absences.min(1);
                back.push(shard);
                return Ok(());
            }
            shard.past.error.get_or_insert(error);
        }
        let fate = shard.past.there(shard.slots.len());
        self.carry_out(session, fate, shard, back)
    }

    fn presence(&mut self, session: &mut Session, uids: &UidSet) -> Result<Presence> {
        let limit = self.sessions.settings().timeouts.search;
        let presence = session.presence(uids, limit)?;
        session.expect_answers();
        Ok(presence)
    }

    fn are_gone(&mut self, slots: Vec<Slot>) {
        for slot in slots {
            self.emit(&Event::MessageGone { uid: slot.uid });
            self.sink.take(Arrival {
                slot,
                content: Content::Gone,
                held: 0,
            });
        }
    }

    /// Messages that came without content are looked at again over a newer session. `missing` has
    /// their past.
    fn look_at_empty(
        &mut self,
        session: &mut Session,
        missing: &Shard,
        empty: Vec<Empty>,
        back: &mut Vec<Shard>,
    ) -> Result<(), Break> {
        let mut again = missing.part(Vec::new());
        again.past.newer_than = session.id();
        let mut doubtful = Vec::new();
        for Empty {
            slot,
            message,
            told,
        } in empty
        {
            let mut past = missing.past.clone();
            match past.came_empty(told) {
                Fate::LookInto => doubtful.push((slot, message)),
                Fate::Fail => {
                    let text = match told {
                        Some(size) => format!("it says {size} bytes and sends none"),
                        None => "it sends a message without content, and no size".to_owned(),
                    };
                    let error = Error::new(ErrorKind::NoBody, text);
                    self.fail(slot, error.with_attempts(past.empties), 0);
                }
                _ => {
                    again.past.empties = past.empties;
                    again.slots.push(slot);
                }
            }
        }
        let slots = doubtful.iter().map(|(slot, _)| *slot).collect();
        back.push(again);
        if doubtful.is_empty() {
            return Ok(());
        }
        if !self.pipeline.is_empty() {
            back.push(missing.part(slots));
            return Ok(());
        }
        let uids = slots.iter().map(|slot| slot.uid).collect();
        let presence = match self.presence(session, &uids) {
            Ok(presence) => presence,
            Err(error) => {
                back.push(missing.part(slots));
                return Err(error.into());
            }
        };
        for (slot, message) in doubtful {
            match presence.gone.contains(slot.uid) {
                true => self.are_gone(vec![slot]),
                // It is there, it has a size of 0, and nothing is what came twice.
                false => self.deliver(slot, message, 0),
            }
        }
        Ok(())
    }
}

fn goodbye(status: &Status<'_>) -> Error {
    let code = status.code_word();
    Error::refused(Condition::Bye, code, status.text, "the server said goodbye")
}

/// `None` if there is no body.
fn message(fetched: Fetched) -> Option<Message> {
    let Fetched {
        uid,
        flags,
        internal_date,
        size,
        body,
        gmail,
        earlier: _,
    } = fetched;
    let Body::Octets(raw) = body else { return None };
    let size = size.unwrap_or(raw.len() as u64);
    Some(Message::new(uid, flags, internal_date, size, raw).with_gmail(gmail))
}
