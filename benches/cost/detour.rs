//! What the delaying proxy itself does to a figure: its cost where there is nothing to delay, and
//! how exact its delays are.

use std::io::{BufRead, BufReader, Write};
use std::time::Instant;

use crate::bench_support::kind::Kind;
use crate::filter::Filter;
use crate::job::Job;
use crate::place::{Mailbox, Places, Software, Way};
use crate::rivals::connection::Connector;
use crate::rounds;

const ROUNDS: usize = 5;
const COMMANDS: usize = 20;

/// Measures and prints.
pub(crate) fn table(filter: &Filter, places: &mut Places) {
    let mut is_begun = false;
    for kind in Kind::ALL {
        for sessions in [4, 8] {
            let times = format!("x{sessions}");
            let words = [
                "proxy",
                "dovecot",
                kind.name(),
                "0",
                "plain",
                "count",
                &times,
            ];
            if !filter.wants(&words) {
                continue;
            }
            let mut measure = |way| {
                let target = places.find(Software::Dovecot, Mailbox::usual(kind), way, 0)?;
                let jobs = ["raw", "for_each"].map(|run| Job::new(run, sessions));
                let costs = rounds::medians(&target, &jobs, ROUNDS);
                Some([costs[0].wall, costs[1].wall])
            };
            let (Some(direct), Some(detour)) = (measure(Way::Plain), measure(Way::Proxy)) else {
                continue;
            };
            if !is_begun {
                println!(
                    "\n## The proxy\n\n\
                     Dovecot has no latency of its own, so a proxy in another process adds it, for \
                     whoever reads alike. What the detour costs where it adds none, wall:\n\n\
                     | messages | sessions | raw reader | through the proxy | of direct \
                     | `for_each` | through the proxy | of direct |\n\
                     |---|--:|--:|--:|--:|--:|--:|--:|"
                );
                is_begun = true;
            }
            let cells = [0, 1].map(|index| {
                let (direct, detour) = (direct[index] * 1e3, detour[index] * 1e3);
                format!("{direct:.0} ms | {detour:.0} ms | {:.2}", detour / direct)
            });
            println!("| {} | {sessions} | {} |", kind.name(), cells.join(" | "));
        }
    }
    let mut is_begun = false;
    for round_trip in [0, 10, 50, 100] {
        if !filter.wants(&["proxy", "dovecot", &round_trip.to_string(), "plain"]) {
            continue;
        }
        let mailbox = Mailbox::usual(Kind::Small);
        let target = places.find(Software::Dovecot, mailbox, Way::Proxy, round_trip);
        let Some(target) = target else {
            continue;
        };
        if !is_begun {
            println!(
                "\nHow long one command (NOOP) takes through it, {COMMANDS} times:\n\n\
                 | round trip | shortest | median | longest |\n|--:|--:|--:|--:|"
            );
            is_begun = true;
        }
        let mut connection = BufReader::new(Connector::new(&target).connect());
        let mut line = String::new();
        connection.read_line(&mut line).unwrap();
        let mut times: Vec<f64> = (0..COMMANDS)
            .map(|_| {
                let begun = Instant::now();
                connection.get_mut().write_all(b"a NOOP\r\n").unwrap();
                connection.read_line(&mut line).unwrap();
                begun.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let [shortest, middle, longest] = [0, COMMANDS / 2, COMMANDS - 1].map(|at| times[at]);
        println!("| {round_trip} ms | {shortest:.2} ms | {middle:.2} ms | {longest:.2} ms |");
    }
}
