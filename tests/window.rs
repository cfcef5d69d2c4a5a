//! How much memory large messages take while the consumer is slow: what
//! [`Matches::window_octets`](parallel_mailbox::Matches::window_octets) promises. With
//! `PARALLEL_MAILBOX_LARGE=1` there are 200 of 5 MiB, otherwise 60.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod support;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use std::{env, thread};

use parallel_mailbox::testing::{Server, TestMessage};
use parallel_mailbox::{ParallelMailbox, Query, Security};
use support::memory;

/// Set for the child process that reads: the port, the number of workers and the window.
const CHILD: &str = "PARALLEL_MAILBOX_TEST_CHILD";

const MIB: u64 = 1024 * 1024;

const MESSAGE: u64 = 5 * MIB;

fn messages() -> usize {
    let is_large = env::var("PARALLEL_MAILBOX_LARGE").is_ok_and(|value| value == "1");
    if is_large { 200 } else { 60 }
}

fn mailbox_of(messages: usize) -> Server {
    let head = b"Subject: large\r\n\r\n";
    let mut raw = vec![b'x'; MESSAGE as usize];
    raw[..head.len()].copy_from_slice(head);
    let raw: Arc<[u8]> = raw.into();
    let messages = (0..messages).map(|_| TestMessage::new(raw.clone()));
    Server::builder().messages(messages).start().unwrap()
}

fn peak(server: &Server, workers: usize, window: u64) -> u64 {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_reader", "--nocapture"])
        .env(CHILD, format!("{} {workers} {window}", server.port()))
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}\n{complaint}");
    let peak = shown
        .lines()
        .find_map(|line| line.strip_prefix("peak ")?.parse().ok());
    peak.unwrap_or_else(|| panic!("{shown}"))
}

/// The other half of the tests here. Returns at once in any other process.
#[test]
fn the_reader() {
    let Ok(order) = env::var(CHILD) else {
        return;
    };
    let numbers: Vec<u64> = order.split(' ').map(|word| word.parse().unwrap()).collect();
    let [port, workers, window] = numbers[..] else {
        panic!("{order}");
    };
    let mailbox = ParallelMailbox::builder("127.0.0.1")
        .port(port as u16)
        .security(Security::DangerPlaintext)
        .login("me", "secret")
        .workers(workers as usize)
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap().window_octets(window);
    let mut next = 1;
    for message in matches.imap(|message| message) {
        let message = message.unwrap();
        assert_eq!(message.uid().get(), next);
        assert_eq!(message.raw().len() as u64, MESSAGE);
        next += 1;
        if next % 8 == 0 {
            thread::sleep(Duration::from_millis(30));
        }
    }
    assert_eq!(next as usize, matches.len() + 1);
    println!("\npeak {}", memory::peak_octets().unwrap_or(0));
}

/// What the process takes that has signed in and read nothing, with room for other machines.
const BARE: u64 = 16 * MIB;

/// What the documentation says.
fn bound(window: u64, workers: u64) -> u64 {
    let held = window.max(MESSAGE) + MESSAGE + workers * 100_000;
    BARE + held.max(16 * MIB)
}

#[test]
fn messages_in_memory_are_the_window_and_one() {
    let server = mailbox_of(messages());
    for workers in [1, 4, 8] {
        // Many messages fit in, one does, and not even one.
        for window in [128, 32, 8, 1].map(|window| window * MIB) {
            let peak = peak(&server, workers as usize, window);
            let bound = bound(window, workers);
            eprintln!(
                "{workers} workers, window of {} MiB: peak {:.1} MiB of {}",
                window / MIB,
                peak as f64 / MIB as f64,
                bound / MIB
            );
            assert!(peak <= bound, "{peak} octets");
        }
    }
}
