//! What the crate's own tests share: a real Dovecot, a real Cyrus, nasty messages, a bare client,
//! and the gauges for memory and leaks. It never uses the crate under test, so it cannot share its mistakes.

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
pub(crate) mod cyrus;
#[cfg(unix)]
pub(crate) mod dovecot;
#[cfg(unix)]
pub(crate) mod front;
#[cfg(unix)]
pub(crate) mod identity;
pub(crate) mod leaks;
#[cfg(unix)]
pub(crate) mod maildir;
pub(crate) mod memory;
pub(crate) mod nasty;
pub(crate) mod played;
#[cfg(unix)]
pub(crate) mod ports;
#[cfg(unix)]
pub(crate) mod process_group;
pub(crate) mod raw_client;
#[cfg(unix)]
pub(crate) mod skip;
pub(crate) mod wait;
