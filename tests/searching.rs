//! A search for everything is held against the number of messages that the server says there are, and
//! odd answers are read as far as they go. The servers are played after public reports, which each
//! test names.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use parallel_mailbox::{
    Builder, ErrorKind, Event, ParallelMailbox, Query, Security, Timeouts, UidSet,
};
use support::played::{Client, Played, Turn, among, say, search_line};

fn client(server: &Played) -> Builder {
    ParallelMailbox::builder("127.0.0.1")
        .port(server.port)
        .security(Security::DangerPlaintext)
        .login("somebody", "password")
        .workers(1)
        .timeouts(Timeouts::default().read(Duration::from_secs(20)))
}

fn set(text: &str) -> UidSet {
    text.parse().unwrap()
}

/// What a search for everything finds.
fn found(server: &Played) -> Result<UidSet, parallel_mailbox::Error> {
    let mailbox = client(server).connect()?;
    Ok(mailbox.search(Query::all())?.uids().clone())
}

/// The UIDs that a command asks for.
fn asked(client: &Client<'_>, command: &str) -> Vec<u32> {
    let words: Vec<&str> = command.split(' ').collect();
    match words[..] {
        ["UID", "SEARCH", .., "UID", set] | ["UID", "FETCH", set, ..] => among(set, client.uids),
        _ => client.uids.to_vec(),
    }
}

// ---- EXISTS against SEARCH ----

/// mail-archiver#490 (Yahoo, 2026) and S22.Imap#129: an answer has so many numbers at most.
#[test]
fn a_limit_on_answers_that_is_told_nowhere_is_found_out_and_gone_round() {
    for (uids, from_the_end) in [
        ((1..=1000).collect::<Vec<u32>>(), false),
        ((1..=1000).collect(), true),
        // Far apart, and in heaps, as NetEase has them.
        ((0..1000).map(|n| 1_390_000_000 + 7919 * n).collect(), false),
        (
            (1..=500).chain(2_000_000_000..2_000_000_500).collect(),
            true,
        ),
    ] {
        let expected = uids.clone();
        let server = Played::start(uids, move |client, command| {
            if !command.starts_with("UID SEARCH") {
                return Turn::Usual;
            }
            let found = asked(client, command);
            let (start, end) = match from_the_end {
                true => (found.len().saturating_sub(100), found.len()),
                false => (0, found.len().min(100)),
            };
            say(search_line(&found[start..end]) + "{tag} OK\r\n")
        });
        let numbers: Vec<u32> = found(&server).unwrap().iter().map(u32::from).collect();
        assert_eq!(numbers, expected);
        assert!(server.times("UID SEARCH") < 100);
    }
}

#[test]
fn where_search_stays_short_fetch_is_asked() {
    for refuses in [false, true] {
        let server = Played::start(1..=300, move |client, command| {
            let is_window = command.starts_with("UID SEARCH UID");
            match command.starts_with("UID SEARCH") {
                true if is_window && refuses => say("{tag} NO I will not\r\n"),
                true => say(search_line(&client.uids[..10]) + "{tag} OK\r\n"),
                false => Turn::Usual,
            }
        });
        assert_eq!(found(&server).unwrap(), set("1:300"));
    }
}

#[test]
fn a_fetch_that_is_cut_off_as_well_is_asked_in_windows() {
    let server = Played::start(1..=300, |client, command| {
        let all = asked(client, command);
        if command.starts_with("UID SEARCH") {
            say(search_line(&client.uids[..50]) + "{tag} OK\r\n")
        } else if command.ends_with("(UID)") {
            let lines: String = all
                .iter()
                .take(50)
                .map(|uid| format!("* 1 fetch (flags (\\Seen) uid {uid})\r\n"))
                .collect();
            say(lines + "{tag} OK\r\n")
        } else {
            Turn::Usual
        }
    });
    assert_eq!(found(&server).unwrap(), set("1:300"));
}

/// Also nothing at all is less than there is.
#[test]
fn an_empty_answer_is_held_against_exists() {
    let server = Played::start(1..=30, |client, command| {
        match command.starts_with("UID SEARCH") && client.times("UID SEARCH") == 0 {
            true => say("* SEARCH\r\n{tag} OK\r\n"),
            false => Turn::Usual,
        }
    });
    assert_eq!(found(&server).unwrap(), set("1:30"));
}

