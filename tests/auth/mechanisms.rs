//! Which way to sign in is chosen, in how few round trips, and how often a wrong password is tried.

use std::io;
use std::time::Duration;

use parallel_mailbox::testing::{Sample, Server, ServerBuilder};
use parallel_mailbox::{Builder, ErrorKind, Mechanism, Query};

use crate::{attempts, builder, text_of};

/// A way to sign in: what the server offers, and what the client makes of it.
struct Way {
    offers: &'static [&'static str],
    is_login_disabled: bool,
    mechanism: Option<Mechanism>,
    /// The command in the server's log.
    chosen: &'static str,
}

const WAYS: [Way; 6] = [
    Way {
        offers: &[],
        is_login_disabled: false,
        mechanism: None,
        chosen: "LOGIN",
    },
    Way {
        offers: &["PLAIN", "XOAUTH2", "OAUTHBEARER"],
        is_login_disabled: false,
        mechanism: None,
        chosen: "LOGIN",
    },
    Way {
        offers: &["XOAUTH2", "PLAIN"],
        is_login_disabled: true,
        mechanism: None,
        chosen: "AUTHENTICATE",
    },
    Way {
        offers: &["PLAIN", "SCRAM-SHA-256"],
        is_login_disabled: false,
        mechanism: None,
        chosen: "LOGIN",
    },
    Way {
        offers: &["PLAIN", "SCRAM-SHA-256"],
        is_login_disabled: false,
        mechanism: Some(Mechanism::ScramSha256),
        chosen: "AUTHENTICATE",
    },
    Way {
        offers: &["SCRAM-SHA-256"],
        is_login_disabled: true,
        mechanism: Some(Mechanism::ScramSha256),
        chosen: "AUTHENTICATE",
    },
];

fn client(way: &Way, server: &Server) -> Builder {
    match way.mechanism {
        Some(mechanism) => builder(server).mechanism(mechanism),
        None => builder(server),
    }
}

fn with_way(way: &Way, sasl_ir: bool) -> ServerBuilder {
    Server::builder()
        .sample(Sample::tiny(600))
        .mechanisms(way.offers.iter().copied())
        .login_disabled(way.is_login_disabled)
        .sasl_ir(sasl_ir)
}

#[test]
fn every_way_that_a_server_may_leave_open_is_taken() {
    for way in &WAYS {
        for sasl_ir in [true, false] {
            let server = with_way(way, sasl_ir).start().unwrap();
            let mailbox = client(way, &server).login("me", "secret").workers(4);
            let matches = mailbox.connect().unwrap().search(Query::all()).unwrap();
            let report = matches.for_each(drop).unwrap();
            assert_eq!(report.delivered().len(), 600);
            let log = server.log();
            let mut lines = log.iter().map(|entry| &entry.line);
            let chosen = format!(" {} ", way.chosen);
            assert!(lines.any(|line| line.contains(&chosen)), "{:?}", way.offers);
            // Those opened ahead of need may not have come so far.
            assert!(attempts(&server) as u64 <= server.connections().accepted);
        }
    }
}

#[test]
fn a_wrong_password_is_tried_once_by_eight_workers_whichever_way() {
    for way in &WAYS {
        for sasl_ir in [true, false] {
            let server = with_way(way, sasl_ir).start().unwrap();
            let login = client(way, &server)
                .login("me", "wrong-password")
                .workers(8);
            let error = login.connect().unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Auth, "{:?}: {error}", way.offers);
            assert!(
                error.to_string().contains("AUTHENTICATIONFAILED"),
                "{error}"
            );
            assert!(!text_of(&error).contains("wrong-password"));
            assert_eq!((attempts(&server), error.attempts()), (1, 1));
        }
    }
}

#[test]
fn without_a_usable_way_nothing_is_sent_and_the_error_says_what_there_is() {
    let token = |builder: Builder| builder.oauth2("me", || Ok::<_, io::Error>("abc".to_owned()));
    let password = |builder: Builder| builder.login("me", "secret");
    type SignIn<'a> = &'a dyn Fn(Builder) -> Builder;
    let cases: [(SignIn<'_>, &[&str], bool); 4] = [
        (&password, &["GSSAPI", "NTLM"], true),
        (&password, &[], true),
        (&password, &["XOAUTH2"], true),
        (&token, &["PLAIN", "GSSAPI"], false),
    ];
    for (sign_in, offers, is_login_disabled) in cases {
        let server = Server::builder()
            .mechanisms(offers.iter().copied())
            .login_disabled(is_login_disabled)
            .start()
            .unwrap();
        let error = sign_in(builder(&server)).workers(8).connect().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
        let text = error.to_string();
        let offered = offers.iter().map(|offer| format!("AUTH={offer}"));
        for offer in offered.chain(is_login_disabled.then(|| "LOGINDISABLED".to_owned())) {
            assert!(text.contains(&offer), "{text}");
        }
        assert_eq!(attempts(&server), 0);
        let log = server.log();
        assert!(
            log.iter().all(|entry| entry.line.ends_with(" CAPABILITY")),
            "{log:?}"
        );
    }
}

/// How many times each session waits for the server from the greeting to the opened mailbox.
fn waits(server: &Server) -> Vec<usize> {
    let log = server.log();
    let connections = server.connections().accepted;
    (1..=connections)
        .map(|connection| {
            let mut waits = 0;
            let mut last = None;
            for entry in log.iter().filter(|entry| entry.connection == connection) {
                if entry.line.contains("SEARCH") || entry.line.contains("FETCH") {
                    break;
                }
                if last.is_none_or(|last| entry.at - last >= LATENCY / 2) {
                    waits += 1;
                }
                last = Some(entry.at);
            }
            waits
        })
        .collect()
}

/// Long enough that a busy machine does not add one.
const LATENCY: Duration = Duration::from_millis(400);

#[test]
fn with_initial_responses_authenticate_takes_one_round_trip_more_than_login() {
    let server = || Server::builder().sample(Sample::tiny(400)).latency(LATENCY);
    let run = |server: &Server, builder: Builder| {
        let mailbox = builder.workers(3).connect().unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        assert_eq!(matches.for_each(drop).unwrap().delivered().len(), 400);
        waits(server)
    };
    // CAPABILITY is asked first, since this server does not greet with it. Nothing goes behind
    // AUTHENTICATE before it is answered.
    let login = server().start().unwrap();
    let by_login = builder(&login).login("me", "secret");
    assert_eq!(run(&login, by_login), [2, 1, 1]);
    let plain = server().login_disabled(true).start().unwrap();
    let login = builder(&plain).login("me", "secret");
    assert_eq!(run(&plain, login), [3, 2, 2]);
    let token = server().token("abc").start().unwrap();
    let oauth2 = builder(&token).oauth2("me", || Ok::<_, io::Error>("abc".to_owned()));
    assert_eq!(run(&token, oauth2), [3, 2, 2]);
}
