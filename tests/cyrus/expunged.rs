//! Messages that another client expunges.

use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use parallel_mailbox::{Query, UidSet};

use crate::support::cyrus::cyrus_or_skip;
use crate::{builder, messages, run};

/// Cyrus tells a session of an expunged message at the end of a command, and until then gives it
/// the message, as RFC 2180, section 4.1.1 has it; Dovecot and the in-process server leave it out at
/// once. So it is delivered or gone, as the server has it; told of it, it is gone.
#[test]
fn messages_expunged_before_the_run_are_gone_for_a_session_that_was_told() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let expected = messages(300);
    let cyrus = options.messages(expected.clone()).start();
    let mailbox = builder(&cyrus).workers(1).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap().shard_size(1_000);
    let mut other = cyrus.client();
    other.ok("SELECT INBOX");
    other.ok("UID STORE 100:109 +FLAGS.SILENT (\\Deleted)");
    other.ok("EXPUNGE");
    let untold = run(&matches, &expected, || {});
    eprintln!("not told: {untold}");
    let expunged = UidSet::from_str("100:109").unwrap();
    assert!(untold.gone().difference(&expunged).is_empty(), "{untold}");
    assert!(untold.is_complete());
    let told = run(&matches, &expected, || {});
    assert_eq!(told.gone(), &expunged);
    assert_eq!(told.delivered().len(), 290);
}

#[test]
fn a_message_expunged_in_mid_run_is_gone_and_costs_no_other() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let expected = messages(600);
    let cyrus = options.messages(expected.clone()).start();
    let mailbox = builder(&cyrus).workers(2).connect().unwrap();
    // The window keeps the run from being far ahead of the closure.
    let matches = mailbox.search(Query::all()).unwrap();
    let matches = matches.shard_size(10).window(50);
    let other = Mutex::new(cyrus.client());
    other.lock().unwrap().ok("SELECT INBOX");
    let count = AtomicUsize::new(0);
    let report = run(&matches, &expected, || {
        if count.fetch_add(1, Ordering::SeqCst) == 100 {
            let mut other = other.lock().unwrap();
            other.ok("UID STORE 500,502:504 +FLAGS.SILENT (\\Deleted)");
            other.ok("EXPUNGE");
        }
    });
    eprintln!("{report}");
    // A session that was not told yet still has some of them.
    let expunged = UidSet::from_str("500,502:504").unwrap();
    assert!(report.gone().difference(&expunged).is_empty(), "{report}");
    assert!(report.is_complete(), "{report}");
    let report = run(&matches, &expected, || {});
    assert_eq!(report.gone(), &expunged);
    assert_eq!(report.delivered().len(), 596);
}
