//! The program as a process of its own: it learns, and then judges what it has not seen.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use example_classify::made_up;
#[cfg(unix)]
use example_support::dovecot;
use parallel_mailbox::testing::{Fault, Sample, Server};

fn run(words: &[&str], password: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_example-classify"))
        .args(words)
        .env("IMAP_PASSWORD", password)
        .env("DANGER_PLAINTEXT", "1")
        .output()
        .unwrap()
}

fn printed(words: &[&str], password: &str) -> String {
    let output = run(words, password);
    let text = String::from_utf8(output.stdout).unwrap();
    println!("{text}");
    assert!(output.status.success(), "{:?}", output.stderr);
    text
}

/// The numbers of a line.
fn numbers(text: &str, line: &str) -> Vec<f64> {
    let line = text.lines().find(|found| found.starts_with(line)).unwrap();
    let words = line.split_whitespace();
    words.filter_map(|word| word.parse().ok()).collect()
}

/// What it says of itself, without what the runs took.
fn table(text: &str) -> Vec<&str> {
    let lines = text.lines().skip_while(|line| !line.contains("held out"));
    lines.filter(|line| !line.starts_with("saved")).collect()
}

fn check_table(text: &str) {
    let filter = numbers(text, "naive Bayes");
    let [precision, recall, f1, accuracy] = filter[..] else {
        panic!("{filter:?}");
    };
    assert!(precision > 80.0 && recall > 80.0 && f1 > 80.0, "{filter:?}");
    assert!(accuracy < 97.0, "3 % of the labels are wrong: {accuracy}");
    let words = text.lines().filter(|line| line.starts_with("has the word"));
    let mut baselines: Vec<Vec<f64>> = words.map(|line| numbers(text, line)).collect();
    assert_eq!(baselines.len(), 2);
    baselines.push(numbers(text, "all is ham"));
    for baseline in baselines {
        let [.., baseline_f1, baseline_accuracy] = baseline[..] else {
            panic!("{baseline:?}");
        };
        assert!(f1 > baseline_f1 + 15.0, "{f1} and {baseline:?}");
        assert!(
            accuracy > baseline_accuracy + 15.0,
            "{accuracy} and {baseline:?}"
        );
    }
}

/// The judgements against what only the maker of the letters knows.
fn check_judgement(text: &str) {
    let is_spam = made_up::unsorted().is_spam;
    let table = text
        .lines()
        .skip(1)
        .take_while(|line| !line.contains(" judged, "));
    let uids = table.map(|line| line.split_whitespace().next().unwrap().parse().unwrap());
    let accused: Vec<usize> = uids.collect();
    let right = accused.iter().filter(|uid| is_spam[**uid - 1]).count() as f64;
    let precision = right / accused.len() as f64;
    let recall = right / is_spam.iter().filter(|is_spam| **is_spam).count() as f64;
    println!("precision {precision:.3}, recall {recall:.3}");
    // There is less spam among them than among those that were learned from, so more of what is
    // accused is ham.
    assert!(precision > 0.75 && recall > 0.8);
    let totals = format!("500 judged, {} of them taken for spam", accused.len());
    assert!(text.contains(&totals), "{text}");
    assert!(
        text.contains("500 matched: 500 delivered, 0 gone, 0 failed"),
        "{text}"
    );
}

#[test]
fn without_a_url_it_learns_from_made_up_mail_and_is_better_than_the_baselines() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    let model = model.to_str().unwrap();
    let text = printed(&["train", model], "");
    check_table(&text);
    check_judgement(&printed(&["judge", model], ""));
    // Everything anew, and the same.
    let before = fs::read(model).unwrap();
    assert_eq!(table(&printed(&["train", model], "")), table(&text));
    assert!(fs::read(model).unwrap() == before);
}

#[test]
fn a_server_is_only_read_from() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    let model = model.to_str().unwrap();
    let made_up::Sorted { ham, spam } = made_up::sorted();
    let server = Server::builder()
        .messages(made_up::unsorted().mail)
        .mailbox("Ham", ham)
        .mailbox("Spam", spam)
        .start()
        .unwrap();
    let url = |mailbox| server.url_of(mailbox);
    let words = ["train", model, &url("Ham"), &url("Spam")];
    check_table(&printed(&words, server.password()));
    check_judgement(&printed(
        &["judge", model, &url("INBOX")],
        server.password(),
    ));
    for mailbox in ["INBOX", "Ham", "Spam"] {
        for uid in server.uids(mailbox) {
            assert!(server.flags(mailbox, uid).unwrap().is_empty());
        }
    }
    let log = server.log();
    for word in ["SELECT", "STORE", "MOVE", "COPY", "EXPUNGE", "APPEND"] {
        let is_there = log
            .iter()
            .any(|entry| entry.line.contains(&format!(" {word} ")));
        assert!(!is_there, "{word}");
    }
}

