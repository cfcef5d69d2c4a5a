//! The description of a server before it starts.

use std::io;
use std::time::Duration;

use super::armed::Faults;
use super::fault::Fault;
use super::message::TestMessage;
use super::persona::Persona;
use super::persona::manners::Manners;
use super::sample::Sample;
use super::server::Server;
use super::shared::{Settings, Shared};

/// Describes a [`Server`]; [`start`](Self::start) starts it.
///
/// # Examples
///
/// ```
/// use parallel_mailbox::testing::{Fault, Sample, Server, TestMessage};
/// use std::time::Duration;
///
/// # fn main() -> std::io::Result<()> {
/// let server = Server::builder()
///     .sample(Sample::small(100))
///     .message(TestMessage::new("Subject: last\r\n\r\n").uid(500))
///     .mailbox("Gelöschte Objekte", ["Subject: gone\r\n\r\n"])
///     .latency(Duration::from_millis(2))
///     .max_connections(4)
///     .fault(Fault::reset().after_octets(10_000).on_connection(2))
///     .start()?;
/// assert_eq!(server.append("INBOX", "Subject: new\r\n\r\n"), 501);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct ServerBuilder {
    settings: Settings,
    token: Option<String>,
    mailboxes: Vec<(String, Vec<TestMessage>)>,
    faults: Vec<Fault>,
}

impl ServerBuilder {
    pub(super) fn new() -> Self {
        let settings = Settings {
            user: "me".to_owned(),
            password: "secret".to_owned(),
            latency: Duration::ZERO,
            octets_per_second: None,
            total_octets_per_second: None,
            compress: false,
            max_connections: None,
            limit_text: None,
            max_line: None,
            uid_validity: None,
            search_cap: None,
            capabilities: Vec::new(),
            mechanisms: None,
            manners: &Manners::PLAIN,
            sasl_ir: true,
            login_disabled: false,
        };
        let inbox = ("INBOX".to_owned(), Vec::new());
        Self {
            settings,
            token: None,
            mailboxes: vec![inbox],
            faults: Vec::new(),
        }
    }

