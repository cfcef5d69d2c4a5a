//! What the crate must make of each persona's own trouble, whatever its words: what is available is
//! delivered, octet for octet, and what is missing is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use parallel_mailbox::testing::{
    Fault, Persona, Sample, Server, ServerBuilder, TestMessage, Trouble,
};
use parallel_mailbox::{
    Builder, ErrorKind, Fetch, Matches, ParallelMailbox, Query, Report, Retry, Timeouts, Uid,
    UidSet,
};

use crate::ledger::adds_up;
use crate::support::raw_client::RawClient;

const MESSAGES: usize = 120;

fn server(persona: Persona) -> ServerBuilder {
    Server::builder()
        .persona(persona)
        .sample(Sample::tiny(MESSAGES))
}

fn client(server: &Server) -> Builder {
    server
        .client()
        .workers(4)
        .timeouts(Timeouts::default().read(Duration::from_secs(2)))
        .retry(Retry::default().initial_delay(Duration::from_millis(10)))
}

fn connect(server: &Server) -> Result<ParallelMailbox, String> {
    client(server).connect().map_err(|error| error.to_string())
}

fn uids(numbers: impl IntoIterator<Item = u32>) -> UidSet {
    numbers.into_iter().filter_map(Uid::new).collect()
}

/// Runs, and says what is wrong: octets that are not the server's, what comes twice, a ledger that
/// does not balance.
fn read(matches: &Matches, held: &BTreeMap<u32, Arc<[u8]>>) -> Result<Report, String> {
    let wrong = Mutex::new(Vec::new());
    let result = matches.for_each(|message| {
        let uid = message.uid().get();
        if held.get(&uid).is_none_or(|raw| **raw != *message.raw()) {
            let shown = String::from_utf8_lossy(message.raw());
            let shown: String = shown.chars().take(60).collect();
            wrong.lock().unwrap().push(format!("{uid}: {shown:?}"));
        }
    });
    let wrong = wrong.into_inner().unwrap();
    if !wrong.is_empty() {
        return Err(format!(
            "{} with other octets, such as {}",
            wrong.len(),
            wrong[0]
        ));
    }
    let report = matches.last_report().unwrap();
    if !adds_up(&report) {
        return Err(format!("does not add up: {report}"));
    }
    result.map_err(|error| format!("{error}: {report}"))
}

fn held(server: &Server) -> BTreeMap<u32, Arc<[u8]>> {
    let uids = server.uids("INBOX").into_iter();
    uids.map(|uid| (uid, server.raw("INBOX", uid).unwrap()))
        .collect()
}

/// All but these are delivered.
fn all_but(report: &Report, missing: &[u32]) -> Result<(), String> {
    let expected = report.matched().difference(&uids(missing.iter().copied()));
    if *report.delivered() == expected {
        return Ok(());
    }
    let failed = report.failed().first().map(|(_, error)| error.to_string());
    Err(format!("{report}, {}", failed.unwrap_or_default()))
}

/// Searches, sets the faults and reads all.
fn all_delivered_in_spite_of(server: &Server, faults: &[Fault]) -> Result<(), String> {
    let mailbox = connect(server)?;
    let matches = mailbox
        .search(everything())
        .map_err(|error| error.to_string())?;
    let held = held(server);
    for fault in faults {
        server.add_fault(fault.clone());
    }
    let report = read(&matches.shard_size(5), &held)?;
    all_but(&report, &[])
}

/// All messages, by a search that no persona has trouble with, and after which no session is opened
/// ahead of the faults.
fn everything() -> Query {
    Query::all().smaller(u64::from(u32::MAX))
}

