//! Handshakes that do not come to an end, or to a good one, and what the first message of one gives
//! away.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use native_tls::{Identity, Protocol, TlsAcceptor};
use parallel_mailbox::{ErrorKind, Retry, Security, Timeouts};

use crate::scripted::{Line, Scripted, assert_says, tls_server};
use crate::support::certificate::{Authority, self_signed};
use crate::support::front::acceptor;
use crate::support::leaks::Leaks;

/// Neither is near what it bounds.
const SHORT: Duration = Duration::from_millis(600);
const LONG: Duration = Duration::from_secs(20);

fn assert_runs_into_the_deadline(
    script: impl Fn(Line<std::net::TcpStream>) -> io::Result<()> + Send + Sync + 'static,
) {
    let leaks = Leaks::watch();
    {
        let server = Scripted::start(script);
        let started = Instant::now();
        let error = server
            .builder(Security::Tls)
            .timeouts(Timeouts::default().connect(SHORT))
            .retry(Retry::default().attempts(1))
            .connect()
            .unwrap_err();
        assert_says(&error, &ErrorKind::Timeout, &["localhost", "TLS handshake"]);
        assert!(error.is_retryable());
        assert!(started.elapsed() < LONG);
        server.assert_told_nothing();
    }
    leaks.assert_none_left();
}

#[test]
fn a_handshake_without_an_answer_runs_into_the_deadline() {
    assert_runs_into_the_deadline(Line::wait);
}

#[test]
fn a_handshake_that_trickles_runs_into_the_deadline() {
    assert_runs_into_the_deadline(|mut line| {
        // A record of 1,500 octets, the last of which comes long after the deadline.
        let head = [22, 3, 3, 0x05, 0xdc, 2, 0, 0x05, 0xd8];
        line.stream.write_all(&head)?;
        // Ends when the client has gone away.
        loop {
            line.stream.write_all(&[3])?;
            std::thread::sleep(Duration::from_millis(20));
        }
    });
}

#[test]
fn a_handshake_that_is_cut_is_tried_again() {
    let leaks = Leaks::watch();
    for octets in [0, 1, 5, 20] {
        let server = Scripted::start(move |mut line| {
            // So that closing is an end and no reset.
            let mut hello = vec![0; 5];
            line.stream.read_exact(&mut hello)?;
            let length = u16::from_be_bytes([hello[3], hello[4]]);
            hello.resize(length.into(), 0);
            line.stream.read_exact(&mut hello)?;
            let answer = [&[22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3][..], &[7; 20]].concat();
            line.stream.write_all(&answer[..octets])?;
            line.stream.shutdown(Shutdown::Write)?;
            line.wait()
        });
        let error = server.builder(Security::Tls).connect().unwrap_err();
        let words = ["localhost", "TLS handshake", "closed"];
        assert_says(&error, &ErrorKind::Disconnected, &words);
        assert_eq!((error.attempts(), server.accepted()), (3, 3));
        server.assert_told_nothing();
    }
    leaks.assert_none_left();
}

#[test]
fn a_server_in_plain_text_on_a_port_for_tls_is_told_with_the_other_setting() {
    let leaks = Leaks::watch();
    for greeting in [
        "* OK ready\r\n",
        "* PREAUTH welcome\r\n",
        "* BYE full\r\n",
        "*",
    ] {
        let server = Scripted::start(move |mut line| {
            line.say(greeting)?;
            if greeting.len() == 1 {
                return Ok(());
            }
            line.wait()
        });
        let error = server.builder(Security::Tls).connect().unwrap_err();
        let port = format!("localhost:{}", server.port());
        let words = [&port, "no TLS from the first octet", "Security::StartTls"];
        assert_says(&error, &ErrorKind::Tls, &words);
        assert_eq!(server.accepted(), 1, "it was not tried again");
        server.assert_told_nothing();
    }
    leaks.assert_none_left();
}

#[test]
fn a_server_of_something_else_is_shown() {
    let leaks = Leaks::watch();
    let server = Scripted::start(|mut line| {
        line.say("HTTP/1.1 400 Bad Request\r\n\r\n")?;
        line.wait()
    });
    let error = server.builder(Security::Tls).connect().unwrap_err();
    assert_says(&error, &ErrorKind::Tls, &["HTTP/"]);
    drop(server);
    leaks.assert_none_left();
}

#[test]
fn a_server_of_tls_on_a_plain_port_is_told_with_the_other_setting() {
    let leaks = Leaks::watch();
    for security in [Security::StartTls, Security::DangerPlaintext] {
        // Whose certificate it is does not matter.
        let server = tls_server(acceptor(&self_signed(&["elsewhere.example"])));
        let timeouts = Timeouts::default().connect(Duration::from_secs(3));
        let builder = server.builder(security).timeouts(timeouts);
        let error = builder.connect().unwrap_err();
        let port = format!("localhost:{}", server.port());
        assert_says(&error, &ErrorKind::Tls, &[&port, "Security::Tls"]);
        assert_eq!(server.accepted(), 1, "it was not tried again");
        server.assert_told_nothing();
    }
    leaks.assert_none_left();
}

