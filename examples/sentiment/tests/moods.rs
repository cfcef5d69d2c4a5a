//! The program as a process of its own.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

use example_sentiment::made_up;
#[cfg(unix)]
use example_support::dovecot;
use example_support::odd_mail;
use parallel_mailbox::testing::{Fault, Sample, Server, TestMessage};

fn run(url: Option<&str>, password: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-sentiment"));
    command
        .args(url)
        .env("IMAP_PASSWORD", password)
        .env("DANGER_PLAINTEXT", "1");
    command.output().unwrap()
}

/// The tables, without the report.
fn tables(url: Option<&str>, password: &str) -> String {
    let output = run(url, password);
    let text = String::from_utf8(output.stdout).unwrap();
    println!("{text}");
    assert!(output.status.success(), "{:?}", output.stderr);
    let (tables, report) = text.trim_end().rsplit_once("\n\n").unwrap();
    assert!(report.contains(" 0 failed, 0 unfinished"), "{report}");
    format!("{tables}\n")
}

fn letter(sender: &str, date: &str, rest: &str) -> TestMessage {
    let text = format!("From: {sender}\r\nDate: {date} 12:00:00 +0000\r\n{rest}\r\n");
    TestMessage::new(text).internal_date(1_780_000_000)
}

/// Seven letters, whose table can be made by hand: one sentence each, of which VADER knows one
/// word.
fn known() -> Vec<TestMessage> {
    let html = "Content-Type: text/html\r\n";
    vec![
        letter(
            "Anna <anna@example.org>",
            "5 Jan 2026",
            "\r\nThe garden is good.",
        ),
        letter(
            "ANNA@example.org",
            "9 Jan 2026",
            "\r\nWhat there is in the garden is bad.\r\n-- \r\nGood",
        ),
        letter(
            "Ben <ben@example.org>",
            "9 Jan 2026",
            "\r\nThe ladder is bad.\r\n> good good",
        ),
        letter(
            "Ben <ben@example.org>",
            "1 Feb 2026",
            "\r\nThe ladder is red.",
        ),
        letter(
            "Anna <anna@example.org>",
            "2 Feb 2026",
            &format!("{html}\r\n<p class=bad>The roof is <b>good</b>.<blockquote>bad</blockquote>"),
        ),
        letter(
            "Anna <anna@example.org>",
            "3 Feb 2026",
            "\r\nThe roof is great!",
        ),
        // The date cannot be read, so it is the server's; and there is no sender.
        TestMessage::new("Date: whenever\r\n\r\nThe bill is terrible.\r\n")
            .internal_date(1_775_000_000),
    ]
}

/// VADER has 1.9 for good, 3.1 and 0.292 for great with a mark, -2.5 for bad and -2.1 for terrible,
/// and makes x / sqrt(x² + 15) of it.
const KNOWN: &str = "\
by month                     messages   mean  best UID  worst UID  words
2026-01                             3  -0.21         1          2  bad garden
2026-02                             3  +0.37         6          4  roof
2026-03                             1  -0.48         7          7  terrible

by sender                    messages   mean  best UID  worst UID  words
anna@example.org                    4  +0.25         6          2  garden roof
ben@example.org                     2  -0.27         4          3  ladder
nobody                              1  -0.48         7          7  terrible

anna@example.org             messages   mean  best UID  worst UID  words
2026-01                             2  -0.05         1          2  garden
2026-02                             2  +0.55         6          5  roof

ben@example.org              messages   mean  best UID  worst UID  words
2026-01                             1  -0.54         3          3  bad ladder
2026-02                             1   0.00         4          4  red ladder

nobody                       messages   mean  best UID  worst UID  words
2026-03                             1  -0.48         7          7  terrible

7 messages judged, 0 left out
";

#[test]
fn the_table_of_a_known_mailbox_is_as_it_is_by_hand() {
    let server = Server::builder().messages(known()).start().unwrap();
    assert_eq!(tables(Some(&server.url()), server.password()), KNOWN);
    assert!(
        !server
            .log()
            .iter()
            .any(|entry| entry.line.contains(" SELECT "))
    );
}

#[test]
#[cfg(unix)]
fn dovecot_has_the_same_table() {
    let Some(dovecot) = dovecot::builder() else {
        return;
    };
    // Without the last one, which has the server's date: that is the day of the test.
    let known: Vec<TestMessage> = known().into_iter().take(6).collect();
    let server = Server::builder().messages(known.clone()).start().unwrap();
    let dovecot = dovecot
        .messages(known)
        .mailbox("Letters", made_up::letters())
        .start();
    let expected = tables(Some(&server.url()), server.password());
    assert_eq!(
        tables(Some(&dovecot.url("INBOX")), dovecot.password()),
        expected
    );
    let letters = tables(Some(&dovecot.url("Letters")), dovecot.password());
    assert_eq!(letters, tables(None, ""));
}

