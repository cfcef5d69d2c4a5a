//! Through a program that leads to the in-process server.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::process::Command;

use example_command::Tunnel;
use parallel_mailbox::testing::{Fault, Sample, Server};
use parallel_mailbox::{Builder, ErrorKind, ParallelMailbox, Query, Retry};

/// Stands in for `ssh`.
const RELAY: &str = env!("CARGO_BIN_EXE_relay");

fn server() -> Server {
    let server = Server::builder().sample(Sample::tiny(300));
    server.fault(Fault::preauth()).start().unwrap()
}

fn tunnel(server: &Server) -> Tunnel {
    Tunnel::new(RELAY, [server.port().to_string()])
}

fn builder(tunnel: Tunnel) -> Builder {
    ParallelMailbox::builder("tunnel")
        .connector(tunnel)
        .preauthenticated()
        .workers(3)
        .retry(Retry::default().attempts(2))
}

/// How many programs lead to this server.
fn children(server: &Server) -> usize {
    let pattern = format!("^{RELAY} {}$", server.port());
    let listed = Command::new("pgrep").args(["-fc", &pattern]).output();
    let listed = listed.unwrap().stdout;
    String::from_utf8_lossy(&listed).trim().parse().unwrap()
}

#[test]
fn each_session_is_a_command_that_ends_with_it() {
    let server = server();
    let mailbox = builder(tunnel(&server)).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap().shard_size(20);
    for (uid, raw) in matches
        .map(|message| (message.uid(), message.into_raw()))
        .unwrap()
    {
        assert_eq!(
            Some(raw),
            server.raw("INBOX", uid.get()).map(|raw| raw.to_vec())
        );
    }
    assert_eq!(children(&server), 3);
    drop((matches, mailbox));
    assert_eq!(children(&server), 0);
}

#[test]
fn a_command_that_dies_in_mid_run_is_started_again_and_nothing_is_lost() {
    let server = server();
    server.add_fault(Fault::reset().uid(50).times(1));
    server.add_fault(Fault::reset().uid(200).times(1));
    let mailbox = builder(tunnel(&server)).connect().unwrap();
    let report = mailbox
        .search(Query::all())
        .unwrap()
        .for_each(drop)
        .unwrap();
    assert_eq!(report.delivered().len(), 300);
    assert_eq!(report.reconnects(), 2);
}

#[test]
fn cancelling_a_run_leaves_no_command_behind() {
    let server = server();
    let mailbox = builder(tunnel(&server)).connect().unwrap();
    let mut results = mailbox
        .search(Query::all())
        .unwrap()
        .window(10)
        .imap(|message| message.uid());
    assert!(results.next().unwrap().is_ok());
    drop(results);
    drop(mailbox);
    assert_eq!(children(&server), 0);
}

#[test]
fn a_command_that_does_not_exist_is_named() {
    let none: [&str; 0] = [];
    let tunnel = Tunnel::new("/no/such/program", none);
    let error = builder(tunnel).connect().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Connect);
    assert!(error.to_string().contains("/no/such/program"), "{error}");
}
