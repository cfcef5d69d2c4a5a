//! The reader alone, with what a server sends.

mod oddities;
mod parts;
mod random;

use super::*;
use crate::transport::tests::wire;

fn reader(fetch: Fetch) -> Reader {
    Reader::new(fetch, 1000, Arc::default())
}

/// What the reader makes of all that a server sends, in however small pieces it arrives.
fn all(fetch: Fetch, sent: impl AsRef<[u8]>) -> Vec<Seen> {
    let mut results = [1, 7, usize::MAX].map(|piece| {
        let mut reader = reader(fetch);
        let mut wire = wire(sent.as_ref(), piece);
        let mut seen = Vec::new();
        let mut admitted = 0;
        while let Ok(answer) = reader.next(&mut wire, b'p', |_, octets| {
            admitted += octets;
            Ok(true)
        }) {
            seen.extend(match answer {
                Answer::Fetched(fetched) => {
                    admitted -= fetched.earlier;
                    Some(Seen::Fetched(fetched.into()))
                }
                Answer::Garbled { uid, .. } => Some(Seen::Garbled(uid.map(Uid::get))),
                Answer::Part => Some(Seen::Part),
                Answer::Completed { tag, .. } => Some(Seen::Completed(tag)),
                Answer::Bye { .. } => Some(Seen::Bye),
                Answer::Unasked | Answer::Unrelated => None,
            });
        }
        seen
    });
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
    std::mem::take(&mut results[0])
}

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Fetched(One),
    Garbled(Option<u32>),
    Part,
    Completed(u64),
    Bye,
}

/// A message, fit to be compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct One {
    uid: u32,
    flags: String,
    date: Option<String>,
    size: Option<u64>,
    body: Option<String>,
    gmail: Option<(u64, u64, String)>,
    earlier: u64,
}

impl From<Fetched> for One {
    fn from(fetched: Fetched) -> Self {
        Self {
            uid: fetched.uid.get(),
            flags: fetched.flags.to_string(),
            date: fetched.internal_date.map(|date| date.to_rfc3339()),
            size: fetched.size,
            body: match fetched.body {
                Body::Octets(octets) => Some(String::from_utf8(octets.to_vec()).unwrap()),
                Body::Nil => None,
                Body::TooLarge { octets } => Some(format!("{octets} octets")),
            },
            gmail: fetched.gmail.map(|gmail| {
                let labels = gmail.labels().join("|");
                (gmail.message_id(), gmail.thread_id(), labels)
            }),
            earlier: fetched.earlier,
        }
    }
}

/// The only answer, which is a message.
fn one(fetch: Fetch, sent: impl AsRef<[u8]>) -> One {
    let mut seen = all(fetch, sent.as_ref());
    let text = String::from_utf8_lossy(sent.as_ref()).into_owned();
    assert_eq!(seen.len(), 1, "{seen:?} in {text}");
    match seen.pop() {
        Some(Seen::Fetched(one)) => one,
        other => panic!("{other:?} in {text}"),
    }
}

#[test]
fn puts_each_literal_into_its_message_and_stays_in_step() {
    let sent = "* 1 FETCH (UID 7 FLAGS () INTERNALDATE NIL BODY[] {10}\r\np1 OK\r\n{9})\r\n\
        * 12 EXISTS\r\n\
        * 2 FETCH (FLAGS () INTERNALDATE NIL BODY[] {0}\r\n UID 9)\r\n\
        p1 OK done\r\n";
    let message = |uid, body: &str| {
        Seen::Fetched(One {
            uid,
            body: Some(body.to_owned()),
            ..One::default()
        })
    };
    assert_eq!(
        all(Fetch::full(), sent),
        [
            message(7, "p1 OK\r\n{9}"),
            message(9, ""),
            Seen::Completed(1)
        ]
    );
}

#[test]
fn lets_a_body_over_the_limit_go_by() {
    let long = "x".repeat(5000);
    let sent = format!("* 1 FETCH (BODY[] {{5000}}\r\n{long} UID 7)\r\n");
    let fetched = one(Fetch::full(), sent);
    assert_eq!(
        (fetched.uid, fetched.body.as_deref()),
        (7, Some("5000 octets"))
    );
}

#[test]
fn an_empty_body_is_none_of_nil() {
    let answer = |value: &str| {
        let sent = format!(
            "* 1 FETCH (UID 7 FLAGS () INTERNALDATE NIL RFC822.SIZE 4286 BODY[] {value})\r\n"
        );
        let one = one(Fetch::full(), sent);
        (one.size, one.body)
    };
    for empty in ["\"\"", "{0}\r\n", "~{0}\r\n"] {
        assert_eq!(answer(empty), (Some(4286), Some(String::new())), "{empty}");
    }
    for nil in ["NIL", "nil", ""] {
        assert_eq!(answer(nil), (Some(4286), None), "{nil}");
    }
}

#[test]
fn a_garbled_response_says_whose_it_is_and_a_bye_says_why() {
    let sent = "* 1 FETCH (UID 7 WHAT[ {2}\r\nab ((\r\n* BYE so long\r\n";
    let mut reader = reader(Fetch::full());
    let mut wire = wire(sent, 9);
    match reader.next(&mut wire, b'p', |_, _| Ok(true)).unwrap() {
        Answer::Garbled { uid, excerpt } => {
            assert_eq!(uid, Uid::new(7));
            assert!(excerpt.contains("WHAT"), "{excerpt}");
        }
        other => panic!("{other:?}"),
    }
    match reader.next(&mut wire, b'p', |_, _| Ok(true)).unwrap() {
        Answer::Bye { status } => assert_eq!(status.text, b"so long"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_body_is_admitted_under_its_uid_wherever_that_stands_before_it() {
    let asked = |before: &str| {
        let sent = format!("* 4 FETCH ({before} {{3}}\r\nabc UID 8)\r\n");
        let mut asked = Vec::new();
        let answer = reader(Fetch::full())
            .next(&mut wire(sent, 5), b'p', |uid, octets| {
                asked.push((uid.map(Uid::get), octets));
                Ok(false)
            })
            .map(|answer| matches!(answer, Answer::Unasked));
        (asked, answer.unwrap_or(false))
    };
    for (before, uid) in [
        ("UID 7 BODY[]", Some(7)),
        ("FLAGS () uid 7 INTERNALDATE NIL Body[]", Some(7)),
        // Gmail's order, and a label that looks like a UID.
        (
            "X-GM-LABELS (\"Project UID 4711\") UID 7 FLAGS () BODY[]",
            Some(7),
        ),
        ("X-GM-LABELS (\"UID 4711\") BODY[]", None),
        ("FLAGS (UID 4711) BODY[]", None),
        ("ENVELOPE (\"x\" UID 4711) BODY[] ", None),
        ("BODY[]<0>", None),
    ] {
        assert_eq!(asked(before), (vec![(uid, 3)], true), "{before}");
    }
    // Not the body that was asked for.
    for before in [
        "UID 7 BODY[HEADER]",
        "UID 7 BODY[]<5>",
        "UID 7 (BODY[]",
        "X \"BODY[]\" Y",
    ] {
        assert_eq!(asked(before), (vec![], false), "{before}");
    }
}

#[test]
fn a_size_beyond_the_limit_of_a_response_is_told_with_its_uid() {
    let sent = format!("* 1 FETCH (flags () uid 7 body[] {{{}}}\r\n", u64::MAX);
    let error = reader(Fetch::full())
        .next(&mut wire(sent, 9), b'p', |_, _| Ok(true))
        .unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::TooLarge { size: u64::MAX, .. }
    ));
    assert_eq!(error.uid(), Uid::new(7));
}
