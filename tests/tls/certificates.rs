//! Certificates that are wrong, each in its own way: nothing is sent, and the error says which way.

use parallel_mailbox::{ErrorKind, Security};
use rcgen::CertificateParams;

use crate::scripted::{Scripted, assert_says, tls_server};
use crate::support::certificate::{
    Authority, Signed, expired, for_clients, not_yet_valid, self_signed,
};
use crate::support::front::acceptor;
use crate::support::leaks::Leaks;

const HERE: &[&str] = &["localhost", "127.0.0.1"];

/// A server with this certificate, by TLS from the first octet and by STARTTLS.
fn servers(signed: &Signed) -> [(Security, Scripted); 2] {
    let start_tls = acceptor(signed);
    let by_start_tls = Scripted::start(move |mut line| {
        line.until_start_tls("* OK ready\r\n")?;
        line.say("s1 OK begin\r\n")?;
        line.secure(&start_tls)?.serve("IMAP4rev1")
    });
    [
        (Security::Tls, tls_server(acceptor(signed))),
        (Security::StartTls, by_start_tls),
    ]
}

/// Refused at once, whichever way TLS begins, with these words.
fn assert_refused(signed: &Signed, host: &str, roots: &[&str], words: &[&str]) {
    let leaks = Leaks::watch();
    for (security, server) in servers(signed) {
        let mut builder = server.builder_for(host, security);
        for root in roots {
            builder = builder.root_certificate(root.as_bytes());
        }
        let error = builder.connect().unwrap_err();
        let place = format!("{host}:{}", server.port());
        assert_says(&error, &ErrorKind::Tls, &[&place, "certificate"]);
        assert_says(&error, &ErrorKind::Tls, words);
        assert!(!error.is_retryable());
        assert_eq!(server.accepted(), 1, "it was not tried again");
        server.assert_told_nothing();
    }
    leaks.assert_none_left();
}

fn assert_accepted(signed: &Signed, host: &str, root: &str) {
    let leaks = Leaks::watch();
    for (security, server) in servers(signed) {
        let builder = server
            .builder_for(host, security)
            .root_certificate(root.as_bytes());
        builder.connect().unwrap();
    }
    leaks.assert_none_left();
}

fn refused_for(change: fn(&mut CertificateParams), words: &[&str]) {
    let root = Authority::new();
    assert_refused(&root.sign(HERE, change), "localhost", &[&root.pem], words);
}

#[test]
fn an_expired_certificate_is_refused() {
    refused_for(expired, &["has expired", "clock"]);
}

#[test]
fn a_certificate_that_is_not_valid_yet_is_refused() {
    refused_for(not_yet_valid, &["not valid yet", "clock"]);
}

#[test]
fn a_certificate_for_clients_is_refused() {
    refused_for(for_clients, &["not one for servers"]);
}

#[test]
fn a_self_signed_certificate_is_refused_until_it_is_trusted_itself() {
    let signed = self_signed(HERE);
    let words = ["self-signed", "root_certificate"];
    assert_refused(&signed, "localhost", &[], &words);
    // One of the same name is another.
    let other = self_signed(HERE);
    assert_refused(&signed, "localhost", &[&other.pem], &["root_certificate"]);
    assert_accepted(&signed, "localhost", &signed.pem);
}

#[test]
fn a_certificate_of_an_unknown_issuer_is_refused_until_the_issuer_is_trusted() {
    let root = Authority::new();
    let signed = root.sign(HERE, |_| {});
    let words = ["issued by someone", "root_certificate"];
    assert_refused(&signed, "localhost", &[], &words);
    let stranger = Authority::new();
    assert_refused(&signed, "localhost", &[&stranger.pem], &words);
    assert_accepted(&signed, "localhost", &root.pem);
}

#[test]
fn a_certificate_in_the_name_of_a_trusted_issuer_with_another_key_is_refused() {
    let trusted = Authority::named("bank");
    let forged = Authority::named("bank").sign(HERE, |_| {});
    let words = ["not signed by the issuer that it names"];
    assert_refused(&forged, "localhost", &[&trusted.pem], &words);
}

#[test]
fn a_chain_that_brings_its_own_root_is_refused() {
    let root = Authority::new();
    let mut signed = root.sign(HERE, |_| {});
    signed.pem += &root.pem;
    let words = ["issued by someone", "root_certificate"];
    assert_refused(&signed, "localhost", &[], &words);
}

#[test]
fn a_chain_with_a_gap_is_refused_until_a_bundle_closes_it() {
    let root = Authority::new();
    let between = root.intermediate();
    let mut signed = between.sign(HERE, |_| {});
    let words = ["chain has a gap", "root_certificate"];
    assert_refused(&signed, "localhost", &[&root.pem], &words);
    let bundle = format!(
        "# The root\n{}\nsubject=the one between\n{}",
        root.pem, between.pem
    );
    assert_accepted(&signed, "localhost", &bundle);
    signed.pem += &between.pem;
    assert_accepted(&signed, "localhost", &root.pem);
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let root = Authority::new();
    let signed = root.sign(&["elsewhere.example"], |_| {});
    let words = ["not for the name localhost"];
    assert_refused(&signed, "localhost", &[&root.pem], &words);
    // RFC 9525, section 6.3: a common name is no name.
    let signed = root.sign(&["elsewhere.example"], |params| {
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "localhost");
    });
    assert_refused(&signed, "localhost", &[&root.pem], &words);
}

#[test]
fn a_certificate_for_an_address_holds_for_that_address_alone() {
    let root = Authority::new();
    let signed = root.sign(&["127.0.0.1", "::1"], |_| {});
    assert_accepted(&signed, "127.0.0.1", &root.pem);
    assert_accepted(&signed, "::1", &root.pem);
    let words = ["not for the address 127.0.0.2"];
    assert_refused(&signed, "127.0.0.2", &[&root.pem], &words);
    let words = ["not for the name localhost"];
    assert_refused(&signed, "localhost", &[&root.pem], &words);
    let signed = root.sign(&["localhost"], |_| {});
    let words = ["not for the address 127.0.0.1"];
    assert_refused(&signed, "127.0.0.1", &[&root.pem], &words);
}

#[test]
fn a_wildcard_stands_for_one_label_and_not_for_a_part_of_one() {
    let root = Authority::new();
    let signed = root.sign(&["*.example.org"], |_| {});
    for host in ["imap.example.org", "IMAP.Example.ORG", "imap.example.org."] {
        assert_accepted(&signed, host, &root.pem);
    }
    for host in ["example.org", "a.b.example.org", "imapexample.org"] {
        let words = ["not for the name"];
        assert_refused(&signed, host, &[&root.pem], &words);
    }
    let partial = root.sign(&["im*.example.org"], |_| {});
    let words = ["not for the name imap.example.org"];
    assert_refused(&partial, "imap.example.org", &[&root.pem], &words);
}

#[test]
fn only_what_has_danger_in_its_name_accepts_any_certificate() {
    let leaks = Leaks::watch();
    let root = Authority::new();
    for signed in [
        root.sign(HERE, expired),
        root.sign(&["elsewhere.example"], |_| {}),
        self_signed(&["127.0.0.2"]),
    ] {
        for (security, server) in servers(&signed) {
            let builder = server.builder(security);
            let off = builder.clone().danger_accept_invalid_certs(false);
            assert_says(&off.connect().unwrap_err(), &ErrorKind::Tls, &[]);
            server.assert_told_nothing();
            builder.danger_accept_invalid_certs(true).connect().unwrap();
        }
    }
    leaks.assert_none_left();
}
