//! What one seed stands for: a mailbox, the faults of its server, what happens to it meanwhile,
//! and how it is read.

use std::collections::BTreeSet;
use std::time::Duration;

use parallel_mailbox::testing::{Fault, Persona, Sample, Trouble};

use super::random::Random;

/// Larger than any message of the samples used here.
pub(crate) const MAX_MESSAGE_OCTETS: u64 = 1_000_000;

/// A silent connection costs this much, so that a seed takes a second or two.
pub(crate) const READ_DEADLINE: Duration = Duration::from_millis(350);

/// The runs over what is left after this many find a server without faults, so that whatever is
/// unfinished then is the client's doing.
pub(crate) const TROUBLED_LEGS: usize = 20;

#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) messages: u32,
    pub(crate) is_tiny: bool,
    pub(crate) workers: usize,
    pub(crate) max_connections: Option<usize>,
    pub(crate) latency: Duration,
    /// Whom the server talks like; plain IMAP where it is nobody.
    pub(crate) persona: Option<Persona>,
    pub(crate) faults: Vec<Fault>,
    /// Messages with a fault of their own, which may therefore fail.
    pub(crate) cursed: BTreeSet<u32>,
    /// What happens to the server while it is read, one thing after the other.
    pub(crate) mischief: Vec<Mischief>,
    /// Messages on which the closure panics.
    pub(crate) panics: BTreeSet<u32>,
    /// Each run is printed.
    pub(crate) is_told: bool,
}

/// Something that happens to the server from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mischief {
    Pause(Duration),
    Expunge(u32),
    Append,
    DisconnectAll,
    RefuseFor(Duration),
}

/// One run over what is left.
#[derive(Debug, Clone)]
pub(crate) struct Leg {
    pub(crate) kind: Kind,
    pub(crate) window: Option<usize>,
    pub(crate) window_octets: Option<u64>,
    pub(crate) shard_size: Option<usize>,
    pub(crate) newest_first: bool,
    pub(crate) ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Map,
    ForEach,
    Fold,
    Imap,
    ImapUnordered,
}

/// What the consumer of an iterator does after some items.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    /// Takes them all.
    Exhaust,
    /// Takes so many and leaves the rest to `finish`.
    FinishAfter(usize),
    /// Takes so many and drops the iterator.
    DropAfter(usize),
    /// Takes so many and cancels.
    CancelAfter(usize),
}

