//! Servers and networks that misbehave in mid-run: nothing is lost, nothing comes twice, and what
//! failed says why.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use parallel_mailbox::testing::{Fault, Sample, Server};
use parallel_mailbox::{
    Builder, Error, ErrorKind, Event, ParallelMailbox, Query, Report, Retry, Security, Timeouts,
    Uid, UidSet,
};

/// A run over a server with faults, checked as it goes.
struct Play {
    server: Server,
    workers: usize,
    tune: fn(Builder) -> Builder,
}

struct Ending {
    report: Report,
    error: Option<Error>,
    events: Vec<Event>,
    time: Duration,
}

fn play(messages: usize, workers: usize, faults: impl IntoIterator<Item = Fault>) -> Play {
    let server = Server::builder()
        .sample(Sample::small(messages))
        .start()
        .unwrap();
    for fault in faults {
        server.add_fault(fault);
    }
    Play {
        server,
        workers,
        tune: |builder| builder,
    }
}

impl Play {
    fn tune(mut self, tune: fn(Builder) -> Builder) -> Self {
        self.tune = tune;
        self
    }

    fn run(self) -> Ending {
        self.run_after(|_| {})
    }

    /// Searches, lets something happen to the server, and runs.
    fn run_after(self, happen: impl FnOnce(&Server)) -> Ending {
        let server = &self.server;
        let held: BTreeMap<u32, Arc<[u8]>> = server
            .uids("INBOX")
            .into_iter()
            .map(|uid| (uid, server.raw("INBOX", uid).unwrap()))
            .collect();
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = events.clone();
        let builder = ParallelMailbox::builder("127.0.0.1")
            .port(server.port())
            .security(Security::DangerPlaintext)
            .login(server.user(), server.password())
            .workers(self.workers)
            .timeouts(Timeouts::default().read(Duration::from_millis(400)))
            .retry(Retry::default().initial_delay(Duration::from_millis(5)))
            .on_event(move |event| heard.lock().unwrap().push(event.clone()));
        let mailbox = (self.tune)(builder).connect().unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        happen(server);
        let seen = Mutex::new(BTreeMap::<u32, u32>::new());
        let started = Instant::now();
        let result = matches.for_each(|message| {
            let uid = message.uid().get();
            *seen.lock().unwrap().entry(uid).or_default() += 1;
            assert!(
                message.raw() == &*held[&uid],
                "message {uid} is not as on the server"
            );
        });
        let time = started.elapsed();
        let report = matches.last_report().unwrap();
        let seen = seen.into_inner().unwrap();
        assert!(
            seen.values().all(|times| *times == 1),
            "seen twice: {seen:?}"
        );
        let seen: UidSet = seen.into_keys().filter_map(Uid::new).collect();
        assert_eq!(&seen, report.delivered(), "{report}");
        let mut sum = report.delivered().union(report.gone());
        sum = sum.union(&report.failed_uids()).union(report.unfinished());
        assert_eq!(&sum, report.matched());
        let parts = report.delivered().len()
            + report.gone().len()
            + report.failed().len()
            + report.unfinished().len();
        assert_eq!(parts, report.matched().len(), "{report}");
        let events = events.lock().unwrap().clone();
        Ending {
            report,
            error: result.err(),
            events,
            time,
        }
    }
}

impl Ending {
    fn assert_all_delivered(&self) {
        assert!(self.error.is_none(), "{:?}", self.error);
        assert_eq!(
            self.report.delivered(),
            self.report.matched(),
            "{}",
            self.report
        );
    }

    /// All but this one are delivered, which failed.
    fn assert_failed(&self, uid: u32, kind: &ErrorKind) -> &Error {
        assert!(self.error.is_none(), "{:?}", self.error);
        assert_eq!(
            self.report.delivered().len(),
            self.report.matched().len() - 1
        );
        let [(failed, error)] = self.report.failed() else {
            panic!("{:?}", self.report)
        };
        assert_eq!((failed.get(), error.kind()), (uid, kind), "{error}");
        assert_eq!(error.uid(), Some(*failed));
        error
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
    let lost = ending
        .events
        .iter()
        .filter(|event| matches!(event, Event::SessionLost { .. }));
    assert_eq!(lost.count(), ending.report.reconnects());
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
        Event::SessionLost { error } => error.to_string().contains("server is restarting"),
        _ => false,
    });
    assert!(said, "{:?}", ending.events);
}

#[test]
fn sessions_closed_while_idle_are_replaced_without_an_error() {
    let ending = play(200, 3, []).run_after(Server::disconnect_all);
    ending.assert_all_delivered();
    assert_eq!(ending.report.reconnects(), 0);
}

