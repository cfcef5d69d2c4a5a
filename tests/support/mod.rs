//! What the crate's own tests share: a real Dovecot, nasty messages, a bare client, and the gauges
//! for memory and leaks. It never uses the crate under test, so it cannot share its mistakes.

// Every test binary compiles all of this and uses a part of it.
#![allow(dead_code)]
// A fixture that cannot do its work must fail the test, loudly and at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

#[cfg(unix)]
pub(crate) mod certificate;
#[cfg(unix)]
pub(crate) mod dovecot;
pub(crate) mod leaks;
#[cfg(unix)]
pub(crate) mod maildir;
pub(crate) mod memory;
pub(crate) mod nasty;
pub(crate) mod raw_client;
pub(crate) mod wait;
