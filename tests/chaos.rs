//! A soak test: a server with faults drawn from a seed, a mailbox that changes meanwhile, runs of
//! every kind that are given up and resumed. Whatever happens, every message ends in exactly one
//! outcome, with its own octets, in finite time, and nothing is left behind.
//!
//! A few seeds run with all the tests. More of them, and one again:
//!
//! ```sh
//! PARALLEL_MAILBOX_CHAOS_SEEDS=200 cargo test --release --test chaos -- --nocapture
//! PARALLEL_MAILBOX_CHAOS_SEED=17 cargo test --test chaos -- --nocapture
//! PARALLEL_MAILBOX_CHAOS_FROM=1000 cargo test --test chaos -- --nocapture
//! ```
//!
//! A seed stands for the scenario, not for how threads take turns in it: what is rare may need
//! more than one try.

// The lints spare tests, but not the functions that only tests call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod ledger;
#[path = "chaos/random.rs"]
mod random;
#[path = "chaos/scenario.rs"]
mod scenario;
#[path = "chaos/soak.rs"]
mod soak;
mod support;

use std::env;
use std::ops::Range;
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use random::Random;
use scenario::Scenario;
use soak::Findings;
use support::leaks::Leaks;
use support::wait;

/// So many seeds run with all the tests.
const SEEDS: u64 = 6;

/// No seed takes a tenth of this; one that does will never end.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long threads and sockets may take to disappear.
const GRACE: Duration = Duration::from_secs(5);

#[test]
fn every_message_ends_in_one_outcome_whatever_the_server_does() {
    let watchdog = watchdog();
    let leaks = Leaks::watch();
    let mut total = Findings::default();
    let mut bad = Vec::new();
    let started = Instant::now();
    let seeds = seeds();
    for seed in seeds.clone() {
        watchdog.send(seed).expect("the watchdog watches");
        let began = Instant::now();
        let mut findings = soak::play(seed, seeds.end - seeds.start == 1);
        wait::until(GRACE, || leaks.left().is_empty());
        findings.left = leaks.left();
        eprintln!(
            "seed {seed}, {}: {} messages in {} runs, {} failed, {} gone, {} sessions, {} \
             reconnects, {:.1?}",
            scenario_of(seed).persona.map_or("plain", |own| own.name()),
            findings.messages,
            findings.legs,
            findings.failed,
            findings.gone,
            findings.sessions,
            findings.reconnects,
            began.elapsed()
        );
        if !findings.is_clean() {
            eprintln!("{findings:#?}\nseed {seed} is {:?}", scenario_of(seed));
            bad.push(seed);
        }
        add(&mut total, findings);
    }
    eprintln!(
        "seeds {seeds:?}: {} messages in {} runs; {} lost, {} twice, {} wrong, {} broken, {} left; \
         {} failed, {} gone, {} sessions, {} reconnects, {:.1?}",
        total.messages,
        total.legs,
        total.lost.len(),
        total.twice.len(),
        total.wrong.len(),
        total.broken.len(),
        total.left.len(),
        total.failed,
        total.gone,
        total.sessions,
        total.reconnects,
        started.elapsed()
    );
    assert!(
        bad.is_empty(),
        "again with PARALLEL_MAILBOX_CHAOS_SEED={}; all that failed: {bad:?}",
        bad[0]
    );
}

fn seeds() -> Range<u64> {
    if let Some(seed) = number("PARALLEL_MAILBOX_CHAOS_SEED") {
        return seed..seed + 1;
    }
    let from = number("PARALLEL_MAILBOX_CHAOS_FROM").unwrap_or(0);
    from..from + number("PARALLEL_MAILBOX_CHAOS_SEEDS").unwrap_or(SEEDS)
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

fn scenario_of(seed: u64) -> Scenario {
    Scenario::draw(&mut Random::new(seed))
}

/// A thread that ends the process if a seed does not end. It is told of each that begins.
fn watchdog() -> Sender<u64> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new()
        .name("watchdog".to_owned())
        .spawn(move || {
            let mut current = None;
            loop {
                match receiver.recv_timeout(PATIENCE) {
                    Ok(seed) => current = Some(seed),
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        let Some(seed) = current else { continue };
                        eprintln!(
                            "seed {seed} hangs; again with PARALLEL_MAILBOX_CHAOS_SEED={seed}\n\
                             {:?}",
                            scenario_of(seed)
                        );
                        process::abort();
                    }
                }
            }
        })
        .expect("a thread for the watchdog");
    sender
}

fn add(total: &mut Findings, mut one: Findings) {
    total.lost.append(&mut one.lost);
    total.twice.append(&mut one.twice);
    total.wrong.append(&mut one.wrong);
    total.broken.append(&mut one.broken);
    total.left.append(&mut one.left);
    total.legs += one.legs;
    total.messages += one.messages;
    total.failed += one.failed;
    total.gone += one.gone;
    total.sessions += one.sessions;
    total.reconnects += one.reconnects;
}
