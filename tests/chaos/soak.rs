//! Plays one scenario and holds the result against what the server has.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use parallel_mailbox::testing::Server;
use parallel_mailbox::{
    Error, ErrorKind, Matches, Message, ParallelMailbox, Query, Report, Result, Retry, Timeouts,
    Uid, UidSet,
};

use super::ledger::adds_up;
use super::random::Random;
use super::scenario::{
    Ending, Kind, Leg, MAX_MESSAGE_OCTETS, Mischief, READ_DEADLINE, Scenario, TROUBLED_LEGS,
};

/// Ending a run early takes a second at most, says the crate; this allows for a busy machine.
const EARLY_END: Duration = Duration::from_secs(5);

/// What a seed has shown.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Messages that ended without an outcome, or with one they must not have.
    pub(crate) lost: Vec<String>,
    /// Messages that the closure or the consumer saw twice.
    pub(crate) twice: Vec<String>,
    /// Bodies that are not what the server holds.
    pub(crate) wrong: Vec<String>,
    /// Ledgers that do not balance, orders that are not kept, ends that come late.
    pub(crate) broken: Vec<String>,
    /// Threads and sockets left behind. Filled in by the caller, when all is over.
    pub(crate) left: Vec<String>,
    pub(crate) legs: usize,
    pub(crate) messages: usize,
    pub(crate) failed: usize,
    pub(crate) gone: usize,
    pub(crate) sessions: usize,
    pub(crate) reconnects: usize,
}

impl Findings {
    pub(crate) fn is_clean(&self) -> bool {
        [
            &self.lost,
            &self.twice,
            &self.wrong,
            &self.broken,
            &self.left,
        ]
        .iter()
        .all(|found| found.is_empty())
    }
}

/// What the server held when the run began.
struct Truth {
    bodies: HashMap<u32, Arc<[u8]>>,
    panics: BTreeSet<u32>,
}

/// What the closures of one run have seen.
struct Witness {
    truth: Arc<Truth>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    uids: HashSet<Uid>,
    twice: Vec<String>,
    wrong: Vec<String>,
}

impl Witness {
    /// The closure of every run: looks at the message and returns its UID.
    fn look(&self, message: &Message) -> Uid {
        let uid = message.uid();
        let is_right = self
            .truth
            .bodies
            .get(&uid.get())
            .is_some_and(|body| **body == *message.raw());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.uids.insert(uid) {
            seen.twice.push(format!("the closure saw {uid} again"));
        }
        if !is_right {
            let octets = message.raw().len();
            seen.wrong
                .push(format!("{uid} came as {octets} other octets"));
        }
        drop(seen);
        if self.truth.panics.contains(&uid.get()) {
            // Past the panic hook, which would fill the screen.
            resume_unwind(Box::new("the closure gives up"));
        }
        uid
    }
}

/// `is_told`: what is played is printed as it goes, for finding out why it fails.
pub(crate) fn play(seed: u64, is_told: bool) -> Findings {
    let mut random = Random::new(seed);
    let mut scenario = Scenario::draw(&mut random);
    scenario.is_told = is_told;
    if is_told {
        eprintln!("{scenario:?}");
    }
    let mut builder = Server::builder()
        .sample(scenario.sample(seed))
        .latency(scenario.latency);
    if let Some(persona) = scenario.persona {
        builder = builder.persona(persona);
    }
    if let Some(sessions) = scenario.max_connections {
        builder = builder.max_connections(sessions);
    }
    let server = builder.start().unwrap();
    let truth = Arc::new(Truth {
        bodies: (1..=scenario.messages)
            .map(|uid| (uid, server.raw("INBOX", uid).unwrap()))
            .collect(),
        panics: scenario.panics.clone(),
    });
    let mailbox = connect(&server, &scenario).unwrap();
    // With the one, sessions are opened ahead of the run, before the faults are set; with the other,
    // by the run.
    let query = match seed % 2 {
        0 => Query::all(),
        _ => Query::all().smaller(u64::from(u32::MAX)),
    };
    let matches = mailbox.search(query).unwrap();
    assert_eq!(matches.len(), scenario.messages as usize);
    for fault in &scenario.faults {
        server.add_fault(fault.clone());
    }
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| disturb(&server, &scenario.mischief, &is_over));
        let findings = read(&mailbox, matches, &scenario, &truth, &server, &mut random);
        is_over.store(true, Ordering::Relaxed);
        findings
    })
}

