//! What somebody on the way can do before TLS is there: strip, refuse, inject, skip.

use std::io;

use parallel_mailbox::{Error, ErrorKind, Security};

use crate::scripted::{Line, Scripted, assert_says};
use crate::support::certificate::Authority;
use crate::support::front::acceptor;
use crate::support::leaks::Leaks;

/// Connects to a server that says this in answer to STARTTLS and then waits; returns the error.
/// Nothing but STARTTLS was sent, once.
fn answered(answer: &'static str) -> Error {
    let server = Scripted::start(move |mut line| {
        line.until_start_tls("* OK [CAPABILITY IMAP4rev1] ready\r\n")?;
        line.say(answer)?;
        line.wait()
    });
    let error = server.builder(Security::StartTls).connect().unwrap_err();
    assert_eq!(server.heard(), ["s1 STARTTLS"]);
    assert_eq!(server.accepted(), 1, "it was not tried again");
    error
}

fn assert_refused(answer: &'static str, words: &[&str]) {
    let leaks = Leaks::watch();
    let error = answered(answer);
    assert_says(&error, &ErrorKind::Tls, &["localhost", "STARTTLS"]);
    assert_says(&error, &ErrorKind::Tls, words);
    assert!(!error.is_retryable());
    leaks.assert_none_left();
}

#[test]
fn starttls_refused_with_no_is_not_done_without() {
    assert_refused("s1 NO not here\r\n", &["NO not here", "Security::Tls"]);
}

#[test]
fn starttls_refused_with_bad_is_not_done_without() {
    assert_refused("s1 BAD unknown command\r\n", &["BAD", "Security::Tls"]);
    assert_refused("s1 what\r\n", &["what"]);
}

#[test]
fn starttls_answered_with_a_goodbye_is_not_done_without() {
    assert_refused("* BYE come back later\r\n", &["come back later"]);
}

/// Takes STARTTLS, and logins only within TLS.
fn good(
    mut line: Line<std::net::TcpStream>,
    before: &str,
    acceptor: &native_tls::TlsAcceptor,
    capabilities: &str,
) -> io::Result<()> {
    line.until_start_tls(before)?;
    line.say("s1 OK begin\r\n")?;
    line.secure(acceptor)?.serve(capabilities)
}

#[test]
fn starttls_stripped_from_the_capabilities_is_asked_for_all_the_same() {
    let leaks = Leaks::watch();
    {
        let root = Authority::new();
        let tls = acceptor(&root.sign(&["localhost"], |_| {}));
        let server = Scripted::start(move |line| {
            let before = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN XXXXXXXX] ready\r\n";
            good(line, before, &tls, "IMAP4rev1")
        });
        let builder = server.builder(Security::StartTls);
        let mailbox = builder.root_certificate(root.pem.as_bytes());
        drop(mailbox.connect().unwrap());
        let heard = server.heard();
        assert_eq!(heard[0], "s1 STARTTLS");
        assert!(heard[2].contains(" LOGIN "), "{heard:?}");
    }
    leaks.assert_none_left();
    drop(leaks);
    assert_refused("s1 BAD unknown command\r\n", &["nothing secret was sent"]);
}

#[test]
fn what_was_announced_before_tls_is_forgotten() {
    let leaks = Leaks::watch();
    {
        let root = Authority::new();
        let tls = acceptor(&root.sign(&["localhost"], |_| {}));
        // LOGINDISABLED was taken out and other ways to sign in were put in.
        let server = Scripted::start(move |mut line| {
            line.until_start_tls("* OK [CAPABILITY IMAP4rev1 AUTH=XWEAK SASL-IR] ready\r\n")?;
            line.say("* CAPABILITY IMAP4rev1 AUTH=XWEAK\r\n")?;
            line.say("s1 OK [CAPABILITY IMAP4rev1 AUTH=XWEAK] begin\r\n")?;
            line.secure(&tls)?
                .serve("IMAP4rev1 AUTH=PLAIN LOGINDISABLED")
        });
        let builder = server.builder(Security::StartTls);
        let builder = builder.root_certificate(root.pem.as_bytes());
        drop(builder.connect().unwrap());
        let heard = server.heard();
        assert!(heard[1].ends_with(" CAPABILITY"), "{heard:?}");
        assert!(heard[2].ends_with(" AUTHENTICATE PLAIN"), "{heard:?}");
        assert!(!heard.iter().any(|line| line.contains(" LOGIN ")));
    }
    leaks.assert_none_left();
}

#[test]
fn octets_behind_the_answer_to_starttls_are_refused() {
    assert_refused("s1 OK begin\r\na1 OK injected\r\n", &["tampers"]);
    assert_refused(
        "s1 OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=XWEAK\r\n",
        &["tampers"],
    );
    // No whole line, and what could pass for TLS.
    assert_refused("s1 OK begin\r\n*", &["tampers"]);
    assert_refused("s1 OK begin\r\n\x16\x03\x03", &["tampers"]);
}

/// Plain text comes in place of a handshake, so late that it is not behind the answer but after it.
fn late(text: &'static str) {
    let leaks = Leaks::watch();
    {
        let server = Scripted::start(move |mut line| {
            line.until_start_tls("* OK ready\r\n")?;
            line.say("s1 OK begin\r\n")?;
            // The client begins its handshake only when it has read the answer and found nothing
            // behind it.
            let mut first = [0];
            io::Read::read_exact(&mut line.stream, &mut first)?;
            assert_eq!(first, [22]);
            line.say(text)?;
            line.wait()
        });
        let error = server.builder(Security::StartTls).connect().unwrap_err();
        let words = ["localhost", "plain text", "tampers"];
        assert_says(&error, &ErrorKind::Tls, &words);
        assert_eq!(server.accepted(), 1);
        server.assert_told_nothing();
    }
    leaks.assert_none_left();
}

#[test]
fn octets_injected_ahead_of_the_handshake_are_refused() {
    late("a1 OK injected\r\na2 OK injected\r\n");
}

#[test]
fn a_server_that_goes_on_in_plain_text_is_refused() {
    late("* OK let us go on without\r\n");
    late("* PREAUTH welcome\r\n");
}

#[test]
fn a_preauth_greeting_before_starttls_is_refused() {
    let leaks = Leaks::watch();
    {
        let server = Scripted::start(|mut line| {
            line.say("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\r\n")?;
            line.wait()
        });
        let error = server.builder(Security::StartTls).connect().unwrap_err();
        assert_says(&error, &ErrorKind::Tls, &["localhost", "PREAUTH"]);
        assert_eq!((server.accepted(), server.heard()), (1, Vec::new()));
    }
    leaks.assert_none_left();
}

#[test]
fn a_connection_closed_in_place_of_an_answer_to_starttls_is_tried_again_and_not_done_without() {
    let leaks = Leaks::watch();
    {
        let server = Scripted::start(|mut line| line.until_start_tls("* OK ready\r\n"));
        let error = server.builder(Security::StartTls).connect().unwrap_err();
        assert_says(&error, &ErrorKind::Disconnected, &["localhost"]);
        assert_eq!(server.accepted(), 3);
        server.assert_told_nothing();
    }
    leaks.assert_none_left();
}
