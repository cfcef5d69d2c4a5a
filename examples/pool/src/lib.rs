//! The two programs, `pool.py` and `main.rs`, as processes that are timed.

use std::io;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Whose mailbox to read.
#[derive(Debug, Clone)]
pub struct Account {
    pub url: String,
    pub password: String,
}

/// One of the programs, and how it is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// With so many messages for each FETCH.
    Python {
        chunk: usize,
    },
    Rust,
}

/// What a run has printed, and how long it took from start to end of the process.
#[derive(Debug)]
pub struct Run {
    pub output: Output,
    pub time: Duration,
}

impl Program {
    /// Runs it to its end. `ours` is the program of `main.rs`.
    ///
    /// # Errors
    ///
    /// It cannot be started; `python3` is not there, say.
    pub fn run(self, account: &Account, workers: usize, ours: &Path) -> io::Result<Run> {
        let workers = workers.to_string();
        let mut command = match self {
            Self::Python { chunk } => {
                let mut command = Command::new("python3");
                let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("pool.py");
                command.arg(script).args([&account.url, &workers]);
                command.arg(chunk.to_string());
                command
            }
            Self::Rust => {
                let mut command = Command::new(ours);
                command.args([&account.url, &workers]);
                command
            }
        };
        command
            .env("IMAP_PASSWORD", &account.password)
            .env("DANGER_PLAINTEXT", "1");
        let begun = Instant::now();
        let output = command.output()?;
        Ok(Run {
            output,
            time: begun.elapsed(),
        })
    }

    /// As a table calls it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Python { chunk: 1 } => "Python, one message for each FETCH".to_owned(),
            Self::Python { chunk } => format!("Python, {chunk} messages for each FETCH"),
            Self::Rust => "this crate".to_owned(),
        }
    }
}

/// Whether there is a Python to compare with.
#[must_use]
pub fn has_python() -> bool {
    Command::new("python3").arg("--version").output().is_ok()
}
