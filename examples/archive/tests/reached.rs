//! How a server with a private certificate is reached; the same code is in all example programs.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use example_support::dovecot;
use parallel_mailbox::testing::Sample;

fn save(url: &str, folder: &Path, options: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-archive"));
    command.arg("save").arg(folder).arg(url).args(options);
    for name in ["DANGER_PLAINTEXT", "IMAP_ROOT_CERTIFICATE", "SSL_CERT_FILE"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).output().unwrap()
}

/// A URL, options and variables.
type Way<'a> = (&'a str, &'a [&'a str], Vec<(&'a str, &'a str)>);

#[test]
fn a_private_certificate_is_trusted_in_each_way_that_the_help_names() {
    let Some(builder) = dovecot::builder() else {
        return;
    };
    let dovecot = builder.messages(Sample::tiny(3)).start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("root.pem");
    fs::write(&file, dovecot.certificate()).unwrap();
    let file = file.to_str().unwrap();
    let (tls, plain) = (dovecot.tls_url("INBOX"), dovecot.url("INBOX"));
    let password = ("IMAP_PASSWORD", dovecot.password());

    let output = save(&tls, &folder.path().join("0"), &[], &[password]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && text.contains("certificate"),
        "{text}"
    );

    let root = ["--root-certificate", file];
    let mut ways: Vec<Way<'_>> = vec![
        (&tls, &root, vec![]),
        (&tls, &[], vec![("IMAP_ROOT_CERTIFICATE", file)]),
        // By STARTTLS.
        (&plain, &root, vec![]),
        (&plain, &["--danger-plaintext"], vec![]),
        (&plain, &[], vec![("DANGER_PLAINTEXT", "1")]),
    ];
    // Where TLS is OpenSSL's.
    if cfg!(target_os = "linux") {
        ways.push((&tls, &[], vec![("SSL_CERT_FILE", file)]));
    }
    for (number, (url, options, mut variables)) in (1..).zip(ways) {
        variables.push(password);
        let output = save(
            url,
            &folder.path().join(number.to_string()),
            options,
            &variables,
        );
        assert!(
            output.status.success(),
            "{options:?}, {variables:?}: {output:?}"
        );
    }

    let output = save(
        &tls,
        &folder.path().join("x"),
        &["--root-certificate", "none"],
        &[password],
    );
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("cannot read certificates of none"), "{text}");
    let help = Command::new(env!("CARGO_BIN_EXE_example-archive"))
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for name in [
        "--root-certificate",
        "SSL_CERT_FILE",
        "--danger-plaintext",
        "IMAP_PASSWORD",
    ] {
        assert!(help.contains(name), "{name}");
    }
}
