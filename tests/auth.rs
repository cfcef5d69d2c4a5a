//! Signing in: which way is chosen, what is sent, who is asked how often, and what nobody gets to
//! see.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod support;

#[cfg(unix)]
#[path = "auth/dovecot.rs"]
mod dovecot;
#[path = "auth/mechanisms.rs"]
mod mechanisms;
#[path = "auth/passwords.rs"]
mod passwords;
#[path = "auth/preauthenticated.rs"]
mod preauthenticated;
#[path = "auth/secrets.rs"]
mod secrets;
#[path = "auth/tokens.rs"]
mod tokens;

use std::error::Error as _;

use parallel_mailbox::testing::Server;
use parallel_mailbox::{Builder, Error, ParallelMailbox, Security};

/// How to reach a server, without any credentials.
fn builder(server: &Server) -> Builder {
    ParallelMailbox::builder("127.0.0.1")
        .port(server.port())
        .security(Security::DangerPlaintext)
}

/// How many times a server was shown credentials.
fn attempts(server: &Server) -> usize {
    let log = server.log();
    let ways = [" LOGIN ", " AUTHENTICATE "];
    let is_attempt = |line: &str| ways.iter().any(|way| line.contains(way));
    log.iter().filter(|entry| is_attempt(&entry.line)).count()
}

/// Everything that an error says, in every way that it can be printed.
fn text_of(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    text
}
