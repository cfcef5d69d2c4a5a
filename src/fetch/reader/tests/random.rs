//! Any mixture of what is tolerated yields the message; anything else neither a panic nor a
//! message that was not sent.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

const BODY: &str = "From: me\r\n\r\n)\r\n* 9 FETCH (UID 9 BODY[] {3}\r\nabc)\r\n";

fn space() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![" ", " ", "  ", "     "])
}

/// Items that are of no account, as servers send them.
fn junk() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "MODSEQ (0)",
        "modseq (-1)",
        "X-NEW ((a) \"UID 9\" {5}\r\nUID 9)",
        "BODY[2] ",
        "BODY[TEXT] {6}\r\n(BODY[",
        "BODY[HEADER.FIELDS (\"TO\" \"FROM\")] \"\"",
        "X-GM-LABELS (\"Project UID 4711\" \\Inbox)",
        "X-GM-LABELS NIL",
        "RFC822.SIZE -1",
        "INTERNALDATE NIL",
        "INTERNALDATE \"\"",
        "ENVELOPE (NIL \"BODY[] {3}\")",
        "PREVIEW \"\\\"\\\\\"",
    ])
}

fn flags() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "FLAGS (\\Seen a{b)",
        "FLAGS (\"\\\\Seen\"  a{b )",
        "flags (a{b \\seen {5}\r\n\\SEEN)",
        "FLAGS (\"\\Seen\" \"a{b\")",
    ])
}

fn body() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "BODY[]",
        "body[]",
        "BODY[]<0>",
        "BODY[]<0.99>",
        "BODY []",
    ]);
    let quoted = BODY.replace("\r\n", " ");
    (name, space(), any::<bool>()).prop_map(move |(name, space, is_quoted)| match is_quoted {
        true => format!("{name}{space}\"{quoted}\""),
        false => format!("{name}{space}{{{}}}\r\n{BODY}", BODY.len()),
    })
}

fn response() -> impl Strategy<Value = String> {
    let items = (flags(), body(), prop::collection::vec(junk(), 0..5));
    let items = items.prop_flat_map(|(flags, body, junk)| {
        let mut items: Vec<String> = junk.into_iter().map(str::to_owned).collect();
        items.extend([flags.to_owned(), body, "uId 7".to_owned()]);
        Just(items).prop_shuffle()
    });
    let end = prop::sample::select(vec![")", " )", "\r\n)", ") "]);
    (items, space(), end, any::<bool>()).prop_map(|(items, space, end, is_lower)| {
        // An empty line is borne behind a literal alone.
        let is_behind_literal = items.last().is_some_and(|last| last.ends_with(BODY));
        let end = if is_behind_literal { end } else { ")" };
        let fetch = if is_lower { "fetch" } else { "FETCH" };
        format!("* 3{space}{fetch}{space}({}{end}\r\n", items.join(space))
    })
}

/// What servers send, in a wrong order, and some bytes of no meaning.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => response().prop_map(String::into_bytes),
        2 => junk().prop_map(|junk| junk.as_bytes().to_vec()),
        2 => prop::sample::select(vec!["(", ")", "\"", "{3}\r\n", "{0}\r\n", "\\", "\r\n", "* 3 FETCH (", "BODY[", "]", "<", "UID ", "p1 OK\r\n", "* 2 EXPUNGE\r\n"])
            .prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Reads to the end, in pieces of this length, and returns the bodies. Checks that what was
/// admitted is accounted for.
fn read_all(fetch: Fetch, sent: &[u8], piece: usize) -> Vec<(u32, Vec<u8>)> {
    let mut reader = reader(fetch);
    let mut wire = wire(sent, piece);
    let (mut held, mut bodies) = (0, Vec::new());
    loop {
        let mut admitted = 0;
        match reader.next(&mut wire, b'p', |_, octets| {
            admitted += octets;
            Ok(true)
        }) {
            Ok(Answer::Part) => held += admitted,
            Ok(Answer::Fetched(fetched)) => {
                held -= fetched.earlier;
                if let Body::Octets(octets) = fetched.body {
                    bodies.push((fetched.uid.get(), octets.to_vec()));
                }
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    assert_eq!(reader.forget(), held);
    bodies
}

proptest! {
    #[test]
    fn any_mixture_of_oddities_yields_the_message(sent in response(), piece in 1..99usize) {
        let mut reader = reader(Fetch::full());
        let wire_text = format!("{sent}p1 OK\r\n");
        let mut wire = wire(wire_text, piece);
        let fetched = loop {
            match reader.next(&mut wire, b'p', |_, _| Ok(true)).unwrap() {
                Answer::Fetched(fetched) => break fetched,
                Answer::Part => {}
                other => panic!("{other:?}"),
            }
        };
        prop_assert_eq!(fetched.uid.get(), 7);
        prop_assert_eq!(fetched.flags.to_string(), "\\Seen a{b");
        let Body::Octets(octets) = fetched.body else { panic!("{:?}", fetched.body) };
        let body = String::from_utf8(octets.to_vec()).unwrap();
        prop_assert!(body == BODY || body == BODY.replace("\r\n", " "), "{}", body);
    }

    #[test]
    fn hostile_bytes_are_read_alike_however_they_are_cut(sent in pieces(), piece in 1..99usize) {
        for fetch in [Fetch::full(), Fetch::headers(), Fetch::metadata(), Fetch::partial(9)] {
            let whole = read_all(fetch, &sent, usize::MAX);
            prop_assert_eq!(&read_all(fetch, &sent, piece), &whole);
            let octets: usize = whole.iter().map(|(_, body)| body.len()).sum();
            prop_assert!(octets <= sent.len());
        }
    }
}

/// What would take minutes, or the whole stack, if anything were read again and again.
#[test]
fn long_lines_take_no_longer_than_their_length() {
    let begun = Instant::now();
    for unit in [
        "(",
        ")",
        "\"",
        "\\",
        "\"\\",
        "\"a ",
        "{0} ",
        "{0}\r\n",
        "BODY[",
        "BODY[ {0}\r\n",
        "BODY[]",
        "BODY[]<",
        "* ",
        "*1",
        "* 1 FETCH",
        "* 1 FETCH (",
        "a*",
        "~",
        "~{",
        "UID ",
        "UID 7 ",
        "p1 OK",
        "p",
        "X-GM-LABELS (",
        "X-GM-LABELS (a] {0}\r\n",
        "\"]\" {1}\r\na",
        " ",
        "FLAGS (\\a ",
        "FLAGS (\"\" ",
        "[",
        "BODY []",
        "BODY[\"",
    ] {
        for head in [
            "* 1 FETCH (",
            "* 1 FETCH (FLAGS (",
            "* 1 FETCH (BODY[] ",
            "* 1 FETCH (X \"",
        ] {
            let line = head.to_owned() + &unit.repeat(60_000 / unit.len()) + "\r\n";
            read_all(Fetch::full(), line.as_bytes(), usize::MAX);
        }
    }
    let line = format!(
        "* 1 FETCH ({}{}\r\n",
        "p1 x".repeat(7500),
        " ".repeat(30_000)
    );
    read_all(Fetch::full(), line.as_bytes(), usize::MAX);
    // Each different from all before it.
    let keywords: Vec<String> = (0..12_000).map(|number| format!("{number:x}")).collect();
    let line = format!("* 1 FETCH (FLAGS ({}))\r\n", keywords.join(" "));
    read_all(Fetch::full(), line.as_bytes(), usize::MAX);
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
}
