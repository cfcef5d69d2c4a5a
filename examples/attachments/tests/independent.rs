//! Every file that is written, against a decoder that is not ours: that of Python.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use example_attachments::list::Entry;
use example_support::odd_mail;
use parallel_mailbox::testing::{Server, TestMessage};
use sha2::{Digest, Sha256};

fn extract(messages: &[TestMessage], folder: &Path) -> (Vec<Entry>, Output) {
    let messages = messages.iter().cloned();
    let server = Server::builder().messages(messages).start().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_example-attachments"))
        .args([folder.as_os_str(), server.url().as_ref()])
        .arg("--danger-plaintext")
        .env("IMAP_PASSWORD", server.password())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let list = fs::read_to_string(folder.join("attachments.tsv")).unwrap();
    let mut entries: Vec<_> = list.lines().filter_map(Entry::parse).collect();
    entries.sort_by_key(|entry| entry.uid);
    for entry in &entries {
        let written = fs::read(folder.join("files").join(&entry.file)).unwrap();
        assert_eq!(digest(&written), entry.sha256, "{entry:?}");
    }
    (entries, output)
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digests of the attachments of each message, as Python has them; `None` without a Python.
fn of_python(files: &[String]) -> Option<BTreeMap<String, Vec<String>>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/independent.py");
    let Ok(output) = Command::new("python3").arg(script).args(files).output() else {
        // Not by `println!`, which a test that passes keeps to itself.
        let _ = std::io::stderr().write_all(b"SKIPPED: there is no python3 to compare with\n");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (file, digest) = line.split_once('\t').unwrap();
        found
            .entry(file.to_owned())
            .or_default()
            .push(digest.to_owned());
    }
    Some(found)
}

#[test]
fn each_file_is_what_python_decodes() {
    let folder = tempfile::tempdir().unwrap();
    let letters = odd_mail::letters().unwrap();
    let messages: Vec<_> = letters.iter().map(|(_, message)| message.clone()).collect();
    let (entries, output) = extract(&messages, &folder.path().join("out"));
    let mut files = Vec::new();
    for (name, message) in &letters {
        let file = folder.path().join(name);
        fs::write(&file, message.raw()).unwrap();
        files.push(file.to_str().unwrap().to_owned());
    }
    // Here Python decodes something else: it takes text for Base64, and reads no further than the
    // padding of the first of two pieces.
    let ours_alone = [
        digest(b"This is not base64 at all, but text. 100%!"),
        digest(b"HelloHello"),
    ];
    let remarks = String::from_utf8_lossy(&output.stderr);
    for remark in [
        "part 4: says that it is Base64 and is not; left as it is",
        "part 2: not all of it is Base64",
        "part 2: the closing boundary is missing",
    ] {
        assert!(remarks.contains(remark), "{remark}: {remarks}");
    }
    let Some(theirs) = of_python(&files) else {
        return;
    };
    let mut compared = 0;
    for (uid, file) in (1..).zip(&files) {
        let of_message = entries.iter().filter(|entry| entry.uid.get() == uid);
        // A message within a message is taken apart by Python, and not kept as a whole.
        let ours = of_message.filter(|entry| !entry.file.ends_with(".eml"));
        let ours: Vec<_> = ours.map(|entry| entry.sha256.clone()).collect();
        let theirs = theirs.get(file).cloned().unwrap_or_default();
        assert_eq!(ours.len(), theirs.len(), "{file}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            if !ours_alone.contains(ours) {
                assert_eq!(ours, theirs, "{file}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 14, "{compared}");
}

#[test]
fn names_are_those_that_were_sent() {
    let folder = tempfile::tempdir().unwrap();
    let letters = odd_mail::letters().unwrap();
    let messages: Vec<_> = letters.iter().map(|(_, message)| message.clone()).collect();
    let (entries, _) = extract(&messages, folder.path());
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    for name in [
        "Отчёт за май.pdf",
        "cte3 with spaces.bin",
        "cat.txt",
        "list.csv",
        "notes.txt",
        "inner.eml",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let forwarded = entries
        .iter()
        .find(|entry| entry.name == "notes.txt")
        .unwrap();
    assert_eq!(forwarded.part, "2.3");
}
