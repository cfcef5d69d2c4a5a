//! Each fault, as a client meets it.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::super::{Fault, Server, ServerBuilder};
use super::client::Client;

fn messages() -> ServerBuilder {
    Server::builder().messages(["A: one\r\n\r\n", "A: two\r\n\r\n", "A: three\r\n\r\n"])
}

fn with(fault: Fault) -> Server {
    messages().fault(fault).start().unwrap()
}

#[test]
fn closes_after_an_exact_octet_inside_a_literal() {
    let server = with(Fault::close().after_octets(1_000));
    let mut client = Client::connect_only(&server);
    client.send("a LOGIN me secret\r\nb EXAMINE INBOX\r\n");
    for _ in 0..20 {
        client.send("c FETCH 1:* BODY.PEEK[]\r\n");
    }
    let (octets, end) = client.rest();
    end.unwrap();
    assert_eq!(octets.len(), 1_000);
}

#[test]
fn resets_only_the_connection_that_is_meant() {
    let server = with(Fault::reset().before("SEARCH").on_connection(2));
    let mut first = Client::examining(&server);
    let mut second = Client::examining(&server);
    first.ok("SEARCH ALL");
    second.send("a SEARCH ALL\r\n");
    assert_eq!(
        second.rest().1.unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
}

#[test]
fn says_bye_at_a_message_after_those_before_it() {
    let server = with(Fault::bye("shutting down").uid(2));
    let mut client = Client::examining(&server);
    client.send("a UID FETCH 1:3 UID\r\nb NOOP\r\n");
    let (rest, end) = client.rest();
    end.unwrap();
    assert_eq!(rest, b"* 1 FETCH (UID 1)\r\n* BYE shutting down\r\n");
}

#[test]
fn greets_with_bye_or_preauth() {
    let server = with(Fault::bye("busy").times(1));
    assert_eq!(
        Client::connect_only(&server)
            .rest()
            .0
            .split(|o| *o == b'\n')
            .count(),
        2
    );
    let server = with(Fault::preauth());
    let mut client = Client::connect_only(&server);
    assert!(client.line().starts_with("* PREAUTH"));
    client.ok("EXAMINE INBOX");
}

#[test]
fn stalls_a_limited_number_of_times() {
    let server = with(Fault::stall().uid(2).times(1));
    let mut client = Client::examining(&server);
    client
        .stream
        .get_mut()
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    client.send("a UID FETCH 1:3 UID\r\n");
    let (rest, end) = client.rest();
    assert_eq!(rest, b"* 1 FETCH (UID 1)\r\n");
    assert!(matches!(
        end.unwrap_err().kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut
    ));
    assert_eq!(
        Client::examining(&server)
            .ok("UID FETCH 1:3 UID")
            .lines()
            .count(),
        4
    );
}

#[test]
fn trickles_one_octet_per_interval() {
    let server = with(Fault::trickle(Duration::from_millis(10)).before("NOOP"));
    let mut client = Client::examining(&server);
    let started = Instant::now();
    assert_eq!(client.ok("NOOP"), "t OK Done\r\n");
    assert!(started.elapsed() >= Duration::from_millis(110));
}

#[test]
fn answers_in_place_of_a_command() {
    let server = with(Fault::no("UNAVAILABLE", "later").before("EXAMINE").times(1));
    let mut client = Client::connect(&server);
    client.ok("LOGIN me secret");
    assert_eq!(
        client.command("EXAMINE INBOX"),
        "t NO [UNAVAILABLE] later\r\n"
    );
    client.ok("EXAMINE INBOX");
    server.add_fault(Fault::bad("too long").before("FETCH").uid(2));
    assert_eq!(client.command("UID FETCH 1:3 UID"), "t BAD too long\r\n");
    client.ok("UID FETCH 1,3 UID");
    assert_eq!(client.command("FETCH 2 UID"), "t BAD too long\r\n");
    server.clear_faults();
    server.add_fault(Fault::ok("THROTTLED", "slow").before("FETCH"));
    assert_eq!(
        client.ok("UID FETCH 1 UID"),
        "* 1 FETCH (UID 1)\r\nt OK [THROTTLED] slow\r\n"
    );
}

#[test]
fn answers_no_for_one_message_with_the_bodies_of_the_others() {
    let server = with(Fault::no("", "some are gone").uid(2));
    let answer = Client::examining(&server).command("UID FETCH 1:3 UID");
    assert_eq!(
        answer,
        "* 1 FETCH (UID 1)\r\n* 3 FETCH (UID 3)\r\nt NO some are gone\r\n"
    );
}

#[test]
fn distorts_the_answer_for_a_message() {
    for (fault, expected) in [
        (Fault::withhold(), ""),
        (
            Fault::nil(),
            "* 2 FETCH (UID 2 RFC822.SIZE 10 BODY[TEXT] NIL)\r\n",
        ),
        (Fault::replace("* 2 FETCH (((\r\n"), "* 2 FETCH (((\r\n"),
        (
            Fault::inject("* 9 EXISTS\r\n"),
            "* 9 EXISTS\r\n* 2 FETCH (UID 2 RFC822.SIZE 10 BODY[TEXT] {0}\r\n)\r\n",
        ),
        (
            Fault::oversize(4),
            "* 2 FETCH (UID 2 RFC822.SIZE 10 BODY[TEXT] {4}\r\nxxxx)\r\n",
        ),
        (
            Fault::wrong_size(7),
            "* 2 FETCH (UID 2 RFC822.SIZE 7 BODY[TEXT] {0}\r\n)\r\n",
        ),
        (
            Fault::duplicate(),
            "* 2 FETCH (UID 2 RFC822.SIZE 10 BODY[TEXT] {0}\r\n)\r\n* 2 FETCH (UID 2 RFC822.SIZE 10 BODY[TEXT] {0}\r\n)\r\n",
        ),
    ] {
        let server = with(fault.uid(2));
        let answer = Client::examining(&server).ok("UID FETCH 2 (RFC822.SIZE BODY.PEEK[TEXT])");
        assert_eq!(answer, format!("{expected}t OK Done\r\n"));
    }
}

#[test]
fn answers_in_descending_order() {
    let server = with(Fault::reversed());
    let answer = Client::examining(&server).ok("UID FETCH 1:3 UID");
    assert_eq!(
        answer,
        "* 3 FETCH (UID 3)\r\n* 2 FETCH (UID 2)\r\n* 1 FETCH (UID 1)\r\nt OK Done\r\n"
    );
}

#[test]
fn announces_more_than_anybody_wants() {
    let server = with(Fault::oversize(5_000_000_000).uid(1));
    let mut client = Client::examining(&server);
    client.send("a UID FETCH 1 BODY.PEEK[]\r\n");
    assert_eq!(client.line(), "* 1 FETCH (UID 1 BODY[] {5000000000}\r\n");
    assert_eq!(client.line(), "A: one\r\n");
}

#[test]
fn drops_what_is_pipelined_and_answers_what_waits() {
    let server = messages()
        .latency(Duration::from_millis(20))
        .fault(Fault::drop_pipelined().before("FETCH"))
        .start()
        .unwrap();
    let mut client = Client::examining(&server);
    client.send("a FETCH 1 UID\r\nb FETCH 2 UID\r\n");
    client.answer("a").unwrap();
    client.send("c FETCH 3 UID\r\n");
    assert_eq!(
        client.answer("c").unwrap(),
        "* 3 FETCH (UID 3)\r\nc OK Done\r\n"
    );
}

#[test]
fn drops_the_connection_right_after_a_login() {
    let server = messages()
        .fault(Fault::close().on_login(2))
        .start()
        .unwrap();
    Client::examining(&server);
    let mut second = Client::connect(&server);
    second.ok("LOGIN me secret");
    assert!(second.rest().0.is_empty());
    Client::examining(&server);
}
