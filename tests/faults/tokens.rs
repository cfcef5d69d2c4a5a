//! Access tokens that expire in mid-run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{ErrorKind, Event};

use crate::play::{PATIENCE, Play, persona, play_on};
use crate::support::wait::until;

/// A run of eight sessions whose provider gives `token-1`, `token-2` and so on; with the count of
/// its calls.
fn eight_sessions(mechanism: &'static str) -> (Play, Arc<AtomicUsize>) {
    let server = Server::builder()
        .max_connections(1_000)
        .sample(Sample::small(3000))
        .mechanisms([mechanism])
        .token("token-1");
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let play = play_on(server, 8).tune(move |builder| {
        builder.oauth2("me", move || -> Result<String, String> {
            let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
            Ok(format!("token-{number}"))
        })
    });
    (play, calls)
}

/// How many sessions have shown a token since the search, which the first session did.
fn authenticated(server: &Server) -> usize {
    let log = server.log();
    let is_attempt = |line: &str| line.contains(" AUTHENTICATE ");
    log.iter().filter(|entry| is_attempt(&entry.line)).count()
}

#[test]
fn a_token_that_expires_in_mid_run_is_replaced_once_for_all_sessions() {
    for mechanism in ["OAUTHBEARER", "XOAUTH2"] {
        let (play, calls) = eight_sessions(mechanism);
        let ending = play.run_disturbed(100, |server| {
            assert!(until(PATIENCE, || authenticated(server) == 7));
            server.set_token("token-2");
            server.disconnect_all();
        });
        ending.assert_all_delivered();
        assert_eq!(calls.load(Ordering::SeqCst), 2, "{mechanism}");
        // At the start one each, and after the end of the token at most two: the old and the new.
        // The first session signed in before the run.
        let attempts = ending.sent("AUTHENTICATE");
        assert!((9..=7 + 16).contains(&attempts), "{mechanism}: {attempts}");
    }
}

#[test]
fn a_token_that_is_replaced_by_a_wrong_one_ends_the_run_with_one_verdict() {
    let (play, calls) = eight_sessions("OAUTHBEARER");
    let ending = play.run_disturbed(100, |server| {
        assert!(until(PATIENCE, || authenticated(server) == 7));
        server.set_token("another");
        server.disconnect_all();
    });
    let error = ending.error.as_ref().unwrap();
    assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
    // Each server gives the reason in its own words, or none.
    let is_told = persona().is_some() || error.to_string().contains("\"invalid_");
    assert!(is_told, "{error}");
    assert!(!ending.report.unfinished().is_empty());
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    // Each session showed the old one at most once, and one of them the new one.
    let attempts = ending.sent("AUTHENTICATE");
    assert!(attempts <= 7 + 8 + 1, "{attempts}");
    let is_verdict = |event: &Event| {
        matches!(event, Event::SessionRefused { error, retry_in: None, .. }
            if *error.kind() == ErrorKind::Auth)
    };
    assert!(ending.count(is_verdict) >= 1);
}

#[test]
fn a_token_that_expired_while_nobody_used_it_is_replaced_before_the_next_run() {
    let (play, calls) = eight_sessions("XOAUTH2");
    let ending = play.run_again_after(|server| {
        server.set_token("token-2");
        server.disconnect_all();
    });
    ending.assert_all_delivered();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}
