//! The personas of the test server: that they talk as their servers do, and what the crate makes of
//! each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    missing_docs
)]

#[path = "../support/mod.rs"]
mod support;

mod dialogue;
mod real;
