//! How long it takes from nothing to the first message, in round trips: the difference between the
//! times with and without 50 ms of round trip, so that what the CPUs have to do is not counted. And
//! how long sessions are without work at the end.

use crate::bench_support::kind::Kind;
use crate::filter::Filter;
use crate::job::Job;
use crate::place::{Mailbox, Places, Software, Way};
use crate::rounds;

const ROUND_TRIP: u64 = 50;
const ROUNDS: usize = 3;

/// Measures and prints.
pub(crate) fn table(filter: &Filter, places: &mut Places) {
    let mut is_begun = false;
    for (software, software_name, way, way_name) in [
        (Software::Dovecot, "dovecot", Way::Proxy, "plain"),
        (Software::Dovecot, "dovecot", Way::Tls, "tls"),
        (Software::InProcess, "in-process", Way::Plain, "plain"),
    ] {
        for sessions in [1, 8] {
            let times = format!("x{sessions}");
            let words = [
                "set-up",
                software_name,
                "mixed",
                "50",
                way_name,
                "count",
                &times,
            ];
            if !filter.wants(&words) {
                continue;
            }
            let mailbox = Mailbox::usual(Kind::Mixed);
            let mut measure = |round_trip| {
                let target = places.find(software, mailbox, way, round_trip)?;
                let jobs = ["raw", "raw-in-order", "for_each"].map(|run| Job {
                    arrivals: true,
                    ..Job::new(run, sessions)
                });
                let costs = rounds::medians(&target, &jobs, ROUNDS);
                Some(jobs.into_iter().zip(costs).collect::<Vec<_>>())
            };
            let (Some(near), Some(far)) = (measure(0), measure(ROUND_TRIP)) else {
                continue;
            };
            if !is_begun {
                println!(
                    "\n## The beginning and the end\n\n\
                     From nothing to the first message, and until every session has had one, of \
                     `mixed`; medians of {ROUNDS} rounds. Round trips are the difference to the \
                     time without any, which stands beside it. On the way to Dovecot the TCP \
                     handshake counts as one; the raw reader does not search. In order \
                     means: one session first, which searches while the others connect, and no \
                     message asked for before that is done; without any wait beyond. Idle is the time from \
                     a session's last message to the last of all, on average.\n\n\
                     | server | | sessions | by | first at 0 ms | at {ROUND_TRIP} ms | round trips \
                     | last at {ROUND_TRIP} ms | wall | idle at the end |\n\
                     |---|---|--:|---|--:|--:|--:|--:|--:|--:|"
                );
                is_begun = true;
            }
            for ((job, near), (_, far)) in near.iter().zip(&far) {
                println!(
                    "| {software_name} | {way_name} | {sessions} | {} | {:.0} ms | {:.0} ms \
                     | {:.1} | {:.0} ms | {:.0} ms | {:.0} ms |",
                    crate::runs::name(&job.run),
                    near.first * 1e3,
                    far.first * 1e3,
                    (far.first - near.first) * 1e3 / ROUND_TRIP as f64,
                    far.last * 1e3,
                    far.wall * 1e3,
                    far.idle * 1e3,
                );
            }
        }
    }
    places.free();
}
