//! Small letters, each with one thing in it that programs make mistakes with: forwarded files, missing
//! boundaries, encodings that lie, scripts without spaces. For tests, and to try programs on.

use std::path::Path;
use std::{fs, io};

use parallel_mailbox::testing::TestMessage;

/// Their names and what is in them, in the order of the names.
///
/// # Errors
///
/// The folder `mail` of this package cannot be read.
pub fn letters() -> io::Result<Vec<(String, TestMessage)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mail");
    let mut letters = Vec::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        letters.push((name, TestMessage::new(fs::read(file.path())?)));
    }
    letters.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(letters)
}
