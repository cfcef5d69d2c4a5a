//! Servers that want to see a certificate of the client.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use parallel_mailbox::testing::Server;
use parallel_mailbox::{Builder, ErrorKind, ParallelMailbox, Query, Retry, Security};

use crate::scripted::{SECRET, Scripted, USER, assert_says};
use crate::support::certificate::{Authority, for_clients};
use crate::support::dovecot::{Dovecot, dovecot_or_skip};
use crate::support::leaks::Leaks;

fn builder(dovecot: &Dovecot, security: Security) -> Builder {
    ParallelMailbox::builder("localhost")
        .port(match security {
            Security::Tls => dovecot.tls_port(),
            _ => dovecot.plain_port(),
        })
        .security(security)
        .root_certificate(dovecot.certificate_pem())
        .login(dovecot.user(), dovecot.password())
        .workers(3)
        .retry(Retry::default().attempts(1))
}

#[test]
fn a_client_certificate_is_shown_to_a_server_that_asks_for_it() {
    let leaks = Leaks::watch();
    let Some(options) = dovecot_or_skip() else {
        return;
    };
    let root = Authority::new();
    let between = root.intermediate();
    let dovecot = options
        .messages((0..50).map(|number| format!("Subject: {number}\r\n\r\nx\r\n").into_bytes()))
        .client_root(&root.pem)
        .start();
    let direct = root.sign(&["ann"], for_clients);
    let mut chained = between.sign(&["ann"], for_clients);
    chained.pem += &between.pem;
    let stranger = Authority::new().sign(&["ann"], for_clients);
    for security in [Security::Tls, Security::StartTls] {
        for good in [&direct, &chained] {
            let mailbox = builder(&dovecot, security)
                .client_certificate(good.pem.as_bytes(), good.key.as_bytes())
                .connect()
                .unwrap();
            let matches = mailbox.search(Query::all()).unwrap();
            assert_eq!(matches.for_each(drop).unwrap().delivered().len(), 50);
        }
        // Dovecot lets the handshake pass and refuses the login.
        let none = builder(&dovecot, security).connect().unwrap_err();
        let other = builder(&dovecot, security)
            .client_certificate(stranger.pem.as_bytes(), stranger.key.as_bytes())
            .connect()
            .unwrap_err();
        for error in [none, other] {
            assert_says(&error, &ErrorKind::Auth, &["localhost", "certificate"]);
        }
    }
    drop(dovecot);
    leaks.assert_none_left();
}

/// OpenSSL's own server, which ends the handshake where Dovecot would not. It is no server of IMAP.
struct Strict {
    child: Child,
    port: u16,
    root: String,
    reading: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Strict {
    fn start(client_root: &str, version: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let signed = authority.sign(&["localhost"], |_| {});
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let started = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", version])
            .args(["-Verify", "3", "-verify_return_error", "-CAfile"])
            .arg(write("client-root.pem", client_root))
            .arg("-cert")
            .arg(write("certificate.pem", &signed.pem))
            .arg("-key")
            .arg(write("key.pem", &signed.key))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = started else {
            // Not eprintln!: the harness keeps that to itself when a test passes.
            writeln!(io::stderr(), "SKIPPED: there is no openssl to run").ok();
            return None;
        };
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "it did not start");
            if let Some(place) = line.strip_prefix("ACCEPT ") {
                break place.trim().rsplit(':').next().unwrap().parse().unwrap();
            }
        };
        // Reads on, or the server would wait for room in the pipe. Ends with the server.
        let reading = thread::spawn(move || {
            said.read_to_end(&mut Vec::new()).unwrap();
        });
        Some(Self {
            child,
            port,
            root: authority.pem,
            reading: Some(reading),
            _folder: folder,
        })
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        self.reading.take().map(JoinHandle::join);
    }
}

