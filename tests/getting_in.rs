//! From a connection to an open mailbox, with servers and proxies that have habits of their own. They
//! are played after public transcripts and reports, which each test names.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use parallel_mailbox::{
    Builder, Error, ErrorKind, Event, Mechanism, ParallelMailbox, Query, Retry, Security, Stream,
    Timeouts, UidSet,
};
use support::played::{Played, Turn, say, silence, usual};
use support::wait::until;

const PATIENCE: Duration = Duration::from_secs(60);

/// No test may take so long; what it guards against would.
const LONG: Duration = Duration::from_secs(20);

const USER: &str = "somebody@example.org";

fn to(port: u16) -> Builder {
    ParallelMailbox::builder("127.0.0.1")
        .port(port)
        .security(Security::DangerPlaintext)
        .login(USER, "password")
        .workers(1)
        .retry(Retry::default().attempts(1))
}

fn client(server: &Played) -> Builder {
    to(server.port)
}

/// Bears little silence.
fn impatient(server: &Played) -> Builder {
    client(server).timeouts(Timeouts::default().read(Duration::from_millis(600)))
}

fn set(text: &str) -> UidSet {
    text.parse().unwrap()
}

fn read_all(mailbox: &ParallelMailbox) -> usize {
    let report = mailbox.search(Query::all()).unwrap().for_each(drop);
    report.unwrap().delivered().len()
}

/// Has so many sessions.
fn use_sessions(mailbox: &ParallelMailbox, server: &Played, sessions: u32) {
    // More than one session takes at once, whether they are there or not.
    let matches = mailbox.uids(set("1:60")).shard_size(1);
    let has_opened = |said: &Vec<String>| said.iter().any(|line| line.starts_with("EXAMINE"));
    let report = matches.for_each(|_| {
        assert!(until(PATIENCE, || {
            let said = server.said();
            said.iter().filter(|said| has_opened(said)).count() >= sessions as usize
        }));
    });
    assert!(report.unwrap().is_complete());
}

/// Everything that an error says, in every way that it can be printed.
fn text_of(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    text
}

// ---- words ----

/// MailKit#860: LOGIN's OK and EXAMINE's untagged BAD carry alerts, and then nothing comes.
#[test]
fn alerts_are_told_whatever_then_happens() {
    type End = fn(String) -> Turn;
    type Check = fn(&ErrorKind) -> bool;
    let is_refused = |kind: &ErrorKind| match kind {
        // What is refused to LOGIN may be the password.
        ErrorKind::Server { .. } | ErrorKind::Auth => true,
        _ => false,
    };
    let is_silent = |kind: &ErrorKind| *kind == ErrorKind::Timeout;
    let is_over = |kind: &ErrorKind| *kind == ErrorKind::Disconnected;
    let then: [(&str, End, Check); 4] = [
        ("", |text| say(text), is_silent),
        ("", Turn::Last, is_over),
        ("* BYE over\r\n", Turn::Last, is_over),
        ("{tag} NO [CANNOT] not so\r\n", |text| say(text), is_refused),
    ];
    for (tail, turn, is_right) in then {
        for alert in [
            "* BAD [ALERT] enable IMAP first\r\n",
            "* NO [ALERT] enable IMAP first\r\n",
            "* ok [alert] enable IMAP first\r\n",
        ] {
            for command in ["LOGIN", "EXAMINE"] {
                let server = Played::start(1..=3, move |_, line| {
                    if line.starts_with(command) {
                        turn(format!("{alert}{tail}"))
                    } else if line.starts_with("LOGIN") {
                        say("{tag} OK [ALERT] the quota is nearly used up\r\n")
                    } else {
                        Turn::Usual
                    }
                });
                let error = impatient(&server).connect().unwrap_err();
                let text = error.to_string();
                assert!(is_right(error.kind()), "{command} {alert}: {text}");
                assert_eq!(text.matches("enable IMAP first").count(), 1, "{text}");
                let is_behind_login = command == "EXAMINE";
                assert_eq!(text.contains("nearly used up"), is_behind_login, "{text}");
            }
        }
    }
}

