//! The dispenser by itself: whatever order workers and the consumer move in, every UID gets
//! exactly one outcome, the window holds, and there is always somebody who can move.

use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;

use super::super::verdict::Past;
use super::*;
use crate::uid_set::Uid;

/// A run played by hand.
struct Play {
    dispenser: Dispenser,
    /// What each worker has in flight, oldest first.
    workers: Vec<VecDeque<Shard>>,
    /// Positions that workers have sent and the consumer has not taken.
    channel: BTreeSet<u32>,
    in_order: bool,
    next_in_order: u32,
    /// How often each position went to the consumer.
    sent: Vec<u32>,
    gone: usize,
    per_round_trip: usize,
}

#[derive(Debug, Clone)]
enum Move {
    Take {
        worker: usize,
    },
    /// The first shard in flight is answered for so many of its messages.
    Answer {
        worker: usize,
        messages: usize,
    },
    /// The answer ends and leaves the rest of the first shard out.
    LeaveOut {
        worker: usize,
    },
    /// The session breaks.
    Break {
        worker: usize,
    },
    Consume,
}

impl Play {
    fn new(plan: Plan, in_order: bool, per_round_trip: usize) -> Self {
        let workers = vec![VecDeque::new(); plan.workers];
        let sent = vec![0; plan.total()];
        let dispenser = Dispenser::new(plan);
        let channel = BTreeSet::new();
        Self {
            dispenser,
            workers,
            channel,
            in_order,
            next_in_order: 0,
            sent,
            gone: 0,
            per_round_trip,
        }
    }

    fn make(&mut self, next: &Move) -> bool {
        match *next {
            Move::Take { worker } => self.take(worker),
            Move::Answer { worker, messages } => self.answer(worker, messages),
            Move::LeaveOut { worker } => self.leave_out(worker),
            Move::Break { worker } => self.break_session(worker),
            Move::Consume => self.consume(),
        }
    }

    fn take(&mut self, worker: usize) -> bool {
        let pipeline = &mut self.workers[worker];
        let taker = Taker {
            commands: pipeline.len(),
            messages: pipeline.iter().map(|shard| shard.slots.len()).sum(),
            has_suspect: pipeline.iter().any(|shard| shard.past.is_suspect()),
            per_round_trip: self.per_round_trip,
            ..Taker::default()
        };
        let was_worth_asking = self.dispenser.is_worth_asking(None);
        let take = self.dispenser.take(&taker);
        if taker.commands == 0 {
            assert_eq!(was_worth_asking, !matches!(take, Take::NotNow), "{take:?}");
        }
        let shard = match take {
            Take::Shard(shard) => shard,
            Take::Survey(uids) => {
                // Every other one is there.
                let found = uids.iter().filter(|uid| uid.get() % 2 == 0).collect();
                self.dispenser.found(&found);
                return true;
            }
            _ => return false,
        };
        assert!(!shard.slots.is_empty());
        assert!(shard.slots.is_sorted_by_key(|slot| slot.uid));
        if let Some(last) = pipeline.back() {
            assert!(!shard.past.is_suspect(), "a suspect goes alone");
            assert!(
                last.lowest() < shard.lowest(),
                "what a worker has in flight is in order"
            );
        }
        pipeline.push_back(shard);
        assert!(self.dispenser.outstanding() <= self.dispenser.plan.window);
        true
    }

    fn answer(&mut self, worker: usize, messages: usize) -> bool {
        let Some(mut shard) = self.workers[worker].pop_front() else {
            return false;
        };
        let count = messages.clamp(1, shard.slots.len());
        let whole = shard.slots.len();
        self.send(shard.slots.drain(..count));
        self.dispenser.observe(count as u64, 1000);
        // What is left of it goes back, clean.
        shard.past = Past::default();
        self.dispenser.close(whole, [shard]);
        true
    }

    fn send(&mut self, slots: impl IntoIterator<Item = Slot>) {
        for slot in slots {
            self.sent[slot.position as usize] += 1;
            self.channel.insert(slot.position);
        }
    }

