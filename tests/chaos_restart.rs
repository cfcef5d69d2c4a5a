//! A server that drops all its connections at once, as it does when it restarts: one event, however
//! many sessions it ends, and no message's fault.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{Query, Retry};

const MESSAGES: usize = 400;

/// So many messages lie between two restarts, so that each finds sessions at work.
const BETWEEN: usize = 50;

#[test]
fn a_restart_of_the_server_fails_no_message() {
    for round in 0..15 {
        let server = Server::builder()
            .sample(Sample::tiny(MESSAGES))
            .start()
            .unwrap();
        let mailbox = server
            .client()
            .workers(8)
            .retry(Retry::default().initial_delay(Duration::from_millis(2)))
            .connect()
            .unwrap();
        let seen = AtomicUsize::new(0);
        // One message for each command, so that each session's end puts one message alone under
        // suspicion, and the next worker to take it may not know yet that its session has ended.
        let matches = mailbox.search(Query::all()).unwrap().shard_size(1);
        let report = matches
            .for_each(|_| {
                if seen.fetch_add(1, Ordering::Relaxed) % BETWEEN == BETWEEN - 1 {
                    server.disconnect_all();
                }
            })
            .unwrap();
        assert!(
            report.is_complete(),
            "round {round}: {report} {:?}",
            report.failed()
        );
        assert!(report.reconnects() >= 8, "round {round}: {report}");
    }
}
