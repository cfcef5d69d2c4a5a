//! The same job by this crate, in each of its ways. Set-up and search are included.

use parallel_mailbox::{Matches, ParallelMailbox, Query, Security};

use super::Target;

pub(crate) fn matches(target: Target<'_>, workers: usize) -> Matches {
    ParallelMailbox::builder("127.0.0.1")
        .port(target.port)
        .security(Security::DangerPlaintext)
        .login(target.user, target.password)
        .workers(workers)
        .connect()
        .and_then(|mailbox| mailbox.search(Query::all()))
        .unwrap()
}

/// Returns the octets of all bodies.
pub(crate) fn read(target: Target<'_>, workers: usize, run: &str) -> u64 {
    let matches = matches(target, workers);
    let octets = |message: parallel_mailbox::Message| message.raw().len() as u64;
    match run {
        "map" => matches.map(octets).unwrap().into_iter().sum(),
        "imap" => matches.imap(octets).map(Result::unwrap).sum(),
        "imap_unordered" => matches.imap_unordered(octets).map(Result::unwrap).sum(),
        "fold" => matches
            .fold(|| 0, |sum, message| sum + octets(message), |a, b| a + b)
            .unwrap(),
        "for_each" => {
            let report = matches.for_each(|message| {
                std::hint::black_box(message.raw().len());
            });
            report.unwrap().octets()
        }
        other => panic!("no run is called {other}"),
    }
}