impl Scenario {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let is_tiny = !random.one_in(3);
        let messages = match (random.one_in(6), is_tiny) {
            (true, _) => random.within(1..40),
            (false, true) => random.within(300..4_000),
            (false, false) => random.within(200..1_500),
        } as u32;
        let mut scenario = Self {
            messages,
            is_tiny,
            workers: random.within(1..9) as usize,
            max_connections: random.one_in(4).then(|| random.within(1..5) as usize),
            latency: Duration::from_millis(random.one_of(&[0, 0, 0, 0, 2, 5])),
            persona: (!random.one_in(4)).then(|| random.one_of(Persona::all())),
            faults: Vec::new(),
            cursed: BTreeSet::new(),
            mischief: Vec::new(),
            panics: BTreeSet::new(),
            is_told: false,
        };
        for _ in 0..random.within(0..7) {
            let fault = scenario.connection_fault(random);
            scenario.faults.push(fault);
        }
        for _ in 0..random.within(0..7) {
            let fault = scenario.message_fault(random);
            scenario.faults.push(fault);
        }
        for _ in 0..random.within(0..3) {
            scenario.faults.push(answer_fault(random));
        }
        // Refusing whole commands counts against each message in them: three times is failure.
        for _ in 0..random.within(0..3) {
            scenario.faults.push(command_fault(random));
        }
        for _ in 0..random.within(0..4) {
            let fault = scenario.refusal(random);
            scenario.faults.push(fault);
        }
        scenario.plan_mischief(random);
        if random.one_in(4) {
            let uid = scenario.any_uid(random);
            scenario.panics.insert(uid);
        }
        scenario
    }

    pub(crate) fn sample(&self, seed: u64) -> Sample {
        let messages = self.messages as usize;
        let sample = if self.is_tiny {
            Sample::tiny(messages)
        } else {
            Sample::small(messages)
        };
        sample.seed(seed)
    }

    fn any_uid(&self, random: &mut Random) -> u32 {
        random.within(1..u64::from(self.messages) + 1) as u32
    }

    fn cursed_uid(&mut self, random: &mut Random) -> u32 {
        let uid = self.any_uid(random);
        self.cursed.insert(uid);
        uid
    }

    /// Something that ends or stalls a connection, at a count of octets or at its start.
    fn connection_fault(&self, random: &mut Random) -> Fault {
        // Wherever: in a line, in a literal, between two octets of CR LF. Not before the first
        // messages, since a message whose every connection dies is rightly given up.
        let average: u64 = if self.is_tiny { 600 } else { 4_500 };
        let most = (average * u64::from(self.messages) / 2).max(30_000);
        let at = random.within(20_000..most + 1);
        let times = random.within(1..4) as u32;
        match random.within(0..12) {
            0..=2 => Fault::reset().after_octets(at).times(times),
            3 | 4 => Fault::close().after_octets(at).times(times),
            5 => Fault::close().after_octets(at.max(60_000)),
            6 => Fault::stall().after_octets(at).times(times.min(2)),
            7 => Fault::trickle(Duration::from_millis(30))
                .after_octets(at)
                .times(1),
            8 => Fault::close().on_connections(2..).times(times),
            9 => Fault::bye("no room at the moment")
                .on_connections(2..)
                .times(times),
            10 => Fault::no(
                "UNAVAILABLE",
                "Maximum number of connections from user+IP exceeded",
            )
            .before("LOGIN")
            .on_logins(2..)
            .times(times),
            _ => random
                .one_of(&[Login::Dropped, Login::Refused, Login::Busy])
                .fault(),
        }
    }

    /// Something that is wrong with one message.
    fn message_fault(&mut self, random: &mut Random) -> Fault {
        let uid = self.cursed_uid(random);
        let fault = match random.within(0..13) {
            0 => Fault::withhold(),
            1 => Fault::nil(),
            2 => Fault::replace(format!("* {uid} FETCH (UID {uid} FLAGS [)\r\n")),
            3 => Fault::replace("* 1 FETCH (WHAT\r\n"),
            4 => Fault::replace("\u{0}\u{ff} no IMAP at all )))\r\n"),
            5 => Fault::oversize(random.within(MAX_MESSAGE_OCTETS + 1..3_000_000)),
            6 => Fault::no("SERVERBUG", "some messages could not be read"),
            7 => Fault::reset(),
            8 => Fault::close(),
            9 => return Fault::stall().uid(uid).times(random.within(1..3) as u32),
            10 => {
                return Fault::bye("shutting down")
                    .uid(uid)
                    .times(random.within(1..4) as u32);
            }
            11 => return Fault::endless("x").uid(uid).times(1),
            _ => return Fault::endless("* OK still at it\r\n").uid(uid).times(1),
        };
        let fault = fault.uid(uid);
        if random.one_in(2) {
            fault
        } else {
            fault.times(random.within(1..4) as u32)
        }
    }

    /// What real servers refuse, in their forms: the persona's own words where there are any. The
    /// sources are told in `testing::Persona`.
    fn refusal(&mut self, random: &mut Random) -> Fault {
        let trouble = random.one_of(&[
            Trouble::Throttled,
            Trouble::Unavailable,
            Trouble::Poisoned,
            Trouble::SessionEnded,
        ]);
        let own = self
            .persona
            .map_or_else(Vec::new, |own| own.faults(trouble));
        let fault = match own.len() as u64 {
            0 => plain_refusal(random, trouble),
            forms => own[random.within(0..forms) as usize].clone(),
        };
        match trouble {
            // Always, so that the message may fail.
            Trouble::Poisoned => fault.uid(self.cursed_uid(random)),
            // The first session has to be had.
            _ => fault.on_connections(2..).times(random.within(1..7) as u32),
        }
    }

    fn plan_mischief(&mut self, random: &mut Random) {
        for _ in 0..random.within(0..12) {
            let mischief = match random.within(0..8) {
                0..=3 => {
                    let first = self.any_uid(random);
                    let last = (first + random.within(0..20) as u32).min(self.messages);
                    self.mischief.extend((first..=last).map(Mischief::Expunge));
                    Mischief::Append
                }
                4 => Mischief::Append,
                5 => Mischief::DisconnectAll,
                6 => Mischief::RefuseFor(Duration::from_millis(random.within(1..40))),
                _ => Mischief::DisconnectAll,
            };
            self.mischief.push(mischief);
            let pause = Duration::from_millis(random.within(0..25));
            self.mischief.push(Mischief::Pause(pause));
        }
    }
}

/// What may go wrong at LOGIN, once.
#[derive(Debug, Clone, Copy)]
enum Login {
    Dropped,
    Refused,
    Busy,
}

impl Login {
    fn fault(self) -> Fault {
        let fault = match self {
            Self::Dropped => Fault::close().after("LOGIN"),
            Self::Refused => {
                Fault::no("AUTHENTICATIONFAILED", "wrong, says the server").before("LOGIN")
            }
            Self::Busy => Fault::no("INUSE", "locked by another process").before("EXAMINE"),
        };
        fault.on_connections(2..).times(1)
    }
}

