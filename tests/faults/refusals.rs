//! What the server refuses, to a session or to the account: passing conditions, limits, verdicts.

use std::time::Duration;

use parallel_mailbox::testing::{Fault, Sample, Server, ServerBuilder};
use parallel_mailbox::{ErrorKind, Event, Retry};

use crate::play::{PATIENCE, impatient, persona, play, play_on};
use crate::support::leaks::Leaks;
use crate::support::wait::until;

/// The codes of RFC 5530 for what passes by itself, and the commands that may meet them.
fn passing() -> impl Iterator<Item = (&'static str, &'static str)> {
    let codes = ["UNAVAILABLE", "INUSE", "SERVERBUG"].into_iter();
    codes.flat_map(|code| ["LOGIN", "EXAMINE", "FETCH"].map(|command| (code, command)))
}

#[test]
fn a_refusal_that_passes_is_waited_out() {
    for (code, command) in passing() {
        let ending = play(200, 2, []).run_after(|server| {
            server.add_fault(Fault::no(code, "try again").before(command).times(5));
            server.disconnect_all();
        });
        ending.assert_all_delivered();
        let refused = ending.count(|event| matches!(event, Event::SessionRefused { .. }));
        let expected = if command == "FETCH" { 0 } else { 5 };
        assert_eq!(refused, expected, "{code} to {command}");
    }
}

#[test]
fn a_refusal_that_does_not_pass_ends_the_run_after_some_tries() {
    for (code, command) in passing() {
        let ending = play(200, 2, [])
            .tune(impatient)
            .resume_after(Server::clear_faults)
            .run_after(|server| {
                server.add_fault(Fault::no(code, "try again").before(command));
                server.disconnect_all();
            });
        let error = ending.error.as_ref().unwrap();
        assert!(
            matches!(error.kind(), ErrorKind::Server { code: Some(said), .. } if said == code),
            "{error}"
        );
        assert!(error.is_retryable() && error.is_fatal());
        assert_eq!(ending.report.unfinished().len(), 200);
        // Both workers try 4 times, of FETCH commands with up to 4 in flight.
        let (tries, most) = match command {
            "FETCH" => (ending.sent("UID FETCH"), 2 * (4 + 3)),
            _ => (ending.sent("LOGIN"), 2 * 4),
        };
        assert!((4..=most).contains(&tries), "{code} to {command}: {tries}");
    }
}

#[test]
fn a_limit_on_sessions_is_known_by_code_or_text() {
    for (code, text) in [
        ("LIMIT", "no more"),
        (
            "UNAVAILABLE",
            "Maximum number of connections from user+IP exceeded",
        ),
        ("ALERT", "Too many simultaneous connections. (Failure)"),
    ] {
        let full = Fault::no(code, text).before("LOGIN").on_logins(4..);
        let ending = play(400, 8, [full])
            .arrange(|matches| matches.shard_size(5))
            .run_during(|scene, _| {
                let is_it = |event: &Event| matches!(event, Event::SessionRefused { .. });
                assert!(until(PATIENCE, || scene.count(is_it) >= 1));
            });
        ending.assert_all_delivered();
        assert!((1..=3).contains(&ending.report.sessions()), "{text}");
        let limits = ending.count(|event| match event {
            Event::SessionRefused { error, .. } => *error.kind() == ErrorKind::SessionLimit,
            _ => false,
        });
        assert!((1..=5).contains(&limits), "{text}: {limits}");
        assert!(ending.workers < 8, "{}", ending.workers);
    }
}

#[test]
fn throttling_without_a_hint_is_a_pause_too_and_fewer_go_on() {
    let pause = Duration::from_millis(60);
    for fault in [
        Fault::ok("THROTTLED", "slow down, please"),
        Fault::no("THROTTLED", "slow down, please"),
        Fault::no("LIMIT", "too many commands"),
    ] {
        let ending = play(300, 3, [fault.before("FETCH").times(1)])
            .tune(move |builder| builder.retry(Retry::default().max_delay(pause)))
            .run();
        ending.assert_all_delivered();
        let paused = ending
            .count(|event| matches!(event, Event::Throttled { pause: told, .. } if *told == pause));
        assert_eq!(paused, 1);
        assert!(ending.time >= pause, "{:?}", ending.time);
        assert_eq!(ending.workers, 2);
    }
}