#[test]
fn a_server_that_ends_the_handshake_over_a_client_certificate_is_told_with_the_setting() {
    let leaks = Leaks::watch();
    let root = Authority::new();
    let stranger = Authority::new().sign(&["ann"], for_clients);
    // TLS 1.3 tells it after the handshake, and the older one within it.
    for version in ["-tls1_3", "-tls1_2"] {
        let Some(server) = Strict::start(&root.pem, version) else {
            return;
        };
        let builder = ParallelMailbox::builder("localhost")
            .port(server.port)
            .root_certificate(server.root.as_bytes())
            .login(USER, SECRET);
        let words = ["localhost", "client certificate", "client_certificate"];
        let error = builder.clone().connect().unwrap_err();
        assert_says(&error, &ErrorKind::Tls, &words);
        assert_eq!(error.attempts(), 1);
        let error = builder
            .client_certificate(stranger.pem.as_bytes(), stranger.key.as_bytes())
            .connect()
            .unwrap_err();
        assert_says(&error, &ErrorKind::Tls, &words);
        assert_eq!(error.attempts(), 1);
    }
    leaks.assert_none_left();
}

/// The server's verdict comes only with the answer to CAPABILITY, as a broken connection. The text
/// has to say what it was.
#[test]
fn a_client_certificate_refused_after_starttls_is_told_with_the_setting() {
    let leaks = Leaks::watch();
    {
        let root = Authority::new();
        let Some(strict) = Strict::start(&root.pem, "-tls1_3") else {
            return;
        };
        let port = strict.port;
        let server = Scripted::start(move |mut line| {
            let inner = TcpStream::connect(("127.0.0.1", port))?;
            line.until_start_tls("* OK ready\r\n")?;
            line.say("s1 OK begin\r\n")?;
            thread::scope(|scope| {
                let up = scope.spawn(|| {
                    io::copy(&mut &line.stream, &mut &inner).ok();
                    inner.shutdown(Shutdown::Both).ok();
                });
                io::copy(&mut &inner, &mut &line.stream).ok();
                line.stream.shutdown(Shutdown::Both).ok();
                up.join().unwrap();
            });
            Ok(())
        });
        let error = server
            .builder(Security::StartTls)
            .root_certificate(strict.root.as_bytes())
            .connect()
            .unwrap_err();
        let words = ["localhost", "client certificate", "client_certificate"];
        assert_says(&error, &ErrorKind::Tls, &words);
        server.assert_told_nothing();
    }
    leaks.assert_none_left();
}

#[test]
fn a_client_certificate_that_cannot_be_used_is_refused_before_anything_is_sent() {
    let leaks = Leaks::watch();
    {
        let server = Server::builder().start().unwrap();
        let root = Authority::new();
        let (one, other) = (root.sign(&["ann"], |_| {}), root.sign(&["bob"], |_| {}));
        let pkcs1 = one.key.replace("PRIVATE KEY", "RSA PRIVATE KEY");
        let locked = one.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let damaged = one.key.replacen("MIG", "!!!", 1);
        let cut = &one.pem[..one.pem.len() - 100];
        for (pem, key, words) in [
            ("", one.key.as_str(), "is not in PEM"),
            (one.pem.as_str(), "", "PKCS #8"),
            (&one.pem, &pkcs1, "PKCS #8"),
            (&one.pem, &locked, "without a password"),
            (&one.key, &one.pem, "PKCS #8"),
            (&one.pem, &damaged, "damaged"),
            (cut, &one.key, "damaged"),
            (&one.pem, &other.key, "not that of the client certificate"),
        ] {
            for security in [Security::Tls, Security::StartTls, Security::DangerPlaintext] {
                let error = ParallelMailbox::builder("127.0.0.1")
                    .port(server.port())
                    .security(security)
                    .login(USER, SECRET)
                    .client_certificate(pem.as_bytes(), key.as_bytes())
                    .connect()
                    .unwrap_err();
                assert_says(&error, &ErrorKind::Config, &[words]);
            }
        }
        assert_eq!(server.connections().accepted, 0);
        let spaced = format!("\n\n{}", one.key);
        let builder = server
            .client()
            .client_certificate(one.pem.as_bytes(), spaced.as_bytes());
        let shown = format!("{builder:?} {builder:#?}");
        builder.connect().unwrap();
        let middle = one.key.lines().nth(1).unwrap();
        assert!(
            !shown.contains(middle) && !shown.contains("PRIVATE"),
            "{shown}"
        );
    }
    leaks.assert_none_left();
}
