//! Messages that come in several responses (jstedfast/MailKit#1926, emailjs-imap-client#53).

use super::*;

fn message(uid: u32, flags: &str, size: Option<u64>, earlier: u64) -> Seen {
    Seen::Fetched(One {
        uid,
        flags: flags.to_owned(),
        date: Some("1996-07-17T02:44:25-07:00".to_owned()),
        size,
        body: Some("abc".to_owned()),
        earlier,
        ..One::default()
    })
}

fn attributes(number: u32, items: &str) -> String {
    format!("* {number} FETCH ({items} INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")\r\n")
}

fn body(number: u32, items: &str) -> String {
    format!("* {number} FETCH ({items}BODY[] {{3}}\r\nabc)\r\n")
}

#[test]
fn what_is_said_of_a_message_is_joined_in_either_order() {
    let said = attributes(3, "UID 7 FLAGS (\\Seen) RFC822.SIZE 9");
    for fetch in [Fetch::full(), Fetch::partial(3)] {
        for second in [body(3, "UID 7 "), body(3, "")] {
            let sent = format!("{said}{second}p1 OK\r\n");
            let expected = [message(7, "\\Seen", Some(9), 0), Seen::Completed(1)];
            assert_eq!(all(fetch, &sent), expected, "{sent}");
        }
        for second in [&said[..], &said.replace("UID 7 ", "")] {
            let sent = format!("{}{second}p1 OK\r\n", body(3, "UID 7 "));
            let expected = [
                Seen::Part,
                message(7, "\\Seen", Some(9), 3),
                Seen::Completed(1),
            ];
            assert_eq!(all(fetch, &sent), expected, "{sent}");
        }
    }
    let headers = format!("{said}{}", body(3, "UID 7 ").replace("[]", "[HEADER]"));
    assert_eq!(
        all(Fetch::headers(), headers),
        [message(7, "\\Seen", Some(9), 0)]
    );
}

#[test]
fn everything_may_come_on_its_own_and_in_any_order() {
    let mut responses = [
        "* 3 FETCH (UID 7 FLAGS (\\Seen))\r\n",
        "* 3 FETCH (UID 7 RFC822.SIZE 9)\r\n",
        "* 3 FETCH (UID 7 BODY[] {3}\r\nabc)\r\n",
        "* 3 FETCH (UID 7 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")\r\n",
    ];
    for _ in 0..4 {
        responses.rotate_left(1);
        let sent = responses.concat();
        let seen = all(Fetch::partial(3), &sent);
        let is_last = responses[3].contains("BODY");
        let expected = message(7, "\\Seen", Some(9), if is_last { 0 } else { 3 });
        assert_eq!(seen.last(), Some(&expected), "{sent}");
        assert_eq!(seen.len(), if is_last { 1 } else { 2 });
    }
}

#[test]
fn all_attributes_may_come_before_all_bodies() {
    let mut sent = String::new();
    for number in 1..=500 {
        sent += &attributes(number, &format!("UID {} FLAGS (\\Seen)", 1000 + number));
    }
    for number in (1..=500).rev() {
        sent += &body(number, &format!("UID {} ", 1000 + number));
    }
    let expected = (1..=500)
        .rev()
        .map(|number| message(1000 + number, "\\Seen", None, 0));
    assert_eq!(all(Fetch::full(), sent), expected.collect::<Vec<_>>());
}

#[test]
fn what_never_comes_is_not_waited_for_beyond_the_command() {
    let bare = |uid| {
        Seen::Fetched(One {
            uid,
            body: Some("abc".to_owned()),
            earlier: 3,
            ..One::default()
        })
    };
    for (end, seen) in [
        ("p1 OK\r\n", Seen::Completed(1)),
        ("p1 NO some of it\r\n", Seen::Completed(1)),
        ("* BYE\r\n", Seen::Bye),
    ] {
        let sent = format!("{}{end}", body(3, "UID 7 "));
        assert_eq!(all(Fetch::partial(3), sent), [Seen::Part, bare(7), seen]);
    }
    // Nor beyond the next body, for which there may be no room while this one is held.
    let sent = format!("{}{}p1 OK\r\n", body(3, "UID 7 "), body(4, "UID 8 "));
    assert_eq!(
        all(Fetch::full(), sent),
        [Seen::Part, bare(7), Seen::Part, bare(8), Seen::Completed(1)]
    );
}

