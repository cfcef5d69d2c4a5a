//! The README's first command, on few messages.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::process::{Command, Output};

/// `cargo test` builds the examples beside the tests: `target/debug/examples`.
fn quickstart(arguments: &[&str]) -> Output {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program: PathBuf = profile.join("examples").join("quickstart");
    Command::new(&program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

#[test]
fn shows_what_it_found_and_how_fast_on_the_embedded_server() {
    let output = quickstart(&["--messages", "60", "--workers", "3"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    for expected in [
        "Top senders",
        "Messages per month",
        "Attachments by type",
        "1 session ",
        "3 sessions",
        "messages/s",
        "MB/s",
        "× as fast",
    ] {
        assert!(shown.contains(expected), "{expected:?} is not in\n{shown}");
    }
}

#[test]
fn says_what_is_wrong_and_fails() {
    for (arguments, what) in [
        (["--workers", "none"], "--workers needs a number"),
        (["--messages", "0"], "--messages needs a number"),
        (
            ["imaps://me:secret@127.0.0.1/", "--workers"],
            "--workers needs",
        ),
    ] {
        let output = quickstart(&arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(said.contains(what), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
