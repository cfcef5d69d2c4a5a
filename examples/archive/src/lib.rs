//! An archive of a mailbox: a Maildir, and a manifest that proves it complete.
//!
//! A message is written under `tmp`, renamed into `cur`, and then listed in the manifest. Whatever
//! breaks off leaves at most a file that is not listed, which goes when the archive is opened again,
//! and whose message is fetched again.

pub mod manifest;
pub mod mbox;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use parallel_mailbox::{Message, Uid, UidSet};
use sha2::{Digest, Sha256};

use self::manifest::{Entry, Manifest};

/// A folder with a Maildir and a manifest.
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
    manifest: Mutex<Manifest>,
}

impl Archive {
    /// Opens an archive of a mailbox with this UIDVALIDITY, or makes one, and clears away what a run
    /// that broke off has left.
    pub fn open(folder: &Path, uid_validity: u32) -> io::Result<Self> {
        for name in ["tmp", "new", "cur"] {
            fs::create_dir_all(folder.join(name))?;
        }
        let mut manifest = Manifest::open(&folder.join("manifest.txt"), uid_validity)?;
        // Listed and not there, after a power cut: fetched again.
        manifest.retain(|entry| folder.join("cur").join(&entry.file).exists())?;
        for file in fs::read_dir(folder.join("tmp"))? {
            fs::remove_file(file?.path())?;
        }
        for file in fs::read_dir(folder.join("cur"))? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            if !manifest.lists(&name) {
                fs::remove_file(file.path())?;
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            manifest: Mutex::new(manifest),
        })
    }

    /// The messages that it has.
    pub fn uids(&self) -> UidSet {
        self.lock().entries().map(|entry| entry.uid).collect()
    }

    /// Adds a message. May be called from several threads.
    pub fn add(&self, message: &Message) -> io::Result<()> {
        let entry = Entry {
            uid: message.uid(),
            octets: message.raw().len() as u64,
            sha256: sha256(message.raw()),
            date: message.internal_date().map(|date| date.to_rfc3339()),
            flags: message.flags().iter().collect::<Vec<_>>().join(" "),
            file: self.file_name(message),
        };
        let temporary = self.folder.join("tmp").join(&entry.file);
        let mut file = File::create(&temporary)?;
        file.write_all(message.raw())?;
        file.sync_all()?;
        fs::rename(temporary, self.folder.join("cur").join(&entry.file))?;
        self.lock().append(entry)
    }

    /// The name never changes, so that a message fetched twice is still one file.
    fn file_name(&self, message: &Message) -> String {
        let mut letters: Vec<char> = message.flags().iter().filter_map(letter).collect();
        letters.sort_unstable();
        let letters: String = letters.into_iter().collect();
        let uid_validity = self.lock().uid_validity();
        format!("V{uid_validity}U{}:2,{letters}", message.uid())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Manifest> {
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The letter that a Maildir has for a flag.
fn letter(flag: &str) -> Option<char> {
    Some(match flag {
        "\\Draft" => 'D',
        "\\Flagged" => 'F',
        "\\Answered" => 'R',
        "\\Seen" => 'S',
        "\\Deleted" => 'T',
        _ => return None,
    })
}

fn sha256(octets: &[u8]) -> String {
    let digest = Sha256::digest(octets);
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Compares all files with the manifest; returns how many there are, and what is wrong.
pub fn verify(folder: &Path) -> io::Result<(usize, Vec<(Uid, String)>)> {
    let manifest = Manifest::read(&folder.join("manifest.txt"))?;
    let mut wrong = Vec::new();
    for entry in manifest.entries() {
        match fs::read(folder.join("cur").join(&entry.file)) {
            Ok(octets) if sha256(&octets) == entry.sha256 => {}
            Ok(_) => wrong.push((entry.uid, format!("{} has been changed", entry.file))),
            Err(error) => wrong.push((entry.uid, format!("{}: {error}", entry.file))),
        }
    }
    Ok((manifest.entries().count(), wrong))
}
