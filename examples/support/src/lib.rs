//! What the example programs share: [`run`], which begins and ends them, [`client`], which tells whose
//! mailbox to read, and for their tests [`dovecot`].

#[cfg(all(unix, feature = "dovecot"))]
pub mod dovecot;
#[cfg(all(unix, feature = "dovecot"))]
#[path = "../../../tests/support/mod.rs"]
mod support;

use std::io;
use std::process::ExitCode;

use parallel_mailbox::{Builder, ParallelMailbox, Security};

/// Whatever may go wrong in a program.
pub type Anything = Box<dyn std::error::Error + Send + Sync>;

/// Runs a program with the words of its command line. An error is told in its words; that whoever
/// reads the output has had enough of it, such as `head`, is none.
pub fn run(program: impl FnOnce(&[&str]) -> Result<ExitCode, Anything>) -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    program(&words).unwrap_or_else(|error| {
        let input_or_output = error.downcast_ref::<io::Error>();
        if input_or_output.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

/// A text of a sender, without what acts on a terminal or turns the direction of writing.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().filter(is_harmless).collect()
}

/// Whether a character neither acts on a terminal nor turns the direction of writing.
#[must_use]
pub fn is_harmless(character: &char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        )
}

/// The mailbox of a URL such as `imaps://me@imap.example.org/INBOX`, with the password in
/// `IMAP_PASSWORD`. `DANGER_PLAINTEXT`, set to 1, does without TLS.
///
/// # Errors
///
/// The URL is none, or there is no password.
pub fn client(url: &str) -> Result<Builder, Anything> {
    let builder = ParallelMailbox::from_url(url)?;
    let password = std::env::var("IMAP_PASSWORD")
        .map_err(|_| "set IMAP_PASSWORD to the password that goes with the URL")?;
    let builder = builder.password(password);
    Ok(match std::env::var("DANGER_PLAINTEXT").as_deref() {
        Ok("1") => builder.security(Security::DangerPlaintext),
        _ => builder,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_left_out() {
        assert_eq!(printable("\u{1b}[2Ja\u{202e}b\u{9b}ü\r\n"), "[2Jabü");
    }
}