fn connect(server: &Server, scenario: &Scenario) -> Result<ParallelMailbox> {
    let (is_told, began) = (scenario.is_told, Instant::now());
    let timeouts = Timeouts::default()
        .connect(Duration::from_secs(2))
        .read(READ_DEADLINE)
        .search(Duration::from_secs(2));
    let retry = Retry::default()
        .initial_delay(Duration::from_millis(2))
        .max_delay(Duration::from_millis(40));
    server
        .client()
        .workers(scenario.workers)
        .timeouts(timeouts)
        .retry(retry)
        .max_message_size(MAX_MESSAGE_OCTETS)
        .on_event(move |event| {
            if is_told {
                eprintln!("{:.1?} {event:?}", began.elapsed());
            }
        })
        .connect()
}

fn disturb(server: &Server, mischief: &[Mischief], is_over: &AtomicBool) {
    for step in mischief {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        match *step {
            Mischief::Pause(time) => thread::sleep(time),
            Mischief::Expunge(uid) => {
                server.expunge("INBOX", uid);
            }
            Mischief::Append => {
                server.append("INBOX", "Subject: new\r\n\r\nnot part of the search\r\n");
            }
            Mischief::DisconnectAll => server.disconnect_all(),
            Mischief::RefuseFor(time) => {
                server.refuse_connections(true);
                thread::sleep(time);
                server.refuse_connections(false);
            }
        }
    }
}

/// Runs over what is left until nothing is.
fn read(
    mailbox: &ParallelMailbox,
    matches: Matches,
    scenario: &Scenario,
    truth: &Arc<Truth>,
    server: &Server,
    random: &mut Random,
) -> Findings {
    let mut findings = Findings {
        messages: matches.len(),
        ..Findings::default()
    };
    let mut mailbox = mailbox.clone();
    let mut left = matches;
    while !left.is_empty() {
        findings.legs += 1;
        if findings.legs == TROUBLED_LEGS {
            server.clear_faults();
        }
        if findings.legs > TROUBLED_LEGS + 20 {
            let missing = left.uids();
            findings
                .lost
                .push(format!("{missing} stay unfinished whatever is tried"));
            break;
        }
        let mut leg = Leg::draw(random, left.len());
        if findings.legs >= TROUBLED_LEGS {
            leg.ending = Ending::Exhaust;
        }
        if scenario.is_told {
            eprintln!("{} left: {leg:?}", left.len());
        }
        let witness = Arc::new(Witness {
            truth: Arc::clone(truth),
            seen: Mutex::default(),
        });
        let (matches, report) = run(left.clone(), &leg, &witness, &mut findings);
        judge(&matches, &report, &witness, scenario, server, &mut findings);
        // A mailbox that was told its password is wrong never asks again; its user may.
        let is_refused = |error: &Error| *error.kind() == ErrorKind::Auth;
        if report.error().is_some_and(is_refused)
            && let Ok(again) = connect(server, scenario)
        {
            mailbox = again;
        }
        left = mailbox.uids(report.unfinished());
    }
    findings
}

/// Makes one run and returns its report.
fn run(
    matches: Matches,
    leg: &Leg,
    witness: &Arc<Witness>,
    findings: &mut Findings,
) -> (Matches, Report) {
    let mut matches = matches.newest_first(leg.newest_first);
    if let Some(messages) = leg.window {
        matches = matches.window(messages);
    }
    if let Some(octets) = leg.window_octets {
        matches = matches.window_octets(octets);
    }
    if let Some(messages) = leg.shard_size {
        matches = matches.shard_size(messages);
    }
    let shared = Arc::clone(witness);
    let mut expected = None;
    match leg.kind {
        Kind::Map => {
            if let Ok(uids) = matches.map(|message| witness.look(&message)) {
                check_order(&uids, leg, findings);
                expected = Some(uids);
            }
        }
        Kind::ForEach => {
            // The error is in the report.
            let _ = matches.for_each(|message| {
                witness.look(&message);
            });
        }
        Kind::Fold => {
            let folded = matches.fold(
                Vec::new,
                |mut uids, message| {
                    uids.push(witness.look(&message));
                    uids
                },
                |mut one, other| {
                    one.extend(other);
                    one
                },
            );
            expected = folded.ok();
        }
        Kind::Imap => {
            let items = matches.imap(move |message| shared.look(&message));
            let canceller = items.canceller();
            let uids = consume(
                items,
                leg,
                || canceller.cancel(),
                |items| items.finish(),
                findings,
            );
            check_order(&uids, leg, findings);
            expected = is_told(leg).then_some(uids);
        }
        Kind::ImapUnordered => {
            let items = matches.imap_unordered(move |message| shared.look(&message));
            let canceller = items.canceller();
            let uids = consume(
                items,
                leg,
                || canceller.cancel(),
                |items| items.finish(),
                findings,
            );
            expected = is_told(leg).then_some(uids);
        }
    }
    let report = matches.last_report().unwrap();
    if let Some(uids) = expected {
        let delivered: UidSet = uids.iter().copied().collect();
        if delivered.len() != uids.len() {
            findings
                .twice
                .push("the consumer got a result twice".to_owned());
        }
        if delivered != *report.delivered() {
            let odd = delivered
                .difference(report.delivered())
                .union(&report.delivered().difference(&delivered));
            findings
                .broken
                .push(format!("the report and the results disagree about {odd}"));
        }
    }
    (matches, report)
}

