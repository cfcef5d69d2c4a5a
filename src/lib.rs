//! Read a large IMAP mailbox in parallel.
#![forbid(unsafe_code)]

mod builder;
mod credentials;
mod error;
mod event;
mod fetch;
mod iter;
mod launch;
mod limits;
mod mailbox;
mod mailbox_name;
mod matches;
mod message;
mod pool;
mod progress;
mod query;
mod report;
mod session;
mod stop;
#[cfg(feature = "test-server")]
pub mod testing;
mod transport;
mod uid_set;
mod unwind;
mod url;

pub use crate::builder::Builder;
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::event::Event;
pub use crate::fetch::Fetch;
pub use crate::iter::{Imap, ImapUnordered, Scoped, Unscoped};
pub use crate::limits::{Retry, Timeouts};
pub use crate::mailbox::ParallelMailbox;
pub use crate::matches::{Matches, Stateful, Stateless};
pub use crate::message::{Flags, Message, mail_parser};
pub use crate::progress::{Canceller, Progress};
pub use crate::query::Query;
pub use crate::report::Report;
pub use crate::session::Security;
pub use crate::transport::{Connect, Stream};
pub use crate::uid_set::{Uid, UidSet};