/// An alert of a server that refuses by its tagged answer is not said twice.
#[test]
fn an_alert_that_is_the_refusal_itself_is_said_once() {
    let server = Played::start(1..=3, |_, line| match line.starts_with("LOGIN") {
        true => say("{tag} NO [ALERT] Application-specific password required (Failure)\r\n"),
        false => Turn::Usual,
    });
    let text = client(&server).connect().unwrap_err().to_string();
    assert_eq!(text.matches("Application-specific").count(), 1, "{text}");
}

/// Phases in which a line may come that nobody asked for, as the first word of a command.
const PHASES: [&str; 7] = ["", "CAPABILITY", "LOGIN", "ID", "EXAMINE", "UID", "NOOP"];

/// Puts this in front of what is said at each phase.
fn with_lines_before_each_answer(lines: &'static str, behind_greeting: bool) -> Played {
    Played::start(1..=3, move |client, line| {
        let word = line.split(' ').next().unwrap();
        let answer = match line {
            // So that the capabilities have to be asked for.
            "" => "* OK ready\r\n".to_owned(),
            _ => usual(line, client.uids),
        };
        assert!(PHASES.contains(&word) || word == "LOGOUT", "{line}");
        match word.is_empty() && behind_greeting {
            true => say(answer),
            false => say(format!("{lines}{answer}")),
        }
    })
}

/// php-imap#274: an empty line before each tagged answer.
#[test]
fn empty_lines_are_borne_in_every_phase() {
    for lines in ["\r\n", "\r\n \r\n\r\n", "\n"] {
        let server = with_lines_before_each_answer(lines, false);
        let mailbox = client(&server).connect().unwrap();
        assert_eq!(read_all(&mailbox), 3);
    }
}

/// async-imap#141: a proxy lets the answer through that was for somebody else. Exchange has said
/// `Server Unavailable.` without a tag (imapflow), and `[COPYUID 55 31 6]` (MailKit#115).
#[test]
fn answers_to_others_and_lines_of_no_form_are_passed_over() {
    for lines in [
        "A7 NO [AUTHENTICATIONFAILED] another's\r\n",
        "a77 OK done\r\np99 BAD what\r\n",
        "Server Unavailable.\r\n",
        "[COPYUID 55 31 6]\r\n",
        "* Too many words.\r\n",
        "*\r\n",
    ] {
        let server = with_lines_before_each_answer(lines, true);
        let mailbox = client(&server).connect().unwrap();
        assert_eq!(read_all(&mailbox), 3, "{lines}");
    }
}

#[test]
fn without_end_they_are_not_borne() {
    for word in ["CAPABILITY", "LOGIN", "EXAMINE", "UID"] {
        let server = Played::start(1..=3, move |_, line| match line.split(' ').next() {
            Some("") => say("* OK ready\r\n"),
            Some(first) if first == word => say("HTTP/1.1 400 Bad Request\r\n".repeat(100)),
            _ => Turn::Usual,
        });
        let result = client(&server).connect();
        let error = result.and_then(|mailbox| mailbox.search(Query::all()).map(|_| ()));
        let error = error.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Protocol, "{word}: {error}");
        assert!(error.to_string().contains("HTTP/1.1 400"), "{error}");
    }
}

/// hMailServer: `* Too many invalid logon attempts.`, which is no valid line, then BAD, and it closes
/// (MailKit#371). Exchange behind a proxy: `Server Unavailable.` and the end.
#[test]
fn the_last_words_of_a_server_are_in_the_error() {
    for (text, says) in [
        (
            "* Too many invalid logon attempts.\r\n{tag} BAD Goodbye\r\n",
            "Too many invalid logon attempts.",
        ),
        ("Server Unavailable.\r\n", "Server Unavailable."),
        ("* BYE [UNAVAILABLE] down for now\r\n", "down for now"),
    ] {
        for word in ["LOGIN", "EXAMINE"] {
            let server = Played::start(1..=3, move |_, line| match line.starts_with(word) {
                true => Turn::Last(text.to_owned()),
                false => Turn::Usual,
            });
            let error = client(&server).connect().unwrap_err();
            assert!(error.to_string().contains(says), "{word}: {error}");
        }
    }
}

