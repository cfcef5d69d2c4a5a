//! What one worker has in flight: FETCH commands sent and not yet answered to the end, oldest
//! first. Decides whether an answer counts.

use std::collections::VecDeque;

use super::dispenser::Taker;
use super::shard::{Shard, Slot};
use crate::error::Error;
use crate::message::Message;
use crate::uid_set::Uid;

#[derive(Debug, Default)]
pub(super) struct Pipeline {
    commands: VecDeque<Command>,
    /// Messages that are still to come.
    missing: usize,
    /// When so few are left, it is time to look for more.
    low: usize,
}

/// A FETCH command whose end has not been seen.
#[derive(Debug)]
pub(super) struct Command {
    tag: u64,
    shard: Shard,
    states: Vec<State>,
    missing: usize,
    /// Where the next answer is expected.
    hint: usize,
    octets: u64,
    /// What came without content.
    empty: Vec<Empty>,
    /// It was sent while another was being answered.
    was_behind: bool,
    /// Before it was sent, the session answered something else.
    was_sound: bool,
    purpose: Purpose,
}

/// What has become of a message that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Missing,
    Came,
    /// There was no room for it, with these octets.
    Passed(u64),
    /// It came without content.
    Empty,
}

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its messages.
    Messages,
    /// Its messages, whose content another worker fetches by now: only its end is awaited.
    Nothing,
    /// To see whether messages are served at all. It asks for one that has come before.
    Control {
        /// That one came.
        is_served: bool,
    },
}

/// A message without content, with the size that the server tells for it.
#[derive(Debug)]
pub(super) struct Empty {
    pub(super) slot: Slot,
    pub(super) message: Message,
    pub(super) told: Option<u64>,
}

/// What is left of a command that is over.
#[derive(Debug)]
pub(super) struct Rest {
    /// How many messages it asked for.
    pub(super) messages: usize,
    /// How many came, and their octets.
    pub(super) came: u64,
    pub(super) octets: u64,
    pub(super) missing: Shard,
    /// What there was no room for, with its octets.
    pub(super) passed: Vec<(Slot, u64)>,
    pub(super) empty: Vec<Empty>,
    pub(super) purpose: Purpose,
    pub(super) was_sound: bool,
}

impl Pipeline {
    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Whether enough has been answered since [`top_up_done`](Pipeline::top_up_done) to look for
    /// more. Not after each message, because looking takes a lock.
    pub(super) fn is_low(&self) -> bool {
        self.missing <= self.low
    }

    pub(super) fn top_up_done(&mut self) {
        self.low = self.missing / 2;
    }

    /// There is room for more, whatever is in flight.
    pub(super) fn look_for_more(&mut self) {
        self.low = usize::MAX;
    }

    /// What is in flight, over the session with this number, for a worker that deals with so many
    /// messages in a round trip.
    pub(super) fn taker(&self, session: u64, per_round_trip: usize) -> Taker {
        Taker {
            commands: self.commands.len(),
            messages: self.missing,
            has_suspect: self
                .commands
                .iter()
                .any(|command| command.shard.past.is_suspect()),
            per_round_trip,
            session,
            parked_before: None,
        }
    }

    /// Takes a shard that is about to be asked for.
    pub(super) fn push(&mut self, shard: Shard, purpose: Purpose, was_sound: bool) {
        let missing = match purpose {
            Purpose::Messages => shard.slots.len(),
            Purpose::Nothing | Purpose::Control { .. } => 0,
        };
        self.missing += missing;
        self.commands.push_back(Command {
            tag: 0,
            states: vec![State::Missing; shard.slots.len()],
            missing,
            hint: 0,
            octets: 0,
            empty: Vec::new(),
            was_behind: !self.commands.is_empty(),
            was_sound,
            purpose,
            shard,
        });
    }

    /// Takes a shard that was asked for under this tag together with the login.
    pub(super) fn push_early(&mut self, shard: Shard, purpose: Purpose, tag: u64) {
        self.push(shard, purpose, false);
        if let Some(command) = self.commands.back_mut() {
            command.was_behind = true;
        }
        self.sent(tag);
        self.look_for_more();
    }

    /// Takes note of the tag under which the last shard was asked for.
    pub(super) fn sent(&mut self, tag: u64) {
        if let Some(command) = self.commands.back_mut() {
            command.tag = tag;
        }
    }

