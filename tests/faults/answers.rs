//! What the server says of the messages: nothing, too much, something else, or no IMAP at all.

use parallel_mailbox::testing::{Fault, Sample, Server};
use parallel_mailbox::{ErrorKind, Event};

use crate::play::{play, play_on};

#[test]
fn messages_expunged_after_the_search_are_gone_and_no_error() {
    let ending = play(200, 3, []).run_after(|server| {
        for uid in [1, 77, 78, 79, 200] {
            server.expunge("INBOX", uid);
        }
    });
    assert!(ending.error.is_none());
    assert_eq!(ending.report.gone().to_string(), "1,77:79,200");
    assert_eq!(ending.report.delivered().len(), 195);
    let told = ending.count(|event| matches!(event, Event::MessageGone { .. }));
    assert_eq!(told, 5);
}

#[test]
fn a_message_left_out_is_asked_for_again() {
    play(100, 2, [Fault::withhold().uid(50).times(2)])
        .run()
        .assert_all_delivered();
}

#[test]
fn a_message_left_out_each_time_though_it_exists_fails() {
    let ending = play(100, 2, [Fault::withhold().uid(50)]).run();
    assert_eq!(ending.assert_failed(50, &ErrorKind::NoBody).attempts(), 3);
}

#[test]
fn a_no_because_of_some_messages_costs_those_alone() {
    let ending = play(
        100,
        2,
        [Fault::no("EXPUNGEISSUED", "some are gone").uid(30)],
    )
    .run_after(|server| {
        server.expunge("INBOX", 30);
    });
    assert_eq!(ending.report.gone().to_string(), "30");
    assert_eq!(ending.report.delivered().len(), 99);
}

#[test]
fn a_body_of_nil_is_tried_once_more_and_fails() {
    let ending = play(100, 2, [Fault::nil().uid(50)]).run();
    assert_eq!(ending.assert_failed(50, &ErrorKind::NoBody).attempts(), 2);
    play(100, 2, [Fault::nil().uid(50).times(1)])
        .run()
        .assert_all_delivered();
}

#[test]
fn an_answer_that_cannot_be_parsed_costs_its_message_alone() {
    let garbled = "* 50 FETCH (UID 50 FLAGS [\x1b[31m)\r\n";
    let ending = play(100, 2, [Fault::replace(garbled).uid(50)]).run();
    let error = ending.assert_failed(50, &ErrorKind::Protocol).to_string();
    assert!(
        error.contains("FLAGS [\\u{1b}"),
        "an escaped excerpt: {error}"
    );
}

#[test]
fn a_message_that_kills_every_session_is_found_and_the_rest_delivered() {
    for workers in [1, 4] {
        let ending = play(300, workers, [Fault::reset().uid(123)]).run();
        let error = ending.assert_failed(123, &ErrorKind::Disconnected);
        assert!(error.attempts() > 1);
    }
}

#[test]
fn a_message_that_makes_the_server_fall_silent_is_found_too() {
    for workers in [1, 3] {
        let ending = play(60, workers, [Fault::stall().uid(23)]).run();
        ending.assert_failed(23, &ErrorKind::Timeout);
    }
}

#[test]
fn duplicates_reversed_answers_and_chatter_change_nothing() {
    let chatter = "* 7 FETCH (FLAGS (\\Seen))\r\n* 9 FETCH (UID 9 FLAGS ())\r\n* 3 EXPUNGE\r\n\
        * 900 EXISTS\r\n* OK still h\u{e4}re {10}\r\n* XYZZY (a \"b\" {3}\r\n\"(\r\n)\r\n\
        * 4 FETCH (UID 4000 BODY[] {3}\r\nabc)\r\n";
    for fault in [
        Fault::duplicate(),
        Fault::reversed(),
        Fault::inject(chatter).uid(40),
    ] {
        play(100, 2, [fault]).run().assert_all_delivered();
    }
}

#[test]
fn a_message_over_the_limit_fails_alone_and_is_not_held() {
    // In a debug build the server takes long for gigabytes.
    for octets in [
        300_000_000,
        if cfg!(debug_assertions) {
            500_000_000
        } else {
            5_000_000_000
        },
    ] {
        let ending = play(50, 2, [Fault::oversize(octets).uid(20)]).run();
        let limit = 256 * 1024 * 1024;
        ending.assert_failed(
            20,
            &ErrorKind::TooLarge {
                size: octets,
                limit,
            },
        );
    }
    let ending = play(200, 2, [])
        .tune(|builder| builder.max_message_size(4_500))
        .run();
    assert!(ending.report.failed().len() > 20);
    assert_eq!(
        ending.report.failed().len() + ending.report.delivered().len(),
        200
    );
}

#[test]
fn endless_chatter_and_an_endless_line_are_protocol_errors_and_made_good() {
    for octets in ["* OK still here\r\n", "xxxxxxxx"] {
        let fault = Fault::endless(octets).uid(20).times(1);
        let ending = play(60, 2, [fault]).run();
        ending.assert_all_delivered();
        let told = ending.events.iter().any(|event| match event {
            Event::SessionLost { error } => *error.kind() == ErrorKind::Protocol,
            _ => false,
        });
        assert!(told, "{:?}", ending.events);
    }
}

#[test]
fn a_flood_of_chatter_costs_its_session_and_not_the_next() {
    let flood = Fault::endless("* OK still at it\r\n").uid(100).times(1);
    play(300, 1, [flood]).run().assert_all_delivered();
}

#[test]
fn a_command_that_is_too_long_is_halved() {
    let server = Server::builder()
        .sample(Sample::tiny(2_000))
        .max_line(1_200);
    let play = play_on(server, 2);
    // Every other UID, so that a command for many is long.
    for uid in (2..=2_000).step_by(2) {
        play.server().expunge("INBOX", uid);
    }
    let ending = play.run();
    ending.assert_all_delivered();
    assert_eq!(ending.report.delivered().len(), 1_000);
}

#[test]
fn a_server_that_drops_pipelined_commands_gets_one_at_a_time() {
    let ending = play(400, 2, [Fault::drop_pipelined()]).run();
    ending.assert_all_delivered();
    assert!(
        ending.report.reconnects() <= 3,
        "it is found out once: {}",
        ending.report
    );
}
