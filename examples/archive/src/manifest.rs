//! What an archive holds, one line for each message, in the order in which they came. Lines are only
//! ever added; one that has no end was not written.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use parallel_mailbox::Uid;

const HEAD: &str = "archive of a mailbox with UIDVALIDITY ";

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub uid: Uid,
    pub octets: u64,
    /// Of the octets, in hexadecimal.
    pub sha256: String,
    /// INTERNALDATE, in the form of RFC 3339.
    pub date: Option<String>,
    pub flags: String,
    /// In the Maildir's `cur`.
    pub file: String,
}

/// All of them.
#[derive(Debug)]
pub struct Manifest {
    path: PathBuf,
    uid_validity: u32,
    entries: Vec<Entry>,
    /// By the names of their files.
    places: HashMap<String, usize>,
    /// Absent where it is only read.
    file: Option<File>,
}

impl Manifest {
    /// Reads one that must exist.
    pub fn read(path: &Path) -> io::Result<Self> {
        Self::parse(path, &fs::read_to_string(path)?)
    }

    /// Opens one for adding to it; makes it if there is none.
    pub(crate) fn open(path: &Path, uid_validity: u32) -> io::Result<Self> {
        if !path.exists() {
            let head = format!("{HEAD}{uid_validity}\n");
            let temporary = path.with_extension("new");
            fs::write(&temporary, head)?;
            fs::rename(temporary, path)?;
        }
        let text = fs::read_to_string(path)?;
        let mut manifest = Self::parse(path, &text)?;
        if manifest.uid_validity != uid_validity {
            return Err(io::Error::other(format!(
                "the mailbox was made anew since the last run: its UIDVALIDITY was {} and is \
                 {uid_validity}, so its messages have other numbers; archive it into another folder",
                manifest.uid_validity
            )));
        }
        let file = OpenOptions::new().append(true).open(path)?;
        // Cuts off a line without an end.
        file.set_len(text.rfind('\n').map_or(0, |end| end + 1) as u64)?;
        manifest.file = Some(file);
        Ok(manifest)
    }

    fn parse(path: &Path, text: &str) -> io::Result<Self> {
        let wrong = |line: usize| {
            let text = format!(
                "{}, line {}: not as it was written",
                path.display(),
                line + 1
            );
            io::Error::new(io::ErrorKind::InvalidData, text)
        };
        // What follows the last line's end was not written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut lines = whole.lines().enumerate();
        let head = lines.next().and_then(|(_, line)| line.strip_prefix(HEAD));
        let uid_validity = head.and_then(|number| number.parse().ok());
        let mut manifest = Self {
            path: path.to_owned(),
            uid_validity: uid_validity.ok_or_else(|| wrong(0))?,
            entries: Vec::new(),
            places: HashMap::new(),
            file: None,
        };
        for (number, line) in lines {
            manifest.insert(Entry::parse(line).ok_or_else(|| wrong(number))?);
        }
        Ok(manifest)
    }

    pub fn uid_validity(&self) -> u32 {
        self.uid_validity
    }

    /// In the order in which they came.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(crate) fn lists(&self, file: &str) -> bool {
        self.places.contains_key(file)
    }

    fn insert(&mut self, entry: Entry) {
        self.places.insert(entry.file.clone(), self.entries.len());
        self.entries.push(entry);
    }

    pub(crate) fn append(&mut self, entry: Entry) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            // In one piece.
            file.write_all(entry.line().as_bytes())?;
        }
        self.insert(entry);
        Ok(())
    }

    /// Leaves out all others, and writes the file anew if there are any.
    pub(crate) fn retain(&mut self, is_good: impl Fn(&Entry) -> bool) -> io::Result<()> {
        let before = self.entries.len();
        let entries: Vec<Entry> = std::mem::take(&mut self.entries)
            .into_iter()
            .filter(is_good)
            .collect();
        self.places.clear();
        entries.into_iter().for_each(|entry| self.insert(entry));
        if self.entries.len() < before {
            let mut text = format!("{HEAD}{}\n", self.uid_validity);
            self.entries
                .iter()
                .for_each(|entry| text.push_str(&entry.line()));
            let temporary = self.path.with_extension("new");
            fs::write(&temporary, text)?;
            fs::rename(temporary, &self.path)?;
            self.file = Some(OpenOptions::new().append(true).open(&self.path)?);
        }
        Ok(())
    }
}

impl Entry {
    fn line(&self) -> String {
        let Self {
            uid,
            octets,
            sha256,
            flags,
            file,
            ..
        } = self;
        let date = self.date.as_deref().unwrap_or("-");
        format!("{uid}\t{octets}\t{sha256}\t{date}\t{flags}\t{file}\n")
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Self {
            uid: Uid::new(next()?.parse().ok()?)?,
            octets: next()?.parse().ok()?,
            sha256: next()?.to_owned(),
            date: Some(next()?.to_owned()).filter(|date| date != "-"),
            flags: next()?.to_owned(),
            file: next().filter(|file| !file.is_empty())?.to_owned(),
        })
    }
}
