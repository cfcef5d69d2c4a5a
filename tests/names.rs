//! Mailbox names as people write them, on the in-process server and on a real Dovecot. Cyrus has its
//! own in `tests/cyrus`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    missing_docs
)]

mod support;

use parallel_mailbox::testing::Server;
use parallel_mailbox::{ErrorKind, ParallelMailbox, Query, Security};

/// On Dovecot, a dot would be a separator.
const NAMES: [&str; 10] = [
    "Entwürfe",
    "日本語",
    "📮 Post",
    "a & b",
    "&",
    // What would be `ä` if it were not written as `&-AOQ-`.
    "&AOQ-",
    "with \"quotes\"",
    "back\\slash",
    "  spaces  ",
    "(parentheses) {7} * %",
];

#[test]
fn any_name_opens_the_mailbox_that_has_it() {
    let mut server = Server::builder();
    for (count, name) in (1..).zip(NAMES) {
        let messages = (0..count).map(|number| format!("Subject: {number}\r\n\r\n"));
        server = server.mailbox(name, messages);
    }
    let server = server.start().unwrap();
    for (count, name) in (1..).zip(NAMES) {
        let mailbox = server.client().mailbox(name).workers(2).connect().unwrap();
        assert_eq!(mailbox.mailbox(), name);
        let matches = mailbox.search(Query::all()).unwrap();
        assert_eq!(matches.map(|message| message.uid()).unwrap().len(), count);
    }
}

#[cfg(unix)]
#[test]
fn any_name_opens_the_mailbox_that_has_it_on_dovecot() {
    let Some(mut options) = support::dovecot::dovecot_or_skip() else {
        return;
    };
    // Dovecot itself refuses some of the others when they are made.
    let names = [
        "Entwürfe",
        "日本語",
        "📮 Post",
        "a & b",
        "&AOQ-",
        "with \"quotes\"",
    ];
    for (count, name) in (1..).zip(names) {
        let messages = (0..count).map(|number| format!("Subject: {number}\r\n\r\n").into_bytes());
        options = options.mailbox(name, messages.collect::<Vec<Vec<u8>>>());
    }
    let dovecot = options.start();
    for (count, name) in (1..).zip(names) {
        let mailbox = ParallelMailbox::builder("localhost")
            .port(dovecot.plain_port())
            .security(Security::DangerPlaintext)
            .login(dovecot.user(), dovecot.password())
            .mailbox(name)
            .workers(2)
            .connect()
            .unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        assert_eq!(
            matches.map(|message| message.uid()).unwrap().len(),
            count,
            "{name}"
        );
    }
}

#[test]
fn a_name_that_would_end_its_command_is_refused_before_anything_is_sent() {
    let server = Server::builder().start().unwrap();
    for name in ["a\r\nb LOGOUT", "a\nb", "a\0b", ""] {
        let error = server.client().mailbox(name).connect().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Config, "{error}");
    }
    assert_eq!(server.connections().accepted, 0);
}
