//! The names of mailboxes.

use parallel_mailbox::ErrorKind;

use crate::support::cyrus::{Cyrus, Names, cyrus_or_skip};
use crate::{builder, messages};

/// Opens a mailbox and returns how many messages it has, or how it was refused.
fn open(cyrus: &Cyrus, name: &str) -> Result<u32, String> {
    let mailbox = builder(cyrus).mailbox(name).connect();
    let mailbox = mailbox.map_err(|error| {
        let ErrorKind::Server { code, text, .. } = error.kind() else {
            panic!("{error}")
        };
        assert_eq!((code, text.as_str()), (&None, "Mailbox does not exist"));
        assert!(!error.is_retryable() && error.is_fatal());
        error.to_string()
    })?;
    assert_eq!(mailbox.mailbox(), name);
    Ok(mailbox.exists())
}

/// Cyrus has no code for it; RFC 5530 has NONEXISTENT, which Dovecot says. It is an error of the
/// kind `Server` all the same, with the mailbox's name in its text, and is not tried again.
#[test]
fn a_mailbox_that_does_not_exist_is_named_in_the_error() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let cyrus = options.start();
    let error = open(&cyrus, "Entwürfe").unwrap_err();
    let expected = format!(
        "refused by the server: Mailbox does not exist: 127.0.0.1:{}: mailbox \"Entwürfe\": EXAMINE",
        cyrus.plain_port()
    );
    assert_eq!(error, expected);
}

#[test]
fn names_of_mailboxes_are_the_server_s() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    drop(options);
    for (names, encoded, right, wrong) in [
        (
            Names::WithDots,
            "INBOX.Entw&APw-rfe",
            ["INBOX.Entwürfe", "user.reader.Entwürfe"],
            ["INBOX/Entwürfe", "user/reader/Entwürfe", "Entwürfe"],
        ),
        (
            Names::WithSlashes,
            "INBOX/Entw&APw-rfe",
            ["INBOX/Entwürfe", "user/reader/Entwürfe"],
            ["INBOX.Entwürfe", "user.reader.Entwürfe", "Entwürfe"],
        ),
        (
            Names::BesideInbox,
            "Entw&APw-rfe",
            ["Entwürfe", "Entwürfe"],
            ["INBOX.Entwürfe", "INBOX/Entwürfe", "user/reader/Entwürfe"],
        ),
    ] {
        let options = cyrus_or_skip().unwrap().names(names);
        let cyrus = options.mailbox(encoded, messages(3)).start();
        for name in right {
            assert_eq!(open(&cyrus, name), Ok(3), "{names:?}: {name}");
        }
        for name in wrong {
            let error = open(&cyrus, name).expect_err(name);
            assert!(error.contains(&format!("{name:?}")), "{error}");
        }
    }
}
