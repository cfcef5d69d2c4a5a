//! Compressed connections: the same octets as without, the same caps, and no harm where a server
//! does not have it, refuses it or gets it wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod counted;
mod support;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use counted::counted;
use parallel_mailbox::testing::{Fault, Sample, Server, ServerBuilder};
use parallel_mailbox::{
    Builder, ErrorKind, Event, Matches, ParallelMailbox, Query, Retry, Security, Timeouts,
};
use support::leaks::Leaks;
use support::{memory, nasty};

fn server() -> ServerBuilder {
    Server::builder().compress(true)
}

fn builder(server: &Server) -> Builder {
    server
        .client()
        .timeouts(Timeouts::default().read(Duration::from_millis(400)))
        .retry(Retry::default().initial_delay(Duration::from_millis(5)))
        .compress(true)
}

/// Every message of the server, and that each is as it is there.
fn assert_exact(server: &Server, matches: &Matches) {
    let held: BTreeMap<u32, Arc<[u8]>> = server
        .uids("INBOX")
        .into_iter()
        .map(|uid| (uid, server.raw("INBOX", uid).unwrap()))
        .collect();
    let seen = Mutex::new(Vec::new());
    let report = matches
        .for_each(|message| {
            let uid = message.uid().get();
            assert!(message.raw() == &*held[&uid], "message {uid} differs");
            seen.lock().unwrap().push(uid);
        })
        .unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert!(seen.iter().eq(held.keys()), "{report}");
    assert_eq!(report.delivered(), report.matched(), "{report}");
}

fn times_said(server: &Server, command: &str) -> usize {
    let log = server.log();
    log.iter()
        .filter(|entry| entry.line.contains(command))
        .count()
}

#[test]
fn every_octet_is_as_without_and_sessions_serve_one_run_after_the_other() {
    let leaks = Leaks::watch();
    let server = server()
        .messages(nasty::small().into_iter().map(|(_, octets)| octets))
        .message(nasty::large(1_500_000))
        .sample(Sample::small(300))
        .start()
        .unwrap();
    // A message without content is looked at over a session of its own.
    for uid in server.uids("INBOX") {
        if server.raw("INBOX", uid).unwrap().is_empty() {
            server.expunge("INBOX", uid);
        }
    }
    for workers in [1, 4] {
        server.clear_log();
        let before = server.connections().accepted;
        let mailbox = builder(&server).workers(workers).connect().unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        for _ in 0..3 {
            assert_exact(&server, &matches);
        }
        let connections = server.connections().accepted - before;
        assert!(connections <= workers as u64, "{connections} connections");
        let compressed = times_said(&server, " COMPRESS DEFLATE");
        assert_eq!(compressed as u64, connections);
        mailbox.close();
    }
    drop(server);
    leaks.assert_none_left();
}

#[test]
fn text_arrives_in_a_fraction_of_its_octets() {
    let _turn = Leaks::watch();
    let server = server().sample(Sample::small(300)).start().unwrap();
    let size: usize = server
        .uids("INBOX")
        .iter()
        .map(|uid| server.raw("INBOX", *uid).unwrap().len())
        .sum();
    let arrived = [true, false].map(|compress| {
        let (builder, octets) = counted(builder(&server));
        let mailbox = builder.compress(compress).workers(2).connect().unwrap();
        assert_exact(&server, &mailbox.search(Query::all()).unwrap());
        octets.load(Ordering::Relaxed) as usize
    });
    assert!(arrived[0] < size / 2, "{arrived:?} of {size}");
    assert!(arrived[1] > size, "{arrived:?} of {size}");
}

#[test]
fn nothing_is_compressed_unless_it_is_asked_for() {
    let _turn = Leaks::watch();
    let server = server().sample(Sample::tiny(10)).start().unwrap();
    let mailbox = server.client().connect().unwrap();
    assert_exact(&server, &mailbox.search(Query::all()).unwrap());
    assert_eq!(times_said(&server, "COMPRESS"), 0);
}

#[test]
fn a_server_that_does_not_have_it_is_read_as_it_is() {
    let _turn = Leaks::watch();
    let server = Server::builder().sample(Sample::tiny(50)).start().unwrap();
    let mailbox = builder(&server).workers(2).connect().unwrap();
    assert_exact(&server, &mailbox.search(Query::all()).unwrap());
    assert_eq!(times_said(&server, "COMPRESS"), 0);
}

#[test]
fn a_server_that_refuses_it_is_read_as_it_is() {
    let _turn = Leaks::watch();
    for refusal in [
        Fault::no("COMPRESSIONACTIVE", "TLS does that"),
        Fault::no("", "not today"),
        Fault::bad("what?"),
    ] {
        let server = server().sample(Sample::tiny(50)).start().unwrap();
        server.add_fault(refusal.before("COMPRESS"));
        let (builder, _) = counted(builder(&server));
        let mailbox = builder.workers(2).connect().unwrap();
        assert_exact(&server, &mailbox.search(Query::all()).unwrap());
        assert!(times_said(&server, " COMPRESS DEFLATE") >= 1);
    }
}

