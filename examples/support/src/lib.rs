//! What the example programs share, each rule in one place:
//!
//! - [`run`], which begins and ends them, and [`access`], how a server is reached;
//! - [`Letter`], who wrote a message, when and about what;
//! - [`mod@printable`], what may be printed of what strangers wrote;
//! - [`mod@words`], the words of a text in any script;
//! - for their tests, [`dovecot`].
//!
//! Three of them are in the folder `shared`, which belongs to the published crate, since its own
//! examples include them. The text of a message and its attachments are the crate's:
//! `Message::text`, `Message::attachments`.

#[path = "../../shared/access.rs"]
pub mod access;
#[cfg(all(unix, feature = "dovecot"))]
pub mod dovecot;
#[path = "../../shared/letter.rs"]
pub mod letter;
pub mod odd_mail;
#[path = "../../shared/printable.rs"]
pub mod printable;
#[cfg(all(unix, feature = "dovecot"))]
#[path = "../../../tests/support/mod.rs"]
mod support;
pub mod words;

use std::io::{self, Write};
use std::process::ExitCode;

use parallel_mailbox::Builder;

pub use self::access::Access;
pub use self::letter::{Letter, Person};
pub use self::printable::{column, escaped, is_harmless, printable, printable_lines, shortened};

/// Whatever may go wrong in a program.
pub type Anything = Box<dyn std::error::Error + Send + Sync>;

/// Runs a program with the words of its command line, and with what is said there about reaching the
/// server. An error is told in its words; that whoever reads the output has had enough of it, such
/// as `head`, is none.
pub fn run(program: impl FnOnce(&[&str], &Access) -> Result<ExitCode, Anything>) -> ExitCode {
    let result = Access::of(std::env::args().skip(1)).map_err(Anything::from);
    let result = result.and_then(|(access, words)| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        program(&words, &access)
    });
    result.unwrap_or_else(|error| {
        let input_or_output = error.downcast_ref::<io::Error>();
        if input_or_output.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

/// Prints what a program is for, and how a server is reached.
///
/// # Errors
///
/// Nobody reads it.
pub fn help(usage: &str) -> Result<ExitCode, Anything> {
    write!(io::stdout(), "{usage}\n{}", access::HELP)?;
    Ok(ExitCode::from(2))
}

impl Access {
    /// The mailbox of a URL such as `imaps://me@imap.example.org/INBOX`, with the password in
    /// `IMAP_PASSWORD`.
    ///
    /// # Errors
    ///
    /// The URL is none, there is no password, or a file of certificates cannot be read.
    pub fn client(&self, url: &str) -> Result<Builder, Anything> {
        let builder = self.builder(url)?;
        Ok(builder.password(access::password()?))
    }
}
