//! What real servers send next to a whole body, and what must come of it. Each case names where it
//! was seen.

use super::*;

const DATE: &str = "INTERNALDATE \"17-Jul-1996 02:44:25 -0700\"";

/// The message that all of these are.
fn message(flags: &str, size: Option<u64>) -> One {
    One {
        uid: 7,
        flags: flags.to_owned(),
        date: Some("1996-07-17T02:44:25-07:00".to_owned()),
        size,
        body: Some("abc".to_owned()),
        ..One::default()
    }
}

/// One response that says all that is asked for, and this in addition, in front of the body.
fn with(items: &str) -> String {
    format!("* 3 FETCH (UID 7 {items} {DATE} BODY[] {{3}}\r\nabc)\r\n")
}

#[test]
fn spaces_do_not_matter() {
    for sent in [
        // davmail#454: spaces as a sign of life before a body that takes time to load.
        format!("* 3 FETCH (UID 7 FLAGS (\\Seen) {DATE}          BODY[] {{3}}\r\nabc)\r\n"),
        format!("* 3 FETCH (UID 7 FLAGS (\\Seen)  {DATE} BODY[]   {{3}}\r\nabc)\r\n"),
        format!("* 3 FETCH (UID  7 FLAGS ( \\Seen ) {DATE} BODY[] {{3}}\r\nabc )\r\n"),
        format!("*  3  FETCH  ( UID 7 FLAGS  (\\Seen){DATE}BODY[]{{3}}\r\nabc) \r\n"),
        format!("* 3 FETCH (UID 7 FLAGS (\\Seen) {DATE} BODY [ ] <0> {{3}}\r\nabc)\n"),
        format!("* 3 FETCH (UID 7 FLAGS (\\Seen) {DATE} BODY[] <0>  {{3}}\r\nabc)\n"),
        format!("* 3 FETCH (UID\t7 FLAGS (\\Seen)\t{DATE} BODY[] \"abc\" )\r\n"),
    ] {
        assert_eq!(one(Fetch::full(), &sent), message("\\Seen", None), "{sent}");
    }
}

#[test]
fn empty_lines_behind_the_body_do_not_matter() {
    // python/cpython#88574, mjs/imapclient#162.
    for end in ["\r\n)", "\n)", "\r\n\r\n)", "\r\n ) ", " \r\n)"] {
        let sent = format!(
            "* 3 FETCH (UID 7 FLAGS (\\Seen) {DATE} BODY[] {{3}}\r\nabc{end}\r\np4 OK x\r\n"
        );
        let seen = all(Fetch::full(), &sent);
        let expected = [Seen::Fetched(message("\\Seen", None)), Seen::Completed(4)];
        assert_eq!(seen, expected, "{sent}");
    }
    let later = format!("* 3 FETCH (BODY[] {{3}}\r\nabc\r\n UID 7 {DATE} FLAGS (\\Seen))\r\n");
    assert_eq!(one(Fetch::full(), later), message("\\Seen", None));
    // Where the response has no end, the next one is not taken for it.
    let endless = "* 3 FETCH (UID 7 BODY[] {3}\r\nabc\r\n* 4 FETCH (FLAGS ())\r\np4 OK x\r\n";
    assert_eq!(
        all(Fetch::full(), endless),
        [Seen::Garbled(Some(7)), Seen::Completed(4)]
    );
}

#[test]
fn flags_are_whatever_a_server_takes_for_flags() {
    for (flags, read) in [
        ("()", ""),
        ("NIL", ""),
        ("(NIL)", ""),
        ("\\Seen", "\\Seen"),
        // jstedfast/MailKit#771.
        ("(\"\\\\Deleted\" \\Seen)", "\\Seen \\Deleted"),
        ("(\"\\Deleted\" \"a b\")", "\\Deleted a b"),
        ("({5}\r\n\\Seen a)", "\\Seen a"),
        // ruby/net-imap#272 and Gmail: what the grammar forbids in keywords.
        (
            "(100% a{b *x ] a]b [c] \\* a*b)",
            "100% a{b *x ] a]b [c] \\* a*b",
        ),
        (
            "(OIB-Seen-[Google Mail]/Alle \\Seen)",
            "\\Seen OIB-Seen-[Google Mail]/Alle",
        ),
        ("({b {5} {x} a\"b c\\d)", "{b {5} {x} a\"b c\\d"),
        ("((nested (deeper)) \\Seen)", "\\Seen"),
        (
            "(\\SEEN \\seen wichtig-f\u{fc}r)",
            "\\Seen wichtig-f\u{fc}r",
        ),
        ("(a\u{7}b \\Seen)", "\\Seen"),
    ] {
        let sent = with(&format!("FLAGS {flags}"));
        assert_eq!(one(Fetch::full(), &sent), message(read, None), "{sent}");
        let behind = format!("* 3 FETCH (UID 7 {DATE} BODY[] {{3}}\r\nabc FLAGS {flags})\r\n");
        assert_eq!(one(Fetch::full(), &behind), message(read, None), "{behind}");
    }
}

