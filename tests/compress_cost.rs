//! What compression costs and saves, over a line of limited bandwidth that the sessions share. It
//! prints a table and asserts no time:
//!
//! ```sh
//! cargo test --release --test compress_cost -- --ignored --nocapture
//! ```

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod counted;
mod support;

use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Instant;

use counted::counted;
use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{ParallelMailbox, Query, Security};

const WORKERS: usize = 4;

/// Set for the child process that reads: the port, and whether it compresses.
const CHILD: &str = "PARALLEL_MAILBOX_TEST_CHILD";

#[test]
#[ignore = "a measurement of two minutes, for an optimised build"]
fn wall_time_octets_and_processor_time_with_and_without() {
    if let Ok(job) = std::env::var(CHILD) {
        return read(&job);
    }
    println!("| messages | line | compressed | wall | octets | ratio | client CPU | peak |");
    println!("|---|--:|---|--:|--:|--:|--:|--:|");
    for (name, sample) in [
        ("400 mixed", Sample::mixed(400)),
        ("5,000 small", Sample::small(5_000)),
    ] {
        for megabytes_per_second in [Some(2), Some(20), Some(100), None] {
            let server = Server::builder().sample(sample.clone()).compress(true);
            let server = match megabytes_per_second {
                Some(megabytes) => server.total_bandwidth(megabytes * 1_000_000),
                None => server,
            };
            let server = server.start().unwrap();
            let line = megabytes_per_second.map_or("loopback".to_owned(), |m| format!("{m} MB/s"));
            let mut without = 0.0;
            for compress in [false, true] {
                let output = Command::new(std::env::current_exe().unwrap())
                    .args([
                        "--exact",
                        "wall_time_octets_and_processor_time_with_and_without",
                        "--ignored",
                        "--nocapture",
                    ])
                    .env(CHILD, format!("{} {compress}", server.port()))
                    .output()
                    .unwrap();
                let shown = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success(), "{shown}");
                let result = shown
                    .lines()
                    .find_map(|line| line.strip_prefix("result "))
                    .unwrap();
                let numbers: Vec<f64> = result
                    .split(' ')
                    .map(|number| number.parse().unwrap())
                    .collect();
                let [wall, octets, cpu, peak] = numbers[..] else {
                    panic!("{result}");
                };
                if !compress {
                    without = octets;
                }
                println!(
                    "| {name} | {line} | {} | {wall:.2} s | {:.1} MB | {:.2} | {cpu:.2} s | {:.0} MB |",
                    if compress { "yes" } else { "no" },
                    octets / 1e6,
                    octets / without,
                    peak / 1e6,
                );
            }
        }
    }
}

fn read(job: &str) {
    let (port, compress) = job.split_once(' ').unwrap();
    let started = Instant::now();
    let builder = ParallelMailbox::builder("127.0.0.1")
        .port(port.parse().unwrap())
        .security(Security::DangerPlaintext)
        .login("me", "secret")
        .workers(WORKERS);
    let (builder, octets) = counted(builder);
    let mailbox = builder
        .compress(compress.parse().unwrap())
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let report = matches.for_each(drop).unwrap();
    let wall = started.elapsed().as_secs_f64();
    assert_eq!(report.delivered(), report.matched());
    println!(
        "\nresult {wall} {} {} {}",
        octets.load(Ordering::Relaxed),
        cpu_seconds(),
        support::memory::peak_octets().unwrap()
    );
}

/// User and system time of this process, of proc_pid_stat(5), in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}
