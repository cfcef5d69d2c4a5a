//! What the benchmarks share: the job done in other ways, for comparison.

// Every benchmark compiles all of this and uses a part of it.
#![allow(dead_code, clippy::unwrap_used)]

pub(crate) mod imap_crate;
pub(crate) mod ours;
pub(crate) mod raw;

/// Where a mailbox is, and how many messages it has: UIDs 1 to `messages`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) port: u16,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    pub(crate) messages: usize,
}
