//! What the server says of the messages that are asked for: nothing, something else, too often.

use parallel_mailbox::testing::{Fault, Persona, Sample, Server};
use parallel_mailbox::{ErrorKind, Event, Query};

use crate::play::{is_exempt, persona, play, play_on};
use crate::support::leaks::Leaks;

#[test]
fn messages_expunged_after_the_search_are_gone_and_no_error() {
    let ending = play(200, 3, []).run_after(|server| {
        for uid in [1, 77, 78, 79, 200] {
            server.expunge("INBOX", uid);
        }
    });
    assert!(ending.error.is_none());
    let told = ending.count(|event| matches!(event, Event::MessageGone { .. }));
    assert_eq!(told, ending.report.gone().len());
    assert_eq!(ending.report.delivered().len(), 200 - told);
    if persona().is_none() {
        assert_eq!(ending.report.gone().to_string(), "1,77:79,200");
    }
    // To a session that has not been told, some servers still have the message.
    assert!(told >= 4, "{}", ending.report);
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
fn a_no_to_the_whole_command_costs_those_alone_that_are_gone() {
    let refused = Fault::no("EXPUNGEISSUED", "some are gone").before("FETCH");
    let ending = play(100, 2, [refused.uid(30).uid(31).uid(77)]).run_after(|server| {
        for uid in [30, 31, 77] {
            server.expunge("INBOX", uid);
        }
    });
    assert!(ending.error.is_none(), "{:?}", ending.error);
    assert_eq!(ending.report.gone().to_string(), "30:31,77");
    assert_eq!(ending.report.delivered().len(), 97);
}

#[test]
fn a_message_that_cannot_be_had_together_with_others_costs_itself_alone() {
    let broken = Fault::no("", "internal error").before("FETCH").uid(30);
    let ending = play(100, 2, [broken]).run();
    ending.assert_refused(30, "internal error");
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
fn an_answer_without_the_body_that_was_asked_for_fails() {
    let bare = "* 50 FETCH (UID 50 FLAGS ())\r\n";
    let ending = play(100, 2, [Fault::replace(bare).uid(50)]).run();
    ending.assert_failed(50, &ErrorKind::NoBody);
    play(100, 2, [Fault::replace(bare).uid(50).times(1)])
        .run()
        .assert_all_delivered();
}

#[test]
fn an_empty_message_is_a_message_and_nil_is_none() {
    if is_exempt(
        Persona::Yandex,
        "nothing at all stands for an empty message",
    ) {
        return;
    }
    let empty = || Server::builder().messages(["Subject: one\r\n\r\n", "", ""]);
    play_on(empty(), 2).run().assert_all_delivered();
    let ending = play_on(empty().fault(Fault::nil().uid(3)), 2).run();
    ending.assert_failed(3, &ErrorKind::NoBody);
}

#[test]
fn an_answer_that_cannot_be_parsed_costs_its_message_alone() {
    let garbled = "* 50 FETCH (UID 50 FLAGS [\x1b[31m\r\n";
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
fn the_first_complete_body_of_a_message_counts() {
    if is_exempt(Persona::ProtonBridge, "41 comes before 40 there") {
        return;
    }
    let second = "* 40 FETCH (UID 40 FLAGS () BODY[] {3}\r\nabc)\r\n";
    play(100, 2, [Fault::inject(second).uid(41)])
        .run()
        .assert_all_delivered();
}

#[test]
fn bodies_that_were_not_asked_for_count_for_nothing() {
    // One of a message that will be asked for, but not yet, and one of a message that is not there.
    let foreign = "* 95 FETCH (UID 95 FLAGS () BODY[] {3}\r\nabc)\r\n\
        * 101 FETCH (UID 4000 FLAGS () BODY[] {3}\r\nabc)\r\n";
    let ending = play(100, 1, [Fault::inject(foreign).uid(5)])
        .arrange(|matches| matches.shard_size(5))
        .run();
    ending.assert_all_delivered();
    assert_eq!(ending.report.matched().len(), 100);
}

#[test]
fn new_mail_in_mid_run_is_not_part_of_it() {
    let ending = play(100, 2, [])
        .arrange(|matches| matches.shard_size(5))
        .run_during(|scene, uid| {
            scene
                .server
                .append("INBOX", format!("Subject: after {uid}\r\n\r\n"));
        });
    ending.assert_all_delivered();
    assert_eq!(ending.report.matched().to_string(), "1:100");
}

#[test]
fn results_come_in_order_though_bodies_do_not() {
    let leaks = Leaks::watch();
    {
        let server = Server::builder()
            .sample(Sample::tiny(200))
            .fault(Fault::reversed())
            .start()
            .unwrap();
        let mailbox = server.client().workers(3).connect().unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        for (uid, message) in (1..=200).zip(matches.imap(|message| message)) {
            let message = message.unwrap();
            assert_eq!(message.uid().get(), uid);
            assert!(message.raw() == &*server.raw("INBOX", uid).unwrap());
        }
        assert_eq!(matches.last_report().unwrap().delivered().len(), 200);
    }
    leaks.assert_none_left();
}