#[test]
fn what_is_named_in_no_form_is_told_by_an_error_and_never_by_a_short_result() {
    let server = Played::start(1..=1000, |client, command| {
        let few: Vec<u32> = asked(client, command)
            .into_iter()
            .filter(|uid| *uid <= 100)
            .collect();
        if command.starts_with("UID SEARCH") {
            say(search_line(&few) + "{tag} OK\r\n")
        } else if command.ends_with("(UID)") {
            let lines: String = few
                .iter()
                .map(|uid| format!("* {uid} FETCH (UID {uid})\r\n"))
                .collect();
            say(lines + "{tag} OK\r\n")
        } else {
            Turn::Usual
        }
    });
    let error = found(&server).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Protocol, "{error}");
    let text = error.to_string();
    assert!(
        text.contains("1000") && text.contains("names 100"),
        "{text}"
    );
    let questions = server.times("UID ");
    assert!(questions < 500, "{questions} questions");
    // What the error advises.
    let mailbox = client(&server).connect().unwrap();
    let matches = mailbox.search(Query::all().uid(set("1:1000"))).unwrap();
    assert_eq!(matches.len(), 100);
    assert_eq!(mailbox.uids(set("101:1000")).len(), 900);
}

#[test]
fn the_caller_is_told_that_the_server_named_too_few() {
    let server = Played::start(1..=20, |client, command| {
        match command.starts_with("UID SEARCH") && client.times("UID SEARCH") == 0 {
            true => say("* SEARCH 1 2\r\n{tag} OK\r\n"),
            false => Turn::Usual,
        }
    });
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let client = client(&server).on_event(move |event| {
        if let Event::OddAnswer { what, .. } = event {
            heard.lock().unwrap().push(what.clone());
        }
    });
    let matches = client.connect().unwrap().search(Query::all()).unwrap();
    assert_eq!(matches.len(), 20);
    let told = told.lock().unwrap();
    assert!(told.len() == 1 && told[0].contains("2 of 20"), "{told:?}");
}

/// QQ: `6 EXISTS`, and SEARCH names seven; MailKit#1241.
#[test]
fn more_than_exists_is_new_mail() {
    let server = Played::start(1..=6, |_, command| {
        match command.starts_with("UID SEARCH") {
            true => say("* SEARCH 1 2 3 4 5 6 7\r\n{tag} OK\r\n"),
            false => Turn::Usual,
        }
    });
    assert_eq!(found(&server).unwrap(), set("1:7"));
    assert_eq!(server.times("UID SEARCH"), 1);
}

#[test]
fn mail_that_comes_or_goes_meanwhile_is_no_contradiction() {
    for (news, numbers) in [
        // It comes while the server looks, before or after the answer.
        ("* 11 EXISTS\r\n* 1 RECENT\r\n", 1..=10),
        ("* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n", 1..=8),
        ("* VANISHED 9:10\r\n", 1..=8),
        ("* 7 EXISTS\r\n", 1..=7),
    ] {
        for is_before in [true, false] {
            let numbers: Vec<u32> = numbers.clone().collect();
            let count = numbers.len();
            let server = Played::start(1..=10, move |_, command| {
                let line = search_line(&numbers);
                match (command.starts_with("UID SEARCH"), is_before) {
                    (true, true) => say(format!("{news}{line}{{tag}} OK\r\n")),
                    (true, false) => say(format!("{line}{news}{{tag}} OK\r\n")),
                    _ => Turn::Usual,
                }
            });
            assert_eq!(found(&server).unwrap().len(), count, "{news}");
            assert_eq!(server.times("UID SEARCH"), 1, "{news}");
        }
    }
}

/// Gluon lists messages that are gone elsewhere until it was given the chance to say so.
#[test]
fn a_server_that_tells_of_it_only_when_asked_is_asked() {
    let server = Played::start(1..=10, |_, command| {
        if command.starts_with("UID SEARCH") {
            say("* SEARCH 1 2 3 4 5\r\n{tag} OK\r\n")
        } else if command == "NOOP" {
            say("* 10 EXPUNGE\r\n".repeat(5) + "{tag} OK\r\n")
        } else {
            Turn::Usual
        }
    });
    assert_eq!(found(&server).unwrap(), set("1:5"));
    assert_eq!((server.times("UID"), server.times("NOOP")), (1, 1));
}

#[test]
fn a_search_with_a_key_is_not_held_against_the_number_of_messages() {
    let server = Played::start(1..=10, |_, command| {
        match command.starts_with("UID SEARCH") {
            true => say("* SEARCH 4\r\n{tag} OK\r\n"),
            false => Turn::Usual,
        }
    });
    let mailbox = client(&server).connect().unwrap();
    let matches = mailbox.search(Query::all().unseen()).unwrap();
    assert_eq!(matches.uids(), &set("4"));
    assert_eq!(server.times("UID"), 1);
}

