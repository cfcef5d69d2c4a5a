//! The program as a process of its own, on made-up mail and on what people send who mean no good.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "../../../tests/support/wait.rs"]
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use example_attachments::list::Entry;
use example_attachments::sample::{self, HOSTILE};
#[cfg(unix)]
use example_support::dovecot;
use parallel_mailbox::testing::{Server, TestMessage};
use sha2::{Digest, Sha256};

const PATIENCE: Duration = Duration::from_secs(120);

const FOLDERS: [&str; 3] = ["files", "thumbnails", "contours"];

fn program(url: &str, password: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-attachments"));
    command.arg(folder).arg(url);
    command
        .env("IMAP_PASSWORD", password)
        .env("DANGER_PLAINTEXT", "1");
    command
}

fn run(server: &Server, folder: &Path) -> Output {
    let output = program(&server.url(), server.password(), folder)
        .output()
        .unwrap();
    print(&output);
    output
}

fn print(output: &Output) {
    eprintln!("{}", String::from_utf8_lossy(&output.stdout));
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
}

fn listed(folder: &Path) -> Vec<Entry> {
    let text = fs::read_to_string(folder.join("attachments.tsv")).unwrap_or_default();
    let mut entries: Vec<_> = text.lines().filter_map(Entry::parse).collect();
    entries.sort_by_key(|entry| entry.uid);
    entries
}

fn digest(octets: &[u8]) -> String {
    Sha256::digest(octets)
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

/// All files below a folder and their contents.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>()
    };
    let mut found = BTreeMap::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            for inner in names(&path) {
                let octets = fs::read(path.join(&inner)).unwrap();
                found.insert(format!("{name}/{inner}"), octets);
            }
        } else {
            found.insert(name.clone(), fs::read(path).unwrap());
        }
    }
    found
}

/// Every file is listed and as listed, no content is there twice, and nothing is unfinished.
fn check(folder: &Path) {
    let entries = listed(folder);
    let mut digests = BTreeSet::new();
    for file in fs::read_dir(folder.join("files")).unwrap() {
        let file = file.unwrap();
        let (name, digest) = (
            file.file_name().into_string().unwrap(),
            digest(&fs::read(file.path()).unwrap()),
        );
        let is_listed = |entry: &Entry| entry.file == name && entry.sha256 == digest;
        assert!(entries.iter().any(is_listed), "{name}");
        assert!(digests.insert(digest), "twice: {name}");
    }
    let listed: BTreeSet<_> = entries.iter().map(|entry| entry.sha256.clone()).collect();
    assert_eq!(listed, digests);
    let places: BTreeSet<_> = entries
        .iter()
        .map(|entry| (entry.uid, &entry.part))
        .collect();
    assert_eq!(places.len(), entries.len(), "an attachment is listed twice");
    assert_eq!(fs::read_dir(folder.join("temporary")).unwrap().count(), 0);
    let expected: BTreeSet<_> = FOLDERS
        .into_iter()
        .chain(["temporary", "attachments.tsv", "done.txt", "lock"])
        .map(str::to_owned)
        .collect();
    let found: BTreeSet<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, expected);
}

/// What is in the made-up mail, on any server.
fn check_made_up(folder: &Path) {
    check(folder);
    let entries = listed(folder);
    let named =
        |name: &str| -> Vec<&Entry> { entries.iter().filter(|entry| entry.name == name).collect() };
    let lakes = named("lake.jpg");
    assert_eq!(lakes.len(), 3);
    assert_eq!(lakes[0].file, lakes[1].file, "the same picture is one file");
    assert_ne!(
        lakes[0].file, lakes[2].file,
        "another picture of the name is another file"
    );
    assert_eq!(named("IMG_0001.JPG")[0].file, lakes[0].file);
    let table = named("Übersicht.csv")[0];
    assert_eq!(
        fs::read(folder.join("files").join(&table.file)).unwrap(),
        b"Stra\xdfe;H\xf6he\r\nM\xfchlweg;12\r\n",
        "octets as they were sent, not text that was converted"
    );
    // The picture in a message in a message, and that message.
    assert_eq!(named("rings.png")[0].sha256, named("rings.dat")[0].sha256);
    let message = entries
        .iter()
        .find(|entry| entry.file.ends_with(".eml"))
        .unwrap();
    let message = fs::read_to_string(folder.join("files").join(&message.file)).unwrap();
    assert!(
        message.contains("From: ") && message.contains("rings.png"),
        "{message}"
    );
    assert!(!message.contains("Fwd: Rings"), "only the one within");
    assert!(message.trim_end().ends_with("--"), "all of it: {message}");
    let logos: Vec<_> = entries
        .iter()
        .filter(|entry| entry.name.is_empty() && entry.part != "1")
        .collect();
    assert!(logos.len() >= 3);
    for name in [
        "lake.jpg.png",
        "Rückseite.png.png",
        "board.gif.png",
        "rings.dat.png",
    ] {
        // Of several workers, any may have been the first with a name.
        let is_there = |folder_: &str| folder.join(folder_).join(name).exists();
        assert!(
            name.starts_with("rings") || is_there("thumbnails") && is_there("contours"),
            "{name}"
        );
    }
    let thumbnail = image::open(folder.join("thumbnails").join("Rückseite.png.png")).unwrap();
    assert_eq!((thumbnail.width(), thumbnail.height()), (80, 160));
    let contours = image::open(folder.join("contours").join("Rückseite.png.png")).unwrap();
    assert_eq!((contours.width(), contours.height()), (320, 640));
}

