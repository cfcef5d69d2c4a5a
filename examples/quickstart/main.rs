//! Counts senders, months and attachments of a mailbox, over one session and over several.
//!
//! ```sh
//! cargo run --release --example quickstart
//! cargo run --release --example quickstart -- imaps://me@imap.example.org/INBOX
//! ```
//!
//! Without a URL it starts a small IMAP server in this process, filled with made-up mail. With one
//! it reads a real mailbox, and changes nothing in it. The password is taken from the environment
//! variable `IMAP_PASSWORD`, or asked for; `--help` tells how to reach a server with a private
//! certificate.
//!
//! The use of the crate is all in `read`. The rest counts (`statistics`), shows (`table`,
//! `progress`) reads the head of a message (`letter`) and
//! the command line (`arguments`, `access`).

// A program talks to its user.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[allow(unreachable_pub)]
#[path = "../shared/access.rs"]
mod access;
mod arguments;
// Other programs read more of a message than this one.
#[allow(dead_code, unreachable_pub)]
#[path = "../shared/letter.rs"]
mod letter;
#[allow(dead_code, unreachable_pub)]
#[path = "../shared/printable.rs"]
mod printable;
mod progress;
mod statistics;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{Builder, ParallelMailbox, Query, Report, Security, UidSet};

use crate::access::{Access, password};
use crate::arguments::Arguments;
use crate::statistics::Statistics;

/// What the made-up server is like: each connection as far away and as slow as a usual provider.
const ROUND_TRIP: Duration = Duration::from_millis(25);
const MEGABYTES_PER_SECOND: u64 = 20;

/// The job itself: all there is to using the crate.
fn read(builder: Builder, limit: Option<usize>) -> Result<(Statistics, Report), Failure> {
    let mailbox = builder.connect()?;
    let mut matches = mailbox.search(Query::all())?;
    if let Some(limit) = limit {
        let newest: UidSet = matches.uids().iter().rev().take(limit).collect();
        matches = mailbox.uids(newest);
    }

    // The closure runs on the workers' threads, a session each …
    let mut results = matches.imap_unordered(|message| Statistics::of(&message));

    // … while this thread adds up what they found.
    let progress = results.progress();
    let bar = progress::bar(&progress, mailbox.workers());
    let mut sum = Statistics::default();
    for result in &mut results {
        match result {
            Ok(one) => sum.add(one),
            Err(error) if error.is_fatal() => return Err(error.into()),
            // One message that could not be had, in its place. The rest goes on.
            Err(error) => bar.suspend(|| eprintln!("left out: {error}")),
        }
        progress::show(&bar, &progress);
    }
    bar.finish_and_clear();
    let report = results.finish();
    mailbox.close();
    Ok((sum, report))
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let (access, words) = Access::of(std::env::args().skip(1))?;
    let Some(arguments) = Arguments::parse(words.into_iter())? else {
        return Ok(());
    };
    match &arguments.url {
        Some(url) => on_account(access.builder(url)?, &arguments),
        None => on_embedded_server(&arguments),
    }
}

fn on_embedded_server(arguments: &Arguments) -> Result<(), Failure> {
    let server = Server::builder()
        .sample(Sample::mixed(arguments.messages))
        .latency(ROUND_TRIP)
        .bandwidth(MEGABYTES_PER_SECOND * 1_000_000)
        .start()?;
    println!(
        "{} made-up messages, on a server in this process.\n\
         Simulated: each connection is {} ms away and carries {MEGABYTES_PER_SECOND} MB/s at most.",
        arguments.messages,
        ROUND_TRIP.as_millis(),
    );
    if let Ok(processors) = std::thread::available_parallelism() {
        println!("Server, sessions and parsing share {processors} CPUs.");
    }
    let builder = ParallelMailbox::builder("127.0.0.1")
        .port(server.port())
        // There is nobody on the way within this process.
        .security(Security::DangerPlaintext)
        .login(server.user(), server.password());
    compare(&builder, arguments)
}

fn on_account(builder: Builder, arguments: &Arguments) -> Result<(), Failure> {
    let password = password().or_else(|_| {
        rpassword::prompt_password("Password: ").map_err(|error| {
            format!("cannot ask for the password, and IMAP_PASSWORD is not set: {error}")
        })
    })?;
    compare(&builder.password(password), arguments)
}

/// Does the job twice and shows what it found and how long it took.
fn compare(builder: &Builder, arguments: &Arguments) -> Result<(), Failure> {
    let (statistics, alone) = read(builder.clone().workers(1), arguments.limit)?;
    if alone.matched().is_empty() {
        println!("The mailbox is empty.");
        return Ok(());
    }
    print!("\n{statistics}");
    show_speed(1, &alone, None);

    let workers = arguments.workers;
    let (again, together) = read(builder.clone().workers(workers), arguments.limit)?;
    show_speed(workers, &together, Some(&alone));

    if alone.delivered() != together.delivered() {
        println!("\nThe two runs did not get the same messages, so their counts may differ.");
    } else if statistics != again {
        return Err("the two runs got the same messages and counted differently".into());
    } else {
        println!("\nBoth runs found the same.");
    }
    Ok(())
}

fn show_speed(workers: usize, report: &Report, alone: Option<&Report>) {
    let seconds = report.elapsed().as_secs_f64();
    let speed_up = alone.map(|alone| alone.elapsed().as_secs_f64() / seconds);
    println!(
        "{workers:3} {:8}  {seconds:7.2} s  {:7.0} messages/s  {:6.1} MB/s{}",
        if workers == 1 { "session" } else { "sessions" },
        report.delivered().len() as f64 / seconds,
        report.octets() as f64 / 1e6 / seconds,
        speed_up.map_or(String::new(), |times| format!("  {times:.1} × as fast")),
    );
    let expected = workers.min(report.matched().len());
    if !report.is_complete() || report.reconnects() > 0 || report.sessions() < expected {
        println!("    {report}");
    }
}
