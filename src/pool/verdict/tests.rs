//! The table of verdicts.

use super::*;
use crate::status::Condition;

const MILLISECOND: Duration = Duration::from_millis(1);

fn retry() -> Retry {
    Retry::default()
        .attempts(3)
        .initial_delay(100 * MILLISECOND)
}

fn said(condition: Condition, code: Option<&str>, text: &str) -> Error {
    Error::refused(
        condition,
        code.map(str::to_owned),
        text.as_bytes(),
        "EXAMINE",
    )
}

fn no(text: &str) -> Error {
    said(Condition::No, None, text)
}

#[test]
fn a_session_that_cannot_be_opened() {
    use Advice::{Leave, Queue, Retry, Stop};
    let again = Retry(100 * MILLISECOND);
    let changed = Error::new(
        ErrorKind::UidValidityChanged {
            expected: 1,
            found: 2,
        },
        "",
    );
    let kind = |kind| Error::new(kind, "");
    // The error; other sessions that are open; whether the mailbox was ever open; what to do.
    for (error, others, have_worked, advice) in [
        (kind(ErrorKind::Connect), 0, false, again),
        (kind(ErrorKind::Timeout), 3, true, again),
        (kind(ErrorKind::Auth), 3, true, Stop),
        (kind(ErrorKind::Tls), 3, true, Stop),
        (kind(ErrorKind::Config), 3, true, Stop),
        (no("Too many connections"), 0, false, again),
        (no("Too many connections"), 3, true, Queue),
        (kind(ErrorKind::SessionLimit), 3, true, Leave),
        (changed.clone(), 1, true, Queue),
        (changed, 0, true, Stop),
        (no("System Error (Failure)"), 0, false, again),
        (no("System Error (Failure)"), 1, true, again),
        (no("Mailbox does not exist"), 0, false, Stop),
        (no("Mailbox does not exist"), 2, true, again),
        (said(Condition::No, Some("NONEXISTENT"), ""), 2, true, Stop),
        (
            said(
                Condition::No,
                Some("AUTHENTICATIONFAILED"),
                "too many sessions",
            ),
            2,
            true,
            Stop,
        ),
        (said(Condition::No, Some("OVERQUOTA"), ""), 2, true, Stop),
        (
            said(Condition::Bad, None, "Request is throttled"),
            0,
            false,
            again,
        ),
    ] {
        let sessions = Sessions {
            others,
            have_worked,
        };
        let got = Streak::default().not_opened(&error, sessions, &retry());
        assert_eq!(got, advice, "{error} with {others} others");
    }
    // The waits double, and then that is enough, until there was progress.
    let mut streak = Streak::default();
    let sessions = Sessions {
        others: 0,
        have_worked: false,
    };
    let error = kind(ErrorKind::Connect);
    let advices = [again, Retry(200 * MILLISECOND), Leave];
    assert_eq!(
        [(); 3].map(|()| streak.not_opened(&error, sessions, &retry())),
        advices
    );
    streak.end();
    assert_eq!(streak.not_opened(&error, sessions, &retry()), again);
}

#[test]
fn a_session_that_breaks() {
    let mut streak = Streak::default();
    let lost = Error::new(ErrorKind::Disconnected, "");
    assert_eq!(streak.lost(&lost, &retry()), Advice::Retry(Duration::ZERO));
    let borne = (0..)
        .take_while(|_| streak.lost(&lost, &retry()) != Advice::Leave)
        .count();
    assert!(
        (13..30).contains(&borne),
        "long enough to find the culprit: {borne}"
    );
    let silent = Error::new(ErrorKind::Timeout, "");
    let mut streak = Streak::default();
    let borne = (0..)
        .take_while(|_| streak.lost(&silent, &retry()) != Advice::Leave)
        .count();
    assert_eq!(borne, 2);
    let used_up = said(Condition::Bye, Some("OVERQUOTA"), "");
    assert_eq!(Streak::default().lost(&used_up, &retry()), Advice::Stop);
}

