//! A test that cannot be played here says so, or fails where it has to be played.

use std::io::{self, Write};

/// Says loudly that the test of this thread is skipped, because `server` is not there.
///
/// # Panics
///
/// Where the variable `required` is 1.
pub(crate) fn unless_required(server: &str, required: &str) {
    assert!(
        std::env::var_os(required).is_none_or(|value| value != "1"),
        "{server} is not installed, but {required}=1"
    );
    let current = std::thread::current();
    let test = current.name().unwrap_or("a test");
    // Not eprintln!: the harness keeps that to itself when a test passes, and this one will.
    writeln!(
        io::stderr(),
        "SKIPPED: {server} is not installed, {test} tests nothing"
    )
    .ok();
}
