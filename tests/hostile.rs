//! An enemy in the server's place: whatever it sends, and however much of it, a run ends by
//! itself with an error that says why, with a report that adds up, and in little memory.
//!
//! The client of each attack is a process of its own, which tells the peak of its memory; the
//! server is in this one and does not count.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]

#[path = "hostile/client.rs"]
mod client;
mod ledger;
#[path = "hostile/server.rs"]
mod server;
mod support;

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use client::{Job, Outcome};
use server::{Attack, Moment, Server, endless, flood, once, then_endless, then_silence, trickle};

/// What a search that finds a million messages, and the start of a run over them, may add to the
/// memory of a client, in octets.
const PLANNING_BOUND: u64 = 32_000_000;

/// What a client may take under attack, in octets.
const BOUND: u64 = 64_000_000;

/// The other half of every test here.
#[test]
fn the_client_under_attack() {
    client::play();
}

/// Attacks at this moment, and checks what must hold whatever the attack: the memory, and that it
/// all ends. Where the system tells no peak, it is 0.
fn attack(job: Job, moment: Moment, attack: Attack) -> Outcome {
    let server = Server::start(moment, attack);
    let outcome = client::run(job, server.port());
    let thread = std::thread::current();
    eprintln!("{} ({job:?}): {outcome}", thread.name().unwrap_or_default());
    assert!(outcome.peak < BOUND, "{job:?}: {outcome:?}");
    outcome
}

/// Attacks at a moment before any message is asked for, so that there is no run.
fn attack_on_the_way(moment: Moment, how: Attack) -> Outcome {
    let job = match moment {
        Moment::Search => Job::Search,
        _ => Job::Connect,
    };
    let outcome = attack(job, moment, how);
    assert!(!outcome.error.is_empty(), "{outcome:?}");
    outcome
}

/// Attacks when message 2 of three is fetched, with each kind of run. It ends with an error, or
/// message 2 is failed and the others delivered.
fn attack_on_a_message(how: Attack) -> [Outcome; 2] {
    [Job::ForEach, Job::Imap].map(|job| {
        let outcome = attack(job, Moment::Fetch, how.clone());
        assert_eq!(outcome.found, 3, "{outcome:?}");
        let settled = outcome.delivered + outcome.failed.len() + outcome.unfinished;
        assert_eq!(settled, 3, "{outcome:?}");
        if outcome.error.is_empty() {
            assert!(outcome.delivered >= 2, "{outcome:?}");
        } else {
            assert!(outcome.unfinished > 0, "{outcome:?}");
        }
        outcome
    })
}

/// Errors of any kind that are found in the error itself or in a failed message.
fn assert_says(outcome: &Outcome, any_of: &[&str]) {
    let all = format!("{} {}", outcome.error, outcome.failed.join(" "));
    assert!(any_of.iter().any(|text| all.contains(text)), "{outcome:?}");
}

fn announced(octets: impl std::fmt::Display) -> String {
    format!("* 2 FETCH (UID 2 FLAGS () RFC822.SIZE 9 BODY[] {{{octets}}}\r\n")
}

const FOUR_GB: u64 = 4_000_000_000;

#[test]
fn a_literal_of_four_gigabytes_that_really_comes_is_too_large() {
    for outcome in attack_on_a_message(flood(&announced(FOUR_GB), FOUR_GB, ")\r\n")) {
        assert_says(&outcome, &["larger than the limit"]);
    }
}

#[test]
fn a_literal_of_nine_hundred_megabytes_goes_by_without_being_held() {
    let octets = 900_000_000;
    for outcome in attack_on_a_message(flood(&announced(octets), octets, ")\r\n")) {
        assert_says(
            &outcome,
            &["message of 900000000 octets is larger than the limit"],
        );
        assert_eq!(outcome.delivered, 2, "{outcome:?}");
    }
}

#[test]
fn a_literal_of_which_little_comes_takes_little() {
    // The last is one that would be accepted, were it to come.
    for octets in [FOUR_GB, 900_000_000, 250_000_000] {
        let little = announced(octets) + "Subject: little\r\n";
        for outcome in attack_on_a_message(then_silence(little)) {
            assert_says(&outcome, &["timed out", "larger than the limit"]);
        }
    }
}