/// Tries each persona, and fails with a list of those with which it went wrong.
fn with_each(personas: &[Persona], case: impl Fn(Persona) -> Result<(), String>) {
    let failures: Vec<String> = personas
        .iter()
        .filter_map(|persona| Some(format!("{persona}: {}", case(*persona).err()?)))
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn each_trouble(trouble: Trouble, case: impl Fn(Persona, Fault) -> Result<(), String>) {
    let has_it: Vec<Persona> = Persona::all()
        .iter()
        .copied()
        .filter(|persona| !persona.faults(trouble).is_empty())
        .collect();
    assert!(!has_it.is_empty());
    with_each(&has_it, |persona| {
        let mut faults = persona.faults(trouble).into_iter();
        faults.try_for_each(|fault| case(persona, fault))
    });
}

#[test]
fn whatever_the_order_of_items_labels_and_all_the_rest_are_read() {
    let server = Server::builder()
        .persona(Persona::Gmail)
        .messages((1..=30).map(|number| {
            TestMessage::new(format!("Subject: {number}\r\n\r\ntext\r\n"))
                .label("\\Inbox")
                .label("Project UID 4711")
                .label("Entwürfe) BODY[] {3}")
        }))
        .start()
        .unwrap();
    let mailbox = client(&server).connect().unwrap();
    for fetch in [Fetch::full(), Fetch::headers(), Fetch::metadata()] {
        let matches = mailbox.search(Query::all()).unwrap().fetch(fetch);
        let read = matches
            .map(|message| {
                (
                    message.uid().get(),
                    message.gmail().cloned(),
                    message.internal_date(),
                )
            })
            .unwrap();
        assert_eq!(read.len(), 30);
        for (uid, gmail, date) in read {
            let gmail = gmail.unwrap_or_else(|| panic!("no labels of {uid} with {fetch:?}"));
            assert_eq!(
                gmail.labels(),
                ["\\Inbox", "Project UID 4711", "Entwürfe) BODY[] {3}"]
            );
            assert_eq!(gmail.message_id(), (1 << 60) + u64::from(uid));
            assert!(date.is_some());
        }
    }
}

#[test]
fn a_command_that_is_throttled_in_whatever_form_is_waited_for() {
    each_trouble(Trouble::Throttled, |persona, fault| {
        let server = server(persona).start().unwrap();
        all_delivered_in_spite_of(&server, &[fault.times(2)])
    });
}

#[test]
fn a_search_that_is_throttled_is_asked_again() {
    let server = server(Persona::Exchange).start().unwrap();
    let mailbox = client(&server).connect().unwrap();
    for fault in Persona::Exchange.faults(Trouble::Throttled) {
        server.add_fault(fault.times(1));
    }
    assert_eq!(mailbox.search(everything()).unwrap().len(), MESSAGES);
}

#[test]
fn a_refusal_that_passes_fails_no_message() {
    each_trouble(Trouble::Unavailable, |persona, fault| {
        let server = server(persona).start().unwrap();
        all_delivered_in_spite_of(&server, &[fault.times(6)])
    });
}

#[test]
fn an_examine_that_is_refused_at_first_is_tried_again() {
    with_each(&[Persona::Gmail], |persona| {
        let server = server(persona).start().unwrap();
        let refusal = || Fault::lines("{tag} NO System Error (Failure)").before("EXAMINE");
        server.add_fault(refusal().times(2));
        let mailbox = connect(&server)?;
        let matches = mailbox
            .search(everything())
            .map_err(|error| error.to_string())?;
        let held = held(&server);
        server.add_fault(refusal().on_connections(2..).times(2));
        all_but(&read(&matches.shard_size(5), &held)?, &[])
    });
}

#[test]
fn a_message_that_is_always_refused_costs_itself_alone() {
    each_trouble(Trouble::Poisoned, |persona, fault| {
        let server = server(persona).start().unwrap();
        let mailbox = connect(&server)?;
        let matches = mailbox
            .search(everything())
            .map_err(|error| error.to_string())?;
        let held = held(&server);
        server.add_fault(fault.uid(7));
        let report = read(&matches, &held)?;
        all_but(&report, &[7])?;
        let is_told = report.failed().iter().any(|(uid, _)| uid.get() == 7);
        match is_told {
            true => Ok(()),
            false => Err(format!("7 is not told as failed: {report}")),
        }
    });
}

#[test]
fn a_session_that_the_server_ends_is_replaced() {
    each_trouble(Trouble::SessionEnded, |persona, fault| {
        let server = server(persona).start().unwrap();
        all_delivered_in_spite_of(&server, &[fault.times(3)])
    });
}

#[test]
fn an_account_that_is_used_up_ends_the_run_and_says_so() {
    each_trouble(Trouble::UsedUp, |persona, fault| {
        let server = server(persona).start().unwrap();
        let mailbox = connect(&server)?;
        let matches = mailbox
            .search(everything())
            .map_err(|error| error.to_string())?;
        server.add_fault(fault);
        let error = matches.for_each(drop).err().ok_or("no error")?.to_string();
        let is_told = error.contains("bandwidth");
        if is_told { Ok(()) } else { Err(error) }
    });
}

#[test]
fn a_refused_password_is_refused_once_whatever_the_server_says() {
    with_each(Persona::all(), |persona| {
        let server = server(persona).start().unwrap();
        let error = client(&server)
            .login("me", "wrong")
            .connect()
            .err()
            .ok_or("no error")?;
        let logins = server
            .log()
            .iter()
            .filter(|entry| entry.line.contains("LOGIN"))
            .count();
        if *error.kind() != ErrorKind::Auth || logins != 1 {
            return Err(format!("{:?}, {logins} logins: {error}", error.kind()));
        }
        Ok(())
    });
}

#[test]
fn a_password_that_is_not_taken_or_an_account_without_imap_is_told_in_the_servers_words() {
    for trouble in [Trouble::PasswordNotTaken, Trouble::Disabled] {
        each_trouble(trouble, |persona, fault| {
            let server = server(persona).start().unwrap();
            server.add_fault(fault);
            // What may pass is waited for longer each time.
            let retry = Retry::default().attempts(3);
            let error = client(&server)
                .retry(retry)
                .connect()
                .err()
                .ok_or("no error")?;
            let logins = server.connections().accepted;
            let words = [
                "password",
                "log in via your web browser",
                "IMAP",
                "not connected",
            ];
            let text = error.to_string();
            let is_told = words.iter().any(|word| text.contains(word));
            // One login too many may lock an account; what is said after it may pass.
            let is_final = trouble != Trouble::PasswordNotTaken
                || (*error.kind() == ErrorKind::Auth && logins == 1);
            if !is_told || !is_final || logins > 3 {
                return Err(format!("{:?}, {logins} connections: {text}", error.kind()));
            }
            Ok(())
        });
    }
}

#[test]
fn with_fewer_sessions_than_workers_all_is_delivered_whatever_the_server_says_to_the_next() {
    with_each(Persona::all(), |persona| {
        let server = server(persona).max_connections(2).start().unwrap();
        let mailbox = client(&server)
            .workers(6)
            .connect()
            .map_err(|error| error.to_string())?;
        let matches = mailbox
            .search(everything())
            .map_err(|error| error.to_string())?;
        let held = held(&server);
        let report = read(&matches.shard_size(5), &held)?;
        all_but(&report, &[])?;
        let accepted = server.connections().accepted;
        if accepted > 20 {
            return Err(format!("{accepted} connections"));
        }
        Ok(())
    });
}

/// Left out, NIL, a stub, an invented message, or served all the same: it is gone, or it is what it
/// was.
#[test]
fn a_message_expunged_meanwhile_is_gone_or_what_it_was() {
    with_each(Persona::all(), |persona| {
        let server = server(persona).start().unwrap();
        let mailbox = connect(&server)?;
        let matches = mailbox
            .search(everything())
            .map_err(|error| error.to_string())?;
        let held = held(&server);
        let gone = [3, 50, 51, 52, 120];
        for uid in gone {
            server.expunge("INBOX", uid);
        }
        let report = read(&matches, &held)?;
        if !report.failed().is_empty() {
            return all_but(&report, &gone);
        }
        let missing = report.matched().difference(report.delivered());
        if missing != *report.gone() || missing.difference(&uids(gone)) != UidSet::new() {
            return Err(format!("{report}"));
        }
        Ok(())
    });
}

/// GNU imap4d, when another client opens the mailbox and sets flags.
#[test]
fn bodies_that_are_empty_since_another_client_wrote_are_not_taken_for_the_messages() {
    let server = server(Persona::Imap4d).start().unwrap();
    let mailbox = client(&server).connect().unwrap();
    let matches = mailbox.search(everything()).unwrap();
    let held = held(&server);
    let mut other = RawClient::connect(server.port());
    other.ok("LOGIN me secret");
    other.ok("SELECT INBOX");
    other.ok("UID STORE 5 +FLAGS (\\Flagged)");
    let report = read(&matches, &held).unwrap();
    all_but(&report, &[]).unwrap();
}

/// Yahoo names the newest 10,000 messages, and says so nowhere.
#[test]
fn a_search_that_names_fewer_messages_than_there_are_is_not_taken_for_all() {
    let server = server(Persona::Yahoo).search_cap(40).start().unwrap();
    let mailbox = client(&server).connect().unwrap();
    assert_eq!(mailbox.exists(), MESSAGES as u32);
    // An error would do as well, if it says why.
    let Ok(matches) = mailbox.search(Query::all()) else {
        return;
    };
    let held = held(&server);
    match read(&matches, &held) {
        Ok(report) => assert_eq!(report.delivered().len(), MESSAGES, "{report}"),
        Err(error) => assert!(
            error.contains("search") || error.contains("SEARCH"),
            "{error}"
        ),
    }
}

/// Cyrus 3.6 finds nothing at all in a set that names 4294967295.
#[test]
fn a_number_that_spoils_its_set_spoils_no_other() {
    for persona in [Persona::Cyrus, Persona::Dovecot] {
        let server = server(persona).start().unwrap();
        let mailbox = client(&server).connect().unwrap();
        let matches = mailbox.uids(uids([1, 2, u32::MAX]));
        let report = read(&matches, &held(&server)).unwrap();
        assert_eq!(report.delivered(), &uids([1, 2]), "{persona}: {report}");
        assert_eq!(report.gone(), &uids([u32::MAX]), "{persona}: {report}");
    }
}

#[test]
fn a_search_without_an_answer_line_finds_nothing_and_is_no_error() {
    let server = server(Persona::ICloud).start().unwrap();
    let mailbox = client(&server).connect().unwrap();
    assert!(
        mailbox
            .search(Query::all().subject("x"))
            .unwrap()
            .is_empty()
    );
    assert!(mailbox.search(Query::all().smaller(1)).unwrap().is_empty());
    assert_eq!(mailbox.search(Query::all()).unwrap().len(), MESSAGES);
}

/// DavMail closes when it does not understand a search.
#[test]
fn a_search_that_ends_its_session_leaves_the_mailbox_usable() {
    let server = server(Persona::DavMail).start().unwrap();
    let mailbox = client(&server).connect().unwrap();
    mailbox.search(Query::all().bcc("x")).unwrap_err();
    assert_eq!(mailbox.search(Query::all()).unwrap().len(), MESSAGES);
}

#[test]
fn a_size_that_is_no_whole_number_costs_no_message() {
    let server = Server::builder()
        .persona(Persona::MailRu)
        .message("Subject: small\r\n\r\n")
        .message(format!(
            "Subject: large\r\n\r\n{}\r\n",
            "x".repeat(1_500_000)
        ))
        .start()
        .unwrap();
    let mailbox = client(&server).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    for fetch in [Fetch::full(), Fetch::headers(), Fetch::metadata()] {
        let read = matches
            .clone()
            .fetch(fetch)
            .map(|message| message.uid().get());
        assert_eq!(read.unwrap(), [1, 2], "{fetch:?}");
    }
}

/// DavMail swallows an error that comes when the line has begun: half a line, then the next one.
#[test]
fn a_line_that_is_cut_off_costs_its_message_and_no_other() {
    let server = server(Persona::DavMail).start().unwrap();
    let mailbox = client(&server).connect().unwrap();
    let matches = mailbox.search(everything()).unwrap();
    let held = held(&server);
    server.add_fault(Fault::replace("* 7 FETCH (UID 7 FLAGS () ").uid(7));
    // On a thread of its own, since a run that hangs would hold up all the other tests.
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let _ = sender.send(read(&matches, &held));
    });
    let result = receiver.recv_timeout(Duration::from_secs(60));
    let report = result.expect("the run ends").unwrap();
    all_but(&report, &[7]).unwrap();
}

