//! What the responses to FETCH mean for a worker: messages to hand on, messages to ask for again,
//! messages to give up.

use std::sync::atomic::Ordering;

use super::{Arrival, Break, Content, MESSAGE_ATTEMPTS, Resignation, Worker};
use crate::error::{Error, ErrorKind, Result, excerpt};
use crate::event::Event;
use crate::fetch::{Answer, Body, Fetched};
use crate::message::Message;
use crate::pool::dispenser::{Shard, Slot};
use crate::pool::pipeline::Command;
use crate::pool::run::Admission;
use crate::session::{Refusal, Session, is_about_limit};
use crate::transport::Condition;

/// How many responses are looked through for a goodbye on a connection that is closed already.
const LAST_WORDS: usize = 100;

impl Worker<'_> {
    /// Reads one response and deals with it.
    pub(super) fn receive(&mut self, session: &mut Session) -> Result<(), Break> {
        let mut held = 0;
        let mut yields = false;
        let (run, sessions, pipeline) = (self.run, self.sessions, &self.pipeline);
        let answer = session.next_answer(&mut self.reader, |uid, octets| {
            if uid.is_some_and(|uid| !pipeline.expects(uid)) {
                return Ok(false);
            }
            match run.admit(
                octets,
                || pipeline.first_missing(),
                || sessions.is_one_wanted(),
            )? {
                Admission::Granted => {
                    held += octets;
                    Ok(true)
                }
                Admission::Yield => {
                    yields = true;
                    Err(Error::cancelled())
                }
            }
        });
        let mut is_taken = false;
        let result = match answer {
            Ok(Answer::Fetched(Fetched {
                uid,
                body: Body::Nil,
                ..
            })) => {
                // Left open, so that it is asked for once more.
                self.pipeline
                    .note(Some(uid), Error::new(ErrorKind::NoBody, "it sent NIL"));
                Ok(())
            }
            Ok(Answer::Part) => {
                // Held until the rest of the message comes.
                is_taken = true;
                Ok(())
            }
            Ok(Answer::Fetched(fetched)) => {
                held += fetched.earlier;
                match self.pipeline.claim(fetched.uid, held) {
                    Some(slot) => {
                        is_taken = true;
                        self.reader.was_answered();
                        if std::mem::take(&mut self.is_probing) {
                            session.expect_answers();
                        }
                        self.arrived(slot, fetched, held);
                    }
                    None => self.unsolicited(),
                }
                Ok(())
            }
            Ok(Answer::Garbled { uid, excerpt }) => {
                let error = Error::protocol(format!("the answer cannot be parsed: {excerpt}"));
                match uid.and_then(|uid| self.pipeline.claim(uid, 0)) {
                    Some(slot) => self.fail(slot, error, 0),
                    // Some message will be found missing; then this is why.
                    None => self.pipeline.note(None, error),
                }
                Ok(())
            }
            Ok(Answer::Completed { tag, status }) => {
                let is_ok = status.condition == Condition::Ok;
                let refusal = Refusal::of(status.code_word().as_deref(), status.text);
                let error = match refusal {
                    Refusal::Throttled(_) => {
                        Error::new(ErrorKind::Throttled, excerpt(status.text)).in_context("FETCH")
                    }
                    _ => Error::server(status.code_word(), status.text, "FETCH"),
                };
                let is_bad = status.condition == Condition::Bad;
                let command = self.pipeline.complete(tag);
                if command.is_some() {
                    self.reader.was_answered();
                }
                match command {
                    Some(command) if is_ok => self.completed(session, command, refusal, None),
                    Some(command) if is_bad => self.not_understood(session, command, error),
                    Some(command) => self.completed(session, command, refusal, Some(error)),
                    None => Ok(()),
                }
            }
            Ok(Answer::Bye { status }) => {
                let code = status.code_word();
                let text = excerpt(status.text);
                Err(self.dismissed(code.as_deref(), &text))
            }
            Ok(Answer::Unasked) => {
                self.unsolicited();
                Ok(())
            }
            Ok(Answer::Unrelated) => Ok(()),
            Err(_) if yields => Err(Break::Yielded),
            Err(error) => Err(error.into()),
        };
        // What was held for a message that never became one.
        if !is_taken {
            run.release(held);
        }
        result
    }

    fn unsolicited(&self) {
        let unsolicited = &self.run.totals().unsolicited;
        unsolicited.fetch_add(1, Ordering::Relaxed);
    }

    /// A command cannot be sent any more. The server may have said why.
    pub(super) fn last_words(&mut self, session: &mut Session, error: Error) -> Break {
        // The connection is closed, so this waits for nothing.
        for _ in 0..LAST_WORDS {
            let nothing_more = |_, _| Err(Error::cancelled());
            match session.next_answer(&mut self.reader, nothing_more) {
                Ok(Answer::Bye { status }) => {
                    let code = status.code_word();
                    let text = excerpt(status.text);
                    return self.dismissed(code.as_deref(), &text);
                }
                Ok(Answer::Fetched(fetched)) => self.run.release(fetched.earlier),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        error.into()
    }

    /// The server said goodbye. It may have a reason that holds for the next session as well.
    fn dismissed(&mut self, code: Option<&str>, text: &str) -> Break {
        let said = format!("the server said goodbye: {text}");
        if is_about_limit(code, text.as_bytes()) {
            self.sessions.use_one_less();
            return Error::new(ErrorKind::SessionLimit, said).into();
        }
        match Refusal::of(code, text.as_bytes()) {
            Refusal::UsedUp => Break::Resign(Resignation {
                error: Error::server(code.map(str::to_owned), text.as_bytes(), "goodbye"),
                is_verdict: true,
            }),
            Refusal::Throttled(hint) => {
                self.sessions
                    .throttled(hint.unwrap_or(self.sessions.settings().retry.max_delay));
                Error::new(ErrorKind::Throttled, said).into()
            }
            Refusal::Passing | Refusal::Other => Error::new(ErrorKind::Disconnected, said).into(),
        }
    }

    fn arrived(&mut self, slot: Slot, fetched: Fetched, held: u64) {
        let Fetched {
            uid,
            flags,
            internal_date,
            size,
            body,
            gmail,
            ..
        } = fetched;
        match body {
            Body::Octets(raw) => {
                let octets = raw.len() as u64;
                self.run.received(octets);
                self.patience.delivered();
                let size = size.unwrap_or(octets);
                let message = Message::new(uid, flags, internal_date, size, raw).with_gmail(gmail);
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

    pub(super) fn fail(&mut self, slot: Slot, error: Error, held: u64) {
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

    /// A command was answered with BAD: the line may be too long for this server. It is tried in
    /// halves.
    fn not_understood(
        &mut self,
        session: &mut Session,
        command: Command,
        error: Error,
    ) -> Result<(), Break> {
        let (messages, _) = command.received();
        if messages > 0 || command.missing() < 2 {
            return self.completed(session, command, Refusal::Other, Some(error));
        }
        self.run.give_back_in_halves(command.into_rest());
        Ok(())
    }

    /// A command is over. What its answer left out is asked for again, and then looked into.
    fn completed(
        &mut self,
        session: &mut Session,
        command: Command,
        refusal: Refusal,
        error: Option<Error>,
    ) -> Result<(), Break> {
        self.sink.flush();
        if let Refusal::Throttled(hint) = refusal {
            self.sessions
                .throttled(hint.unwrap_or(self.sessions.settings().retry.max_delay));
        }
        if command.missing() == 0 {
            let (messages, octets) = command.received();
            self.run.complete(messages, octets);
            return Ok(());
        }
        let mut shard = command.into_rest();
        shard.deaths = 0;
        match (refusal, error) {
            (Refusal::UsedUp, Some(error)) => {
                self.run.give_back([shard]);
                return Err(Break::Resign(Resignation {
                    error,
                    is_verdict: true,
                }));
            }
            // Nobody's fault: the same is asked again later.
            (Refusal::Throttled(_) | Refusal::Passing, Some(error)) => {
                self.run.give_back([shard]);
                let advice = self.patience.refused(&error, 0);
                return self.follow(advice, error).map_err(Break::Resign);
            }
            (_, error) => shard.error = error.or(shard.error),
        }
        shard.absences += 1;
        let result = match shard.absences {
            1 => Ok(()),
            _ => self.look_into(session, &mut shard),
        };
        // Perhaps one of them only, for which the server refuses the whole command.
        if was_refused(&shard) && shard.slots.len() > 1 && shard.absences > 1 {
            shard.absences = 1;
            self.run.give_back_in_parts(shard);
        } else {
            self.run.give_back([shard]);
        }
        Ok(result?)
    }

    /// Of a shard left out twice, reports what is gone, and what is there but withheld too often.
    /// Being suspect, the shard is alone, so the connection is free for a question.
    fn look_into(&mut self, session: &mut Session, shard: &mut Shard) -> Result<()> {
        let limit = self.sessions.settings().timeouts.search;
        let there = session.still_there(&shard.uids(), limit)?;
        session.expect_answers();
        let attempts = shard.absences;
        // A server that refuses everything must not be asked for each message on its own.
        let may_go_on = !was_refused(shard) || shard.slots.len() < 2 || self.run.may_look_on();
        for slot in std::mem::take(&mut shard.slots) {
            if !there.contains(slot.uid) {
                self.emit(&Event::MessageGone { uid: slot.uid });
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
            if has_said_no || attempts >= MESSAGE_ATTEMPTS || !may_go_on {
                self.fail(slot, error.with_attempts(attempts), 0);
            } else {
                shard.slots.push(slot);
            }
        }
        Ok(())
    }
}

/// Whether what was last said about them is a NO, and not that something is missing.
fn was_refused(shard: &Shard) -> bool {
    let error = shard.error.as_ref();
    error.is_some_and(|error| matches!(error.kind(), ErrorKind::Server { .. }))
}
