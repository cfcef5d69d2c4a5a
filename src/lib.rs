//! Reads a large IMAP mailbox over several connections at once.
//!
//! [`ParallelMailbox`] takes the result of a SEARCH, deals it out to a pool of worker threads,
//! each with a connection of its own, and hands every message to your closure. Its methods are
//! those of Python's `multiprocessing.Pool`: [`map`](Matches::map), [`imap`](Matches::imap),
//! [`imap_unordered`](Matches::imap_unordered).
//!
//! ```no_run
//! use parallel_mailbox::{ParallelMailbox, Query};
//!
//! fn main() -> parallel_mailbox::Result<()> {
//!     let mailbox = ParallelMailbox::from_url("imaps://imap.example.org/INBOX")?
//!         .login("me", "secret")
//!         .workers(8)
//!         .connect()?;
//!     let matches = mailbox.search(Query::all().unseen().since(2026, 1, 31))?;
//!     println!("{} messages", matches.len());
//!
//!     for subject in matches.imap(|message| {
//!         let headers = message.parse_headers();
//!         headers.and_then(|headers| headers.subject().map(str::to_owned))
//!     }) {
//!         match subject {
//!             Ok(subject) => println!("{}", subject.unwrap_or_default()),
//!             Err(error) => eprintln!("{error}"),
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! The [guide] goes from here to a million messages.
//!
//! # What it values
//!
//! - **Nothing is lost, nothing comes twice.** Every message that the search found ends as
//!   delivered, gone or failed, or is listed as unfinished; the [`Report`] says which. When a
//!   connection breaks, another takes over, and your closure never sees a message twice.
//! - **The mailbox stays as it was.** It is opened read-only, and no message is marked as read.
//! - **Octets are exact.** [`Message::raw`] is what the server holds, bit for bit.
//! - **Memory is bounded**, by the [window](Matches::window) and the
//!   [octets in it](Matches::window_octets), not by the size of the mailbox. When the consumer is
//!   slow, the connections wait.
//! - **Nothing hangs.** Every wait has a [deadline](Timeouts), and a trickle is not progress.
//! - **Safe by default.** TLS with verified certificates; no plaintext unless you ask for it by
//!   [a name that says so](Security::DangerPlaintext); no text of yours can become a command.
//!
//! # From Python
//!
//! The classic program with `imaplib` and `Pool` stands beside ours in [`guide::python`].
//!
//! | `multiprocessing.Pool` | here |
//! |---|---|
//! | `Pool(processes)` | [`Builder::workers`] |
//! | `map`, `imap`, `imap_unordered` | the same names, on [`Matches`] |
//! | `chunksize` | [`Matches::shard_size`], chosen well if left alone |
//! | `initializer` | [`Matches::initializer`]; the state is a value, not a global |
//! | `starmap` | not needed: closures capture |
//! | `map_async`, `apply_async` | not needed: an iterator starts at once, a handle can be cloned |
//! | `IMapIterator.next(timeout)` | [`Imap::next_timeout`] |
//! | an exception in `map` throws all results away | [`Matches::imap`] and [`Matches::for_each`] go on |
//! | `close`, `join` | [`Imap::finish`] |
//! | `terminate`, leaving `with Pool()` | [`Canceller::cancel`], or dropping the iterator |
//!
//! # Errors
//!
//! There is one type, [`Error`]. Its [`kind`](Error::kind) is for programs, its text for people.
//! An error that concerns one message has its [`uid`](Error::uid) and takes the message's place;
//! the run goes on. An error without a UID has ended the run.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `native-tls` (default) | TLS by the platform's library |
//! | `vendored` | builds OpenSSL from source and links it statically |
//! | `compress` | COMPRESS=DEFLATE, for slow links, once [`Builder`] is told to use it |
//! | `scram` | SCRAM-SHA-256 (RFC 7677), once [`Builder`] is told to use it: the password itself is not sent |
//! | `test-server` | `testing`: an IMAP server for your own tests, with faults on demand |
//!
//! # Versions
//!
//! The oldest Rust that works is 1.88. Raising it is a minor release. `mail_parser`, which is
//! re-exported, is the only other crate whose types are part of this API.

#![forbid(unsafe_code)]
// docs.rs says of each item which feature it needs; that takes a nightly compiler.
#![cfg_attr(docsrs, feature(doc_cfg))]

// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod builder;
mod counter;
mod credentials;
mod deadline;
mod error;
mod event;
mod fetch;
mod gmail;
// Nothing to compile but its examples.
#[cfg(any(doc, doctest))]
#[doc = include_str!("guide.md")]
pub mod guide {
    #[doc = include_str!("guide/python.md")]
    pub mod python {}
}
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod iter;
mod launch;
mod limits;
mod mailbox;
mod mailbox_name;
mod matches;
mod message;
mod octets;
mod pool;
mod progress;
mod pulse;
mod query;
mod refusal;
mod report;
mod session;
mod status;
mod stop;
#[cfg(feature = "test-server")]
pub mod testing;
mod transport;
pub mod uid_set;
mod unwind;
mod url;

pub use crate::builder::Builder;
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::event::Event;
pub use crate::fetch::Fetch;
pub use crate::gmail::Gmail;
pub use crate::iter::{Imap, ImapUnordered, Scoped, Unscoped};
pub use crate::limits::{Limits, Retry, Timeouts};
pub use crate::mailbox::ParallelMailbox;
pub use crate::matches::{Matches, Stateful, Stateless};
pub use crate::message::{Attachment, Damage, Flags, Message, mail_parser};
pub use crate::progress::{Canceller, Progress};
pub use crate::query::Query;
pub use crate::report::Report;
pub use crate::session::{Mechanism, Security};
pub use crate::transport::{Connect, Stream};
pub use crate::uid_set::{Uid, UidSet};
