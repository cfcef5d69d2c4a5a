//! The caller's side: closures that take their time, workers that are lost, runs over little.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use parallel_mailbox::testing::{Fault, Sample, Server};
use parallel_mailbox::{ErrorKind, Event, Query, Retry, Uid};

use crate::play::{PATIENCE, impatient, play};
use crate::support::leaks::Leaks;
use crate::support::wait::until;

#[test]
fn what_is_ready_behind_a_hole_comes_before_the_error_that_left_it() {
    let _leaks = Leaks::watch();
    let server = Server::builder().sample(Sample::tiny(200)).start().unwrap();
    let mailbox = server
        .client()
        .workers(2)
        .retry(
            Retry::default()
                .attempts(1)
                .initial_delay(Duration::from_millis(1)),
        )
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap().shard_size(20);
    // The first message is never had, the others are; then the server is gone.
    server.add_fault(Fault::close().uid(1));
    let (sender, receiver) = channel();
    let results = matches.imap(move |message| {
        sender.send(message.uid()).unwrap();
        message.uid()
    });
    let seen: BTreeSet<Uid> = receiver.iter().take(60).collect();
    server.stop();
    let items: Vec<_> = results.collect();
    let (values, errors): (Vec<_>, Vec<_>) = items.into_iter().partition(Result::is_ok);
    let values: Vec<Uid> = values.into_iter().map(Result::unwrap).collect();
    assert!(values.is_sorted(), "still in order");
    assert!(
        seen.iter().all(|uid| values.contains(uid)),
        "nothing that was ready is lost"
    );
    assert!(!values.contains(&Uid::MIN) || errors.is_empty());
}

#[test]
fn a_closure_that_hangs_on_one_message_holds_back_no_more_than_its_worker_has_in_flight() {
    const MESSAGES: usize = 600;
    const SHARD: usize = 10;
    // As the documentation of `Matches` says: four commands.
    const IN_FLIGHT: usize = 4 * SHARD;
    let _leaks = Leaks::watch();
    let server = Server::builder()
        .sample(Sample::tiny(MESSAGES))
        .start()
        .unwrap();
    let mailbox = server.client().workers(3).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap().shard_size(SHARD);
    let others = AtomicUsize::new(0);
    let report = matches
        .for_each(|message| {
            if message.uid() == Uid::MIN {
                until(PATIENCE, || {
                    others.load(Ordering::SeqCst) >= MESSAGES - IN_FLIGHT
                });
            } else {
                others.fetch_add(1, Ordering::SeqCst);
            }
        })
        .unwrap();
    assert_eq!(report.delivered().len(), MESSAGES);
}

#[test]
fn a_closure_that_outlasts_the_patience_of_the_server_loses_nothing() {
    for end in [Fault::bye("Autologout; idle"), Fault::close()] {
        // It answers message 1, and ends that session while the closure is at it.
        let done = AtomicUsize::new(0);
        let ending = play(200, 3, [end.uid(4).times(1)])
            .arrange(|matches| matches.shard_size(5))
            .run_during(|_, uid| {
                if uid == 1 {
                    // All but what may be in flight to the slow one: 4 commands.
                    assert!(until(PATIENCE, || done.load(Ordering::SeqCst) >= 200 - 20));
                }
                done.fetch_add(1, Ordering::SeqCst);
            });
        ending.assert_all_delivered();
        assert_eq!(ending.report.reconnects(), 1);
    }
}

#[test]
fn the_work_of_a_lost_worker_is_done_by_the_others() {
    let is_lost = |event: &Event| matches!(event, Event::SessionLost { .. });
    let has_left = |event: &Event| matches!(event, Event::SessionRefused { retry_in: None, .. });
    let workers = Mutex::new(BTreeSet::new());
    let is_set = AtomicBool::new(false);
    let ending = play(300, 3, [])
        .tune(impatient)
        .arrange(|matches| matches.shard_size(5))
        .run_during(|scene, _| {
            // Not before all three are at work.
            let name = thread::current().name().unwrap().to_owned();
            workers.lock().unwrap().insert(name);
            assert!(until(PATIENCE, || workers.lock().unwrap().len() == 3));
            if !is_set.swap(true, Ordering::SeqCst) {
                scene.server.refuse_connections(true);
                let next = Fault::reset().before("FETCH").times(1);
                scene.server.add_fault(next);
            }
            if scene.count(is_lost) > 0 {
                assert!(until(PATIENCE, || scene.count(has_left) > 0));
            }
        });
    ending.assert_all_delivered();
    assert_eq!(ending.count(has_left), 1);
    assert_eq!(ending.report.reconnects(), 1);
    assert_eq!(ending.connections.accepted, 3);
}

#[test]
fn without_any_worker_left_the_run_ends_with_a_list() {
    let ending = play(300, 3, [])
        .tune(impatient)
        .arrange(|matches| matches.shard_size(5))
        .resume_after(|server| server.refuse_connections(false))
        .run_disturbed(50, |server| {
            server.refuse_connections(true);
            server.disconnect_all();
        });
    let error = ending.error.as_ref().unwrap();
    assert!(error.is_fatal() && error.is_retryable(), "{error}");
    assert!(ending.report.delivered().len() < 300);
    assert!(ending.report.failed().is_empty());
}

#[test]
fn no_more_connections_are_made_than_there_are_messages() {
    for (messages, most, fetches) in [(0, 1, 0), (1, 1, 1), (3, 3, 3)] {
        let ending = play(messages, 8, []).run();
        ending.assert_all_delivered();
        let accepted = ending.connections.accepted;
        assert!((1..=most).contains(&accepted), "{accepted}");
        let sent = ending.sent("UID FETCH");
        assert!(sent <= fetches, "{sent} for {messages} messages");
        assert!(
            ending
                .log
                .iter()
                .all(|entry| !entry.line.contains("FETCH  "))
        );
    }
}

#[test]
fn a_fold_of_what_can_be_had_tells_what_it_lacks() {
    let _leaks = Leaks::watch();
    let server = Server::builder()
        .sample(Sample::tiny(100))
        .fault(Fault::nil().uid(7))
        .start()
        .unwrap();
    let mailbox = server.client().workers(3).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let (count, report) = matches
        .fold_each(|| 0, |count, _| count + 1, |one, other| one + other)
        .unwrap();
    assert_eq!((count, report.delivered().len()), (99, 99));
    assert_eq!(report.failed_uids().to_string(), "7");
    let result = matches.fold(|| 0, |count, _| count + 1, |one, other| one + other);
    assert_eq!(result.unwrap_err().uid(), Uid::new(7));
}

#[test]
fn a_panic_in_a_fold_ends_it_since_a_value_is_lost() {
    let server = Server::builder().sample(Sample::tiny(100)).start().unwrap();
    let mailbox = server.client().workers(3).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let fold = |count: usize, message: parallel_mailbox::Message| {
        assert!(message.uid().get() != 50, "cannot bear it");
        count + 1
    };
    let result = matches.fold_each(|| 0, fold, |one, other| one + other);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Panicked);
    assert!(error.to_string().contains("cannot bear it"), "{error}");
}
