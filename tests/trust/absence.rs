//! What an answer leaves out is asked for until it is proved to be gone, or failed alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parallel_mailbox::{ErrorKind, Query, Uid, UidSet};

use crate::stage::{Say, Stage, fetched};

/// No answer holds more than so many messages; then OK.
#[test]
fn a_server_that_sends_a_few_messages_at_a_time_is_asked_for_the_rest() {
    for most in [1, 7] {
        let stage = Stage::new(120, move |scene| {
            if !scene.is_fetch() {
                return Say::Usual;
            }
            let uids = scene.uids().into_iter().take(most);
            let lines: String = uids.map(|uid| fetched(uid, scene.command)).collect();
            Say::This(format!("{lines}TAG OK done\r\n"))
        });
        for workers in [1, 3] {
            stage.run(workers).assert_all_delivered();
        }
    }
}

/// The last body of a command comes after its tagged OK.
#[test]
fn a_body_that_comes_after_the_end_of_its_command_is_not_lost() {
    let stage = Stage::new(200, move |scene| {
        let uids = scene.uids();
        if !scene.is_fetch() || uids.len() < 2 {
            return Say::Usual;
        }
        let (last, first) = uids.split_last().unwrap();
        let lines: String = first
            .iter()
            .map(|uid| fetched(*uid, scene.command))
            .collect();
        let late = fetched(*last, scene.command);
        Say::This(format!("{lines}TAG OK done\r\n{late}"))
    });
    for workers in [1, 3] {
        stage
            .run_with(workers, |builder| builder, |matches| matches.shard_size(12))
            .assert_all_delivered();
    }
}

/// MailKit#908, MailKit#1615 (Exchange): a UID that SEARCH gives fetches nothing but OK, for good.
#[test]
fn messages_that_never_come_though_they_are_there_fail_each_alone() {
    let stage = Stage::new(60, |scene| match scene.is_fetch() {
        true => scene.fetch_without(|uid| uid % 20 == 0),
        false => Say::Usual,
    });
    let ending = stage.run(2);
    ending.assert_failed("20,40,60");
    for (_, error) in ending.report.failed() {
        assert_eq!(error.kind(), &ErrorKind::NoBody, "{error}");
        assert!(error.attempts() >= 3, "{error}");
    }
}

#[test]
fn messages_that_are_gone_are_gone() {
    let is_gone = |uid: u32| (10..=19).contains(&uid) || uid == 60;
    let stage = Stage::new(60, move |scene| {
        if scene.is("UID FETCH") {
            return scene.fetch_without(is_gone);
        }
        if scene.is("UID SEARCH UID") {
            let uids = scene.uids().into_iter().filter(|uid| !is_gone(*uid));
            let uids: String = uids.map(|uid| format!(" {uid}")).collect();
            return Say::This(format!("* SEARCH{uids}\r\nTAG OK done\r\n"));
        }
        Say::Usual
    });
    stage.run(2).assert_gone("10:19,60");
}

/// gluon#478 (Proton Bridge): the question is answered with NO where nothing is left.
#[test]
fn a_question_that_is_refused_costs_no_session() {
    let stage = Stage::new(40, |scene| {
        if scene.is("UID FETCH") {
            return Say::This("TAG OK done\r\n".to_owned());
        }
        if scene.is("UID SEARCH UID") {
            return Say::This("TAG NO no such message\r\n".to_owned());
        }
        if scene.is("NOOP") {
            return Say::This("* 0 EXISTS\r\nTAG OK done\r\n".to_owned());
        }
        Say::Usual
    });
    stage.run(2).assert_gone("1:40");
    assert!(stage.connections() <= 2, "{}", stage.connections());
    // The server still has messages, so nobody knows: failed.
    let stage = Stage::new(40, |scene| {
        if scene.is("UID FETCH") {
            return scene.fetch_without(|uid| uid == 7);
        }
        if scene.is("UID SEARCH UID") {
            return Say::This("TAG NO no such message\r\n".to_owned());
        }
        Say::Usual
    });
    stage.run(2).assert_failed("7");
    assert!(stage.connections() <= 2, "{}", stage.connections());
}

