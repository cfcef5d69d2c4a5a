//! One file of all messages, in the form mboxrd: a line that begins with any number of `>` and `From `
//! gets one `>` more, so that the messages can be had back.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::manifest::Manifest;

/// Writes the messages of an archive in the order of their UIDs; returns how many there are. The
/// file has its name only when it is whole.
pub fn write(folder: &Path, mbox: &Path) -> io::Result<usize> {
    let manifest = Manifest::read(&folder.join("manifest.txt"))?;
    let mut entries: Vec<_> = manifest.entries().collect();
    entries.sort_unstable_by_key(|entry| entry.uid);
    let temporary = mbox.with_extension("unfinished");
    let mut file = BufWriter::new(File::create(&temporary)?);
    for entry in &entries {
        let octets = fs::read(folder.join("cur").join(&entry.file))?;
        let date = entry.date.as_deref().unwrap_or("1970-01-01T00:00:00Z");
        file.write_all(format!("From archive {date}\n").as_bytes())?;
        for line in octets.split_inclusive(|octet| *octet == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            let quotes = text.iter().take_while(|octet| **octet == b'>').count();
            if text[quotes..].starts_with(b"From ") {
                file.write_all(b">")?;
            }
            file.write_all(text)?;
            file.write_all(b"\n")?;
        }
        file.write_all(b"\n")?;
    }
    file.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?;
    fs::rename(temporary, mbox)?;
    Ok(entries.len())
}
