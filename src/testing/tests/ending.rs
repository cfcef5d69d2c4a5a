//! How a server ends: promptly, whatever its clients are doing, and leaving nothing.

use std::time::{Duration, Instant};

use super::super::{Fault, Sample, Server};
use super::client::Client;

/// Milliseconds on a machine with nothing else to do; what hangs takes an hour.
const PROMPT: Duration = Duration::from_secs(2);

fn ends_promptly(server: Server) {
    let address = server.address();
    let started = Instant::now();
    server.stop();
    assert!(started.elapsed() < PROMPT, "{:?}", started.elapsed());
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn ends_with_idle_clients_connected() {
    let server = Server::builder().start().unwrap();
    let mut clients: Vec<_> = (0..10).map(|_| Client::examining(&server)).collect();
    ends_promptly(server);
    for client in &mut clients {
        assert!(client.rest().0.is_empty());
    }
}

#[test]
fn ends_while_a_client_does_not_read() {
    let server = Server::builder()
        .message(vec![b'x'; 50_000_000])
        .start()
        .unwrap();
    let mut client = Client::examining(&server);
    client.send("a FETCH 1 BODY.PEEK[]\r\n");
    assert!(client.line().contains("{50000000}"));
    ends_promptly(server);
}

#[test]
fn ends_while_faults_hold_connections() {
    let hour = Duration::from_secs(3_600);
    for fault in [
        Fault::stall(),
        Fault::trickle(hour),
        Fault::delay(hour),
        Fault::endless("* OK x\r\n"),
    ] {
        let server = Server::builder()
            .fault(fault.before("SEARCH"))
            .start()
            .unwrap();
        let mut client = Client::examining(&server);
        client.send("a SEARCH ALL\r\n");
        while !server
            .log()
            .iter()
            .any(|entry| entry.line.contains("SEARCH"))
        {
            std::thread::yield_now();
        }
        ends_promptly(server);
    }
}

#[test]
fn ends_while_it_waits_for_latency() {
    let server = Server::builder()
        .latency(Duration::from_secs(3_600))
        .start()
        .unwrap();
    let _client = Client::connect_only(&server);
    while server.connections().open == 0 {
        std::thread::yield_now();
    }
    ends_promptly(server);
}

#[test]
fn ends_while_more_is_pipelined_than_it_takes_in() {
    let server = Server::builder()
        .fault(Fault::stall().before("CHECK"))
        .start()
        .unwrap();
    let mut client = Client::examining(&server);
    client.send("a CHECK\r\n");
    client.send("a NOOP\r\n".repeat(5_000));
    ends_promptly(server);
}

#[test]
fn disconnecting_all_leaves_the_server_up() {
    let server = Server::builder().sample(Sample::small(3)).start().unwrap();
    let mut client = Client::examining(&server);
    server.disconnect_all();
    client.rest().1.unwrap();
    server.refuse_connections(true);
    let mut refused = Client::connect_only(&server);
    assert!(refused.rest().0.is_empty());
    server.refuse_connections(false);
    Client::examining(&server).ok("FETCH 1:* BODY.PEEK[]");
    assert_eq!(server.connections().accepted, 2);
}
