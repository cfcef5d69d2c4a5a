//! Against the in-process server behind a TLS server in this process.

#![allow(clippy::unwrap_used)]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use example_rustls::Rustls;
use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{Builder, ErrorKind, ParallelMailbox, Query, Retry};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

struct Front {
    port: u16,
    pem: String,
    resumed: Arc<AtomicUsize>,
}

/// Ends TLS before the server. Its threads end with the connections.
fn front(target: u16) -> Front {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let resumed = Arc::new(AtomicUsize::new(0));
    let counter = resumed.clone();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let session = ServerConnection::new(config.clone()).unwrap();
            let counter = counter.clone();
            thread::spawn(move || relay(StreamOwned::new(session, client), target, &counter));
        }
    });
    Front {
        port,
        pem: cert.pem(),
        resumed,
    }
}

/// One thread for both directions, as a TLS session cannot be shared: whoever has something is heard.
fn relay(
    mut client: StreamOwned<ServerConnection, TcpStream>,
    target: u16,
    resumed: &AtomicUsize,
) -> io::Result<()> {
    client.conn.complete_io(&mut client.sock)?;
    if client.conn.handshake_kind() == Some(HandshakeKind::Resumed) {
        resumed.fetch_add(1, Ordering::SeqCst);
    }
    let mut server = TcpStream::connect(("127.0.0.1", target))?;
    client
        .sock
        .set_read_timeout(Some(Duration::from_millis(1)))?;
    server.set_read_timeout(Some(Duration::from_millis(1)))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match client.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => server.write_all(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        match server.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => client.write_all(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

fn builder(server: &Server, host: &str, front: &Front, rustls: Rustls) -> Builder {
    ParallelMailbox::builder(host)
        .port(front.port)
        .login(server.user(), server.password())
        .retry(Retry::default().attempts(1))
        .connector(rustls)
}

#[test]
fn four_sessions_read_each_octet_and_the_later_ones_resume_the_first_handshake() {
    let server = Server::builder()
        .sample(Sample::small(500))
        .start()
        .unwrap();
    let front = front(server.port());
    let rustls = Rustls::with_roots(front.pem.as_bytes()).unwrap();
    let mailbox = builder(&server, "localhost", &front, rustls)
        .workers(4)
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap().shard_size(20);
    for (uid, raw) in matches
        .map(|message| (message.uid(), message.into_raw()))
        .unwrap()
    {
        assert_eq!(
            Some(raw),
            server.raw("INBOX", uid.get()).map(|raw| raw.to_vec())
        );
    }
    assert!(front.resumed.load(Ordering::SeqCst) > 0);
}

#[test]
fn the_program_trusts_the_certificates_that_it_is_told_to() {
    let server = Server::builder().sample(Sample::tiny(3)).start().unwrap();
    let front = front(server.port());
    let file = std::env::temp_dir().join(format!("example-rustls-{}.pem", front.port));
    std::fs::write(&file, &front.pem).unwrap();
    let url = format!("imaps://{}@localhost:{}/INBOX", server.user(), front.port);
    let run = |options: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_example-rustls"));
        command.arg(&url).args(options);
        for name in ["DANGER_PLAINTEXT", "IMAP_ROOT_CERTIFICATE", "SSL_CERT_FILE"] {
            command.env_remove(name);
        }
        command.env("IMAP_PASSWORD", server.password());
        command.envs(variables.iter().copied()).output().unwrap()
    };
    let path = file.to_str().unwrap();
    for output in [
        run(&["--root-certificate", path], &[]),
        run(&[], &[("IMAP_ROOT_CERTIFICATE", path)]),
        run(&[], &[("SSL_CERT_FILE", path)]),
    ] {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.starts_with("3 messages, "), "{output:?}");
    }
    assert!(!run(&[], &[]).status.success());
    std::fs::remove_file(file).unwrap();
}

#[test]
fn another_name_and_an_unknown_issuer_are_refused() {
    let server = Server::builder().sample(Sample::tiny(3)).start().unwrap();
    let front = front(server.port());
    let ours = Rustls::with_roots(front.pem.as_bytes()).unwrap();
    let stranger = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = Rustls::with_roots(stranger.cert.pem().as_bytes()).unwrap();
    for (host, rustls) in [("127.0.0.1", ours), ("localhost", other)] {
        let error = builder(&server, host, &front, rustls)
            .connect()
            .unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Connect);
        assert!(error.to_string().contains("certificate"), "{error}");
    }
}
