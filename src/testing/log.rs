//! What clients have sent, for a test to look at afterwards. Passwords never get here.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Literals up to this many octets are kept in the log; of longer ones, only the announcement.
const LITERAL_KEPT: usize = 1_024;

/// One command that a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// The connection, counted from 1 in the order of acceptance.
    pub connection: u64,
    /// The command, without its last CR LF and without credentials: after LOGIN and AUTHENTICATE
    /// there is `…` in place of them.
    pub line: String,
    /// When it arrived, from the start of the server.
    pub at: Duration,
}

/// The log of a server.
#[derive(Debug)]
pub(super) struct Log {
    started: Instant,
    entries: Mutex<Vec<LogEntry>>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            entries: Mutex::default(),
        }
    }

    /// Adds a command, decoded or not.
    pub(super) fn add(&self, connection: u64, command: &[u8], at: Instant) {
        let entry = LogEntry {
            connection,
            line: redacted(command),
            at: at.saturating_duration_since(self.started),
        };
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry);
    }

    pub(super) fn entries(&self) -> Vec<LogEntry> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn clear(&self) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// The command as text, without what follows LOGIN or AUTHENTICATE, whatever that is.
fn redacted(command: &[u8]) -> String {
    let command = command.strip_suffix(b"\r\n").unwrap_or(command);
    let mut words = command.splitn(3, |octet| *octet == b' ');
    let (tag, name) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let has_secret =
        name.eq_ignore_ascii_case(b"LOGIN") || name.eq_ignore_ascii_case(b"AUTHENTICATE");
    if has_secret && words.next().is_some() {
        return format!(
            "{} {} …",
            String::from_utf8_lossy(tag),
            String::from_utf8_lossy(name)
        );
    }
    // Only APPEND carries literals of any size, and its announcement is in the first line.
    let kept = match command.iter().position(|octet| *octet == b'\n') {
        Some(end) if command.len() > end + LITERAL_KEPT => &command[..end],
        _ => command,
    };
    String::from_utf8_lossy(kept.trim_ascii_end()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_keeps_a_password() {
        for command in [
            "a LOGIN me secret\r\n",
            "a login {2}\r\nme {6}\r\nsecret\r\n",
            "a AUTHENTICATE PLAIN AG1lAHNlY3JldA==\r\n",
            "a LOGIN \"me\" \"secret",
        ] {
            let line = redacted(command.as_bytes());
            assert!(!line.contains("secret") && !line.contains("AG1l"), "{line}");
            assert!(line.ends_with(" …"), "{line}");
        }
    }

    #[test]
    fn keeps_the_announcement_of_a_long_literal_and_not_the_literal() {
        let command = format!("a APPEND INBOX {{5000}}\r\n{}\r\n", "x".repeat(5000));
        assert_eq!(redacted(command.as_bytes()), "a APPEND INBOX {5000}");
    }
}
