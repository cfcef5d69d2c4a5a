//! What one job costs the client: wall time, CPU time and peak memory, each job in a process of its
//! own, the server in another: Dovecot where it is installed, and the in-process server.
//!
//! ```sh
//! cargo bench --bench cost                                        # a table
//! cargo bench --bench cost -- job PORT USER PASSWORD MESSAGES RUN WORKERS
//! ```
//!
//! The second form does one job once, for `valgrind --tool=callgrind` or `perf`.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

mod rivals;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use parallel_mailbox::testing::{Sample, Server};
use rivals::{Target, imap_crate, ours, raw};

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", sample, messages] => serve(sample, messages.parse().unwrap()),
        ["job", port, user, password, messages, run, workers] => {
            let (port, messages) = (port.parse().unwrap(), messages.parse().unwrap());
            let target = Target {
                port,
                user,
                password,
                messages,
            };
            job(target, run, workers.parse().unwrap());
        }
        // `cargo test --benches` only wants to know that it starts.
        ["--test"] => {}
        _ => table(),
    }
}

fn sample(name: &str, messages: usize) -> Sample {
    if name == "mixed" {
        Sample::mixed(messages)
    } else {
        Sample::small(messages)
    }
}

/// Serves until standard input is closed.
fn serve(name: &str, messages: usize) {
    let server = Server::builder()
        .sample(sample(name, messages))
        .start()
        .unwrap();
    println!("port {}", server.port());
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

fn job(target: Target<'_>, run: &str, workers: usize) {
    let before = Instant::now();
    let octets = match run {
        "raw" => raw::read(target, workers),
        "imap-crate" => imap_crate::read(target, workers),
        run => ours::read(target, workers, run),
    };
    let wall = before.elapsed().as_secs_f64();
    let peak = support::memory::peak_octets().unwrap_or(0) as f64 / 1e6;
    println!("result {wall} {} {peak} {octets}", cpu_seconds());
}

/// User and system time of this process, from `/proc`; 0 where there is none.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

fn own(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments).stdout(Stdio::piped());
    command
}

fn word_after(child: &mut Child, word: &str) -> String {
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = output.lines().map(Result::unwrap);
    lines
        .find_map(|line| line.strip_prefix(word).map(str::to_owned))
        .unwrap()
}

fn table() {
    println!("| server | messages | sessions | job | wall | of raw | CPU | of raw | peak |");
    println!("|---|---|--:|---|--:|--:|--:|--:|--:|");
    for (name, messages) in [("mixed", 5_000), ("small", 20_000)] {
        if let Some(options) = support::dovecot::dovecot_or_skip() {
            let messages_of = sample(name, messages).into_iter();
            let dovecot = options
                .messages(messages_of.map(|message| message.raw().to_vec()))
                .start();
            let (user, password) = (dovecot.user(), dovecot.password());
            let target = Target {
                port: dovecot.plain_port(),
                user,
                password,
                messages,
            };
            rows("Dovecot", name, target);
        }
        let mut server = own(&["serve", name, &messages.to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let port = word_after(&mut server, "port ").parse().unwrap();
        rows(
            "in-process",
            name,
            Target {
                port,
                user: "me",
                password: "secret",
                messages,
            },
        );
        drop(server.stdin.take());
        server.wait().unwrap();
    }
}

fn rows(server: &str, name: &str, target: Target<'_>) {
    const ROUNDS: usize = 5;
    const JOBS: [&str; 6] = [
        "raw",
        "for_each",
        "map",
        "imap",
        "imap_unordered",
        "imap-crate",
    ];
    for workers in [4, 8] {
        // One after the other, so that a busy moment hits all alike.
        let mut results = JOBS.map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for (job, results) in JOBS.iter().zip(&mut results) {
                let (port, messages) = (target.port.to_string(), target.messages.to_string());
                let workers = workers.to_string();
                let arguments = [
                    "job",
                    &port,
                    target.user,
                    target.password,
                    &messages,
                    job,
                    &workers,
                ];
                let mut child = own(&arguments).spawn().unwrap();
                let result = word_after(&mut child, "result ");
                child.wait().unwrap();
                let numbers: Vec<f64> = result
                    .split(' ')
                    .map(|number| number.parse().unwrap())
                    .collect();
                results.push([numbers[0], numbers[1], numbers[2]]);
            }
        }
        let medians = results.map(|rows| {
            [0, 1, 2].map(|column| {
                let mut values: Vec<f64> = rows.iter().map(|row: &[f64; 3]| row[column]).collect();
                values.sort_by(f64::total_cmp);
                values[values.len() / 2]
            })
        });
        for (job, [wall, cpu, peak]) in JOBS.iter().zip(medians) {
            let [raw_wall, raw_cpu, _] = medians[0];
            println!(
                "| {server} | {name} | {workers} | {job} | {wall:.3} s | {:.2} | {cpu:.2} s | {:.2} | {peak:.0} MB |",
                wall / raw_wall,
                cpu / raw_cpu.max(0.01),
            );
        }
    }
}
