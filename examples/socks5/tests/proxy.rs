//! Against a proxy in this process, which notes what it is asked for.

#![allow(clippy::unwrap_used)]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use example_socks5::Socks5;
use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{Builder, ErrorKind, ParallelMailbox, Query, Retry, Security, Timeouts};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Open,
    WantsLogin,
    Refuses,
    Silent,
}

struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Leads to `target`, whatever host it is asked for. Its threads end with the connections.
fn proxy(target: u16, mood: Mood) -> Proxy {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let seen = seen.clone();
            thread::spawn(move || serve(client, target, mood, &seen));
        }
    });
    Proxy { port, asked }
}

fn serve(
    mut client: TcpStream,
    target: u16,
    mood: Mood,
    seen: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut head = [0; 3];
    client.read_exact(&mut head)?;
    match mood {
        Mood::Silent => {
            client.read_exact(&mut [0])?;
        }
        Mood::WantsLogin => {
            client.write_all(&[5, if head[2] == 2 { 2 } else { 0xff }])?;
            client.read_exact(&mut [0])?;
            let user = short(&mut client)?;
            let password = short(&mut client)?;
            let is_right = user == "me" && password == "proxy secret";
            client.write_all(&[1, u8::from(!is_right)])?;
        }
        Mood::Open | Mood::Refuses => client.write_all(&[5, 0])?,
    }
    client.read_exact(&mut [0; 4])?;
    let host = short(&mut client)?;
    let mut port = [0; 2];
    client.read_exact(&mut port)?;
    let asked = format!("{host}:{}", u16::from_be_bytes(port));
    seen.lock().unwrap().push(asked);
    let reply = if mood == Mood::Refuses { 2 } else { 0 };
    client.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let server = TcpStream::connect(("127.0.0.1", target))?;
    let (mut up, mut down) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut up, &mut &server);
        server.shutdown(Shutdown::Write)
    });
    io::copy(&mut down, &mut client)?;
    client.shutdown(Shutdown::Write)
}

fn short(stream: &mut TcpStream) -> io::Result<String> {
    let mut length = [0];
    stream.read_exact(&mut length)?;
    let mut text = vec![0; length[0].into()];
    stream.read_exact(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn builder(server: &Server, socks: Socks5) -> Builder {
    ParallelMailbox::builder("mail.example.org")
        .port(143)
        .security(Security::DangerPlaintext)
        .login(server.user(), server.password())
        .retry(Retry::default().attempts(1))
        .connector(socks)
}

fn server() -> Server {
    Server::builder().sample(Sample::tiny(200)).start().unwrap()
}

fn at(proxy: &Proxy) -> Socks5 {
    Socks5::new(format!("127.0.0.1:{}", proxy.port))
}

#[test]
fn all_sessions_go_through_the_proxy_which_looks_the_host_up() {
    let server = server();
    let proxy = proxy(server.port(), Mood::Open);
    let mailbox = builder(&server, at(&proxy)).workers(4).connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap().shard_size(10);
    let octets = matches
        .map(|message| (message.uid(), message.into_raw()))
        .unwrap();
    for (uid, raw) in octets {
        assert_eq!(
            Some(raw),
            server.raw("INBOX", uid.get()).map(|raw| raw.to_vec())
        );
    }
    let asked = proxy.asked.lock().unwrap();
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(|target| target == "mail.example.org:143"));
}

#[test]
fn a_proxy_that_wants_to_know_who_it_is_gets_user_and_password() {
    let server = server();
    let proxy = proxy(server.port(), Mood::WantsLogin);
    let right = at(&proxy).login("me", "proxy secret");
    assert_eq!(builder(&server, right).connect().unwrap().exists(), 200);
    for (socks, why) in [
        (at(&proxy).login("me", "wrong"), "user or password"),
        (at(&proxy), "another way to sign in"),
    ] {
        let error = builder(&server, socks).connect().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Connect);
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn what_the_proxy_says_is_in_the_error() {
    let server = server();
    let refusing = proxy(server.port(), Mood::Refuses);
    let error = builder(&server, at(&refusing)).connect().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Connect);
    assert!(error.to_string().contains("rules do not allow"), "{error}");
    let silent = proxy(server.port(), Mood::Silent);
    let error = builder(&server, at(&silent))
        .timeouts(Timeouts::default().connect(Duration::from_millis(300)))
        .connect()
        .unwrap_err();
    assert!(error.to_string().contains("does not answer"), "{error}");
    let nobody = Socks5::new("127.0.0.1:1");
    let error = builder(&server, nobody).connect().unwrap_err();
    assert!(error.to_string().contains("the proxy"), "{error}");
}
