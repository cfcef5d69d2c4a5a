//! Servers with habits of their own, played by scripts of what they were seen to say.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod scripted;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Mutex;
use std::time::Duration;

use parallel_mailbox::{ErrorKind, Event, Query, Uid, UidSet};
use scripted::Scripted;
use support::wait::until;

const PATIENCE: Duration = Duration::from_secs(60);

fn uids() -> UidSet {
    (1..=2).map(|uid| Uid::new(uid).unwrap()).collect()
}

#[test]
fn netease_is_told_who_the_client_is_before_each_examine() {
    let server = Scripted::new("Coremail System IMap Server Ready(163com[72])")
        .capabilities("IMAP4rev1 XLIST SPECIAL-USE ID LITERAL+ SASL-IR AUTH=PLAIN")
        .answer(|said, command| {
            let is_told = said.iter().any(|line| line.starts_with("ID "));
            (command.starts_with("EXAMINE") && !is_told).then_some(
                "{tag} NO EXAMINE Unsafe Login. Please contact kefu@188.com for help\r\n",
            )
        })
        .start();
    // Not ASCII, so that it goes by AUTHENTICATE.
    let mailbox = server.client("gehëim").workers(2).connect().unwrap();
    let report = mailbox.uids(uids()).shard_size(1).for_each(drop).unwrap();
    assert_eq!(report.delivered().len(), 2);
    let said = server.said().into_iter();
    // One that is opened for a run that is over meanwhile does not get so far.
    for said in said.filter(|said| said.iter().any(|line| line.starts_with("EXAMINE"))) {
        let id = said.iter().find(|line| line.starts_with("ID ")).unwrap();
        assert!(
            id.contains("parallel-mailbox") && !id.contains("me@"),
            "{id}"
        );
        // It announces SASL-IR and does not have it.
        assert!(said.contains(&"AUTHENTICATE PLAIN".to_owned()), "{said:?}");
    }
}

#[test]
fn gmail_is_asked_for_what_only_gmail_knows() {
    let server = Scripted::new("Gimap ready for requests from 192.0.2.1 5mb7")
        .capabilities("IMAP4rev1 UNSELECT IDLE ID X-GM-EXT-1 SASL-IR AUTH=PLAIN")
        .answer(|_, command| {
            let rest = command.strip_prefix("UID FETCH ")?;
            assert!(rest.contains("X-GM-MSGID X-GM-THRID X-GM-LABELS"), "{rest}");
            Some(
                "* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" \
                 X-GM-THRID 1278455344230334865 X-GM-MSGID 1278455344230334866 \
                 X-GM-LABELS (\"\\\\Important\" Work \"Entw&APw-rfe\" {5}\r\na \"b\" foo) \
                 BODY[] {3}\r\nabc)\r\n\
                 * 2 FETCH (UID 2 FLAGS () INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" \
                 X-GM-THRID 1 X-GM-MSGID 2 X-GM-LABELS () BODY[] {3}\r\ndef)\r\n{tag} OK\r\n",
            )
        })
        .start();
    let mailbox = server.client("secret").workers(2).connect().unwrap();
    let query = Query::all().gmail_raw("has:attachment \"older\"");
    let matches = mailbox.search(query).unwrap().shard_size(2);
    let known = matches.map(|message| message.gmail().cloned()).unwrap();
    let first = known[0].as_ref().unwrap();
    assert_eq!(first.message_id(), 1_278_455_344_230_334_866);
    assert_eq!(first.thread_id(), 1_278_455_344_230_334_865);
    assert_eq!(
        first.labels(),
        ["\\Important", "Work", "Entwürfe", "a \"b\"", "foo"]
    );
    assert!(known[1].as_ref().unwrap().labels().is_empty());
    let said = server.said().concat();
    let search = said
        .iter()
        .find(|line| line.starts_with("UID SEARCH"))
        .unwrap();
    assert!(
        search.ends_with("X-GM-RAW \"has:attachment \\\"older\\\"\""),
        "{search}"
    );
}

#[test]
fn nobody_is_spoken_to_before_the_greeting_who_is_not_known_to_bear_it() {
    for (greeting, may_be_first) in [
        ("Gimap ready for requests from 192.0.2.1 5mb7", false),
        ("ready", false),
        ("Dovecot ready.", true),
    ] {
        let server = Scripted::new(greeting).start();
        let mailbox = server.client("secret").workers(2).connect().unwrap();
        let matches = mailbox.uids(uids()).shard_size(1);
        // One message must not keep both sessions from being of use.
        let report = matches.for_each(|_| {
            assert!(until(PATIENCE, || server.said().len() == 2));
        });
        let report = report.unwrap();
        assert_eq!(report.delivered().len(), 2);
        assert!(!server.was_spoken_to_first()[0], "{greeting}");
        let later = server.was_spoken_to_first()[1..].contains(&true);
        assert_eq!(later, may_be_first, "{greeting}");
    }
}

#[test]
fn gmails_search_is_refused_elsewhere_before_anything_is_sent() {
    let server = Scripted::new("ready").start();
    let mailbox = server.client("secret").workers(1).connect().unwrap();
    let error = mailbox
        .search(Query::all().gmail_raw("in:anywhere"))
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Config, "{error}");
    assert!(error.to_string().contains("X-GM-EXT-1"), "{error}");
    assert!(
        !server
            .said()
            .concat()
            .iter()
            .any(|line| line.contains("SEARCH"))
    );
    assert_eq!(mailbox.search(Query::all()).unwrap().len(), 2);
    assert_eq!(server.said().len(), 1, "the session is still good");
}

#[test]
fn a_known_limit_bounds_the_default_and_not_what_the_caller_asks_for() {
    let server = Scripted::new("Courier-IMAP ready.").start();
    assert!(server.client("secret").connect().unwrap().workers() <= 4);
    let mailbox = server.client("secret").workers(6).connect().unwrap();
    assert_eq!(mailbox.workers(), 6);
}

#[test]
fn exchanges_authenticated_but_not_connected_is_waited_out() {
    let refusals = Mutex::new(2);
    let server = Scripted::new("The Microsoft Exchange IMAP4 service is ready. [RgBS]")
        .answer(move |_, command| {
            let mut left = refusals.lock().unwrap();
            if !command.starts_with("EXAMINE") || *left == 0 {
                return None;
            }
            *left -= 1;
            Some("{tag} BAD User is authenticated but not connected.\r\n")
        })
        .start();
    let throttled = std::sync::Arc::new(Mutex::new(0));
    let counter = throttled.clone();
    let mailbox = server
        .client("secret")
        .retry(
            parallel_mailbox::Retry::default()
                .initial_delay(std::time::Duration::from_millis(1))
                .max_delay(std::time::Duration::from_millis(20)),
        )
        .on_event(move |event| {
            if matches!(
                event,
                Event::Throttled { .. } | Event::SessionRefused { .. }
            ) {
                *counter.lock().unwrap() += 1;
            }
        })
        .connect()
        .unwrap();
    assert_eq!(mailbox.search(Query::all()).unwrap().len(), 2);
}
