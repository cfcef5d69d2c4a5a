//! The README's first command: what it counts, and how it looks from outside, on few messages.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code, unreachable_pub)]
#[path = "../examples/shared/letter.rs"]
mod letter;
#[allow(dead_code, unreachable_pub)]
#[path = "../examples/shared/printable.rs"]
mod printable;
#[path = "../examples/quickstart/statistics.rs"]
mod statistics;
#[path = "../examples/quickstart/table.rs"]
mod table;
#[path = "support/wait.rs"]
mod wait;

use std::fs::File;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use parallel_mailbox::Query;
use parallel_mailbox::mail_parser::MessageParser;
use parallel_mailbox::testing::{Sample, Server, ServerBuilder, TestMessage};

use crate::statistics::Statistics;

/// Long enough to build the program where it is not built yet.
const LIMIT: Duration = Duration::from_secs(300);

/// What the program counts on a server, over so many sessions.
fn counted(server: ServerBuilder, workers: usize) -> Statistics {
    let server = server.start().unwrap();
    let mailbox = server.client().workers(workers).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let mut sum = Statistics::default();
    for one in matches.imap_unordered(|message| Statistics::of(&message)) {
        sum.add(one.unwrap());
    }
    sum
}

#[test]
fn counts_over_sessions_what_is_in_the_messages() {
    let sample = Sample::mixed(150).seed(5);
    let expected = counted(Server::builder().sample(sample.clone()), 1);
    // What another reader makes of it.
    let mut attachments = 0;
    for message in sample.clone() {
        let parsed = MessageParser::default().parse(message.raw()).unwrap();
        let sender = parsed.from().and_then(|from| from.first()?.address());
        let sender = sender.unwrap_or("(none)").to_lowercase();
        assert!(expected.senders.contains_key(&sender), "{sender}");
        attachments += parsed.attachment_count() as u64;
    }
    assert_eq!(expected.attachments.values().sum::<u64>(), attachments);
    assert_eq!(expected.messages, 150);
    assert_eq!(expected.senders.values().sum::<u64>(), 150);
    assert_eq!(expected.months.values().sum::<u64>(), 150);
    assert!(expected.attachments.len() > 3, "{expected:?}");
    for workers in [2, 4] {
        let found = counted(Server::builder().sample(sample.clone()), workers);
        assert_eq!(found, expected, "{workers} workers");
    }
}

#[test]
fn counts_senders_without_case_months_and_attachments_and_stands_odd_messages() {
    let with_attachments = "From: Bob <bob@example.org>\r\n\
        Date: Sun, 01 Feb 2026 10:00:00 +0000\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
        --b\r\nContent-Type: application/PDF\r\nContent-Disposition: attachment\r\n\r\nx\r\n\
        --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment\r\n\r\ny\r\n\
        --b--\r\n";
    let found = counted(
        Server::builder().messages([
            "From: Ann <ann@example.org>\r\nDate: Sat, 31 Jan 2026 10:00:00 +0000\r\n\r\none\r\n",
            "From: ANN@Example.ORG\r\nDate: Sun, 01 Feb 2026 10:00:00 +0000\r\n\r\ntwo\r\n",
            with_attachments,
            "Subject: neither sender nor date\r\n\r\nfour\r\n",
            "",
        ]
        // Without a date of its own, a message has that of its arrival: 1 March 2026.
        .map(|raw| TestMessage::new(raw).internal_date(1_772_323_200))),
        2,
    );
    let counts = |rows: &[(&str, u64)]| {
        let rows = rows
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count));
        rows.collect()
    };
    let expected = Statistics {
        messages: 5,
        senders: counts(&[
            ("(none)", 2),
            ("ann@example.org", 2),
            ("bob@example.org", 1),
        ]),
        months: counts(&[("2026-01", 1), ("2026-02", 2), ("2026-03", 2)]),
        attachments: counts(&[("application/pdf", 2)]),
    };
    assert_eq!(found, expected);
}

#[test]
fn tables_align_whatever_the_names_are() {
    let mut statistics = Statistics::default();
    let names = [
        "short@example.org".to_owned(),
        "\u{1b}[2Jclears@the.screen.example".to_owned(),
        "turns\u{202e}the-direction@example.org".to_owned(),
        format!("{}@a-very-long-name.example.org", "x".repeat(60)),
    ];
    for (name, count) in names.into_iter().zip([1, 22, 333, 4_444]) {
        statistics.senders.insert(name, count);
    }
    let shown = statistics.to_string();
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
    assert!(shown.contains("…ng-name.example.org "), "{shown}");

    let lines: Vec<&str> = shown.lines().take(5).collect();
    // Where the number ends, in columns: each character here takes one.
    let end = |line: &str| line.trim_end_matches([' ', '█']).chars().count();
    let ends: Vec<usize> = lines.iter().map(|line| end(line)).collect();
    assert!(ends.iter().all(|one| *one == ends[0]), "{ends:?}\n{shown}");
    assert!(lines[1].ends_with("4444  ████████████████████████"));
    // Few among many are seen as well.
    assert!(lines[4].ends_with("   1  █"), "{shown}");
}

