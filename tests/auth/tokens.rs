//! Access tokens: who is asked for one, when, and what comes of it.

use std::collections::HashSet;
use std::error::Error as _;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parallel_mailbox::testing::{Fault, Sample, Server};
use parallel_mailbox::{ErrorKind, Event, Query, Retry};

use crate::support::wait::until;
use crate::{attempts, builder, text_of};

/// Only what hangs takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A provider that counts its calls and always gives the same.
fn always(
    token: &'static str,
) -> (
    impl Fn() -> io::Result<String> + Send + Sync,
    Arc<AtomicUsize>,
) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let provider = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(token.to_owned())
    };
    (provider, calls)
}

#[test]
fn eight_sessions_ask_for_one_token() {
    for mechanism in ["OAUTHBEARER", "XOAUTH2"] {
        for sasl_ir in [true, false] {
            let server = Server::builder().sample(Sample::small(2000)).token("abc");
            let server = server.mechanisms([mechanism]).sasl_ir(sasl_ir);
            let server = server.start().unwrap();
            let (provider, calls) = always("abc");
            let mailbox = builder(&server)
                .oauth2("me", provider)
                .workers(8)
                .connect()
                .unwrap();
            let matches = mailbox.search(Query::all()).unwrap();
            // However busy the machine is, all have to be there before the run is over.
            let report = matches.for_each(|message| {
                if message.uid().get() == 1 {
                    assert!(until(PATIENCE, || attempts(&server) == 8));
                }
            });
            assert_eq!(report.unwrap().delivered().len(), 2000);
            assert_eq!(calls.load(Ordering::SeqCst), 1);
            assert_eq!(attempts(&server), 8);
        }
    }
}

#[test]
fn a_new_token_that_is_refused_is_told_with_the_reason_and_not_tried_again() {
    for mechanism in ["OAUTHBEARER", "XOAUTH2"] {
        for sasl_ir in [true, false] {
            let server = Server::builder().token("right").mechanisms([mechanism]);
            let server = server.sasl_ir(sasl_ir).start().unwrap();
            let (provider, calls) = always("wrong-t0k3n");
            let error = builder(&server)
                .oauth2("me", provider)
                .workers(8)
                .connect()
                .unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
            let text = text_of(&error);
            for word in [r#""status":"invalid_token""#, "AUTHENTICATIONFAILED"] {
                assert!(
                    text.contains(word) || text.contains(&word.escape_debug().to_string()),
                    "{text}"
                );
            }
            assert!(!text.contains("wrong-t0k3n"), "{text}");
            assert!(!error.is_retryable());
            assert_eq!((calls.load(Ordering::SeqCst), attempts(&server)), (1, 1));
        }
    }
}

#[test]
fn a_failure_of_the_provider_is_tried_again_as_another_failure_to_connect_would_be() {
    let server = Server::builder().token("abc").start().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let provider = move || match counted.fetch_add(1, Ordering::SeqCst) {
        0 => Err(io::Error::other("the token server sleeps")),
        1 => panic!("the token server is on fire"),
        _ => Ok("abc".to_owned()),
    };
    let retry = Retry::default().initial_delay(Duration::from_millis(20));
    let mailbox = builder(&server).oauth2("me", provider).retry(retry);
    assert!(mailbox.connect().is_ok());
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[test]
fn what_a_provider_fails_with_is_the_source_of_the_error() {
    let server = Server::builder().start().unwrap();
    let error = builder(&server)
        .oauth2("me", || {
            Err::<String, _>(io::Error::from(io::ErrorKind::NotFound))
        })
        .retry(Retry::default().attempts(1))
        .connect()
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Connect, "{error}");
    assert!(error.is_retryable());
    let source = error.source().unwrap().downcast_ref::<io::Error>();
    assert_eq!(source.unwrap().kind(), io::ErrorKind::NotFound);
    assert_eq!(
        server.connections().accepted,
        0,
        "without a token nobody connects"
    );
    // A text will do for an error, too.
    let error = builder(&server)
        .oauth2("me", || Err::<String, _>("no luck"))
        .connect()
        .unwrap_err();
    assert!(error.to_string().contains("no luck"), "{error}");
    assert_eq!(error.attempts(), 3);
}

#[test]
fn what_cannot_be_a_token_is_not_sent() {
    let server = Server::builder().token("abc").start().unwrap();
    for odd in ["", "abc\n", "a b", "a\x01b", "ä"] {
        let error = builder(&server)
            .oauth2("me", move || Ok::<_, io::Error>(odd.to_owned()))
            .connect()
            .unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Config, "{odd:?}: {error}");
    }
    let provider = || Ok::<_, io::Error>("abc".to_owned());
    for odd in ["", "a\x01b", "a\r\nb"] {
        let error = builder(&server)
            .oauth2(odd, provider)
            .connect()
            .unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Config, "{odd:?}: {error}");
    }
    assert_eq!(server.connections().accepted, 0);
}

