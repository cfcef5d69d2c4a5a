//! What goes wrong at once: the error says what and where, nothing is tried twice that must not
//! be, and no secret shows up anywhere.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod support;

use std::error::Error as _;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parallel_mailbox::testing::{Fault, Server};
use parallel_mailbox::{
    Builder, Error, ErrorKind, Event, ParallelMailbox, Query, Retry, Security, Timeouts,
};
use support::certificate::Certificate;
use support::dovecot::dovecot_or_skip;
use support::wait;

const SECRET: &str = "hunter2-is-secret";
const USER: &str = "ann-is-private";

fn server() -> Server {
    let letters = ["Subject: one\r\n\r\n1", "Subject: two\r\n\r\n2"];
    Server::builder()
        .login(USER, SECRET)
        .messages(letters)
        .start()
        .unwrap()
}

fn builder(server: &Server) -> Builder {
    ParallelMailbox::builder("127.0.0.1")
        .port(server.port())
        .security(Security::DangerPlaintext)
        .login(USER, SECRET)
}

/// Everything that an error says, in every way that it can be printed.
fn everything(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    text
}

fn assert_says(error: &Error, kind: &ErrorKind, words: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
    let all = everything(error);
    assert!(!all.contains(SECRET) && !all.contains(USER), "{all}");
}

fn logins(server: &Server) -> usize {
    server
        .log()
        .iter()
        .filter(|entry| entry.line.contains(" LOGIN "))
        .count()
}

#[test]
fn a_wrong_password_is_told_at_once_and_tried_once() {
    let server = server();
    let error = builder(&server).login(USER, "wrong").connect().unwrap_err();
    let port = server.port().to_string();
    assert_says(
        &error,
        &ErrorKind::Auth,
        &["AUTHENTICATIONFAILED", "127.0.0.1", &port],
    );
    assert!(!error.is_retryable() && error.is_fatal());
    assert_eq!(logins(&server), 1);
}

#[test]
fn a_password_that_is_wrong_for_the_second_session_ends_the_run_for_all() {
    let server = server();
    server.add_fault(
        Fault::no("AUTHENTICATIONFAILED", "changed")
            .before("LOGIN")
            .on_logins(2..),
    );
    for uid in 0..3_000 {
        server.append("INBOX", format!("Subject: {uid}\r\n\r\n"));
    }
    let is_refused = Arc::new(AtomicBool::new(false));
    let refused = is_refused.clone();
    let builder = builder(&server).workers(8).on_event(move |event| {
        if matches!(event, Event::SessionRefused { .. }) {
            refused.store(true, Ordering::SeqCst);
        }
    });
    let mailbox = builder.connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    // Or the first session might have brought everything before another is refused.
    let until_refused = |_| {
        let is_over = wait::until(Duration::from_secs(20), || {
            is_refused.load(Ordering::SeqCst)
        });
        assert!(is_over);
    };
    let error = matches.for_each(until_refused).unwrap_err();
    assert_says(&error, &ErrorKind::Auth, &["changed"]);
    let report = matches.last_report().unwrap();
    assert_eq!(report.delivered().len() + report.unfinished().len(), 3_002);
    assert!(logins(&server) <= 8, "each worker tries once at most");
}

#[test]
fn a_server_that_repeats_the_command_gets_no_password_printed() {
    for fault in [
        Fault::bad(format!("unknown command LOGIN {USER} {SECRET}").as_str()).before("LOGIN"),
        Fault::no("", format!("no: {USER} {SECRET}")).before("LOGIN"),
        Fault::bye(format!("go away {USER} {SECRET}")).before("LOGIN"),
    ] {
        let server = server();
        server.add_fault(fault);
        let error = builder(&server)
            .retry(Retry::default().attempts(1))
            .connect()
            .unwrap_err();
        let all = everything(&error);
        // After BAD nothing is shown at all.
        let is_hidden = all.contains("***") || all.contains("are not shown");
        assert!(is_hidden, "{all}");
        assert!(!all.contains(SECRET) && !all.contains(USER), "{all}");
    }
}

#[test]
fn a_refused_password_is_remembered_for_the_next_run() {
    let server = server();
    let mailbox = builder(&server).workers(2).connect().unwrap();
    server.add_fault(Fault::no("AUTHENTICATIONFAILED", "changed").before("LOGIN"));
    server.disconnect_all();
    // Not for all messages: during such a search the other session signs in, too.
    let some = || Query::all().smaller(u64::from(u32::MAX));
    let first = mailbox.search(some()).unwrap_err();
    let logins_before = logins(&server);
    let second = mailbox.search(some()).unwrap_err();
    assert_eq!(
        (first.kind(), second.kind()),
        (&ErrorKind::Auth, &ErrorKind::Auth)
    );
    assert_eq!(
        logins(&server),
        logins_before,
        "the account is not locked by asking again"
    );
}

