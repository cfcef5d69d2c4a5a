//! A server with messages, of whatever kind, and the way to it.

use std::collections::BTreeMap;

use parallel_mailbox::testing::{Server, ServerBuilder, TestMessage};
use parallel_mailbox::{Builder, Message, ParallelMailbox, Security};

use crate::support::cyrus::{Cyrus, cyrus_or_skip};
use crate::support::dovecot::{Dovecot, dovecot_or_skip};
use crate::support::front::{Front, Start};
use crate::support::maildir;
use crate::support::raw_client::RawClient;

pub(crate) struct Place {
    server: Kind,
    way: Way,
    /// What the server holds, by UID.
    pub(crate) expected: BTreeMap<u32, Vec<u8>>,
}

enum Kind {
    /// With TLS before it, if it is to be had over TLS.
    InProcess(Server, Option<Front>),
    Dovecot(Box<Dovecot>),
    Cyrus(Box<Cyrus>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Tls,
    StartTls,
}

impl Way {
    fn security(self) -> Security {
        match self {
            Self::Plain => Security::DangerPlaintext,
            Self::Tls => Security::Tls,
            Self::StartTls => Security::StartTls,
        }
    }
}

/// Makes a place with these messages, UIDs 1 to n.
pub(crate) type MakePlace<'a> = &'a dyn Fn(Vec<Vec<u8>>) -> Place;

fn numbered(messages: impl IntoIterator<Item = Vec<u8>>) -> BTreeMap<u32, Vec<u8>> {
    (1..).zip(messages).collect()
}

impl Place {
    pub(crate) fn in_process(messages: Vec<Vec<u8>>) -> Self {
        Self::on(Server::builder(), messages)
    }

    pub(crate) fn in_process_over_tls(messages: Vec<Vec<u8>>) -> Self {
        Self::in_process_by(Way::Tls, messages)
    }

    pub(crate) fn in_process_over_starttls(messages: Vec<Vec<u8>>) -> Self {
        Self::in_process_by(Way::StartTls, messages)
    }

    /// A server in this process, of whatever kind.
    pub(crate) fn on(server: ServerBuilder, messages: Vec<Vec<u8>>) -> Self {
        Self::in_process_on(server, Way::Plain, messages)
    }

    fn in_process_by(way: Way, messages: Vec<Vec<u8>>) -> Self {
        Self::in_process_on(Server::builder(), way, messages)
    }

    fn in_process_on(server: ServerBuilder, way: Way, messages: Vec<Vec<u8>>) -> Self {
        let server = server
            .messages(messages.iter().map(|raw| TestMessage::new(raw.clone())))
            .start()
            .unwrap();
        let front = match way {
            Way::Plain => None,
            Way::Tls => Some(Front::of(server.port(), Start::FirstOctet)),
            Way::StartTls => Some(Front::of(server.port(), Start::StartTls)),
        };
        Self {
            server: Kind::InProcess(server, front),
            way,
            expected: numbered(messages),
        }
    }

    pub(crate) fn dovecot(messages: Vec<Vec<u8>>) -> Self {
        Self::dovecot_by(Way::Plain, messages)
    }

    pub(crate) fn dovecot_over_tls(messages: Vec<Vec<u8>>) -> Self {
        Self::dovecot_by(Way::Tls, messages)
    }

    pub(crate) fn dovecot_over_starttls(messages: Vec<Vec<u8>>) -> Self {
        Self::dovecot_by(Way::StartTls, messages)
    }

    fn dovecot_by(way: Way, messages: Vec<Vec<u8>>) -> Self {
        let expected = numbered(messages.iter().map(|raw| maildir::expected(raw)));
        // The suite asks first whether it is there.
        let server = dovecot_or_skip().unwrap().messages(messages).start();
        Self {
            server: Kind::Dovecot(Box::new(server)),
            way,
            expected,
        }
    }

    pub(crate) fn cyrus(messages: Vec<Vec<u8>>) -> Self {
        Self::cyrus_by(Way::Plain, messages)
    }

    pub(crate) fn cyrus_over_tls(messages: Vec<Vec<u8>>) -> Self {
        Self::cyrus_by(Way::Tls, messages)
    }

    pub(crate) fn cyrus_over_starttls(messages: Vec<Vec<u8>>) -> Self {
        Self::cyrus_by(Way::StartTls, messages)
    }

