//! The same job (count the octets of all bodies, set-up included) by a raw reader that discards,
//! by the `imap` crate, and by this crate, over one, two, four and eight sessions; small and mixed
//! messages; no latency and 20 ms. The server is in the same process, so ratios are what counts;
//! a table of them comes last.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod rivals;

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use parallel_mailbox::testing::{Sample, Server};
use rivals::{Target, imap_crate, ours, raw};

const WORKERS: [usize; 4] = [1, 2, 4, 8];

fn server(sample: Sample, latency: u64) -> Server {
    Server::builder()
        .sample(sample)
        .latency(Duration::from_millis(latency))
        .start()
        .unwrap()
}

fn places() -> Vec<(&'static str, usize, u64, Server)> {
    [0, 20]
        .into_iter()
        .flat_map(|latency| {
            [
                (
                    "small",
                    20_000,
                    latency,
                    server(Sample::small(20_000), latency),
                ),
                (
                    "mixed",
                    5_000,
                    latency,
                    server(Sample::mixed(5_000), latency),
                ),
            ]
        })
        .collect()
}

fn target(server: &Server, messages: usize) -> Target<'_> {
    Target {
        port: server.port(),
        user: server.user(),
        password: server.password(),
        messages,
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let places = places();
    for (name, messages, latency, server) in &places {
        let target = target(server, *messages);
        let mut group = criterion.benchmark_group(format!("{name}, {latency} ms"));
        group
            .sampling_mode(SamplingMode::Flat)
            .throughput(Throughput::Elements(*messages as u64));
        for workers in WORKERS {
            group.bench_function(BenchmarkId::new("raw reader", workers), |bencher| {
                bencher.iter(|| raw::read(target, workers));
            });
            for run in ["for_each", "imap", "imap_unordered", "map"] {
                group.bench_function(BenchmarkId::new(run, workers), |bencher| {
                    bencher.iter(|| ours::read(target, workers, run));
                });
            }
        }
        group.bench_function(BenchmarkId::new("imap crate", 4), |bencher| {
            bencher.iter(|| imap_crate::read(target, 4));
        });
        group.finish();
    }
    criterion.final_summary();
    ratios(&places);
}

/// Wall time in multiples of the raw reader's, alternating, so that a busy moment hits all alike.
fn ratios(places: &[(&str, usize, u64, Server)]) {
    const ROUNDS: usize = 7;
    println!(
        "\nwall time as a multiple of the raw reader's over as many sessions (median of {ROUNDS})\n"
    );
    println!(
        "| messages | latency | sessions | raw reader | for_each | imap | imap_unordered | imap crate |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for (name, messages, latency, server) in places {
        let target = target(server, *messages);
        for workers in [1, 4, 8] {
            let mut times = [const { Vec::new() }; 5];
            for _ in 0..ROUNDS {
                let mut time = |index: usize, job: &dyn Fn() -> u64| {
                    let before = Instant::now();
                    std::hint::black_box(job());
                    times[index].push(before.elapsed().as_secs_f64());
                };
                time(0, &|| raw::read(target, workers));
                time(1, &|| ours::read(target, workers, "for_each"));
                time(2, &|| ours::read(target, workers, "imap"));
                time(3, &|| ours::read(target, workers, "imap_unordered"));
                if workers == 4 {
                    time(4, &|| imap_crate::read(target, workers));
                }
            }
            let median = |mut times: Vec<f64>| {
                times.sort_by(f64::total_cmp);
                times.get(times.len() / 2).copied()
            };
            let [raw, others @ ..] = times.map(median);
            let raw = raw.unwrap();
            let cells =
                others.map(|time| time.map_or(String::new(), |time| format!("{:.2}", time / raw)));
            println!(
                "| {name} | {latency} ms | {workers} | {:.0} ms | {} |",
                raw * 1e3,
                cells.join(" | ")
            );
        }
    }
}