#[test]
fn bytes_beyond_ascii_cost_nothing_but_themselves() {
    let mut sent = b"* 3 FETCH (UID 7 FLAGS (\\Seen \xe4\xff) X-\xfc \"\x80\" INTERNALDATE \"17-\xff\" BODY[] {3}\r\nabc".to_vec();
    sent.extend_from_slice(b" MODSEQ (\xff))\r\n");
    let fetched = one(Fetch::full(), sent);
    assert_eq!((fetched.uid, fetched.date), (7, None));
    assert_eq!(fetched.flags, "\\Seen \u{fffd}\u{fffd}");
    assert_eq!(fetched.body.as_deref(), Some("abc"));
}

#[test]
fn a_size_that_is_none_is_unknown() {
    for (size, read) in [
        ("4294967296", Some(4_294_967_296)),
        // jstedfast/MailKit#1838 (mail.ru).
        ("9.3736e+06", Some(9_373_600)),
        ("\"17\"", Some(17)),
        ("-1", None),
        ("NIL", None),
        ("(1 2)", None),
        ("x", None),
        ("", None),
    ] {
        let sent = with(&format!("FLAGS () RFC822.SIZE {size}"));
        for fetch in [Fetch::full(), Fetch::partial(3)] {
            assert_eq!(one(fetch, &sent), message("", read), "{sent}");
        }
    }
}

#[test]
fn a_date_that_is_none_is_unknown() {
    for date in [
        "NIL",
        "\"\"",
        "\"yesterday\"",
        "\"31-Foo-2026 00:00:00 +0000\"",
        "(1)",
        "{1}\r\nx",
        "",
    ] {
        let sent =
            format!("* 3 FETCH (UID 7 FLAGS () INTERNALDATE {date} BODY[] {{3}}\r\nabc)\r\n");
        let expected = One {
            date: None,
            ..message("", None)
        };
        assert_eq!(one(Fetch::full(), &sent), expected, "{sent}");
    }
}

#[test]
fn unknown_items_are_passed_over_with_their_values() {
    for items in [
        // Zoho: 0 and less where the grammar has neither.
        "MODSEQ (0)",
        "MODSEQ (-1)",
        "MODSEQ 9",
        "BODY[HEADER.FIELDS (\"TO\" \"FROM\")] {9}\r\nUID 9 ()\r\n",
        "BODY[HEADER.FIELDS (\"A]\" FROM)] NIL",
        "BODYSTRUCTURE ((\"a\" (\"b\" NIL)) \"UID 9 (\" \"mixed\")",
        "BODY (\"text\" \"plain\")",
        // Yandex: an empty part has no value.
        "BODY[2] ",
        "BODY[1] {3}\r\nxyz BODY[2]<0> \"x\"",
        "BINARY[1] ~{3}\r\nabc BINARY.SIZE[1] 7",
        "ENVELOPE (\"UID 9\" {4}\r\n(\"\r\n NIL) X-NEW \"a\\\"b\" XOLD 9",
        // SmarterMail: a gap where an item that it does not know should be.
        " ",
        // Domino: parentheses around items.
        "(ENVELOPE (NIL)) (FLAGS (\\Draft))",
        "SAVEDATE NIL EMAILID (M1) PREVIEW {0}\r\n",
    ] {
        let sent = with(&format!("FLAGS (\\Seen) {items}"));
        assert_eq!(one(Fetch::full(), &sent), message("\\Seen", None), "{sent}");
    }
    for behind in [
        "MODSEQ (0)",
        "modseq 9",
        "XNEW (a (b))",
        "x-new nil",
        "BODY[2] ",
        "EMAILID (M1)",
    ] {
        let sent = format!("* 3 FETCH (UID 7 FLAGS () {DATE} BODY[] {{3}}\r\nabc {behind})\r\n");
        assert_eq!(one(Fetch::full(), &sent), message("", None), "{sent}");
    }
}

