//! Which UIDs are to be fetched next: in order, within the window, what failed first. Also keeps
//! the ledger. Does no I/O, knows no clock and no threads.

use std::collections::BTreeMap;

use super::ledger::{Ledger, Outcome};
use crate::error::Error;
use crate::limits::{MAX_COMMAND_OCTETS, MIN_COMMAND_OCTETS};
use crate::uid_set::{Cursor, Direction, Uid, UidSet};

/// So many octets one FETCH command should bring at most, so that a round trip is small beside it.
pub(crate) const SHARD_OCTETS: u64 = 4 * 1024 * 1024;

/// So many octets may be on their way to one worker. They are in the network and in the kernel's
/// buffers, not in our memory.
const IN_FLIGHT_OCTETS: u64 = 16 * 1024 * 1024;

/// What a message is taken to weigh until some have been seen.
const ASSUMED_OCTETS: u64 = 16 * 1024;

const MAX_SHARD: usize = 512;

/// A command brings at least this much, also at the end of a run, because each costs the server
/// some work of its own.
const MIN_SHARD_OCTETS: u64 = 64 * 1024;

/// Of what is left, each worker takes this fraction of its share at a time, so that all workers
/// finish together.
const PARTS_PER_WORKER: usize = 2;

/// FETCH commands in flight per session.
const USUAL_COMMANDS: usize = 4;

/// The same where these are answered within a few round trips.
const MAX_COMMANDS: usize = 8;

/// Answers come in bursts, so a worker that has only as much in flight as it deals with in a round
/// trip is soon without.
const ROUND_TRIPS_AHEAD: usize = 3;

/// Room for the tag, the words and the items of a FETCH command.
const COMMAND_OVERHEAD: usize = 128;

/// What a run is about.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) uids: UidSet,
    pub(crate) newest_first: bool,
    pub(crate) workers: usize,
    /// Messages handed out and not yet taken by the consumer, at most. At least 1.
    pub(crate) window: usize,
    /// How many octets one command should bring at most, as far as that can be foreseen.
    pub(crate) shard_octets: u64,
    /// How many messages one command asks for. `None`: the dispenser chooses.
    pub(crate) shard_size: Option<usize>,
}

/// One UID and its place in the order of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) uid: Uid,
    pub(crate) position: u32,
}

/// The UIDs of one FETCH command, ascending, with what has gone wrong with them before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shard {
    pub(crate) slots: Vec<Slot>,
    /// Sessions in a row that broke while these were asked for and brought none of them.
    pub(crate) deaths: u32,
    /// The newest session when these last broke one. Only a session opened later can tell
    /// something new about them: when a server goes down, all sessions break, whatever they ask.
    pub(crate) suspect_since: u64,
    /// Times that an answer was complete and left these out.
    pub(crate) absences: u32,
    /// What was last said about them.
    pub(crate) error: Option<Error>,
}

impl Shard {
    pub(crate) fn uids(&self) -> UidSet {
        self.slots.iter().map(|slot| slot.uid).collect()
    }

    /// Asked for alone, with nothing else in flight, so that it is clear who is to blame.
    pub(crate) fn is_suspect(&self) -> bool {
        self.deaths > 0 || self.absences > 0
    }

    /// The place of its first in the order of the run.
    fn lowest(&self) -> u32 {
        let positions = self.slots.iter().map(|slot| slot.position);
        positions.min().unwrap_or(u32::MAX)
    }

    /// Keeps the first half and returns the other.
    fn split(&mut self) -> Self {
        let slots = self.slots.split_off(self.slots.len() / 2);
        Self {
            slots,
            deaths: self.deaths,
            suspect_since: self.suspect_since,
            absences: self.absences,
            error: self.error.clone(),
        }
    }
}

/// What a worker has in flight, for deciding whether it gets more.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFlight {
    pub(crate) commands: usize,
    pub(crate) messages: usize,
    /// One of the commands asks for a suspect shard.
    pub(crate) has_suspect: bool,
    /// So many messages one worker deals with in the time of a round trip, as far as is known. A
    /// command for fewer would leave it waiting.
    pub(crate) per_round_trip: usize,
}

#[derive(Debug)]
pub(crate) enum Take {
    Shard(Shard),
    /// Nothing now; perhaps when the consumer or another worker has moved on.
    NotNow,
    /// Nothing, and there will not be.
    Finished,
}

#[derive(Debug)]
pub(crate) struct Dispenser {
    plan: Plan,
    total: usize,
    cursor: Cursor,
    /// The first position that was never handed out.
    next: usize,
    /// Shards to be handed out again, by their lowest position.
    returned: BTreeMap<u32, Shard>,
    /// Shards with workers.
    out: usize,
    ledger: Ledger,
    messages_seen: u64,
    octets_seen: u64,
    /// The longest command line that this server understands.
    max_command: usize,
}