    /// Talks as this server does. What is set by other methods goes before it. Defaults to plain
    /// IMAP, without limits.
    ///
    /// ```
    /// use parallel_mailbox::testing::{Persona, Server};
    ///
    /// let server = Server::builder().persona(Persona::Gmail).start()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn persona(mut self, persona: Persona) -> Self {
        self.settings.manners = persona.manners();
        self
    }

    /// Takes this user name and password. Defaults to `me` and `secret`.
    pub fn login(mut self, user: &str, password: &str) -> Self {
        user.clone_into(&mut self.settings.user);
        password.clone_into(&mut self.settings.password);
        self
    }

    /// Takes this access token with OAUTHBEARER and XOAUTH2, beside the password. Defaults to none.
    ///
    /// A token expires in the midst of things by
    /// [`Server::set_token`](super::Server::set_token) and
    /// [`Server::disconnect_all`](super::Server::disconnect_all).
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Offers these mechanisms of AUTHENTICATE, such as `SCRAM-SHA-256`, which it speaks with the
    /// feature `scram`. Those that it does not speak are announced and refused. Defaults to PLAIN,
    /// OAUTHBEARER and XOAUTH2.
    pub fn mechanisms<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.settings.mechanisms = Some(names.into_iter().map(str::to_owned).collect());
        self
    }

    /// Takes an initial response in the line of AUTHENTICATE (SASL-IR, RFC 4959). Defaults to
    /// `true`.
    pub fn sasl_ir(mut self, sasl_ir: bool) -> Self {
        self.settings.sasl_ir = sasl_ir;
        self
    }

    /// Announces LOGINDISABLED (RFC 9051, section 6.2.3) and refuses LOGIN. Defaults to `false`.
    pub fn login_disabled(mut self, disabled: bool) -> Self {
        self.settings.login_disabled = disabled;
        self
    }

    /// Adds a message to the INBOX. Defaults to none.
    pub fn message(self, message: impl Into<TestMessage>) -> Self {
        self.messages([message])
    }

    /// Adds messages to the INBOX. Defaults to none.
    pub fn messages<M: Into<TestMessage>>(self, messages: impl IntoIterator<Item = M>) -> Self {
        self.mailbox("INBOX", messages)
    }

    /// Adds a sample of mail to the INBOX. Defaults to none.
    pub fn sample(self, sample: Sample) -> Self {
        self.messages(sample)
    }

    /// Adds a mailbox with these messages, or the messages to the mailbox. The name is UTF-8.
    /// Defaults to an empty INBOX alone.
    pub fn mailbox<M: Into<TestMessage>>(
        mut self,
        name: &str,
        messages: impl IntoIterator<Item = M>,
    ) -> Self {
        let messages = messages.into_iter().map(Into::into);
        match self.mailboxes.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => own.extend(messages),
            None => self.mailboxes.push((name.to_owned(), messages.collect())),
        }
        self
    }

    /// Lets one round trip take this long: the greeting comes so much later, and a command is
    /// carried out no sooner than this after it arrived. Pipelined commands so cost one round trip
    /// together. Defaults to zero.
    pub fn latency(mut self, round_trip: Duration) -> Self {
        self.settings.latency = round_trip;
        self
    }

    /// Limits what each connection sends. Compression makes more of it. Defaults to no limit.
    pub fn bandwidth(mut self, octets_per_second: u64) -> Self {
        self.settings.octets_per_second = Some(octets_per_second);
        self
    }

    /// Limits what all connections send together, as the line to a server does. May be combined
    /// with [`bandwidth`](Self::bandwidth), which is a limit for each. Defaults to no limit.
    pub fn total_bandwidth(mut self, octets_per_second: u64) -> Self {
        self.settings.total_octets_per_second = Some(octets_per_second);
        self
    }

    /// Announces COMPRESS=DEFLATE (RFC 4978) to clients that have logged in, and speaks it. Faults
    /// work as without it, and [`Fault::after_octets`] counts octets before they are compressed.
    /// Only with the feature `compress`. Defaults to `false`.
    #[cfg(feature = "compress")]
    pub fn compress(mut self, compress: bool) -> Self {
        self.settings.compress = compress;
        self
    }

    /// Lets so many sessions be logged in at a time; a further LOGIN is answered `NO [LIMIT]`.
    /// Defaults to no limit.
    pub fn max_connections(mut self, sessions: usize) -> Self {
        self.settings.max_connections = Some(sessions);
        self
    }

    /// Says this when there are too many sessions. Defaults to `Too many simultaneous connections`.
    pub fn limit_text(mut self, text: &str) -> Self {
        self.settings.limit_text = Some(text.to_owned());
        self
    }

    /// Answers BAD to a command of more than so many octets, literals aside. Defaults to 65,536.
    pub fn max_line(mut self, octets: usize) -> Self {
        self.settings.max_line = Some(octets);
        self
    }

    /// Lets SEARCH find no more than the newest so many messages, and says so nowhere. Defaults to
    /// what the [`persona`](Self::persona) does, else to no limit.
    pub fn search_cap(mut self, messages: usize) -> Self {
        self.settings.search_cap = Some(messages);
        self
    }

    /// Gives all mailboxes this UIDVALIDITY. Defaults to that of the [`persona`](Self::persona),
    /// else to 1.
    pub fn uid_validity(mut self, uid_validity: u32) -> Self {
        self.settings.uid_validity = Some(uid_validity);
        self
    }

    /// Announces a further capability. Announcing is all: the server does nothing else about it.
    /// Defaults to none beyond what the server can do.
    pub fn capability(mut self, word: &str) -> Self {
        self.settings.capabilities.push(word.to_owned());
        self
    }

    /// Adds a fault. Defaults to none.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// When the system has no port or thread to give.
    pub fn start(self) -> io::Result<Server> {
        let folders = self.settings.manners.folders.value;
        let shared = Shared::new(self.settings, self.token, Faults::new(self.faults));
        for (name, messages) in self.mailboxes {
            shared.fill(&name, messages);
        }
        for (name, _) in folders {
            shared.mailbox_or_new(name);
        }
        Server::start(shared)
    }
}
