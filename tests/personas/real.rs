//! The personas of Dovecot and Cyrus against the real ones: the same script, line by line. What may
//! differ is in a table, each with its reason, and a reason that explains nothing is an error.

use parallel_mailbox::testing::{Persona, Server};

use crate::dialogue;
use crate::support::cyrus::cyrus_or_skip;
use crate::support::dovecot::dovecot_or_skip;

/// What differs: the command, a line of the persona's, a line of the real one's, and why. An empty
/// line stands for none.
type Difference = (&'static str, &'static str, &'static str, &'static str);

const DOVECOT: &[Difference] = &[];

const CALLS: &str = "how many calls LIST took is said only where the pattern has a wildcard";
const SILENT: &str = "a real one tells the flags though they were not to be told (.SILENT)";

const CYRUS: &[Difference] = &[
    (
        "LIST \"\" \"\"",
        "OK Completed _ secs 1 calls)",
        "OK Completed _ secs)",
        CALLS,
    ),
    (
        "LIST \"\" \"Nowhere\"",
        "OK Completed _ secs 1 calls)",
        "OK Completed _ secs)",
        CALLS,
    ),
    (
        "LSUB \"\" \"Nowhere\"",
        "OK Completed _ secs 1 calls)",
        "OK Completed _ secs)",
        CALLS,
    ),
    (
        "STORE 2 +FLAGS.SILENT (\\Deleted)",
        "OK Completed",
        "* 2 FETCH (FLAGS (\\Flagged \\Deleted Work))",
        SILENT,
    ),
    (
        "STORE 2 +FLAGS.SILENT (\\Deleted)",
        "",
        "OK Completed",
        SILENT,
    ),
];

fn letters() -> Vec<Vec<u8>> {
    let words = ["one", "two", "three"];
    words
        .iter()
        .map(|word| {
            format!(
                "From: Ann <ann@example.org>\r\nSubject: letter {word}\r\n\
                 Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\nThe body of {word}.\r\n"
            )
            .into_bytes()
        })
        .collect()
}

/// Lines without what cannot be the same: times, dates, names of one instance, what it is made of, STARTTLS, since the
/// test server knows no TLS, and the marks of recent messages, which it does not keep since its
/// sessions share a mailbox.
fn normal(answer: &str) -> Vec<String> {
    answer.lines().map(normal_line).collect()
}

fn normal_line(line: &str) -> String {
    if line.ends_with(" RECENT") {
        return "* _ RECENT".to_owned();
    }
    let mut line = line.to_owned();
    for (start, ends) in [
        ("INTERNALDATE \"", "\""),
        ("UIDVALIDITY ", "] )"),
        ("SESSIONID=<", ">"),
        ("MAILBOXID (", ")"),
        ("HIGHESTMODSEQ ", "]"),
        // Of which machine and libraries it is made.
        ("\"version\" \"", "\""),
        ("\"support-url\" \"https://www.cyrusimap.org\"", ""),
        // The fixture's own greeting, by which it is known.
        ("AUTH=LOGIN] fixture ", ""),
        ("SASL-IR] cyrus", ""),
    ] {
        if let Some(at) = line.find(start) {
            let from = at + start.len();
            let rest = &line[from..];
            let length = rest.find(|end| ends.contains(end)).unwrap_or(rest.len());
            line.replace_range(from..from + length, "_");
        }
    }
    line = line.replace("AUTH=LOGIN] Dovecot ready.", "AUTH=LOGIN] fixture _");
    for without in ["STARTTLS ", "\\Recent ", "\\Recent"] {
        line = line.replace(without, "");
    }
    let is_time = |word: &&str| {
        let number = word.trim_start_matches('(');
        number.len() == 5 && number.contains('.') && number.parse::<f64>().is_ok()
    };
    let words: Vec<&str> = line
        .split(' ')
        .map(|word| if is_time(&word) { "_" } else { word })
        .collect();
    words.join(" ").replace("_ + _ + _", "_ + _")
}

fn compare(persona: Persona, real: &[(&'static str, String)], known: &[Difference]) {
    let server = Server::builder()
        .persona(persona)
        .messages(letters())
        .start()
        .unwrap();
    let ours = dialogue::with(server.port(), server.user(), server.password());
    assert!(ours.len() > 60);
    let mut differences = Vec::new();
    for ((command, ours), (_, real)) in ours.iter().zip(real) {
        let (ours, real) = (normal(ours), normal(real));
        for index in 0..ours.len().max(real.len()) {
            let line = |lines: &[String]| lines.get(index).cloned().unwrap_or_default();
            let (one, other) = (line(&ours), line(&real));
            if one != other {
                differences.push((*command, one, other));
            }
        }
    }
    let mut unexplained = differences.clone();
    let mut idle = Vec::new();
    for known in known {
        let (command, one, other, _) = *known;
        let before = unexplained.len();
        unexplained.retain(|(own, ours, real)| !(*own == command && one == ours && other == real));
        if before == unexplained.len() {
            idle.push(known);
        }
    }
    for (command, ours, real) in &unexplained {
        eprintln!("{command}\n  persona {ours}\n  real    {real}");
    }
    assert!(unexplained.is_empty(), "{} differences", unexplained.len());
    assert!(idle.is_empty(), "these explain nothing: {idle:#?}");
}

#[test]
fn the_persona_of_dovecot_talks_as_a_real_one() {
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let real = options.messages(letters()).start();
    let dialogue = dialogue::with(real.plain_port(), real.user(), real.password());
    compare(Persona::Dovecot, &dialogue, DOVECOT);
}

#[test]
fn the_persona_of_cyrus_talks_as_a_real_one() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let real = options.messages(letters()).start();
    let dialogue = dialogue::with(real.plain_port(), real.user(), real.password());
    compare(Persona::Cyrus, &dialogue, CYRUS);
}
