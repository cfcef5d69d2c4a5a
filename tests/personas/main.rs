//! The personas of the test server: that they talk as their servers do, and what the crate makes of
//! each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    missing_docs
)]

#[path = "../behaviour/cases.rs"]
mod cases;
#[path = "../ledger/mod.rs"]
mod ledger;
// The suite of behaviours knows more servers.
#[path = "../behaviour/place.rs"]
#[allow(dead_code)]
mod place;
#[path = "../support/mod.rs"]
mod support;

mod behaviour;
mod dialogue;
mod real;
mod trouble;
mod wire;
