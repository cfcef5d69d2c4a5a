//! Maildirs written straight to disk, with the `dovecot-uidlist` that fixes UIDVALIDITY and UIDs,
//! so that 20,000 messages take no longer than 20,000 files. Nothing here talks to a server.
//!
//! # What Dovecot makes of a file's octets
//!
//! Found out on Dovecot 2.3.19 with a bare client (`tests/dovecot_fixture.rs` checks it again):
//! a file is stored as it is, but what IMAP shows of it, `BODY[]` and `RFC822.SIZE` alike, is
//!
//! - a bare LF (one without a CR before it) as CRLF, in header and body;
//! - a NUL octet as 0x80, in header and body, in an ordinary literal (RFC 9051 forbids NUL in one);
//! - everything else untouched: bare CR, CR CR LF, 8-bit octets, any length of line, a missing end
//!   of line, a missing header, also an empty file (`{0}`).
//!
//! [`expected`] is that rule. A file without NUL and bare LF is served octet by octet.
//!
//! The dbox formats, filled through APPEND, keep less: bare LF and NUL come back as above (NUL is
//! accepted in any literal), and CR CR LF loses a CR, as does a CR at the very end, whatever
//! `mail_save_crlf` says. So Maildir is the only format that the fixture offers.

use std::fmt::Write as _;
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};

/// What Dovecot serves over IMAP for a Maildir file with these octets.
pub(crate) fn expected(file: &[u8]) -> Vec<u8> {
    let mut served = Vec::with_capacity(file.len() + bare_line_feeds(file));
    for line in lines(file) {
        if ends_in_bare_line_feed(line) {
            served.extend_from_slice(&line[..line.len() - 1]);
            served.extend_from_slice(b"\r\n");
        } else {
            served.extend_from_slice(line);
        }
    }
    if served.contains(&0) {
        for octet in served.iter_mut().filter(|octet| **octet == 0) {
            *octet = 0x80;
        }
    }
    served
}

fn bare_line_feeds(file: &[u8]) -> usize {
    lines(file)
        .filter(|line| ends_in_bare_line_feed(line))
        .count()
}

fn ends_in_bare_line_feed(line: &[u8]) -> bool {
    line.ends_with(b"\n") && !line.ends_with(b"\r\n")
}

/// The file cut after each LF. By the standard library's own search, because a loop over octets
/// takes seconds for a large mailbox in an unoptimised test.
fn lines(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = file;
    std::iter::from_fn(move || {
        let here = rest;
        let octets = rest.skip_until(b'\n').expect("memory can be read");
        (octets > 0).then(|| &here[..octets])
    })
}

/// One mailbox on disk. UIDs start at 1 and have no gaps.
pub(crate) struct Maildir {
    folder: PathBuf,
    last_uid: u32,
    /// The lines of `dovecot-uidlist`, one for each message.
    uid_lines: String,
}

impl Maildir {
    /// Makes the folders of an empty mailbox.
    pub(crate) fn create(folder: &Path) -> Self {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.join(part)).expect("make a Maildir");
        }
        Self {
            folder: folder.to_owned(),
            last_uid: 0,
            uid_lines: String::new(),
        }
    }

    /// Writes a message, which gets the next UID. `flags` are Maildir's letters in ASCII order: D
    /// (draft), F (flagged), P (passed), R (answered), S (seen), T (deleted).
    pub(crate) fn add(&mut self, message: &[u8], flags: &str) {
        self.last_uid += 1;
        let uid = self.last_uid;
        // The sizes on disk and over IMAP, as Dovecot's own deliveries name their files. Without
        // them, RFC822.SIZE makes it read every file.
        let size = message.len();
        let served = size + bare_line_feeds(message);
        let name = format!("{},S={size},W={served}", stem(uid));
        writeln!(self.uid_lines, "{uid} :{name}").expect("a String takes all");
        let path = self.folder.join("cur").join(format!("{name}:2,{flags}"));
        fs::write(path, message).expect("write a message");
    }

    /// Writes the UID list. To be called after the last message, while Dovecot is not running.
    pub(crate) fn write_uid_list(&self, uid_validity: u32) {
        let next = self.last_uid + 1;
        // Version 3 of the format; G is the mailbox's GUID, 128 bits in hexadecimal.
        let header = format!("3 V{uid_validity} N{next} G{uid_validity:032x}\n");
        let list = self.folder.join("dovecot-uidlist");
        fs::write(list, header + &self.uid_lines).expect("write the UID list");
    }
}

/// The file of the message with this UID, if it is there. A session may have renamed it since it
/// was written, because flags are part of the name.
pub(crate) fn file_of(folder: &Path, uid: u32) -> Option<PathBuf> {
    let start = format!("{},", stem(uid));
    for part in ["cur", "new"] {
        for entry in fs::read_dir(folder.join(part)).ok()?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&start) {
                return Some(entry.path());
            }
        }
    }
    None
}

fn stem(uid: u32) -> String {
    format!("{uid:010}.fixture")
}
