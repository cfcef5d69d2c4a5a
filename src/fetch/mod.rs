//! The data plane: FETCH commands out, messages in. Reads the connection itself, response by
//! response, and puts each body straight into its message. Knows nothing of shards, workers or
//! retries.
//!
//! Each response is framed, with its body lifted out, so that what is left to be taken apart is
//! some hundred octets however large the message is.

mod attributes;
mod parts;
mod reader;
mod reading;
mod request;
mod substitute;
mod tokens;

pub(crate) use self::reader::{Answer, Body, Fetched, Reader};
pub use self::request::Fetch;
pub(crate) use self::substitute::is_substitute;