const THROTTLED: &str = "Request is throttled. Suggested Backoff Time: 600 milliseconds";

/// Lets one command be throttled. All must pause, and know of it once.
fn assert_all_pause(server: ServerBuilder, command: &'static str) {
    let ending = play_on(server.sample(Sample::small(400)), 4)
        .arrange(|matches| matches.shard_size(5))
        .run_after(|server| {
            server.add_fault(Fault::no("", THROTTLED).before(command).times(1));
            server.disconnect_all();
        });
    ending.assert_all_delivered();
    let told = ending.count(|event| matches!(event, Event::Throttled { .. }));
    assert_eq!(told, 1, "{command}: {:?}", ending.events);
    let mut times: Vec<Duration> = ending.log.iter().map(|entry| entry.at).collect();
    times.sort_unstable();
    let longest = times.windows(2).map(|two| two[1] - two[0]).max();
    // What was asked for in that moment may still be on its way; hence half.
    assert!(
        longest >= Some(Duration::from_millis(300)),
        "{command}: {longest:?}"
    );
}

#[test]
fn all_workers_pause_when_one_is_throttled() {
    for command in ["FETCH", "LOGIN"] {
        assert_all_pause(Server::builder().login("ann", "secret"), command);
    }
}

#[test]
fn a_hint_to_wait_is_read_whatever_the_user_is_called() {
    // As in "Time".
    assert_all_pause(Server::builder().login("me", "secret"), "LOGIN");
}

#[test]
fn an_account_that_has_used_up_what_it_may_goes_on_another_day() {
    for (code, text) in [
        ("OVERQUOTA", "quota exceeded"),
        (
            "",
            "Account exceeded command or bandwidth limits. (Failure)",
        ),
    ] {
        let ending = play(300, 3, [])
            .arrange(|matches| matches.shard_size(10))
            .resume_after(Server::clear_faults)
            .run_disturbed(50, |server| {
                server.add_fault(Fault::no(code, text).before("FETCH"));
            });
        let error = ending.error.as_ref().unwrap();
        assert!(
            error.to_string().contains(text) && error.is_fatal(),
            "{error}"
        );
        assert!(!ending.report.delivered().is_empty(), "{}", ending.report);
        assert_eq!(ending.report.failed().len(), 0);
    }
}

#[test]
fn a_refused_login_is_final_whether_it_has_a_code_or_not() {
    let leaks = Leaks::watch();
    for (code, text) in [
        ("AUTHENTICATIONFAILED", "Authentication failed."),
        ("", "LOGIN failed."),
    ] {
        let server = Server::builder().start().unwrap();
        server.add_fault(Fault::no(code, text).before("LOGIN"));
        let error = server.client().connect().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
        assert!(!error.is_retryable());
        let log = server.log();
        let logins = log.iter().filter(|entry| entry.line.contains(" LOGIN "));
        assert_eq!(logins.count(), 1);
    }
    leaks.assert_none_left();
}

#[test]
fn a_password_changed_in_mid_run_ends_it_with_one_login_of_each_worker_at_most() {
    for (code, text) in [("AUTHENTICATIONFAILED", "expired"), ("", "LOGIN failed.")] {
        let ending = play(400, 4, [])
            .arrange(|matches| matches.shard_size(5))
            .run_disturbed(40, |server| {
                server.add_fault(Fault::no(code, text).before("LOGIN"));
                server.clear_log();
                server.disconnect_all();
            });
        let error = ending.error.as_ref().unwrap();
        assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
        assert!(!ending.report.unfinished().is_empty());
        assert!(ending.sent("LOGIN") <= 4);
    }
}

