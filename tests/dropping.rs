//! Ending a run early: dropping its iterator, cancelling it, not pulling, panicking.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use parallel_mailbox::testing::{Fault, Sample, Server};
use parallel_mailbox::{ErrorKind, Matches, ParallelMailbox, Query};
use support::leaks::Leaks;
use support::wait::until;

/// What the crate promises: within a second.
const AT_ONCE: Duration = Duration::from_secs(1);

fn server(messages: usize) -> Server {
    Server::builder()
        .sample(Sample::tiny(messages))
        .start()
        .unwrap()
}

fn mailbox(server: &Server, workers: usize) -> ParallelMailbox {
    server.client().workers(workers).connect().unwrap()
}

fn matches(server: &Server, workers: usize) -> Matches {
    mailbox(server, workers).search(Query::all()).unwrap()
}

#[test]
fn dropping_after_three_items_leaves_no_thread_and_no_socket() {
    let leaks = Leaks::watch();
    {
        let server = server(2_000);
        let matches = matches(&server, 4);
        let mut ordered = matches.imap(|message| message);
        for _ in 0..3 {
            ordered.next().unwrap().unwrap();
        }
        let before = Instant::now();
        drop(ordered);
        assert!(before.elapsed() < AT_ONCE, "{:?}", before.elapsed());
        let report = matches.last_report().unwrap();
        assert_eq!(
            (report.delivered().len(), report.unfinished().len()),
            (3, 1_997)
        );
        assert_eq!(report.error().unwrap().kind(), &ErrorKind::Cancelled);

        let mut unordered = matches.imap_unordered(|message| message);
        unordered.next().unwrap().unwrap();
        drop(unordered);
        // What the run left behind serves the next.
        assert_eq!(matches.map(|message| message.uid()).unwrap().len(), 2_000);
    }
    leaks.assert_none_left();
}

#[test]
fn dropping_while_all_workers_are_blocked_in_a_read_takes_no_longer() {
    let leaks = Leaks::watch();
    {
        let server = server(2_000);
        let matches = matches(&server, 4);
        // From now on, every session falls silent in the middle of its first messages.
        server.add_fault(Fault::stall().uid(4));
        server.add_fault(Fault::stall().after_octets(3_000).on_connections(2..));
        let mut results = matches.shard_size(50).imap(|message| message);
        for _ in 0..3 {
            results.next().unwrap().unwrap();
        }
        assert!(
            results.next_timeout(Duration::from_millis(100)).is_err(),
            "nothing more comes"
        );
        let before = Instant::now();
        drop(results);
        assert!(before.elapsed() < AT_ONCE, "{:?}", before.elapsed());
    }
    leaks.assert_none_left();
}

#[test]
fn dropping_while_a_connection_is_being_made_takes_no_longer() {
    let leaks = Leaks::watch();
    {
        let server = server(500);
        let matches = matches(&server, 4);
        server.add_fault(Fault::stall().on_connections(2..));
        let mut results = matches.imap_unordered(|message| message);
        results.next().unwrap().unwrap();
        let before = Instant::now();
        drop(results);
        assert!(before.elapsed() < AT_ONCE, "{:?}", before.elapsed());
    }
    leaks.assert_none_left();
}

#[test]
fn a_canceller_ends_the_run_from_another_thread() {
    let leaks = Leaks::watch();
    {
        let server = server(1_000);
        server.add_fault(Fault::stall().after_octets(30_000));
        let mut results = matches(&server, 2).imap(|message| message.uid());
        let canceller = results.canceller();
        results.next().unwrap().unwrap();
        let thread = thread::spawn(move || canceller.cancel());
        let before = Instant::now();
        let last = results.by_ref().find_map(Result::err).unwrap();
        assert!(before.elapsed() < AT_ONCE, "{:?}", before.elapsed());
        assert_eq!(last.kind(), &ErrorKind::Cancelled);
        assert!(results.next().is_none() && results.next().is_none());
        let report = results.finish();
        assert!(report.unfinished().len() + report.delivered().len() == 1_000);
        thread.join().unwrap();
    }
    leaks.assert_none_left();
}

#[test]
fn cancelling_and_finishing_says_what_is_left() {
    let _leaks = Leaks::watch();
    let server = server(300);
    let mailbox = mailbox(&server, 2);
    let mut results = mailbox
        .search(Query::all())
        .unwrap()
        .imap(|message| message.uid());
    let first: BTreeSet<_> = results.by_ref().take(10).map(Result::unwrap).collect();
    results.canceller().cancel();
    let report = results.finish();
    assert_eq!(report.delivered().iter().collect::<BTreeSet<_>>(), first);
    let rest = mailbox
        .uids(report.unfinished())
        .map(|message| message.uid())
        .unwrap();
    assert_eq!(rest.len(), 290);
    assert!(rest.iter().all(|uid| !first.contains(uid)));
}

