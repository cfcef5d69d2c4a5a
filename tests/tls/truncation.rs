//! Somebody who can cut the line, and no more, must not pass off a part of a message for the whole.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{ParallelMailbox, Query, Retry, Security};

use crate::ledger::adds_up;
use crate::support::front::{Cut, Front, Start};
use crate::support::leaks::Leaks;

#[test]
fn a_connection_cut_without_the_end_of_tls_delivers_no_message_short() {
    let leaks = Leaks::watch();
    let server = Server::builder().sample(Sample::small(60)).start().unwrap();
    let total: u64 = server
        .uids("INBOX")
        .iter()
        .map(|uid| server.raw("INBOX", *uid).unwrap().len() as u64)
        .sum();
    let mut cuts = 0;
    for start in [Start::FirstOctet, Start::StartTls] {
        // In the set-up, in the first message, and in many a place after it.
        for part in 0..12 {
            let after_octets = 1 + total * part / 10;
            let cut = Cut {
                after_octets,
                connection: part % 2,
            };
            let front = Front::with_cut(server.port(), start, Some(cut));
            let mailbox = ParallelMailbox::builder("localhost")
                .port(front.port())
                .security(match start {
                    Start::FirstOctet => Security::Tls,
                    Start::StartTls => Security::StartTls,
                })
                .root_certificate(front.root_pem())
                .login(server.user(), server.password())
                .retry(Retry::default().initial_delay(Duration::from_millis(5)))
                .workers(2)
                .connect()
                .unwrap();
            let matches = mailbox.search(Query::all()).unwrap();
            let seen = Mutex::new(BTreeMap::new());
            let report = matches.for_each(|message| {
                let mut seen = seen.lock().unwrap();
                let before = seen.insert(message.uid(), message.into_raw());
                assert!(before.is_none(), "twice");
            });
            let report = report.unwrap();
            assert!(adds_up(&report) && report.is_complete(), "{report}");
            let seen = seen.into_inner().unwrap();
            assert_eq!(seen.len(), 60);
            for (uid, raw) in seen {
                let expected = server.raw("INBOX", uid.get()).unwrap();
                assert!(raw == *expected, "{uid} at {after_octets}");
            }
            cuts += front.cuts();
        }
    }
    assert!(cuts > 6, "only {cuts} connections were cut");
    println!("{cuts} connections were cut");
    drop(server);
    leaks.assert_none_left();
}