#[test]
fn a_session_that_needs_no_login_is_compressed_as_well() {
    let _turn = Leaks::watch();
    let server = server().sample(Sample::tiny(20)).start().unwrap();
    server.add_fault(Fault::preauth());
    let mailbox = builder(&server).workers(1).connect().unwrap();
    assert_exact(&server, &mailbox.search(Query::all()).unwrap());
    assert_eq!(times_said(&server, "LOGIN"), 0);
    assert_eq!(times_said(&server, " COMPRESS DEFLATE"), 1);
}

#[test]
fn octets_ahead_of_the_compressed_stream_are_refused() {
    let _turn = Leaks::watch();
    let server = server().sample(Sample::tiny(5)).start().unwrap();
    server.add_fault(Fault::inject("* 7 EXISTS\r\n").after("COMPRESS"));
    let error = builder(&server).connect().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("COMPRESS"), "{error}");
    assert_eq!(times_said(&server, "EXAMINE"), 0, "nothing more is sent");
}

#[test]
fn a_server_that_falls_silent_or_leaves_at_the_switch_is_given_up_in_time() {
    let _turn = Leaks::watch();
    for (fault, kinds, word) in [
        (Fault::stall(), &[ErrorKind::Timeout][..], "COMPRESS"),
        (Fault::bye("over"), &[ErrorKind::Disconnected], "over"),
        (
            Fault::endless("* OK still here\r\n"),
            // Whichever limit comes first.
            &[ErrorKind::Timeout, ErrorKind::Protocol],
            "COMPRESS",
        ),
        (Fault::endless("x"), &[ErrorKind::Protocol], "line"),
    ] {
        let server = server().start().unwrap();
        server.add_fault(fault.before("COMPRESS"));
        let started = Instant::now();
        let error = builder(&server).connect().unwrap_err();
        assert!(kinds.contains(error.kind()), "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn faults_under_compression_lose_and_double_nothing() {
    let leaks = Leaks::watch();
    let faults = [
        // Within a literal, whatever the octet.
        vec![Fault::reset().after_octets(70_000).on_connections(2..=4)],
        vec![Fault::reset().after_octets(123_456).on_connection(2)],
        vec![Fault::close().uid(77).times(2)],
        vec![Fault::stall().uid(150).times(1)],
        vec![
            Fault::stall()
                .after_octets(55_555)
                .on_connection(2)
                .times(1),
        ],
        vec![Fault::bye("maintenance").uid(60).times(1)],
        vec![Fault::reset().after("COMPRESS").on_connection(2)],
        vec![Fault::trickle(Duration::from_millis(50)).uid(90).times(1)],
        vec![Fault::endless("* OK [X] chatter\r\n").uid(30).times(1)],
    ];
    for faults in faults {
        let shown = format!("{faults:?}");
        let server = server().sample(Sample::small(300)).start().unwrap();
        for fault in faults {
            server.add_fault(fault);
        }
        let struck = Arc::new(AtomicU64::new(0));
        let counter = struck.clone();
        let mailbox = builder(&server)
            .workers(4)
            .on_event(move |event| {
                if matches!(
                    event,
                    Event::SessionLost { .. } | Event::SessionRefused { .. }
                ) {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            })
            .connect()
            .unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        assert_exact(&server, &matches);
        let struck = struck.load(Ordering::Relaxed);
        assert!(struck > 0, "{shown} did not strike");
        mailbox.close();
    }
    leaks.assert_none_left();
}

/// Set for the child process that reads the bombs: the port.
const CHILD: &str = "PARALLEL_MAILBOX_TEST_CHILD";

/// Of which deflate makes half a megabyte.
const BOMB: u64 = 100_000_000;

#[test]
fn a_bomb_goes_off_within_the_caps_and_in_bounded_memory() {
    let _turn = Leaks::watch();
    if let Ok(port) = std::env::var(CHILD) {
        return read_bombs(port.parse().unwrap());
    }
    let server = server().sample(Sample::tiny(200)).start().unwrap();
    server.add_fault(Fault::oversize(BOMB).uid(7));
    // A line without an end.
    server.add_fault(Fault::endless(vec![0; 32 * 1024]).uid(100).times(1));
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_bomb_goes_off_within_the_caps_and_in_bounded_memory",
            "--nocapture",
        ])
        .env(CHILD, server.port().to_string())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}{complaint}");
    let peak = shown
        .lines()
        .find_map(|line| line.strip_prefix("peak ")?.parse::<u64>().ok());
    eprintln!("bombs: {} octets on the wire, peak {peak:?}", {
        let arrived = shown.lines().find_map(|line| line.strip_prefix("arrived "));
        arrived.unwrap_or("?").to_owned()
    });
    assert!(peak.unwrap() < 40_000_000, "{shown}");
}