#[test]
fn a_refused_port_names_host_and_port() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = ParallelMailbox::builder("127.0.0.1")
        .port(port)
        .login(USER, SECRET)
        .connect()
        .unwrap_err();
    assert_says(
        &error,
        &ErrorKind::Connect,
        &["127.0.0.1", &port.to_string()],
    );
    assert!(error.is_retryable());
    assert_eq!(error.attempts(), 3);
}

#[test]
fn an_unknown_host_is_named() {
    // RFC 6761, section 6.4: names under .invalid do not exist.
    let error = ParallelMailbox::builder("no-such-host.invalid")
        .login(USER, SECRET)
        .retry(Retry::default().attempts(1))
        .connect()
        .unwrap_err();
    assert_says(
        &error,
        &ErrorKind::Connect,
        &["no-such-host.invalid", "resolved"],
    );
}

#[test]
fn an_unknown_mailbox_is_named() {
    let server = server();
    let error = builder(&server).mailbox("Entwürfe").connect().unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Server { code: Some(code), .. } if code == "NONEXISTENT")
    );
    assert!(error.to_string().contains("Entwürfe"), "{error}");
    assert_eq!(
        logins(&server),
        1,
        "not a failure that another try could mend"
    );
}

#[test]
fn what_would_break_out_of_a_command_is_refused_before_anything_is_sent() {
    let server = server();
    for (builder, what) in [
        (builder(&server).login("a\r\nb", SECRET), "user name"),
        (builder(&server).login("a\0b", SECRET), "user name"),
        (builder(&server).login(USER, "x\r\nb1 LOGOUT"), "password"),
        (builder(&server).login(USER, "x\0"), "password"),
        (builder(&server).mailbox("INBOX\r\nb1 LOGOUT"), "mailbox"),
        (builder(&server).mailbox(""), "mailbox"),
        (builder(&server).workers(0), "workers"),
        (builder(&server).workers(100_000), "workers"),
        (builder(&server).max_message_size(0), "largest message"),
        (
            builder(&server).timeouts(Timeouts::default().read(Duration::ZERO)),
            "read",
        ),
        (
            builder(&server).root_certificate(b"no certificate"),
            "certificate",
        ),
        (ParallelMailbox::builder("").login(USER, SECRET), "host"),
        (ParallelMailbox::builder("a b").login(USER, SECRET), "host"),
        (ParallelMailbox::builder("127.0.0.1"), "login"),
    ] {
        let error = builder.connect().unwrap_err();
        assert_says(&error, &ErrorKind::Config, &[what]);
    }
    assert_eq!(server.connections().accepted, 0);

    let mailbox = builder(&server).connect().unwrap();
    server.clear_log();
    for program in ["ALL\r\nb1 LOGOUT", "ALL\nX", "A\0"] {
        let error = Query::raw(program).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Config);
    }
    let error = mailbox
        .search(Query::all().subject("a\r\nb1 LOGOUT"))
        .unwrap_err();
    assert_says(&error, &ErrorKind::Config, &["subject", "CR, LF"]);
    assert!(server.log().is_empty());
}

#[test]
fn passwords_with_every_awkward_character_work() {
    for password in [
        r#"a"b\c"#,
        "with space",
        "pa{3}ss",
        "ünïcödé-日本",
        &"x".repeat(255),
    ] {
        let server = Server::builder()
            .login("me", password)
            .message("a: b\r\n")
            .start()
            .unwrap();
        let mailbox = builder(&server).login("me", password).connect();
        assert!(mailbox.is_ok(), "{password}: {}", mailbox.unwrap_err());
    }
}

#[test]
fn a_name_that_occurs_in_the_answer_can_log_in() {
    // The answer is `a2 OK Done`.
    for (user, password) in [("a", SECRET), ("OK", SECRET), (USER, "2"), (USER, " ")] {
        let server = Server::builder().login(user, password).start().unwrap();
        let mailbox = builder(&server).login(user, password).connect();
        assert!(mailbox.is_ok(), "{user}: {}", mailbox.unwrap_err());
    }
}

#[test]
fn no_secret_is_printed_by_anything() {
    let server = server();
    let events = Arc::new(Mutex::new(String::new()));
    let heard = events.clone();
    let builder = builder(&server).on_event(move |event| {
        heard.lock().unwrap().push_str(&format!("{event:?}\n"));
    });
    let mut printed = format!("{builder:?}");
    server.add_fault(Fault::reset().after("FETCH").times(1));
    let mailbox = builder.connect().unwrap();
    printed.push_str(&format!("{mailbox:?}"));
    let matches = mailbox.search(Query::all()).unwrap();
    printed.push_str(&format!("{matches:?}"));
    let mut results = matches.imap(|message| message);
    printed.push_str(&format!("{results:?} {:?}", results.next()));
    printed.push_str(&format!("{:?}", results.finish()));
    printed.push_str(&events.lock().unwrap());
    assert!(printed.contains("SessionOpened"), "{printed}");
    for secret in [SECRET, USER] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn something_else_than_an_imap_server_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
    });
    let error = ParallelMailbox::builder("127.0.0.1")
        .port(port)
        .security(Security::DangerPlaintext)
        .login(USER, SECRET)
        .connect()
        .unwrap_err();
    assert_says(
        &error,
        &ErrorKind::Protocol,
        &["no IMAP server", "HTTP/1.1"],
    );
    thread.join().unwrap();
}

