//! The same against a real server. Tokens are JSON Web Tokens, which Dovecot verifies by itself
//! with a key in a file, so that no token server is needed.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parallel_mailbox::{Builder, ErrorKind, Mechanism, ParallelMailbox, Query};
use tempfile::TempDir;

use crate::support::dovecot::{Dovecot, Options, dovecot_or_skip};
use crate::text_of;

/// For HS256, in Base64: `only-for-tests-and-for-nothing-else`.
const KEY: &str = "b25seS1mb3ItdGVzdHMtYW5kLWZvci1ub3RoaW5nLWVsc2U=";

/// `{"alg":"HS256","typ":"JWT"}` `{"sub":"reader","iat":1700000000,"exp":4102444800}`, so good
/// until the year 2100.
const GOOD_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJyZWFkZXIiLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6NDEwMjQ0NDgwMH0.69jCwVsCCeECAC-ZwSWGy1WGQrfzsOvaz3sDAXjvRXc";

/// The same with `"exp":1700000001`, in 2023.
const EXPIRED_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJyZWFkZXIiLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDAwMDAwMX0.CJZLzAPpdYoXeYIZ9NF45TqRfcr2GGRtm0OGG3UCKQE";

fn letters(count: usize) -> Vec<Vec<u8>> {
    let letter = |number| format!("Subject: {number}\r\n\r\ntext\r\n").into_bytes();
    (0..count).map(letter).collect()
}

fn builder(dovecot: &Dovecot) -> Builder {
    ParallelMailbox::builder(dovecot.host())
        .port(dovecot.tls_port())
        .root_certificate(dovecot.certificate_pem())
        .workers(4)
}

/// Reads all there is, and returns how much.
fn read(builder: Builder) -> usize {
    let mailbox = builder.connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    matches.for_each(drop).unwrap().delivered().len()
}

/// The mechanisms with which users signed in, as its log has them.
fn mechanisms(dovecot: &Dovecot) -> Vec<String> {
    let log = dovecot.log();
    let logins = log.lines().filter(|line| line.contains("Login: user="));
    let methods = logins.filter_map(|line| line.split("method=").nth(1)?.split(',').next());
    methods.map(str::to_owned).collect()
}

fn offering(mechanisms: &str) -> Option<Options> {
    let line = format!("auth_mechanisms = {mechanisms}");
    Some(
        dovecot_or_skip()?
            .messages(letters(300))
            .extra_configuration(&line),
    )
}

#[test]
fn dovecot_takes_a_password_by_login_or_by_scram_where_that_is_chosen() {
    for (offers, is_chosen, expected) in [
        ("plain login", false, "PLAIN"),
        ("plain scram-sha-256", false, "PLAIN"),
        ("plain scram-sha-256", true, "SCRAM-SHA-256"),
        ("scram-sha-256", true, "SCRAM-SHA-256"),
    ] {
        let Some(options) = offering(offers) else {
            return;
        };
        let dovecot = options.start();
        let login = |password| {
            let login = builder(&dovecot).login(dovecot.user(), password);
            match is_chosen {
                true => login.mechanism(Mechanism::ScramSha256),
                false => login,
            }
        };
        assert_eq!(read(login(dovecot.password())), 300);
        let seen = mechanisms(&dovecot);
        assert!(
            !seen.is_empty() && seen.iter().all(|name| name == expected),
            "{seen:?}"
        );
        let error = login("wrong-password").connect().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
        assert!(!text_of(&error).contains("wrong-password"));
    }
}

#[test]
fn dovecot_takes_authenticate_plain_where_login_is_not_enough() {
    let Some(options) = offering("plain") else {
        return;
    };
    // Any user may read here; this one cannot be said in a quoted string.
    let dovecot = options.extra_configuration("auth_username_chars =").start();
    assert_eq!(
        read(builder(&dovecot).login("lösér", dovecot.password())),
        300
    );
}

/// Lines for a Dovecot 2.3 that takes tokens; none for another, whose syntax differs.
fn token_lines(folder: &TempDir) -> Option<String> {
    let version = Command::new("dovecot").arg("--version").output();
    let version = version.or_else(|_| Command::new("/usr/sbin/dovecot").arg("--version").output());
    let version = String::from_utf8(version.ok()?.stdout).ok()?;
    if !version.starts_with("2.3.") {
        return None;
    }
    let path = folder.path();
    let keys = path.join("default/HS256");
    fs::create_dir_all(&keys).unwrap();
    fs::write(keys.join("default"), KEY).unwrap();
    fs::write(
        path.join("oauth2.conf"),
        format!(
            "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={}/\n\
             username_attribute = sub\n",
            path.display()
        ),
    )
    .unwrap();
    // The server is another user.
    for folder in [path, &path.join("default"), &keys] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    Some(format!(
        "passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = \
         {}/oauth2.conf\n}}\n",
        path.display()
    ))
}

#[test]
fn dovecot_takes_tokens_and_says_why_it_refuses_them() {
    for mechanism in ["oauthbearer", "xoauth2"] {
        let folder = tempfile::tempdir().unwrap();
        let (Some(options), Some(lines)) = (offering(mechanism), token_lines(&folder)) else {
            return;
        };
        let dovecot = options.extra_configuration(&lines).start();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let oauth2 = builder(&dovecot).oauth2("reader", move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok::<_, io::Error>(GOOD_TOKEN.to_owned())
        });
        assert_eq!(read(oauth2), 300, "{}", dovecot.log());
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        let seen = mechanisms(&dovecot);
        let expected = mechanism.to_uppercase();
        assert!(
            !seen.is_empty() && seen.iter().all(|name| *name == expected),
            "{seen:?}"
        );

        let refused = builder(&dovecot)
            .oauth2("reader", || Ok::<_, io::Error>(EXPIRED_TOKEN.to_owned()))
            .connect()
            .unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::Auth, "{refused}");
        let text = text_of(&refused);
        // What it says with OAUTHBEARER differs from what it says with XOAUTH2.
        assert!(text.contains("status"), "{text}");
        assert!(!text.contains(&EXPIRED_TOKEN[..20]), "{text}");
    }
}
