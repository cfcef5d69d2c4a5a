//! What CPython tests of `multiprocessing.Pool` (`Lib/test/_test_multiprocessing.py`), here.
//!
//! | CPython | here |
//! |---|---|
//! | `_TestPool.test_apply` | `one_message_is_a_run_like_any_other` |
//! | `test_map`, `test_map_chunksize` | `map_gives_all_results_in_order_whatever_the_shard_size` |
//! | `test_starmap`, `test_starmap_async` | not applicable: a closure captures what it needs besides the message |
//! | `test_map_async`, `test_async` | `an_iterator_starts_at_once_and_can_be_read_later` |
//! | `test_map_async_callbacks`, `test_async_error_callback` | `results_and_errors_are_heard_of_without_a_callback` |
//! | `test_map_unplicklable`, `test_unpickleable_result` | not applicable: nothing is pickled; what cannot cross threads does not compile |
//! | `test_map_handle_iterable_exception`, the same for `imap` and `imap_unordered` | not applicable: the input is a set of UIDs and cannot fail; a failing search fails before the run, see `a_search_that_fails_starts_no_run` |
//! | `test_map_no_failfast` | `for_each_and_the_iterators_go_on_past_a_failure_and_map_does_not`; DECISION in the changelog |
//! | `test_async_timeout` | `next_timeout_returns_in_time_and_loses_nothing` |
//! | `test_imap` | `imap_is_lazy_ordered_and_ends_for_good` |
//! | `test_imap_unordered` | `imap_unordered_gives_each_result_once` |
//! | `test_make_pool` (0 or −1 processes are refused) | `no_workers_are_refused` |
//! | `test_terminate` | `terminating_is_quick_however_much_is_left` |
//! | `test_empty_iterable` | `an_empty_input_gives_an_empty_output` |
//! | `test_context`, `test_enter` (leaving `with` terminates) | `leaving_the_scope_of_an_iterator_ends_its_run` |
//! | `test_traceback`, `test_wrapped_exception` | `an_error_keeps_what_the_closure_said` |
//! | `test_release_task_refs` | `nothing_of_a_run_outlives_it` |
//! | `test_resource_warning` | not applicable: nothing depends on a garbage collector |
//! | `_TestPoolWorkerLifetime.test_pool_worker_lifetime` (`maxtasksperchild`) | `a_worker_goes_on_with_a_new_session` |
//! | `test_pool_worker_lifetime_early_close` | `finishing_early_still_completes` |
//! | `test_pool_maxtasksperchild_invalid` | not applicable: there is no such number to get wrong |
//! | `test_worker_finalization_via_atexit_handler_of_multiprocessing` | `the_state_of_each_worker_is_dropped_at_its_end` |
//! | `TestInitializers.test_pool_initializer` | `an_initializer_runs_once_per_worker_before_its_messages` |
//! | `TestPoolNotLeakOnFailure.test_release_unused_processes` | `a_pool_that_cannot_start_leaves_nothing` |
//! | `TestIgnoreEINTR` | not applicable: the standard library retries interrupted calls |

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use parallel_mailbox::testing::{Fault, Sample, Server};
use parallel_mailbox::{ErrorKind, Event, Matches, Message, ParallelMailbox, Query, Security, Uid};
use support::leaks::Leaks;
use support::wait::until;

struct Pool {
    server: Server,
    mailbox: ParallelMailbox,
    // Last, so that it looks when the others are gone.
    leaks: Option<Leaks>,
}

fn pool(messages: usize, workers: usize) -> Pool {
    let leaks = Leaks::watch();
    let server = Server::builder()
        .sample(Sample::tiny(messages))
        .start()
        .unwrap();
    let mailbox = server.client().workers(workers).connect().unwrap();
    Pool {
        server,
        mailbox,
        leaks: Some(leaks),
    }
}

impl Pool {
    fn matches(&self) -> Matches {
        self.mailbox.search(Query::all()).unwrap()
    }

    fn end(mut self) {
        let leaks = self.leaks.take();
        drop(self);
        leaks.unwrap().assert_none_left();
    }
}

/// CPython's favourite function.
fn square(message: Message) -> u64 {
    u64::from(message.uid().get()).pow(2)
}

fn squares(to: u64) -> impl Iterator<Item = u64> {
    (1..=to).map(|number| number * number)
}

#[test]
fn one_message_is_a_run_like_any_other() {
    let pool = pool(10, 4);
    let one = pool.mailbox.uids(Uid::new(7).unwrap());
    assert_eq!(one.map(square).unwrap(), [49]);
    drop(one);
    pool.end();
}

