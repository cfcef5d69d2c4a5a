//! The data plane: FETCH commands out, messages in. Reads the connection itself, response by
//! response, and puts each body straight into its message. Knows nothing of shards, workers or
//! retries.
//!
//! Each response is framed first and parsed afterwards, with its body lifted out, so that the
//! parser sees some hundred octets however large the message is.

mod attributes;
mod gmail;
mod plain;
mod reader;
mod request;
mod substitute;

pub(crate) use self::reader::{Answer, Body, Fetched, Reader};
pub use self::request::Fetch;
pub(crate) use self::substitute::is_substitute;