#[test]
fn made_up_mail_is_extracted_and_a_second_run_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_example-attachments"))
        .arg(folder.path())
        .output()
        .unwrap();
    print(&output);
    assert!(output.status.success());
    check_made_up(folder.path());
    let remarks = String::from_utf8_lossy(&output.stderr);
    for name in ["torn.png", "bomb.gif", "magic.png", "empty.png"] {
        assert!(
            remarks.contains(&format!("{name} is kept, but it cannot be drawn")),
            "{name}"
        );
    }
    let before = contents(folder.path());
    let output = Command::new(env!("CARGO_BIN_EXE_example-attachments"))
        .arg(folder.path())
        .output()
        .unwrap();
    print(&output);
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("0 messages to look at"));
    assert!(contents(folder.path()) == before);
    // Also if it has forgotten that it has looked at them, it knows the files and the list.
    fs::remove_file(folder.path().join("done.txt")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_example-attachments"))
        .arg(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(" 0 new files, 0 pictures drawn"), "{text}");
    assert!(contents(folder.path()) == before);
}

#[test]
#[cfg(unix)]
fn made_up_mail_is_extracted_from_dovecot() {
    let Some(dovecot) = dovecot::builder() else {
        return;
    };
    let dovecot = dovecot.messages(sample::messages()).start();
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let output = program(&dovecot.url("INBOX"), dovecot.password(), folder.path())
            .output()
            .unwrap();
        print(&output);
        assert!(output.status.success());
        check_made_up(folder.path());
    }
}

#[test]
fn no_name_leaves_the_folder_or_takes_the_place_of_another_file() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("deep").join("folder");
    let server = Server::builder()
        .messages(sample::messages())
        .start()
        .unwrap();
    assert!(run(&server, &folder).status.success());
    check(&folder);
    assert_eq!(fs::read_dir(around.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(around.path().join("deep")).unwrap().count(), 1);
    let texts: BTreeSet<_> = contents(&folder.join("files"))
        .into_values()
        .filter_map(|octets| String::from_utf8(octets).ok())
        .filter(|text| text.starts_with("Text number "))
        .collect();
    assert_eq!(texts.len(), HOSTILE.len(), "every text is there");
    for entry in listed(&folder) {
        assert!(
            entry.file.len() < 200 && !entry.file.starts_with('.'),
            "{entry:?}"
        );
        assert!(!entry.name.contains(char::is_control), "{entry:?}");
    }
}

#[test]
fn a_later_run_fetches_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::builder()
        .messages(sample::messages())
        .start()
        .unwrap();
    assert!(run(&server, folder.path()).status.success());
    let before = contents(&folder.path().join("files"));
    let last = server.uids("INBOX").len();
    for message in sample::messages().into_iter().take(2) {
        server.append("INBOX", message);
    }
    server.clear_log();
    assert!(run(&server, folder.path()).status.success());
    let log = server.log();
    let fetched: Vec<_> = log
        .iter()
        .filter(|entry| entry.line.contains(" UID FETCH "))
        .collect();
    assert!(!fetched.is_empty());
    for entry in fetched {
        let (_, uids) = entry.line.split_once(" UID FETCH ").unwrap();
        let first: usize = uids
            .split(|c: char| !c.is_ascii_digit())
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert!(first > last, "{}", entry.line);
    }
    check(folder.path());
    assert!(
        contents(&folder.path().join("files")) == before,
        "the pictures were there"
    );
}

#[test]
fn killed_at_any_moment_it_is_finished_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // As many files as messages, under few names.
    let letters = (0..600).map(|number| {
        let name = format!("file-{}.txt", number % 7);
        TestMessage::new(format!(
            "From: a@example.org\r\nContent-Type: text/plain\r\n\
             Content-Disposition: attachment; filename={name}\r\n\r\ntext {number}\r\n"
        ))
    });
    let server = Server::builder().messages(letters).start().unwrap();
    let mut kills = Vec::new();
    for step in [1, 90, 3, 150, 20] {
        let before = listed(folder).len();
        let mut child = program(&server.url(), server.password(), folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        assert!(wait::until(PATIENCE, || listed(folder).len() >= before + step));
        // SIGKILL: it gets no chance to clear up.
        child.kill().unwrap();
        child.wait().unwrap();
        kills.push(listed(folder).len());
    }
    eprintln!("listed when it was killed: {kills:?}");
    assert!(kills.iter().all(|listed| *listed < 600));
    assert!(run(&server, folder).status.success());
    check(folder);
    assert_eq!(listed(folder).len(), 600);
    assert_eq!(fs::read_dir(folder.join("files")).unwrap().count(), 600);
}

#[test]
fn a_mailbox_made_anew_is_not_mixed_with_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    for (uid_validity, is_fine) in [(7, true), (8, false)] {
        let server = Server::builder()
            .messages(sample::messages())
            .uid_validity(uid_validity);
        let output = run(&server.start().unwrap(), folder.path());
        assert_eq!(output.status.success(), is_fine);
        assert!(is_fine || String::from_utf8_lossy(&output.stderr).contains("take another folder"));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("Custom {"));
    }
}
