//! Commands and their answers.

use std::time::{Duration, Instant};

use super::super::{Server, TestMessage};
use super::client::Client;

fn three_messages() -> Server {
    Server::builder()
        .message(TestMessage::new("Subject: one\r\n\r\nfirst").uid(10))
        .message(
            TestMessage::new("Subject: two\r\n\r\nsecond")
                .uid(20)
                .flag("\\Seen"),
        )
        .message(TestMessage::new("").uid(30))
        .start()
        .unwrap()
}

#[test]
fn refuses_a_wrong_password_with_its_code() {
    let server = three_messages();
    let mut client = Client::connect(&server);
    assert!(
        client
            .command("LOGIN me wrong")
            .starts_with("t NO [AUTHENTICATIONFAILED]")
    );
    assert!(client.command("EXAMINE INBOX").starts_with("t BAD"));
}

#[test]
fn takes_plain_with_and_without_an_initial_response() {
    let server = three_messages();
    let mut client = Client::connect(&server);
    client.ok("AUTHENTICATE PLAIN AG1lAHNlY3JldA==");
    let mut client = Client::connect(&server);
    client.send("a AUTHENTICATE PLAIN\r\n");
    assert_eq!(client.line(), "+ \r\n");
    client.send("AG1lAHNlY3JldA==\r\n");
    assert!(client.line().starts_with("a OK"));
    assert!(
        server
            .log()
            .iter()
            .all(|entry| !entry.line.contains("AG1l"))
    );
}

#[test]
fn takes_literals_of_both_kinds() {
    let server = three_messages();
    let mut client = Client::connect(&server);
    client.send("a LOGIN {2}\r\n");
    assert!(client.line().starts_with("+ "));
    client.send("me {6}\r\n");
    assert!(client.line().starts_with("+ "));
    client.send("secret\r\n");
    assert!(client.line().starts_with("a OK"));
    client.send("b EXAMINE {5+}\r\nINBOX\r\n");
    assert!(client.answer("b").unwrap().contains("b OK [READ-ONLY]"));
}

#[test]
fn a_literal_of_an_unknown_command_is_not_taken_for_a_command() {
    let server = three_messages();
    let mut client = Client::connect(&server);
    client.send("a FROBNICATE {11+}\r\nb CAPABILITY\r\nc NOOP\r\n");
    assert!(client.line().starts_with("a BAD"));
    assert!(client.line().starts_with("c OK"));
}

#[test]
fn examine_tells_the_numbers_of_the_mailbox() {
    let server = three_messages();
    let mut client = Client::connect(&server);
    client.ok("LOGIN me secret");
    let answer = client.ok("EXAMINE INBOX");
    for line in [
        "* 3 EXISTS",
        "* 0 RECENT",
        "[UIDVALIDITY 1]",
        "[UIDNEXT 31]",
        "[READ-ONLY]",
    ] {
        assert!(answer.contains(line), "{line} in {answer}");
    }
    assert!(client.ok("SELECT inbox").contains("[READ-WRITE]"));
    assert!(
        client
            .command("EXAMINE nowhere")
            .starts_with("t NO [NONEXISTENT]")
    );
}

#[test]
fn fetches_exact_octets_whatever_they_are() {
    let odd = b"A: \x00\x80\r\n\nbare\nlf\r{5}\r\n)".as_slice();
    let server = Server::builder().message(odd).message(b"").start().unwrap();
    let mut client = Client::examining(&server);
    client.send("a UID FETCH 1:* (RFC822.SIZE BODY.PEEK[])\r\n");
    let expected = [
        format!(
            "* 1 FETCH (UID 1 RFC822.SIZE {0} BODY[] {{{0}}}\r\n",
            odd.len()
        )
        .into_bytes(),
        odd.to_vec(),
        b")\r\n* 2 FETCH (UID 2 RFC822.SIZE 0 BODY[] {0}\r\n)\r\na OK Done\r\n".to_vec(),
    ]
    .concat();
    client.send("b LOGOUT\r\n");
    let (rest, end) = client.rest();
    end.unwrap();
    assert_eq!(&rest[..expected.len()], expected);
}

#[test]
fn fetches_sections_and_ranges_of_octets() {
    let server = three_messages();
    let mut client = Client::examining(&server);
    for (items, expected) in [
        (
            "BODY.PEEK[HEADER]",
            "* 1 FETCH (BODY[HEADER] {16}\r\nSubject: one\r\n\r\n)",
        ),
        ("BODY.PEEK[TEXT]", "* 1 FETCH (BODY[TEXT] {5}\r\nfirst)"),
        ("BODY.PEEK[]<9.3>", "* 1 FETCH (BODY[]<9> {3}\r\none)"),
        (
            "RFC822.HEADER",
            "* 1 FETCH (RFC822.HEADER {16}\r\nSubject: one\r\n\r\n)",
        ),
        (
            "(BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[TEXT]<0.1>)",
            "* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {16}\r\nSubject: one\r\n\r\n \
             BODY[TEXT]<0> {1}\r\nf)",
        ),
        (
            "FAST",
            "* 1 FETCH (FLAGS () INTERNALDATE \"01-Jan-2026 00:00:00 +0000\" RFC822.SIZE 21)",
        ),
    ] {
        let answer = client.ok(&format!("FETCH 1 {items}"));
        assert!(answer.starts_with(expected), "{answer}");
    }
    assert!(client.command("FETCH 1 ENVELOPE").starts_with("t BAD"));
}

