//! A full-text index of a mailbox.
//!
//! Which messages it has is asked of the index itself, and it changes only by whole commits: so
//! whatever breaks off, each message is in it once or will be fetched again.

mod fields;
pub mod finder;
mod letter;
pub mod printable;
mod query;
pub mod writer;

pub use finder::Finder;
pub use writer::Writer;