#[test]
fn finishing_completes_the_run_without_the_items() {
    let _leaks = Leaks::watch();
    let server = server(400);
    let called = Arc::new(AtomicUsize::new(0));
    let counter = called.clone();
    let mut results = matches(&server, 3).imap(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    results.next().unwrap().unwrap();
    let progress = results.progress();
    let report = results.finish();
    assert!(report.is_complete(), "{report}");
    assert_eq!(called.load(Ordering::SeqCst), 400);
    assert_eq!((progress.done(), progress.total()), (400, 400));
    assert_eq!(progress.octets(), report.octets());
}

#[test]
fn a_consumer_that_does_not_pull_stops_the_workers_at_the_window() {
    let _leaks = Leaks::watch();
    let server = server(1_000);
    let called = Arc::new(AtomicUsize::new(0));
    let counter = called.clone();
    let mut results = matches(&server, 4).window(50).imap(move |message| {
        counter.fetch_add(1, Ordering::SeqCst);
        message.uid()
    });
    assert!(until(Duration::from_secs(10), || called
        .load(Ordering::SeqCst)
        == 50));
    // Nothing can come now, however long one waits; a moment must do.
    assert!(!until(Duration::from_millis(200), || called
        .load(Ordering::SeqCst)
        > 50));
    assert_eq!(results.by_ref().filter(Result::is_ok).count(), 1_000);
    assert_eq!(called.load(Ordering::SeqCst), 1_000);
}

#[test]
fn a_closure_that_panics_on_one_of_a_thousand_costs_that_one() {
    let _leaks = Leaks::watch();
    let server = server(1_000);
    let matches = matches(&server, 4);
    let job = |message: parallel_mailbox::Message| {
        assert!(
            message.uid().get() != 417,
            "cannot stand number {}",
            message.uid()
        );
        message.uid().get()
    };
    let check = |results: Vec<parallel_mailbox::Result<u32>>| {
        assert_eq!(results.len(), 1_000);
        let errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].kind(), &ErrorKind::Panicked);
        assert_eq!(errors[0].uid().map(u32::from), Some(417));
        assert!(
            errors[0].to_string().contains("cannot stand number 417"),
            "{}",
            errors[0]
        );
    };
    check(matches.imap(job).collect());
    check(matches.imap_unordered(job).collect());
    let report = matches
        .for_each(|message| {
            job(message);
        })
        .unwrap();
    assert_eq!((report.delivered().len(), report.failed().len()), (999, 1));
    assert_eq!(report.failed()[0].0.get(), 417);
    let error = matches.map(job).unwrap_err();
    assert_eq!(error.uid().map(u32::from), Some(417));
    let error = matches
        .fold(|| 0, |sum, message| sum + job(message), |a, b| a + b)
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Panicked);
}

#[test]
fn a_panic_in_the_initializer_ends_the_run_with_its_text() {
    let _leaks = Leaks::watch();
    let server = server(10);
    let matches = matches(&server, 2).initializer(|| -> u32 { panic!("no model to be found") });
    let error = matches.map(|_, message| message.uid()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Panicked);
    assert!(
        error.to_string().contains("no model to be found"),
        "{error}"
    );
    let items: Vec<_> = matches.imap(|_, message| message.uid()).collect();
    assert!(
        matches!(items.as_slice(), [Err(error)] if error.is_fatal()),
        "{items:?}"
    );
    assert_eq!(matches.last_report().unwrap().unfinished().len(), 10);
}

#[test]
fn one_slow_message_holds_back_no_other_worker_within_the_window() {
    let _leaks = Leaks::watch();
    let server = server(200);
    let gate = Arc::new(Barrier::new(2));
    let called = Arc::new(AtomicUsize::new(0));
    let (inside, counter) = (gate.clone(), called.clone());
    let mut results = matches(&server, 2).shard_size(1).imap(move |message| {
        if message.uid().get() == 1 {
            inside.wait();
        }
        counter.fetch_add(1, Ordering::SeqCst);
        message.uid().get()
    });
    // All but what the slow worker has in flight.
    assert!(until(Duration::from_secs(10), || called
        .load(Ordering::SeqCst)
        >= 190));
    assert!(
        results.next_timeout(Duration::from_millis(50)).is_err(),
        "the first is not ready"
    );
    gate.wait();
    assert!(results.by_ref().map(Result::unwrap).eq(1..=200));
}

#[test]
fn killing_the_server_in_mid_run_ends_it_with_an_error_and_a_list() {
    let _leaks = Leaks::watch();
    let server = server(2_000);
    let mailbox = server
        .client()
        .workers(3)
        .retry(
            parallel_mailbox::Retry::default()
                .attempts(3)
                .initial_delay(Duration::from_millis(10)),
        )
        .connect()
        .unwrap();
    let mut results = mailbox
        .search(Query::all())
        .unwrap()
        .window(100)
        .imap(|m| m.uid());
    let mut delivered = results.by_ref().take(50).filter(Result::is_ok).count();
    server.stop();
    let mut errors = Vec::new();
    for item in results.by_ref() {
        match item {
            Ok(_) => delivered += 1,
            Err(error) => errors.push(error),
        }
    }
    assert!(matches!(errors.as_slice(), [error] if error.is_fatal() && error.is_retryable()));
    let report = results.finish();
    assert_eq!(report.delivered().len(), delivered);
    assert_eq!(report.unfinished().len(), 2_000 - delivered);
}
