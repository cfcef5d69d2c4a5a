//! Reads a mailbox with a progress bar, tells of what happens on the way, and stops cleanly at Ctrl-C,
//! with a command that goes on from there.
//!
//! ```sh
//! cargo run --release -p example-watch
//! IMAP_PASSWORD=… cargo run --release -p example-watch -- imaps://me@imap.example.org/INBOX
//! ```

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use example_support::{Access, Anything, help};
use indicatif::{ProgressBar, ProgressStyle};
use parallel_mailbox::testing::{Fault, Sample, Server};
use parallel_mailbox::{Query, UidSet};

const HELP: &str = "\
usage: example-watch [URL [UIDVALIDITY UIDS]]

  URL                 such as imaps://me@imap.example.org/INBOX; without it, made-up mail of a slow
                      server in this process, which breaks some connections
  UIDVALIDITY UIDS    as a run that was stopped has printed them
";

fn main() -> ExitCode {
    example_support::run(run)
}

fn run(words: &[&str], access: &Access) -> Result<ExitCode, Anything> {
    let server;
    let (url, builder, rest) = match *words {
        [] => {
            server = embedded()?;
            (server.url(), server.client(), None)
        }
        [url] if !url.starts_with('-') => (url.to_owned(), access.client(url)?, None),
        [url, uid_validity, uids] => (
            url.to_owned(),
            access.client(url)?,
            Some((uid_validity, uids)),
        ),
        _ => return help(HELP),
    };
    let bar = ProgressBar::no_length();
    let style = "{bar:30} {human_pos}/{human_len}  {per_sec}  {msg}  ETA {eta}";
    bar.set_style(ProgressStyle::with_template(style)?);

    let lines = bar.clone();
    // Above the bar, which stays the last line.
    let mailbox = builder
        .on_event(move |event| lines.suspend(|| eprintln!("{event}")))
        .connect()?;
    let matches = match rest {
        None => mailbox.search(Query::all())?,
        Some((uid_validity, _)) if uid_validity != mailbox.uid_validity().to_string() => {
            return Err("the mailbox was made anew since; its messages have other numbers".into());
        }
        Some((_, uids)) => mailbox.uids(uids.parse::<UidSet>()?),
    };
    bar.set_length(matches.len() as u64);

    // What is to be done with each message belongs here.
    let mut results = matches.imap_unordered(|message| message.raw().len());
    let (canceller, progress) = (results.canceller(), results.progress());
    ctrlc::set_handler(move || canceller.cancel())?;
    loop {
        // Not only when something comes, so that the bar moves also while nothing does.
        match results.next_timeout(Duration::from_millis(100)) {
            Ok(None) => break,
            Ok(Some(Ok(_octets))) => {}
            Ok(Some(Err(error))) => bar.suspend(|| eprintln!("{error}")),
            Err(_nothing_yet) => {}
        }
        bar.set_position(progress.done());
        bar.set_message(format!("{} MB", progress.octets() / 1_000_000));
    }
    let report = results.finish();
    bar.finish();
    println!("{report}");
    if !report.unfinished().is_empty() {
        let uid_validity = mailbox.uid_validity();
        println!("go on with: {url} {uid_validity} {}", report.unfinished());
    }
    std::io::stdout().flush()?;
    Ok(ExitCode::from(u8::from(!report.is_complete())))
}

fn embedded() -> std::io::Result<Server> {
    Server::builder()
        .sample(Sample::small(5_000))
        .total_bandwidth(4_000_000)
        .fault(Fault::reset().uid(1_000).times(1))
        .fault(Fault::bye("restarting for maintenance").uid(3_000).times(1))
        .start()
}