#[test]
fn a_literal_of_absurd_length_is_refused() {
    for octets in [
        "9223372036854775808",
        "18446744073709551615",
        "99999999999999999999999",
    ] {
        for outcome in attack_on_a_message(then_silence(announced(octets) + "x")) {
            assert_says(&outcome, &["larger than the limit", "protocol error"]);
        }
    }
}

#[test]
fn an_endless_line_in_a_fetch_answer_is_cut_off() {
    for line in [
        "* 2 FETCH (UID 2 FLAGS (",
        "* 2 FETCH (UID 2 BODY[] \"",
        "* OK ",
        "",
    ] {
        for outcome in attack_on_a_message(then_endless(line, "xxxxxxx ")) {
            assert_says(&outcome, &["protocol error"]);
        }
    }
}

#[test]
fn an_endless_line_before_any_message_is_cut_off() {
    for (moment, line) in [
        (Moment::Greeting, "* OK "),
        (Moment::Greeting, ""),
        (Moment::Capability, "* CAPABILITY IMAP4rev1 "),
        (Moment::Login, "* OK [CAPABILITY "),
        (Moment::Examine, "* FLAGS ("),
        (Moment::Examine, "* OK [UIDVALIDITY 1"),
        (Moment::Search, "* OK "),
    ] {
        let outcome = attack_on_the_way(moment, then_endless(line, "xxxxxxx "));
        assert_says(&outcome, &["protocol error"]);
    }
}

#[test]
fn an_endless_answer_to_a_tag_is_cut_off() {
    for moment in [
        Moment::Login,
        Moment::Examine,
        Moment::Search,
        Moment::Fetch,
    ] {
        let how: Attack = Arc::new(|stream, tag| {
            write!(stream, "{tag} OK ")?;
            loop {
                stream.write_all(&[b'x'; 4096])?;
            }
        });
        if moment == Moment::Fetch {
            attack_on_a_message(how);
        } else {
            assert_says(&attack_on_the_way(moment, how), &["protocol error"]);
        }
    }
}

/// An answer that counts on by two, or back, one line for each so many numbers.
fn numbers(is_ascending: bool, per_line: usize) -> Attack {
    Arc::new(move |stream, _| {
        let mut next: u32 = if is_ascending { 1 } else { u32::MAX };
        loop {
            let mut line = "* SEARCH".to_owned();
            for _ in 0..per_line {
                write!(line, " {next}").unwrap();
                next = if is_ascending { next + 2 } else { next - 2 };
                if line.len() > 60_000 {
                    stream.write_all(line.as_bytes())?;
                    line.clear();
                }
            }
            stream.write_all(line.as_bytes())?;
            stream.write_all(b"\r\n")?;
        }
    })
}

#[test]
fn an_endless_search_answer_of_numbers_that_never_adjoin_is_cut_off() {
    for (is_ascending, per_line) in [(true, usize::MAX), (false, usize::MAX), (true, 100)] {
        let outcome = attack_on_the_way(Moment::Search, numbers(is_ascending, per_line));
        assert_says(&outcome, &["ranges of UIDs"]);
    }
}

#[test]
fn a_search_answer_of_a_million_uids_works_within_the_memory_figure() {
    const MILLION: u32 = 1_000_000;
    let without = attack(Job::Connect, Moment::Search, once("")).peak;
    for step in [1, 2] {
        let mut line = "* SEARCH".to_owned();
        for index in 0..MILLION {
            write!(line, " {}", 1 + index * step).unwrap();
        }
        let answer = once(line + "\r\n");
        for job in [Job::Search, Job::TakeOne] {
            let outcome = attack(job, Moment::Search, answer.clone());
            assert_eq!(outcome.found, MILLION as usize, "{outcome:?}");
            assert!(outcome.error.is_empty(), "{outcome:?}");
            let peak = match job {
                Job::TakeOne => outcome.planned,
                _ => outcome.peak,
            };
            let added = peak.saturating_sub(without);
            eprintln!("every UID of {step}, {job:?}: {added} octets added to {without}");
            assert!(added <= PLANNING_BOUND, "{job:?}: {added} octets");
        }
    }
}

#[test]
fn an_endless_search_answer_that_says_nothing_new_ends_with_its_deadline() {
    for (head, piece) in [
        ("* SEARCH", " 7"),
        ("* SEARCH 1 (", "MODSEQ "),
        ("* SEARCH ", "  "),
    ] {
        let how = then_endless(head, piece);
        let outcome = attack(Job::SearchBriefly, Moment::Search, how);
        assert_says(&outcome, &["timed out"]);
    }
}

