//! The attachments of a mailbox in a folder: every content once, a list that says which message had
//! which file, and small pictures of those that are pictures.
//!
//! Whatever is missing is made: so a run that broke off is finished by the next, and one that did not
//! is not repeated.

mod drawing;
pub mod list;
mod name;
pub mod picture;
pub mod sample;
mod store;

use std::io::{self, ErrorKind};
use std::path::Path;

use example_support::{Letter, escaped};
use parallel_mailbox::{Attachment, Message, Uid};

use self::list::{Entry, List};
use self::store::{Store, digest};

/// Puts attachments into a folder; may be used by several threads.
#[derive(Debug)]
pub struct Extractor {
    store: Store,
}

/// What was found in a message.
#[derive(Debug)]
pub struct Found {
    pub uid: Uid,
    pub entries: Vec<Entry>,
    /// How many files were not there yet, pictures of pictures aside.
    pub new_files: usize,
    pub pictures: usize,
    /// What is not as it should be, for people.
    pub remarks: Vec<String>,
}

/// Opens a folder for the attachments of a mailbox with this UIDVALIDITY, or makes one.
pub fn open(folder: &Path, uid_validity: u32) -> io::Result<(Extractor, List)> {
    std::fs::create_dir_all(folder)?;
    let (list, entries) = List::open(folder, uid_validity)?;
    let known = entries.into_iter().map(|entry| (entry.sha256, entry.file));
    let store = Store::open(folder, known)?;
    Ok((Extractor { store }, list))
}

impl Extractor {
    /// Writes the attachments of a message that are not there yet, and what is drawn of pictures.
    pub fn extract(&self, message: &Message) -> io::Result<Found> {
        let mut found = Found {
            uid: message.uid(),
            entries: Vec::new(),
            new_files: 0,
            pictures: 0,
            remarks: Vec::new(),
        };
        let letter = Letter::of(message);
        let date = letter.date.map(|date| date.to_rfc3339());
        let sender = escaped(&letter.sender().full());
        // Of the text as well: an attachment may be in what could not be read.
        let damage = message.damage();
        found
            .remarks
            .extend(damage.iter().map(|damage| escaped(&damage.to_string())));
        for attachment in message.attachments() {
            let sha256 = digest(attachment.bytes());
            let file = self.keep(&attachment, &sha256, &mut found)?;
            found.entries.push(Entry {
                uid: found.uid,
                part: attachment.number().to_owned(),
                date: date.clone().unwrap_or_default(),
                sender: sender.clone(),
                name: escaped(attachment.sent_name().unwrap_or_default()),
                octets: attachment.bytes().len(),
                sha256,
                file,
            });
        }
        Ok(found)
    }

    fn keep(&self, attachment: &Attachment, sha256: &str, found: &mut Found) -> io::Result<String> {
        let (octets, mime_type) = (attachment.bytes(), attachment.content_type());
        let kept = self.store.keep(attachment.name(), sha256, octets)?;
        found.new_files += usize::from(kept.is_new);
        let has = |(folder, _): &picture::Filter| self.store.has(folder, &drawn_of(&kept.file));
        let is_drawn = || picture::FILTERS.iter().all(has);
        if kept.is_first && picture::is_picture(octets, mime_type) && !is_drawn() {
            match picture::draw(octets) {
                Ok(drawn) => {
                    found.pictures += 1;
                    for (folder, png) in drawn {
                        match self.store.write(folder, &drawn_of(&kept.file), &png) {
                            // One of them was there.
                            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                            result => result?,
                        }
                    }
                }
                Err(error) => found.remarks.push(format!(
                    "{} is kept, but it cannot be drawn: {}",
                    kept.file,
                    escaped(&error)
                )),
            }
        }
        Ok(kept.file)
    }
}

/// The name of what is drawn of a picture.
fn drawn_of(file: &str) -> String {
    format!("{file}.png")
}
