//! The program as a process of its own, which gets a Ctrl-C.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/support/wait.rs"]
mod wait;

use std::process::{Command, Stdio};
use std::time::Duration;

use example_support::dovecot;
use parallel_mailbox::testing::{Sample, Server};
use rustix::process::{Pid, Signal, kill_process};

const PATIENCE: Duration = Duration::from_secs(60);

fn program(server: &Server, words: &[&str]) -> Command {
    watch(server.password(), words)
}

fn watch(password: &str, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-watch"));
    command
        .args(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
        .env("IMAP_PASSWORD", password)
        .env("DANGER_PLAINTEXT", "1");
    command
}

fn fetched(server: &Server) -> usize {
    let log = server.log();
    log.iter()
        .filter(|entry| entry.line.contains(" FETCH "))
        .count()
}

#[test]
fn ctrl_c_stops_it_and_what_it_prints_goes_on_from_there() {
    // Slow enough to be stopped on the way.
    let server = Server::builder()
        .sample(Sample::small(2_000))
        .total_bandwidth(2_000_000);
    let server = server.start().unwrap();
    let url = server.url();
    let child = program(&server, &[&url]).spawn().unwrap();
    assert!(wait::until(PATIENCE, || fetched(&server) > 0));
    let process = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(process, Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "not complete, and no crash");
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, rest) = text.split_once("go on with: ").unwrap();
    let words: Vec<&str> = rest.trim().split(' ').collect();
    assert_eq!(words[0], url);
    let delivered = |text: &str| -> usize {
        let (_, after) = text.split_once("matched: ").unwrap();
        after.split(' ').next().unwrap().parse().unwrap()
    };
    let first = delivered(&text);
    assert!(first < 2_000, "{text}");
    let output = program(&server, &words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(first + delivered(&text), 2_000, "{text}");
}

#[test]
fn what_dovecot_has_is_read_to_the_end() {
    let Some(dovecot) = dovecot::builder() else {
        return;
    };
    let dovecot = dovecot.messages(Sample::small(500)).start();
    let output = watch(dovecot.password(), &[&dovecot.url("INBOX")]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    println!("{text}");
    assert!(text.contains("500 matched: 500 delivered"), "{text}");
    assert!(!text.contains("go on with"), "{text}");
}
