//! Counts senders, months and attachments of a mailbox, over one session and over several.
//!
//! ```sh
//! cargo run --release --example quickstart
//! cargo run --release --example quickstart -- imaps://me@imap.example.org/INBOX
//! ```
//!
//! Without a URL it starts a small IMAP server in this process, filled with made-up mail. With one
//! it reads a real mailbox, and changes nothing in it. The password is taken from the environment
//! variable `IMAP_PASSWORD`, or asked for.

// A program talks to its user.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod statistics;

use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{Builder, ParallelMailbox, Query, Report, Security};

use crate::arguments::Arguments;
use crate::statistics::Statistics;

/// What the made-up server is like: each connection as far away and as slow as a usual provider.
const ROUND_TRIP: Duration = Duration::from_millis(25);
const MEGABYTES_PER_SECOND: u64 = 20;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let outcome = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Some(arguments)) => match arguments.url.clone() {
            Some(url) => on_account(&url, &arguments),
            None => on_embedded_server(&arguments),
        },
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The job itself: all there is to using the crate.
fn read(builder: Builder, arguments: &Arguments) -> Result<(Statistics, Report), Failure> {
    let mailbox = builder.connect()?;
    let mut matches = mailbox.search(Query::all())?;
    if let Some(limit) = arguments.messages {
        let newest = matches
            .uids()
            .iter()
            .rev()
            .take(limit)
            .collect::<parallel_mailbox::UidSet>();
        matches = mailbox.uids(newest);
    }

    // Runs on the workers' threads …
    let mut results = matches.imap_unordered(|message| Statistics::of(&message));

    // … while this thread adds up what they found.
    let bar = progress_bar(results.progress().total());
    let mut sum = Statistics::default();
    for result in &mut results {
        match result {
            Ok(one) => sum.add(one),
            Err(error) => bar.println(format!("left out: {error}")),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok((sum, results.finish()))
}

fn on_embedded_server(arguments: &Arguments) -> Result<(), Failure> {
    let count = arguments.messages.unwrap_or(3_000);
    let server = Server::builder()
        .sample(Sample::mixed(count))
        .latency(ROUND_TRIP)
        .bandwidth(MEGABYTES_PER_SECOND * 1_000_000)
        .start()?;
    println!(
        "{count} made-up messages on a server in this process; each connection is {} ms away and \
         carries {MEGABYTES_PER_SECOND} MB/s",
        ROUND_TRIP.as_millis(),
    );
    compare(arguments, || {
        Ok(ParallelMailbox::builder("127.0.0.1")
            .port(server.port())
            // There is nobody on the way within this process.
            .security(Security::DangerPlaintext)
            .login(server.user(), server.password()))
    })
}

fn on_account(url: &str, arguments: &Arguments) -> Result<(), Failure> {
    let password = match std::env::var("IMAP_PASSWORD") {
        Ok(password) => password,
        Err(_) => rpassword::prompt_password("Password: ")?,
    };
    compare(arguments, || {
        Ok(ParallelMailbox::from_url(url)?.password(&password))
    })
}

/// Does the job twice and shows what it found and how long it took.
fn compare(
    arguments: &Arguments,
    builder: impl Fn() -> Result<Builder, Failure>,
) -> Result<(), Failure> {
    let mut before = None;
    for workers in [1, arguments.workers] {
        let (statistics, report) = read(builder()?.workers(workers), arguments)?;
        if before.is_none() {
            print!("\n{statistics}\n");
        }
        let seconds = report.elapsed().as_secs_f64();
        println!(
            "{workers:2} {}  {:6.2} s  {:7.0} messages/s  {:6.1} MB/s{}",
            if workers == 1 { "session " } else { "sessions" },
            seconds,
            report.delivered().len() as f64 / seconds,
            report.octets() as f64 / 1e6 / seconds,
            before.map_or(String::new(), |before: f64| format!(
                "  {:.1} × as fast",
                before / seconds
            )),
        );
        if !report.is_complete() {
            println!("   {report}");
        }
        before = Some(seconds);
    }
    Ok(())
}

fn progress_bar(messages: u64) -> ProgressBar {
    let style = "{bar:40} {pos}/{len} messages, {per_sec}, {eta} left";
    // The template is a constant and known to be well-formed.
    let style =
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(messages).with_style(style)
}