/// A server that ends the session at the question for one message.
#[test]
fn a_question_that_ends_the_session_counts_against_the_message() {
    let stage = Stage::new(100, |scene| {
        if scene.is_fetch() {
            return scene.fetch_without(|uid| uid == 30 || uid == 70);
        }
        let is_asked = scene.is("UID SEARCH UID") || scene.is("UID FETCH");
        match is_asked && (scene.has(30) || scene.has(70)) {
            true => Say::Last(String::new()),
            false => Say::Usual,
        }
    });
    stage.run(2).assert_failed("30,70");
    assert!(
        stage.connections() <= 24,
        "{} connections",
        stage.connections()
    );
}

/// Cyrus 3.6: with this number in it, a set of UIDs finds nothing at all.
#[test]
fn the_largest_uid_does_not_make_the_others_gone() {
    let stage = Stage::new(30, |scene| match scene.command.contains("4294967295") {
        true => Say::This("* SEARCH\r\nTAG OK done\r\n".to_owned()),
        false => Say::Usual,
    });
    let mailbox = stage.client().workers(2).connect().unwrap();
    let named: UidSet = "1:2,4294967295".parse().unwrap();
    let ending = crate::stage::read(&mailbox.uids(&named));
    ending.assert_gone("4294967295");
    let open = UidSet::from_range(Uid::new(5).unwrap(), Uid::MAX);
    let ending = crate::stage::read(&mailbox.uids(&open));
    assert!(ending.error.is_none(), "{:?}", ending.error);
    assert_eq!(ending.report.delivered().to_string(), "5:30");
    assert_eq!(ending.report.gone().to_string(), "31:4294967295");
    assert_eq!(ending.report.matched(), &open);
}

#[test]
fn what_came_since_the_mailbox_was_opened_is_there() {
    // EXAMINE knows of ten messages; there are twenty by now.
    let stage = Stage::new(20, |scene| match scene.is("EXAMINE") {
        true => Say::This(
            "* 10 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 11] ok\r\nTAG OK done\r\n"
                .to_owned(),
        ),
        false => Say::Usual,
    });
    let mailbox = stage.client().workers(2).connect().unwrap();
    for newest_first in [false, true] {
        let named: UidSet = "5:40".parse().unwrap();
        let matches = mailbox.uids(&named).newest_first(newest_first);
        let uids: Vec<u32> = matches
            .imap(|message| message.uid().get())
            .map(Result::unwrap)
            .collect();
        let mut expected: Vec<u32> = (5..=20).collect();
        if newest_first {
            expected.reverse();
        }
        assert_eq!(uids, expected);
        let report = matches.last_report().unwrap();
        assert_eq!(report.gone().to_string(), "21:40");
        assert!(report.is_complete());
    }
}

/// Sets without an end, where the server does not tell UIDNEXT (Courier, 163).
#[test]
fn a_set_without_an_end_is_asked_about_first_where_nothing_bounds_it() {
    let stage = Stage::new(20, |scene| match scene.is("EXAMINE") {
        true => Say::This("* 20 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\nTAG OK done\r\n".to_owned()),
        false => Say::Usual,
    });
    let mailbox = stage.client().workers(2).connect().unwrap();
    let open = UidSet::from_range(Uid::new(5).unwrap(), Uid::MAX);
    let ending = crate::stage::read(&mailbox.uids(&open));
    assert_eq!(ending.report.delivered().to_string(), "5:20");
    assert!(ending.report.is_complete());
}

/// A message is convicted by sessions that are sound otherwise.
#[test]
fn a_server_that_breaks_everybody_convicts_nobody() {
    let fetches = Arc::new(AtomicUsize::new(0));
    let stage = Stage::new(200, move |scene| {
        // Every other FETCH breaks its session, whatever it asks for.
        match scene.is_fetch() && fetches.fetch_add(1, Ordering::SeqCst) % 3 != 2 {
            true => Say::Last(String::new()),
            false => Say::Usual,
        }
    });
    for _ in 0..3 {
        let ending = stage.run(4);
        assert!(
            ending.report.failed().is_empty(),
            "{:?}",
            ending.report.failed()
        );
    }
    let mailbox = stage.client().workers(4).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap().shard_size(1);
    let ending = crate::stage::read(&matches);
    assert!(
        ending.report.failed().is_empty(),
        "{:?}",
        ending.report.failed()
    );
}
