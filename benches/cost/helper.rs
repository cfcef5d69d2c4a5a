//! A process of this same program that does one thing for the table: serves, delays, or does a
//! job. It lives no longer than its owner: it ends when its standard input does.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};

pub(crate) struct Helper(Child);

impl Helper {
    /// Starts one with these arguments and waits for a line that begins with `word`; also returns
    /// the rest of that line.
    pub(crate) fn start(arguments: &[String], word: &str) -> (Self, String) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let rest = word_after(output, word);
        (
            Self(child),
            rest.unwrap_or_else(|| panic!("{arguments:?} said nothing")),
        )
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Nothing can be done about one that does not end well.
        let _ = self.0.wait();
    }
}

/// The rest of the first line that begins with this word.
pub(crate) fn word_after(output: impl io::Read, word: &str) -> Option<String> {
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    lines.find_map(|line| Some(line.strip_prefix(word)?.trim().to_owned()))
}

/// In the helper: says this and stays until the owner is gone.
pub(crate) fn stay(line: &str) {
    println!("{line}");
    let _ = io::stdin().read_line(&mut String::new());
}
