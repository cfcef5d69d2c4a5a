//! The certificates that are trusted: in which forms they are taken, and when they are read.

use std::env;
use std::fs;
use std::process::Command;

use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{ErrorKind, ParallelMailbox, Query};

use crate::scripted::{assert_says, tls_server};
use crate::support::certificate::{Authority, self_signed};
use crate::support::front::{Front, Start, acceptor};
use crate::support::leaks::Leaks;

#[test]
fn a_root_is_taken_in_pem_in_der_and_from_a_bundle() {
    let leaks = Leaks::watch();
    {
        let (root, other) = (Authority::new(), Authority::new());
        let server = tls_server(acceptor(&root.sign(&["localhost"], |_| {})));
        let bundle = format!("# Two\r\n{}\r\nsubject=x\r\n{}", other.pem, root.pem);
        let windows = root.pem.replace('\n', "\r\n");
        for form in [
            root.pem.as_bytes(),
            &root.der,
            bundle.as_bytes(),
            windows.as_bytes(),
        ] {
            let builder = server.builder(parallel_mailbox::Security::Tls);
            builder.root_certificate(form).connect().unwrap();
        }
        let builder = server.builder(parallel_mailbox::Security::Tls);
        let builder = builder.root_certificate(&other.der);
        builder.root_certificate(&root.der).connect().unwrap();
    }
    leaks.assert_none_left();
}

#[test]
fn what_is_no_certificate_is_refused_before_anything_is_sent() {
    let leaks = Leaks::watch();
    let signed = self_signed(&["localhost"]);
    let cut = &signed.pem[..signed.pem.len() - 200];
    let damaged = signed.pem.replacen("MII", "!!!", 1);
    let second = format!("{}{damaged}", signed.pem);
    for (octets, words) in [
        ("", "neither PEM nor DER"),
        ("certificate", "neither PEM nor DER"),
        (signed.key.as_str(), "neither PEM nor DER"),
        (cut, "1 of 1"),
        (&damaged, "1 of 1"),
        (&second, "2 of 2"),
    ] {
        let builder = ParallelMailbox::builder("no-such-host.invalid").login("a", "b");
        let error = builder.root_certificate(octets.as_bytes()).connect();
        let words = ["root certificate", words];
        assert_says(&error.unwrap_err(), &ErrorKind::Config, &words);
    }
    leaks.assert_none_left();
}

/// OpenSSL alone looks there for the system's certificates, and only when it is asked the first
/// time. So the test runs in a process of its own.
const SYSTEM: &str = "SSL_CERT_FILE";

#[cfg(target_os = "linux")]
#[test]
fn the_certificates_of_the_system_are_read_once_for_all_sessions() {
    let Some(file) = env::var_os(SYSTEM).filter(|file| file.to_string_lossy().contains("once-"))
    else {
        let folder = tempfile::Builder::new().prefix("once-").tempdir().unwrap();
        let test = "roots::the_certificates_of_the_system_are_read_once_for_all_sessions";
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(SYSTEM, folder.path().join("system.pem"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        let complained = String::from_utf8_lossy(&child.stderr);
        assert!(child.status.success(), "{said}{complained}");
        assert!(said.contains("1 passed"), "{said}");
        return;
    };
    let leaks = Leaks::watch();
    {
        let server = Server::builder().sample(Sample::tiny(200)).start().unwrap();
        let front = Front::of(server.port(), Start::FirstOctet);
        fs::write(&file, front.root_pem()).unwrap();
        let builder = ParallelMailbox::builder("localhost")
            .port(front.port())
            .login(server.user(), server.password())
            .workers(6);
        let mailbox = builder.clone().connect().unwrap();
        fs::remove_file(&file).unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        assert_eq!(matches.for_each(drop).unwrap().delivered().len(), 200);
        assert!(server.connections().accepted > 1);
        // Who reads them now finds nothing.
        let error = builder.connect().unwrap_err();
        assert_says(&error, &ErrorKind::Tls, &["root_certificate"]);
    }
    leaks.assert_none_left();
}