// ---- forms of answers ----

#[test]
fn answers_of_all_forms_are_read() {
    for answer in [
        // offlineimap#336.
        "* SEARCH 0 1 2 3\r\n",
        "* SEARCH 4294967296 1 2 3\r\n",
        "* SEARCH 1 2 three 3\r\n",
        // Yahoo has a space behind the last.
        "* SEARCH 1 2 3 \r\n",
        "* search 1 2 3\r\n",
        "* SEARCH 3 2 1\r\n",
        "* SEARCH 1\r\n* SEARCH 2 3\r\n",
        "\r\n* SEARCH 1 2 3\r\n\r\n",
        "[COPYUID 55 31 6]\r\n* SEARCH 1 2 3\r\n",
        "a99 NO of another\r\n* SEARCH 1 2 3\r\n",
        "* SEARCH \"1\" \"2\" \"3\"\r\n",
    ] {
        let server = Played::start(1..=3, move |_, command| {
            match command.starts_with("UID SEARCH") {
                true => say(format!("{answer}{{tag}} OK\r\n")),
                false => Turn::Usual,
            }
        });
        assert_eq!(found(&server).unwrap(), set("1:3"), "{answer}");
        assert_eq!(server.times("UID SEARCH"), 1, "{answer}");
    }
}

/// What an extended SEARCH gets on some servers, and what then counts.
#[test]
fn an_extended_answer_that_says_too_little_is_asked_for_as_a_list() {
    for (answer, key) in [
        // Strato: 4,028 messages (email-mcp#91).
        ("* ESEARCH (TAG \"{tag}\") UID\r\n{tag} OK\r\n", true),
        // iCloud: options are ignored (Horde Imap_Client#17).
        (
            "* ESEARCH (TAG \"{tag}\") UID COUNT 3\r\n{tag} OK\r\n",
            true,
        ),
        (
            "* ESEARCH (TAG \"{tag}\") UID COUNT 3 ALL 1:2\r\n{tag} OK\r\n",
            true,
        ),
        (
            "* ESEARCH (TAG \"{tag}\") UID ALL 0:2\r\n{tag} OK\r\n",
            true,
        ),
        ("{tag} OK\r\n", true),
        ("{tag} BAD what\r\n", true),
        // Cyrus 2.4 (cyrus-imapd#1720), iCloud (MailKit#863).
        ("* SEARCH 1 2 3\r\n{tag} OK\r\n", false),
        (
            "* ESEARCH (TAG \"{tag}\") UID ALL 1:3\r\n{tag} OK\r\n",
            false,
        ),
        (
            "* esearch (tag \"{tag}\") uid count 3 all 3,1:2 \r\n{tag} OK\r\n",
            false,
        ),
    ] {
        let server = Played::start(1..=3, move |_, command| match command {
            "CAPABILITY" => say("* CAPABILITY IMAP4rev1 ESEARCH\r\n{tag} OK\r\n"),
            command if command.contains("RETURN") => say(answer),
            _ => Turn::Usual,
        });
        let mailbox = client(&server).connect().unwrap();
        // With a key, so that the number of messages cannot help.
        let matches = mailbox.search(Query::all().unseen()).unwrap();
        assert_eq!(matches.uids(), &set("1:3"), "{answer}");
        assert_eq!(server.times("UID SEARCH UNSEEN") == 1, key, "{answer}");
        assert_eq!(mailbox.search(Query::all().unseen()).unwrap().len(), 3);
        // Who says too little once is not asked so again.
        let asked_so = if key { 1 } else { 2 };
        assert_eq!(server.times("UID SEARCH RETURN"), asked_so, "{answer}");
    }
}

/// iCloud, when nothing matches: only the tagged OK (home-assistant#132042).
#[test]
fn nothing_may_be_said_of_nothing() {
    let server = Played::start(1..=3, |_, command| {
        match command.starts_with("UID SEARCH") {
            true => say("{tag} OK SEARCH completed (took 1 ms)\r\n"),
            false => Turn::Usual,
        }
    });
    let mailbox = client(&server).connect().unwrap();
    assert!(mailbox.search(Query::all().unseen()).unwrap().is_empty());
    let server = Played::start([], |_, command| match command.starts_with("UID SEARCH") {
        true => say("{tag} OK\r\n"),
        false => Turn::Usual,
    });
    assert!(found(&server).unwrap().is_empty());
}