#[test]
fn refused_sessions_leave_the_run_to_those_that_were_granted() {
    let server = Server::builder()
        .sample(Sample::small(400))
        .max_connections(3);
    let ending = play_on(server, 8).run();
    ending.assert_all_delivered();
    assert!(ending.report.sessions() <= 3);
    let refused = ending.count(|event| matches!(event, Event::SessionRefused { .. }));
    assert!(refused <= 8);
}

#[test]
fn a_throttled_command_makes_all_workers_wait_and_go_on() {
    let text = "Request is throttled. Suggested Backoff Time: 300 milliseconds";
    let ending = play(300, 3, [Fault::no("", text).before("FETCH").times(1)]).run();
    ending.assert_all_delivered();
    assert!(
        ending.time >= Duration::from_millis(300),
        "{:?}",
        ending.time
    );
    let told = ending.events.iter().any(
        |event| matches!(event, Event::Throttled { pause, .. } if *pause == Duration::from_millis(300)),
    );
    assert!(told, "{:?}", ending.events);
}

#[test]
fn an_account_that_has_used_up_what_it_may_ends_the_run() {
    let used_up = Fault::no("OVERQUOTA", "download limit reached").before("FETCH");
    let ending = play(300, 3, [used_up]).run();
    let error = ending.error.unwrap();
    assert!(
        error.to_string().contains("download limit reached"),
        "{error}"
    );
    assert_eq!(ending.report.unfinished().len(), 300);
}

#[test]
fn another_uidvalidity_ends_the_run_and_nothing_of_it_is_delivered() {
    let ending = play(400, 3, [Fault::close().after_octets(60_000)])
        .run_after(|server| server.set_uid_validity("INBOX", 99));
    let error = ending.error.unwrap();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::UidValidityChanged { found: 99, .. }
        ),
        "{error}"
    );
}

#[test]
fn a_mailbox_deleted_in_mid_run_ends_it_with_a_list() {
    let ending = play(400, 2, [Fault::close().after_octets(60_000)])
        .run_after(|server| assert!(server.delete_mailbox("INBOX")));
    assert!(matches!(
        ending.error.unwrap().kind(),
        ErrorKind::Server { .. }
    ));
    assert!(!ending.report.unfinished().is_empty());
}

#[test]
fn other_mail_under_the_same_uids_is_not_delivered() {
    for workers in [1, 3] {
        let ending = play(200, workers, []).run_after(|server| {
            server.delete_mailbox("INBOX");
            for number in 1..=200 {
                server.append("INBOX", format!("Subject: other mail {number}\r\n\r\n"));
            }
            server.set_uid_validity("INBOX", 99);
            server.disconnect_all();
        });
        let changed = ErrorKind::UidValidityChanged {
            expected: 1,
            found: 99,
        };
        assert_eq!(ending.error.unwrap().kind(), &changed);
        assert_eq!(ending.report.unfinished().len(), 200);
    }
}

#[test]
fn a_mailbox_that_goes_away_under_its_sessions_can_be_read_on_when_it_is_back() {
    let put_back = |server: &Server| {
        for message in Sample::small(400) {
            server.append("INBOX", message);
        }
    };
    let ending = play(400, 3, [])
        .arrange(|matches| matches.shard_size(10))
        .resume_after(put_back)
        .run_disturbed(50, |server| assert!(server.delete_mailbox("INBOX")));
    let error = ending.error.as_ref().unwrap();
    let is_said = |code: &Option<String>| match persona() {
        None => code.as_deref() == Some("NONEXISTENT"),
        // Some have no code for it.
        Some(_) => true,
    };
    assert!(
        matches!(error.kind(), ErrorKind::Server { code, .. } if is_said(code)),
        "{error}"
    );
    assert!(ending.report.gone().is_empty() && ending.report.failed().is_empty());
}