    /// The slot of a message that was asked for and has not been received.
    pub(super) fn expects(&self, uid: Uid) -> Option<Slot> {
        self.commands.iter().find_map(|command| {
            let at = command.open(uid)?;
            Some(command.shard.slots[at])
        })
    }

    /// Takes note of what came of a message that was asked for and has not been received, and
    /// returns its slot.
    pub(super) fn claim(&mut self, uid: Uid, octets: u64) -> Option<Slot> {
        self.close(uid, State::Came, octets)
    }

    /// The same for one that there was no room for.
    pub(super) fn pass(&mut self, uid: Uid, octets: u64) {
        self.close(uid, State::Passed(octets), 0);
    }

    fn close(&mut self, uid: Uid, state: State, octets: u64) -> Option<Slot> {
        let slot = self
            .commands
            .iter_mut()
            .find_map(|command| command.close(uid, state, octets))?;
        self.missing -= 1;
        Some(slot)
    }

    /// Keeps a message that came without content, until the end of its command. Returns it if
    /// nobody asked for it.
    pub(super) fn keep_empty(&mut self, message: Message, told: Option<u64>) -> bool {
        let uid = message.uid();
        for command in &mut self.commands {
            if let Some(slot) = command.close(uid, State::Empty, 0) {
                self.missing -= 1;
                command.empty.push(Empty {
                    slot,
                    message,
                    told,
                });
                return true;
            }
        }
        false
    }

    /// Whether this message was asked for to see whether messages are served.
    pub(super) fn serves_control(&mut self, uid: Uid) -> bool {
        let command = self.commands.front_mut();
        command.is_some_and(|command| match &mut command.purpose {
            Purpose::Control { is_served } => {
                let is_it = command.shard.slots.iter().any(|slot| slot.uid == uid);
                *is_served |= is_it;
                is_it
            }
            _ => false,
        })
    }

    /// Whether what comes now is nobody's business any more.
    pub(super) fn awaits_nothing(&self) -> bool {
        let command = self.commands.front();
        command.is_some_and(|command| command.purpose == Purpose::Nothing)
    }

    /// Notes why messages will be found missing: this one, or, without a UID, some of those that
    /// are due first.
    pub(super) fn note(&mut self, uid: Option<Uid>, error: Error) {
        let command = match uid {
            Some(uid) => self
                .commands
                .iter_mut()
                .find(|command| command.find(uid).is_some()),
            None => self.commands.front_mut(),
        };
        if let Some(command) = command {
            command.shard.past.error = Some(error);
        }
    }

    /// The first position in the order of the run that is still to come.
    pub(super) fn first_missing(&self) -> Option<u32> {
        self.commands
            .iter()
            .filter_map(Command::first_missing)
            .min()
    }

    /// Takes out the command with this tag, which is over.
    pub(super) fn complete(&mut self, tag: u64) -> Option<Rest> {
        let at = self
            .commands
            .iter()
            .position(|command| command.tag == tag)?;
        let command = self.commands.remove(at)?;
        self.missing -= command.missing;
        self.look_for_more();
        Some(command.into_rest())
    }

    /// Takes out everything.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Rest> + use<> {
        let drained = std::mem::take(self);
        drained.commands.into_iter().map(Command::into_rest)
    }

    /// Whether it looks as if the server had dropped what was sent while it was answering: the
    /// command that is due was sent that early, and has had no answer at all.
    pub(super) fn looks_dropped(&self) -> bool {
        self.commands
            .iter()
            .find(|command| command.missing > 0)
            .is_some_and(|command| command.was_behind && command.missing == command.states.len())
    }
}

impl Command {
    fn into_rest(self) -> Rest {
        let messages = match self.purpose {
            Purpose::Messages => self.states.len(),
            Purpose::Nothing | Purpose::Control { .. } => 0,
        };
        let (mut missing, mut passed, mut came) = (Vec::new(), Vec::new(), 0);
        if messages > 0 {
            for (slot, state) in self.shard.slots.iter().zip(&self.states) {
                match state {
                    State::Missing => missing.push(*slot),
                    State::Came => came += 1,
                    State::Passed(octets) => passed.push((*slot, *octets)),
                    State::Empty => {}
                }
            }
        }
        Rest {
            messages,
            came,
            octets: self.octets,
            missing: self.shard.part(missing),
            passed,
            empty: self.empty,
            purpose: self.purpose,
            was_sound: self.was_sound,
        }
    }

