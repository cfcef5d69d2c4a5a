//! What one job costs the client: wall time, CPU time and peak memory, in multiples of what a raw
//! reader needs, each job in a process of its own and the servers in others.
//!
//! ```sh
//! cargo bench --bench cost                           # all tables, in Markdown
//! cargo bench --bench cost -- dovecot small 50       # the part of them that these words describe
//! cargo bench --bench cost -- instructions           # by callgrind; takes words, too
//! ```
//!
//! To look into one job with `perf` or `valgrind`, start the program itself, which
//! `cargo bench --bench cost --no-run` names, in two terminals:
//!
//! ```sh
//! cost-… serve kind=small messages=20000 round_trip=50          # says its port, ends with Ctrl-D
//! cost-… job run=for_each sessions=4 port=PORT user=me password=secret messages=20000
//! ```

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "../support/mod.rs"]
mod bench_support;
#[path = "../rivals/mod.rs"]
mod rivals;
#[path = "../../tests/support/mod.rs"]
mod support;

mod detour;
mod figures;
mod filter;
mod helper;
mod instructions;
mod job;
mod length;
mod machine;
mod place;
mod planning;
mod rounds;
mod runs;
mod scaling;
mod set_up;
mod slow;
mod words;

use std::process::ExitCode;
use std::time::Instant;

use bench_support::kind::Kind;
use filter::Filter;
use job::Job;
use place::{Mailbox, Places, Software, Way};

fn main() -> ExitCode {
    let is_a_check = bench_support::is_a_check();
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    arguments.retain(|word| word != "--bench");
    match arguments.first().map(String::as_str) {
        Some("serve") => place::serve(&arguments[1..]),
        Some("delay") => place::delay(&arguments[1..]),
        Some("job") => job::main(&arguments[1..]),
        _ if is_a_check => check(),
        Some("instructions") => return with_filter(&arguments[1..], only_instructions),
        _ => return with_filter(&arguments, all),
    }
    ExitCode::SUCCESS
}

fn with_filter(words: &[String], work: fn(&Filter)) -> ExitCode {
    match Filter::new(words) {
        Ok(filter) => work(&filter),
        Err(error) => {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn all(filter: &Filter) {
    let begun = Instant::now();
    println!("{}", machine::description());
    let mut places = Places::default();
    let rows = runs::table(filter, &mut places);
    scaling::table(filter, &mut places);
    detour::table(filter, &mut places);
    set_up::table(filter, &mut places);
    slow::table(filter, &mut places);
    let length = length::table(filter, &mut places);
    let planning = planning::table(filter, &mut places);
    let mut figures = figures::of_runs(&rows);
    figures.extend(length);
    figures.extend(planning);
    figures::print(&figures);
    let restless = runs::restless(&rows);
    println!(
        "\nMeasured in {} s. In {} of {} rows of the main table the slowest round took over {} \
         times as long as the fastest, because the machine had other things to do.",
        begun.elapsed().as_secs(),
        restless,
        rows.len(),
        rounds::RESTLESS,
    );
}

fn only_instructions(filter: &Filter) {
    println!("{}", machine::description());
    instructions::table(filter, &mut Places::default());
}

/// Not a benchmark, only whether everything starts: each job once, on very few messages.
fn check() {
    let mut places = Places::default();
    let mailbox = Mailbox::new(Kind::Small, 20);
    let target = places.find(Software::InProcess, mailbox, Way::Plain, 0);
    let target = target.unwrap();
    let jobs: Vec<_> = ["raw", "imap-crate"]
        .into_iter()
        .chain(rivals::ours::RUNS)
        .map(|run| Job::new(run, 2))
        .collect();
    rounds::medians(&target, &jobs, 1);
}