// ---- proxies ----

/// imapproxy, perdition and Courier: what is sent behind LOGIN is lost as the connection is handed
/// over. That costs a moment, once, and no login.
#[test]
fn commands_that_are_lost_behind_a_login_are_sent_again_and_then_waited_with() {
    let server = Played::start(1..=3, |_, line| match line.starts_with("LOGIN") {
        true => Turn::LoseAndSay("{tag} OK LOGIN Ok.\r\n".to_owned()),
        false => Turn::Usual,
    });
    let started = Instant::now();
    let mailbox = client(&server).workers(3).connect().unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "no 5 s of silence"
    );
    assert_eq!((server.times("LOGIN"), server.times("NOOP")), (1, 1));
    use_sessions(&mailbox, &server, 3);
    // Nothing was lost any more.
    assert_eq!((server.times("LOGIN"), server.times("EXAMINE")), (3, 3));
}

/// The same, where a part of what was sent arrives cut off.
#[test]
fn what_is_left_of_a_command_does_no_harm() {
    for rest in [
        "NE BAD unknown command\r\n",
        "* BAD what is INE?\r\n",
        "\r\n",
    ] {
        let server = Played::start(1..=3, move |_, line| match line.starts_with("LOGIN") {
            true => Turn::LoseAndSay(format!("{{tag}} OK\r\n{rest}")),
            false => Turn::Usual,
        });
        let mailbox = client(&server).connect().unwrap();
        assert_eq!(read_all(&mailbox), 3, "{rest}");
        assert_eq!(server.times("LOGIN"), 1, "{rest}");
    }
}

#[test]
fn who_answers_what_comes_behind_a_login_is_sent_nothing_more() {
    let server = Played::start(1..=3, |_, _| Turn::Usual);
    let mailbox = client(&server).connect().unwrap();
    assert_eq!(read_all(&mailbox), 3);
    let said = server.said().concat();
    let words = said.iter().map(|line| line.split(' ').next().unwrap());
    let words: Vec<&str> = words.collect();
    assert_eq!(words[..4], ["LOGIN", "ID", "CAPABILITY", "EXAMINE"]);
}

/// Slow, but in order: the same is answered twice, which does no harm.
#[test]
fn a_server_that_only_takes_its_time_loses_nothing() {
    let server = Played::start(1..=3, |client, line| match line {
        // It says nothing until somebody asks.
        "CAPABILITY" | "EXAMINE \"INBOX\"" if client.times("NOOP") == 0 => silence(),
        line if line.starts_with("ID ") && client.times("NOOP") == 0 => silence(),
        "NOOP" => say(
            "* ID NIL\r\na2 OK\r\n* CAPABILITY IMAP4rev1\r\na3 OK\r\n* 3 EXISTS\r\n\
             * OK [UIDVALIDITY 7]\r\na4 OK\r\n{tag} OK\r\n",
        ),
        _ => Turn::Usual,
    });
    let mailbox = client(&server).connect().unwrap();
    assert_eq!(read_all(&mailbox), 3);
    assert_eq!((server.times("LOGIN"), server.times("EXAMINE")), (1, 1));
}

// ---- limits ----

/// Courier over its cap for an address closes without a greeting, while others are open.
#[test]
fn a_connection_that_is_closed_at_once_while_others_are_open_is_one_too_many() {
    let server = Played::start(1..=30, |client, line| match line {
        "" if client.number > 2 => Turn::Last(String::new()),
        _ => Turn::Usual,
    });
    let refused = Arc::new(Mutex::new(Vec::new()));
    let heard = refused.clone();
    let mailbox = client(&server)
        .workers(4)
        .retry(Retry::default().attempts(2))
        .on_event(move |event| {
            if let Event::SessionRefused { error, .. } = event {
                heard.lock().unwrap().push(error.clone());
            }
        })
        .connect()
        .unwrap();
    let matches = mailbox.uids(set("1:30")).shard_size(1);
    let report = matches.for_each(|_| {
        assert!(until(PATIENCE, || !refused.lock().unwrap().is_empty()));
    });
    assert_eq!(report.unwrap().delivered().len(), 30);
    let refused = refused.lock().unwrap();
    for error in &*refused {
        assert_eq!(error.kind(), &ErrorKind::SessionLimit, "{error}");
        assert!(!error.to_string().contains("Security::Tls"), "{error}");
    }
}

