//! The job by this crate, in each of its ways. The search is part of it.

use std::sync::atomic::{AtomicU64, Ordering};

use parallel_mailbox::mail_parser::MessageParser;
use parallel_mailbox::{Fetch, Matches, Message, ParallelMailbox, Query, Security};

use super::{Done, Extent, HOST, Job, Target};

/// The ways, by the names of the methods.
pub(crate) const RUNS: [&str; 5] = ["for_each", "map", "imap", "imap_unordered", "fold"];

pub(crate) fn search(target: &Target, sessions: usize) -> Matches {
    let builder = ParallelMailbox::builder(HOST)
        .port(target.port)
        .login(&target.user, &target.password)
        .workers(sessions);
    let builder = match &target.root {
        Some(root) => builder.root_certificate(&std::fs::read(root).unwrap()),
        None => builder.security(Security::DangerPlaintext),
    };
    builder
        .connect()
        .and_then(|mailbox| mailbox.search(Query::all()))
        .unwrap()
}

pub(crate) fn read(target: &Target, job: Job<'_>, run: &str) -> Done {
    let matches = search(target, job.sessions).fetch(match job.extent {
        Extent::Full => Fetch::full(),
        Extent::Headers => Fetch::headers(),
        Extent::Metadata => Fetch::metadata(),
    });
    let parser = MessageParser::default();
    let one = |message: Message| {
        job.arrived();
        Done {
            messages: 1,
            octets: std::hint::black_box(message.raw()).len() as u64,
            parts: job.task.work(message.raw(), &parser),
        }
    };
    match run {
        "map" => matches.map(one).unwrap().into_iter().sum(),
        "imap" => std::thread::scope(|scope| {
            matches
                .imap_scoped(scope, one)
                .map(Result::unwrap)
                .sum::<Done>()
        }),
        "imap_unordered" => std::thread::scope(|scope| {
            let done = matches.imap_unordered_scoped(scope, one);
            done.map(Result::unwrap).sum::<Done>()
        }),
        "fold" => matches
            .fold(
                Done::default,
                |sum, message| sum + one(message),
                |a, b| a + b,
            )
            .unwrap(),
        "for_each" => {
            let parts = AtomicU64::new(0);
            let report = matches.for_each(|message| {
                let done = one(message);
                if done.parts > 0 {
                    parts.fetch_add(done.parts, Ordering::Relaxed);
                }
            });
            let report = report.unwrap();
            Done {
                messages: report.delivered().len() as u64,
                octets: report.octets(),
                parts: parts.into_inner(),
            }
        }
        other => panic!("no run is called {other}"),
    }
}
