//! What real servers did to other people's programs, played with the wire that they had: what could
//! be had is had, what is missing is told, and nothing is claimed that was not done.
//!
//! Sources are public reports, named `owner/repository#number`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../ledger/mod.rs"]
mod ledger;
mod stage;

mod absence;
mod refusals;
mod sessions;
mod substance;