/// Whether the consumer takes every item that the report counts as delivered.
fn is_told(leg: &Leg) -> bool {
    !matches!(leg.ending, Ending::FinishAfter(_))
}

/// Takes items as the leg says, and returns the UIDs among them.
fn consume<I: Iterator<Item = Result<Uid>>>(
    mut items: I,
    leg: &Leg,
    cancel: impl Fn(),
    finish: impl Fn(I) -> Report,
    findings: &mut Findings,
) -> Vec<Uid> {
    let most = match leg.ending {
        Ending::Exhaust => usize::MAX,
        Ending::FinishAfter(most) | Ending::DropAfter(most) | Ending::CancelAfter(most) => most,
    };
    let mut uids = Vec::new();
    for _ in 0..most {
        match items.next() {
            Some(Ok(uid)) => uids.push(uid),
            Some(Err(_)) => {}
            None => break,
        }
    }
    let began = Instant::now();
    match leg.ending {
        Ending::Exhaust => return uids,
        Ending::FinishAfter(_) => {
            // What it returns is what `last_report` will say.
            let _ = finish(items);
            return uids;
        }
        Ending::DropAfter(_) => drop(items),
        Ending::CancelAfter(_) => {
            cancel();
            uids.extend(items.filter_map(Result::ok));
        }
    }
    let took = began.elapsed();
    if took > EARLY_END {
        findings
            .broken
            .push(format!("{:?} took {took:?} to end", leg.ending));
    }
    uids
}

fn check_order(uids: &[Uid], leg: &Leg, findings: &mut Findings) {
    let is_sorted = if leg.newest_first {
        uids.iter().rev().is_sorted()
    } else {
        uids.is_sorted()
    };
    if !is_sorted {
        findings
            .broken
            .push(format!("{:?} did not keep the order", leg.kind));
    }
}

/// Holds a report against what was asked, what was seen and what the server had done.
fn judge(
    matches: &Matches,
    report: &Report,
    witness: &Witness,
    scenario: &Scenario,
    server: &Server,
    findings: &mut Findings,
) {
    if report.matched() != matches.uids() || !adds_up(report) {
        findings
            .broken
            .push(format!("the ledger does not balance: {report}"));
    }
    if report.error().is_none() && !report.unfinished().is_empty() {
        findings
            .broken
            .push(format!("unfinished without a reason: {report}"));
    }
    for (uid, error) in report.failed() {
        let uid = uid.get();
        if !scenario.cursed.contains(&uid) && !scenario.panics.contains(&uid) {
            findings
                .lost
                .push(format!("{uid} failed without a fault of its own: {error}"));
        }
    }
    for uid in report.gone() {
        if server.raw("INBOX", uid.get()).is_some() {
            findings.lost.push(format!("{uid} is gone and is there"));
        }
    }
    let mut seen = witness.seen.lock().unwrap_or_else(PoisonError::into_inner);
    for uid in report.delivered() {
        if !seen.uids.contains(&uid) {
            findings
                .lost
                .push(format!("{uid} is delivered and the closure never saw it"));
        }
    }
    findings.twice.append(&mut seen.twice);
    findings.wrong.append(&mut seen.wrong);
    findings.failed += report.failed().len();
    findings.gone += report.gone().len();
    findings.sessions += report.sessions();
    findings.reconnects += report.reconnects();
}