#[test]
fn only_a_body_without_peek_in_a_selected_mailbox_is_marked_as_seen() {
    let server = three_messages();
    let mut client = Client::examining(&server);
    client.ok("UID FETCH 10 BODY[]");
    client.ok("SELECT INBOX");
    client.ok("UID FETCH 10 BODY.PEEK[]");
    assert_eq!(server.flags("INBOX", 10).unwrap(), Vec::<String>::new());
    assert!(client.ok("UID FETCH 10 BODY[]").contains("FLAGS (\\Seen)"));
    assert_eq!(server.flags("INBOX", 10).unwrap(), ["\\Seen"]);
}

#[test]
fn stores_flags_and_expunges() {
    let server = three_messages();
    let mut client = Client::connect(&server);
    client.ok("LOGIN me secret");
    client.ok("SELECT INBOX");
    let answer = client.ok("UID STORE 10,30 +FLAGS (\\Deleted work)");
    assert!(
        answer.contains("* 3 FETCH (UID 30 FLAGS (\\Deleted work))"),
        "{answer}"
    );
    let answer = client.ok("EXPUNGE");
    assert!(
        answer.starts_with("* 3 EXPUNGE\r\n* 1 EXPUNGE\r\n"),
        "{answer}"
    );
    assert!(client.ok("UID SEARCH ALL").starts_with("* SEARCH 20\r\n"));
    client.ok("EXAMINE INBOX");
    assert!(client.command("STORE 1 FLAGS ()").starts_with("t NO"));
}

#[test]
fn appends_a_message() {
    let server = three_messages();
    let mut client = Client::connect(&server);
    client.ok("LOGIN me secret");
    client.send("a APPEND INBOX (\\Flagged) \"17-Jul-1996 02:44:25 -0700\" {4+}\r\nA: b\r\n");
    assert!(client.line().starts_with("a OK [APPENDUID 1 31]"));
    client.ok("EXAMINE INBOX");
    let answer = client.ok("UID FETCH 31 (FLAGS INTERNALDATE BODY.PEEK[])");
    assert!(answer.contains("FLAGS (\\Flagged) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\""));
}

#[test]
fn an_expunged_message_is_left_out_without_a_word() {
    let server = three_messages();
    let mut client = Client::examining(&server);
    assert!(server.expunge("INBOX", 20));
    let answer = client.ok("FETCH 1:3 UID");
    assert_eq!(
        answer,
        "* 1 FETCH (UID 10)\r\n* 3 FETCH (UID 30)\r\nt OK Done\r\n"
    );
    assert!(client.ok("NOOP").starts_with("* 2 EXPUNGE\r\n"));
    assert_eq!(server.append("INBOX", "new"), 31);
    assert!(
        client
            .ok("UID SEARCH ALL")
            .contains("* SEARCH 10 30 31\r\n")
    );
    assert_eq!(server.append("INBOX", "newer"), 32);
    assert!(client.ok("NOOP").starts_with("* 4 EXISTS\r\n"));
}

#[test]
fn a_deleted_mailbox_and_a_new_uid_validity_are_seen_at_once() {
    let server = three_messages();
    let mut client = Client::examining(&server);
    server.set_uid_validity("INBOX", 77);
    assert!(client.ok("EXAMINE INBOX").contains("[UIDVALIDITY 77]"));
    assert!(server.delete_mailbox("INBOX"));
    assert!(
        client
            .command("UID FETCH 10 UID")
            .starts_with("t NO [NONEXISTENT]")
    );
}

#[test]
fn names_of_mailboxes_travel_in_modified_utf_7() {
    let server = Server::builder()
        .mailbox("Entwürfe", ["a"])
        .start()
        .unwrap();
    let mut client = Client::connect(&server);
    client.ok("LOGIN me secret");
    assert!(
        client
            .ok("LIST \"\" *")
            .contains("* LIST () \"/\" Entw&APw-rfe\r\n")
    );
    assert!(client.ok("EXAMINE Entw&APw-rfe").contains("* 1 EXISTS"));
    let answer = client.ok("STATUS Entw&APw-rfe (MESSAGES UIDNEXT UNSEEN)");
    assert!(
        answer.contains("(MESSAGES 1 UIDNEXT 2 UNSEEN 1)"),
        "{answer}"
    );
}

