//! Who writes, when, how much, and in which conversations: the statistics of a mailbox as tables, and
//! as charts in a folder.
//!
//! ```sh
//! cargo run --release -p example-statistics -- FOLDER
//! IMAP_PASSWORD=… cargo run --release -p example-statistics -- FOLDER imaps://me@imap.example.org/INBOX
//! ```

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use example_statistics::{charts, made_up, read};
use example_support::{Access, Anything, help};
use parallel_mailbox::Builder;
use parallel_mailbox::testing::Server;

const HELP: &str = "\
usage: example-statistics FOLDER [URL]

  FOLDER  where the charts go, as PNG and as SVG; made if it is not there
  URL     such as imaps://me@imap.example.org/INBOX; the mailbox is opened read-only, and only the
          headers are fetched. Without a URL: made-up mail of a server in this process.
";

fn main() -> ExitCode {
    example_support::run(run)
}

fn run(words: &[&str], access: &Access) -> Result<ExitCode, Anything> {
    match *words {
        [folder] if !folder.starts_with('-') => {
            let server = Server::builder().messages(made_up::mail(6_000)).start()?;
            draw(Path::new(folder), server.client())
        }
        [folder, url] => draw(Path::new(folder), access.client(url)?),
        _ => help(HELP),
    }
}

fn draw(folder: &Path, builder: Builder) -> Result<ExitCode, Anything> {
    let (statistics, report) = read(&builder.connect()?)?;
    for (_, error) in report.failed() {
        eprintln!("left out: {error}");
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{report}")?;
    if statistics.messages == 0 {
        writeln!(out, "There are no messages, so there is nothing to draw.")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "\n{statistics}\nCharts:")?;
    for file in charts::save(&statistics, folder)? {
        writeln!(out, "  {}", file.display())?;
    }
    Ok(ExitCode::from(u8::from(!report.is_complete())))
}
