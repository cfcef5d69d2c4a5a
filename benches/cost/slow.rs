//! Closures that take longer than the messages need to come: the CPUs are to be busy with them, and
//! with nothing else to wait for. The limit is their CPU time, shared out to all CPUs.

use crate::bench_support::kind::Kind;
use crate::filter::Filter;
use crate::job::Job;
use crate::place::{Mailbox, Places, Software, Way};
use crate::rivals::{Task, WORK};
use crate::rounds;

const MESSAGES: usize = 400;
const ROUNDS: usize = 3;

/// Measures and prints.
pub(crate) fn table(filter: &Filter, places: &mut Places) {
    let cpus = num_cpus::get();
    let limit = WORK.as_secs_f64() * MESSAGES as f64 / cpus as f64;
    let mut is_begun = false;
    for round_trip in [0, 50] {
        for sessions in [4, 8] {
            let (times, far) = (format!("x{sessions}"), round_trip.to_string());
            let words = ["slow", "in-process", "small", &far, "plain", "work", &times];
            if !filter.wants(&words) {
                continue;
            }
            let mailbox = Mailbox::new(Kind::Small, MESSAGES);
            let Some(target) = places.find(Software::InProcess, mailbox, Way::Plain, round_trip)
            else {
                return;
            };
            if !is_begun {
                println!(
                    "\n## Slow closures\n\n\
                     {MESSAGES} small messages, {} ms of CPU time for each, on {cpus} CPUs: {:.0} ms \
                     at the least. In-process server, medians of {ROUNDS} rounds.\n\n\
                     | round trip | sessions | by | wall | of the least |\n|--:|--:|---|--:|--:|",
                    WORK.as_millis(),
                    limit * 1e3,
                );
                is_begun = true;
            }
            let jobs = ["raw", "for_each", "imap", "imap_unordered"].map(|run| Job {
                task: Task::Work,
                ..Job::new(run, sessions)
            });
            for (job, cost) in jobs.iter().zip(rounds::medians(&target, &jobs, ROUNDS)) {
                println!(
                    "| {round_trip} ms | {sessions} | {} | {:.0} ms | {:.2} |",
                    crate::runs::name(&job.run),
                    cost.wall * 1e3,
                    cost.wall / limit,
                );
            }
        }
    }
    places.free();
}
