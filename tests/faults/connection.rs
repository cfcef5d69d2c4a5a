//! Connections that break, fall silent, or cannot be had.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use parallel_mailbox::testing::{Fault, Sample, Server};
use parallel_mailbox::{ErrorKind, Event, Message, Query, Retry, Timeouts};

use crate::play::{PATIENCE, everything, impatient, play};
use crate::support::leaks::Leaks;
use crate::support::wait::until;

fn has_given_up(event: &Event) -> bool {
    matches!(event, Event::SessionRefused { retry_in: None, .. })
}

#[test]
fn workers_that_get_no_session_leave_the_run_to_the_first() {
    for fault in [
        Fault::bye("no room at the inn"),
        Fault::close().before("LOGIN"),
        Fault::reset().before("EXAMINE"),
    ] {
        let ending = play(200, 4, [fault.on_connections(2..)])
            .tune(impatient)
            .run_during(|scene, _| {
                until(PATIENCE, || scene.count(has_given_up) == 3);
            });
        ending.assert_all_delivered();
        assert_eq!(ending.count(has_given_up), 3);
        assert_eq!(ending.report.sessions(), 1);
        assert_eq!(ending.connections.accepted, 1 + 3 * 4, "tried 4 times each");
    }
}

/// As Courier refuses more sessions than it grants to an address.
#[test]
fn what_is_closed_without_a_greeting_while_another_is_open_is_one_session_too_many() {
    let is_limit = |event: &Event| {
        matches!(event, Event::SessionRefused { error, .. }
            if *error.kind() == ErrorKind::SessionLimit)
    };
    for fault in [Fault::close(), Fault::reset()] {
        let ending = play(200, 4, [fault.on_connections(2..)])
            .tune(impatient)
            .run_during(|scene, _| {
                assert!(until(PATIENCE, || scene.count(is_limit) >= 1));
            });
        ending.assert_all_delivered();
        assert_eq!(ending.report.sessions(), 1);
        assert!(ending.workers < 4, "{}", ending.workers);
        // It is not asked again and again for what it has just refused.
        assert!(ending.connections.accepted <= 1 + 3 * 4);
    }
}

#[test]
fn a_reset_at_any_octet_costs_nothing() {
    // Within the greeting's end, a command's answer, a literal, between two messages.
    for octets in [600, 2_000, 5_555, 70_000, 123_456] {
        let fault = Fault::reset().after_octets(octets).on_connections(2..=3);
        let ending = play(300, 4, [fault]).run();
        ending.assert_all_delivered();
    }
}

#[test]
fn connections_that_break_again_and_again_are_replaced() {
    let ending = play(1_000, 4, [Fault::close().after_octets(250_000)]).run();
    ending.assert_all_delivered();
    assert!(ending.report.reconnects() >= 10, "{}", ending.report);
    assert!(ending.report.sessions() > 4);
    let lost = ending.count(|event| matches!(event, Event::SessionLost { .. }));
    assert_eq!(lost, ending.report.reconnects());
}

#[test]
fn a_restart_that_breaks_all_sessions_at_once_is_one_accident() {
    let leaks = Leaks::watch();
    for _ in 0..5 {
        let server = Server::builder().sample(Sample::tiny(600)).start().unwrap();
        let mailbox = server.client().workers(6).connect().unwrap();
        // One message in each command, so that a guilty one would be alone.
        let matches = mailbox.search(Query::all()).unwrap().shard_size(1);
        let count = AtomicUsize::new(0);
        let report = matches
            .for_each(|_| {
                if count.fetch_add(1, Ordering::SeqCst) % 150 == 75 {
                    server.disconnect_all();
                }
            })
            .unwrap();
        assert!(report.is_complete(), "{report}: {:?}", report.failed());
    }
    leaks.assert_none_left();
}

#[test]
fn silence_within_a_literal_runs_into_the_deadline_and_is_made_good() {
    let ending = play(
        200,
        2,
        [Fault::stall().after_octets(50_000).on_connection(1)],
    )
    .run();
    ending.assert_all_delivered();
    assert_eq!(ending.report.reconnects(), 1);
}

#[test]
fn silence_on_every_session_ends_the_run_with_a_timeout_that_names_the_phase() {
    for (messages, workers) in [(50, 4), (50, 1), (3, 4), (1, 1)] {
        let cut_off = b"* 1 FETCH (UID 1 BODY[] {5000}\r\nFrom: ".to_vec();
        let play = play(messages, workers, []);
        // The session that searches is polite up to there.
        let ending = play
            .tune(|builder| builder.timeouts(Timeouts::default().read(Duration::from_millis(1000))))
            .run_after(|server| {
                server.add_fault(Fault::inject(cut_off).before("FETCH"));
                server.add_fault(Fault::stall().before("FETCH"));
            });
        let error = ending.error.unwrap();
        assert_eq!(error.kind(), &ErrorKind::Timeout, "{error}");
        assert!(error.to_string().contains("FETCH"), "{error}");
        assert_eq!(ending.report.unfinished(), ending.report.matched());
        // One deadline, and half a second for a second look; not several of them.
        eprintln!("{messages} messages, {workers} workers: {:?}", ending.time);
        assert!(ending.time < Duration::from_secs(20), "{:?}", ending.time);
    }
}

#[test]
fn a_trickle_is_not_progress() {
    let trickle = Fault::trickle(Duration::from_millis(50))
        .after_octets(20_000)
        .on_connection(1);
    play(100, 2, [trickle]).run().assert_all_delivered();
}

