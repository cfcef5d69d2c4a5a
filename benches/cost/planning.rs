//! What it takes to know a million messages, before any is fetched.

use crate::bench_support::kind::Kind;
use crate::figures::Figure;
use crate::filter::Filter;
use crate::job::Job;
use crate::place::{Mailbox, Places, Software, Way};
use crate::rounds;

const ROUNDS: usize = 3;

/// Measures and prints; returns the figure of memory.
pub(crate) fn table(filter: &Filter, places: &mut Places) -> Option<Figure> {
    if !filter.wants(&["planning", "in-process", "0", "plain"]) {
        return None;
    }
    println!(
        "\n## Planning\n\n\
         Connecting and searching for all, nothing fetched, on the in-process server; medians of \
         {ROUNDS} rounds.\n\n\
         | messages | UIDs | wall | CPU | peak | added |\n|--:|---|--:|--:|--:|--:|"
    );
    let one = Mailbox::new(Kind::Small, 1);
    let million = Mailbox::new(Kind::Small, 1_000_000).repeating(1_000);
    let mut least = None;
    let mut added = Vec::new();
    for (mailbox, uids) in [
        (one, "one"),
        (million, "without gaps"),
        (million.with_step(2), "every other"),
    ] {
        let target = places.find(Software::InProcess, mailbox, Way::Plain, 0)?;
        let cost = rounds::medians(&target, &[Job::new("search", 8)], ROUNDS)[0];
        let peak = cost.peak_megabytes;
        let more = peak - *least.get_or_insert(peak);
        println!(
            "| {} | {uids} | {:.1} ms | {:.1} ms | {peak:.1} MB | {more:.1} MB |",
            mailbox.messages,
            cost.wall * 1e3,
            cost.cpu * 1e3,
        );
        if mailbox.messages > 1 {
            added.push((uids.to_owned(), more));
        }
        places.free();
    }
    Some(Figure::new(
        "peak memory added by planning 1,000,000 messages",
        32.0,
        " MB",
        added,
    ))
}
