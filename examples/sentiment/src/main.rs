//! Moods and topics of a mailbox, by month and by sender. The mailbox is opened read-only.
//!
//! ```sh
//! cargo run --release -p example-sentiment
//! IMAP_PASSWORD=… cargo run --release -p example-sentiment -- imaps://me@imap.example.org/INBOX
//! ```
//!
//! Without a URL it reads made-up letters of a server in this process.

use std::io::{self, Write};
use std::process::ExitCode;

use example_sentiment::{Tally, made_up};
use example_support::{Access, Anything, help};
use parallel_mailbox::testing::Server;
use parallel_mailbox::{Builder, Query};

const HELP: &str = "\
usage: example-sentiment [URL]

  URL    such as imaps://me@imap.example.org/INBOX; the mailbox is opened read-only. Without a URL:
         made-up letters of a server in this process.
";

fn main() -> ExitCode {
    example_support::run(run)
}

fn run(words: &[&str], access: &Access) -> Result<ExitCode, Anything> {
    let server;
    let builder = match *words {
        [] => {
            server = Server::builder().messages(made_up::letters()).start()?;
            server.client()
        }
        [url] if !url.starts_with('-') => access.client(url)?,
        _ => return help(HELP),
    };
    tell(builder)
}

fn tell(builder: Builder) -> Result<ExitCode, Anything> {
    let mailbox = builder.connect()?;
    let matches = mailbox.search(Query::all())?;
    // One tally for each worker, joined in the end: no lock, and no message is kept.
    let (tally, report) = matches.fold_each(
        Tally::default,
        |tally, message| tally.with(&message),
        Tally::joined,
    )?;
    write!(io::stdout(), "{tally}\n{report}\n")?;
    for (_, error) in report.failed() {
        eprintln!("left out: {error}");
    }
    Ok(ExitCode::from(u8::from(!report.is_complete())))
}
