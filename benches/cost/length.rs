//! A mailbox ten times as long: what a message costs, and that memory stays flat, up to a million
//! messages. On the in-process server, whose messages share their octets.

use crate::bench_support::kind::Kind;
use crate::figures::Figure;
use crate::filter::Filter;
use crate::job::{Cost, Job};
use crate::place::{Mailbox, Places, Software, Way};
use crate::rivals::Extent;
use crate::rounds;

const SESSIONS: usize = 8;
const ROUNDS: usize = 3;

const CASES: [(&str, Kind, Extent, usize); 4] = [
    ("count", Kind::Mixed, Extent::Full, 5_000),
    ("count", Kind::Small, Extent::Full, 20_000),
    ("headers", Kind::Small, Extent::Headers, 100_000),
    ("metadata", Kind::Small, Extent::Metadata, 100_000),
];

/// Measures and prints; returns the figures of memory.
pub(crate) fn table(filter: &Filter, places: &mut Places) -> Option<Figure> {
    let mut peaks = Vec::new();
    let mut is_begun = false;
    for (task, kind, extent, short) in CASES {
        if !filter.wants(&[
            "length",
            "in-process",
            kind.name(),
            "0",
            "plain",
            task,
            "x8",
        ]) {
            continue;
        }
        if !is_begun {
            println!(
                "\n## A mailbox ten times as long\n\n\
                 In-process server, {SESSIONS} sessions, medians of {ROUNDS} rounds.\n\n\
                 | messages | fetched | | by | wall | of raw | messages/s | wall/message \
                 | CPU/message | peak |\n|---|---|--:|---|--:|--:|--:|--:|--:|--:|"
            );
            is_begun = true;
        }
        for messages in [short, 10 * short] {
            let distinct = if extent == Extent::Full { short } else { 1_000 };
            let mailbox = Mailbox::new(kind, messages).repeating(distinct);
            let target = places.find(Software::InProcess, mailbox, Way::Plain, 0)?;
            let jobs = ["raw", "for_each"].map(|run| Job {
                extent,
                ..Job::new(run, SESSIONS)
            });
            let costs = rounds::medians(&target, &jobs, ROUNDS);
            for (job, cost) in jobs.iter().zip(&costs) {
                let Cost {
                    wall,
                    cpu,
                    peak_megabytes,
                    ..
                } = *cost;
                let count = messages as f64;
                println!(
                    "| {} | {} | {messages} | {} | {:.0} ms | {:.2} | {:.0} | {:.2} µs | {:.2} µs \
                     | {peak_megabytes:.1} MB |",
                    kind.name(),
                    if extent == Extent::Full {
                        "whole"
                    } else {
                        task
                    },
                    crate::runs::name(&job.run),
                    wall * 1e3,
                    wall / costs[0].wall,
                    count / wall,
                    wall / count * 1e6,
                    cpu / count * 1e6,
                );
            }
            let what = format!(
                "{messages} {}",
                if extent == Extent::Full {
                    kind.name()
                } else {
                    task
                }
            );
            peaks.push((what, costs[1].peak_megabytes));
            places.free();
        }
    }
    let what = "peak memory, 8 sessions, in-process server, ten times as long";
    Some(Figure::new(what, 32.0, " MB", peaks))
}
