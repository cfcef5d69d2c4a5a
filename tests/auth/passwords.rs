//! Passwords with whatever characters, in whichever way they go over the wire.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use parallel_mailbox::testing::Server;
use parallel_mailbox::{ErrorKind, Mechanism, ParallelMailbox, Security};

use crate::{attempts, builder};

fn awkward() -> Vec<String> {
    let mut passwords: Vec<String> = [
        "",
        "\"",
        "\\",
        r#"a"b\c"#,
        " with space ",
        "tab\tand\x7fmore\x01",
        "pa{3}ss",
        "{3+}",
        "ünïcödé-日本",
        "\u{1f511}",
        "%*()[]",
    ]
    .map(str::to_owned)
    .to_vec();
    passwords.push("x".repeat(255));
    passwords.push("ß\"".repeat(85));
    passwords
}

#[test]
fn every_password_works_by_every_way_that_shows_it() {
    let ways: [(&[&str], bool, bool); 4] = [
        (&["PLAIN"], false, true),
        // By literals, where it is not ASCII.
        (&[], false, true),
        (&["PLAIN"], true, true),
        (&["PLAIN"], true, false),
    ];
    for password in awkward() {
        for (offers, is_login_disabled, sasl_ir) in ways {
            let server = Server::builder()
                .login("m\"ê", &password)
                .mechanisms(offers.iter().copied())
                .login_disabled(is_login_disabled)
                .sasl_ir(sasl_ir)
                .start()
                .unwrap();
            let result = builder(&server).login("m\"ê", &password).connect();
            assert!(
                result.is_ok(),
                "{password:?} {offers:?}: {:?}",
                result.err()
            );
            assert_eq!(attempts(&server), 1);
            let wrong = format!("{password}!");
            let error = builder(&server).login("m\"ê", wrong).connect().unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
        }
    }
}

#[test]
fn scram_takes_a_password_or_refuses_it_before_it_is_sent() {
    for password in awkward() {
        let server = Server::builder()
            .login("me", &password)
            .mechanisms(["SCRAM-SHA-256"])
            .login_disabled(true)
            .start()
            .unwrap();
        let login = builder(&server).login("me", &password);
        let result = login.mechanism(Mechanism::ScramSha256).connect();
        // RFC 4013, sections 2.3 and 2.5: no control characters, and none that came after Unicode 3.2.
        if password.contains(|c: char| c.is_control() || c > '\u{ffff}') {
            assert_eq!(result.unwrap_err().kind(), &ErrorKind::Config);
            assert_eq!(attempts(&server), 0);
        } else {
            assert!(result.is_ok(), "{password:?}: {:?}", result.err());
        }
    }
}

/// A server that knows LOGIN and literals and nothing else, not even LITERAL+. Returns what it was
/// sent up to the end of LOGIN, if it was waited for where it has to be.
fn old_server(listener: &TcpListener) -> Vec<u8> {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    stream
        .write_all(b"* OK [CAPABILITY IMAP4rev1] old\r\n")
        .unwrap();
    let mut said = Vec::new();
    loop {
        let start = said.len();
        reader.read_until(b'\n', &mut said).unwrap();
        let line = String::from_utf8_lossy(&said[start..]).into_owned();
        let announced = line.trim_end().strip_suffix('}');
        let Some(length) = announced.and_then(|line| line.rsplit('{').next()?.parse().ok()) else {
            break;
        };
        assert!(reader.buffer().is_empty(), "it did not wait");
        stream.write_all(b"+ go on\r\n").unwrap();
        let mut literal = vec![0; length];
        reader.read_exact(&mut literal).unwrap();
        said.extend_from_slice(&literal);
    }
    stream.write_all(b"l1 NO [LIMIT] enough seen\r\n").unwrap();
    said
}

#[test]
fn an_old_server_is_waited_for_before_each_literal() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || old_server(&listener));
    let error = ParallelMailbox::builder("127.0.0.1")
        .port(port)
        .security(Security::DangerPlaintext)
        .retry(parallel_mailbox::Retry::default().attempts(1))
        .login("me", "pässword")
        .connect()
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::SessionLimit, "{error}");
    let said = String::from_utf8(server.join().unwrap()).unwrap();
    assert_eq!(said, "l1 LOGIN {2}\r\nme {9}\r\npässword\r\n");
}