#[test]
fn a_goodbye_in_mid_run_keeps_its_text() {
    let ending = play(
        200,
        2,
        [Fault::bye("server is restarting").uid(50).times(1)],
    )
    .run();
    ending.assert_all_delivered();
    let said = ending.events.iter().any(|event| match event {
        Event::SessionLost { error, .. } => error.to_string().contains("server is restarting"),
        _ => false,
    });
    assert!(said, "{:?}", ending.events);
}

#[test]
fn a_goodbye_between_two_commands_costs_one_session() {
    let ending = play(200, 2, [Fault::bye("so long").after("FETCH").times(1)]).run();
    ending.assert_all_delivered();
    assert_eq!(ending.report.reconnects(), 1);
}

#[test]
fn a_login_that_is_dropped_at_once_again_and_again_ends_the_run() {
    // Before the mailbox is open a worker tries 4 times. Afterwards a message may be to blame,
    // and finding that out takes some more.
    for (moment, logins_per_worker) in [("LOGIN", 4), ("EXAMINE", 20)] {
        let ending = play(300, 3, [])
            .tune(impatient)
            .resume_after(Server::clear_faults)
            .run_after(|server| {
                server.add_fault(Fault::close().after(moment));
                server.disconnect_all();
            });
        let error = ending.error.as_ref().unwrap();
        assert_eq!(error.kind(), &ErrorKind::Disconnected, "{error}");
        assert_eq!(ending.report.unfinished().len(), 300);
        let logins = ending.sent("LOGIN");
        assert!((3..=3 * logins_per_worker).contains(&logins), "{logins}");
    }
}

#[test]
fn a_server_that_drops_everybody_is_not_blamed_on_the_messages() {
    let ending = play(300, 3, [Fault::close().before("FETCH")])
        .tune(|builder| {
            let retry = Retry::default()
                .attempts(2)
                .initial_delay(Duration::from_millis(1));
            builder.retry(retry.max_delay(Duration::from_millis(5)))
        })
        .run();
    assert_eq!(ending.error.unwrap().kind(), &ErrorKind::Disconnected);
    assert_eq!(ending.report.unfinished().len(), 300);
}

#[test]
fn sessions_closed_while_idle_are_replaced_without_an_error() {
    let ending = play(200, 3, []).run_after(Server::disconnect_all);
    ending.assert_all_delivered();
    assert_eq!(ending.report.reconnects(), 0);
    for goodbye in [None, Some("Autologout; idle for too long")] {
        let ending = play(200, 3, []).run_again_after(|server| match goodbye {
            None => server.disconnect_all(),
            Some(text) => {
                let old = ..=server.connections().accepted;
                server.add_fault(Fault::bye(text).before("FETCH").on_connections(old));
            }
        });
        ending.assert_all_delivered();
        assert_eq!(ending.report.reconnects(), 0, "{goodbye:?}");
    }
}

#[test]
fn sessions_that_a_long_sleep_has_left_half_open_are_replaced() {
    // The server has forgotten them, and nothing on the way says so.
    let ending = play(200, 3, []).run_again_after(|server| {
        let old = ..=server.connections().accepted;
        server.add_fault(Fault::stall().before("FETCH").on_connections(old));
    });
    ending.assert_all_delivered();
}

#[test]
fn a_search_after_a_long_sleep_finds_another_session() {
    let leaks = Leaks::watch();
    {
        let server = Server::builder().sample(Sample::tiny(10)).start().unwrap();
        let mailbox = server
            .client()
            .timeouts(Timeouts::default().search(Duration::from_millis(300)))
            .connect()
            .unwrap();
        server.add_fault(Fault::stall().before("SEARCH").on_connection(1));
        assert_eq!(mailbox.search(everything()).unwrap().len(), 10);
        assert_eq!(server.connections().accepted, 2);
    }
    leaks.assert_none_left();
}

#[test]
fn no_clock_is_read_that_jumps_when_the_time_of_day_is_set() {
    fn look(folder: &Path, files: &mut usize) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // The server for tests keeps dates, but waits by the same clock.
                look(&path, files);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("SystemTime"), "{}", path.display());
            *files += 1;
        }
    }
    let mut files = 0;
    look(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    assert!(files > 60, "{files}");
}

#[test]
fn large_messages_that_are_kept_stay_as_they_are_while_others_come_and_connections_break() {
    let _leaks = Leaks::watch();
    let mut server = Server::builder().sample(Sample::mixed(400));
    for uid in [20, 90, 91, 170, 250, 333, 399] {
        server = server.fault(Fault::reset().uid(uid).times(1));
    }
    let server = server.start().unwrap();
    let mailbox = server.client().workers(4).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    // Some live long, some are gone at once, so that memory is used again in between.
    let mut kept = VecDeque::new();
    let mut delivered = 0;
    let check = |message: &Message| {
        let expected = server.raw("INBOX", message.uid().get()).unwrap();
        assert!(*message.raw() == *expected, "{:?}", message.uid());
    };
    for message in matches.imap_unordered(|message| message) {
        let message = message.unwrap();
        check(&message);
        delivered += 1;
        if message.uid().get() % 3 == 0 {
            kept.push_back(message);
        }
        if kept.len() > 30 {
            check(&kept.pop_front().unwrap());
        }
    }
    assert_eq!(delivered, 400);
    kept.iter().for_each(check);
    // Also when the run is long over, and on another thread.
    let last = kept.pop_back().unwrap();
    let expected = server.raw("INBOX", last.uid().get()).unwrap();
    drop((kept, mailbox));
    let octets = thread::spawn(move || last.clone().into_raw())
        .join()
        .unwrap();
    assert!(*octets == *expected);
    assert!(matches.last_report().unwrap().reconnects() >= 3);
}