/// Answers that are odd and complete: they must change nothing.
fn answer_fault(random: &mut Random) -> Fault {
    match random.within(0..5) {
        0 => Fault::duplicate(),
        1 => Fault::reversed(),
        2 => Fault::wrong_size(7),
        3 => Fault::ok("THROTTLED", "Suggested Backoff Time: 5 milliseconds")
            .before("FETCH")
            .times(4),
        _ => Fault::inject(
            "* 7 FETCH (FLAGS (\\Seen))\r\n* 99999 EXISTS\r\n* OK still \u{ff}\r\n* WHAT is this\r\n\
             * 3 FETCH (UID 4000000000 BODY[] {3}\r\nabc)\r\n* 1 EXPUNGE\r\n",
        )
        .before("FETCH"),
    }
}

/// A refusal in the words of some server; with hints to wait that suit a test.
fn plain_refusal(random: &mut Random, trouble: Trouble) -> Fault {
    const THROTTLED: &[&str] = &[
        "{tag} BAD Request is throttled. Suggested Backoff Time: 20 milliseconds",
        "{tag} BAD Request is throttled. Suggested Backoff Time: 20 milliseconds\n\
         * BYE Connection closed. 14",
        "{tag} NO Request is throttled. Suggested Backoff Time: 20 milliseconds",
        "{tag} OK [THROTTLED] Suggested Backoff Time: 20 milliseconds",
        "* BYE Request is throttled. Suggested Backoff Time: 20 milliseconds",
    ];
    const UNAVAILABLE: &[&str] = &[
        "{tag} NO Service temporarily unavailable",
        "{tag} NO System Error (Failure)",
        "{tag} NO [TEMPFAIL] try again",
        "{tag} NO [UNAVAILABLE] UID FETCH Service is temporarily not available",
    ];
    const POISONED: &[&str] = &[
        "{tag} NO [SERVERBUG] UID FETCH Server error - Please try again later",
        "{tag} NO [UNAVAILABLE] UID FETCH Server error - Please try again later",
        "{tag} NO no such message",
    ];
    const ENDED: &[&str] = &[
        "* BYE Session expired, please login again.",
        "* BYE Disconnected for inactivity.",
        "{tag} OK done\n* BYE Connection closed. 14",
    ];
    let (forms, commands): (_, &[&str]) = match trouble {
        Trouble::Throttled => (THROTTLED, &["FETCH", "FETCH", "EXAMINE"]),
        Trouble::Unavailable => (UNAVAILABLE, &["FETCH", "FETCH", "EXAMINE"]),
        Trouble::Poisoned => (POISONED, &["FETCH"]),
        _ => (ENDED, &["FETCH"]),
    };
    Fault::lines(random.one_of(forms)).before(random.one_of(commands))
}

/// A refusal of whole commands, twice in all at most for each of the two that a scenario may have,
/// so never often enough to fail a message.
fn command_fault(random: &mut Random) -> Fault {
    match random.within(0..5) {
        0 => Fault::no("UNAVAILABLE", "try again")
            .before("FETCH")
            .times(1),
        1 => Fault::bad("line too long").before("FETCH").times(1),
        2 => Fault::no("", "some messages are gone")
            .before("FETCH")
            .times(1),
        3 => Fault::drop_pipelined().before("FETCH").times(1),
        _ => Fault::delay(Duration::from_millis(60))
            .before("FETCH")
            .times(3),
    }
}

impl Leg {
    pub(crate) fn draw(random: &mut Random, left: usize) -> Self {
        let most = left as u64 + 1;
        let some = random.within(0..most) as usize;
        let ending = match random.within(0..6) {
            0 => Ending::DropAfter(some),
            1 => Ending::CancelAfter(some),
            2 => Ending::FinishAfter(some),
            _ => Ending::Exhaust,
        };
        Self {
            kind: random.one_of(&[
                Kind::Map,
                Kind::ForEach,
                Kind::Fold,
                Kind::Imap,
                Kind::Imap,
                Kind::ImapUnordered,
                Kind::ImapUnordered,
            ]),
            window: random.one_in(2).then(|| match random.one_in(5) {
                true => 500,
                false => random.within(1..65) as usize,
            }),
            window_octets: random
                .one_in(3)
                .then(|| random.one_of(&[1, 10_000, 200_000])),
            shard_size: random
                .one_in(2)
                .then(|| random.one_of(&[1, 3, 20, 100, 600])),
            newest_first: random.one_in(3),
            ending,
        }
    }
}
