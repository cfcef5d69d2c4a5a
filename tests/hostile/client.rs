//! The client under attack, in a process of its own: what is measured there is the crate alone,
//! and whatever becomes of it, a panic or a stack used up, it takes no test along.

use std::env;
use std::fmt;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parallel_mailbox::{Builder, ParallelMailbox, Query, Report, Retry, Security, Timeouts};

use super::ledger::adds_up;
use super::server::raw;
use super::support::{memory, wait};

/// Set for the child process: its job and the port of its server.
const CHILD: &str = "PARALLEL_MAILBOX_TEST_CHILD";

/// Whoever needs longer does not end by itself.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    Connect,
    Search,
    /// With a deadline of two seconds.
    SearchBriefly,
    /// Searches, starts to read what it finds over one session, and stops at the first message.
    TakeOne,
    /// Searches, and reads what it finds with `for_each` over one session.
    ForEach,
    /// The same with `imap` over three.
    Imap,
}

/// How it went.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The error that ended it; empty if none did.
    pub(crate) error: String,
    /// The errors of single messages.
    pub(crate) failed: Vec<String>,
    pub(crate) delivered: usize,
    pub(crate) unfinished: usize,
    /// How many messages the search found.
    pub(crate) found: usize,
    /// In octets.
    pub(crate) peak: u64,
    /// The same when the first message had come, before there was a report.
    pub(crate) planned: u64,
    pub(crate) time: Duration,
}

impl fmt::Display for Outcome {
    /// One line for whoever wants the figures.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match self.failed.first() {
            Some(failed) if self.error.is_empty() => failed,
            _ => &self.error,
        };
        let shown: String = error.chars().take(120).collect();
        let (peak, time) = (self.peak / 1_000_000, self.time);
        write!(f, "peak {peak} MB in {time:.1?}: {shown}")
    }
}

/// Lets a child do its job against the server on this port.
///
/// # Panics
///
/// If it does not end by itself, or not well.
pub(crate) fn run(job: Job, port: u16) -> Outcome {
    let started = Instant::now();
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_client_under_attack", "--nocapture"])
        .env(CHILD, format!("{job:?} {port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = collect(child.stdout.take().unwrap());
    let complaint = collect(child.stderr.take().unwrap());
    let mut status = None;
    let has_ended = wait::until(PATIENCE, || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    if !has_ended {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let [said, complaint] = [said, complaint].map(|thread| thread.join().unwrap());
    assert!(
        has_ended,
        "{job:?} does not end by itself: {said}\n{complaint}"
    );
    let status = status.unwrap();
    assert!(status.success(), "{job:?}: {status}: {said}\n{complaint}");
    Outcome {
        time: started.elapsed(),
        ..read(&said)
    }
}

/// Reads to the end on a thread, so that a child that says much is not held up.
fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut octets = Vec::new();
        pipe.read_to_end(&mut octets).unwrap();
        String::from_utf8_lossy(&octets).into_owned()
    })
}

fn read(said: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for line in said.lines() {
        let Some((word, rest)) = line.split_once(' ') else {
            continue;
        };
        match word {
            "error" => rest.clone_into(&mut outcome.error),
            "failed" => outcome.failed.push(rest.to_owned()),
            "delivered" => outcome.delivered = rest.parse().unwrap(),
            "unfinished" => outcome.unfinished = rest.parse().unwrap(),
            "found" => outcome.found = rest.parse().unwrap(),
            "planned" => outcome.planned = rest.parse().unwrap(),
            "peak" => outcome.peak = rest.parse().unwrap(),
            _ => {}
        }
    }
    outcome
}

/// The child's part. Returns at once in any other process.
pub(crate) fn play() {
    let Ok(order) = env::var(CHILD) else {
        return;
    };
    let (job, port) = order.split_once(' ').unwrap();
    // The harness has begun a line.
    println!();
    if let Err(error) = work(job, port.parse().unwrap()) {
        println!("error {error}");
    }
    println!("peak {}", memory::peak_octets().unwrap_or(0));
}

fn work(job: &str, port: u16) -> parallel_mailbox::Result<()> {
    let workers = if job == "Imap" { 3 } else { 1 };
    let mailbox = builder(job, port).workers(workers).connect()?;
    if job == "Connect" {
        return Ok(());
    }
    let matches = mailbox.search(Query::all())?;
    println!("found {}", matches.len());
    if job.starts_with("Search") {
        return Ok(());
    }
    let check = |message: parallel_mailbox::Message| {
        // Whatever an enemy sent for message 2, the others must be themselves.
        let uid = message.uid().get();
        assert!(
            uid == 2 || message.raw() == raw(uid).as_bytes(),
            "message {uid}"
        );
    };
    if job == "TakeOne" {
        let mut run = matches.imap(check);
        run.next().unwrap()?;
        println!("planned {}", memory::peak_octets().unwrap_or(0));
        return Ok(());
    }
    let result = match job {
        "ForEach" => matches.for_each(check).map(drop),
        // Items are the failed messages as well; the last may be the run's own error.
        _ => matches
            .imap(check)
            .filter_map(Result::err)
            .find(|error| error.is_fatal())
            .map_or(Ok(()), Err),
    };
    tell(&matches.last_report().unwrap());
    result
}

/// Short deadlines and few tries, so that each attack is over soon.
fn builder(job: &str, port: u16) -> Builder {
    let search = if job == "SearchBriefly" { 2 } else { 60 };
    let timeouts = Timeouts::default()
        .connect(Duration::from_secs(4))
        .read(Duration::from_secs(2))
        .write(Duration::from_secs(2))
        .search(Duration::from_secs(search))
        .session(Duration::from_secs(4));
    let retry = Retry::default()
        .attempts(2)
        .initial_delay(Duration::from_millis(10))
        .max_delay(Duration::from_millis(50));
    ParallelMailbox::builder("127.0.0.1")
        .port(port)
        .security(Security::DangerPlaintext)
        .login("me", "secret")
        .timeouts(timeouts)
        .retry(retry)
}

/// The report, after a look at whether it adds up.
fn tell(report: &Report) {
    assert!(adds_up(report), "{report}");
    assert!(report.gone().is_empty(), "{report}");
    println!("delivered {}", report.delivered().len());
    println!("unfinished {}", report.unfinished().len());
    for (_, error) in report.failed() {
        println!("failed {error}");
    }
}
