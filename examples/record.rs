//! Does something with each message once, also when the program is killed in between: what is done
//! is written to a file, line by line, and left out the next time.
//!
//! ```sh
//! IMAP_PASSWORD=… cargo run --example record -- imaps://me@imap.example.org/INBOX done.txt
//! ```
//!
//! Here the work is to count the octets, and the file is its only trace. With work that leaves
//! others (a row in a database), write both in one transaction, or let the work bear to be done
//! twice: a program can be killed between any two of its steps.

// A command-line program speaks by printing.
#![allow(clippy::print_stdout)]

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::process::ExitCode;
use std::{env, error};

use parallel_mailbox::{Query, Uid, UidSet};

#[allow(unreachable_pub)]
#[path = "shared/access.rs"]
mod access;

use crate::access::{Access, HELP, password};

type Result<T> = std::result::Result<T, Box<dyn error::Error + Send + Sync>>;

fn main() -> Result<ExitCode> {
    let (access, words) = Access::of(env::args().skip(1))?;
    let [url, path] = &words[..] else {
        return Err(format!("usage: record URL FILE\n\n{HELP}").into());
    };
    let mailbox = access.builder(url)?.password(password()?).connect()?;

    let mut record = Record::open(path, mailbox.uid_validity())?;
    let matches = mailbox.search(Query::all())?.except(&record.done);
    println!("{} done, {} to do", record.done.len(), matches.len());

    let mut failed = 0;
    for result in matches.imap_unordered(|message| (message.uid(), message.raw().len())) {
        match result {
            Ok((uid, octets)) => record.write(uid, octets)?,
            // What ended the run: the rest is for the next time.
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => {
                println!("{error}");
                failed += 1;
            }
        }
    }
    // Not in the record, so they will be tried again.
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The file: the UIDVALIDITY, then one line for each message that is done.
struct Record {
    file: File,
    done: UidSet,
}

impl Record {
    /// Reads what was done before. UIDs of another UIDVALIDITY are those of other messages.
    fn open(path: &str, uid_validity: u32) -> Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // The last line may be torn: "12" may have been to become "1234 567". Without its end it
        // counts for nothing, and must not be continued.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        file.seek(io::SeekFrom::End(0))?;

        let mut lines = text[..whole].lines();
        let title = format!("uidvalidity {uid_validity}");
        match lines.next() {
            Some(first) if first == title => {}
            Some(first) => return Err(format!("the record is of {first}, not of {title}").into()),
            None => {
                writeln!(file, "{title}")?;
                file.sync_all()?;
            }
        }
        let done: HashSet<Uid> = lines.map(uid_of).collect::<Result<_>>()?;
        Ok(Self {
            file,
            done: done.into_iter().collect(),
        })
    }

    /// Returns when the line is on the disk.
    fn write(&mut self, uid: Uid, octets: usize) -> io::Result<()> {
        // In one piece, so that a line is torn by a crash of the system at most.
        self.file
            .write_all(format!("{uid} {octets}\n").as_bytes())?;
        self.file.sync_data()
    }
}

fn uid_of(line: &str) -> Result<Uid> {
    let (uid, _) = line.split_once(' ').ok_or("a line without a space")?;
    Uid::new(uid.parse()?).ok_or_else(|| "a UID of 0".into())
}
