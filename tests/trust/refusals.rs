//! What a refusal means follows from its code and text, whatever the command and the form.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use parallel_mailbox::{ErrorKind, Event, Query, Retry};

use crate::stage::{Say, Scene, Stage};

fn this(text: &str) -> Say {
    Say::This(format!("{text}\r\n"))
}

/// A counter for what a test's server has done.
fn counter() -> Arc<AtomicUsize> {
    Arc::default()
}

fn next(counter: &AtomicUsize) -> usize {
    counter.fetch_add(1, Ordering::SeqCst) + 1
}

/// email-oauth2-proxy#191, imapsync#212: Exchange Online throttles by BAD.
#[test]
fn throttling_is_waited_out_whatever_form_it_has() {
    for form in ["BAD", "NO", "OK"] {
        let fetches = counter();
        let counted = fetches.clone();
        let stage = Stage::new(300, move |scene| {
            if scene.is_fetch() && next(&counted).is_multiple_of(3) {
                let text = "Request is throttled. Suggested Backoff Time: 50 milliseconds";
                return this(&format!("TAG {form} {text}"));
            }
            Say::Usual
        });
        let ending = stage.run_with(4, |builder| builder, |matches| matches.shard_size(10));
        ending.assert_all_delivered();
        let pauses = ending.events.iter().filter(|event| {
            matches!(event, Event::Throttled { pause, .. } if *pause == Duration::from_millis(50))
        });
        assert!(pauses.count() >= 3, "{form}: {:?}", ending.events);
    }
}

/// The same BAD, and then `* BYE Connection closed. 14`: the hint outlives the connection.
#[test]
fn nobody_signs_in_while_the_server_wants_to_be_left_in_peace() {
    let pause = Duration::from_millis(600);
    let throttled = Arc::new(Mutex::new(None));
    let at = throttled.clone();
    let stage = Stage::new(200, move |scene| {
        let mut throttled = at.lock().unwrap();
        if scene.is_fetch() && throttled.is_none() {
            *throttled = Some(Instant::now());
            return Say::Last(
                "TAG BAD Request is throttled. Suggested Backoff Time: 600 milliseconds\r\n\
                 * BYE Connection closed. 14\r\n"
                    .to_owned(),
            );
        }
        Say::Usual
    });
    // One worker alone, so that none has begun to sign in by then.
    let ending = stage.run(1);
    ending.assert_all_delivered();
    let throttled = throttled.lock().unwrap().unwrap();
    let log = stage.log();
    let logins = log
        .iter()
        .filter(|(_, at, line)| line.starts_with("LOGIN") && *at > throttled);
    let soonest = logins.map(|(_, at, _)| *at - throttled).min().unwrap();
    assert!(soonest >= pause, "{soonest:?}");
}

/// imap_tools#135.
#[test]
fn a_search_that_is_throttled_is_tried_again_after_the_pause() {
    for answer in [
        "TAG NO Request is throttled. Suggested Backoff Time: 100 milliseconds",
        "TAG BAD Request is throttled. Suggested Backoff Time: 100 milliseconds",
        "TAG NO [UNAVAILABLE] try again later",
        "TAG NO System Error (Failure)",
    ] {
        let stage = Stage::new(20, move |scene| match scene.is("UID SEARCH") {
            true if scene.before < 2 => this(answer),
            _ => Say::Usual,
        });
        stage.run(2).assert_all_delivered();
    }
}

