//! The Dovecot fixture itself, looked at with a client that has nothing in common with the crate.
//! Each test watches for leaks, so they run one after the other.
#![cfg(unix)]
// The lints spare tests, but not the functions that only tests call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use native_tls::{TlsConnector, TlsStream};

use support::certificate::Certificate;
use support::dovecot::{Dovecot, Options, dovecot_or_skip};
use support::leaks::Leaks;
use support::maildir::expected;
use support::raw_client::{Piece, RawClient, tcp};
use support::{memory, nasty, wait};

/// Nothing the fixture does may take longer than this, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn starts_empty_and_greets() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let dovecot = options.start();
    let mut client = RawClient::connect(dovecot.plain_port());
    assert!(
        client.greeting().starts_with("* OK "),
        "{}",
        client.greeting()
    );
    log_in(&mut client, &dovecot);
    assert_eq!(examine(&mut client, "INBOX").exists, 0);
    drop((client, dovecot));
    leaks.assert_none_left();
}

#[test]
fn shows_the_messages_with_uids_from_1_and_the_uid_validity_asked_for() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let dovecot = options.messages(numbered(7)).uid_validity(99).start();
    let mut client = session(&dovecot);
    let inbox = examine(&mut client, "INBOX");
    assert_eq!(
        inbox,
        Examined {
            exists: 7,
            uid_validity: 99,
            uid_next: 8
        }
    );
    let fetched = fetch_all(&mut client);
    let uids: Vec<u32> = fetched.iter().map(|(uid, _, _)| *uid).collect();
    assert_eq!(uids, [1, 2, 3, 4, 5, 6, 7]);
    for (message, (_, _, octets)) in numbered(7).into_iter().zip(fetched) {
        assert_eq!(message, octets);
    }
    drop((client, dovecot));
    leaks.assert_none_left();
}

#[test]
fn serves_every_nasty_message_as_expected() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let nasty = nasty::all();
    let dovecot = options
        .messages(nasty.iter().map(|(_, message)| message.clone()))
        .start();
    let mut client = session(&dovecot);
    examine(&mut client, "INBOX");
    // Twice: Dovecot remembers sizes and the absence of NUL, and must say the same again.
    for _ in 0..2 {
        let fetched = fetch_all(&mut client);
        assert_eq!(fetched.len(), nasty.len());
        for ((name, message), (_, size, octets)) in nasty.iter().zip(fetched) {
            // Not assert_eq!, which would print 25 MB.
            assert!(expected(message) == octets, "{name}: not as expected");
            assert_eq!(size as usize, octets.len(), "{name}: RFC822.SIZE");
        }
    }
    drop((client, dovecot));
    leaks.assert_none_left();
}

#[test]
fn expects_what_the_rule_says() {
    // Not while another test measures memory.
    let _leaks = Leaks::watch();
    assert_eq!(expected(b"a\nb\r\nc\rd\0"), b"a\r\nb\r\nc\rd\x80");
    assert_eq!(expected(b"\n\r\n\r\r\n\n"), b"\r\n\r\n\r\r\n\r\n");
    assert_eq!(expected(b""), b"");
    let message = nasty::large(nasty::LARGE);
    assert_eq!(message.len(), nasty::LARGE);
    assert!(
        expected(&message) == message,
        "a message without NUL and bare LF stays as it is"
    );
}

#[test]
fn speaks_tls_under_its_own_root() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let dovecot = options.messages(numbered(2)).start();
    let stream = tls(&dovecot, dovecot.certificate_pem(), "localhost").expect("a handshake");
    let mut client = RawClient::over(stream);
    log_in(&mut client, &dovecot);
    assert_eq!(examine(&mut client, "INBOX").exists, 2);
    let by_address = tls(&dovecot, dovecot.certificate_pem(), "127.0.0.1");
    assert!(
        by_address.is_ok(),
        "the certificate is for the address as well"
    );
    drop((client, by_address, dovecot));
    leaks.assert_none_left();
}