#[test]
fn case_does_not_matter() {
    // RFC 9051, section 9.
    let sent = with("FLAGS (\\Seen) RFC822.SIZE 9");
    let lower = sent.to_ascii_lowercase();
    for fetch in [Fetch::full(), Fetch::partial(9)] {
        assert_eq!(one(fetch, &lower), message("\\Seen", Some(9)), "{lower}");
    }
    let headers = sent.replace("BODY[]", "bOdY[hEaDeR]");
    assert_eq!(one(Fetch::headers(), headers), message("\\Seen", Some(9)));
}

#[test]
fn order_does_not_matter() {
    let mut items = [
        "UID 7",
        "FLAGS (\\Seen)",
        DATE,
        "RFC822.SIZE 9",
        "BODY[] {3}\r\nabc",
        "MODSEQ (12)",
    ];
    for _ in 0..items.len() {
        items.rotate_left(1);
        for (left, right) in [(0, 1), (2, 4), (1, 5)] {
            items.swap(left, right);
            let sent = format!("* 3 FETCH ({})\r\n", items.join(" "));
            assert_eq!(
                one(Fetch::partial(9), &sent),
                message("\\Seen", Some(9)),
                "{sent}"
            );
        }
    }
}

#[test]
fn a_body_may_be_quoted_or_a_part_that_begins_at_the_start() {
    for body in [
        "BODY[] \"abc\"",
        "BODY[] \"\\abc\"",
        "BODY[]<0> {3}\r\nabc",
        "BODY[]<0> \"abc\"",
        // hoodiecrow and twisted repeat what was asked for.
        "BODY[]<0.100> {3}\r\nabc",
        "BODY.PEEK[]<0.100> {3}\r\nabc",
        "BODY[] {3+}\r\nabc",
        "BODY[] {3}\nabc",
    ] {
        let sent = format!("* 3 FETCH (UID 7 FLAGS () {DATE} RFC822.SIZE 9 {body})\r\n");
        let expected = One {
            body: Some(if body.contains('\\') { "\\abc" } else { "abc" }.to_owned()),
            ..message("", Some(9))
        };
        assert_eq!(one(Fetch::partial(100), &sent), expected, "{sent}");
    }
    let quoted = with("FLAGS ()").replace("{3}\r\nabc", "\"UID 9 \\\"\\\\ (\\\") {3}\"");
    let expected = Some("UID 9 \"\\ (\") {3}".to_owned());
    assert_eq!(one(Fetch::full(), quoted).body, expected);
}

#[test]
fn a_body_that_was_not_asked_for_is_none() {
    for body in [
        "BODY[]<5> {3}\r\nabc",
        "BODY[TEXT] {3}\r\nabc",
        "RFC822 {3}\r\nabc",
        "X {3}\r\nabc",
    ] {
        let sent = format!("* 3 FETCH (UID 7 FLAGS () {DATE} RFC822.SIZE 9 {body})\r\n");
        assert_eq!(all(Fetch::full(), sent), [], "{body}");
    }
}