/// imapflow#75 (Yahoo) gives no time.
#[test]
fn throttling_without_a_time_starts_small_and_the_pool_grows_back() {
    let fetches = counter();
    let stage = Stage::new(100, move |scene| {
        if scene.is_fetch() && next(&fetches) == 2 {
            return this("TAG NO [LIMIT] UID FETCH Rate limit hit.");
        }
        Say::Usual
    });
    let pauses = Arc::new(Mutex::new(Vec::new()));
    let heard = pauses.clone();
    let mailbox = stage
        .client()
        .workers(3)
        .on_event(move |event| {
            if let Event::Throttled { pause, .. } = event {
                heard.lock().unwrap().push(*pause);
            }
        })
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap().shard_size(10);
    crate::stage::read(&matches).assert_all_delivered();
    assert_eq!(*pauses.lock().unwrap(), [Duration::from_secs(1)]);
    let began = Instant::now();
    while mailbox.workers() < 3 {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "it stays at {}",
            mailbox.workers()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// mail-archiver#414 (iCloud), offlineimap#682 (Gmail), node-imap#340 (Yahoo), wildduck#707.
#[test]
fn when_everything_is_refused_for_a_while_nothing_fails() {
    for answer in [
        "TAG NO Service temporarily unavailable",
        "TAG NO System Error (Failure)",
        "TAG NO [TEMPFAIL] the backend is away",
        "TAG NO [UNAVAILABLE] UID FETCH Server error - Please try again later",
        "TAG NO the mailbox is locked by another process",
        "TAG BAD internal mishap",
    ] {
        let began = Arc::new(Mutex::new(None::<Instant>));
        let stage = Stage::new(200, move |scene| {
            if !scene.is_fetch() {
                return Say::Usual;
            }
            let began = *began.lock().unwrap().get_or_insert_with(Instant::now);
            match began.elapsed() < Duration::from_millis(1500) {
                true => this(answer),
                false => Say::Usual,
            }
        });
        let retry = Retry::default().initial_delay(Duration::from_millis(100));
        let ending = stage.run_with(3, |builder| builder.retry(retry), |matches| matches);
        ending.assert_all_delivered();
    }
}

#[test]
fn what_is_refused_alike_to_the_end_is_unfinished_and_not_failed() {
    for answer in ["TAG NO System Error (Failure)", "TAG NO nope"] {
        let stage = Stage::new(200, move |scene| match scene.is_fetch() {
            true => this(answer),
            false => Say::Usual,
        });
        let retry = Retry::default()
            .attempts(4)
            .initial_delay(Duration::from_millis(10));
        let ending = stage.run_with(3, |builder| builder.retry(retry), |matches| matches);
        let error = ending.error.expect("nothing was done");
        assert!(matches!(error.kind(), ErrorKind::Server { .. }), "{error}");
        assert_eq!(ending.report.unfinished().len(), 200, "{}", ending.report);
    }
}

/// imap-backup#218 (Yahoo).
#[test]
fn a_message_that_is_always_refused_is_found_and_all_others_come() {
    for answer in [
        "TAG NO [SERVERBUG] UID FETCH Server error - Please try again later",
        "TAG NO [UNAVAILABLE] UID FETCH Server error - Please try again later",
        "TAG NO cannot read it",
        "TAG BAD cannot read it",
    ] {
        for (messages, poison, workers) in [
            (100, 50, 3),
            (100, 1, 1),
            (100, 100, 1),
            (2, 1, 1),
            (2, 2, 2),
        ] {
            let stage = Stage::new(messages, move |scene| {
                match scene.is("UID FETCH") && scene.is_fetch() && scene.has(poison) {
                    true => this(answer),
                    false => Say::Usual,
                }
            });
            let ending = stage.run(workers);
            ending.assert_failed(&poison.to_string());
            assert_eq!(
                stage.connections(),
                workers.min(messages as usize),
                "{answer}"
            );
        }
    }
}

/// node-imap#715 (Gmail): later sessions are refused once each, the first has the mailbox open.
#[test]
fn a_later_session_that_is_refused_in_passing_tries_again() {
    for answer in ["TAG NO System Error (Failure)", "TAG NO something odd"] {
        let refused = Arc::new(Mutex::new(0));
        let stage = Stage::new(300, move |scene| {
            let mut refused = refused.lock().unwrap();
            if scene.is("EXAMINE") && scene.connection > 1 && *refused < 2 {
                *refused += 1;
                return this(answer);
            }
            Say::Usual
        });
        stage
            .run_with(3, |builder| builder, |matches| matches.shard_size(10))
            .assert_all_delivered();
    }
}

#[test]
fn connecting_bears_what_passes() {
    for answer in [
        "TAG NO System Error (Failure)",
        "TAG NO [UNAVAILABLE] Temporary",
        "TAG BAD Request is throttled. Suggested Backoff Time: 10 milliseconds",
    ] {
        let examines = counter();
        let stage = Stage::new(10, move |scene| {
            match scene.is("EXAMINE") && next(&examines) <= 4 {
                true => this(answer),
                false => Say::Usual,
            }
        });
        stage.run(1).assert_all_delivered();
    }
    let stage = Stage::new(10, |scene| match scene.is("EXAMINE") {
        true => this("TAG NO Mailbox does not exist"),
        false => Say::Usual,
    });
    let error = stage.client().connect().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Server { .. }), "{error}");
    assert_eq!(stage.count("LOGIN"), 1);
}

/// ddeboer/imap#368 is of this kind.
#[test]
fn a_code_that_says_the_password_is_wrong_outvotes_the_words() {
    let refuse = |scene: &Scene<'_>| match scene.is("LOGIN") {
        true => this(
            "TAG NO [AUTHENTICATIONFAILED] too many login failures, closing connection, try again",
        ),
        false => Say::Usual,
    };
    let stage = Stage::new(10, refuse);
    let error = stage.client().connect().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
    assert!(!error.is_retryable());
    assert_eq!(stage.count("LOGIN"), 1);
}

#[test]
fn what_a_goodbye_means_is_read_like_a_no() {
    // The account's day is over: everybody stops.
    let stage = Stage::new(100, |scene| match scene.is_fetch() {
        true => Say::Last(
            "* BYE [OVERQUOTA] Account exceeded command or bandwidth limits.\r\n".to_owned(),
        ),
        false => Say::Usual,
    });
    let ending = stage.run(2);
    let error = ending.error.expect("nothing came");
    assert!(error.to_string().contains("bandwidth limits"), "{error}");
    assert!(!error.is_retryable());
    assert!(stage.connections() <= 2);
    // Yahoo: a rate, then the end of the connection.
    let fetches = counter();
    let stage = Stage::new(100, move |scene| {
        if scene.is_fetch() && next(&fetches) == 1 {
            return Say::Last("* BYE [LIMIT] UID FETCH Rate limit hit.\r\n".to_owned());
        }
        Say::Usual
    });
    let ending = stage.run(2);
    ending.assert_all_delivered();
    let throttled = ending
        .events
        .iter()
        .any(|event| matches!(event, Event::Throttled { .. }));
    assert!(throttled, "{:?}", ending.events);
}

/// A server on which SEARCH ALL itself ends the session, while FETCH works.
#[test]
fn a_mailbox_is_listed_where_a_search_for_everything_ends_the_session() {
    let stage = Stage::new(40, |scene| match scene.is("UID SEARCH") {
        true => Say::Last(String::new()),
        false => Say::Usual,
    });
    stage.run(2).assert_all_delivered();
    let mailbox = stage.client().connect().unwrap();
    let error = mailbox.search(Query::all().unseen()).unwrap_err();
    assert!(error.to_string().contains("`uids`"), "{error}");
}