struct Shown {
    status: ExitStatus,
    output: String,
    error: String,
}

/// Runs the program. By way of cargo, so that it is there and is the present one also when this
/// test is run alone.
fn quickstart(arguments: &[&str]) -> Shown {
    let folder = tempfile::tempdir().unwrap();
    // Files, since nobody reads a pipe while this waits.
    let [output, error] = ["output", "error"].map(|name| folder.path().join(name));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "run",
        "--quiet",
        "--offline",
        "--example",
        "quickstart",
    ]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let mut program = command
        .arg("--")
        .args(arguments)
        // What a server at a closed port is not told.
        .env("IMAP_PASSWORD", "sesame")
        .stdin(Stdio::null())
        .stdout(File::create(&output).unwrap())
        .stderr(File::create(&error).unwrap())
        .spawn()
        .unwrap();
    let ended = wait::until(LIMIT, || program.try_wait().unwrap().is_some());
    if !ended {
        program.kill().unwrap();
    }
    let shown = Shown {
        status: program.wait().unwrap(),
        output: std::fs::read_to_string(output).unwrap(),
        error: std::fs::read_to_string(error).unwrap(),
    };
    assert!(
        ended,
        "no end within {LIMIT:?}: {}\n{}",
        shown.output, shown.error
    );
    shown
}

#[test]
fn shows_what_it_found_and_how_fast_on_the_embedded_server() {
    let Shown {
        status,
        output,
        error,
    } = quickstart(&["--messages", "60", "--workers", "3"]);
    assert!(status.success(), "{output}\n{error}");
    for expected in [
        "60 made-up messages",
        "Simulated: ",
        "Top senders",
        "Messages per month",
        "Attachments by type",
        "1 session ",
        "3 sessions",
        "messages/s",
        "MB/s",
        "× as fast",
        "Both runs found the same.",
    ] {
        assert!(
            output.contains(expected),
            "{expected:?} is not in\n{output}"
        );
    }
    // The progress bar is for terminals.
    assert!(
        !output.contains('\u{1b}') && !error.contains('\u{1b}'),
        "{error}"
    );
}

#[test]
fn reads_only_the_newest_messages_if_told_so() {
    let Shown {
        status,
        output,
        error,
    } = quickstart(&["--messages", "60", "--limit", "1"]);
    assert!(status.success(), "{output}\n{error}");
    // The sample ends with the year 2025, and a year of the tables is at the start of a line.
    let months: Vec<&str> = output
        .lines()
        .filter(|line| line.starts_with("  20"))
        .collect();
    assert_eq!(months.len(), 1, "{output}");
    assert!(months[0].starts_with("  2025-12 "), "{output}");
}

#[test]
fn says_what_is_wrong_and_fails() {
    for (arguments, what) in [
        (["--workers", "none"], "--workers needs a number above 0"),
        (["--workers", "257"], "--workers takes 256 at most"),
        (["--messages", "0"], "--messages needs a number above 0"),
        (["--wrong", "1"], "unknown option \"--wrong\""),
        (
            ["imap.example.org", "--limit=5"],
            "unknown option \"--limit=5\"",
        ),
        (["--limit", "imaps://127.0.0.1/"], "--limit needs a number"),
    ] {
        fails(&arguments, what);
    }
    fails(&["imap.example.org"], "does not start with imaps://");
    fails(&["imaps://me:secret@127.0.0.1/"], "the URL has a password");
    // Nothing listens on port 1.
    fails(
        &["imaps://me@127.0.0.1:1/INBOX"],
        "cannot connect: 127.0.0.1:1",
    );
}

fn fails(arguments: &[&str], what: &str) {
    let Shown { status, error, .. } = quickstart(arguments);
    assert_eq!(status.code(), Some(1), "{arguments:?}: {error}");
    assert!(error.starts_with("quickstart: "), "{error}");
    assert!(error.contains(what), "{what:?} is not in {error}");
    assert!(
        !error.contains("secret") && !error.contains("sesame"),
        "{error}"
    );
}
