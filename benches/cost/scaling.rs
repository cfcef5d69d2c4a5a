//! What more sessions bring: wall times by their number, on ways of all lengths, plain and over TLS.
//! The default number of workers is chosen from this.

use crate::bench_support::kind::Kind;
use crate::filter::Filter;
use crate::job::Job;
use crate::place::{Mailbox, Places, Software, Way};
use crate::rounds;

const SESSIONS: [usize; 5] = [1, 2, 4, 8, 16];
const ROUNDS: usize = 3;

/// Measures and prints.
pub(crate) fn table(filter: &Filter, places: &mut Places) {
    let mut is_begun = false;
    for (software, software_name, ways) in [
        (Software::Dovecot, "dovecot", &[Way::Plain, Way::Tls][..]),
        (Software::InProcess, "in-process", &[Way::Plain]),
    ] {
        for (&way, kind) in ways
            .iter()
            .flat_map(|way| Kind::ALL.map(|kind| (way, kind)))
        {
            for round_trip in [0, 10, 50, 100] {
                let way_name = if way == Way::Tls { "tls" } else { "plain" };
                let far = round_trip.to_string();
                let wants = |sessions: usize| {
                    let times = format!("x{sessions}");
                    let kind = kind.name();
                    let words = [
                        "scaling",
                        software_name,
                        kind,
                        &far,
                        way_name,
                        "count",
                        &times,
                    ];
                    filter.wants(&words)
                };
                if !SESSIONS.into_iter().any(wants) {
                    continue;
                }
                let Some(target) = places.find(software, Mailbox::usual(kind), way, round_trip)
                else {
                    continue;
                };
                if !is_begun {
                    println!(
                        "\n## Sessions\n\n\
                         Wall of `for_each` by the number of sessions, set-up included; medians of \
                         {ROUNDS} rounds. In parentheses, what the last doubling brought.\n\n\
                         | server | | messages | round trip | 1 | 2 | 4 | 8 | 16 |\n\
                         |---|---|---|--:|--:|--:|--:|--:|--:|"
                    );
                    is_begun = true;
                }
                let jobs = SESSIONS.map(|sessions| Job::new("for_each", sessions));
                let costs = rounds::calm_medians(&target, &jobs, ROUNDS);
                let walls: Vec<f64> = costs.iter().map(|cost| cost.wall).collect();
                let mut cells = vec![format!("{:.0} ms", walls[0] * 1e3)];
                for pair in walls.windows(2) {
                    let ratio = pair[0] / pair[1];
                    cells.push(format!("{:.0} ms ({ratio:.2})", pair[1] * 1e3));
                }
                println!(
                    "| {software_name} | {way_name} | {} | {round_trip} ms | {} |",
                    kind.name(),
                    cells.join(" | ")
                );
            }
            places.free();
        }
    }
}
