//! What a real Dovecot can be made to do to a run.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use parallel_mailbox::testing::{Sample, TestMessage};
use parallel_mailbox::{
    Builder, ErrorKind, Matches, ParallelMailbox, Query, Report, Retry, Security,
};
use support::dovecot::{Dovecot, Options, dovecot_or_skip};
use support::raw_client::RawClient;
use support::wait;

fn raw(sample: Sample) -> Vec<Vec<u8>> {
    let sample = sample.into_iter();
    sample
        .map(|message: TestMessage| message.raw().to_vec())
        .collect()
}

fn messages(count: usize) -> Vec<Vec<u8>> {
    raw(Sample::small(count))
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
    run_over(matches, &messages(count), each)
}

fn run_over(matches: &Matches, expected: &[Vec<u8>], each: impl Fn() + Sync) -> Report {
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

/// What is killed with signal 9 while a run lasts: one session's process each time.
struct Killings {
    sample: Sample,
    count: usize,
    interval: Duration,
    /// How long the closure takes, so that the run lasts long enough.
    work: Duration,
}

impl Killings {
    /// Runs over four sessions, and returns how many processes it took with the report.
    fn run(self, options: Options) -> (usize, Report) {
        let expected = raw(self.sample);
        let dovecot = options.messages(expected.iter().cloned()).start();
        let mailbox = builder(&dovecot).workers(4).connect().unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        assert_eq!(matches.len(), self.count);
        let (over, is_over) = mpsc::channel::<()>();
        let (dovecot, interval) = (&dovecot, self.interval);
        thread::scope(|scope| {
            let killer = scope.spawn(move || {
                let mut killed = 0;
                // Lasts until the other end is dropped, also by a panic.
                while is_over.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                    let processes = dovecot.imap_process_ids();
                    if !processes.is_empty() {
                        dovecot.kill(processes[killed % processes.len()]);
                        killed += 1;
                    }
                }
                killed
            });
            let report = run_over(&matches, &expected, || thread::sleep(self.work));
            drop(over);
            let killed = killer.join().unwrap();
            eprintln!("{killed} processes killed: {report}");
            assert_eq!(report.delivered().len(), self.count);
            assert!(report.reconnects() > 0, "{report}");
            (killed, report)
        })
    }
}

#[test]
fn sessions_killed_with_signal_9_again_and_again_lose_nothing() {
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let killings = Killings {
        sample: Sample::small(1_500),
        count: 1_500,
        interval: Duration::from_millis(60),
        work: Duration::from_micros(700),
    };
    killings.run(options);
}

#[test]
fn a_session_killed_with_signal_9_every_second_loses_none_of_five_thousand_messages() {
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let killings = Killings {
        sample: Sample::tiny(5_000),
        count: 5_000,
        interval: Duration::from_secs(1),
        work: Duration::from_millis(5),
    };
    let (killed, report) = killings.run(options);
    assert!(killed >= 3, "the run was too short: {report}");
}

/// Dovecot ends a session that was idle for half an hour, which no setting shortens, and says so
/// by a BYE. Here the same happens, by a signal, to all sessions while the closure works on.
fn all_sessions_end_while_the_closure_works(end: impl Fn(&Dovecot, u32) + Sync) {
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let dovecot = start(options, 300);
    for workers in [1, 3] {
        let mailbox = builder(&dovecot).workers(workers).connect().unwrap();
        let matches = mailbox.search(Query::all()).unwrap().shard_size(20);
        let count = AtomicUsize::new(0);
        let report = run(&matches, 300, || {
            if [50, 150].contains(&count.fetch_add(1, Ordering::SeqCst)) {
                let before = dovecot.imap_process_ids();
                // Perhaps none, if the others are being replaced at the moment.
                before.iter().for_each(|process| end(&dovecot, *process));
                let has_ended = wait::until(Duration::from_secs(30), || {
                    let now = dovecot.imap_process_ids();
                    before.iter().all(|process| !now.contains(process))
                });
                assert!(has_ended, "{}", dovecot.log());
            }
        });
        eprintln!("{workers} workers: {report}");
        assert_eq!(report.delivered().len(), 300);
        // With a goodbye a server first answers what it was asked, which may be all there is.
        assert!(report.reconnects() > 0 || workers > 1, "{report}");
    }
}

#[test]
fn sessions_ended_with_a_goodbye_while_the_closure_works_are_replaced() {
    all_sessions_end_while_the_closure_works(|dovecot, process| dovecot.terminate(process));
}

#[test]
fn sessions_killed_while_the_closure_works_are_replaced() {
    all_sessions_end_while_the_closure_works(|dovecot, process| dovecot.kill(process));
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
    // Dovecot counts a little late when logins come at the same moment: it may grant one more.
    assert!(report.sessions() <= 4, "{report}");
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
    let count = AtomicUsize::new(0);
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