#[test]
fn a_message_that_kills_every_session_is_found_and_the_rest_delivered() {
    for workers in [1, 4] {
        let ending = play(300, workers, [Fault::reset().uid(123)]).run();
        let error = ending.assert_failed(123, &ErrorKind::Disconnected);
        assert!(error.attempts() > 1);
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
fn a_message_left_out_is_asked_for_again() {
    play(100, 2, [Fault::withhold().uid(50).times(2)])
        .run()
        .assert_all_delivered();
}

#[test]
fn a_message_left_out_each_time_though_it_exists_fails() {
    let ending = play(100, 2, [Fault::withhold().uid(50)]).run();
    assert_eq!(ending.assert_failed(50, &ErrorKind::NoBody).attempts(), 3);
}

#[test]
fn messages_expunged_after_the_search_are_gone_and_no_error() {
    let ending = play(200, 3, []).run_after(|server| {
        for uid in [1, 77, 78, 79, 200] {
            server.expunge("INBOX", uid);
        }
    });
    assert!(ending.error.is_none());
    assert_eq!(ending.report.gone().to_string(), "1,77:79,200");
    assert_eq!(ending.report.delivered().len(), 195);
    let told = ending
        .events
        .iter()
        .filter(|event| matches!(event, Event::MessageGone { .. }));
    assert_eq!(told.count(), 5);
}

#[test]
fn a_no_because_of_some_messages_costs_those_alone() {
    let ending = play(
        100,
        2,
        [Fault::no("EXPUNGEISSUED", "some are gone").uid(30)],
    )
    .run_after(|server| {
        server.expunge("INBOX", 30);
    });
    assert_eq!(ending.report.gone().to_string(), "30");
    assert_eq!(ending.report.delivered().len(), 99);
}

#[test]
fn a_body_of_nil_is_tried_once_more_and_fails() {
    let ending = play(100, 2, [Fault::nil().uid(50)]).run();
    assert_eq!(ending.assert_failed(50, &ErrorKind::NoBody).attempts(), 2);
    play(100, 2, [Fault::nil().uid(50).times(1)])
        .run()
        .assert_all_delivered();
}

#[test]
fn an_answer_that_cannot_be_parsed_costs_its_message_alone() {
    let garbled = "* 50 FETCH (UID 50 FLAGS [\x1b[31m)\r\n";
    let ending = play(100, 2, [Fault::replace(garbled).uid(50)]).run();
    let error = ending.assert_failed(50, &ErrorKind::Protocol).to_string();
    assert!(
        error.contains("FLAGS [\\u{1b}"),
        "an escaped excerpt: {error}"
    );
}

#[test]
fn duplicates_reversed_answers_and_chatter_change_nothing() {
    let chatter = "* 7 FETCH (FLAGS (\\Seen))\r\n* 9 FETCH (UID 9 FLAGS ())\r\n* 3 EXPUNGE\r\n\
        * 900 EXISTS\r\n* OK still h\u{e4}re {10}\r\n* XYZZY (a \"b\" {3}\r\n\"(\r\n)\r\n\
        * 4 FETCH (UID 4000 BODY[] {3}\r\nabc)\r\n";
    for fault in [
        Fault::duplicate(),
        Fault::reversed(),
        Fault::inject(chatter).uid(40),
    ] {
        play(100, 2, [fault]).run().assert_all_delivered();
    }
}

#[test]
fn a_message_over_the_limit_fails_alone_and_is_not_held() {
    // In a debug build the server takes long for gigabytes.
    for octets in [
        300_000_000,
        if cfg!(debug_assertions) {
            500_000_000
        } else {
            5_000_000_000
        },
    ] {
        let ending = play(50, 2, [Fault::oversize(octets).uid(20)]).run();
        let limit = 256 * 1024 * 1024;
        ending.assert_failed(
            20,
            &ErrorKind::TooLarge {
                size: octets,
                limit,
            },
        );
    }
    let ending = play(200, 2, [])
        .tune(|builder| builder.max_message_size(4_500))
        .run();
    assert!(ending.report.failed().len() > 20);
    assert_eq!(
        ending.report.failed().len() + ending.report.delivered().len(),
        200
    );
}

#[test]
fn a_server_that_drops_pipelined_commands_gets_one_at_a_time() {
    let ending = play(400, 2, [Fault::drop_pipelined()]).run();
    ending.assert_all_delivered();
    assert!(
        ending.report.reconnects() <= 3,
        "it is found out once: {}",
        ending.report
    );
}

#[test]
fn a_command_that_is_too_long_is_halved() {
    // Every other UID, so that a command for many is long.
    let server = Server::builder()
        .sample(Sample::tiny(2_000))
        .max_line(1_200)
        .start()
        .unwrap();
    for uid in (2..=2_000).step_by(2) {
        server.expunge("INBOX", uid);
    }
    let play = Play {
        server,
        workers: 2,
        tune: |builder| builder,
    };
    let ending = play.run();
    ending.assert_all_delivered();
    assert_eq!(ending.report.delivered().len(), 1_000);
}

#[test]
fn refused_sessions_leave_the_run_to_those_that_were_granted() {
    let server = Server::builder()
        .sample(Sample::small(400))
        .max_connections(3)
        .start()
        .unwrap();
    let play = Play {
        server,
        workers: 8,
        tune: |builder| builder,
    };
    let ending = play.run();
    ending.assert_all_delivered();
    assert!(ending.report.sessions() <= 3);
    let refused = ending
        .events
        .iter()
        .filter(|event| matches!(event, Event::SessionRefused { .. }));
    assert!(refused.count() <= 8);
}

#[test]
fn a_throttled_command_makes_all_workers_wait_and_go_on() {
    let text = "Request is throttled. Suggested Backoff Time: 300 milliseconds";
    let ending = play(300, 3, [Fault::no("", text).before("FETCH").times(1)]).run();
    ending.assert_all_delivered();
    assert!(
        ending.time >= Duration::from_millis(300),
        "{:?}",
        ending.time
    );
    let told = ending.events.iter().any(
        |event| matches!(event, Event::Throttled { pause } if *pause == Duration::from_millis(300)),
    );
    assert!(told, "{:?}", ending.events);
}

#[test]
fn an_account_that_has_used_up_what_it_may_ends_the_run() {
    let used_up = Fault::no("OVERQUOTA", "download limit reached").before("FETCH");
    let ending = play(300, 3, [used_up]).run();
    let error = ending.error.unwrap();
    assert!(
        error.to_string().contains("download limit reached"),
        "{error}"
    );
    assert_eq!(ending.report.unfinished().len(), 300);
}

#[test]
fn another_uidvalidity_ends_the_run_and_nothing_of_it_is_delivered() {
    let ending = play(400, 3, [Fault::close().after_octets(60_000)])
        .run_after(|server| server.set_uid_validity("INBOX", 99));
    let error = ending.error.unwrap();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::UidValidityChanged { found: 99, .. }
        ),
        "{error}"
    );
}

