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

use parallel_mailbox::testing::{Fault, Server, TestMessage};
use parallel_mailbox::{ParallelMailbox, Query, Security};
use support::memory;

/// Set for the child process that reads: the port, the number of workers, the window, the size of a
/// message, and 1 if the newest come first.
const CHILD: &str = "PARALLEL_MAILBOX_TEST_CHILD";

const MIB: u64 = 1024 * 1024;

const MESSAGE: u64 = 5 * MIB;

fn messages() -> usize {
    let is_large = env::var("PARALLEL_MAILBOX_LARGE").is_ok_and(|value| value == "1");
    if is_large { 200 } else { 60 }
}

fn mailbox_of(messages: usize, size: u64) -> Server {
    let head = b"Subject: large\r\n\r\n";
    let mut raw = vec![b'x'; size as usize];
    raw[..head.len()].copy_from_slice(head);
    let raw: Arc<[u8]> = raw.into();
    let messages = (0..messages).map(|_| TestMessage::new(raw.clone()));
    Server::builder().messages(messages).start().unwrap()
}

fn peak(server: &Server, workers: u64, window: u64, size: u64, newest_first: bool) -> u64 {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_reader", "--nocapture"])
        .env(
            CHILD,
            format!(
                "{} {workers} {window} {size} {}",
                server.port(),
                u8::from(newest_first)
            ),
        )
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
    let [port, workers, window, size, newest_first] = numbers[..] else {
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
    let matches = matches.newest_first(newest_first == 1);
    let count = matches.len();
    let mut taken = 0;
    for message in matches.imap(|message| message) {
        let message = message.unwrap();
        taken += 1;
        let expected = match newest_first {
            1 => count + 1 - taken,
            _ => taken,
        };
        assert_eq!(message.uid().get() as usize, expected);
        assert_eq!(message.raw().len() as u64, size);
        if taken % 8 == 0 {
            thread::sleep(Duration::from_millis(30));
        }
    }
    assert_eq!(taken, count);
    println!("\npeak {}", memory::peak_octets().unwrap_or(0));
}

/// What the process takes that has signed in and read nothing, with room for other machines.
const BARE: u64 = 16 * MIB;

/// What the documentation says.
fn bound(window: u64, workers: u64, size: u64) -> u64 {
    let held = window.max(size) + size + workers * 100_000;
    BARE + held.max(16 * MIB)
}

#[test]
fn messages_in_memory_are_the_window_and_one() {
    let server = mailbox_of(messages(), MESSAGE);
    for workers in [1, 4, 8] {
        // Many messages fit in, one does, and not even one.
        for window in [128, 32, 8, 1].map(|window| window * MIB) {
            let peak = peak(&server, workers, window, MESSAGE, false);
            let bound = bound(window, workers, MESSAGE);
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

/// A server answers in the order of the UIDs, so what is wanted first comes last.
#[test]
fn the_newest_first_takes_no_more() {
    for is_reversed in [false, true] {
        let server = mailbox_of(200, MIB);
        if is_reversed {
            server.add_fault(Fault::reversed());
        }
        for (workers, window) in [(8, 4 * MIB), (1, 4 * MIB), (4, MIB)] {
            // In either case the order of the answers is the other one.
            let peak = peak(&server, workers, window, MIB, !is_reversed);
            let bound = bound(window, workers, MIB);
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
