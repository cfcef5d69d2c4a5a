//! Servers and networks that misbehave in mid-run: nothing is lost, nothing comes twice, and what
//! failed says why.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod caller;
mod connection;
mod framing;
mod greeting;
mod play;
mod refusals;
mod scarcity;