    fn leave_out(&mut self, worker: usize) -> bool {
        let Some(mut shard) = self.workers[worker].pop_front() else {
            return false;
        };
        let whole = shard.slots.len();
        if shard.past.absences > 0 {
            self.gone += whole;
            let slots = std::mem::take(&mut shard.slots);
            self.send(slots);
        }
        shard.past.absences += 1;
        self.dispenser.close(whole, [shard]);
        true
    }

    fn break_session(&mut self, worker: usize) -> bool {
        let mut is_first = true;
        for mut shard in std::mem::take(&mut self.workers[worker]) {
            shard.past.deaths += u32::from(is_first);
            is_first = false;
            self.dispenser.close(shard.slots.len(), [shard]);
        }
        !is_first
    }

    fn consume(&mut self) -> bool {
        let Some(&position) = self.channel.first() else {
            return false;
        };
        if self.in_order && position != self.next_in_order {
            return false;
        }
        self.channel.remove(&position);
        self.next_in_order += 1;
        assert!(self.dispenser.settle(position, Outcome::Delivered));
        true
    }

    /// Everybody does what he can until the run is over.
    fn play_to_the_end(&mut self) {
        while !self.dispenser.is_settled() {
            let mut moved = false;
            for worker in 0..self.workers.len() {
                while self.take(worker) {
                    moved = true;
                }
                moved |= self.answer(worker, usize::MAX);
            }
            while self.consume() {
                moved = true;
            }
            assert!(moved, "nobody can move: {:?}", self.dispenser);
            assert!(!self.dispenser.is_stuck() || self.dispenser.is_settled());
        }
    }
}

fn uids() -> impl Strategy<Value = UidSet> {
    prop::collection::btree_set(1..3000u32, 0..400)
        .prop_map(|uids| uids.into_iter().filter_map(Uid::new).collect())
}

fn plans() -> impl Strategy<Value = Plan> {
    (
        uids(),
        any::<bool>(),
        1..6usize,
        1..300usize,
        prop::option::of(1..50usize),
    )
        .prop_map(|(uids, newest_first, workers, window, shard_size)| Plan {
            unlikely: match shard_size {
                Some(7) => UidSet::from_range(Uid::new(4000).unwrap(), Uid::new(4009).unwrap()),
                _ => UidSet::new(),
            },
            uids,
            newest_first,
            workers,
            window,
            shard_octets: SHARD_OCTETS,
            shard_size,
        })
}

fn moves() -> impl Strategy<Value = Move> {
    let worker = 0..5usize;
    prop_oneof![
        4 => worker.clone().prop_map(|worker| Move::Take { worker }),
        4 => (worker.clone(), 1..60usize)
            .prop_map(|(worker, messages)| Move::Answer { worker, messages }),
        1 => worker.clone().prop_map(|worker| Move::LeaveOut { worker }),
        1 => worker.prop_map(|worker| Move::Break { worker }),
        6 => Just(Move::Consume),
    ]
}

proptest! {
    #[test]
    fn every_uid_gets_exactly_one_outcome(
        plan in plans(),
        in_order in any::<bool>(),
        per_round_trip in 0..200usize,
        moves in prop::collection::vec(moves(), 0..400),
    ) {
        let uids = plan.uids.union(&plan.unlikely);
        let absent = plan.unlikely.len() / 2;
        let workers = plan.workers;
        let mut play = Play::new(plan, in_order, per_round_trip);
        for mut next in moves {
            match &mut next {
                Move::Take { worker } | Move::Answer { worker, .. }
                | Move::LeaveOut { worker } | Move::Break { worker } => *worker %= workers,
                Move::Consume => {}
            }
            play.make(&next);
        }
        play.play_to_the_end();
        let sent = &play.sent[..play.sent.len() - absent];
        prop_assert!(sent.iter().all(|times| *times == 1), "{:?}", play.sent);
        let (matched, balance) = play.dispenser.balance();
        prop_assert_eq!(balance.gone.len(), absent);
        prop_assert_eq!(balance.delivered.union(&balance.gone), uids.clone());
        prop_assert_eq!(matched, uids);
        prop_assert!(matches!(play.dispenser.take(&Taker::default()), Take::Finished));
    }

    #[test]
    fn a_run_that_stops_anywhere_says_what_is_unfinished(
        plan in plans(),
        moves in prop::collection::vec(moves(), 0..200),
    ) {
        let uids = plan.uids.union(&plan.unlikely);
        let absent = plan.unlikely.len() / 2;
        let workers = plan.workers;
        let mut play = Play::new(plan, false, 3);
        let mut consumed = 0;
        for mut next in moves {
            match &mut next {
                Move::Take { worker } | Move::Answer { worker, .. }
                | Move::LeaveOut { worker } | Move::Break { worker } => *worker %= workers,
                Move::Consume => {}
            }
            let moved = play.make(&next);
            consumed += usize::from(moved && matches!(next, Move::Consume));
        }
        let (_, balance) = play.dispenser.balance();
        let _ = absent;
        prop_assert_eq!(balance.delivered.len(), consumed);
        let all = balance.delivered.union(&balance.unfinished).union(&balance.gone);
        prop_assert_eq!(all, uids.clone());
        prop_assert!(balance.delivered.intersection(&balance.unfinished).is_empty());
    }
}

