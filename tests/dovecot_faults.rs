//! What a real Dovecot can be made to do to a run.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parallel_mailbox::testing::{Sample, TestMessage};
use parallel_mailbox::{
    Builder, ErrorKind, Matches, ParallelMailbox, Query, Report, Retry, Security,
};
use support::dovecot::{Dovecot, Options, dovecot_or_skip};
use support::raw_client::RawClient;

fn messages(count: usize) -> Vec<Vec<u8>> {
    let sample = Sample::small(count).into_iter();
    sample
        .map(|message: TestMessage| message.raw().to_vec())
        .collect()
}

fn start(options: Options, count: usize) -> Dovecot {
    options.messages(messages(count)).start()
}

fn builder(dovecot: &Dovecot) -> Builder {
    ParallelMailbox::builder("127.0.0.1")
        .port(dovecot.plain_port())
        .security(Security::DangerPlaintext)
        .login(dovecot.user(), dovecot.password())
        .retry(Retry::default().initial_delay(Duration::from_millis(20)))
}

/// Runs over all matches, and checks octets and that nothing comes twice. `each` is called for
/// every message.
fn run(matches: &Matches, count: usize, each: impl Fn() + Sync) -> Report {
    let expected = messages(count);
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
    let seen = seen.into_inner().unwrap();
    assert!(seen.values().all(|times| *times == 1));
    assert_eq!(seen.len(), report.delivered().len());
    assert!(report.failed().is_empty(), "{:?}", report.failed());
    report
}

#[test]
fn sessions_killed_with_signal_9_again_and_again_lose_nothing() {
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let dovecot = start(options, 1_500);
    let matches = builder(&dovecot)
        .workers(4)
        .connect()
        .unwrap()
        .search(Query::all())
        .unwrap();
    let is_over = AtomicBool::new(false);
    let report = thread::scope(|scope| {
        scope.spawn(|| {
            let end = Instant::now() + Duration::from_secs(60);
            while !is_over.load(Ordering::SeqCst) && Instant::now() < end {
                if let Some(process) = dovecot.imap_process_ids().first() {
                    dovecot.kill(*process);
                }
                thread::sleep(Duration::from_millis(60));
            }
        });
        // Slow enough to be killed some times.
        let report = run(&matches, 1_500, || {
            thread::sleep(Duration::from_micros(700))
        });
        is_over.store(true, Ordering::SeqCst);
        report
    });
    assert_eq!(report.delivered().len(), 1_500);
    assert!(report.reconnects() > 0, "{report}");
}

#[test]
fn a_limit_of_three_connections_shrinks_the_pool_to_three() {
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let dovecot = start(options.connections_per_user(3), 600);
    let mailbox = builder(&dovecot).workers(8).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let report = run(&matches, 600, || {});
    assert_eq!(report.delivered().len(), 600);
    assert!(report.sessions() <= 3, "{report}");
    // Those that were refused in time are not asked for again.
    assert!(mailbox.workers() < 8);
    let refused = dovecot
        .log()
        .matches("Maximum number of connections")
        .count();
    assert!(refused <= 8, "{refused} refused logins");
}

#[test]
fn messages_expunged_by_another_session_in_mid_run_are_gone() {
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let dovecot = start(options, 300);
    let matches = builder(&dovecot)
        .workers(3)
        .connect()
        .unwrap()
        .search(Query::all())
        .unwrap();
    let mut other = RawClient::connect(dovecot.plain_port());
    other.greeting();
    other.ok(&format!("LOGIN {} {}", dovecot.user(), dovecot.password()));
    other.ok("SELECT INBOX");
    other.ok("UID STORE 100:109 +FLAGS.SILENT (\\Deleted)");
    other.ok("EXPUNGE");
    let report = run(&matches, 300, || {});
    assert_eq!(report.gone().to_string(), "100:109");
    assert_eq!(report.delivered().len(), 290);
}

#[test]
fn a_file_removed_from_the_maildir_costs_its_message_alone() {
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let dovecot = start(options, 200);
    let matches = builder(&dovecot)
        .workers(2)
        .connect()
        .unwrap()
        .search(Query::all())
        .unwrap();
    dovecot.remove_file_of(77);
    let report = run(&matches, 200, || {});
    assert_eq!(report.gone().to_string(), "77");
    assert_eq!(report.delivered().len(), 199);
}

#[test]
fn a_server_stopped_and_started_again_is_waited_for() {
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let dovecot = start(options, 800);
    let matches = builder(&dovecot)
        .workers(3)
        .connect()
        .unwrap()
        .search(Query::all())
        .unwrap();
    let dovecot = Mutex::new(dovecot);
    let count = std::sync::atomic::AtomicUsize::new(0);
    let report = run(&matches, 800, || {
        if count.fetch_add(1, Ordering::SeqCst) == 100 {
            let mut dovecot = dovecot.lock().unwrap();
            dovecot.stop();
            dovecot.start_again();
        }
    });
    assert_eq!(report.delivered().len(), 800);
}

#[test]
fn a_mailbox_made_anew_ends_the_run() {
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let mut dovecot = start(options.uid_validity(1_111), 300);
    let mailbox = builder(&dovecot).workers(3).connect().unwrap();
    assert_eq!(mailbox.uid_validity(), 1_111);
    let matches = mailbox.search(Query::all()).unwrap();
    dovecot.stop();
    dovecot.change_uid_validity(2_222);
    dovecot.start_again();
    let error = matches.for_each(drop).unwrap_err();
    let changed = ErrorKind::UidValidityChanged {
        expected: 1_111,
        found: 2_222,
    };
    assert_eq!(error.kind(), &changed, "{error}");
    let report = matches.last_report().unwrap();
    assert_eq!(report.unfinished().len(), 300);
}