    fn find(&self, uid: Uid) -> Option<usize> {
        if self.purpose != Purpose::Messages {
            return None;
        }
        let slots = &self.shard.slots;
        // Servers answer in the order of the UIDs, nearly all of them.
        if slots.get(self.hint).is_some_and(|slot| slot.uid == uid) {
            return Some(self.hint);
        }
        slots.binary_search_by_key(&uid, |slot| slot.uid).ok()
    }

    fn open(&self, uid: Uid) -> Option<usize> {
        self.find(uid)
            .filter(|at| self.states[*at] == State::Missing)
    }

    fn close(&mut self, uid: Uid, state: State, octets: u64) -> Option<Slot> {
        let at = self.open(uid)?;
        self.states[at] = state;
        self.hint = at + 1;
        self.missing -= 1;
        self.octets += octets;
        Some(self.shard.slots[at])
    }

    fn first_missing(&self) -> Option<u32> {
        if self.missing == 0 {
            return None;
        }
        let slots = self.shard.slots.iter().zip(&self.states);
        let missing = slots.filter(|(_, state)| **state == State::Missing);
        missing.map(|(slot, _)| slot.position).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    fn shard(uids: impl IntoIterator<Item = u32>) -> Shard {
        let slot = |number| Slot {
            uid: uid(number),
            position: number,
        };
        Shard {
            slots: uids.into_iter().map(slot).collect(),
            ..Shard::default()
        }
    }

    fn push(pipeline: &mut Pipeline, uids: impl IntoIterator<Item = u32>, tag: u64) {
        pipeline.push(shard(uids), Purpose::Messages, false);
        pipeline.sent(tag);
    }

    #[test]
    fn an_answer_counts_once_and_only_if_it_was_asked_for() {
        let mut pipeline = Pipeline::default();
        push(&mut pipeline, [1, 5, 9], 1);
        push(&mut pipeline, [12, 13], 2);
        for number in [5, 13, 1] {
            assert_eq!(
                pipeline.claim(uid(number), 10).map(|slot| slot.position),
                Some(number)
            );
            assert!(pipeline.claim(uid(number), 10).is_none(), "a duplicate");
        }
        assert!(pipeline.claim(uid(7), 10).is_none(), "never asked for");
        assert_eq!(pipeline.first_missing(), Some(9));
        assert_eq!(pipeline.taker(1, 0).messages, 2);
        let first = pipeline.complete(1).unwrap();
        assert_eq!((first.came, first.octets, first.messages), (2, 20, 3));
        assert_eq!(first.missing.uids().to_string(), "9");
        assert!(pipeline.complete(1).is_none());
        let rest: Vec<_> = pipeline.drain().map(|rest| rest.missing.uids()).collect();
        assert_eq!(rest[0].to_string(), "12");
        assert!(pipeline.is_empty());
    }

    #[test]
    fn what_there_was_no_room_for_is_neither_here_nor_missing() {
        let mut pipeline = Pipeline::default();
        push(&mut pipeline, [1, 2, 3], 1);
        pipeline.pass(uid(2), 77);
        assert!(pipeline.expects(uid(2)).is_none());
        assert_eq!(pipeline.first_missing(), Some(1));
        let rest = pipeline.complete(1).unwrap();
        assert_eq!(rest.missing.uids().to_string(), "1,3");
        let passed: Vec<_> = rest
            .passed
            .iter()
            .map(|(slot, octets)| (slot.uid.get(), *octets))
            .collect();
        assert_eq!(passed, [(2, 77)]);
    }

    #[test]
    fn a_control_asks_for_nothing_that_counts() {
        let mut pipeline = Pipeline::default();
        pipeline.push(shard([4]), Purpose::Control { is_served: false }, false);
        pipeline.sent(1);
        assert!(pipeline.expects(uid(4)).is_none() && pipeline.first_missing().is_none());
        assert!(!pipeline.serves_control(uid(5)) && pipeline.serves_control(uid(4)));
        let rest = pipeline.complete(1).unwrap();
        assert_eq!(rest.purpose, Purpose::Control { is_served: true });
        assert!(rest.missing.slots.is_empty() && rest.messages == 0);
    }

    #[test]
    fn silence_after_an_answer_to_the_command_before_looks_like_a_dropped_command() {
        let mut pipeline = Pipeline::default();
        push(&mut pipeline, [1], 1);
        push(&mut pipeline, [2], 2);
        assert!(!pipeline.looks_dropped());
        pipeline.claim(uid(1), 0);
        pipeline.complete(1);
        assert!(pipeline.looks_dropped());
    }
}
