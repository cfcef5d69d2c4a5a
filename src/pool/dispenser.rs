//! Which UIDs are to be fetched next: in order, within the window, what failed first. Also keeps
//! the ledger. Does no I/O, knows no clock and no threads.

use std::collections::BTreeMap;
use std::time::Instant;

use super::ledger::{Balance, Ledger, Outcome};
use super::shard::{Shard, Slot};
use crate::limits::{MAX_COMMAND_OCTETS, MIN_COMMAND_OCTETS};
use crate::uid_set::{Cursor, Direction, UidSet};

/// So many octets one FETCH command should bring at most, so that a round trip is small beside it.
pub(crate) const SHARD_OCTETS: u64 = 4 * 1024 * 1024;

/// So many octets may be on their way to one worker. They are in the network and in the kernel's
/// buffers, not in our memory.
const IN_FLIGHT_OCTETS: u64 = 16 * 1024 * 1024;

/// What a message is taken to weigh until some have been seen.
const ASSUMED_OCTETS: u64 = 16 * 1024;

const MAX_SHARD: usize = 512;

/// Where the first in order comes last in its shard, and sizes are not known yet, a shard is this
/// small: what comes before its turn may have to be fetched again.
const FIRST_SHARD_BACKWARDS: usize = 4;

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
    /// UIDs above those of the mailbox when it was last opened, or more of them than it has
    /// messages. The server is asked which of them there are before anything is handed out.
    pub(crate) unlikely: UidSet,
    pub(crate) newest_first: bool,
    pub(crate) workers: usize,
    /// Messages handed out and not yet taken by the consumer, at most. At least 1.
    pub(crate) window: usize,
    /// How many octets one command should bring at most, as far as that can be foreseen.
    pub(crate) shard_octets: u64,
    /// How many messages one command asks for. `None`: the dispenser chooses.
    pub(crate) shard_size: Option<usize>,
}

impl Plan {
    pub(crate) fn total(&self) -> usize {
        self.uids.len() + self.unlikely.len()
    }

    fn direction(&self) -> Direction {
        match self.newest_first {
            true => Direction::Descending,
            false => Direction::Ascending,
        }
    }
}

/// Who asks for more, for deciding whether there is any.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taker {
    pub(crate) commands: usize,
    pub(crate) messages: usize,
    /// One of the commands asks for a suspect shard.
    pub(crate) has_suspect: bool,
    /// So many messages one worker deals with in the time of a round trip, as far as is known. A
    /// command for fewer would leave it waiting.
    pub(crate) per_round_trip: usize,
    /// The number of its session.
    pub(crate) session: u64,
    /// What was parked before this has been waiting for a session for long enough.
    pub(crate) parked_before: Option<Instant>,
}

#[derive(Debug)]
pub(crate) enum Take {
    Shard(Shard),
    /// The server is to be asked which of these it has, and [`Dispenser::found`] told.
    Survey(UidSet),
    /// What is next needs a session that was opened after this one.
    Renew,
    /// Nothing now; perhaps when the consumer or another worker has moved on.
    NotNow,
    /// Nothing, and there will not be.
    Finished,
}

/// A shard that waits for a session that is being opened, and has been asked for there.
#[derive(Debug)]
struct Parked {
    shard: Shard,
    since: Instant,
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
    /// By the number of its parking. Whoever has nothing else to do may take them.
    parked: BTreeMap<u64, Parked>,
    /// Counts what was ever parked.
    parkings: u64,
    /// Shards with workers or parked, and their messages.
    out: usize,
    out_messages: usize,
    /// Somebody asks the server for the unlikely ones.
    is_surveying: bool,
    /// Unlikely ones that there are not.
    absent: UidSet,
    ledger: Ledger,
    messages_seen: u64,
    octets_seen: u64,
    /// The longest command line that this server understands.
    max_command: usize,
}