#[test]
fn a_question_of_the_caller_that_failed() {
    let waits = |error: &Error| -> Vec<u128> {
        (1..)
            .map_while(|attempt| ask_again(error, attempt, &Retry::default()))
            .map(|wait| wait.as_millis())
            .collect()
    };
    let all = [250, 500, 1000, 2000, 4000, 8000, 16_000];
    assert_eq!(waits(&no("System Error (Failure)")), all);
    let hint = "Request is throttled. Suggested Backoff Time: 10 milliseconds";
    assert_eq!(waits(&no(hint)), all);
    assert_eq!(waits(&no("Request is throttled")), all[..2]);
    assert_eq!(waits(&Error::new(ErrorKind::Disconnected, "")), all[..2]);
    assert_eq!(waits(&no("Mailbox does not exist")), []);
    assert_eq!(waits(&Error::new(ErrorKind::Auth, "")), []);
    assert_eq!(waits(&Error::cancelled()), []);
}

/// A whole command refused, others of the run served or not.
fn whole(missing: usize, served: u64) -> Answered {
    Answered {
        missing,
        is_partial: false,
        served,
        is_last: false,
    }
}

#[test]
fn a_refusal_that_says_nothing_about_the_messages() {
    for (refusal, mood) in [
        (Refusal::Throttled(None), Mood::SlowDown),
        (Refusal::Limit, Mood::SlowDown),
        (Refusal::SessionLimit, Mood::SlowDown),
        (Refusal::UsedUp, Mood::Stop),
        (Refusal::Credentials, Mood::Stop),
    ] {
        let mut past = Past::default();
        for served in 0..10 {
            assert_eq!(past.refused(refusal, whole(5, served)), (Fate::Again, mood));
        }
        assert!(!past.is_suspect());
    }
    let line = Past::default().refused(Refusal::NotUnderstood, whole(5, 0));
    assert_eq!(line, (Fate::ShorterLines, Mood::GoOn));
}

#[test]
fn when_everything_is_refused_alike_no_message_is_blamed() {
    for refusal in [Refusal::Passing, Refusal::Unknown, Refusal::Final] {
        for missing in [1, 5] {
            let mut past = Past::default();
            let last = Answered {
                is_last: missing == 1,
                ..whole(missing, 0)
            };
            for _ in 0..20 {
                let (fate, mood) = past.refused(refusal, last);
                assert_eq!(mood, Mood::Doubt);
                assert!(matches!(fate, Fate::Again | Fate::LookInto), "{fate:?}");
                assert_ne!(past.there(missing), Fate::Fail);
            }
        }
    }
}

#[test]
fn a_message_that_is_refused_while_others_are_served_is_narrowed_down_and_given_up() {
    let mut past = Past::default();
    assert_eq!(past.refused(Refusal::Passing, whole(8, 0)).0, Fate::Again);
    assert_eq!(past.refused(Refusal::Passing, whole(8, 3)).0, Fate::Halves);
    let mut part = past.of_part();
    assert_eq!(part.refused(Refusal::Passing, whole(4, 5)).0, Fate::Halves);
    let mut one = part.of_part();
    assert_eq!(one.refused(Refusal::Passing, whole(1, 6)).0, Fate::Again);
    assert_eq!(
        one.refused(Refusal::Passing, whole(1, 6)).0,
        Fate::Again,
        "nothing else came"
    );
    assert_eq!(one.refused(Refusal::Passing, whole(1, 7)).0, Fate::Fail);
    // What is the last is cut without waiting for others to be served.
    let last = Answered {
        is_last: true,
        ..whole(8, 0)
    };
    assert_eq!(
        Past::default().refused(Refusal::Passing, last).0,
        Fate::Halves
    );
}

#[test]
fn what_is_refused_without_a_known_reason_may_be_gone() {
    let mut past = Past::default();
    assert_eq!(
        past.refused(Refusal::Unknown, whole(2, 1)),
        (Fate::Again, Mood::GoOn)
    );
    assert_eq!(
        past.refused(Refusal::Unknown, whole(2, 2)).0,
        Fate::LookInto
    );
    assert_eq!(past.there(2), Fate::Halves);
    let mut one = past.of_part();
    assert_eq!(one.refused(Refusal::Unknown, whole(1, 3)).0, Fate::LookInto);
    assert_eq!(one.there(1), Fate::Again);
    assert_eq!(one.refused(Refusal::Unknown, whole(1, 4)).0, Fate::LookInto);
    assert_eq!(one.there(1), Fate::Fail);
    // Some came, and then a NO.
    let partial = Answered {
        is_partial: true,
        ..whole(1, 1)
    };
    let refused = Past::default().refused(Refusal::Unknown, partial);
    assert_eq!(refused, (Fate::Again, Mood::GoOn));
}

