//! What is special with a real Cyrus, beside the suite of behaviours that it passes like the other
//! servers (`tests/behaviour`). Each difference is told where it is tested; those that matter most:
//!
//! - no refusal has a code, neither of a login nor of a mailbox: the text is all there is (`sign_in`,
//!   `names`);
//! - commands sent ahead of the answer to AUTHENTICATE are lost (`sign_in`);
//! - a session may get a message that another has expunged (`expunged`);
//! - a body with a NUL comes in a literal of BINARY, also to one who did not ask for it (`fixture`);
//! - a process told to end says no BYE, and a server about to go down says one after each login
//!   (`sessions`).
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    missing_docs
)]

#[path = "../counted/mod.rs"]
mod counted;
#[path = "../ledger/mod.rs"]
mod ledger;
#[path = "../support/mod.rs"]
mod support;

mod expunged;
mod fixture;
mod names;
mod sessions;
mod sign_in;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parallel_mailbox::testing::Sample;
use parallel_mailbox::{Builder, Matches, ParallelMailbox, Query, Report, Retry, Security};

use counted::counted;
use ledger::adds_up;
use support::cyrus::{Cyrus, Options, cyrus_or_skip};
use support::raw_client::RawClient;

fn messages(count: usize) -> Vec<Vec<u8>> {
    let sample = Sample::small(count).into_iter();
    sample.map(|message| message.raw().to_vec()).collect()
}

fn start(options: Options, count: usize) -> Cyrus {
    options.messages(messages(count)).start()
}

fn builder(cyrus: &Cyrus) -> Builder {
    ParallelMailbox::builder("127.0.0.1")
        .port(cyrus.plain_port())
        .security(Security::DangerPlaintext)
        .login(cyrus.user(), cyrus.password())
        .retry(Retry::default().initial_delay(Duration::from_millis(20)))
}

/// Runs over all matches, and checks octets and that nothing comes twice. `each` is called for
/// every message.
fn run(matches: &Matches, expected: &[Vec<u8>], each: impl Fn() + Sync) -> Report {
    let seen = Mutex::new(BTreeMap::<u32, u32>::new());
    let result = matches.for_each(|message| {
        let uid = message.uid().get();
        assert!(
            message.raw() == expected[uid as usize - 1].as_slice(),
            "message {uid}"
        );
        *seen.lock().unwrap().entry(uid).or_default() += 1;
        each();
    });
    let report = matches.last_report().unwrap();
    result.unwrap_or_else(|error| panic!("{error}: {report}"));
    assert!(adds_up(&report), "{report}");
    let seen = seen.into_inner().unwrap();
    assert!(seen.values().all(|times| *times == 1));
    assert_eq!(seen.len(), report.delivered().len());
    assert!(report.failed().is_empty(), "{:?}", report.failed());
    report
}

/// The greeting has the capabilities, and so has the answer to LOGIN; Dovecot does the same. But the latter list says LOGINDISABLED, which is
/// true for one who is logged in, and has no AUTH: a client that took it for the former would find
/// no way in.
#[test]
fn announces_what_the_crate_uses() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let cyrus = options.start();
    let mut client = RawClient::connect(cyrus.plain_port());
    let greeting = client.greeting().to_owned();
    for capability in ["LITERAL+", "SASL-IR", "ID", "STARTTLS", "AUTH=PLAIN"] {
        assert!(has(&greeting, capability), "{capability}: {greeting}");
    }
    let login = client.ok(&format!("LOGIN {} {}", cyrus.user(), cyrus.password()));
    let login = &login.last().unwrap().line;
    for capability in ["ESEARCH", "COMPRESS=DEFLATE", "BINARY", "LOGINDISABLED"] {
        assert!(has(login, capability), "{capability}: {login}");
        assert!(!has(&greeting, capability), "{capability}: {greeting}");
    }
    let id = &client.ok("ID NIL")[0].line;
    assert!(id.contains("Cyrus IMAPD"), "{id}");
    for security in [Security::DangerPlaintext, Security::StartTls] {
        let mailbox = builder(&cyrus)
            .security(security)
            .root_certificate(cyrus.certificate_pem())
            .workers(2)
            .connect()
            .unwrap();
        assert_eq!(mailbox.exists(), 0);
    }
}

/// Whether a list of capabilities has this one as a whole word.
fn has(line: &str, capability: &str) -> bool {
    line.split([' ', '[', ']']).any(|word| word == capability)
}

#[test]
fn two_thousand_messages_come_complete_over_four_sessions_compressed_or_not() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let expected = messages(2_000);
    let size: usize = expected.iter().map(Vec::len).sum();
    let cyrus = options.messages(expected.clone()).start();
    for compress in [false, true] {
        let (builder, arrived) = counted(builder(&cyrus).workers(4).compress(compress));
        let mailbox = builder.connect().unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        let report = run(&matches, &expected, || {});
        assert_eq!(report.delivered().len(), 2_000);
        assert_eq!(report.octets(), size as u64);
        assert_eq!(report.reconnects(), 0);
        let arrived = arrived.load(Ordering::Relaxed);
        eprintln!("compressed {compress}: {arrived} octets for {size}; {report}");
        assert_eq!(arrived < size as u64 * 3 / 4, compress);
    }
}

/// A mailbox with gaps, whose ESEARCH answer (RFC 4731) has ranges.
#[test]
fn a_search_with_gaps_comes_in_ranges() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let cyrus = start(options, 50);
    let mut other = cyrus.client();
    other.ok("SELECT INBOX");
    other.ok("UID STORE 5,10:19,50 +FLAGS.SILENT (\\Deleted)");
    other.ok("EXPUNGE");
    let answer = other.ok("UID SEARCH RETURN (ALL) ALL");
    let line = &answer[0].line;
    assert!(
        line.starts_with("* ESEARCH ") && line.ends_with(" UID ALL 1:4,6:9,20:49"),
        "{line}"
    );
    let mailbox = builder(&cyrus).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    assert_eq!(matches.uids().to_string(), "1:4,6:9,20:49");
}
