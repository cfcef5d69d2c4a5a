//! For regressions: the same job (count the octets of all bodies, set-up included) by the raw
//! reader, by this crate and by the `imap` crate, over four and eight sessions; small and mixed
//! messages; no latency and 20 ms. The server is in the same process. What the crate costs in
//! multiples of the others is for `cargo bench --bench cost` to say.

#![allow(clippy::unwrap_used, missing_docs)]

mod rivals;
mod support;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use parallel_mailbox::testing::Server;
use rivals::{Extent, Job, Target, Task, imap_crate, ours, raw};
use support::kind::Kind;

const SESSIONS: [usize; 2] = [4, 8];

fn job(sessions: usize) -> Job<'static> {
    Job {
        sessions,
        extent: Extent::Full,
        task: Task::Count,
        arrivals: None,
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    // A check that it starts need not wait for 400 MB of messages to be made.
    let divisor = if support::is_a_check() { 100 } else { 1 };
    for round_trip in [0, 20] {
        for kind in Kind::ALL {
            let messages = kind.messages() / divisor;
            let server = Server::builder()
                .sample(kind.sample(messages))
                .latency(Duration::from_millis(round_trip))
                .start()
                .unwrap();
            let target = Target {
                port: server.port(),
                user: server.user().to_owned(),
                password: server.password().to_owned(),
                messages,
                octets_each: kind.octets_each(),
                root: None,
            };
            let mut group = criterion.benchmark_group(format!("{}, {round_trip} ms", kind.name()));
            group
                .sampling_mode(SamplingMode::Flat)
                .throughput(Throughput::Elements(messages as u64));
            for sessions in SESSIONS {
                group.bench_function(BenchmarkId::new("raw reader", sessions), |bencher| {
                    bencher.iter(|| raw::read(&target, job(sessions)));
                });
                for run in ["for_each", "imap", "imap_unordered", "map"] {
                    group.bench_function(BenchmarkId::new(run, sessions), |bencher| {
                        bencher.iter(|| ours::read(&target, job(sessions), run));
                    });
                }
            }
            group.bench_function(BenchmarkId::new("imap crate", 4), |bencher| {
                bencher.iter(|| imap_crate::read(&target, job(4)));
            });
            group.finish();
        }
    }
    criterion.final_summary();
}
