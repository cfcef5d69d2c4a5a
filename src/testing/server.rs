//! The server as its user holds it: where it listens, what it has seen, and changes while clients
//! are connected.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::builder::ServerBuilder;
use super::fault::Fault;
use super::listener::Listener;
use super::log::LogEntry;
use super::message::TestMessage;
use super::registry::Connections;
use super::shared::Shared;
use crate::{Builder, ParallelMailbox, Security};

/// An IMAP server in this process, on a port of the loopback interface that the system chooses.
///
/// It speaks IMAP4rev1 over real sockets without TLS, so that any client can talk to it. When it is
/// dropped, it closes all connections and joins all its threads, whatever the clients are doing.
///
/// # Examples
///
/// ```
/// use parallel_mailbox::testing::Server;
/// use std::io::{BufRead, BufReader, Write};
///
/// # fn main() -> std::io::Result<()> {
/// let server = Server::builder()
///     .login("me", "secret")
///     .message("Subject: hello\r\n\r\nworld\r\n")
///     .start()?;
///
/// let mut stream = std::net::TcpStream::connect(server.address())?;
/// stream.write_all(b"a LOGIN me secret\r\nb LOGOUT\r\n")?;
/// let lines: Vec<String> = BufReader::new(stream).lines().collect::<Result<_, _>>()?;
/// assert!(lines[1].starts_with("a OK"));
///
/// assert_eq!(server.log()[0].line, "a LOGIN …");
/// assert_eq!(server.uids("INBOX"), [1]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    listener: Listener,
}

impl Server {
    /// Begins to describe a server. It has an empty INBOX and takes user `me` with password
    /// `secret`, unless told otherwise.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    pub(super) fn start(shared: Shared) -> io::Result<Self> {
        let shared = Arc::new(shared);
        let listener = Listener::start(Arc::clone(&shared))?;
        Ok(Self { shared, listener })
    }

    /// The port that the server listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address().port()
    }

    /// The address that the server listens on, `127.0.0.1` and the port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Starts from this server: a [`Builder`] for its INBOX, with address, user and password set.
    ///
    /// ```
    /// use parallel_mailbox::Query;
    /// use parallel_mailbox::testing::Server;
    ///
    /// let server = Server::builder().message("Subject: one\r\n\r\n1").start()?;
    /// let mailbox = server.client().workers(2).connect()?;
    /// assert_eq!(mailbox.search(Query::all())?.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn client(&self) -> Builder {
        ParallelMailbox::builder(self.address().ip().to_string())
            .port(self.port())
            .security(Security::DangerPlaintext)
            .login(self.user(), self.password())
    }

    /// The URL of the INBOX, `imap://me@127.0.0.1:1430/INBOX`, without the password.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("INBOX")
    }

    /// The URL of a mailbox, without the password.
    #[must_use]
    pub fn url_of(&self, mailbox: &str) -> String {
        format!(
            "imap://{}@{}/{}",
            percent_encoded(self.user()),
            self.address(),
            percent_encoded(mailbox)
        )
    }

    /// The user name that the server takes.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.shared.settings.user
    }

    /// The password that the server takes.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.shared.settings.password
    }

    /// The commands that clients have sent so far, in the order of arrival, without credentials.
    #[must_use]
    pub fn log(&self) -> Vec<LogEntry> {
        self.shared.log.entries()
    }

    /// Empties the log.
    pub fn clear_log(&self) {
        self.shared.log.clear();
    }

    /// How many connections there are and were.
    #[must_use]
    pub fn connections(&self) -> Connections {
        self.shared.registry.connections()
    }

    /// Adds a message to a mailbox, which is made if it is not there, and answers its UID.
    pub fn append(&self, mailbox: &str, message: impl Into<TestMessage>) -> u32 {
        self.shared.mailbox_or_new(mailbox).append(message.into())
    }

    /// Removes a message, as another client would; says whether it was there.
    ///
    /// From then on FETCH leaves it out, also for clients that have not been told of it.
    pub fn expunge(&self, mailbox: &str, uid: u32) -> bool {
        self.shared
            .mailbox(mailbox)
            .is_some_and(|own| own.remove(|message| message.uid == uid))
    }

    /// The UIDs of a mailbox, ascending; none where there is no such mailbox.
    #[must_use]
    pub fn uids(&self, mailbox: &str) -> Vec<u32> {
        self.shared
            .mailbox(mailbox)
            .map(|own| own.uids().to_vec())
            .unwrap_or_default()
    }

    /// The octets of a message, or `None` where there is no such message: what a client should
    /// have got.
    #[must_use]
    pub fn raw(&self, mailbox: &str, uid: u32) -> Option<Arc<[u8]>> {
        let found = self
            .shared
            .mailbox(mailbox)?
            .messages([uid].into_iter())
            .pop()??;
        Some(found.raw)
    }

    /// The flags of a message, as on the wire, or `None` where there is no such message.
    #[must_use]
    pub fn flags(&self, mailbox: &str, uid: u32) -> Option<Vec<String>> {
        let found = self
            .shared
            .mailbox(mailbox)?
            .messages([uid].into_iter())
            .pop()??;
        Some(found.flags.names())
    }

    /// Changes the UIDVALIDITY that the next SELECT or EXAMINE of this mailbox is told.
    pub fn set_uid_validity(&self, mailbox: &str, uid_validity: u32) {
        self.shared
            .mailbox_or_new(mailbox)
            .set_uid_validity(uid_validity);
    }

    /// Takes this access token from now on and the one before no more. Sessions go on.
    pub fn set_token(&self, token: &str) {
        self.shared.set_token(token);
    }

    /// Deletes a mailbox, says whether it was there. Clients that have it selected get
    /// `NO [NONEXISTENT]` from then on.
    pub fn delete_mailbox(&self, mailbox: &str) -> bool {
        self.shared.delete_mailbox(mailbox)
    }

    /// Adds a fault to those in force, for the commands and connections that follow.
    pub fn add_fault(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Puts an end to all faults, for the commands and connections that follow.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// Ends all connections that are open now.
    pub fn disconnect_all(&self) {
        self.shared.registry.end_all();
    }

    /// Resets new connections as soon as they are made, or takes them again.
    pub fn refuse_connections(&self, refuse: bool) {
        self.shared.registry.set_refusing(refuse);
    }

    /// Stops the server: closes all connections and joins all its threads. So does dropping it.
    pub fn stop(self) {}
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.registry.stop();
        self.listener.join();
    }
}

/// The user part of a URL (RFC 3986, section 3.2.1): all but the unreserved octets encoded.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            encoded.push(char::from(octet));
        } else {
            encoded.push_str(&format!("%{octet:02X}"));
        }
    }
    encoded
}
