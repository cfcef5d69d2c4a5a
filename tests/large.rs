//! A mailbox of some size on a real Dovecot: every run, at 1, 4 and 8 workers, octet for octet,
//! in flat memory.
//!
//! With `PARALLEL_MAILBOX_LARGE=1` there are 20,000 small and 5,000 mixed messages, otherwise a
//! tenth of that, which an unoptimised build copes with in seconds.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod support;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher};
use std::process::Command;
use std::time::Duration;

use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{Builder, Message, ParallelMailbox, Query, Security};
use support::dovecot::{Dovecot, dovecot_or_skip};
use support::memory;
use support::raw_client::RawClient;

fn scaled(messages: usize) -> usize {
    let is_large = std::env::var("PARALLEL_MAILBOX_LARGE").is_ok_and(|value| value == "1");
    if is_large { messages } else { messages / 10 }
}

fn hash(octets: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(octets);
    hasher.finish()
}

fn builder(port: u16, user: &str, password: &str) -> Builder {
    ParallelMailbox::builder("127.0.0.1")
        .port(port)
        .security(Security::DangerPlaintext)
        .login(user, password)
}

fn flags(dovecot: &Dovecot) -> Vec<String> {
    let mut client = RawClient::connect(dovecot.plain_port());
    client.greeting();
    client.ok(&format!("LOGIN {} {}", dovecot.user(), dovecot.password()));
    client.ok("EXAMINE INBOX");
    let answer = client.ok("UID FETCH 1:* (FLAGS)");
    // Without the end of the command, which tells how long it took.
    let lines = answer
        .into_iter()
        .map(|piece| piece.line)
        .filter(|line| line.starts_with("* "));
    lines
        .map(|line| line.replace(" \\Recent", "").replace("\\Recent", ""))
        .collect()
}

fn all_runs_deliver(sample: Sample) {
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let mut hashes = Vec::new();
    // One at a time, so that the test itself stays small.
    let messages = sample.into_iter().map(|message| {
        hashes.push(hash(message.raw()));
        message.raw().to_vec()
    });
    let options = options.messages(messages);
    let dovecot = options.start();
    let before = flags(&dovecot);
    for workers in [1, 4, 8] {
        let mailbox = builder(dovecot.plain_port(), dovecot.user(), dovecot.password());
        let mailbox = mailbox.workers(workers).connect().unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        assert_eq!(matches.len(), hashes.len());
        let job = |message: Message| (message.uid().get(), hash(message.raw()));
        let expected: Vec<(u32, u64)> = (1..).zip(hashes.iter().copied()).collect();

        assert!(matches.map(job).unwrap() == expected, "map at {workers}");
        let ordered: Vec<_> = matches.imap(job).map(Result::unwrap).collect();
        assert!(ordered == expected, "imap at {workers}");
        let unordered: Vec<_> = matches.imap_unordered(job).map(Result::unwrap).collect();
        assert_eq!(unordered.len(), expected.len());
        let unordered: HashSet<_> = unordered.into_iter().collect();
        assert!(
            unordered == expected.into_iter().collect(),
            "imap_unordered at {workers}"
        );
    }
    assert!(flags(&dovecot) == before, "flags have changed");
}

#[test]
fn small_messages() {
    all_runs_deliver(Sample::small(scaled(20_000)));
}

#[test]
fn mixed_messages() {
    all_runs_deliver(Sample::mixed(scaled(5_000)));
}

/// Set for the child process that reads in the test of memory: what it does, the port, the
/// number of messages.
const CHILD: &str = "PARALLEL_MAILBOX_TEST_CHILD";

#[test]
fn memory_stays_flat() {
    if let Ok(job) = std::env::var(CHILD) {
        return child(&job);
    }
    if memory::peak_octets().is_none() {
        eprintln!("SKIPPED: this system does not tell the peak of memory");
        return;
    }

    for (job, workers, limit) in [("count", 4, 48), ("count", 8, 64), ("keep", 8, 128)] {
        let mut peaks = Vec::new();
        for count in [scaled(2_500), scaled(5_000)] {
            let server = Server::builder()
                .sample(Sample::mixed(count))
                .start()
                .unwrap();
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "memory_stays_flat", "--nocapture"])
                .env(CHILD, format!("{job} {workers} {}", server.port()))
                .output()
                .unwrap();
            let shown = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{shown}");
            let peak = shown
                .lines()
                .find_map(|line| line.split_once("peak ")?.1.parse().ok());
            let peak: u64 = peak.unwrap_or_else(|| panic!("{shown}"));
            eprintln!("{job}, {workers} workers, {count} mixed messages: peak {peak} MB");
            assert!(peak <= limit, "{job} at {workers} workers: {peak} MB");
            peaks.push(peak);
        }
    }
}

fn child(job: &str) {
    let mut words = job.split(' ');
    let job = words.next().unwrap();
    let workers = words.next().unwrap().parse().unwrap();
    let port = words.next().unwrap().parse().unwrap();
    let mailbox = builder(port, "me", "secret")
        .workers(workers)
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    match job {
        "count" => {
            let octets: usize = matches
                .imap_unordered(|message| message.raw().len())
                .map(Result::unwrap)
                .sum();
            assert!(octets > 0);
        }
        // The messages themselves, for a consumer that is slower than the network.
        _ => {
            for (index, message) in matches.imap(|message| message).enumerate() {
                assert!(!message.unwrap().raw().is_empty());
                if index % 16 == 0 {
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
    }
    println!("\npeak {}", memory::peak_octets().unwrap() / 1_000_000);
}
