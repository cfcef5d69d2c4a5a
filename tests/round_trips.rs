//! How often a client has to wait for the server before the first message is there. Counted in the
//! server's log: what arrives a latency after what was before it had to wait for an answer.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::thread;
use std::time::Duration;

use parallel_mailbox::testing::{Fault, LogEntry, Sample, Server, ServerBuilder};
use parallel_mailbox::{Builder, Query, Timeouts, Uid, UidSet};

/// Long enough that a busy machine does not add one.
const LATENCY: Duration = Duration::from_millis(400);

fn builder(server: &Server) -> Builder {
    server.client()
}

fn server() -> ServerBuilder {
    Server::builder().sample(Sample::small(300))
}

fn uids(numbers: RangeInclusive<u32>) -> UidSet {
    numbers.map(|uid| Uid::new(uid).unwrap()).collect()
}

/// The commands of each connection, those that arrived together in one group.
fn waves(log: &[LogEntry]) -> BTreeMap<u64, Vec<Vec<String>>> {
    let mut waves = BTreeMap::<u64, Vec<Vec<String>>>::new();
    let mut last = BTreeMap::new();
    for entry in log {
        let words: Vec<&str> = entry.line.split(' ').skip(1).collect();
        let name = match words[..] {
            ["UID", name, ..] | [name, ..] => name.to_owned(),
            [] => String::new(),
        };
        let of_connection = waves.entry(entry.connection).or_default();
        let before = last.insert(entry.connection, entry.at);
        match before {
            Some(before) if entry.at - before < LATENCY / 2 => {
                of_connection.last_mut().unwrap().push(name);
            }
            _ => of_connection.push(vec![name]),
        }
    }
    waves
}

#[test]
fn from_connect_to_the_first_message_a_session_waits_five_times_at_most() {
    let server = server().latency(LATENCY).start().unwrap();
    let mailbox = builder(&server).workers(3).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    assert_eq!(matches.map(|message| message.uid()).unwrap().len(), 300);
    let log = server.log();
    let waves = waves(&log);
    assert_eq!(waves.len(), 3);
    // Besides, there is the wait for the greeting, which here does not tell the capabilities;
    // where it does, the first of these is not needed either.
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let first: [Vec<String>; 3] = [
        names(&["CAPABILITY"]),
        names(&["LOGIN", "ID", "CAPABILITY", "EXAMINE"]),
        names(&["SEARCH"]),
    ];
    assert_eq!(waves[&1][..3], first);
    assert!(waves[&1][3].iter().all(|name| name == "FETCH"));
    // The others are opened by the run, which knows that it needs them.
    for other in [2, 3] {
        assert_eq!(waves[&other][0], ["LOGIN", "EXAMINE", "FETCH"]);
    }
}

#[test]
fn a_later_session_is_asked_for_messages_together_with_its_login() {
    let server = server().latency(LATENCY).start().unwrap();
    let mailbox = builder(&server).workers(3).connect().unwrap();
    let matches = mailbox.uids(uids(1..=300));
    assert_eq!(matches.map(|message| message.uid()).unwrap().len(), 300);
    let waves = waves(&server.log());
    assert_eq!(waves.len(), 3);
    for other in [2, 3] {
        assert_eq!(waves[&other][0], ["LOGIN", "EXAMINE", "FETCH"]);
    }
}

#[test]
fn a_server_that_throws_away_what_comes_before_its_greeting_is_waited_for() {
    let server = server().start().unwrap();
    let port = throws_away_what_comes_first(server.port());
    let mailbox = builder(&server)
        .port(port)
        .workers(3)
        .timeouts(Timeouts::default().read(Duration::from_millis(500)))
        .connect()
        .unwrap();
    for _ in 0..2 {
        let matches = mailbox.uids(uids(1..=300));
        assert_eq!(matches.map(|message| message.uid()).unwrap().len(), 300);
    }
    assert_eq!(mailbox.workers(), 3);
    // What was thrown away never got there.
    let logins = server.log();
    let logins = logins.iter().filter(|entry| entry.line.contains("LOGIN"));
    assert_eq!(logins.count(), 3);
}

/// A relay that loses what a client says before it is greeted.
fn throws_away_what_comes_first(upstream: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    // Ends with the process: nobody connects any more.
    thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut server) = (
                client.unwrap(),
                TcpStream::connect(("127.0.0.1", upstream)).unwrap(),
            );
            thread::spawn(move || {
                client
                    .set_read_timeout(Some(Duration::from_millis(100)))
                    .unwrap();
                let _ = client.read(&mut [0; 4096]);
                client.set_read_timeout(None).unwrap();
                let (mut from_client, mut to_server) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || io::copy(&mut from_client, &mut to_server));
                let _ = io::copy(&mut server, &mut client);
                let _ = client.shutdown(Shutdown::Both);
            });
        }
    });
    port
}

#[test]
fn a_search_that_finds_little_opens_no_session_for_it() {
    let server = server().start().unwrap();
    let mailbox = builder(&server).workers(8).connect().unwrap();
    let nothing = mailbox
        .search(Query::all().subject("no such subject anywhere"))
        .unwrap();
    assert!(nothing.is_empty());
    assert_eq!(nothing.map(|message| message.uid()).unwrap(), []);
    let two = mailbox.search(Query::all().uid(uids(5..=6))).unwrap();
    assert_eq!(two.map(|message| message.uid()).unwrap().len(), 2);
    assert!(server.connections().accepted <= 2);
}

#[test]
fn a_server_that_loses_what_comes_behind_a_login_is_asked_again() {
    for fault in [
        Fault::drop_pipelined().before("LOGIN"),
        Fault::close().after("LOGIN").times(1),
        Fault::no("CLIENTBUG", "log in first")
            .before("EXAMINE")
            .times(1),
    ] {
        let server = server().start().unwrap();
        server.add_fault(fault);
        let mailbox = builder(&server)
            .workers(3)
            .timeouts(Timeouts::default().read(Duration::from_millis(500)))
            .connect()
            .unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        assert_eq!(matches.map(|message| message.uid()).unwrap().len(), 300);
    }
}

#[test]
fn a_wrong_password_is_told_also_with_commands_behind_it() {
    let server = server().start().unwrap();
    let error = builder(&server)
        .login(server.user(), "wrong")
        .connect()
        .unwrap_err();
    assert_eq!(error.kind(), &parallel_mailbox::ErrorKind::Auth, "{error}");
    let logins = server.log();
    let logins = logins.iter().filter(|entry| entry.line.contains("LOGIN"));
    assert_eq!(logins.count(), 1);
}

#[test]
fn a_mailbox_name_with_quotes_and_backslashes_is_the_same_ahead_as_later() {
    let server = server().start().unwrap();
    let name = "a \"quoted\" \\ name & Entwürfe";
    server.append(name, "Subject: here\r\n\r\n");
    for _ in 0..2 {
        let mailbox = builder(&server).mailbox(name).workers(2).connect().unwrap();
        assert_eq!(mailbox.exists(), 1);
    }
}