#[test]
fn shows_a_certificate_that_is_expired_or_of_another_host_or_root() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let valid = options.start();
    let expired = Options::new().certificate(Certificate::Expired).start();
    let other = Options::new().certificate(Certificate::OtherHost).start();
    for dovecot in [&expired, &other] {
        tls(dovecot, dovecot.certificate_pem(), "localhost").expect_err("refused");
    }
    tls(&other, other.certificate_pem(), "elsewhere.example").expect("right for that host");
    tls(&valid, other.certificate_pem(), "localhost").expect_err("another root");
    drop((valid, expired, other));
    leaks.assert_none_left();
}

#[test]
fn offers_starttls_on_the_plain_port() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let dovecot = options.start();
    let mut client = RawClient::connect(dovecot.plain_port());
    let capabilities = client.ok("CAPABILITY");
    assert!(
        capabilities[0].line.contains(" STARTTLS"),
        "{}",
        capabilities[0].line
    );
    drop((client, dovecot));
    leaks.assert_none_left();
}

#[test]
fn refuses_a_wrong_password_without_delay() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let dovecot = options.start();
    for _ in 0..3 {
        let begin = Instant::now();
        let mut client = RawClient::connect(dovecot.plain_port());
        let answer = client.command("LOGIN reader wrong");
        let last = &answer.last().expect("a tagged line").line;
        assert!(last.contains("NO [AUTHENTICATIONFAILED]"), "{last}");
        // Dovecot's own delay would be 2 s, its penalty for an address up to 15 s.
        assert!(
            begin.elapsed() < Duration::from_secs(2),
            "took {:?}",
            begin.elapsed()
        );
    }
    drop(dovecot);
    leaks.assert_none_left();
}

#[test]
fn keeps_mailboxes_beside_inbox() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let dovecot = options
        .messages(numbered(1))
        .mailbox("Entwürfe", numbered(3))
        .mailbox("Lists/Rust", numbered(2))
        .start();
    let mut client = session(&dovecot);
    // Modified UTF-7, RFC 3501, section 5.1.3.
    let drafts = examine(&mut client, "\"Entw&APw-rfe\"");
    assert_eq!(
        drafts,
        Examined {
            exists: 3,
            uid_validity: 1_234_568,
            uid_next: 4
        }
    );
    assert_eq!(examine(&mut client, "Lists/Rust").exists, 2);
    assert_eq!(examine(&mut client, "INBOX").exists, 1);
    drop((client, dovecot));
    leaks.assert_none_left();
}

#[test]
fn keeps_the_flags_given() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let messages = numbered(4).into_iter().zip(["", "S", "F", "FS"]);
    let dovecot = options.messages_with_flags(messages).start();
    let mut client = session(&dovecot);
    examine(&mut client, "INBOX");
    assert_eq!(search(&mut client, "UNSEEN"), [1, 3]);
    assert_eq!(search(&mut client, "FLAGGED"), [3, 4]);
    drop((client, dovecot));
    leaks.assert_none_left();
}

#[test]
fn refuses_the_session_beyond_the_limit() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let dovecot = options.connections_per_user(2).start();
    let sessions = [session(&dovecot), session(&dovecot)];
    let mut third = RawClient::connect(dovecot.plain_port());
    let answer = third.command(&login_of(&dovecot));
    let last = &answer.last().expect("a tagged line").line;
    assert!(
        last.contains("NO [LIMIT] Maximum number of connections"),
        "{last}"
    );
    drop((sessions, third, dovecot));
    leaks.assert_none_left();
}

#[test]
fn loses_a_message_whose_file_is_removed() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let dovecot = options.messages(numbered(5)).start();
    let mut before = session(&dovecot);
    examine(&mut before, "INBOX");
    assert_eq!(search(&mut before, "ALL"), [1, 2, 3, 4, 5]);
    dovecot.remove_file_of(3);
    let mut after = session(&dovecot);
    examine(&mut after, "INBOX");
    assert_eq!(search(&mut after, "ALL"), [1, 2, 4, 5]);
    drop((before, after, dovecot));
    leaks.assert_none_left();
}

