//! The attachments of a mailbox in a folder: every content once, a list that says which message had
//! which file, and small pictures of those that are pictures.
//!
//! Whatever is missing is made: so a run that broke off is finished by the next, and one that did not
//! is not repeated.

pub mod attachment;
mod drawing;
pub mod list;
pub mod name;
pub mod picture;
pub mod sample;
mod store;

use std::io::{self, ErrorKind};
use std::path::Path;

use parallel_mailbox::mail_parser::Address;
use parallel_mailbox::{Message, Uid, mail_parser};

use self::attachment::{Attachment, attachments};
use self::list::{Entry, List};
use self::name::{printable, safe};
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
        let Some(parsed) = message.parse() else {
            found
                .remarks
                .push("has no header, so there is nothing to extract".to_owned());
            return Ok(found);
        };
        let date = parsed.date().copied().or(message.internal_date());
        let (date, sender) = (date.map(|date| date.to_rfc3339()), sender(&parsed));
        for attachment in attachments(&parsed) {
            let sha256 = digest(&attachment.octets);
            let file = self.keep(&attachment, &sha256, &mut found)?;
            found.entries.push(Entry {
                uid: found.uid,
                part: attachment.part,
                date: date.clone().unwrap_or_default(),
                sender: sender.clone(),
                name: printable(&attachment.name),
                octets: attachment.octets.len(),
                sha256,
                file,
            });
        }
        Ok(found)
    }

    fn keep(
        &self,
        attachment: &Attachment<'_>,
        sha256: &str,
        found: &mut Found,
    ) -> io::Result<String> {
        let Attachment {
            name,
            mime_type,
            octets,
            ..
        } = attachment;
        let kept = self.store.keep(&safe(name, mime_type), sha256, octets)?;
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
                    printable(&error)
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

fn sender(message: &mail_parser::Message<'_>) -> String {
    let Some(sender) = message.from().and_then(Address::first) else {
        return String::new();
    };
    let address = printable(sender.address().unwrap_or_default());
    match sender.name() {
        Some(name) => format!("{} <{address}>", printable(name)),
        None => address,
    }
}
