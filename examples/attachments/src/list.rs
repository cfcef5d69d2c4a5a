//! Which message had which file: `attachments.tsv`, a line for each attachment, and `done.txt`, the
//! messages that have been looked at. What a run that broke off has listed is not listed again.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use parallel_mailbox::{Uid, UidSet};
use tempfile::NamedTempFile;

const HEAD: &str = "uid\tpart\tdate\tsender\tname\toctets\tsha256\tfile\n";

/// After so many messages `done.txt` is written anew.
const SAVED_EVERY: usize = 1_000;

/// One attachment of one message. No field may have a tab or a line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub uid: Uid,
    pub part: String,
    /// As the message says, in the form of RFC 3339.
    pub date: String,
    pub sender: String,
    /// As it was sent, with what cannot be printed as `\u{…}`.
    pub name: String,
    pub octets: usize,
    /// In hexadecimal.
    pub sha256: String,
    /// In the folder `files`.
    pub file: String,
}

/// All of them.
#[derive(Debug)]
pub struct List {
    folder: PathBuf,
    file: File,
    listed: HashSet<(Uid, String)>,
    uid_validity: u32,
    done: UidSet,
    not_saved: usize,
}

impl List {
    /// Opens the list of a mailbox with this UIDVALIDITY, or makes one; returns its entries as well.
    pub fn open(folder: &Path, uid_validity: u32) -> io::Result<(Self, Vec<Entry>)> {
        let done = match fs::read_to_string(folder.join("done.txt")) {
            Ok(text) => parse_done(&text, uid_validity)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => UidSet::default(),
            Err(error) => return Err(error),
        };
        let path = folder.join("attachments.tsv");
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        let octets = fs::read(&path)?;
        let text = String::from_utf8_lossy(&octets);
        // A line without an end was not written.
        let whole = octets
            .iter()
            .rposition(|octet| *octet == b'\n')
            .map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        if whole == 0 {
            file.write_all(HEAD.as_bytes())?;
        }
        let lines = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let entries: Vec<_> = lines
            .filter_map(|line| Entry::parse(line.trim_end_matches('\n')))
            .collect();
        let mut list = Self {
            folder: folder.to_owned(),
            file,
            listed: entries
                .iter()
                .map(|entry| (entry.uid, entry.part.clone()))
                .collect(),
            uid_validity,
            done,
            not_saved: 0,
        };
        // So that the UIDVALIDITY is there before anything else.
        list.save()?;
        Ok((list, entries))
    }

    /// The messages that need not be looked at again.
    #[must_use]
    pub fn done(&self) -> &UidSet {
        &self.done
    }

    /// Adds all entries of a message.
    pub fn add(&mut self, uid: Uid, entries: &[Entry]) -> io::Result<()> {
        let new = entries
            .iter()
            .filter(|entry| self.listed.insert((uid, entry.part.clone())));
        let lines: String = new.map(Entry::line).collect();
        self.file.write_all(lines.as_bytes())?;
        self.done.insert(uid);
        self.not_saved += 1;
        if self.not_saved >= SAVED_EVERY {
            self.save()?;
        }
        Ok(())
    }

    /// Writes down which messages are done, once their entries are on disk.
    pub fn save(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        let mut done = NamedTempFile::new_in(&self.folder)?;
        writeln!(done, "{} {}", self.uid_validity, self.done)?;
        done.as_file().sync_all()?;
        done.persist(self.folder.join("done.txt"))?;
        self.not_saved = 0;
        Ok(())
    }
}

fn parse_done(text: &str, uid_validity: u32) -> io::Result<UidSet> {
    let wrong = || io::Error::other("done.txt is not as it was written; take another folder");
    let (before, uids) = text
        .trim_end_matches('\n')
        .split_once(' ')
        .ok_or_else(wrong)?;
    let before: u32 = before.parse().map_err(|_| wrong())?;
    if before != uid_validity {
        return Err(io::Error::other(format!(
            "the mailbox was made anew since the last run: its UIDVALIDITY was {before} and is \
             {uid_validity}, so its messages have other numbers; take another folder"
        )));
    }
    match uids {
        "" => Ok(UidSet::default()),
        _ => uids.parse().map_err(|_| wrong()),
    }
}

impl Entry {
    fn line(&self) -> String {
        let Self {
            uid,
            part,
            date,
            sender,
            name,
            octets,
            sha256,
            file,
        } = self;
        format!("{uid}\t{part}\t{date}\t{sender}\t{name}\t{octets}\t{sha256}\t{file}\n")
    }

    /// Reads a line; `None` if it is none of this list, such as its head.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split('\t').map(str::to_owned);
        let mut next = || fields.next();
        Some(Self {
            uid: Uid::new(next()?.parse().ok()?)?,
            part: next()?,
            date: next()?,
            sender: next()?,
            name: next()?,
            octets: next()?.parse().ok()?,
            sha256: next()?,
            file: next().filter(|file| !file.is_empty())?,
        })
    }
}