#[test]
#[cfg(unix)]
fn on_dovecot_it_says_the_same_as_on_made_up_mail() {
    let Some(dovecot) = dovecot::builder() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (model, other) = (folder.path().join("model"), folder.path().join("other"));
    let (model, other) = (model.to_str().unwrap(), other.to_str().unwrap());
    let made_up::Sorted { ham, spam } = made_up::sorted();
    let dovecot = dovecot
        .messages(made_up::unsorted().mail)
        .mailbox("Ham", ham)
        .mailbox("Spam", spam)
        .start();
    let words = ["train", model, &dovecot.url("Ham"), &dovecot.url("Spam")];
    let text = printed(&words, dovecot.password());
    check_table(&text);
    assert_eq!(table(&text), table(&printed(&["train", other], "")));
    let words = ["judge", model, &dovecot.url("INBOX")];
    check_judgement(&printed(&words, dovecot.password()));
}

/// What it says of a model of this content.
fn complaint(path: &Path, content: Option<&[u8]>, verb: &str) -> String {
    if let Some(content) = content {
        fs::write(path, content).unwrap();
    }
    let output = run(&[verb, path.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    if let Some(content) = content {
        assert!(fs::read(path).unwrap() == content, "left as it was");
    }
    println!(
        "{}",
        text.trim_end().replace(path.to_str().unwrap(), "MODEL")
    );
    text
}

#[test]
fn a_file_that_is_no_good_model_is_refused_and_it_is_said_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    let path = path.as_path();
    assert!(complaint(path, None, "judge").contains("make it with: example-classify train"));
    let foreign: Option<&[u8]> = Some(b"Dear Anna,\n\xffwe are well.\n");
    assert!(complaint(path, foreign, "judge").contains("is no model; make one"));
    assert!(complaint(path, foreign, "train").contains("is no model; choose another name"));
    fs::remove_file(path).unwrap();

    assert!(run(&["train", path.to_str().unwrap()], "").status.success());
    let good = fs::read(path).unwrap();
    let mut flipped = good.clone();
    let digit = good.len() - 10;
    flipped[digit] = if flipped[digit] == b'1' { b'2' } else { b'1' };
    for damaged in [
        &good[..good.len() - 1],
        &good[..good.len() / 2],
        &good[..30],
        &flipped,
    ] {
        assert!(complaint(path, Some(damaged), "judge").contains("is damaged; make it anew"));
    }
    let text = String::from_utf8(good).unwrap();
    let newer = text.replacen("version 1", "version 2", 1);
    let complaint = complaint(path, Some(newer.as_bytes()), "judge");
    assert!(complaint.contains("has version 2, and this program knows version 1"));
}

#[test]
fn an_empty_mailbox_is_nothing_to_learn_from() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    let server = Server::builder()
        .messages(made_up::sorted().ham)
        .mailbox("Spam", Vec::<Vec<u8>>::new())
        .start()
        .unwrap();
    let (ham, spam) = (server.url(), server.url_of("Spam"));
    let words = ["train", model.to_str().unwrap(), &ham, &spam];
    let output = run(&words, server.password());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("it takes both ham and spam"), "{text}");
    assert!(!model.exists());
}

#[test]
fn mail_of_all_kinds_is_judged_and_a_message_that_cannot_be_had_is_in_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    let model = model.to_str().unwrap();
    assert!(run(&["train", model], "").status.success());
    // Attachments, foreign character sets, broken headers.
    let server = Server::builder()
        .sample(Sample::mixed(300))
        .fault(Fault::nil().uid(7))
        .start()
        .unwrap();
    let output = run(&["judge", model, &server.url()], server.password());
    assert_eq!(output.status.code(), Some(1), "not complete, and no crash");
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(
        complaint.starts_with("not judged: message with UID 7: "),
        "{complaint}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("300 matched: 299 delivered, 0 gone, 1 failed"),
        "{text}"
    );
    assert!(text.contains("\n299 judged, "), "{text}");
}