    fn cyrus_by(way: Way, messages: Vec<Vec<u8>>) -> Self {
        let server = cyrus_or_skip().unwrap().messages(messages.clone()).start();
        let mut place = Self {
            server: Kind::Cyrus(Box::new(server)),
            way,
            expected: BTreeMap::new(),
        };
        place.expected = numbered(place.held(messages));
        place
    }

    /// Those that belong to the messages that the server took, of one for each that it was given.
    /// Cyrus does not take all of the nasty ones: `tests/cyrus` knows which, and why.
    pub(crate) fn held<T>(&self, given: Vec<T>) -> Vec<T> {
        let refused = match &self.server {
            Kind::Cyrus(server) => server.refused(),
            _ => &[],
        };
        let is_held = |index| refused.iter().all(|(refused, _)| *refused != index);
        let given = given.into_iter().enumerate();
        given
            .filter_map(|(index, one)| is_held(index).then_some(one))
            .collect()
    }

    pub(crate) fn builder(&self) -> Builder {
        match &self.server {
            Kind::InProcess(server, front) => {
                let builder = ParallelMailbox::builder("127.0.0.1")
                    .security(self.way.security())
                    .login(server.user(), server.password());
                match front {
                    None => builder.port(server.port()),
                    Some(front) => builder
                        .port(front.port())
                        .root_certificate(front.root_pem()),
                }
            }
            Kind::Dovecot(server) => self
                .protected(
                    server.plain_port(),
                    server.tls_port(),
                    server.certificate_pem(),
                )
                .login(server.user(), server.password()),
            Kind::Cyrus(server) => self
                .protected(
                    server.plain_port(),
                    server.tls_port(),
                    server.certificate_pem(),
                )
                .login(server.user(), server.password()),
        }
    }

    fn protected(&self, plain_port: u16, tls_port: u16, root: &[u8]) -> Builder {
        let builder = ParallelMailbox::builder("localhost")
            .root_certificate(root)
            .security(self.way.security());
        match self.way {
            Way::Tls => builder.port(tls_port),
            Way::Plain | Way::StartTls => builder.port(plain_port),
        }
    }

    pub(crate) fn connect(&self, workers: usize) -> ParallelMailbox {
        self.builder().workers(workers).connect().unwrap()
    }

    /// How many sessions there are and have been; only the in-process server counts them.
    pub(crate) fn connections(&self) -> Option<(u64, usize)> {
        match &self.server {
            Kind::InProcess(server, _) => {
                let connections = server.connections();
                Some((connections.accepted, connections.peak))
            }
            Kind::Dovecot(_) | Kind::Cyrus(_) => None,
        }
    }

    /// The messages without `\Seen`, asked for by a client of its own.
    pub(crate) fn unseen(&self) -> usize {
        let (port, user, password) = match &self.server {
            Kind::InProcess(server, _) => (server.port(), server.user(), server.password()),
            Kind::Dovecot(server) => (server.plain_port(), server.user(), server.password()),
            Kind::Cyrus(server) => (server.plain_port(), server.user(), server.password()),
        };
        let mut client = RawClient::connect(port);
        client.greeting();
        client.ok(&format!("LOGIN {user} {password}"));
        // There are servers that want it.
        client.ok("ID NIL");
        client.ok("EXAMINE INBOX");
        let answer = client.ok("UID SEARCH UNSEEN");
        let line = answer
            .iter()
            .find(|piece| piece.line.starts_with("* SEARCH"));
        line.map_or(0, |piece| {
            piece.line.split_ascii_whitespace().skip(2).count()
        })
    }

    /// Fails if the message is not what the server holds.
    pub(crate) fn check(&self, message: &Message) -> u32 {
        let uid = message.uid().get();
        let expected = &self.expected[&uid];
        assert!(
            message.raw() == expected.as_slice(),
            "message {uid} is not as on the server"
        );
        assert_eq!(message.size(), expected.len() as u64);
        uid
    }
}

/// Some messages that can be told apart.
pub(crate) fn letters(count: usize) -> Vec<Vec<u8>> {
    (1..=count)
        .map(|number| {
            let body = "x".repeat(number % 300);
            format!(
                "From: Ann <ann{}@example.org>\r\nSubject: letter {number}\r\n\r\n{body}\r\n",
                number % 7
            )
            .into_bytes()
        })
        .collect()
}
