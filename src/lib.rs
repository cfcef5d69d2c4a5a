//! Read a large IMAP mailbox in parallel.
#![forbid(unsafe_code)]

mod error;
mod uid_set;

#[cfg(feature = "test-server")]
pub mod testing;
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::uid_set::Uid;