#[test]
fn sessions_of_a_run_that_need_a_token_while_the_provider_fails_do_not_ask_one_by_one() {
    let server = Server::builder().sample(Sample::small(500)).token("abc");
    let server = server.start().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let provider = move || match counted.fetch_add(1, Ordering::SeqCst) {
        0 => Ok("abc".to_owned()),
        _ => Err("the token server is gone"),
    };
    let mailbox = builder(&server)
        .oauth2("me", provider)
        .workers(8)
        .retry(
            Retry::default()
                .attempts(3)
                .initial_delay(Duration::from_millis(200)),
        )
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all().larger(1)).unwrap();
    server.set_token("def");
    server.disconnect_all();
    let error = matches.for_each(drop).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Connect, "{error}");
    assert!(error.to_string().contains("is gone"), "{error}");
    // Eight workers try three times each, but together.
    let calls = calls.load(Ordering::SeqCst);
    assert!((2..=12).contains(&calls), "{calls}");
}

#[test]
fn a_limit_on_sessions_is_not_held_against_the_token() {
    let server = Server::builder().sample(Sample::small(1000)).token("abc");
    let server = server.max_connections(3).start().unwrap();
    let (provider, calls) = always("abc");
    let mailbox = builder(&server).oauth2("me", provider).workers(8);
    let matches = mailbox.connect().unwrap().search(Query::all()).unwrap();
    assert_eq!(matches.for_each(drop).unwrap().delivered().len(), 1000);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn a_server_in_trouble_is_not_held_against_a_new_token() {
    let server = Server::builder().token("abc").start().unwrap();
    server.add_fault(
        Fault::no("UNAVAILABLE", "back soon")
            .before("AUTHENTICATE")
            .times(1),
    );
    server.add_fault(Fault::close().before("AUTHENTICATE").times(1));
    let (provider, calls) = always("abc");
    let retry = Retry::default().initial_delay(Duration::from_millis(5));
    let mailbox = builder(&server).oauth2("me", provider).retry(retry);
    assert!(mailbox.connect().is_ok());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn the_last_call_of_login_and_oauth2_counts() {
    let server = Server::builder().token("abc").start().unwrap();
    let (provider, calls) = always("abc");
    let by_password = builder(&server)
        .oauth2("you", provider)
        .login("me", "secret");
    assert!(by_password.connect().is_ok());
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    let (provider, calls) = always("abc");
    let by_token = builder(&server)
        .login("you", "wrong")
        .oauth2("me", provider);
    assert!(by_token.connect().is_ok());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn no_token_is_printed_by_anything() {
    const TOKENS: [&str; 2] = ["ya29.first-token-is-secret", "ya29.second-token-is-secret"];
    let server = Server::builder()
        .sample(Sample::small(500))
        .token(TOKENS[0]);
    let server = server.start().unwrap();
    let printed = Arc::new(Mutex::new(String::new()));
    let heard = printed.clone();
    let calls = AtomicUsize::new(0);
    let provider = move || {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        Ok::<_, io::Error>(TOKENS[call.min(1)].to_owned())
    };
    let builder = builder(&server)
        .oauth2("ann-is-private", provider)
        .on_event(move |event| heard.lock().unwrap().push_str(&format!("{event:?}\n")));
    printed.lock().unwrap().push_str(&format!("{builder:?}"));
    let error = builder.connect().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Auth, "the user is another");
    let text = text_of(&error) + &printed.lock().unwrap();
    for secret in TOKENS.into_iter().chain(["ann-is-private"]) {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn events_tell_of_the_verdict_once_for_each_session_at_most() {
    let server = Server::builder().sample(Sample::small(2000)).token("abc");
    let server = server.start().unwrap();
    let refused = Arc::new(Mutex::new(Vec::new()));
    let heard = refused.clone();
    let (provider, _) = always("abc");
    let mailbox = builder(&server)
        .oauth2("me", provider)
        .workers(8)
        .on_event(move |event| {
            if let Event::SessionRefused { error, .. } = event {
                heard.lock().unwrap().push(error.to_string());
            }
        })
        .connect()
        .unwrap();
    server.set_token("def");
    server.disconnect_all();
    let error = mailbox
        .search(Query::all())
        .and_then(|matches| matches.for_each(drop));
    assert_eq!(error.unwrap_err().kind(), &ErrorKind::Auth);
    let refused = refused.lock().unwrap();
    assert!(refused.len() <= 8);
    let texts: HashSet<&String> = refused.iter().collect();
    assert!(texts.len() <= 1, "{texts:?}");
}
