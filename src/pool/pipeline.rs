//! What one worker has in flight: FETCH commands sent and not yet answered to the end, oldest
//! first. Decides whether an answer counts.

use std::collections::VecDeque;

use super::dispenser::{InFlight, Shard, Slot};
use crate::error::Error;
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
    answered: Vec<bool>,
    missing: usize,
    /// Where the next answer is expected.
    hint: usize,
    octets: u64,
    /// It was sent while another was being answered.
    was_behind: bool,
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

    /// What is in flight, for a worker that deals with so many messages in a round trip.
    pub(super) fn in_flight(&self, per_round_trip: usize) -> InFlight {
        InFlight {
            commands: self.commands.len(),
            messages: self.missing,
            has_suspect: self
                .commands
                .iter()
                .any(|command| command.shard.is_suspect()),
            per_round_trip,
        }
    }

    /// Takes a shard that is about to be asked for.
    pub(super) fn push(&mut self, shard: Shard) {
        self.push_behind(shard, !self.commands.is_empty());
    }

    /// Takes a shard that is about to be asked for together with the login.
    pub(super) fn push_early(&mut self, shard: Shard) {
        self.push_behind(shard, true);
        // There is room for more, once it is known that there is a session.
        self.low = usize::MAX;
    }

    fn push_behind(&mut self, shard: Shard, was_behind: bool) {
        let missing = shard.slots.len();
        self.missing += missing;
        self.commands.push_back(Command {
            tag: 0,
            answered: vec![false; missing],
            missing,
            hint: 0,
            octets: 0,
            was_behind,
            shard,
        });
    }

    /// Takes note of the tag under which the last shard was asked for.
    pub(super) fn sent(&mut self, tag: u64) {
        if let Some(command) = self.commands.back_mut() {
            command.tag = tag;
        }
    }

    /// Whether a message was asked for and has not been received.
    pub(super) fn expects(&self, uid: Uid) -> bool {
        let mut commands = self.commands.iter();
        commands.any(|command| command.find(uid).is_some_and(|at| !command.answered[at]))
    }

    /// Finds the place of a message that was asked for and has not been received. It is received
    /// then.
    pub(super) fn claim(&mut self, uid: Uid, octets: u64) -> Option<Slot> {
        let slot = self
            .commands
            .iter_mut()
            .find_map(|command| command.claim(uid, octets))?;
        self.missing -= 1;
        Some(slot)
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
            command.shard.error = Some(error);
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
    pub(super) fn complete(&mut self, tag: u64) -> Option<Command> {
        let at = self
            .commands
            .iter()
            .position(|command| command.tag == tag)?;
        let command = self.commands.remove(at)?;
        self.missing -= command.missing;
        // There is room for another.
        self.low = usize::MAX;
        Some(command)
    }

    /// Takes out everything.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Command> + use<> {
        let drained = std::mem::take(self);
        drained.commands.into_iter()
    }

    /// Whether it looks as if the server had dropped what was sent while it was answering: the
    /// command that is due was sent that early, and has had no answer at all.
    pub(super) fn looks_dropped(&self) -> bool {
        self.commands
            .iter()
            .find(|command| command.missing > 0)
            .is_some_and(|command| command.was_behind && !command.has_progress())
    }
}

impl Command {
    pub(super) fn has_progress(&self) -> bool {
        self.missing < self.answered.len()
    }

    pub(super) fn missing(&self) -> usize {
        self.missing
    }

    /// Messages answered and their octets.
    pub(super) fn received(&self) -> (u64, u64) {
        ((self.answered.len() - self.missing) as u64, self.octets)
    }

    /// What was not answered.
    pub(super) fn into_rest(mut self) -> Shard {
        let mut answered = self.answered.iter();
        self.shard.slots.retain(|_| answered.next() == Some(&false));
        self.shard
    }

    fn find(&self, uid: Uid) -> Option<usize> {
        let slots = &self.shard.slots;
        // Servers answer in the order of the UIDs, nearly all of them.
        if slots.get(self.hint).is_some_and(|slot| slot.uid == uid) {
            return Some(self.hint);
        }
        slots.binary_search_by_key(&uid, |slot| slot.uid).ok()
    }

    fn claim(&mut self, uid: Uid, octets: u64) -> Option<Slot> {
        let at = self.find(uid)?;
        if std::mem::replace(&mut self.answered[at], true) {
            return None;
        }
        self.hint = at + 1;
        self.missing -= 1;
        self.octets += octets;
        Some(self.shard.slots[at])
    }

    fn first_missing(&self) -> Option<u32> {
        let slots = self.shard.slots.iter().zip(&self.answered);
        let missing = slots.filter(|(_, answered)| !**answered);
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

    #[test]
    fn an_answer_counts_once_and_only_if_it_was_asked_for() {
        let mut pipeline = Pipeline::default();
        pipeline.push(shard([1, 5, 9]));
        pipeline.sent(1);
        pipeline.push(shard([12, 13]));
        pipeline.sent(2);
        for number in [5, 13, 1] {
            assert_eq!(
                pipeline.claim(uid(number), 10).map(|slot| slot.position),
                Some(number)
            );
            assert!(pipeline.claim(uid(number), 10).is_none(), "a duplicate");
        }
        assert!(pipeline.claim(uid(7), 10).is_none(), "never asked for");
        assert_eq!(pipeline.first_missing(), Some(9));
        assert_eq!(pipeline.in_flight(0).messages, 2);
        let first = pipeline.complete(1).unwrap();
        assert_eq!((first.received(), first.missing()), ((2, 20), 1));
        assert_eq!(first.into_rest().uids().to_string(), "9");
        assert!(pipeline.complete(1).is_none());
        let rest: Vec<_> = pipeline
            .drain()
            .map(|command| command.into_rest().uids())
            .collect();
        assert_eq!(rest[0].to_string(), "12");
        assert!(pipeline.is_empty());
    }

    #[test]
    fn silence_after_an_answer_to_the_command_before_looks_like_a_dropped_command() {
        let mut pipeline = Pipeline::default();
        pipeline.push(shard([1]));
        pipeline.sent(1);
        pipeline.push(shard([2]));
        pipeline.sent(2);
        assert!(!pipeline.looks_dropped());
        pipeline.claim(uid(1), 0);
        pipeline.complete(1);
        assert!(pipeline.looks_dropped());
    }
}