fn read_bombs(port: u16) {
    let broken = Arc::new(Mutex::new(Vec::new()));
    let heard = broken.clone();
    let (builder, octets) = counted(
        ParallelMailbox::builder("127.0.0.1")
            .port(port)
            .security(Security::DangerPlaintext)
            .login("me", "secret")
            .workers(2)
            .retry(Retry::default().initial_delay(Duration::from_millis(5)))
            .max_message_size(1_000_000)
            .compress(true),
    );
    let mailbox = builder
        .on_event(move |event| {
            if let Event::SessionLost { error, .. } = event {
                heard.lock().unwrap().push(error.clone());
            }
        })
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let report = matches.for_each(drop).unwrap();
    assert_eq!(report.delivered().len(), 199, "{report}");
    let [(uid, error)] = report.failed() else {
        panic!("{report:?}");
    };
    let too_large = ErrorKind::TooLarge {
        size: BOMB,
        limit: 1_000_000,
    };
    assert_eq!((uid.get(), error.kind()), (7, &too_large), "{error}");
    // The literal was drained and cost no session; the line did.
    let broken = broken.lock().unwrap();
    let [error] = broken.as_slice() else {
        panic!("{broken:?}");
    };
    assert_eq!(error.kind(), &ErrorKind::Protocol, "{error}");
    println!("\narrived {}", octets.load(Ordering::Relaxed));
    println!("peak {}", memory::peak_octets().unwrap_or(0));
}

#[cfg(unix)]
mod with_dovecot {
    use super::*;
    use crate::support::dovecot::{Dovecot, dovecot_or_skip};
    use crate::support::maildir::expected;
    use crate::support::raw_client::RawClient;

    fn messages() -> Vec<Vec<u8>> {
        let sample = Sample::small(500).into_iter();
        let mut messages: Vec<Vec<u8>> = sample.map(|message| message.raw().to_vec()).collect();
        messages.extend(nasty::small().into_iter().map(|(_, octets)| octets));
        messages
    }

    fn read(dovecot: &Dovecot, security: Security, messages: &[Vec<u8>]) -> u64 {
        let port = match security {
            Security::Tls => dovecot.tls_port(),
            _ => dovecot.plain_port(),
        };
        let builder = ParallelMailbox::builder(dovecot.host())
            .port(port)
            .security(security)
            .root_certificate(dovecot.certificate_pem())
            .login(dovecot.user(), dovecot.password())
            .workers(4)
            .compress(true);
        let (builder, octets) = counted(builder);
        let mailbox = builder.connect().unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        assert_eq!(matches.len(), messages.len());
        for _ in 0..2 {
            let bodies = matches.map(|message| message.raw().to_vec()).unwrap();
            for (body, message) in bodies.iter().zip(messages) {
                assert!(*body == expected(message), "{security:?}");
            }
        }
        octets.load(Ordering::Relaxed) / 2
    }

    #[test]
    fn every_octet_comes_compressed_from_dovecot_whatever_the_security() {
        let _turn = Leaks::watch();
        let Some(options) = dovecot_or_skip() else {
            return;
        };
        let messages = messages();
        let dovecot = options.messages(messages.clone()).compress().start();
        let mut client = RawClient::connect(dovecot.plain_port());
        assert!(!client.greeting().contains("COMPRESS"));
        let login = client.ok(&format!("LOGIN {} {}", dovecot.user(), dovecot.password()));
        let announced = &login.last().unwrap().line;
        assert!(announced.contains("COMPRESS=DEFLATE"), "{announced}");

        let size: usize = messages.iter().map(Vec::len).sum();
        for security in [Security::DangerPlaintext, Security::StartTls, Security::Tls] {
            let arrived = read(&dovecot, security, &messages);
            eprintln!("Dovecot, {security:?}: {arrived} octets for {size}");
            assert!(arrived < size as u64 / 2, "{arrived} of {size}");
        }
    }

    #[test]
    fn a_dovecot_without_the_plugin_is_read_as_it_is() {
        let _turn = Leaks::watch();
        let Some(options) = dovecot_or_skip() else {
            return;
        };
        let messages = messages();
        let dovecot = options.messages(messages.clone()).start();
        let arrived = read(&dovecot, Security::DangerPlaintext, &messages);
        let size: usize = messages.iter().map(Vec::len).sum();
        assert!(arrived >= size as u64, "{arrived} of {size}");
    }

    #[test]
    fn sessions_of_dovecot_that_are_killed_cost_nothing() {
        let _turn = Leaks::watch();
        let Some(options) = dovecot_or_skip() else {
            return;
        };
        let messages = messages();
        let dovecot = options.messages(messages.clone()).compress().start();
        let mailbox = ParallelMailbox::builder(dovecot.host())
            .port(dovecot.plain_port())
            .security(Security::DangerPlaintext)
            .login(dovecot.user(), dovecot.password())
            .workers(3)
            .retry(Retry::default().initial_delay(Duration::from_millis(5)))
            .compress(true)
            .connect()
            .unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        let taken = AtomicU64::new(0);
        let bodies = matches
            .map(|message| {
                if taken.fetch_add(1, Ordering::Relaxed) == 100 {
                    for process in dovecot.imap_process_ids() {
                        dovecot.kill(process);
                    }
                }
                message.raw().to_vec()
            })
            .unwrap();
        assert!(
            bodies
                .iter()
                .zip(&messages)
                .all(|(body, message)| *body == expected(message))
        );
        assert_eq!(bodies.len(), messages.len());
    }
}
