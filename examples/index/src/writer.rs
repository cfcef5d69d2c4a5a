//! Puts messages into an index. Its commits say whose mailbox it is; a message is in it from the
//! commit on, however the program ends.

use std::fs;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use example_support::Anything;
use parallel_mailbox::{Message, UidSet};
use tantivy::directory::error::LockError;
use tantivy::{Index, IndexWriter, TantivyError, Term};

use crate::fields::{Fields, uids};
use crate::letter::document;

/// In octets, of all its threads together, before words go to disk.
const MEMORY: usize = 100_000_000;
const THREADS: usize = 2;

/// The one that may write.
pub struct Writer {
    index: Index,
    fields: Fields,
    /// UIDVALIDITY and name of the mailbox.
    mailbox: String,
    /// Messages are added by many, and one commits, for which the others have to wait: tantivy
    /// wants it for itself then.
    writer: RwLock<IndexWriter>,
}

impl Writer {
    /// Opens the index of a mailbox, or makes one.
    pub fn open(folder: &Path, mailbox: &str, uid_validity: u32) -> Result<Self, Anything> {
        fs::create_dir_all(folder)?;
        let (index, fields) = Fields::open(folder)?;
        let writer = match index.writer_with_num_threads(THREADS, MEMORY) {
            Err(TantivyError::LockFailure(LockError::LockBusy, _)) => {
                return Err(format!("another run is at work in {}", folder.display()).into());
            }
            writer => writer?,
        };
        let writer = Self {
            index,
            fields,
            mailbox: format!("{uid_validity} {mailbox}"),
            writer: RwLock::new(writer),
        };
        match writer.index.load_metas()?.payload {
            // Before anything else is in it.
            None => writer.commit()?,
            Some(before) if before == writer.mailbox => {}
            Some(before) => return Err(other_mailbox(&before, mailbox, uid_validity).into()),
        }
        Ok(writer)
    }

    /// The messages that it has, as of the last commit.
    pub fn uids(&self) -> tantivy::Result<UidSet> {
        let uids = uids(&self.index.reader()?.searcher())?;
        Ok(uids.into_iter().collect())
    }

    /// Adds a message. May be called from several threads.
    pub fn add(&self, message: &Message) -> tantivy::Result<()> {
        let document = document(&self.fields, message);
        let writer = self.writer.read().unwrap_or_else(PoisonError::into_inner);
        writer.add_document(document)?;
        Ok(())
    }

    /// Takes messages out.
    pub fn remove(&self, uids: &UidSet) {
        let writer = self.writer.read().unwrap_or_else(PoisonError::into_inner);
        for uid in uids {
            writer.delete_term(Term::from_field_u64(self.fields.uid, u64::from(uid.get())));
        }
    }

    /// Makes what was done last, all of it at once.
    pub fn commit(&self) -> tantivy::Result<()> {
        let mut writer = self.writer.write().unwrap_or_else(PoisonError::into_inner);
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&self.mailbox);
        commit.commit()?;
        Ok(())
    }

    /// Commits, and waits until small pieces of the index are made one.
    pub fn finish(self) -> tantivy::Result<()> {
        self.commit()?;
        let writer = self
            .writer
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        writer.wait_merging_threads()
    }
}

fn other_mailbox(before: &str, mailbox: &str, uid_validity: u32) -> String {
    match before.split_once(' ') {
        Some((before, name)) if name == mailbox => format!(
            "the mailbox was made anew since the last run: its UIDVALIDITY was {before} and is \
             {uid_validity}, so its messages have other numbers; make an index in another folder"
        ),
        Some((_, name)) => format!(
            "the folder has an index of the mailbox {name:?}; make one of {mailbox:?} in another folder"
        ),
        None => {
            "the folder has an index that is not of this program; take another folder".to_owned()
        }
    }
}
