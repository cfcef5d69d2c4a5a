//! Passwords, and the limit on how often a user may be logged in.

use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use parallel_mailbox::{ErrorKind, Event, Query, Stream};

use crate::support::cyrus::{Options, cyrus_or_skip};
use crate::{builder, messages, run, start};

/// By AUTHENTICATE PLAIN, since LOGIN has no way to quote it. Cyrus drops what arrives together with
/// the last line of an AUTHENTICATE, after which a layer of SASL's own might begin: commands sent
/// ahead of its answer are lost. They are not behind LOGIN.
fn connections_for_a_password_beyond_ascii(options: Options) -> usize {
    let cyrus = start(options.password("öffne dich"), 3);
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = connections.clone();
    let mailbox = builder(&cyrus)
        .connector(move |host: &str, port: u16, _| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(TcpStream::connect((host, port))?) as Box<dyn Stream>)
        })
        .connect()
        .unwrap();
    assert_eq!(mailbox.exists(), 3);
    connections.load(Ordering::SeqCst)
}

#[test]
fn a_password_beyond_ascii_signs_in_over_one_connection() {
    if let Some(options) = cyrus_or_skip() {
        assert_eq!(connections_for_a_password_beyond_ascii(options), 1);
    }
}

/// `NO Too many open connections (3 of 3 for reader)`, without a code; for a wrong password it is
/// `NO Login failed: authentication failure`, without one as well (Dovecot has LIMIT and
/// AUTHENTICATIONFAILED). After either the connection stays open, without a user.
#[test]
fn a_limit_of_three_logins_shrinks_the_pool_to_three() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let expected = messages(600);
    let options = options.logins_per_user(3);
    let cyrus = options.messages(expected.clone()).start();
    let refused = Arc::new(Mutex::new(Vec::new()));
    let heard = refused.clone();
    let mailbox = builder(&cyrus)
        .workers(8)
        .on_event(move |event| {
            if let Event::SessionRefused { error, .. } = event {
                heard.lock().unwrap().push(error.clone());
            }
        })
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let report = run(&matches, &expected, || {});
    eprintln!("{report}");
    assert_eq!(report.delivered().len(), 600);
    let refused = refused.lock().unwrap();
    for error in refused.iter() {
        assert_eq!(error.kind(), &ErrorKind::SessionLimit, "{error}");
        assert!(error.to_string().contains("open connections"), "{error}");
    }
    assert!(!refused.is_empty() && refused.len() <= 8, "{refused:?}");
    assert!(report.sessions() <= 4, "{report}");
    assert!(mailbox.workers() < 8);
}

#[test]
fn a_limit_that_others_use_up_is_not_taken_for_a_wrong_password() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let cyrus = start(options.logins_per_user(2), 10);
    let others = [cyrus.client(), cyrus.client()];
    let error = builder(&cyrus).connect().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::SessionLimit, "{error}");
    assert!(error.is_retryable() && error.attempts() > 1, "{error}");
    // The user's name is struck out, as from all that a login is told.
    let text = "Too many open connections (2 of 2 for ***)";
    assert!(error.to_string().contains(text), "{error}");
    for mut other in others {
        other.ok("LOGOUT");
        assert!(other.ends());
    }
    assert_eq!(builder(&cyrus).connect().unwrap().exists(), 10);
}

#[test]
fn a_wrong_password_is_tried_once() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let cyrus = options.start();
    let builder = builder(&cyrus).login(cyrus.user(), "wrong");
    let error = builder.connect().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
    assert_eq!(error.attempts(), 1);
    let text = error.to_string();
    assert!(
        text.contains("Login failed: authentication failure"),
        "{text}"
    );
}
