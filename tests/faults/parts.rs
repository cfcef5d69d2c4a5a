//! Answers that come in several responses, or with something odd next to the body, from a server
//! that is sound otherwise.

use std::collections::BTreeMap;
use std::sync::Mutex;

use parallel_mailbox::testing::{Fault, Server};
use parallel_mailbox::{Fetch, Matches, Message};

use crate::play::{Ending, play_on};

const MESSAGES: u32 = 40;

fn body(uid: u32) -> String {
    format!("Subject: {uid}\r\n\r\n")
}

/// The attributes of a message, without those that every server sends first.
fn attributes(uid: u32) -> String {
    format!(
        "FLAGS (\\Seen k{uid}) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE {}",
        1000 + uid
    )
}

/// Reads from a server that answers for each message as `answer` has it.
fn run(fetch: Fetch, answer: impl Fn(u32) -> String, window_octets: u64) -> (Ending, Seen) {
    let server = Server::builder().messages((1..=MESSAGES).map(body));
    let server = (1..=MESSAGES).fold(server, |server, uid| {
        server.fault(Fault::replace(answer(uid)).uid(uid))
    });
    let seen = std::sync::Arc::new(Mutex::new(Seen::new()));
    let ending = play_on(server, 2)
        .arrange({
            let seen = seen.clone();
            move |matches: Matches| {
                let matches = matches.fetch(fetch).window_octets(window_octets);
                // What the run sees otherwise is the octets alone.
                let report = matches.for_each(|message| {
                    let uid = message.uid().get();
                    seen.lock().unwrap().insert(uid, What::of(&message));
                });
                report.unwrap();
                matches
            }
        })
        .run();
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    (ending, seen)
}

type Seen = BTreeMap<u32, What>;

#[derive(Debug, PartialEq, Eq)]
struct What {
    flags: String,
    timestamp: Option<i64>,
    size: u64,
    raw: Vec<u8>,
}

impl What {
    fn of(message: &Message) -> Self {
        Self {
            flags: message.flags().to_string(),
            timestamp: message.internal_date().map(|date| date.to_timestamp()),
            size: message.size(),
            raw: message.raw().to_vec(),
        }
    }

    fn expected(uid: u32) -> Self {
        Self {
            flags: format!("\\Seen k{uid}"),
            timestamp: Some(837_596_665),
            size: 1000 + u64::from(uid),
            raw: body(uid).into_bytes(),
        }
    }
}

fn assert_all_seen(seen: &Seen) {
    assert_eq!(seen.len(), MESSAGES as usize);
    for (uid, what) in seen {
        assert_eq!(*what, What::expected(*uid));
    }
}

#[test]
fn attributes_and_body_may_come_in_two_responses() {
    // jstedfast/MailKit#1926, emailjs/emailjs-imap-client#53. With room for next to nothing, too:
    // what waits for its other half must not stand in the way of the next message.
    for window_octets in [32 * 1024 * 1024, 20] {
        for fetch in [Fetch::full(), Fetch::headers(), Fetch::partial(100)] {
            let section = match fetch == Fetch::headers() {
                true => "[HEADER]",
                false => "[]",
            };
            let said = |uid| format!("* {uid} FETCH (UID {uid} {})\r\n", attributes(uid));
            let brought = |uid, head: &str| {
                let body = body(uid);
                format!(
                    "* {uid} FETCH ({head}BODY{section} {{{}}}\r\n{body})\r\n",
                    body.len()
                )
            };
            let with_uid = |uid: u32| format!("UID {uid} ");
            let answers: [&dyn Fn(u32) -> String; 3] = [
                &|uid| said(uid) + &brought(uid, &with_uid(uid)),
                &|uid| brought(uid, &with_uid(uid)) + &said(uid),
                &|uid| said(uid) + &brought(uid, ""),
            ];
            for answer in answers {
                let (ending, seen) = run(fetch, answer, window_octets);
                ending.assert_all_delivered();
                assert_all_seen(&seen);
            }
        }
    }
}

#[test]
fn what_a_server_never_says_of_a_message_is_not_waited_for() {
    let bare = |uid| {
        let body = body(uid);
        format!(
            "* {uid} FETCH (UID {uid} BODY[] {{{}}}\r\n{body})\r\n",
            body.len()
        )
    };
    for window_octets in [32 * 1024 * 1024, 20] {
        for fetch in [Fetch::full(), Fetch::partial(100)] {
            let (ending, seen) = run(fetch, bare, window_octets);
            ending.assert_all_delivered();
            assert_eq!(seen.len(), MESSAGES as usize);
            assert!(seen.values().all(|what| what.flags.is_empty()));
        }
    }
}

#[test]
fn gmails_order_and_everything_in_lower_case_are_read() {
    let gmail = |uid| {
        let body = body(uid);
        format!(
            "* {uid} FETCH (X-GM-THRID 1 X-GM-MSGID 2 X-GM-LABELS (\"\\\\Inbox\" \"Project UID 4711\") \
             UID {uid}  {} BODY[] {{{}}}\r\n{body}\r\n)\r\n",
            attributes(uid),
            body.len()
        )
    };
    let lower = |uid| {
        let body = body(uid);
        let attributes = attributes(uid).to_ascii_lowercase();
        format!(
            "* {uid} fetch (uid {uid} body[] {{{}}}\r\n{body} {attributes})\r\n",
            body.len()
        )
    };
    for fetch in [Fetch::full(), Fetch::partial(100)] {
        for answer in [&gmail as &dyn Fn(u32) -> String, &lower] {
            let (ending, seen) = run(fetch, answer, 32 * 1024 * 1024);
            ending.assert_all_delivered();
            assert_all_seen(&seen);
        }
    }
}