#[test]
fn kills_one_session_and_no_other() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let dovecot = options.messages(numbered(2)).start();
    assert_eq!(dovecot.imap_process_ids(), []);
    let mut first = session(&dovecot);
    let first_process = dovecot.imap_process_ids();
    let mut second = session(&dovecot);
    assert_eq!(first_process.len(), 1);
    assert_eq!(dovecot.imap_process_ids().len(), 2);
    assert_eq!(dovecot.imap_process_ids()[0], first_process[0]);

    dovecot.kill(first_process[0]);
    assert!(
        first.ends(),
        "the client of the session that was killed sees the end"
    );
    assert_eq!(examine(&mut second, "INBOX").exists, 2);
    assert!(wait::until(PATIENCE, || dovecot.imap_process_ids().len() == 1));
    drop((first, second, dovecot));
    leaks.assert_none_left();
}

#[test]
fn stops_without_a_trace_and_starts_again_on_the_same_ports() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let mut dovecot = options.messages(numbered(3)).start();
    let ports = (dovecot.plain_port(), dovecot.tls_port());
    let mut client = session(&dovecot);
    let before = examine(&mut client, "INBOX");
    let processes = dovecot.process_ids();
    assert!(processes.len() > 2, "{processes:?}");

    dovecot.stop();
    assert!(client.ends(), "stopping ends the sessions");
    assert_eq!(dovecot.process_ids(), []);
    assert_eq!(alive(&processes), []);
    assert!(
        TcpStream::connect(("127.0.0.1", ports.0)).is_err(),
        "nobody listens"
    );

    dovecot.start_again();
    assert_eq!((dovecot.plain_port(), dovecot.tls_port()), ports);
    let mut again = session(&dovecot);
    assert_eq!(examine(&mut again, "INBOX"), before);
    drop((client, again, dovecot));
    leaks.assert_none_left();
}

#[test]
fn changes_uid_validity_while_stopped() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let mut dovecot = options.messages(numbered(3)).uid_validity(5).start();
    assert_eq!(examine(&mut session(&dovecot), "INBOX").uid_validity, 5);
    dovecot.stop();
    dovecot.change_uid_validity(6);
    dovecot.start_again();
    let inbox = examine(&mut session(&dovecot), "INBOX");
    assert_eq!(
        inbox,
        Examined {
            exists: 3,
            uid_validity: 6,
            uid_next: 4
        }
    );
    drop(dovecot);
    leaks.assert_none_left();
}

#[test]
fn drop_leaves_neither_process_nor_file() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let dovecot = options.messages(numbered(1)).start();
    let client = session(&dovecot);
    let processes = dovecot.process_ids();
    let folder: PathBuf = dovecot.maildir();
    assert!(folder.is_dir());
    drop(dovecot);
    assert_eq!(alive(&processes), []);
    assert!(!folder.parent().expect("the fixture's folder").exists());
    drop(client);
    leaks.assert_none_left();
}

#[test]
fn runs_beside_others() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let others: Vec<_> = (2..5).map(|count| (count, Options::new())).collect();
    let mut all = vec![(1, options)];
    all.extend(others);
    thread::scope(|scope| {
        for (count, options) in all {
            scope.spawn(move || {
                let dovecot = options.messages(numbered(count)).start();
                let mut client = session(&dovecot);
                assert_eq!(examine(&mut client, "INBOX").exists as usize, count);
            });
        }
    });
    leaks.assert_none_left();
}

#[test]
fn holds_20_000_messages() {
    let Some((leaks, options)) = fixture() else {
        return;
    };
    let message = nasty::large(4_000);
    let could_reset = memory::reset_peak();
    let before = memory::peak_octets();
    let begin = Instant::now();
    let dovecot = options
        .messages(std::iter::repeat_n(message, 20_000))
        .start();
    let mut client = session(&dovecot);
    assert_eq!(examine(&mut client, "INBOX").exists, 20_000);
    eprintln!("20,000 messages of 4 KB: ready after {:?}", begin.elapsed());
    if let (true, Some(before), Some(after)) = (could_reset, before, memory::peak_octets()) {
        assert!(
            after < before + 32 * 1024 * 1024,
            "grew from {before} to {after} octets"
        );
    }
    drop((client, dovecot));
    leaks.assert_none_left();
}

