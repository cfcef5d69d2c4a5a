//! What the server refuses, to a session or to the account: passing conditions, limits, verdicts.

use std::time::Duration;

use parallel_mailbox::testing::{Fault, Sample, Server};
use parallel_mailbox::{ErrorKind, Event};

use crate::play::{play, play_on};

#[test]
fn refused_sessions_leave_the_run_to_those_that_were_granted() {
    let server = Server::builder()
        .sample(Sample::small(400))
        .max_connections(3);
    let ending = play_on(server, 8).run();
    ending.assert_all_delivered();
    assert!(ending.report.sessions() <= 3);
    let refused = ending.count(|event| matches!(event, Event::SessionRefused { .. }));
    assert!(refused <= 8);
}

#[test]
fn a_throttled_command_makes_all_workers_wait_and_go_on() {
    let text = "Request is throttled. Suggested Backoff Time: 300 milliseconds";
    let ending = play(300, 3, [Fault::no("", text).before("FETCH").times(1)]).run();
    ending.assert_all_delivered();
    assert!(
        ending.time >= Duration::from_millis(300),
        "{:?}",
        ending.time
    );
    let told = ending.events.iter().any(
        |event| matches!(event, Event::Throttled { pause } if *pause == Duration::from_millis(300)),
    );
    assert!(told, "{:?}", ending.events);
}

#[test]
fn an_account_that_has_used_up_what_it_may_ends_the_run() {
    let used_up = Fault::no("OVERQUOTA", "download limit reached").before("FETCH");
    let ending = play(300, 3, [used_up]).run();
    let error = ending.error.unwrap();
    assert!(
        error.to_string().contains("download limit reached"),
        "{error}"
    );
    assert_eq!(ending.report.unfinished().len(), 300);
}

#[test]
fn another_uidvalidity_ends_the_run_and_nothing_of_it_is_delivered() {
    let ending = play(400, 3, [Fault::close().after_octets(60_000)])
        .run_after(|server| server.set_uid_validity("INBOX", 99));
    let error = ending.error.unwrap();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::UidValidityChanged { found: 99, .. }
        ),
        "{error}"
    );
}

#[test]
fn a_mailbox_deleted_in_mid_run_ends_it_with_a_list() {
    let ending = play(400, 2, [Fault::close().after_octets(60_000)])
        .run_after(|server| assert!(server.delete_mailbox("INBOX")));
    assert!(matches!(
        ending.error.unwrap().kind(),
        ErrorKind::Server { .. }
    ));
    assert!(!ending.report.unfinished().is_empty());
}
