//! The folder of the files: each content once, each name for one content, no file half written.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::name::candidates;
use crate::picture::FILTERS;

/// A folder with a folder `files` and one for each filter of pictures.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    names: Mutex<Names>,
    /// Held as long as this lives, so that two runs do not take the same name.
    _lock: File,
}

#[derive(Debug, Default)]
struct Names {
    /// By the digests of their contents.
    files: HashMap<String, Place>,
    /// In lower case, as some file systems take both for the same.
    taken: HashSet<String>,
}

#[derive(Debug)]
struct Place {
    file: String,
    /// Whether somebody has seen to it in this run that the file is there.
    is_seen_to: bool,
}

impl Store {
    /// Opens one or makes one. Files that are known have a digest; others are read.
    pub(crate) fn open(
        folder: &Path,
        known: impl IntoIterator<Item = (String, String)>,
    ) -> io::Result<Self> {
        let folders = FILTERS.iter().map(|(folder, _)| *folder);
        for name in folders.chain(["files", "temporary"]) {
            fs::create_dir_all(folder.join(name))?;
        }
        let lock = File::create(folder.join("lock"))?;
        lock.try_lock().map_err(|_| {
            let text = format!("another run is at work in {}", folder.display());
            io::Error::new(ErrorKind::ResourceBusy, text)
        })?;
        for file in fs::read_dir(folder.join("temporary"))? {
            fs::remove_file(file?.path())?;
        }
        let mut names = Names::default();
        for (digest, file) in known {
            names.insert(digest, file);
        }
        for file in fs::read_dir(folder.join("files"))? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            // A run that broke off has not listed it.
            if !names.taken.contains(&name.to_lowercase()) && file.file_type()?.is_file() {
                names.insert(digest(&fs::read(file.path())?), name);
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            names: Mutex::new(names),
            _lock: lock,
        })
    }

    /// Keeps octets under a name or one made of it. Returns the name, and whether this call was the
    /// first of the run to keep them and did write them.
    pub(crate) fn keep(&self, name: &str, digest: &str, octets: &[u8]) -> io::Result<Kept> {
        loop {
            let (file, is_mine) = self.claim(name, digest);
            if !is_mine {
                return Ok(Kept {
                    file,
                    is_first: false,
                    is_new: false,
                });
            }
            if self.has("files", &file) {
                return Ok(Kept {
                    file,
                    is_first: true,
                    is_new: false,
                });
            }
            match self.write("files", &file, octets) {
                Ok(()) => {
                    return Ok(Kept {
                        file,
                        is_first: true,
                        is_new: true,
                    });
                }
                // Two names that differ, but not for this file system.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => self.give_up(digest),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether a file is in a folder of this.
    pub(crate) fn has(&self, folder: &str, file: &str) -> bool {
        self.folder.join(folder).join(file).exists()
    }

    /// Writes a file that must not exist yet; it has its name only when it is whole and on disk.
    pub(crate) fn write(&self, folder: &str, file: &str, octets: &[u8]) -> io::Result<()> {
        let mut temporary = NamedTempFile::new_in(self.folder.join("temporary"))?;
        temporary.write_all(octets)?;
        temporary.as_file().sync_all()?;
        temporary.persist_noclobber(self.folder.join(folder).join(file))?;
        Ok(())
    }

    /// The name for this content, and whether the caller is the one to write it.
    fn claim(&self, name: &str, digest: &str) -> (String, bool) {
        let mut names = self.lock();
        if let Some(place) = names.files.get_mut(digest) {
            let is_seen_to = std::mem::replace(&mut place.is_seen_to, true);
            return (place.file.clone(), !is_seen_to);
        }
        let free =
            candidates(name, digest).find(|name| !names.taken.contains(&name.to_lowercase()));
        // All taken: then the last is taken by this very content, but for those who break SHA-256.
        let file = free.unwrap_or_else(|| format!("{digest}.bin"));
        names.insert(digest.to_owned(), file.clone()).is_seen_to = true;
        (file, true)
    }

    /// The name stays taken; the content is to get another.
    fn give_up(&self, digest: &str) {
        self.lock().files.remove(digest);
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Names {
    fn insert(&mut self, digest: String, file: String) -> &mut Place {
        self.taken.insert(file.to_lowercase());
        self.files.entry(digest).or_insert(Place {
            file,
            is_seen_to: false,
        })
    }
}

/// Where octets have been kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) file: String,
    /// Nobody has asked for these octets in this run before.
    pub(crate) is_first: bool,
    /// They have been written just now.
    pub(crate) is_new: bool,
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(octets: &[u8]) -> String {
    let digest = Sha256::digest(octets);
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}
