//! A Dovecot of one's own for the tests of a program, in a temporary folder and on free ports of
//! loopback, gone with the value.

use std::path::Path;

use parallel_mailbox::testing::TestMessage;

use crate::support::dovecot::{Dovecot as Fixture, Options, dovecot_or_skip};

/// A Dovecot to be started; messages are written to disk as they are given.
#[must_use]
pub struct Builder(Options);

/// A running Dovecot.
pub struct Dovecot(Fixture);

/// One with an empty INBOX, or `None` where no Dovecot is installed: then the test returns, and this
/// has said so.
#[must_use]
pub fn builder() -> Option<Builder> {
    dovecot_or_skip().map(Builder)
}

impl Builder {
    /// Adds messages to INBOX.
    pub fn messages(self, messages: impl IntoIterator<Item = TestMessage>) -> Self {
        let messages = messages.into_iter();
        Self(
            self.0
                .messages(messages.map(|message| message.raw().to_vec())),
        )
    }

    /// Adds another mailbox.
    pub fn mailbox(self, name: &str, messages: impl IntoIterator<Item = TestMessage>) -> Self {
        let messages = messages.into_iter();
        let messages = messages.map(|message| message.raw().to_vec());
        Self(self.0.mailbox(name, messages))
    }

    /// Has an INBOX that is this file, in the form of an mbox.
    pub fn mbox(self, file: &Path) -> Self {
        Self(self.0.mbox(file))
    }

    /// Starts it.
    #[must_use]
    pub fn start(self) -> Dovecot {
        Dovecot(self.0.start())
    }
}

impl Dovecot {
    /// The URL of a mailbox, for a program that is told to do without TLS.
    #[must_use]
    pub fn url(&self, mailbox: &str) -> String {
        let (user, host, port) = (self.0.user(), self.0.host(), self.0.plain_port());
        format!("imap://{user}@{host}:{port}/{mailbox}")
    }

    /// The URL of a mailbox over TLS, under a certificate that [`certificate`](Self::certificate) has
    /// issued.
    #[must_use]
    pub fn tls_url(&self, mailbox: &str) -> String {
        let (user, host, port) = (self.0.user(), self.0.host(), self.0.tls_port());
        format!("imaps://{user}@{host}:{port}/{mailbox}")
    }

    /// The certificate of the issuer, in PEM, which no system knows.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        self.0.certificate_pem()
    }

    /// The port without TLS.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.plain_port()
    }

    /// The password of the only user.
    #[must_use]
    pub fn password(&self) -> &str {
        self.0.password()
    }

    /// The octets of a message of INBOX as Dovecot serves them.
    ///
    /// # Panics
    ///
    /// There is no message of this UID.
    #[must_use]
    pub fn raw(&self, uid: u32) -> Vec<u8> {
        use crate::support::maildir::{expected, file_of};
        let file = file_of(&self.0.maildir(), uid).expect("a message of this UID");
        expected(&std::fs::read(file).expect("a file that can be read"))
    }
}