fn plan(messages: u32, workers: usize, window: usize) -> Plan {
    let uids = (1..=messages).filter_map(Uid::new).collect();
    Plan {
        uids,
        unlikely: UidSet::new(),
        newest_first: false,
        workers,
        window,
        shard_octets: SHARD_OCTETS,
        shard_size: None,
    }
}

fn take(dispenser: &mut Dispenser) -> Shard {
    match dispenser.take(&Taker::default()) {
        Take::Shard(shard) => shard,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_shard_that_kills_sessions_is_cut_in_halves_until_the_culprit_is_alone() {
    let mut dispenser = Dispenser::new(plan(64, 1, 1000));
    let mut questions = 0;
    let culprit = loop {
        let mut shard = take(&mut dispenser);
        questions += 1;
        assert!(
            questions < 40,
            "halving takes logarithmically many questions"
        );
        if !shard.slots.iter().any(|slot| slot.uid.get() == 37) {
            dispenser.close(shard.slots.len(), []);
        } else if shard.slots.len() == 1 {
            break shard.slots[0].uid.get();
        } else {
            shard.past.deaths += 1;
            dispenser.close(shard.slots.len(), [shard]);
        }
    };
    assert_eq!(culprit, 37);
}

#[test]
fn commands_stay_within_the_longest_line_however_scattered_the_uids() {
    let uids: UidSet = (0..2000)
        .filter_map(|index| Uid::new(4_000_000_001 + 2 * index))
        .collect();
    let plan = Plan {
        uids,
        shard_size: Some(10_000),
        ..plan(1, 1, 100_000)
    };
    let mut dispenser = Dispenser::new(plan);
    let mut messages = 0;
    while let Take::Shard(shard) = dispenser.take(&Taker::default()) {
        assert!(shard.uids().to_string().len() + COMMAND_OVERHEAD <= MAX_COMMAND_OCTETS);
        messages += shard.slots.len();
        dispenser.close(shard.slots.len(), []);
    }
    assert_eq!(messages, 2000);
}

#[test]
fn shards_get_smaller_towards_the_end() {
    let mut dispenser = Dispenser::new(plan(10_000, 4, 100_000));
    // Large enough that the least octets of a command do not hide it.
    dispenser.observe(1, 64 * 1024);
    let mut sizes = Vec::new();
    while let Take::Shard(shard) = dispenser.take(&Taker::default()) {
        sizes.push(shard.slots.len());
        dispenser.close(shard.slots.len(), []);
    }
    assert!(sizes.is_sorted_by(|one, next| one >= next), "{sizes:?}");
    assert_eq!((sizes[0], sizes.last()), (64, Some(&1)));
}

#[test]
fn newest_first_counts_positions_from_the_last_uid() {
    let mut dispenser = Dispenser::new(Plan {
        newest_first: true,
        shard_size: Some(3),
        ..plan(7, 1, 100)
    });
    let slots = take(&mut dispenser).slots;
    let pairs: Vec<_> = slots
        .iter()
        .map(|slot| (slot.uid.get(), slot.position))
        .collect();
    assert_eq!(pairs, [(5, 2), (6, 1), (7, 0)]);
}

#[test]
fn a_command_is_worth_its_round_trip() {
    let mut dispenser = Dispenser::new(plan(100, 4, 100_000));
    dispenser.observe(1, 64 * 1024);
    let far = Taker {
        per_round_trip: 60,
        ..Taker::default()
    };
    let Take::Shard(shard) = dispenser.take(&far) else {
        panic!()
    };
    assert_eq!(shard.slots.len(), 60);
}

#[test]
fn a_worker_has_more_commands_in_flight_where_it_deals_with_them_in_a_round_trip() {
    for (per_round_trip, expected) in [(0, 4), (10, 4), (30, 6), (1_000, 8)] {
        let mut dispenser = Dispenser::new(Plan {
            shard_size: Some(16),
            ..plan(100_000, 4, 100_000)
        });
        let mut taker = Taker {
            per_round_trip,
            ..Taker::default()
        };
        while let Take::Shard(shard) = dispenser.take(&taker) {
            taker.commands += 1;
            taker.messages += shard.slots.len();
        }
        assert_eq!(taker.commands, expected, "{per_round_trip}");
    }
}

#[test]
fn what_is_parked_too_long_is_for_whoever_has_nothing_to_do() {
    let mut dispenser = Dispenser::new(Plan {
        shard_size: Some(10),
        ..plan(10, 2, 100)
    });
    let shard = take(&mut dispenser);
    let since = Instant::now();
    let parking = dispenser.park(shard, since);
    let idle = |parked_before| Taker {
        parked_before,
        ..Taker::default()
    };
    assert!(matches!(dispenser.take(&idle(Some(since))), Take::NotNow));
    assert!(!dispenser.is_over() && !dispenser.is_stuck());
    let later = since.checked_add(std::time::Duration::from_secs(1));
    assert!(dispenser.is_worth_asking(later));
    let Take::Shard(shard) = dispenser.take(&idle(later)) else {
        panic!()
    };
    assert!(
        dispenser.claim(parking).is_none(),
        "it has another worker now"
    );
    dispenser.close(shard.slots.len(), []);
    assert!(dispenser.is_over());
}

#[test]
fn a_session_that_is_too_old_for_what_is_next_is_renewed() {
    let mut dispenser = Dispenser::new(plan(3, 1, 100));
    let mut shard = take(&mut dispenser);
    shard.past.newer_than = 7;
    dispenser.close(3, [shard]);
    let with = |session| Taker {
        session,
        ..Taker::default()
    };
    assert!(matches!(dispenser.take(&with(7)), Take::Renew));
    assert!(matches!(dispenser.take(&with(0)), Take::Renew));
    assert!(matches!(dispenser.take(&with(8)), Take::Shard(_)));
}

#[test]
fn nothing_is_handed_out_before_it_is_known_what_there_is() {
    let set = |text: &str| text.parse::<UidSet>().unwrap();
    for newest_first in [false, true] {
        let mut dispenser = Dispenser::new(Plan {
            unlikely: set("11:4294967295"),
            newest_first,
            ..plan(10, 2, 100)
        });
        assert_eq!(dispenser.total(), 4_294_967_295);
        assert!(matches!(dispenser.take(&Taker::default()), Take::Survey(_)));
        assert!(matches!(dispenser.take(&Taker::default()), Take::NotNow));
        assert!(!dispenser.is_stuck());
        dispenser.not_surveyed();
        assert!(matches!(dispenser.take(&Taker::default()), Take::Survey(_)));
        dispenser.found(&set("5,11,20"));
        let (matched, balance) = dispenser.balance();
        assert_eq!(matched.len(), 4_294_967_295);
        assert_eq!(balance.gone, set("12:19,21:4294967295"));
        assert_eq!(balance.unfinished, set("1:11,20"));
        let first = take(&mut dispenser).slots;
        assert!(
            first
                .iter()
                .any(|slot| slot.uid.get() == if newest_first { 20 } else { 1 })
        );
    }
}