#[test]
fn map_gives_all_results_in_order_whatever_the_shard_size() {
    let pool = pool(100, 4);
    assert!(
        pool.matches()
            .map(square)
            .unwrap()
            .into_iter()
            .eq(squares(100))
    );
    for size in [1, 3, 20, 1_000] {
        let results = pool.matches().shard_size(size).map(square).unwrap();
        assert!(results.into_iter().eq(squares(100)), "shards of {size}");
    }
    pool.end();
}

#[test]
fn an_iterator_starts_at_once_and_can_be_read_later() {
    let pool = pool(50, 3);
    let called = Arc::new(AtomicUsize::new(0));
    let counter = called.clone();
    let results = pool.matches().imap(move |message| {
        counter.fetch_add(1, Ordering::SeqCst);
        square(message)
    });
    assert!(until(Duration::from_secs(10), || called
        .load(Ordering::SeqCst)
        == 50));
    assert!(results.map(Result::unwrap).eq(squares(50)));
    pool.end();
}

#[test]
fn results_and_errors_are_heard_of_without_a_callback() {
    let pool = pool(30, 2);
    let (sender, receiver) = mpsc::channel();
    let mailbox = pool
        .server
        .client()
        .on_event(move |event| {
            if let Event::MessageFailed { error, .. } = event {
                sender.send(error.uid()).unwrap();
            }
        })
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let report = matches
        .for_each(|message| assert!(message.uid().get() != 9))
        .unwrap();
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [Uid::new(9)]);
    assert_eq!(report.delivered().len(), 29);
    drop((matches, mailbox));
    pool.end();
}

#[test]
fn a_search_that_fails_starts_no_run() {
    let pool = pool(10, 4);
    assert!(
        pool.mailbox
            .search(Query::all().since(2026, 2, 31))
            .is_err()
    );
    assert!(
        pool.mailbox
            .search(Query::raw("NONSENSE").unwrap())
            .is_err()
    );
    assert_eq!(pool.server.connections().accepted, 1);
    pool.end();
}

#[test]
fn for_each_and_the_iterators_go_on_past_a_failure_and_map_does_not() {
    let pool = pool(200, 3);
    let called = AtomicUsize::new(0);
    let fails_at_first = |message: Message| {
        called.fetch_add(1, Ordering::SeqCst);
        assert!(message.uid().get() > 1, "the first");
    };
    let report = pool.matches().for_each(fails_at_first).unwrap();
    assert_eq!(called.swap(0, Ordering::SeqCst), 200);
    assert_eq!(report.failed().len(), 1);
    let error = pool
        .matches()
        .shard_size(1)
        .window(4)
        .map(fails_at_first)
        .unwrap_err();
    assert_eq!(error.uid(), Uid::new(1));
    assert!(called.into_inner() < 200, "the rest is not needed any more");
    pool.end();
}