#[test]
fn searches_in_utf_8_and_refuses_other_charsets() {
    let server = Server::builder()
        .messages([
            "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n",
            "Subject: x\r\n\r\n",
        ])
        .start()
        .unwrap();
    let mut client = Client::examining(&server);
    client.send("a UID SEARCH CHARSET UTF-8 SUBJECT {7+}\r\nGRÜßE\r\n");
    assert!(client.answer("a").unwrap().starts_with("* SEARCH 1\r\n"));
    assert!(
        client
            .command("SEARCH CHARSET KOI8-R ALL")
            .starts_with("t NO [BADCHARSET")
    );
}

#[test]
fn a_line_beyond_the_limit_is_bad_and_the_next_one_is_not() {
    let server = Server::builder().max_line(100).start().unwrap();
    let mut client = Client::connect(&server);
    assert!(client.command(&"x".repeat(5_000)).starts_with("t BAD"));
    client.ok("NOOP");
}

#[test]
fn refuses_more_sessions_than_allowed_until_one_ends() {
    let server = Server::builder()
        .max_connections(1)
        .limit_text("Enough")
        .start()
        .unwrap();
    let mut first = Client::examining(&server);
    let mut second = Client::connect(&server);
    assert_eq!(second.command("LOGIN me secret"), "t NO [LIMIT] Enough\r\n");
    first.ok("LOGOUT");
    first.rest().1.unwrap();
    drop(first);
    while server.connections().open > 1 {
        std::thread::yield_now();
    }
    second.ok("LOGIN me secret");
    assert_eq!(server.connections().peak, 2);
}

#[test]
fn pipelined_commands_cost_one_latency_and_dependent_ones_one_each() {
    let latency = Duration::from_millis(40);
    let server = Server::builder().latency(latency).start().unwrap();
    let started = Instant::now();
    let mut client = Client::connect(&server);
    assert!(started.elapsed() >= latency);
    let started = Instant::now();
    client.send("a NOOP\r\n".repeat(19) + "b NOOP\r\n");
    client.answer("b").unwrap();
    let pipelined = started.elapsed();
    assert!(
        pipelined >= latency && pipelined < 10 * latency,
        "{pipelined:?}"
    );
    let started = Instant::now();
    client.ok("NOOP");
    client.ok("NOOP");
    assert!(started.elapsed() >= 2 * latency);
}

#[test]
fn a_limited_bandwidth_takes_its_time() {
    let server = Server::builder()
        .message(vec![b'x'; 100_000])
        .bandwidth(500_000)
        .start()
        .unwrap();
    let mut client = Client::examining(&server);
    let started = Instant::now();
    client.ok("FETCH 1 BODY.PEEK[]");
    assert!(
        started.elapsed() >= Duration::from_millis(160),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_limited_bandwidth_of_all_is_shared_by_all() {
    let server = Server::builder()
        .message(vec![b'x'; 50_000])
        .total_bandwidth(500_000)
        .start()
        .unwrap();
    let mut clients = [Client::examining(&server), Client::examining(&server)];
    let started = Instant::now();
    for client in &mut clients {
        client.send("t FETCH 1 BODY.PEEK[]\r\n");
    }
    for client in &mut clients {
        client.answer("t").unwrap();
    }
    assert!(
        started.elapsed() >= Duration::from_millis(160),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn takes_an_access_token_until_another_is_set() {
    let server = Server::builder().token("abc").start().unwrap();
    let token = "AUTHENTICATE XOAUTH2 dXNlcj1tZQFhdXRoPUJlYXJlciBhYmMBAQ==";
    Client::connect(&server).ok(token);
    server.set_token("def");
    let mut client = Client::connect(&server);
    client.send(format!("t {token}\r\n"));
    // The reason comes first and is to be acknowledged.
    assert!(client.line().starts_with("+ ey"));
    client.send("\r\n");
    let answer = client.answer("t").unwrap();
    assert!(
        answer.starts_with("t NO [AUTHENTICATIONFAILED]"),
        "{answer}"
    );
    client.ok("LOGIN me secret");
}

#[test]
fn idle_ends_with_done() {
    let server = three_messages();
    let mut client = Client::examining(&server);
    client.send("a IDLE\r\n");
    assert!(client.line().starts_with("+ "));
    server.append("INBOX", "new");
    client.send("DONE\r\n");
    assert_eq!(client.answer("a").unwrap(), "* 4 EXISTS\r\na OK Done\r\n");
}

#[test]
fn a_million_messages_are_searched_and_fetched_at_once() {
    let message = TestMessage::new("Subject: tiny\r\n\r\n");
    let server = Server::builder()
        .messages(std::iter::repeat_n(message, 1_000_000))
        .start()
        .unwrap();
    let mut client = Client::examining(&server);
    assert!(client.ok("UID SEARCH ALL").len() > 6_000_000);
    let answer = client.ok("UID FETCH 999999:* (BODY.PEEK[])");
    assert_eq!(answer.matches("FETCH").count(), 2);
}

#[test]
fn serves_many_connections_at_a_time() {
    let server = three_messages();
    let mut clients: Vec<_> = (0..80).map(|_| Client::examining(&server)).collect();
    for client in &mut clients {
        client.ok("UID FETCH 1:* BODY.PEEK[]");
    }
    assert_eq!(server.connections().open, 80);
}