#[test]
fn an_empty_answer_with_its_count_is_believed_at_once() {
    let server = Played::start(1..=3, |_, command| match command {
        "CAPABILITY" => say("* CAPABILITY IMAP4rev1 ESEARCH\r\n{tag} OK\r\n"),
        command if command.contains("RETURN") => {
            say("* ESEARCH (TAG \"{tag}\") UID COUNT 0\r\n{tag} OK\r\n")
        }
        _ => Turn::Usual,
    });
    let mailbox = client(&server).connect().unwrap();
    for _ in 0..2 {
        assert!(mailbox.search(Query::all().unseen()).unwrap().is_empty());
    }
    assert_eq!(server.times("UID SEARCH"), 2);
}

#[test]
fn an_answer_of_words_alone_is_an_error() {
    let server = Played::start(1..=3, |_, command| {
        match command.starts_with("UID SEARCH") {
            true => say("* SEARCH nothing that I would tell\r\n{tag} OK\r\n"),
            false => Turn::Usual,
        }
    });
    let mailbox = client(&server).connect().unwrap();
    let error = mailbox.search(Query::all().unseen()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("nothing"), "{error}");
}

// ---- EXAMINE ----

#[test]
fn what_examine_says_is_read_in_any_order_and_form() {
    let full = [
        "* FLAGS (\\Answered \\*)",
        "* 3 EXISTS",
        "* 0 RECENT",
        "* OK [UNSEEN 2]",
        "* OK [UIDVALIDITY 14] UIDVALIDITY value",
        "* OK [UIDNEXT 4] Predicted next UID.",
        "* OK [HIGHESTMODSEQ 9223372036854775807]",
        "* OK [PERMANENTFLAGS ()] No permanent flags permitted",
        "* OK [MYRIGHTS \"acdilrsw\"] ACL",
    ];
    let mut reversed = full;
    reversed.reverse();
    for (lines, exists, uid_next) in [
        (full.to_vec(), 3, Some(4)),
        (reversed.to_vec(), 3, Some(4)),
        // NetEase, Courier: no UIDNEXT.
        (vec!["* 3 exists ", "* ok [uidvalidity 14]"], 3, None),
        (
            vec!["* OK [UIDVALIDITY 14]\t", "* OK [UIDNEXT 4]"],
            0,
            Some(4),
        ),
        (
            vec![
                "",
                "* 3 EXISTS",
                "noise",
                "* OK [UIDVALIDITY 14] UIDs valid ",
            ],
            3,
            None,
        ),
    ] {
        let answer = lines.join("\r\n") + "\r\n{tag} OK [READ-ONLY] done\r\n";
        let server = Played::start(1..=3, move |_, command| {
            match command.starts_with("EXAMINE") {
                true => say(answer.clone()),
                false => Turn::Usual,
            }
        });
        let mailbox = client(&server).connect().unwrap();
        assert_eq!(mailbox.exists(), exists, "{lines:?}");
        assert_eq!(mailbox.uid_validity(), 14, "{lines:?}");
        assert_eq!(mailbox.uid_next().map(u32::from), uid_next, "{lines:?}");
        assert_eq!(mailbox.search(Query::all()).unwrap().len(), 3, "{lines:?}");
    }
}

/// emailengine#345, MailKit#150: a UIDVALIDITY of 0 compares as well as any. None at all does not.
#[test]
fn a_uidvalidity_of_0_is_one_and_a_missing_one_is_none() {
    let server = Played::start(1..=3, |_, command| match command.starts_with("EXAMINE") {
        true => say("* 3 EXISTS\r\n* OK [UIDVALIDITY 0] .\r\n{tag} OK\r\n"),
        false => Turn::Usual,
    });
    let mailbox = client(&server).connect().unwrap();
    assert_eq!(mailbox.uid_validity(), 0);
    let report = mailbox.search(Query::all()).unwrap().for_each(drop);
    assert_eq!(report.unwrap().delivered(), &set("1:3"));
    let server = Played::start(1..=3, |_, command| match command.starts_with("EXAMINE") {
        true => say("* 3 EXISTS\r\n{tag} OK\r\n"),
        false => Turn::Usual,
    });
    let error = client(&server).connect().unwrap_err();
    assert!(error.to_string().contains("keeps no UIDs"), "{error}");
}

// ---- which messages are gone ----

/// The outcomes of a run over these: delivered, gone, failed.
fn outcomes(server: &Played, uids: &str) -> [String; 3] {
    let mailbox = client(server).connect().unwrap();
    let report = mailbox.uids(set(uids)).for_each(drop).unwrap();
    let failed: UidSet = report.failed().iter().map(|(uid, _)| *uid).collect();
    [report.delivered(), report.gone(), &failed].map(ToString::to_string)
}

