//! Both programs on the same mailboxes.

#![allow(clippy::unwrap_used)]

use std::io::{self, Write};
use std::path::Path;

use example_pool::{Account, Program, Run, has_python};
#[cfg(unix)]
use example_support::dovecot;
use parallel_mailbox::testing::{Fault, Sample, Server, TestMessage};

fn run(program: Program, account: &Account) -> Run {
    let ours = Path::new(env!("CARGO_BIN_EXE_example-pool"));
    program.run(account, 3, ours).unwrap()
}

fn account(server: &Server) -> Account {
    Account {
        url: server.url(),
        password: server.password().to_owned(),
    }
}

fn assert_both_say_the_same(account: &Account) {
    let ours = run(Program::Rust, account);
    assert!(ours.output.status.success(), "{ours:?}");
    let text = String::from_utf8(ours.output.stdout).unwrap();
    assert!(text.lines().count() > 10, "{text}");
    println!("{}", String::from_utf8_lossy(&ours.output.stderr));
    if !python_is_there() {
        return;
    }
    for chunk in [1, 50] {
        let theirs = run(Program::Python { chunk }, account);
        assert!(theirs.output.status.success(), "{theirs:?}");
        assert_eq!(String::from_utf8(theirs.output.stdout).unwrap(), text);
    }
}

fn python_is_there() -> bool {
    let is_there = has_python();
    if !is_there {
        // Not by `println!`, which a test that passes keeps to itself.
        let _ = io::stderr().write_all(b"SKIPPED: there is no python3 to compare with\n");
    }
    is_there
}

#[test]
fn both_say_the_same_of_made_up_mail() {
    let server = Server::builder()
        .sample(Sample::mixed(300))
        .start()
        .unwrap();
    assert_both_say_the_same(&account(&server));
}

#[test]
fn both_say_the_same_of_senders_that_are_written_oddly() {
    let mut messages = vec![TestMessage::new("Subject: nobody\r\n\r\ntext\r\n")];
    for from in [
        &b"J\xfcrgen M\xfcller <JUERGEN@example.org>"[..],
        "Zoë <zoe@example.org>".as_bytes(),
        b"=?utf-8?q?J=C3=BCrgen?= <juergen@example.org>",
        b"\"Berg, Anna\" <anna@example.org>, ben@example.org",
        b"carl@example.org (Carl)",
    ] {
        let raw = [b"From: ", from, b"\r\n\r\ntext\r\n"].concat();
        messages.push(TestMessage::new(raw));
    }
    // So that there are enough of them to be divided.
    let messages = messages.iter().cycle().take(60).cloned();
    let server = Server::builder().messages(messages).start().unwrap();
    let account = account(&server);
    let ours = String::from_utf8(run(Program::Rust, &account).output.stdout).unwrap();
    let senders: Vec<&str> = ours
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    let expected = ["anna", "carl", "juergen", "zoe"].map(|name| format!("{name}@example.org"));
    assert_eq!(senders[1..], expected, "nobody, and these");
    if python_is_there() {
        let theirs = run(Program::Python { chunk: 7 }, &account).output;
        assert_eq!(String::from_utf8(theirs.stdout).unwrap(), ours);
    }
}

#[test]
#[cfg(unix)]
fn both_say_the_same_of_what_dovecot_has() {
    let Some(dovecot) = dovecot::builder() else {
        return;
    };
    let dovecot = dovecot.messages(Sample::mixed(300)).start();
    assert_both_say_the_same(&Account {
        url: dovecot.url("INBOX"),
        password: dovecot.password().to_owned(),
    });
}

#[test]
fn a_connection_that_breaks_costs_the_one_its_run_and_the_other_nothing() {
    let server = || {
        Server::builder()
            .sample(Sample::tiny(300))
            .fault(Fault::reset().uid(150).times(1))
            .start()
            .unwrap()
    };
    let broken = server();
    let ours = run(Program::Rust, &account(&broken));
    let report = String::from_utf8(ours.output.stderr).unwrap();
    println!("this crate: {report}");
    assert!(ours.output.status.success());
    assert!(
        report.contains("300 delivered") && report.contains("1 reconnect"),
        "{report}"
    );
    if python_is_there() {
        let broken = server();
        let theirs = run(Program::Python { chunk: 50 }, &account(&broken));
        let complaint = String::from_utf8(theirs.output.stderr).unwrap();
        println!("Python: {}", complaint.lines().last().unwrap_or_default());
        assert!(!theirs.output.status.success());
        assert!(complaint.contains("Traceback") && theirs.output.stdout.is_empty());
    }
}

#[test]
fn the_listings_of_the_comparison_are_the_programs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = folder.join("../../src/guide/python.md");
    let text = std::fs::read_to_string(guide).unwrap();
    for file in ["pool.py", "src/main.rs"] {
        let program = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.contains(&program), "the guide has another {file}");
    }
}
