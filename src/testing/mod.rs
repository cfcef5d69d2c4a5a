//! An in-process IMAP server for tests: real sockets on the loopback interface, seeded mailboxes,
//! and faults on demand. It is for tests alone: it keeps everything in memory and knows no TLS.
//!
//! Any client can talk to it: this crate, Python's `imaplib`, `curl`.
//!
//! ```
//! use parallel_mailbox::testing::{Fault, Server};
//!
//! # fn main() -> std::io::Result<()> {
//! let server = Server::builder()
//!     .messages(["Subject: one\r\n\r\n1", "Subject: two\r\n\r\n2"])
//!     .fault(Fault::close().after("SEARCH").times(1))
//!     .start()?;
//! println!("{}", server.url());
//! # Ok(())
//! # }
//! ```
//!
//! A [`Persona`] makes it talk as Gmail, Exchange or another server does. What a client gets wrong
//! shows in [`Server::log`], [`Server::connections`] and [`Server::flags`]; what it must survive is
//! a [`Fault`]; a mailbox that looks like real mail is a [`Sample`].
//!
//! Of IMAP4rev1 (RFC 3501) it speaks CAPABILITY, NOOP, LOGOUT, LOGIN, AUTHENTICATE with PLAIN,
//! OAUTHBEARER, XOAUTH2 and, with the feature `scram`, SCRAM-SHA-256, SELECT, EXAMINE, LIST, LSUB,
//! STATUS, APPEND, CHECK, CLOSE, EXPUNGE, SEARCH, FETCH, STORE and their UID forms, and ID, ENABLE,
//! IDLE, UNSELECT, LITERAL+ and SASL-IR, and with the feature `compress` COMPRESS=DEFLATE (RFC
//! 4978). FETCH knows FLAGS, INTERNALDATE, RFC822.SIZE, UID, and whole messages, headers, texts and
//! header fields with ranges, but not ENVELOPE, BODYSTRUCTURE or single MIME parts: it answers BAD
//! to those. Personas whose servers know SEARCH RETURN (RFC 4731) or Gmail's own items speak them.

mod armed;
mod body;
mod builder;
mod commands;
mod connection;
#[cfg_attr(not(feature = "compress"), path = "no_deflate.rs")]
mod deflate;
mod dialect;
mod dialogue;
mod fault;
mod fetch;
mod flags;
mod link;
mod list;
mod listener;
mod log;
mod login;
mod mailbox;
mod message;
mod messages;
mod output;
mod persona;
mod ranges;
mod reader;
mod registry;
mod sample;
#[cfg(feature = "scram")]
mod scram;
mod script;
mod search;
mod search_text;
mod section;
mod server;
mod session;
mod shared;
#[cfg(test)]
mod tests;
mod trouble;
mod uplink;
mod utf7;

pub use self::builder::ServerBuilder;
pub use self::fault::Fault;
pub use self::log::LogEntry;
pub use self::message::TestMessage;
pub use self::persona::Persona;
pub use self::registry::Connections;
pub use self::sample::{Sample, SampleMessages};
pub use self::server::Server;
pub use self::trouble::Trouble;