/// Cyrus 3.6 finds nothing in a set that has 4294967295.
#[test]
fn a_uid_that_cannot_be_does_not_hide_those_that_are_there() {
    let server = Played::start([1, 2], |_, command| {
        if !command.contains("4294967295") {
            return Turn::Usual;
        }
        match command.starts_with("UID SEARCH") {
            true => say("* SEARCH\r\n{tag} OK\r\n"),
            false => say("{tag} OK\r\n"),
        }
    });
    let [delivered, gone, failed] = outcomes(&server, "1:2,4294967295");
    assert_eq!([&delivered[..], &gone, &failed], ["1:2", "4294967295", ""]);
    let asked = server.said().concat();
    let questions = asked.iter().filter(|line| line.ends_with("(UID)"));
    assert!(
        questions
            .into_iter()
            .all(|line| !line.contains("4294967295"))
    );
}

#[test]
fn gone_is_what_two_answers_leave_out() {
    for (fetch_names, search_names, expected) in [
        (false, false, ["1,3", "2", ""]),
        // There after all, and withheld.
        (true, false, ["1,3", "", "2"]),
        (false, true, ["1,3", "", "2"]),
    ] {
        let server = Played::start(1..=3, move |client, command| {
            let mut uids = asked(client, command);
            let (is_search, is_question) = (
                command.starts_with("UID SEARCH"),
                command.ends_with("(UID)"),
            );
            if !command.starts_with("UID") {
                return Turn::Usual;
            }
            if !(is_search && search_names || is_question && fetch_names) {
                uids.retain(|uid| *uid != 2);
            }
            let words: Vec<&str> = command.split(' ').collect();
            let rest = words[3..].join(" ");
            match is_search {
                true => say(search_line(&uids) + "{tag} OK\r\n"),
                false => {
                    let text: Vec<String> = uids.iter().map(u32::to_string).collect();
                    let text = match text.is_empty() {
                        true => "9".to_owned(),
                        false => text.join(","),
                    };
                    say(support::played::usual(
                        &format!("UID FETCH {text} {rest}"),
                        client.uids,
                    ))
                }
            }
        });
        let outcomes = outcomes(&server, "1:3");
        assert_eq!(outcomes.each_ref().map(String::as_str), expected);
    }
}

/// gluon#478 (Proton Bridge): in a mailbox that was emptied, each question is `NO no such message`.
#[test]
fn a_refusal_in_a_mailbox_that_was_emptied_says_that_all_is_gone() {
    let server = Played::start(1..=3, |client, command| {
        let is_emptied = client.times("UID FETCH") > 0;
        match command {
            command if command.starts_with("UID ") => say("{tag} NO no such message\r\n"),
            command if command.starts_with("EXAMINE") && is_emptied => {
                say("* 0 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n{tag} OK\r\n")
            }
            _ => Turn::Usual,
        }
    });
    let [delivered, gone, failed] = outcomes(&server, "1:3");
    assert_eq!([&delivered[..], &gone, &failed], ["", "1:3", ""]);
    assert!(server.said().len() <= 3, "{} sessions", server.said().len());
}

#[test]
fn silence_about_a_search_keeps_the_alert_that_came_before() {
    let server = Played::start(1..=3, |_, command| {
        match command.starts_with("UID SEARCH") {
            true => say("* NO [ALERT] the index is being rebuilt\r\n"),
            false => Turn::Usual,
        }
    });
    let timeouts = Timeouts::default().search(Duration::from_millis(500));
    let mailbox = client(&server).timeouts(timeouts).connect().unwrap();
    let error = mailbox.search(Query::all()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Timeout, "{error}");
    assert!(error.to_string().contains("index is being"), "{error}");
}

/// DavMail closes the connection at a search that it cannot do.
#[test]
fn where_a_search_for_everything_ends_the_session_the_messages_are_listed_by_fetch() {
    let server = Played::start(1..=30, |_, command| {
        match command.starts_with("UID SEARCH") {
            true => Turn::Last("* BYE that was too much\r\n".to_owned()),
            false => Turn::Usual,
        }
    });
    let mailbox = client(&server).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let report = matches.for_each(drop).unwrap();
    assert_eq!(report.delivered(), &set("1:30"));
    // The first may have been the fault of a session that was idle.
    assert!(server.times("UID SEARCH") <= 2);
    // A search with a key is no other than it was.
    let error = mailbox.search(Query::all().unseen()).unwrap_err();
    assert!(error.to_string().contains("too much"), "{error}");
}