#[test]
fn the_first_connection_that_is_closed_at_once_may_be_one_to_the_wrong_port() {
    let server = Played::start([], |_, _| Turn::Last(String::new()));
    let error = client(&server).connect().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Disconnected, "{error}");
    assert!(error.to_string().contains("Security::Tls"), "{error}");
}

// ---- secrets ----

/// A BAD to LOGIN that repeats the tail of the password, as a parser does that stopped within it.
#[test]
fn no_part_of_a_password_is_in_any_text() {
    let password = "abc\"secretpart\\tail of it";
    let parts: Vec<&str> = (0..password.len() - 3)
        .map(|at| &password[at..at + 4])
        .collect();
    // "abc\"secretpart\\tail of it" in Base64, by itself and behind `\0somebody@example.org\0`.
    let encoded = [
        "YWJjInNlY3JldHBhcnRcdGFpbCBvZiBpdA==",
        "AHNvbWVib2R5QGV4YW1wbGUub3JnAGFiYyJzZWNyZXRwYXJ0XHRhaWwgb2YgaXQ=",
    ];
    let mut repeated = vec![
        password.to_owned(),
        password.to_uppercase(),
        "b'ecretpart\"'".to_owned(),
        "'abc\"secr' 'etpart\\\\tail of it'".to_owned(),
        "%22secretpart%5Ctail%20of%20it".to_owned(),
        encoded[0].to_owned(),
        encoded[1].to_owned(),
        encoded[1][31..].to_owned(),
    ];
    repeated.extend(
        (1..password.len() - 4)
            .step_by(5)
            .map(|at| password[at..].to_owned()),
    );
    for text in repeated {
        for answer in [
            format!("{{tag}} BAD Too many arguments: {text}\r\n"),
            format!("{{tag}} BAD [X {text}] what?\r\n"),
            format!("{{tag}} NO I do not know {text}\r\n"),
            format!("{{tag}} NO [UNAVAILABLE] {text} try again\r\n"),
            format!("* BAD [ALERT] {text}\r\n{{tag}} BAD [ALERT] {text}\r\n"),
            format!("what is {text}?\r\n{{tag}} NO\r\n"),
            format!("* what is {text}?\r\n* BYE {text}\r\n"),
            // Behind the login, whose rest it takes for a command.
            format!("{{tag}} OK\r\n* BAD [ALERT] unknown {text}\r\n* BYE {text}\r\n"),
        ] {
            let server = Played::start(1..=3, move |_, line| match line.starts_with("LOGIN") {
                true => Turn::Last(answer.clone()),
                false => Turn::Usual,
            });
            let told = Arc::new(Mutex::new(String::new()));
            let heard = told.clone();
            let error = client(&server)
                .login(USER, password)
                .on_event(move |event| heard.lock().unwrap().push_str(&format!("{event:#?}")))
                .connect()
                .unwrap_err();
            let said = text_of(&error) + &told.lock().unwrap();
            let small = said.to_ascii_lowercase();
            for part in &parts {
                // A word of the crate's own.
                let is_own = ["part", " of ", "l of", "of i", "f it", "abc\""].contains(part);
                assert!(
                    is_own || !small.contains(part),
                    "{part:?} of {text:?} in {said}"
                );
            }
            // Of the second, what is of the password and not of the name.
            let encoded = [encoded[0], &encoded[1][30..]];
            for part in encoded.iter().flat_map(|text| text.as_bytes().windows(8)) {
                let part = str::from_utf8(part).unwrap();
                assert!(!said.contains(part), "{part:?} of {text:?} in {said}");
            }
        }
    }
}

