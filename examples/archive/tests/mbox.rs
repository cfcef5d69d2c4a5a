//! The mbox of an archive, read by programs that are not ours.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::io::Write;
use std::path::Path;
use std::process::Command;

#[cfg(unix)]
use example_support::dovecot;
use example_support::odd_mail;
use parallel_mailbox::testing::{Sample, Server, TestMessage};
#[cfg(unix)]
use parallel_mailbox::{ParallelMailbox, Query, Security};

/// Made-up mail, odd letters, and lines that could be taken for the beginning of a message.
fn messages() -> Vec<TestMessage> {
    let mut messages: Vec<TestMessage> = Sample::small(40).into_iter().collect();
    messages.extend(
        odd_mail::letters()
            .unwrap()
            .into_iter()
            .map(|(_, letter)| letter),
    );
    for raw in [
        "Subject: a line\r\n\r\nabove\r\n\r\nFrom ann@x.org Thu Jan  1 00:00:00 1970\r\nbelow\r\n",
        "Subject: quoted\r\n\r\n>From here\r\n>>From there\r\n",
        "Subject: no end of the line\r\n\r\nend",
        "Subject: a CR at the end\r\n\r\nend\r",
        "Subject: no body\r\n\r\n",
    ] {
        messages.push(TestMessage::new(raw));
    }
    messages
}

/// Archives the messages and writes the mbox of the archive.
fn write(messages: &[TestMessage], folder: &Path, mbox: &Path) {
    let messages = messages.iter().cloned();
    let server = Server::builder().messages(messages).start().unwrap();
    let program = env!("CARGO_BIN_EXE_example-archive");
    let archive = folder.join("archive");
    let output = Command::new(program)
        .args(["--danger-plaintext", "save"])
        .args([archive.as_os_str(), server.url().as_ref()])
        .env("IMAP_PASSWORD", server.password())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let words = ["mbox".as_ref(), archive.as_os_str(), mbox.as_os_str()];
    assert!(
        Command::new(program)
            .args(words)
            .status()
            .unwrap()
            .success()
    );
}

/// A message as it is in an mbox: lines end with LF, the last one as well, and `From ` is quoted.
fn stored(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let quotes = line.iter().take_while(|byte| **byte == b'>').count();
        if line[quotes..].starts_with(b"From ") {
            text.push(b'>');
        }
        text.extend(
            line.strip_suffix(b"\r\n")
                .or(line.strip_suffix(b"\n"))
                .unwrap_or(line),
        );
        text.push(b'\n');
    }
    text
}

#[test]
#[cfg(unix)]
fn dovecot_reads_each_message_of_it() {
    let Some(builder) = dovecot::builder() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mbox = folder.path().join("all.mbox");
    let messages = messages();
    write(&messages, folder.path(), &mbox);
    let dovecot = builder.mbox(&mbox).start();
    let mailbox = ParallelMailbox::from_url(&dovecot.url("INBOX"))
        .unwrap()
        .password(dovecot.password())
        .security(Security::DangerPlaintext)
        .workers(1)
        .connect()
        .unwrap();
    let read = mailbox.search(Query::all()).unwrap();
    let read = read.map(|message| message.into_raw()).unwrap();
    assert_eq!(read.len(), messages.len());
    for (read, message) in read.iter().zip(&messages) {
        // Dovecot serves the lines with CRLF, and takes the empty line before the next message or
        // the end of a header without a body for its own.
        let read = String::from_utf8_lossy(read).replace("\r\n", "\n");
        let expected = String::from_utf8_lossy(&stored(message.raw())).replace("\r\n", "\n");
        assert_eq!(read.trim_end(), expected.trim_end());
    }
}

#[test]
fn python_reads_each_message_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mbox = folder.path().join("all.mbox");
    let messages = messages();
    write(&messages, folder.path(), &mbox);
    let script = "import mailbox, sys, binascii\n\
                  for message in mailbox.mbox(sys.argv[1], create=False).iterkeys():\n    \
                  print(binascii.hexlify(mailbox.mbox(sys.argv[1]).get_bytes(message)).decode())\n";
    let Ok(output) = Command::new("python3")
        .args(["-c", script])
        .arg(&mbox)
        .output()
    else {
        let _ = std::io::stderr().write_all(b"SKIPPED: there is no python3 to read it\n");
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let read = String::from_utf8(output.stdout).unwrap();
    let expected: Vec<String> = messages
        .iter()
        .map(|message| hex(&stored(message.raw())))
        .collect();
    let read: Vec<&str> = read.lines().collect();
    assert_eq!(read.len(), messages.len());
    for (read, expected) in read.iter().zip(&expected) {
        assert_eq!(read, expected);
    }
}