#[test]
fn gmail_has_an_order_of_its_own_and_labels_hold_anything() {
    let ids = "X-GM-THRID 18446744073709551615 X-GM-MSGID 2 ";
    let rest = format!("FLAGS (\\Seen) {DATE} BODY[] {{3}}\r\nabc");
    for (labels, read) in [
        // A public transcript of Gmail: 651 of 651 answers in this order.
        (
            "(\"\\\\Inbox\" \"Project UID 4711\")",
            "\\Inbox|Project UID 4711",
        ),
        // jstedfast/MailKit#244.
        ("NIL", ""),
        ("()", ""),
        (
            "(\\Inbox a&b Entw&APw-rfe \"\")",
            "\\Inbox|a&b|Entw\u{fc}rfe|",
        ),
        (
            "(\"\\Inbox\" \"a) X-GM-MSGID 9 \\\"b\\\"\" {4}\r\n) ( \"Entw&APw-rfe\")",
            "\\Inbox|a) X-GM-MSGID 9 \"b\"|) ( |Entw\u{fc}rfe",
        ),
        (
            "(\"Entw\u{fc}rfe\" \"BODY[]\" {8}\r\nBODY[] {)",
            "Entw\u{fc}rfe|BODY[]|BODY[] {",
        ),
        (
            "({20}\r\n UID 9 BODY[] {3}\r\n \\Sent)",
            " UID 9 BODY[] {3}\r\n |\\Sent",
        ),
        ("\\Inbox", "\\Inbox"),
    ] {
        let labels = format!("X-GM-LABELS {labels}");
        let expected = One {
            gmail: Some((2, u64::MAX, read.to_owned())),
            ..message("\\Seen", None)
        };
        for sent in [
            format!("* 3 FETCH ({ids}{labels} UID 7 {rest})\r\n"),
            format!("* 3 FETCH (UID 7 {rest} {ids}{labels})\r\n"),
            format!("* 3 FETCH (UID 7 {labels} {rest} {ids})\r\n"),
            format!("* 3 FETCH ({labels}  {ids}  {rest} UID 7)\r\n"),
        ] {
            assert_eq!(one(Fetch::full(), &sent), expected, "{sent}");
        }
    }
    for odd in [
        "X-GM-MSGID 1",
        "X-GM-MSGID 1 X-GM-LABELS ()",
        "X-GM-MSGID x X-GM-THRID 2 X-GM-LABELS ()",
        "X-GM-MSGID 1 X-GM-THRID 2 X-GM-LABELS",
    ] {
        let sent = format!("* 3 FETCH (UID 7 {odd} {rest})\r\n");
        assert_eq!(one(Fetch::full(), &sent), message("\\Seen", None), "{sent}");
    }
}

#[test]
fn a_body_whose_length_is_wrong_is_no_message() {
    for (octets, text) in [
        (3, "abcdef\r\nghi"),
        (10, "abcdef\r\nghi"),
        (5, "abcdef (see above)\r\nghi"),
        (6, "abcdef see above)\r\nghi"),
        (6, "abcdef (see above))\r\nghi"),
        (6, "abcdef) and so on\r\nghi"),
        (6, "abcdef \"quoted\")\r\nghi"),
        (6, "abcdef 12)\r\nghi"),
        (9, "a"),
    ] {
        let sent = format!("* 3 FETCH (UID 7 FLAGS () {DATE} BODY[] {{{octets}}}\r\n{text})\r\n");
        let seen = all(Fetch::full(), &sent);
        assert!(
            seen.iter()
                .all(|seen| matches!(seen, Seen::Garbled(Some(7)))),
            "{seen:?} of {sent}"
        );
    }
    // Two bodies, or two messages in one.
    let two = with("FLAGS () BODY[] {3}\r\nxyz");
    assert_eq!(all(Fetch::full(), two), [Seen::Garbled(Some(7))]);
    let two = with("FLAGS () UID 8");
    assert_eq!(all(Fetch::full(), two), [Seen::Garbled(None)]);
}

#[test]
fn half_a_line_costs_its_own_message_alone() {
    // DavMail, when it cannot load a message: the rest of the line is missing, with its end.
    let next = format!("* 3 FETCH (UID 7 FLAGS () {DATE} BODY[] {{3}}\r\nabc)\r\n");
    for half in [
        "* 2 FETCH (UID 6 FLAGS (\\Seen) ",
        "* 2 FETCH (UID 6 FLAGS (\\Seen) BODY[]",
        "* 2 FETCH (UID 6 FLAGS (\\Seen) BODY[] ",
        "* 2 FETCH (UID 6",
        "* 2 FETCH (UID 6 RFC822.SIZE 4",
        "* 2 FETCH (UID 6 FLAGS (\\Seen",
        "* 2 FETCH (",
    ] {
        let sent = format!("{half}{next}p4 OK UID FETCH completed\r\n");
        let expected = [Seen::Fetched(message("", None)), Seen::Completed(4)];
        assert_eq!(all(Fetch::full(), &sent), expected, "{sent}");
        let last = format!("{next}{half}p4 OK UID FETCH completed\r\n");
        assert_eq!(all(Fetch::full(), &last), expected, "{last}");
    }
    // Whose body it is cannot be known.
    let sent = format!("* 2 FETCH (UID 6 BODY[] {{2}}\r\nxy{next}p4 OK x\r\n");
    assert_eq!(
        all(Fetch::full(), sent),
        [Seen::Garbled(Some(6)), Seen::Completed(4)]
    );
}