// ---- PREAUTH ----

/// What `localhost` is over a caller's connection, nobody here knows: it may be the end of a tunnel.
#[test]
fn a_greeting_of_preauth_is_believed_by_what_is_known_of_the_connection() {
    let server = Played::start(1..=3, |_, line| match line {
        "" => say("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n"),
        line => {
            assert!(!line.starts_with("LOGIN"));
            Turn::Usual
        }
    });
    for host in ["localhost", "127.0.0.1"] {
        let own = ParallelMailbox::builder(host)
            .port(server.port)
            .security(Security::DangerPlaintext)
            .login(USER, "password");
        assert!(own.clone().connect().is_ok(), "{host}");
        let port = server.port;
        let error = own
            .connector(move |_: &str, _, _| {
                let stream = TcpStream::connect(("127.0.0.1", port))?;
                Ok(Box::new(stream) as Box<dyn Stream>)
            })
            .connect()
            .unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Auth, "{host}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn a_greeting_of_preauth_is_believed_over_a_unix_socket() {
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::UnixStream;

    let connector = |_: &str, _, _| {
        let (ours, theirs) = UnixStream::pair()?;
        std::thread::spawn(move || {
            let mut server = &theirs;
            server.write_all(b"* PREAUTH ready\r\n").ok()?;
            for line in BufReader::new(&theirs).lines() {
                let line = line.ok()?;
                let (tag, command) = line.split_once(' ')?;
                let answer = usual(command, &[1, 2]).replace("{tag}", tag);
                server.write_all(answer.as_bytes()).ok()?;
            }
            Some(())
        });
        Ok(Box::new(ours) as Box<dyn Stream>)
    };
    let mailbox = to(1).preauthenticated().connector(connector);
    assert_eq!(read_all(&mailbox.connect().unwrap()), 2);
}

// ---- how servers greet, and what they say of themselves ----

/// Greetings and lists of capabilities of public transcripts: Gmail, Exchange, Yahoo, iCloud, QQ,
/// NetEase, Yandex, mail.ru, Zoho, GMX, Gluon, DavMail, Stalwart, Domino, hMailServer, nginx, Fastmail.
#[test]
fn all_greetings_and_lists_of_capabilities_lead_in() {
    for (greeting, before, login, after) in [
        (
            "* OK Gimap ready for requests from 192.0.2.1 5mb7",
            "* CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 XYZZY \
             SASL-IR AUTH=XOAUTH2 AUTH=PLAIN AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER\r\n\
             {tag} OK Thats all she wrote! 5mb7",
            "* CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 \
             UIDPLUS COMPRESS=DEFLATE ENABLE MOVE CONDSTORE ESEARCH LITERAL-\r\n\
             {tag} OK somebody@example.org authenticated (Success)",
            "{tag} OK",
        ),
        (
            "* OK The Microsoft Exchange IMAP4 service is ready. [RgBSADMAUAAyADgAMQ==]",
            "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT \
             CHILDREN IDLE NAMESPACE LITERAL+\r\n{tag} OK CAPABILITY completed.",
            "{tag} OK LOGIN completed.",
            "* CAPABILITY IMAP4 IMAP4rev1 UIDPLUS MOVE ID UNSELECT CLIENTACCESSRULES LITERAL+\r\n\
             {tag} OK CAPABILITY completed.",
        ),
        (
            "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 ID MOVE XYMHIGHESTMODSEQ \
             UIDPLUS LITERAL+ OBJECTID] IMAP4rev1 Hello",
            "{tag} BAD",
            "{tag} OK AUTHENTICATE completed - Mailbox size in bytes is 123",
            "* CAPABILITY IMAP4rev1 ID MOVE UNSELECT\r\n{tag} OK CAPABILITY completed",
        ),
        (
            "* OK [CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN AUTH=PLAIN] \
             (2428B47-ab) p00-iscream-ab",
            "{tag} BAD",
            "{tag} OK user somebody@example.org authenticated",
            "* CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 CONDSTORE ESEARCH ID\r\n{tag} OK Completed",
        ),
        (
            "* OK [CAPABILITY IMAP4 IMAP4rev1 ID AUTH=PLAIN AUTH=LOGIN NAMESPACE] QQMail \
             XMIMAP4Server ready",
            "{tag} BAD",
            "{tag} OK Success login ok",
            "* CAPABILITY IMAP4 IMAP4rev1 XLIST MOVE IDLE ID UIDPLUS\r\n{tag} OK CAPABILITY Completed",
        ),
        (
            "* OK Yandex IMAP4rev1 at sas1-1.example:993 ready to talk with 192.0.2.1:40, \
             2025-Feb-19 18:04:09, abc",
            "* CAPABILITY IMAP4rev1 CHILDREN UNSELECT LITERAL+ NAMESPACE XLIST\r\n\
             {tag} OK CAPABILITY Completed.",
            "* CAPABILITY IMAP4rev1 CHILDREN UNSELECT ID IDLE MOVE\r\n{tag} OK LOGIN Completed.",
            "{tag} OK",
        ),
        (
            "* OK Welcome",
            "* CAPABILITY IMAP4rev1 ID XLIST UIDPLUS AUTH=PLAIN AUTH=XOAUTH2\r\n{tag} OK",
            "* CAPABILITY IMAP4rev1 ID\r\n{tag} OK Authentication successful",
            "{tag} OK",
        ),
        (
            "* OK [CAPABILITY IMAP4REV1 AUTH=LOGIN IDLE MOVE SPECIAL-USE UIDPLUS] IMAP4rev1 DavMail 6 \
             server ready",
            "{tag} BAD",
            "{tag} OK Authenticated",
            "* CAPABILITY IMAP4REV1 IDLE\r\n{tag} OK",
        ),
        (
            "* OK [CAPABILITY IMAP4rev1 IDLE UNSELECT UIDPLUS MOVE ID STARTTLS] Bridge 3 - gluon \
             session ID 1",
            "{tag} BAD",
            "{tag} OK [CAPABILITY IMAP4rev1 IDLE UNSELECT UIDPLUS MOVE ID] Logged in",
            "* CAPABILITY IMAP4rev1 ID\r\n{tag} OK CAPABILITY",
        ),
        // hMailServer: not a typing error of ours.
        (
            "* OK IMAPrev1",
            "* CAPABILITY IMAP4 IMAP4rev1 CHILDREN IDLE QUOTA SORT ACL NAMESPACE RIGHTS=texk\r\n\
             {tag} OK CAPABILITY completed",
            "{tag} OK LOGIN completed",
            "* CAPABILITY IMAP4 IMAP4rev1\r\n{tag} OK",
        ),
        // Text beyond ASCII, none at all, small letters, a code that nobody knows.
        (
            "* OK Willkommen zur\u{fc}ck \u{1f4ec}",
            "* capability imap4rev1 id auth=plain\r\n{tag} ok",
            "{tag} ok",
            "* capability imap4rev1\r\n{tag} ok",
        ),
        ("* OK", "{tag} NO not now", "{tag} OK", "{tag} NO never"),
        (
            "* ok [X-WHO-KNOWS \"a b\" (7)]",
            "{tag} BAD what?",
            "{tag} OK",
            "{tag} BAD what?",
        ),
    ] {
        let server = Played::start(1..=3, move |client, line| {
            let has_login = client.times("LOGIN") > 0;
            let answer = match line.split(' ').next().unwrap() {
                "" => greeting,
                "CAPABILITY" if has_login => after,
                "CAPABILITY" => before,
                "LOGIN" => login,
                _ => return Turn::Usual,
            };
            say(format!("{answer}\r\n"))
        });
        let mailbox = client(&server).workers(2).connect().unwrap();
        assert_eq!(read_all(&mailbox), 3, "{greeting}");
        // The second goes by what the first has learned.
        use_sessions(&mailbox, &server, 2);
    }
}

#[test]
fn a_refusal_of_id_is_borne() {
    for answer in ["NO what is that?", "BAD Command Error. 12", "BAD"] {
        let server = Played::start(1..=3, move |_, line| match line.starts_with("ID ") {
            true => say(format!("{{tag}} {answer}\r\n")),
            false => Turn::Usual,
        });
        let mailbox = client(&server).connect().unwrap();
        assert_eq!(read_all(&mailbox), 3, "{answer}");
    }
}

/// Exchange on premises without TLS, and in small letters.
#[test]
fn a_login_that_is_disabled_is_not_tried() {
    for list in ["IMAP4 IMAP4rev1 LOGINDISABLED", "imap4rev1 logindisabled"] {
        let greeting = format!("* OK [CAPABILITY {list}] ready\r\n");
        let server = Played::start(1..=3, move |_, line| match line {
            "" => say(greeting.clone()),
            _ => Turn::Usual,
        });
        let error = client(&server).connect().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
        assert!(error.to_string().contains("LOGINDISABLED"), "{error}");
        assert_eq!(server.times("LOGIN"), 0);
    }
}

// ---- tokens ----

const XOAUTH2: &str = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready\r\n";

fn with_token(server: &Played) -> Result<ParallelMailbox, Error> {
    let token = || Ok::<_, io::Error>("ya29.a0AfH6SMBx".to_owned());
    client(server).oauth2(USER, token).connect()
}

/// Gmail: the reason comes as a challenge, which wants an empty line, and then the refusal. Exchange
/// refuses without a challenge.
#[test]
fn a_refused_token_is_told_with_the_reason_if_there_is_one() {
    for has_challenge in [true, false] {
        let refusal = "{tag} NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n";
        let server = Played::start(1..=3, move |client, line| match line {
            "" if client.said.is_empty() => say(XOAUTH2),
            // The client's empty line has neither tag nor command.
            "" => say(refusal.replace("{tag}", "l1")),
            line if line.starts_with("AUTHENTICATE") && has_challenge => say(
                "+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwu\
                 Z29vZ2xlLmNvbS8ifQ==\r\n",
            ),
            line if line.starts_with("AUTHENTICATE") => say(refusal),
            _ => Turn::Usual,
        });
        let error = with_token(&server).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
        let text = error.to_string();
        assert_eq!(text.contains(r#""status":"400""#), has_challenge, "{text}");
        assert!(text.contains("Invalid credentials"), "{text}");
        assert_eq!(server.times("AUTHENTICATE"), 1);
    }
}

/// Exchange: net-imap#597.
#[test]
fn an_ok_with_an_odd_code_is_an_ok() {
    for code in [
        "Error=\"AuthFailed:LogonDenied-BasicAuthBlocked\" AuthResultFromPopImapEnd=0 Service=Imap4",
        "ALERT",
        "",
    ] {
        let answer = format!("{{tag}} OK [{code}] AUTHENTICATE completed.\r\n");
        let server = Played::start(1..=3, move |_, line| match line {
            "" => say(XOAUTH2),
            line if line.starts_with("AUTHENTICATE") => say(answer.clone()),
            _ => Turn::Usual,
        });
        assert_eq!(read_all(&with_token(&server).unwrap()), 3, "{code}");
    }
}

// ---- the way to sign in ----

/// imap4d announces SCRAM-SHA-256, since its library has it, and has no such secret for the account.
#[test]
fn scram_is_used_where_it_is_chosen_and_a_refusal_says_what_else_there_is() {
    let start = || {
        Played::start(1..=3, |_, line| match line {
            "" => say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-256] imap4d ready\r\n"),
            line if line.starts_with("AUTHENTICATE SCRAM") => {
                say("{tag} NO AUTHENTICATE failed\r\n")
            }
            _ => Turn::Usual,
        })
    };
    let server = start();
    assert_eq!(read_all(&client(&server).connect().unwrap()), 3);
    assert_eq!(server.times("AUTHENTICATE"), 0);
    let server = start();
    let chosen = client(&server).mechanism(Mechanism::ScramSha256);
    let error = chosen.connect().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
    let text = error.to_string();
    for word in [
        "AUTHENTICATE failed",
        "LOGIN was not tried",
        "Mechanism::Login",
    ] {
        assert!(text.contains(word), "{text}");
    }
    assert_eq!(
        (server.times("AUTHENTICATE"), server.times("LOGIN")),
        (1, 0)
    );
}

#[test]
fn a_mechanism_that_does_not_fit_is_refused_before_anything_is_sent() {
    let token = || Ok::<_, io::Error>("token".to_owned());
    for builder in [
        to(1).mechanism(Mechanism::XOAuth2),
        to(1).oauth2(USER, token).mechanism(Mechanism::Login),
        to(1).oauth2(USER, token).mechanism(Mechanism::ScramSha256),
    ] {
        let error = builder.connect().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Config, "{error}");
    }
}

// ---- time ----

#[test]
fn no_time_out_at_all_is_none_and_no_panic() {
    let server = Played::start(1..=3, |_, _| Turn::Usual);
    let timeouts = Timeouts::default()
        .connect(Duration::MAX)
        .read(Duration::MAX)
        .write(Duration::MAX)
        .search(Duration::MAX);
    for host in ["127.0.0.1", "localhost"] {
        let mailbox = ParallelMailbox::builder(host)
            .port(server.port)
            .security(Security::DangerPlaintext)
            .login(USER, "password")
            .timeouts(timeouts);
        let mailbox = mailbox.connect().unwrap();
        assert_eq!(read_all(&mailbox), 3);
        mailbox.close();
    }
}

#[test]
fn a_connector_without_end_is_left_behind_at_the_deadline() {
    let (until, never) = channel::<()>();
    let never = Mutex::new(never);
    let builder = to(1)
        .timeouts(Timeouts::default().connect(Duration::from_millis(200)))
        .connector(move |_: &str, _, _| {
            assert!(never.lock().unwrap().recv().is_err());
            Err(io::ErrorKind::NotFound.into())
        });
    let error = builder.connect().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Timeout, "{error}");
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
    drop(until);
}

