//! Sessions that end before the run does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parallel_mailbox::{ErrorKind, Query};

use crate::ledger::adds_up;
use crate::support::cyrus::{Cyrus, cyrus_or_skip};
use crate::support::wait;
use crate::{builder, messages, run};

/// Nothing here may take longer than this, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What ends the processes of the sessions, all of them, twice in a run.
fn all_sessions_end_while_the_closure_works(end: impl Fn(&Cyrus, u32) + Sync) {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let expected = messages(300);
    let cyrus = options.messages(expected.clone()).start();
    for workers in [1, 3] {
        let mailbox = builder(&cyrus).workers(workers).connect().unwrap();
        let matches = mailbox.search(Query::all()).unwrap().shard_size(20);
        let count = AtomicUsize::new(0);
        let report = run(&matches, &expected, || {
            if [50, 150].contains(&count.fetch_add(1, Ordering::SeqCst)) {
                let before = cyrus.imapd_process_ids();
                before.iter().for_each(|process| end(&cyrus, *process));
                let has_ended = wait::until(PATIENCE, || {
                    let now = cyrus.imapd_process_ids();
                    before.iter().all(|process| !now.contains(process))
                });
                assert!(has_ended);
            }
        });
        eprintln!("{workers} workers: {report}");
        assert_eq!(report.delivered().len(), 300);
        assert!(report.reconnects() > 0 || workers > 1, "{report}");
    }
}

#[test]
fn sessions_killed_in_mid_run_are_replaced() {
    all_sessions_end_while_the_closure_works(|cyrus, process| cyrus.kill(process));
}

#[test]
fn sessions_told_to_end_in_mid_run_are_replaced() {
    all_sessions_end_while_the_closure_works(|cyrus, process| cyrus.terminate(process));
}

/// `* BYE [ALERT] …` after every login, again and again: a session is had, but never for long.
#[test]
fn a_server_that_goes_down_ends_the_run_with_its_words_and_the_rest_comes_later() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let expected = messages(300);
    let cyrus = options.messages(expected.clone()).start();
    let mailbox = builder(&cyrus).workers(2).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let matches = matches.shard_size(10).window(50);
    let count = AtomicUsize::new(0);
    let error = matches
        .for_each(|_| {
            if count.fetch_add(1, Ordering::SeqCst) == 100 {
                cyrus.announces_shutdown("Down for an hour");
            }
        })
        .unwrap_err();
    let report = matches.last_report().unwrap();
    eprintln!("{error}: {report}");
    assert_eq!(error.kind(), &ErrorKind::Disconnected, "{error}");
    assert!(error.to_string().contains("Down for an hour"), "{error}");
    assert!(adds_up(&report) && report.failed().is_empty(), "{report}");
    assert!(report.gone().is_empty() && report.delivered().len() > 100);

    cyrus.takes_shutdown_back();
    let rest = mailbox.uids(report.unfinished());
    let later = run(&rest, &expected, || {});
    assert!(later.is_complete());
    assert_eq!(later.delivered(), report.unfinished());
}