#[test]
fn a_plain_port_that_keeps_silent_is_not_taken_for_tls() {
    let leaks = Leaks::watch();
    let server = Scripted::start(Line::wait);
    let started = Instant::now();
    let builder = server.builder(Security::StartTls);
    let builder = builder.retry(Retry::default().attempts(1));
    let timeouts = Timeouts::default().connect(SHORT);
    let error = builder.timeouts(timeouts).connect().unwrap_err();
    assert_says(&error, &ErrorKind::Timeout, &["localhost", "greeting"]);
    assert!(started.elapsed() < LONG);
    server.assert_told_nothing();
    drop(server);
    leaks.assert_none_left();
}

#[test]
fn a_plain_port_that_closes_without_a_greeting_may_be_one_for_tls() {
    let leaks = Leaks::watch();
    let server = Scripted::start(|_| Ok(()));
    let error = server.builder(Security::StartTls).connect().unwrap_err();
    assert_says(&error, &ErrorKind::Disconnected, &["Security::Tls"]);
    assert_eq!(server.accepted(), 3);
    drop(server);
    leaks.assert_none_left();
}

/// The server name in a ClientHello, if it has one (RFC 8446, section 4.1.2; RFC 6066, section 3).
fn server_name(hello: &[u8]) -> Option<String> {
    fn skip(rest: &mut &[u8], count: usize) {
        *rest = &rest[count..];
    }
    fn number(rest: &mut &[u8], octets: usize) -> usize {
        let (head, tail) = rest.split_at(octets);
        *rest = tail;
        head.iter()
            .fold(0, |number, octet| number << 8 | usize::from(*octet))
    }
    let mut rest = &hello[4 + 2 + 32..];
    for length_octets in [1, 2, 1] {
        let length = number(&mut rest, length_octets);
        skip(&mut rest, length);
    }
    number(&mut rest, 2);
    while !rest.is_empty() {
        let (kind, length) = (number(&mut rest, 2), number(&mut rest, 2));
        if kind == 0 {
            return Some(String::from_utf8(rest[5..length].to_vec()).unwrap());
        }
        skip(&mut rest, length);
    }
    None
}

/// What a client that is to connect to this host asks for.
fn asked_for(host: &str) -> Option<String> {
    let asked = Arc::new(Mutex::new(None));
    let server = Scripted::start({
        let asked = asked.clone();
        move |mut line| {
            let mut head = [0; 5];
            line.stream.read_exact(&mut head)?;
            let length = u16::from_be_bytes([head[3], head[4]]);
            let mut hello = vec![0; length.into()];
            line.stream.read_exact(&mut hello)?;
            *asked.lock().unwrap() = Some(server_name(&hello));
            Ok(())
        }
    });
    let builder = server.builder_for(host, Security::Tls);
    let builder = builder.retry(Retry::default().attempts(1));
    builder.connect().unwrap_err();
    drop(server);
    let mut asked = asked.lock().unwrap();
    asked.take().unwrap()
}

#[test]
fn a_name_is_asked_for_and_an_address_is_not() {
    let leaks = Leaks::watch();
    for host in ["imap.example.org", "localhost"] {
        assert_eq!(asked_for(host).as_deref(), Some(host));
    }
    // RFC 6066, section 3: without a dot behind it.
    let asked = asked_for("imap.example.org.");
    assert_eq!(asked.as_deref(), Some("imap.example.org"));
    for host in ["127.0.0.1", "::1", "fe80::1%eth0"] {
        assert_eq!(asked_for(host), None, "{host}");
    }
    leaks.assert_none_left();
}

#[test]
fn a_server_without_a_version_in_common_is_told() {
    let leaks = Leaks::watch();
    let root = Authority::new();
    let signed = root.sign(&["localhost"], |_| {});
    let identity = Identity::from_pkcs8(signed.pem.as_bytes(), signed.key.as_bytes()).unwrap();
    let old = TlsAcceptor::builder(identity)
        .min_protocol_version(Some(Protocol::Tlsv10))
        .max_protocol_version(Some(Protocol::Tlsv11))
        .build()
        .unwrap();
    let server = tls_server(old);
    let builder = server.builder(Security::Tls);
    let error = builder
        .root_certificate(root.pem.as_bytes())
        .connect()
        .unwrap_err();
    assert_says(&error, &ErrorKind::Tls, &["version of TLS"]);
    server.assert_told_nothing();
    drop(server);
    leaks.assert_none_left();
}
