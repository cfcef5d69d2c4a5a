//! Finding the server and being greeted: the first session, names with several addresses, BYE and
//! PREAUTH.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parallel_mailbox::testing::{Fault, Sample, Server, ServerBuilder};
use parallel_mailbox::{
    Builder, Connect, ErrorKind, Event, ParallelMailbox, Query, Security, Stream,
};

use crate::play::{PATIENCE, play};
use crate::support::leaks::Leaks;
use crate::support::wait::until;

/// What `is_secure` says of a stream is all that tells it from TCP.
#[derive(Debug)]
struct Road {
    stream: TcpStream,
    is_secure: bool,
}

impl Read for Road {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.stream.read(target)
    }
}

impl Write for Road {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.stream.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Stream for Road {
    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.stream.set_timeout(timeout)
    }

    fn is_secure(&self) -> bool {
        self.is_secure
    }
}

/// Leads to this machine, whatever the name of the host is.
fn road(is_secure: bool) -> impl Connect {
    move |_: &str, port: u16, _: Duration| {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        Ok(Box::new(Road { stream, is_secure }) as Box<dyn Stream>)
    }
}

/// Fails in this way whenever `is_refused` says so of the number of the try, counted from 1.
fn refusing(
    kind: io::ErrorKind,
    tries: Arc<AtomicUsize>,
    is_refused: fn(usize) -> bool,
) -> impl Connect {
    move |host: &str, port: u16, timeout: Duration| {
        if is_refused(tries.fetch_add(1, Ordering::SeqCst) + 1) {
            return Err(kind.into());
        }
        road(false).connect(host, port, timeout)
    }
}

const NO_WAY: [io::ErrorKind; 3] = [
    io::ErrorKind::ConnectionRefused,
    io::ErrorKind::HostUnreachable,
    io::ErrorKind::NetworkUnreachable,
];

fn server(server: ServerBuilder) -> Server {
    server.sample(Sample::tiny(20)).start().unwrap()
}

fn builder(server: &Server, host: &str) -> Builder {
    ParallelMailbox::builder(host)
        .port(server.port())
        .security(Security::DangerPlaintext)
        .login(server.user(), server.password())
        .workers(2)
}

#[test]
fn a_first_session_that_cannot_be_had_is_tried_a_few_times() {
    let leaks = Leaks::watch();
    for kind in NO_WAY {
        let server = server(Server::builder());
        let tries = Arc::new(AtomicUsize::new(0));
        let error = builder(&server, "imap.example.org")
            .connector(refusing(kind, tries.clone(), |_| true))
            .connect()
            .unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Connect);
        let place = format!("imap.example.org:{}", server.port());
        assert!(error.to_string().contains(&place), "{error}");
        assert_eq!((error.attempts(), tries.load(Ordering::SeqCst)), (3, 3));

        let tries = Arc::new(AtomicUsize::new(0));
        let mailbox = builder(&server, "imap.example.org")
            .connector(refusing(kind, tries, |number| number <= 2))
            .connect()
            .unwrap();
        assert_eq!(mailbox.search(Query::all()).unwrap().len(), 20);
    }
    leaks.assert_none_left();
}

#[test]
fn workers_that_reach_nobody_leave_the_run_to_those_that_did() {
    let has_given_up = |event: &Event| match event {
        Event::SessionRefused {
            error, retry_in, ..
        } => {
            assert_eq!(error.kind(), &ErrorKind::Connect, "{error}");
            retry_in.is_none()
        }
        _ => false,
    };
    for kind in NO_WAY {
        let tries = Arc::new(AtomicUsize::new(0));
        let ending = play(200, 5, [])
            .tune(move |builder| builder.connector(refusing(kind, tries, |number| number > 2)))
            .run_during(|scene, _| {
                until(PATIENCE, || scene.count(has_given_up) == 3);
            });
        ending.assert_all_delivered();
        assert_eq!(ending.connections.accepted, 2);
        assert_eq!(ending.count(has_given_up), 3);
    }
}

#[test]
fn a_name_is_tried_at_each_of_its_addresses() {
    // It listens at 127.0.0.1 alone. Where the name leads to ::1 as well, nobody is there.
    let leaks = Leaks::watch();
    {
        let server = server(Server::builder());
        let mailbox = builder(&server, "localhost").connect().unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        assert_eq!(matches.for_each(drop).unwrap().delivered().len(), 20);
    }
    leaks.assert_none_left();
}

#[test]
fn a_greeting_of_preauth_is_taken_on_this_machine_and_without_a_login() {
    let ending = play(100, 3, [Fault::preauth()]).run();
    ending.assert_all_delivered();
    assert_eq!(ending.sent("LOGIN") + ending.sent("AUTHENTICATE"), 0);
}

#[test]
fn a_greeting_of_preauth_is_taken_where_the_way_is_secure() {
    let leaks = Leaks::watch();
    {
        let server = server(Server::builder().fault(Fault::preauth()));
        for security in [Security::Tls, Security::StartTls, Security::DangerPlaintext] {
            let mailbox = builder(&server, "imap.example.org")
                .security(security)
                .connector(road(true))
                .connect()
                .unwrap();
            let matches = mailbox.search(Query::all()).unwrap();
            assert_eq!(matches.for_each(drop).unwrap().delivered().len(), 20);
        }
        let log = server.log();
        assert!(log.iter().all(|entry| !entry.line.contains("LOGIN")));
    }
    leaks.assert_none_left();
}

#[test]
fn a_greeting_of_preauth_is_refused_where_a_stranger_may_have_sent_it() {
    let leaks = Leaks::watch();
    {
        let server = server(Server::builder().fault(Fault::preauth()));
        for (security, host, kind) in [
            // Whoever skips the login skips STARTTLS with it, and the mail comes in the clear.
            (Security::StartTls, "127.0.0.1", ErrorKind::Tls),
            (Security::StartTls, "imap.example.org", ErrorKind::Tls),
            (
                Security::DangerPlaintext,
                "imap.example.org",
                ErrorKind::Auth,
            ),
        ] {
            let error = builder(&server, host)
                .security(security)
                .connector(road(false))
                .connect()
                .unwrap_err();
            assert_eq!(error.kind(), &kind, "{error}");
            assert!(error.to_string().contains("PREAUTH"), "{error}");
        }
        assert!(server.log().is_empty(), "nothing was sent");
        assert_eq!(server.connections().accepted, 3, "and none tried again");
    }
    leaks.assert_none_left();
}