/// The means of a table's rows.
fn means(text: &str, title: &str) -> Vec<f64> {
    let table = text
        .split("\n\n")
        .find(|table| table.starts_with(title))
        .unwrap();
    let rows = table.lines().skip(1);
    rows.map(|row| row.split_whitespace().nth(2).unwrap().parse().unwrap())
        .collect()
}

#[test]
fn without_a_url_made_up_moods_are_seen_to_change() {
    let text = tables(None, "");
    let anna = means(&text, "anna@example.org");
    assert!(
        anna[0] < -0.15 && anna[1] < -0.15 && anna[4] > 0.15 && anna[5] > 0.15,
        "{anna:?}"
    );
    let clara = means(&text, "clara@example.org");
    assert!(
        clara[2] > 0.1 && clara[3] < -0.1 && clara[4] < -0.1 && clara[5] > 0.1,
        "{clara:?}"
    );
    // Who has no moods has none, though all that he quotes is sad: but for the trade "fair".
    let david = means(&text, "david@example.org");
    assert_eq!([&david[..2], &david[3..]].concat(), [0.0; 5]);
    let months = means(&text, "by month");
    assert!(months[1] < 0.0 && months[5] > months[0], "{months:?}");
    assert!(text.contains("invoice accountant"), "{text}");
    // The order in which the workers are done is another each time.
    for _ in 0..5 {
        assert_eq!(tables(None, ""), text);
    }
}

#[test]
fn a_message_that_cannot_be_had_is_told_and_left_out() {
    let server = Server::builder()
        .messages(known())
        .fault(Fault::nil().uid(3))
        .fault(Fault::nil().uid(4))
        .start()
        .unwrap();
    let output = run(Some(&server.url()), server.password());
    assert_eq!(output.status.code(), Some(1), "not all of it");
    let complaints = String::from_utf8(output.stderr).unwrap();
    println!("{complaints}");
    assert_eq!(complaints.lines().count(), 2, "{complaints}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("7 matched: 5 delivered, 0 gone, 2 failed") && !text.contains("ben@"),
        "{text}"
    );
}

#[test]
fn mail_of_all_kinds_is_counted() {
    // Attachments, foreign character sets, broken headers.
    let server = Server::builder()
        .sample(Sample::mixed(300))
        .start()
        .unwrap();
    let text = tables(Some(&server.url()), server.password());
    let months = text.split("\n\n").next().unwrap().lines().skip(1);
    let messages = months.map(|row| row.rsplit_once("  ").map_or(row, |(row, _)| row));
    let counted: usize = messages
        .map(|row| row[28..37].trim().parse::<usize>().unwrap())
        .sum();
    let (judged, left_out) = judged(&text);
    assert_eq!((counted, judged + left_out), (judged, 300), "{text}");
    assert!(judged > 100, "{text}");
}

/// How many messages are judged, and how many left out.
fn judged(text: &str) -> (usize, usize) {
    let line = text
        .lines()
        .find(|line| line.contains(" messages judged, "))
        .unwrap();
    let mut numbers = line.split(' ').filter_map(|word| word.parse().ok());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn only_english_is_judged_and_how_much_is_left_out_is_told() {
    let mut messages = vec![letter(
        "a@x",
        "5 Jan 2026",
        "\r\nThis is a wonderful idea, thank you.",
    )];
    messages.extend(
        odd_mail::letters()
            .unwrap()
            .into_iter()
            .map(|(_, letter)| letter),
    );
    for text in ["OK", "", "> This is a terrible idea."] {
        messages.push(letter("b@x", "5 Jan 2026", &format!("\r\n{text}")));
    }
    let server = Server::builder().messages(messages).start().unwrap();
    let text = tables(Some(&server.url()), server.password());
    for line in [
        " in Chinese or Japanese, which the lexicon is not for\n",
        " in German, which the lexicon is not for\n",
        " too short or too mixed to tell the language\n",
        " without words of the sender's own\n",
    ] {
        assert!(text.contains(line), "{line}");
    }
    // Anna writes in German of what "die" Ware is, which is no bad mood.
    assert!(!text.contains("anna@example.org"), "{text}");
    let (judged, left_out) = judged(&text);
    assert_eq!(judged + left_out, 23);
    assert!(left_out >= 7, "{text}");
}