#[test]
fn the_leak_watch_sees_a_thread_and_a_socket() {
    let leaks = Leaks::watch();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let (stop, wait) = mpsc::channel::<()>();
    // A thread bears its own name only once it runs.
    let (started, running) = mpsc::channel();
    let thread = thread::Builder::new().name("leaked".into());
    let thread = thread.spawn(move || {
        started.send(()).ok();
        wait.recv().ok();
    });
    let thread = thread.expect("a thread");
    running.recv().expect("it runs");
    if cfg!(target_os = "linux") {
        let seen = leaks.left();
        assert!(
            seen.iter().any(|what| what.contains("\"leaked\"")),
            "{seen:?}"
        );
        assert!(seen.iter().any(|what| what.contains("socket:")), "{seen:?}");
    }
    drop((stop, listener));
    thread.join().expect("no panic");
    leaks.assert_none_left();
}

fn fixture() -> Option<(Leaks, Options)> {
    let leaks = Leaks::watch();
    Some((leaks, dovecot_or_skip()?))
}

fn numbered(count: usize) -> Vec<Vec<u8>> {
    let message = |number| format!("Subject: {number}\r\n\r\nMessage {number}\r\n").into_bytes();
    (1..=count).map(message).collect()
}

fn login_of(dovecot: &Dovecot) -> String {
    format!("LOGIN {} {}", dovecot.user(), dovecot.password())
}

fn log_in<S: Read + Write>(client: &mut RawClient<S>, dovecot: &Dovecot) {
    client.ok(&login_of(dovecot));
}

fn session(dovecot: &Dovecot) -> RawClient<TcpStream> {
    let mut client = RawClient::connect(dovecot.plain_port());
    log_in(&mut client, dovecot);
    client
}

fn tls(
    dovecot: &Dovecot,
    root: &[u8],
    host: &str,
) -> Result<TlsStream<TcpStream>, native_tls::HandshakeError<TcpStream>> {
    let root = native_tls::Certificate::from_pem(root).expect("a certificate");
    let connector = TlsConnector::builder()
        .add_root_certificate(root)
        .build()
        .expect("TLS");
    connector.connect(host, tcp(dovecot.tls_port()))
}

#[derive(Debug, PartialEq, Eq)]
struct Examined {
    exists: u32,
    uid_validity: u32,
    uid_next: u32,
}

fn examine<S: Read + Write>(client: &mut RawClient<S>, mailbox: &str) -> Examined {
    let answer = client.ok(&format!("EXAMINE {mailbox}"));
    let number = |word| {
        answer
            .iter()
            .find_map(|piece: &Piece| piece.number_after(word))
    };
    let exists = answer.iter().find_map(|piece| {
        piece
            .line
            .strip_prefix("* ")?
            .strip_suffix(" EXISTS")?
            .parse()
            .ok()
    });
    Examined {
        exists: exists.expect("EXISTS"),
        uid_validity: number("UIDVALIDITY").expect("UIDVALIDITY"),
        uid_next: number("UIDNEXT").expect("UIDNEXT"),
    }
}

fn search(client: &mut RawClient<TcpStream>, program: &str) -> Vec<u32> {
    let answer = client.ok(&format!("UID SEARCH {program}"));
    let line = answer
        .iter()
        .find_map(|piece| piece.line.strip_prefix("* SEARCH"));
    let uids = line.expect("a SEARCH answer").split_whitespace();
    uids.map(|uid| uid.parse().expect("a UID")).collect()
}

/// UID, RFC822.SIZE and octets of all messages of the mailbox.
fn fetch_all(client: &mut RawClient<TcpStream>) -> Vec<(u32, u32, Vec<u8>)> {
    let answer = client.ok("UID FETCH 1:* (UID RFC822.SIZE BODY.PEEK[])");
    answer
        .into_iter()
        .filter_map(|piece| {
            let uid = piece.number_after("UID")?;
            let size = piece.number_after("RFC822.SIZE")?;
            Some((uid, size, piece.literal?))
        })
        .collect()
}

/// Those that still run. One that ended may stay listed until its parent takes notice.
fn alive(processes: &[u32]) -> Vec<u32> {
    let runs = |process: &&u32| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| !rest.starts_with(" Z"))
    };
    processes.iter().filter(runs).copied().collect()
}