#[test]
fn a_mailbox_deleted_in_mid_run_ends_it_with_a_list() {
    let ending = play(400, 2, [Fault::close().after_octets(60_000)])
        .run_after(|server| assert!(server.delete_mailbox("INBOX")));
    assert!(matches!(
        ending.error.unwrap().kind(),
        ErrorKind::Server { .. }
    ));
    assert!(!ending.report.unfinished().is_empty());
}

#[test]
fn endless_chatter_and_an_endless_line_are_protocol_errors_and_made_good() {
    for octets in ["* OK still here\r\n", "xxxxxxxx"] {
        let fault = Fault::endless(octets).uid(20).times(1);
        let ending = play(60, 2, [fault]).run();
        ending.assert_all_delivered();
        let told = ending.events.iter().any(|event| match event {
            Event::SessionLost { error } => *error.kind() == ErrorKind::Protocol,
            _ => false,
        });
        assert!(told, "{:?}", ending.events);
    }
}

#[test]
fn a_message_that_makes_the_server_fall_silent_is_found_too() {
    for workers in [1, 3] {
        let ending = play(60, workers, [Fault::stall().uid(23)]).run();
        ending.assert_failed(23, &ErrorKind::Timeout);
    }
}

#[test]
fn a_flood_of_chatter_costs_its_session_and_not_the_next() {
    let flood = Fault::endless("* OK still at it\r\n").uid(100).times(1);
    play(300, 1, [flood]).run().assert_all_delivered();
}

#[test]
fn what_is_ready_behind_a_hole_comes_before_the_error_that_left_it() {
    let server = Server::builder().sample(Sample::tiny(200)).start().unwrap();
    let mailbox = ParallelMailbox::builder("127.0.0.1")
        .port(server.port())
        .security(Security::DangerPlaintext)
        .login(server.user(), server.password())
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
    let (sender, receiver) = std::sync::mpsc::channel();
    let results = matches.imap(move |message| {
        sender.send(message.uid()).unwrap();
        message.uid()
    });
    let seen: std::collections::BTreeSet<Uid> = receiver.iter().take(60).collect();
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
fn a_restart_that_breaks_all_sessions_at_once_is_one_accident() {
    for _ in 0..5 {
        let server = Server::builder().sample(Sample::tiny(600)).start().unwrap();
        let mailbox = ParallelMailbox::builder("127.0.0.1")
            .port(server.port())
            .security(Security::DangerPlaintext)
            .login(server.user(), server.password())
            .workers(6)
            .connect()
            .unwrap();
        // One message in each command, so that a guilty one would be alone.
        let matches = mailbox.search(Query::all()).unwrap().shard_size(1);
        let count = std::sync::atomic::AtomicUsize::new(0);
        let report = matches
            .for_each(|_| {
                if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % 150 == 75 {
                    server.disconnect_all();
                }
            })
            .unwrap();
        assert!(report.is_complete(), "{report}: {:?}", report.failed());
    }
}