impl Dispenser {
    pub(crate) fn new(plan: Plan) -> Self {
        let total = plan.uids.len();
        let direction = if plan.newest_first {
            Direction::Descending
        } else {
            Direction::Ascending
        };
        Self {
            plan,
            total,
            cursor: Cursor::new(direction),
            next: 0,
            returned: BTreeMap::new(),
            out: 0,
            ledger: Ledger::new(total),
            messages_seen: 0,
            octets_seen: 0,
            max_command: MAX_COMMAND_OCTETS,
        }
    }

    /// Hands out the next shard to a worker that has this much in flight.
    pub(crate) fn take(&mut self, in_flight: &InFlight) -> Take {
        let is_idle = in_flight.commands == 0;
        if let Some(entry) = self.returned.first_entry() {
            // Behind other commands it would come late, and the consumer may be waiting for it.
            // Nor does anything new go out before it, so that somebody runs dry and takes it.
            if !is_idle {
                return Take::NotNow;
            }
            let mut shard = entry.remove();
            // Silence costs a deadline each time, so it is looked into at once.
            let fell_silent = shard.error.as_ref().is_some_and(Error::is_timeout);
            if shard.deaths >= 2 || shard.deaths > 0 && fell_silent {
                self.narrow(&mut shard);
            }
            self.out += 1;
            return Take::Shard(shard);
        }
        if self.next == self.total {
            return if is_idle && self.is_over() {
                Take::Finished
            } else {
                Take::NotNow
            };
        }
        let size = self.shard_size(in_flight);
        if size == 0 || !self.has_room() {
            return Take::NotNow;
        }
        let room = self.plan.window - self.outstanding();
        self.out += 1;
        Take::Shard(self.cut(size.min(room)))
    }

    /// Hands out something to see by whether the server answers at all: not the message over which
    /// a session fell silent, or the server would be blamed for it. `None` if that is all there
    /// is, unless nothing was ever received: then there is nobody else to blame.
    pub(crate) fn take_probe(&mut self, has_received: bool) -> Option<Shard> {
        if self.next < self.total && self.outstanding() < self.plan.window {
            self.out += 1;
            return Some(self.cut(1));
        }
        let is_only_one = self.returned.len() == 1;
        let mut entry = self.returned.last_entry()?;
        let shard = if entry.get().slots.len() > 1 {
            let last = entry.get_mut().split();
            // The split leaves the lower half in its place only if the order ascends.
            let rest = entry.remove();
            self.returned.insert(rest.lowest(), rest);
            last
        } else if is_only_one && has_received {
            return None;
        } else {
            entry.remove()
        };
        self.out += 1;
        Some(shard)
    }

    /// Cuts a shard that has broken sessions: its first message alone, since servers answer in
    /// order and stumble over what is next, and the halves of the rest.
    fn narrow(&mut self, shard: &mut Shard) {
        if shard.slots.len() < 2 {
            return;
        }
        shard.deaths = 1;
        let slots = shard.slots.split_off(1);
        let mut rest = Shard {
            slots,
            deaths: 1,
            suspect_since: shard.suspect_since,
            absences: shard.absences,
            error: shard.error.clone(),
        };
        if rest.slots.len() > 1 {
            let half = rest.split();
            self.returned.insert(half.lowest(), half);
        }
        self.returned.insert(rest.lowest(), rest);
    }

    /// Whether [`take`](Dispenser::take) would have something, now, for an idle worker, or say
    /// that the run is over.
    pub(crate) fn is_worth_asking(&self) -> bool {
        if !self.returned.is_empty() {
            return true;
        }
        if self.next == self.total {
            return self.is_over();
        }
        self.has_room()
    }

    /// Whether the window is open wide enough. One that opens by one item at a time must not lead
    /// to commands for one message each. Where nothing is outstanding the whole window is open,
    /// so this waits for nobody who does not come.
    fn has_room(&self) -> bool {
        let part = self.plan.window.div_ceil(2 * self.plan.workers);
        self.plan.window - self.outstanding() >= part.min(self.usual_size()).max(1)
    }

    /// Whether there is nothing left to hand out, now or later.
    pub(crate) fn is_over(&self) -> bool {
        self.next == self.total && self.returned.is_empty() && self.out == 0
    }

    /// A shard is answered: all its slots have gone to the consumer.
    pub(crate) fn complete(&mut self) {
        self.out -= 1;
    }

