//! The program as a process of its own, killed again and again.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "../../../tests/support/wait.rs"]
mod wait;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use example_archive::manifest::Manifest;
#[cfg(unix)]
use example_support::dovecot;
use parallel_mailbox::testing::{Sample, Server};

const PATIENCE: Duration = Duration::from_secs(120);

const MESSAGES: usize = 5_000;

fn program(server: &Server, folder: &Path) -> Command {
    save(&server.url(), server.password(), folder)
}

fn save(url: &str, password: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-archive"));
    command.arg("save").arg(folder).arg(url);
    command
        .env("IMAP_PASSWORD", password)
        .env("DANGER_PLAINTEXT", "1");
    command
}

fn run(words: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_example-archive");
    Command::new(program).args(words).output().unwrap()
}

fn listed(folder: &Path) -> usize {
    let text = fs::read_to_string(folder.join("manifest.txt")).unwrap_or_default();
    text.lines().count().saturating_sub(1)
}

/// All octets as the server has them, each once, and nothing else in the folder.
fn check(server: &Server, folder: &Path) {
    let raw = |uid| server.raw("INBOX", uid).unwrap().to_vec();
    compare(folder, server.uids("INBOX").len(), raw);
}

fn compare(folder: &Path, messages: usize, raw: impl Fn(u32) -> Vec<u8>) {
    let manifest = Manifest::read(&folder.join("manifest.txt")).unwrap();
    let mut files = BTreeSet::new();
    for entry in manifest.entries() {
        let octets = fs::read(folder.join("cur").join(&entry.file)).unwrap();
        assert!(octets == raw(entry.uid.get()), "UID {}", entry.uid);
        assert_eq!(entry.octets, octets.len() as u64);
        assert!(files.insert(entry.file.clone()), "twice: {}", entry.file);
    }
    assert_eq!(manifest.entries().count(), messages);
    assert_eq!(
        fs::read_dir(folder.join("cur")).unwrap().count(),
        files.len()
    );
    assert_eq!(fs::read_dir(folder.join("tmp")).unwrap().count(), 0);
}

#[test]
fn killed_ten_times_it_finishes_with_nothing_twice_and_nothing_missing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::builder()
        .sample(Sample::tiny(MESSAGES))
        .start()
        .unwrap();
    kill_ten_times(&server.url(), server.password(), folder);
    check(&server, folder);
}

#[test]
#[cfg(unix)]
fn killed_ten_times_it_finishes_with_what_dovecot_has_in_its_files() {
    let Some(dovecot) = dovecot::builder() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let dovecot = dovecot.messages(Sample::small(MESSAGES)).start();
    kill_ten_times(&dovecot.url("INBOX"), dovecot.password(), folder);
    compare(folder, MESSAGES, |uid| dovecot.raw(uid));
}

fn kill_ten_times(url: &str, password: &str, folder: &Path) {
    let mut kills = Vec::new();
    // Uneven steps, so that it is killed at any moment of what it does for a message.
    for step in [1, 700, 3, 311, 550, 17, 420, 5, 613, 222] {
        let before = listed(folder);
        let mut child = save(url, password, folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        assert!(wait::until(PATIENCE, || listed(folder) >= before + step));
        // SIGKILL: it gets no chance to clear up.
        child.kill().unwrap();
        child.wait().unwrap();
        kills.push(listed(folder));
    }
    eprintln!("listed when it was killed: {kills:?}");
    assert!(kills.iter().all(|listed| *listed < MESSAGES));
    let output = save(url, password, folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    eprintln!("{}", String::from_utf8_lossy(&output.stdout));
    let output = run(&["verify", folder.to_str().unwrap()]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("{MESSAGES} messages, 0 wrong\n")
    );
}

#[test]
fn a_later_run_fetches_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::builder().sample(Sample::tiny(50)).start().unwrap();
    assert!(program(&server, folder).status().unwrap().success());
    for number in 0..3 {
        server.append("INBOX", format!("Subject: {number}\r\n\r\nnew\r\n"));
    }
    server.clear_log();
    assert!(program(&server, folder).status().unwrap().success());
    let log = server.log();
    let fetched = log
        .iter()
        .filter(|entry| entry.line.contains(" UID FETCH "));
    assert!(fetched.clone().count() > 0);
    for entry in fetched {
        assert!(
            entry.line.contains(" UID FETCH 5"),
            "only from 51: {}",
            entry.line
        );
    }
    check(&server, folder);
}

#[test]
fn what_was_changed_or_is_missing_is_found_and_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::builder().sample(Sample::tiny(20)).start().unwrap();
    assert!(program(&server, folder).status().unwrap().success());
    let manifest = Manifest::read(&folder.join("manifest.txt")).unwrap();
    let files: Vec<_> = manifest.entries().map(|entry| entry.file.clone()).collect();
    fs::write(folder.join("cur").join(&files[3]), "changed").unwrap();
    fs::remove_file(folder.join("cur").join(&files[7])).unwrap();
    fs::write(folder.join("cur").join("V1U999:2,"), "not listed").unwrap();
    fs::write(folder.join("tmp").join("half"), "half").unwrap();
    let output = run(&["verify", folder.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        !output.status.success() && text.ends_with("20 messages, 2 wrong\n"),
        "{text}"
    );
    // Removed, both are fetched again, also with a line in the manifest that was cut off.
    fs::remove_file(folder.join("cur").join(&files[3])).unwrap();
    let mut text = fs::read_to_string(folder.join("manifest.txt")).unwrap();
    text.push_str("21\t17\tabc");
    fs::write(folder.join("manifest.txt"), text).unwrap();
    assert!(program(&server, folder).status().unwrap().success());
    check(&server, folder);
}

#[test]
fn a_mailbox_made_anew_is_not_mixed_with_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (uid_validity, is_fine) in [(7, true), (8, false)] {
        let server = Server::builder()
            .sample(Sample::tiny(5))
            .uid_validity(uid_validity);
        let server = server.start().unwrap();
        let output = program(&server, folder).output().unwrap();
        assert_eq!(output.status.success(), is_fine);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(is_fine || text.contains("another folder"), "{text}");
    }
}

#[test]
fn the_messages_of_an_mbox_can_be_had_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let raw = "Subject: one\r\n\r\nFrom here\r\n>From there\r\nthe end\r\n";
    let server = Server::builder().messages([raw, raw]).start().unwrap();
    assert!(program(&server, folder).status().unwrap().success());
    let file = folder.join("all.mbox");
    assert!(
        run(&["mbox", folder.to_str().unwrap(), file.to_str().unwrap()])
            .status
            .success()
    );
    let text = fs::read_to_string(file).unwrap();
    let messages: Vec<String> = text
        .split("From MAILER-DAEMON ")
        .skip(1)
        .map(|message| {
            let (_, body) = message.split_once('\n').unwrap();
            let lines = body.strip_suffix("\n").unwrap().lines();
            let unquoted = lines.map(|line| match line.trim_start_matches('>') {
                rest if rest.starts_with("From ") => &line[1..],
                _ => line,
            });
            unquoted.map(|line| format!("{line}\r\n")).collect()
        })
        .collect();
    assert_eq!(messages, [raw, raw]);
}
