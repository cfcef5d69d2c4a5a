//! What is told of a message that cannot be had, and of a server that has had enough.

use parallel_mailbox::testing::Fault;
use parallel_mailbox::{ErrorKind, Event, Limits};

use crate::play::play;

#[test]
fn a_message_that_breaks_sessions_is_reported_with_what_came_of_it() {
    let begun = b"* 17 FETCH (UID 17 BODY[] {5000}\r\nSubject: \x1b[2J".to_vec();
    let ending = play(
        60,
        2,
        [Fault::inject(begun).uid(17), Fault::close().uid(17)],
    )
    .run();
    let error = ending.assert_failed(17, &ErrorKind::Disconnected);
    let text = error.to_string();
    assert!(
        text.contains("UID 17 BODY[]") && text.contains("Subject:"),
        "{text}"
    );
    assert!(!text.contains('\x1b'), "{text:?}");
    assert!(error.attempts() > 1);
    let is_found =
        |event: &Event| matches!(event, Event::PoisonFound { uid, .. } if uid.get() == 17);
    assert_eq!(ending.count(is_found), 1);
    assert!(ending.count(|event| matches!(event, Event::ShardReturned { .. })) > 0);
}

#[test]
fn a_goodbye_that_says_why_not_to_come_back_ends_the_run() {
    let quota = Fault::bye("[OVERQUOTA] that is all for today").uid(5);
    let ending = play(50, 2, [quota]).run();
    let error = ending.error.unwrap();
    assert!(error.to_string().contains("all for today"), "{error}");
    assert!(!error.is_retryable());
    assert!(!ending.report.unfinished().is_empty());
}

#[test]
fn a_message_too_long_to_wait_for_costs_its_connection_and_fails_alone() {
    let ending = play(100, 2, [Fault::oversize(50_000_000).uid(40)])
        .tune(|builder| {
            builder
                .max_message_size(1_000_000)
                .limits(Limits::default().response_octets(2_000_000))
        })
        .run();
    let too_large = ErrorKind::TooLarge {
        size: 50_000_000,
        limit: 1_000_000,
    };
    ending.assert_failed(40, &too_large);
    assert_eq!(ending.report.reconnects(), 1);
    assert!(ending.report.octets() < 2_000_000);
}

#[test]
fn bodies_that_nobody_asked_for_are_counted() {
    let foreign = "* 9 FETCH (UID 4000 FLAGS () BODY[] {5}\r\nhello)\r\n";
    let ending = play(
        50,
        1,
        [Fault::inject(foreign).uid(3), Fault::inject(foreign).uid(9)],
    )
    .run();
    ending.assert_all_delivered();
    assert_eq!(ending.report.unsolicited(), 2);
}