    /// A shard comes back with what is left of it.
    pub(crate) fn give_back(&mut self, shard: Shard) {
        self.out -= 1;
        if !shard.slots.is_empty() {
            self.returned.insert(shard.lowest(), shard);
        }
    }

    /// A command comes back that the server did not understand. Its line may have been too long,
    /// so that from now on none is of more than half its length.
    pub(crate) fn give_back_in_halves(&mut self, shard: Shard) {
        let octets = shard.uids().to_string().len() + COMMAND_OVERHEAD;
        self.max_command = (octets / 2).max(MIN_COMMAND_OCTETS).min(self.max_command);
        self.give_back_in_parts(shard);
    }

    /// A shard comes back of which one message may be the trouble of all.
    pub(crate) fn give_back_in_parts(&mut self, mut shard: Shard) {
        let rest = shard.split();
        self.returned.insert(rest.lowest(), rest);
        self.give_back(shard);
    }

    /// Learns what messages weigh.
    pub(crate) fn observe(&mut self, messages: u64, octets: u64) {
        self.messages_seen += messages;
        self.octets_seen += octets;
    }

    /// Writes an outcome, which gives the position's permit back.
    pub(crate) fn settle(&mut self, position: u32, outcome: Outcome) -> bool {
        self.ledger.settle(position, outcome)
    }

    /// The position that comes first of those waiting to be handed out again.
    pub(crate) fn first_returned(&self) -> Option<u32> {
        self.returned
            .first_key_value()
            .map(|(position, _)| *position)
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.ledger.settled() == self.total
    }

    /// Positions handed out whose outcome is not written.
    fn outstanding(&self) -> usize {
        self.next - self.ledger.settled()
    }

    /// How many messages the next command asks for; 0 if the worker has enough in flight.
    fn shard_size(&self, in_flight: &InFlight) -> usize {
        let needed = ROUND_TRIPS_AHEAD * in_flight.per_round_trip;
        let most_commands = match in_flight.messages < needed {
            true => MAX_COMMANDS,
            false => USUAL_COMMANDS,
        };
        if in_flight.has_suspect || in_flight.commands >= most_commands {
            return 0;
        }
        if in_flight.commands > 0 {
            let octets = in_flight.messages as u64 * self.weight();
            // Towards the end what is left goes to those who have nothing to do, unless this one
            // would have nothing to do either before the next answer.
            let share = (self.total - self.next) / self.plan.workers;
            if octets >= IN_FLIGHT_OCTETS || in_flight.messages > share.max(needed) {
                return 0;
            }
        }
        match self.plan.shard_size {
            Some(size) => size,
            None => self
                .usual_size()
                .max(in_flight.per_round_trip)
                .min(self.largest_size()),
        }
    }

    /// How many messages a command asks for if round trips take no time.
    fn usual_size(&self) -> usize {
        if let Some(size) = self.plan.shard_size {
            return size;
        }
        let share = (self.total - self.next) / self.plan.workers;
        let least = usize::try_from(MIN_SHARD_OCTETS / self.weight()).unwrap_or(MAX_SHARD);
        (share / PARTS_PER_WORKER)
            .max(least)
            .clamp(1, self.largest_size())
    }

    fn largest_size(&self) -> usize {
        let most = usize::try_from(self.plan.shard_octets / self.weight()).unwrap_or(MAX_SHARD);
        most.clamp(1, MAX_SHARD)
    }

    /// How many octets a message has, on average.
    fn weight(&self) -> u64 {
        let average = self.octets_seen.checked_div(self.messages_seen);
        average.unwrap_or(ASSUMED_OCTETS).max(1)
    }

    /// Cuts the next shard off the matches, of at most `size` messages.
    fn cut(&mut self, size: usize) -> Shard {
        let mut size = size;
        let uids = loop {
            let mut cursor = self.cursor.clone();
            let uids = cursor.take(&self.plan.uids, size);
            // Single numbers have ten digits at most, so only large shards can be too long.
            if size == 1 || uids.to_string().len() + COMMAND_OVERHEAD <= self.max_command {
                self.cursor = cursor;
                break uids;
            }
            size /= 2;
        };
        let first = self.next;
        self.next += uids.len();
        let last = self.next - 1;
        let newest_first = self.plan.newest_first;
        let slots = uids.iter().enumerate().map(|(index, uid)| {
            let position = if newest_first {
                last - index
            } else {
                first + index
            };
            // Positions count UIDs, which are 32-bit numbers.
            Slot {
                uid,
                position: position as u32,
            }
        });
        Shard {
            slots: slots.collect(),
            ..Shard::default()
        }
    }
}

#[cfg(test)]
mod tests;
