//! The README's first command, on few messages.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::{Command, Output};

fn quickstart(arguments: &[&str]) -> Output {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "run",
        "--quiet",
        "--offline",
        "--example",
        "quickstart",
    ]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command.arg("--").args(arguments).output().unwrap()
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