#[test]
fn a_body_is_handed_out_before_the_next_is_admitted() {
    let sent = format!("{}{}p1 OK\r\n", body(3, "UID 7 "), body(4, "UID 8 "));
    let mut reader = reader(Fetch::full());
    let mut wire = wire(sent, 3);
    let mut steps = Vec::new();
    loop {
        let answer = reader.next(&mut wire, b'p', |uid, _| {
            steps.push(format!("admit {}", uid.unwrap()));
            Ok(true)
        });
        match answer.unwrap() {
            Answer::Fetched(fetched) => steps.push(format!("take {}", fetched.uid)),
            Answer::Part => {}
            Answer::Completed { .. } => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(steps, ["admit 7", "take 7", "admit 8", "take 8"]);
}

#[test]
fn news_of_flags_is_no_answer_but_newer() {
    let news = "* 3 FETCH (UID 7 FLAGS (\\Seen))\r\n* 3 FETCH (FLAGS (\\Draft))\r\n";
    for fetch in [
        Fetch::full(),
        Fetch::headers(),
        Fetch::partial(9),
        Fetch::metadata(),
    ] {
        assert_eq!(all(fetch, format!("{news}p1 OK\r\n")), [Seen::Completed(1)]);
    }
    let sent = format!(
        "* 3 FETCH (UID 7 BODY[] {{3}}\r\nabc FLAGS ())\r\n{news}{}",
        attributes(3, "UID 7")
    );
    let expected = [Seen::Part, message(7, "\\Draft", None, 3)];
    assert_eq!(all(Fetch::full(), sent), expected);
    // Before the answer, which is newer again.
    let sent = format!("{news}{}", attributes(3, "UID 7 FLAGS (a) BODY[] \"abc\""));
    assert_eq!(all(Fetch::full(), sent), [message(7, "a", None, 0)]);
}

#[test]
fn without_bodies_attributes_are_joined_too() {
    let one = |flags: &str, size| {
        Seen::Fetched(One {
            uid: 7,
            flags: flags.to_owned(),
            size,
            body: Some(String::new()),
            ..One::default()
        })
    };
    let sent = "* 3 FETCH (UID 7 FLAGS (\\Seen))\r\n* 3 FETCH (UID 7 RFC822.SIZE 5)\r\n\
        * 3 FETCH (UID 7 INTERNALDATE NIL)\r\np1 OK\r\n";
    let expected = [one("\\Seen", Some(5)), Seen::Completed(1)];
    assert_eq!(all(Fetch::metadata(), sent), expected);
    for (sent, flags, size) in [
        ("* 3 FETCH (UID 7 RFC822.SIZE 5)\r\np1 OK\r\n", "", Some(5)),
        (
            "* 3 FETCH (UID 7 FLAGS (a) INTERNALDATE NIL)\r\np1 OK\r\n",
            "a",
            None,
        ),
    ] {
        let expected = [one(flags, size), Seen::Completed(1)];
        assert_eq!(all(Fetch::metadata(), sent), expected);
    }
}

#[test]
fn numbers_hold_within_a_command_and_until_a_message_is_expunged() {
    let said = attributes(3, "UID 7 FLAGS ()");
    for between in [
        "* 1 EXPUNGE\r\n",
        "* 9 expunge\r\n",
        "* VANISHED 5\r\n",
        "* VANISHED (EARLIER) 5\r\n",
        "p1 OK\r\n",
    ] {
        let sent = format!("{said}{between}{}p2 OK\r\n", body(3, ""));
        let seen = all(Fetch::full(), &sent);
        assert!(
            seen.iter().all(|seen| matches!(seen, Seen::Completed(_))),
            "{seen:?} of {sent}"
        );
    }
    for between in [
        "* 12 EXISTS\r\n",
        "* OK EXPUNGE is near\r\n* 4 FETCH (FLAGS ())\r\n",
    ] {
        let sent = format!("{said}{between}{}", body(3, ""));
        assert_eq!(
            all(Fetch::full(), sent),
            [message(7, "", None, 0)],
            "{between}"
        );
    }
    // The UID counts, whatever the number.
    let sent = format!("{said}* 1 EXPUNGE\r\n{}", body(2, "UID 7 "));
    assert_eq!(all(Fetch::full(), sent), [message(7, "", None, 0)]);
    let sent = format!(
        "{said}{}p1 OK\r\n",
        body(3, "UID 8 INTERNALDATE NIL FLAGS () ")
    );
    let expected = One {
        uid: 8,
        body: Some("abc".to_owned()),
        ..One::default()
    };
    assert_eq!(
        all(Fetch::full(), sent),
        [Seen::Fetched(expected), Seen::Completed(1)]
    );
}

#[test]
fn the_first_of_two_bodies_counts() {
    let sent = format!(
        "{}* 3 FETCH (UID 7 BODY[] \"xyz\")\r\n{}",
        body(3, "UID 7 "),
        attributes(3, "UID 7 FLAGS ()")
    );
    assert_eq!(
        all(Fetch::full(), sent),
        [Seen::Part, message(7, "", None, 3)]
    );
}

#[test]
fn a_broken_connection_takes_its_parts_with_it() {
    let mut reader = reader(Fetch::full());
    let mut first = wire(body(3, "UID 7 ") + &attributes(4, "UID 8 FLAGS ()"), 9);
    assert!(matches!(
        reader.next(&mut first, b'p', |_, _| Ok(true)),
        Ok(Answer::Part)
    ));
    while reader.next(&mut first, b'p', |_, _| Ok(true)).is_ok() {}
    assert_eq!((reader.forget(), reader.forget()), (3, 0));
    let mut second = wire(format!("{}p1 OK\r\n", body(4, "")), 9);
    loop {
        match reader.next(&mut second, b'p', |_, _| Ok(true)).unwrap() {
            Answer::Unrelated => {}
            Answer::Completed { .. } => break,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn memory_for_parts_is_bounded() {
    let mut reader = reader(Fetch::full());
    let flags = "x ".repeat(10_000);
    let sent: String = (1..=3000)
        .map(|uid| match uid % 100 {
            0 => format!("* {uid} FETCH (UID {uid} FLAGS ({flags}))\r\n"),
            _ => format!("* {uid} FETCH (UID {uid} INTERNALDATE NIL)\r\n"),
        })
        .collect();
    let mut wire = wire(sent, usize::MAX);
    while reader.next(&mut wire, b'p', |_, _| Ok(true)).is_ok() {
        let (parts, octets) = reader.parts.size();
        assert!(parts <= 1024 && octets <= 256 * 1024, "{parts}, {octets}");
    }
    assert!(reader.parts.size().0 > 100);
}