impl Dispenser {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            total: plan.uids.len(),
            cursor: Cursor::new(plan.direction()),
            plan,
            next: 0,
            returned: BTreeMap::new(),
            parked: BTreeMap::new(),
            parkings: 0,
            out: 0,
            out_messages: 0,
            is_surveying: false,
            absent: UidSet::new(),
            ledger: Ledger::default(),
            messages_seen: 0,
            octets_seen: 0,
            max_command: MAX_COMMAND_OCTETS,
        }
    }

    /// Hands out the next shard to a worker that has this much in flight.
    pub(crate) fn take(&mut self, taker: &Taker) -> Take {
        let is_idle = taker.commands == 0;
        if !self.plan.unlikely.is_empty() {
            if !is_idle || self.is_surveying {
                return Take::NotNow;
            }
            self.is_surveying = true;
            return Take::Survey(self.plan.unlikely.clone());
        }
        if let Some(entry) = self.returned.first_entry() {
            // Behind other commands it would come late, and the consumer may be waiting for it.
            // Nor does anything new go out before it, so that somebody runs dry and takes it.
            if !is_idle {
                return Take::NotNow;
            }
            if entry.get().past.newer_than >= taker.session.max(1) {
                return Take::Renew;
            }
            let shard = entry.remove();
            let shard = match shard.past.is_to_be_narrowed() && shard.slots.len() > 1 {
                true => {
                    let [first, rest, half] = shard.narrowed();
                    self.put_back(rest);
                    self.put_back(half);
                    first
                }
                false => shard,
            };
            return self.hand_out(shard);
        }
        let size = self.shard_size(taker);
        if self.next < self.total && size > 0 && self.has_room() {
            let room = self.plan.window - self.outstanding();
            let shard = self.cut(size.min(room));
            return self.hand_out(shard);
        }
        if is_idle && let Some(shard) = self.take_parked(taker) {
            return Take::Shard(shard);
        }
        match is_idle && self.is_over() {
            true => Take::Finished,
            false => Take::NotNow,
        }
    }

    /// Hands out something to see by whether the server answers at all: not the message over which
    /// a session fell silent or that it refused, or the server would be blamed for it. `None` if
    /// that is all there is, unless nothing was ever received: then there is nobody else to blame.
    pub(crate) fn take_probe(&mut self, has_received: bool) -> Option<Shard> {
        if !self.plan.unlikely.is_empty() {
            return None;
        }
        if self.next < self.total && self.outstanding() < self.plan.window {
            let shard = self.cut(1);
            self.out += 1;
            self.out_messages += shard.slots.len();
            return Some(shard);
        }
        let is_only_one = self.returned.len() == 1;
        // The least suspect, and of these the one for which the consumer waits last.
        let (position, _) = self
            .returned
            .iter()
            .rev()
            .min_by_key(|(_, shard)| shard.past.tries)?;
        let position = *position;
        let mut shard = self.returned.remove(&position)?;
        if shard.slots.len() > 1 {
            let last = shard.split();
            self.put_back(shard);
            shard = last;
        } else if is_only_one && has_received {
            self.put_back(shard);
            return None;
        }
        self.out += 1;
        self.out_messages += shard.slots.len();
        Some(shard)
    }

    fn hand_out(&mut self, shard: Shard) -> Take {
        self.out += 1;
        self.out_messages += shard.slots.len();
        Take::Shard(shard)
    }

    fn put_back(&mut self, shard: Shard) {
        if !shard.slots.is_empty() {
            self.returned.insert(shard.lowest(), shard);
        }
    }

    /// Whether [`take`](Dispenser::take) would have something, now, for an idle worker, or say
    /// that the run is over.
    pub(crate) fn is_worth_asking(&self, parked_before: Option<Instant>) -> bool {
        if !self.plan.unlikely.is_empty() {
            return !self.is_surveying;
        }
        !self.returned.is_empty()
            || self.next < self.total && self.has_room()
            || self.oldest_parked(parked_before).is_some()
            || self.is_over()
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
        self.next == self.total
            && self.returned.is_empty()
            && self.out == 0
            && self.plan.unlikely.is_empty()
    }

    /// Whether nobody has anything to do, though the run is not over: nothing is with a worker,
    /// nothing waits for the consumer, and nothing can be handed out.
    pub(crate) fn is_stuck(&self) -> bool {
        if self.out > 0 || self.is_surveying || self.is_worth_asking(None) {
            return false;
        }
        let returned: usize = self.returned.values().map(|shard| shard.slots.len()).sum();
        self.outstanding() == returned
    }

    /// Whether a command that is out is all that is left.
    pub(crate) fn is_last(&self) -> bool {
        self.next == self.total && self.returned.is_empty() && self.out <= 1
    }

    /// A shard of so many messages is done with but for these.
    pub(crate) fn close(&mut self, messages: usize, rest: impl IntoIterator<Item = Shard>) {
        self.out -= 1;
        self.out_messages -= messages;
        for shard in rest {
            self.put_back(shard);
        }
    }

    /// The server did not understand a command for these. The line may have been too long, so that
    /// from now on none is of more than half its length.
    pub(crate) fn shorten_lines(&mut self, uids: &UidSet) {
        let octets = uids.to_string().len() + COMMAND_OVERHEAD;
        self.max_command = (octets / 2).max(MIN_COMMAND_OCTETS).min(self.max_command);
    }

    /// Learns what messages weigh.
    pub(crate) fn observe(&mut self, messages: u64, octets: u64) {
        self.messages_seen += messages;
        self.octets_seen += octets;
    }

    // ---- what waits for a session ----

    /// Takes a shard that was asked for over a connection that is being set up. Returns the number
    /// under which its worker [claims](Dispenser::claim) it when there is a session.
    pub(crate) fn park(&mut self, shard: Shard, since: Instant) -> u64 {
        self.parkings += 1;
        self.parked.insert(self.parkings, Parked { shard, since });
        self.parkings
    }

    /// Gives a parked shard to its worker, unless another has taken it.
    pub(crate) fn claim(&mut self, parking: u64) -> Option<Shard> {
        Some(self.parked.remove(&parking)?.shard)
    }

    fn oldest_parked(&self, before: Option<Instant>) -> Option<u64> {
        let (number, parked) = self.parked.first_key_value()?;
        (parked.since < before?).then_some(*number)
    }

    fn take_parked(&mut self, taker: &Taker) -> Option<Shard> {
        let number = self.oldest_parked(taker.parked_before)?;
        self.claim(number)
    }

    // ---- what may not be there ----

    /// These of the unlikely ones there are. The others are gone.
    pub(crate) fn found(&mut self, found: &UidSet) {
        self.is_surveying = false;
        let asked = std::mem::take(&mut self.plan.unlikely);
        self.absent = asked.difference(found);
        self.plan.uids = self.plan.uids.union(&asked.intersection(found));
        self.total = self.plan.uids.len();
    }

    /// The server could not be asked.
    pub(crate) fn not_surveyed(&mut self) {
        self.is_surveying = false;
    }

    // ---- the ledger ----

    /// Writes an outcome, which gives the position's permit back.
    pub(crate) fn settle(&mut self, position: u32, outcome: Outcome) -> bool {
        self.ledger.settle(position, outcome)
    }

    /// All UIDs, and what became of them.
    pub(crate) fn balance(&self) -> (UidSet, Balance) {
        let mut balance = self.ledger.balance(&self.plan.uids, self.plan.direction());
        balance.gone = balance.gone.union(&self.absent);
        balance.unfinished = balance.unfinished.union(&self.plan.unlikely);
        let matched = self
            .plan
            .uids
            .union(&self.absent)
            .union(&self.plan.unlikely);
        (matched, balance)
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.ledger.settled() == self.total && self.plan.unlikely.is_empty()
    }

    pub(crate) fn total(&self) -> usize {
        self.total + self.plan.unlikely.len()
    }

    /// The position that comes first of those waiting to be handed out again.
    pub(crate) fn first_returned(&self) -> Option<u32> {
        self.returned
            .first_key_value()
            .map(|(position, _)| *position)
    }

    /// The session that the first of those waiting needs must be newer than this.
    pub(crate) fn newer_than(&self) -> u64 {
        let first = self.returned.first_key_value();
        first.map_or(0, |(_, shard)| shard.past.newer_than)
    }

    /// Positions handed out whose outcome is not written.
    fn outstanding(&self) -> usize {
        self.next - self.ledger.settled()
    }

    /// How many messages the next command asks for; 0 if the worker has enough in flight.
    fn shard_size(&self, taker: &Taker) -> usize {
        let needed = ROUND_TRIPS_AHEAD * taker.per_round_trip;
        let most_commands = match taker.messages < needed {
            true => MAX_COMMANDS,
            false => USUAL_COMMANDS,
        };
        if taker.has_suspect || taker.commands >= most_commands {
            return 0;
        }
        if taker.commands > 0 {
            let octets = taker.messages as u64 * self.weight();
            // Towards the end what is left goes to those who have nothing to do, unless this one
            // would have nothing to do either before the next answer.
            let share = (self.total - self.next) / self.plan.workers;
            if octets >= IN_FLIGHT_OCTETS || taker.messages > share.max(needed) {
                return 0;
            }
        }
        match self.plan.shard_size {
            Some(size) => size,
            None => self
                .usual_size()
                .max(taker.per_round_trip)
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
        if self.plan.newest_first && self.messages_seen == 0 {
            return FIRST_SHARD_BACKWARDS;
        }
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
        let line = self.max_command - COMMAND_OVERHEAD;
        let uids = self.cursor.take_within(&self.plan.uids, size, line);
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