/// The end of a run does not wait for a connection that is being made.
#[test]
fn a_run_that_is_dropped_leaves_a_connector_behind() {
    let server = Played::start(1..=300, |_, _| Turn::Usual);
    let (until, never) = channel::<()>();
    let never = Mutex::new(never);
    let (port, calls) = (server.port, Mutex::new(0));
    let was_called = Arc::new(AtomicBool::new(false));
    let called = was_called.clone();
    let mailbox = client(&server)
        .workers(2)
        .connector(move |_: &str, _, _| {
            let is_first = {
                let mut calls = calls.lock().unwrap();
                *calls += 1;
                *calls == 1
            };
            if !is_first {
                called.store(true, Ordering::SeqCst);
                assert!(never.lock().unwrap().recv().is_err());
            }
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
        .connect()
        .unwrap();
    let matches = mailbox.uids(set("1:300")).shard_size(1);
    let mut results = matches.imap_unordered(move |message| {
        assert!(support::wait::until(PATIENCE, || was_called.load(Ordering::SeqCst)));
        message.uid()
    });
    assert!(results.next().unwrap().is_ok());
    let started = Instant::now();
    drop(results);
    assert!(started.elapsed() < LONG);
    drop(until);
}

#[test]
fn sessions_are_logged_out_of_together_whatever_the_servers_make_of_it() {
    let server = Played::start(1..=6, |client, line| match (line, client.number % 3) {
        // It says nothing, closes, or never ends.
        ("LOGOUT", 0) => silence(),
        ("LOGOUT", 1) => Turn::Last(String::new()),
        ("LOGOUT", _) => say("* BYE in a while\r\n* OK wait\r\n"),
        _ => Turn::Usual,
    });
    let mailbox = client(&server).workers(6).connect().unwrap();
    use_sessions(&mailbox, &server, 6);
    let started = Instant::now();
    mailbox.close();
    // Two seconds together, and not for each.
    assert!(started.elapsed() < Duration::from_secs(6));
    assert_eq!(server.times("LOGOUT"), 6);
    assert!(until(PATIENCE, || server.open() == 0));
}