#[test]
fn next_timeout_returns_in_time_and_loses_nothing() {
    let pool = pool(5, 1);
    let (open, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let mut results = pool.matches().imap(move |message| {
        gate.lock().unwrap().recv().unwrap();
        square(message)
    });
    let before = Instant::now();
    let error = results.next_timeout(Duration::from_millis(30)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Timeout);
    assert!(before.elapsed() >= Duration::from_millis(30));
    for _ in 0..5 {
        open.send(()).unwrap();
    }
    let first = results
        .next_timeout(Duration::from_secs(10))
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(first, 1);
    assert!(results.by_ref().map(Result::unwrap).eq(squares(5).skip(1)));
    assert!(
        results.next_timeout(Duration::ZERO).unwrap().is_none(),
        "the end is not a time-out"
    );
    drop(results);
    pool.end();
}

#[test]
fn imap_is_lazy_ordered_and_ends_for_good() {
    let pool = pool(1_000, 4);
    let mut results = pool.matches().window(100).imap(square);
    assert_eq!(results.size_hint(), (0, Some(1_000)));
    for (index, expected) in squares(1_000).enumerate() {
        assert_eq!(results.next().unwrap().unwrap(), expected);
        assert_eq!(results.size_hint().1, Some(999 - index));
    }
    assert!(results.next().is_none() && results.next().is_none());
    drop(results);
    pool.end();
}

#[test]
fn imap_unordered_gives_each_result_once() {
    let pool = pool(1_000, 4);
    for size in [1, 53, 1_000] {
        let results = pool.matches().shard_size(size).imap_unordered(square);
        let mut results: Vec<u64> = results.map(Result::unwrap).collect();
        results.sort_unstable();
        assert!(results.into_iter().eq(squares(1_000)));
    }
    pool.end();
}

#[test]
fn no_workers_are_refused() {
    let error = ParallelMailbox::builder("127.0.0.1")
        .login("a", "b")
        .workers(0)
        .connect();
    assert_eq!(error.unwrap_err().kind(), &ErrorKind::Config);
}

#[test]
fn terminating_is_quick_however_much_is_left() {
    let pool = pool(10_000, 4);
    let mut results = pool.matches().imap(|message| {
        std::thread::sleep(Duration::from_millis(100));
        square(message)
    });
    results.next().unwrap().unwrap();
    let before = Instant::now();
    results.canceller().cancel();
    let report = results.finish();
    assert!(
        before.elapsed() < Duration::from_secs(1),
        "{:?}",
        before.elapsed()
    );
    assert!(report.unfinished().len() > 9_900);
    pool.end();
}

#[test]
fn an_empty_input_gives_an_empty_output() {
    let pool = pool(0, 4);
    assert!(pool.matches().map(square).unwrap().is_empty());
    assert_eq!(pool.matches().imap(square).count(), 0);
    assert_eq!(pool.matches().imap_unordered(square).count(), 0);
    pool.end();
}

#[test]
fn leaving_the_scope_of_an_iterator_ends_its_run() {
    let pool = pool(5_000, 4);
    let called = Arc::new(AtomicUsize::new(0));
    {
        let counter = called.clone();
        let mut results = pool.matches().window(20).imap_unordered(move |message| {
            counter.fetch_add(1, Ordering::SeqCst);
            square(message)
        });
        results.next().unwrap().unwrap();
    }
    // The threads are joined, so nobody counts any more.
    assert!(called.load(Ordering::SeqCst) <= 40);
    pool.end();
}

#[test]
fn an_error_keeps_what_the_closure_said() {
    let pool = pool(3, 1);
    let results = pool.matches().imap(|message| -> Result<u64, String> {
        Err(format!(
            "an error of the closure's own about {}",
            message.uid()
        ))
    });
    // An error that the closure returns is a result like any other.
    let texts: Vec<String> = results.map(|item| item.unwrap().unwrap_err()).collect();
    assert_eq!(texts.len(), 3);
    let error = pool
        .matches()
        .map(|_| -> () { panic!("the reason") })
        .unwrap_err();
    assert!(error.to_string().contains("the reason"), "{error}");
    pool.end();
}

#[test]
fn nothing_of_a_run_outlives_it() {
    let pool = pool(200, 3);
    let alive = Arc::new(());
    let held = alive.clone();
    let mut results = pool.matches().imap(move |_| held.clone());
    assert!(results.by_ref().take(50).all(|item| item.is_ok()));
    drop(results);
    assert_eq!(
        Arc::strong_count(&alive),
        1,
        "the closure and all results are gone"
    );
    pool.end();
}

#[test]
fn a_worker_goes_on_with_a_new_session() {
    let pool = pool(600, 2);
    pool.server.add_fault(Fault::close().after_octets(20_000));
    let mut results: Vec<u64> = pool
        .matches()
        .imap_unordered(square)
        .map(Result::unwrap)
        .collect();
    results.sort_unstable();
    assert!(results.into_iter().eq(squares(600)));
    assert!(pool.server.connections().accepted > 2);
    pool.end();
}

#[test]
fn finishing_early_still_completes() {
    let pool = pool(300, 3);
    let report = pool.matches().imap(square).finish();
    assert!(report.is_complete(), "{report}");
    assert_eq!(report.delivered().len(), 300);
    pool.end();
}

#[test]
fn the_state_of_each_worker_is_dropped_at_its_end() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let pool = pool(100, 3);
    let dropped = Arc::new(AtomicUsize::new(0));
    let counter = dropped.clone();
    let matches = pool.matches().initializer(move || Counted(counter.clone()));
    assert_eq!(matches.imap(|_, message| square(message)).count(), 100);
    assert_eq!(dropped.load(Ordering::SeqCst), 3);
    drop(matches);
    pool.end();
}

#[test]
fn an_initializer_runs_once_per_worker_before_its_messages() {
    let pool = pool(100, 3);
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let matches = pool.matches().shard_size(1).initializer(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        std::thread::current().id()
    });
    let same = matches
        .map(|thread, _| *thread == std::thread::current().id())
        .unwrap();
    assert!(same.into_iter().all(|same| same));
    assert_eq!(made.load(Ordering::SeqCst), 3);
    let threads = matches.map(|thread, _| format!("{thread:?}")).unwrap();
    assert!(threads.into_iter().collect::<BTreeSet<_>>().len() <= 3);
    drop(matches);
    pool.end();
}

#[test]
fn a_pool_that_cannot_start_leaves_nothing() {
    let pool = pool(5, 1);
    let wrong = ParallelMailbox::builder("127.0.0.1")
        .port(pool.server.port())
        .security(Security::DangerPlaintext)
        .login("me", "wrong")
        .connect();
    assert_eq!(wrong.unwrap_err().kind(), &ErrorKind::Auth);
    pool.end();
}