#[test]
fn a_goodbye_as_greeting_keeps_its_text() {
    let server = Server::builder()
        .fault(Fault::bye("maintenance until noon"))
        .start()
        .unwrap();
    let error = builder(&server).connect().unwrap_err();
    assert_says(
        &error,
        &ErrorKind::Disconnected,
        &["maintenance until noon"],
    );
    let server = Server::builder()
        .fault(Fault::bye("Too many connections"))
        .start()
        .unwrap();
    let error = builder(&server).connect().unwrap_err();
    assert_says(&error, &ErrorKind::SessionLimit, &["Too many"]);
}

#[test]
fn a_server_that_says_nothing_runs_into_the_deadline_of_its_phase() {
    for (fault, phase) in [
        (Fault::stall(), "greeting"),
        (Fault::stall().before("LOGIN"), "login"),
        (Fault::stall().before("EXAMINE"), "EXAMINE"),
    ] {
        let server = Server::builder()
            .login(USER, SECRET)
            .fault(fault)
            .start()
            .unwrap();
        let short = Duration::from_millis(300);
        let error = builder(&server)
            .timeouts(Timeouts::default().connect(short).read(short))
            .retry(Retry::default().attempts(1))
            .connect()
            .unwrap_err();
        assert_says(&error, &ErrorKind::Timeout, &[phase]);
    }
}

#[test]
fn starttls_that_is_not_offered_is_not_done_without() {
    let server = server();
    let error = builder(&server)
        .security(Security::StartTls)
        .connect()
        .unwrap_err();
    let advice = "use `Security::Tls` and its port";
    assert_says(&error, &ErrorKind::Tls, &["STARTTLS", advice]);
    assert_eq!(logins(&server), 0, "the password was not sent");
}

#[test]
fn certificates_are_verified() {
    for (certificate, with_root, advice) in [
        (Certificate::Expired, true, "has expired; its operator"),
        (
            Certificate::OtherHost,
            true,
            "not for the name localhost; connect by a name",
        ),
        (
            Certificate::Valid,
            false,
            "add the certificate of the issuer by `Builder::root_certificate`",
        ),
    ] {
        let Some(options) = dovecot_or_skip() else {
            return;
        };
        let dovecot = options.certificate(certificate).start();
        for security in [Security::Tls, Security::StartTls] {
            let port = match security {
                Security::Tls => dovecot.tls_port(),
                _ => dovecot.plain_port(),
            };
            let mut builder = ParallelMailbox::builder("localhost")
                .port(port)
                .security(security)
                .login(USER, dovecot.password());
            if with_root {
                builder = builder.root_certificate(dovecot.certificate_pem());
            }
            let error = builder.connect().unwrap_err();
            let place = format!("localhost:{port}");
            assert_says(&error, &ErrorKind::Tls, &[&place, "certificate", advice]);
            // Whoever reads it should not be led to do without.
            assert!(!everything(&error).to_lowercase().contains("danger"));
            assert_eq!(error.attempts(), 1);
        }
    }
}

#[test]
fn a_port_of_the_other_kind_is_told_with_the_setting_for_it() {
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let dovecot = options.start();
    for (port, security, advice) in [
        (
            dovecot.plain_port(),
            Security::Tls,
            "`Security::StartTls` for this one",
        ),
        (
            dovecot.tls_port(),
            Security::StartTls,
            "use `Security::Tls`",
        ),
        (
            dovecot.tls_port(),
            Security::DangerPlaintext,
            "use `Security::Tls`",
        ),
    ] {
        let error = ParallelMailbox::builder("localhost")
            .port(port)
            .security(security)
            .root_certificate(dovecot.certificate_pem())
            .login(USER, dovecot.password())
            .timeouts(Timeouts::default().connect(Duration::from_secs(3)))
            .connect()
            .unwrap_err();
        let place = format!("localhost:{port}");
        assert_says(&error, &ErrorKind::Tls, &[&place, advice]);
        assert_eq!(error.attempts(), 1);
    }
}

#[test]
fn a_url_reads_as_it_stands() {
    let server = server();
    // The scheme asks for STARTTLS, which this server has not: a typed error, nothing sent.
    let url = server.url();
    let error = ParallelMailbox::from_url(&url)
        .unwrap()
        .password(SECRET)
        .connect()
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Tls);
    let plain = ParallelMailbox::from_url(&url)
        .unwrap()
        .password(SECRET)
        .security(Security::DangerPlaintext);
    assert_eq!(plain.connect().unwrap().exists(), 2);
    let error = ParallelMailbox::from_url(&format!("imaps://me:{SECRET}@host/")).unwrap_err();
    assert_says(&error, &ErrorKind::Config, &["login"]);
}
