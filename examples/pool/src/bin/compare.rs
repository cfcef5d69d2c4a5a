//! Runs both programs on the same server and prints their times.
//!
//! ```sh
//! cargo run --release -p example-pool
//! ```
//!
//! The server is a Dovecot where one is installed, else one in this process; a proxy, or the server
//! itself, makes the round trips longer.

use std::path::Path;
use std::time::Duration;

use example_pool::{Account, Program, has_python};
use example_support::Anything;
#[cfg(unix)]
use example_support::dovecot;
use parallel_mailbox::testing::{Sample, Server};

#[allow(dead_code, clippy::unwrap_used)]
#[path = "../../../../benches/support/proxy.rs"]
mod proxy;

/// 365 MB.
const MESSAGES: usize = 5_000;

const ROUNDS: usize = 3;

/// One message at a time takes a minute over a long way, so that is run once.
const SLOW: Program = Program::Python { chunk: 1 };

fn main() -> Result<(), Anything> {
    let mut programs = vec![Program::Rust];
    if has_python() {
        programs.splice(..0, [SLOW, Program::Python { chunk: 50 }]);
    } else {
        eprintln!("there is no python3, so there is nothing to compare with");
    }
    let ours = std::env::current_exe()?
        .with_file_name(format!("example-pool{}", std::env::consts::EXE_SUFFIX));
    if !ours.is_file() {
        return Err("build the program first: cargo build --release -p example-pool".into());
    }
    println!("| round trip | sessions | program | wall | times ours |\n|--:|--:|---|--:|--:|");
    let servers = Servers::start()?;
    for round_trip in [0, 50] {
        let account = servers.account(Duration::from_millis(round_trip))?;
        for workers in [4, 8] {
            let times = measure(&programs, &account, workers, &ours, round_trip > 0)?;
            let own = times.last().copied().unwrap_or_default();
            for (program, time) in programs.iter().zip(times) {
                println!(
                    "| {round_trip} ms | {workers} | {} | {:.2} s | {:.1} |",
                    program.name(),
                    time.as_secs_f64(),
                    time.as_secs_f64() / own.as_secs_f64(),
                );
            }
        }
    }
    Ok(())
}

/// The median time of each program, in rounds of all, so that a busy moment hits all alike.
fn measure(
    programs: &[Program],
    account: &Account,
    workers: usize,
    ours: &Path,
    is_far: bool,
) -> Result<Vec<Duration>, Anything> {
    let mut times = vec![Vec::new(); programs.len()];
    let mut result: Option<Vec<u8>> = None;
    for round in 0..ROUNDS {
        for (program, times) in programs.iter().zip(&mut times) {
            if is_far && *program == SLOW && round > 0 {
                continue;
            }
            let run = program.run(account, workers, ours)?;
            if !run.output.status.success() {
                let complaint = String::from_utf8_lossy(&run.output.stderr).into_owned();
                return Err(format!("{} failed: {complaint}", program.name()).into());
            }
            let first = result.get_or_insert_with(|| run.output.stdout.clone());
            if *first != run.output.stdout {
                return Err(format!("{} says something else", program.name()).into());
            }
            times.push(run.time);
        }
    }
    Ok(times
        .into_iter()
        .map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        })
        .collect())
}

enum Servers {
    #[cfg(unix)]
    Dovecot(Box<dovecot::Dovecot>),
    InProcess(Vec<(Duration, Server)>),
}

impl Servers {
    fn start() -> Result<Self, Anything> {
        #[cfg(unix)]
        if let Some(dovecot) = dovecot::builder() {
            let dovecot = dovecot.messages(Sample::mixed(MESSAGES)).start();
            return Ok(Self::Dovecot(Box::new(dovecot)));
        }
        let start = |round_trip| {
            let server = Server::builder()
                .sample(Sample::mixed(MESSAGES))
                .latency(round_trip);
            Ok((round_trip, server.start()?))
        };
        let round_trips = [Duration::ZERO, Duration::from_millis(50)];
        Ok(Self::InProcess(
            round_trips
                .into_iter()
                .map(start)
                .collect::<Result<_, Anything>>()?,
        ))
    }

    fn account(&self, round_trip: Duration) -> Result<Account, Anything> {
        match self {
            #[cfg(unix)]
            Self::Dovecot(dovecot) => {
                let mut url = dovecot.url("INBOX");
                if !round_trip.is_zero() {
                    let port = proxy::start(dovecot.port(), round_trip)?;
                    url = url.replace(&dovecot.port().to_string(), &port.to_string());
                }
                Ok(Account {
                    url,
                    password: dovecot.password().to_owned(),
                })
            }
            Self::InProcess(servers) => {
                let server = servers.iter().find(|(time, _)| *time == round_trip);
                let (_, server) = server.ok_or("no server has this round trip")?;
                Ok(Account {
                    url: server.url(),
                    password: server.password().to_owned(),
                })
            }
        }
    }
}