#[test]
fn endless_chatter_before_any_message_is_cut_off() {
    for moment in [
        Moment::Capability,
        Moment::Login,
        Moment::Examine,
        Moment::Search,
    ] {
        let outcome = attack_on_the_way(moment, endless("* OK still here\r\n"));
        assert_says(&outcome, &["answer nothing"]);
    }
}

#[test]
fn endless_chatter_in_place_of_a_message_is_cut_off() {
    for piece in [
        "* OK still here\r\n",
        "* 4 EXISTS\r\n",
        "+ go on\r\n",
        "* 2 FETCH (UID 2)\r\n",
    ] {
        for outcome in attack_on_a_message(endless(piece)) {
            assert_says(&outcome, &["answer nothing"]);
        }
    }
}

#[test]
fn endless_messages_that_nobody_asked_for_are_cut_off() {
    let piece = "* 9 FETCH (UID 4000 FLAGS () RFC822.SIZE 5 BODY[] {5}\r\nhello)\r\n";
    for outcome in attack_on_a_message(endless(piece)) {
        assert_says(&outcome, &["answer nothing"]);
    }
}

#[test]
fn endless_large_messages_that_nobody_asked_for_are_cut_off() {
    let mut piece = b"* 9 FETCH (UID 4000 FLAGS () RFC822.SIZE 5 BODY[] {1000000}\r\n".to_vec();
    piece.resize(piece.len() + 1_000_000, b'x');
    piece.extend_from_slice(b")\r\n");
    attack_on_a_message(endless(piece));
}

#[test]
fn a_response_of_endless_literals_is_cut_off() {
    for item in [
        "X {3}\r\nabc ",
        "BODY[] {3}\r\nabc ",
        "X {0}\r\n ",
        "BODY[TEXT]<0> {3}\r\nabc ",
    ] {
        for outcome in attack_on_a_message(then_endless("* 2 FETCH (", item)) {
            assert_says(&outcome, &["protocol error"]);
        }
    }
}

#[test]
fn a_response_of_several_large_bodies_does_not_wait_for_itself() {
    // Two are more than all messages in memory may be together.
    let body = format!("BODY[] {{20000000}}\r\n{}", "x".repeat(20_000_000));
    attack_on_a_message(once(format!("* 2 FETCH (UID 2 {body} {body} {body})\r\n")));
}

/// Parentheses in such a depth, open and closed again.
fn deep(item: &str, depth: usize) -> [Attack; 2] {
    let opened = "(".repeat(depth);
    let closed = ")".repeat(depth);
    [
        once(format!("* 2 FETCH (UID 2 {item}{opened}{opened}\r\n")),
        once(format!("* 2 FETCH (UID 2 {item}{opened}{closed})\r\n")),
    ]
}

#[test]
fn parentheses_in_great_depth_use_up_no_stack() {
    for item in ["", "X ", "FLAGS ", "ENVELOPE ", "BODY "] {
        for how in deep(item, 30_000) {
            for outcome in attack_on_a_message(how) {
                // Where all are closed again, it is an answer without a body.
                assert_says(&outcome, &["cannot be parsed", "sent no body"]);
            }
        }
    }
}

#[test]
fn a_structure_in_great_depth_uses_up_no_stack() {
    let extension = "BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1 NIL NIL NIL NIL ";
    for item in ["BODYSTRUCTURE ", extension] {
        for how in deep(item, 30_000) {
            attack_on_a_message(how);
        }
    }
}

#[test]
fn an_octet_now_and_then_is_no_progress() {
    for moment in [
        Moment::Greeting,
        Moment::Capability,
        Moment::Login,
        Moment::Examine,
    ] {
        let outcome = attack_on_the_way(moment, trickle("* OK "));
        assert_says(&outcome, &["timed out"]);
    }
    let outcome = attack(Job::SearchBriefly, Moment::Search, trickle("* OK "));
    assert_says(&outcome, &["timed out"]);
    for head in ["", "* OK ", &announced(1_000_000)] {
        for outcome in attack_on_a_message(trickle(head)) {
            assert_says(&outcome, &["timed out"]);
        }
    }
}