#[test]
fn what_is_left_out_is_asked_for_as_long_as_something_comes() {
    let some = Answered {
        is_partial: true,
        ..whole(500, 7)
    };
    let mut past = Past::default();
    for _ in 0..100 {
        assert_eq!(past.left_out(some), Fate::Again);
    }
    assert_eq!(past.left_out(whole(2, 9)), Fate::Again);
    assert_eq!(past.left_out(whole(2, 9)), Fate::LookInto);
    assert_eq!(past.there(2), Fate::Halves);
    let mut one = past.of_part();
    assert_eq!(one.left_out(whole(1, 9)), Fate::LookInto);
    assert_eq!(one.there(1), Fate::Again);
    assert_eq!(one.left_out(whole(1, 9)), Fate::LookInto);
    assert_eq!(one.there(1), Fate::Fail);
    let mut nil = Past {
        error: Some(Error::new(ErrorKind::NoBody, "NIL")),
        ..Past::default()
    };
    assert_eq!(nil.left_out(whole(1, 9)), Fate::Again);
    assert_eq!(nil.left_out(whole(1, 9)), Fate::LookInto);
    assert_eq!(nil.there(1), Fate::Fail);
}

#[test]
fn an_empty_body_is_looked_at_again() {
    for (told, fates) in [
        (None, [Fate::Again, Fate::Again, Fate::Fail]),
        (Some(4286), [Fate::Again, Fate::Again, Fate::Fail]),
        (Some(0), [Fate::Again, Fate::LookInto, Fate::LookInto]),
    ] {
        let mut past = Past::default();
        assert_eq!([(); 3].map(|()| past.came_empty(told)), fates, "{told:?}");
    }
}

fn broken(id: u64) -> Broken {
    Broken {
        id,
        newest: id,
        had_progress: false,
        was_sound: true,
    }
}

#[test]
fn a_message_is_convicted_by_sound_sessions_if_it_breaks_more_than_break_anyway() {
    let error = Error::new(ErrorKind::Disconnected, "");
    let deaths = |broken: fn(u64) -> Broken, lost_each_time: u64| {
        let mut past = Past::default();
        let mut lost = 10;
        for id in 1..=40 {
            lost += lost_each_time;
            past.broke(&error, broken(id), lost);
            if past.is_guilty(&error, false, lost) {
                return Some(id);
            }
        }
        None
    };
    assert_eq!(deaths(broken, 1), Some(4));
    assert_eq!(deaths(broken, 2), None, "as many break elsewhere");
    assert_eq!(
        deaths(
            |id| Broken {
                was_sound: false,
                ..broken(id)
            },
            1
        ),
        None
    );
    assert_eq!(
        deaths(
            |id| Broken {
                had_progress: true,
                ..broken(id)
            },
            1
        ),
        None
    );
    assert_eq!(
        deaths(
            |_| Broken {
                id: 1,
                newest: 9,
                ..broken(1)
            },
            1
        ),
        Some(4),
        "old ones that are sound"
    );
    // An accident before does not save it for ever.
    let mut past = Past::default();
    past.broke(&error, broken(1), 1);
    for id in 2..=6 {
        past.broke(&error, broken(id), u64::from(id as u32) + 2);
    }
    assert!(past.is_guilty(&error, false, 8));
}

#[test]
fn silence_is_looked_into_at_once_and_convicts_sooner() {
    let silent = Error::new(ErrorKind::Timeout, "");
    let mut past = Past::default();
    past.broke(&silent, broken(1), 1);
    assert!(past.is_to_be_narrowed() && !past.is_guilty(&silent, false, 1));
    past.broke(&silent, broken(2), 2);
    assert!(!past.is_guilty(&silent, true, 2));
    past.broke(&silent, broken(3), 3);
    assert!(past.is_guilty(&silent, true, 3));
    assert!(!past.is_guilty(&silent, true, 5), "others fall silent, too");
}