/// Exchange, Zimbra, Stalwart and Courier each take another length.
#[test]
fn a_set_that_is_too_long_for_the_server_is_asked_for_in_parts() {
    with_each(Persona::all(), |persona| {
        let server = Server::builder()
            .persona(persona)
            .messages((1..=6_000).map(|number| format!("Subject: {number}\r\n\r\n")))
            .start()
            .unwrap();
        let mailbox = connect(&server)?;
        let odd = uids((1..=6_000).step_by(2));
        let matches = mailbox
            .uids(&odd)
            .shard_size(10_000)
            .fetch(Fetch::metadata());
        let report = matches.for_each(drop).map_err(|error| error.to_string())?;
        all_but(&report, &[])
    });
}

/// What is sent behind LOGIN is lost where another process takes over: once, and then it is known.
#[test]
fn commands_that_are_lost_behind_a_login_are_lost_once() {
    with_each(&[Persona::LoginProxy, Persona::Courier], |persona| {
        let server = server(persona).start().unwrap();
        let mailbox = connect(&server)?;
        let matches = mailbox
            .search(everything())
            .map_err(|error| error.to_string())?;
        let held = held(&server);
        all_but(&read(&matches.shard_size(5), &held)?, &[])?;
        let accepted = server.connections().accepted;
        if accepted > 5 {
            return Err(format!("{accepted} connections for four workers"));
        }
        Ok(())
    });
}
