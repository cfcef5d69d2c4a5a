//! How to reach a mailbox.

use std::fmt;
use std::sync::Arc;

use crate::credentials::{Credentials, Failure, Secret, TokenProvider};
use crate::error::{Error, Result};
use crate::event::{Event, Listener};
use crate::limits::{DEFAULT_MAX_MESSAGE_SIZE, Limits, Retry, Timeouts};
use crate::mailbox::ParallelMailbox;
use crate::pool::{Sessions, ask_again};
use crate::progress::Canceller;
use crate::session::{Mechanism, Security, Settings, Teller};
use crate::stop::Stop;
use crate::transport::{ClientCertificate, Connect, Roots, Trust};
use crate::url::Scheme;

/// How many sessions servers commonly grant to one account and address: Gmail 15, Dovecot 10 by
/// default, some hosts fewer.
const DEFAULT_WORKERS: std::ops::RangeInclusive<usize> = 4..=8;

/// The settings of a mailbox. Nothing happens before [`connect`](Builder::connect), which also
/// checks everything.
///
/// ```no_run
/// use parallel_mailbox::ParallelMailbox;
///
/// let mailbox = ParallelMailbox::builder("imap.example.org")
///     .login("me", "secret")
///     .mailbox("Archive/2026")
///     .workers(8)
///     .connect()?;
/// # Ok::<(), parallel_mailbox::Error>(())
/// ```
#[must_use = "nothing happens before `connect`"]
#[derive(Clone)]
pub struct Builder {
    host: String,
    port: Option<u16>,
    security: Security,
    trust: Trust,
    connector: Option<Arc<dyn Connect>>,
    user: Option<String>,
    sign_in: Option<SignIn>,
    mechanism: Option<Mechanism>,
    mailbox: String,
    workers: Option<usize>,
    timeouts: Timeouts,
    limits: Limits,
    max_message_size: u64,
    retry: Retry,
    #[cfg(feature = "compress")]
    compress: bool,
    on_event: Option<Listener>,
    canceller: Canceller,
}

/// What was set last.
#[derive(Clone)]
enum SignIn {
    Password(Secret),
    Token(TokenProvider),
    Preauthenticated,
}

impl Builder {
    /// The most [`workers`](Builder::workers) that there may be, and more than any server grants.
    pub const MAX_WORKERS: usize = 256;

    pub(crate) fn new(host: String) -> Self {
        Self {
            host,
            port: None,
            security: Security::default(),
            trust: Trust::default(),
            connector: None,
            user: None,
            sign_in: None,
            mechanism: None,
            mailbox: "INBOX".to_owned(),
            workers: None,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
            retry: Retry::default(),
            #[cfg(feature = "compress")]
            compress: false,
            on_event: None,
            canceller: Canceller::default(),
        }
    }

    pub(crate) fn from_url(url: &str) -> Result<Self> {
        let url = crate::url::parse(url)?;
        let mut builder = Self::new(url.host);
        builder.security = match url.security {
            Scheme::Imaps => Security::Tls,
            Scheme::Imap => Security::StartTls,
        };
        builder.port = url.port;
        builder.user = url.user;
        if let Some(mailbox) = url.mailbox {
            builder.mailbox = mailbox;
        }
        Ok(builder)
    }

    /// Sets the port. Defaults to 993 with [`Security::Tls`] and to 143 otherwise.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Sets how the connection is protected. Defaults to [`Security::Tls`].
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Trusts these certificates in addition to those of the system: one in DER form, or one or
    /// more in PEM form, as in a bundle. Each is that of somebody who issues certificates, or a
    /// self-signed one of the server itself. May be called several times.
    ///
    /// A certificate of the server that was issued by somebody is trusted by way of its issuer;
    /// added itself, it is not enough with every TLS library.
    pub fn root_certificate(mut self, pem_or_der: &[u8]) -> Self {
        self.trust.roots.push(pem_or_der.to_vec());
        self
    }

    /// Shows this certificate to a server that asks for one, as some do beside the password or in
    /// place of it. The chain is in PEM form and begins with the certificate itself; the private
    /// key is in PEM form by PKCS #8 (`BEGIN PRIVATE KEY`) and has no password. It is never
    /// printed.
    pub fn client_certificate(
        mut self,
        certificate_chain_pem: &[u8],
        private_key_pem: &[u8],
    ) -> Self {
        self.trust.client = Some(ClientCertificate {
            chain_pem: certificate_chain_pem.to_vec(),
            private_key_pem: Secret::concat(&[private_key_pem]),
        });
        self
    }

    /// Accepts whatever certificate the server shows: expired, for another host, made by anybody.
    ///
    /// The connection is encrypted then, but nobody knows to whom. Whoever sits on the way can
    /// pose as the server, and reads the password and all mail; TLS keeps out only those who
    /// listen and do nothing. It is for tests. To reach a server with a certificate of its own,
    /// trust that certificate by [`root_certificate`](Builder::root_certificate), which is as
    /// little work.
    ///
    /// Defaults to `false`.
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.trust.is_blind = accept;
        self
    }

    /// Opens connections by this instead of TCP: through a proxy, a tunnel, or with another TLS
    /// library. TLS is added as [`security`](Builder::security) says, unless the stream
    /// [is secure](crate::Stream::is_secure) already.
    pub fn connector(mut self, connector: impl Connect + 'static) -> Self {
        self.connector = Some(Arc::new(connector));
        self
    }

    /// Signs in by user name and password.
    ///
    /// The command LOGIN is used, or AUTHENTICATE PLAIN (RFC 4616) where LOGIN is forbidden or the
    /// password is not ASCII; [`mechanism`](Builder::mechanism) chooses another way. A password may
    /// have any character but CR, LF and NUL. A wrong one is sent once, however many
    /// [`workers`](Builder::workers) there are. It is wiped from memory with the last session.
    ///
    /// Of `login`, [`password`](Builder::password), [`oauth2`](Builder::oauth2) and
    /// [`preauthenticated`](Builder::preauthenticated) the last call counts.
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self.password(password)
    }

    /// Sets the password, for a user name that came with the URL.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.sign_in = Some(SignIn::Password(Secret::from(password.into())));
        self
    }

    /// Signs in by user name and OAuth 2.0 access token, with the mechanism OAUTHBEARER (RFC 7628)
    /// or, where the server does not have that, XOAUTH2.
    ///
    /// `token_provider` gives an access token that is good now, without `Bearer` in front of it. It
    /// may ask a token server, read a file, run a program.
    ///
    /// - **When.** It is called once for all sessions, before the first of them connects, and not
    ///   again until the server refuses a token that it took before: then the token has expired,
    ///   the provider is called once more, again for all, and sessions go on with the new token.
    ///   Sessions that are open are not touched by it. Never are two calls under way at a time.
    /// - **Where.** On the thread that opens the session: that of
    ///   [`connect`](Builder::connect), a worker's, or one that opens sessions ahead of need. No
    ///   lock is held. It may block; meanwhile sessions that need a token wait for it, and so
    ///   does whoever drops a run, so it should have a time-out of its own.
    /// - **Errors.** A failure of the provider is not a wrong password: it is an error of kind
    ///   [`Connect`](crate::ErrorKind::Connect), which has the provider's error as its
    ///   [source](std::error::Error::source) and is tried again as [`Retry`] says. So is a panic
    ///   in it. An empty token, or one with characters that no token has, such as the end of a
    ///   line, is an error of kind [`Config`](crate::ErrorKind::Config). A *new* token that the
    ///   server refuses is a verdict, of kind [`Auth`](crate::ErrorKind::Auth), with what the
    ///   server says about it: it holds for all sessions and nothing is tried again.
    ///
    /// The text of the provider's error becomes part of the crate's, so it should hold no secret.
    /// Tokens are wiped from memory when they are replaced and with the last session.
    ///
    /// Of `oauth2`, [`login`](Builder::login), [`password`](Builder::password) and
    /// [`preauthenticated`](Builder::preauthenticated) the last call counts.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::{io, process::Command};
    /// use parallel_mailbox::ParallelMailbox;
    ///
    /// let mailbox = ParallelMailbox::from_url("imaps://imap.example.org/INBOX")?
    ///     .oauth2("me@example.org", || -> io::Result<String> {
    ///         let output = Command::new("print-access-token").output()?;
    ///         if !output.status.success() {
    ///             return Err(io::Error::other("no token; sign in by the browser first"));
    ///         }
    ///         let token = String::from_utf8(output.stdout).map_err(io::Error::other)?;
    ///         Ok(token.trim_end().to_owned())
    ///     })
    ///     .connect()?;
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    pub fn oauth2<E>(
        mut self,
        user: impl Into<String>,
        token_provider: impl Fn() -> Result<String, E> + Send + Sync + 'static,
    ) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.user = Some(user.into());
        let provider = move || match token_provider() {
            Ok(token) => Ok(Secret::from(token)),
            Err(error) => Err::<_, Failure>(error.into()),
        };
        self.sign_in = Some(SignIn::Token(Arc::new(provider)));
        self
    }

    /// Signs in by nothing: the server must know who this is and greet with PREAUTH (RFC 9051,
    /// section 7.1.4), as one does that is reached through a tunnel or started as a process by
    /// [`connector`](Builder::connector).
    ///
    /// Such a greeting is taken only over a connection that is secure, or does not leave this machine:
    /// one of the crate's own to a loopback address, or a stream that [is
    /// secure](crate::Stream::is_secure) or [is local](crate::Stream::is_local). A server that wants a login after all is an error of kind
    /// [`Auth`](crate::ErrorKind::Auth).
    ///
    /// Where credentials are set, such a greeting is taken as well, and they are not sent.
    ///
    /// Of this, [`login`](Builder::login), [`password`](Builder::password) and
    /// [`oauth2`](Builder::oauth2) the last call counts.
    pub fn preauthenticated(mut self) -> Self {
        self.sign_in = Some(SignIn::Preauthenticated);
        self
    }

    /// Chooses the way to sign in. Where the server does not have it, that is an error of kind
    /// [`Auth`](crate::ErrorKind::Auth), and nothing secret is sent.
    ///
    /// Defaults to the command LOGIN, or PLAIN where that does not do, with a password, and to
    /// OAUTHBEARER, or XOAUTH2 where there is no such, with a token.
    pub fn mechanism(mut self, mechanism: Mechanism) -> Self {
        self.mechanism = Some(mechanism);
        self
    }

    /// Sets the mailbox by its name, as a person would write it. Defaults to `INBOX`.
    pub fn mailbox(mut self, name: impl Into<String>) -> Self {
        self.mailbox = name.into();
        self
    }

    /// Sets how many sessions are used at the most, and so how many threads: 1 to
    /// [`MAX_WORKERS`](Builder::MAX_WORKERS).
    ///
    /// Servers limit the sessions of an account: Gmail to 15, Dovecot to 10 by default, others to
    /// less, and a desktop client or a telephone needs some of them. If the server refuses one,
    /// the run goes on with those that it granted.
    ///
    /// Defaults to twice the number of CPUs, but at least 4 and at most 8. A worker is one thread,
    /// so closures that need CPU time want a worker for each CPU at least; a session mostly waits,
    /// so there may be more. The bounds are measured, with small and mixed messages, round trips
    /// of 0 to 100 ms, plain and over TLS (`BENCHMARKS.md`, "Sessions"): with four sessions a run is
    /// 1.06 to 2.8 times as fast as with one, the more the longer the way; eight gain another seventh
    /// at the most, from 50 ms on; sixteen were never faster than eight, and near a server with
    /// few CPUs up to a third slower, as its processes compete for them. On a
    /// server that is known to grant fewer, the default is as many as that. Eight leave something
    /// to the account's other clients on all others.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Sets the deadlines. Defaults to [`Timeouts::default`], all on.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets how much a server may send beside the messages. Defaults to [`Limits::default`], all
    /// on.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the largest message that is accepted, in octets. A larger one is an error of kind
    /// [`TooLarge`](crate::ErrorKind::TooLarge) in its place; it goes by without being held in memory.
    /// Defaults to 256 MiB.
    pub fn max_message_size(mut self, octets: u64) -> Self {
        self.max_message_size = octets;
        self
    }

    /// Sets how failures are tried again. Defaults to [`Retry::default`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Lets the server compress what it sends (COMPRESS=DEFLATE, RFC 4978), if it announces after
    /// the login that it can. A server that does not, or refuses, is read uncompressed, and nothing
    /// tells of it. Only with the feature `compress`.
    ///
    /// It pays where the link is slower than the server deflates and this CPU inflates. Text
    /// shrinks to a third or less; pictures and archives, in Base64, to three quarters. Over a line
    /// of 2 or of 20 MB/s that four sessions share, messages of about 4 KB took a third of the time
    /// and mixed mail with attachments three quarters. Without such a line it took more than
    /// ten times as long, because the server deflates, and inflating cost 0.07 s of CPU time for 25 MB. (The
    /// server of `testing` in another process, no latency, two cores of an AMD EPYC;
    /// `cargo test --release --test compress_cost -- --ignored --nocapture` measures it again.)
    ///
    /// Each session takes about half a megabyte more of memory, and one or two round trips more to
    /// open. All limits, such as [`max_message_size`](Builder::max_message_size), hold for what
    /// comes out.
    ///
    /// Who watches an encrypted connection sees lengths, and those of compressed octets tell
    /// something of what they say. Password and token are sent before the compression begins.
    ///
    /// Defaults to `false`.
    #[cfg(feature = "compress")]
    pub fn compress(mut self, compress: bool) -> Self {
        self.compress = compress;
        self
    }

    /// Calls `on_event` with whatever happens to the sessions, from the threads to which it
    /// happens. It should return quickly. Panics in it are ignored. Defaults to nothing.
    pub fn on_event(mut self, on_event: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Arc::new(on_event));
        self
    }

    /// Lets this end [`connect`](Builder::connect), and everything that is done with the mailbox
    /// after it: searches, and runs of every kind. Once it is used, all of these fail with an error
    /// of kind [`Cancelled`](crate::ErrorKind::Cancelled).
    ///
    /// ```no_run
    /// use parallel_mailbox::{Canceller, ParallelMailbox};
    ///
    /// let canceller = Canceller::new();
    /// let (handle, cancel) = (canceller.clone(), |canceller: Canceller| canceller.cancel());
    /// std::thread::spawn(move || cancel(handle));
    /// let mailbox = ParallelMailbox::builder("imap.example.org")
    ///     .login("me", "secret")
    ///     .canceller(&canceller)
    ///     .connect()?;
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    ///
    /// Defaults to none. A single run is ended by [`Matches::canceller`](crate::Matches::canceller)
    /// or [`Imap::canceller`](crate::Imap::canceller).
    pub fn canceller(mut self, canceller: &Canceller) -> Self {
        self.canceller = canceller.clone();
        self
    }

    /// Checks the settings, connects, signs in and opens the mailbox.
    ///
    /// # Errors
    ///
    /// | kind | because |
    /// |---|---|
    /// | `Config` | a setting cannot be used; nothing was sent |
    /// | `Connect` | the host cannot be found or refuses the connection, or there is no access token since its provider failed |
    /// | `Tls` | the certificate is not accepted, or TLS is not to be had this way at this port |
    /// | `Auth` | user name, password or token are refused, and were tried once only; the server wants some and there are none; or it has no way to sign in that can be used, and nothing secret was sent |
    /// | `SessionLimit` | the account has too many sessions already |
    /// | `Server` | the mailbox does not exist, or may not be opened |
    /// | `Timeout`, `Disconnected`, `Protocol` | what the names say |
    /// | `Cancelled` | the [canceller](Builder::canceller) was used |
    ///
    /// A connection that fails for a passing reason is tried three times, within about a second. A
    /// server that says itself that its reason passes, or asks for patience, is tried as often and
    /// waited for as long as [`retry`](Builder::retry) says.
    pub fn connect(self) -> Result<ParallelMailbox> {
        let settings = self.check()?;
        let (retry, stop) = (settings.retry, Stop::under(&settings.stop));
        let sessions = Arc::new(Sessions::new(settings));
        let mut attempt = 1;
        loop {
            let error = match sessions.check_out(&stop) {
                Ok(session) => {
                    session.give_back();
                    return Ok(ParallelMailbox::new(sessions));
                }
                Err(error) => error,
            };
            let Some(wait) = ask_again(&error, attempt, &retry) else {
                return Err(error.with_attempts(attempt));
            };
            attempt += 1;
            stop.sleep(wait);
        }
    }

    fn check(self) -> Result<Settings> {
        if self.host.is_empty() || self.host.contains(|c: char| c.is_control() || c == ' ') {
            return Err(Error::config(format!("{:?} is not a host name", self.host)));
        }
        let credentials = match (self.sign_in, self.user) {
            (Some(SignIn::Preauthenticated), _) => Credentials::Preauthenticated,
            (Some(SignIn::Password(password)), Some(user)) => {
                Credentials::Password { user, password }
            }
            (Some(SignIn::Token(provider)), Some(user)) => Credentials::Token { user, provider },
            (Some(_), None) => {
                return Err(Error::config(
                    "there is a password but no user name; put the name into the URL, as in \
                     imaps://me@imap.example.org (an `@` in the name is written `%40`), or set both \
                     by `login`",
                ));
            }
            (None, _) => {
                return Err(Error::config(
                    "no credentials; set user name and password by `login`, or only the password \
                     by `password` where the URL has the user name, or where access tokens come \
                     from by `oauth2`, or say by `preauthenticated` that the server needs none",
                ));
            }
        };
        credentials.check()?;
        if let Some(mechanism) = self.mechanism
            && !mechanism.fits(&credentials)
        {
            return Err(Error::config(format!(
                "{mechanism} does not sign in by what is set; choose another by `mechanism`"
            )));
        }
        let encoded_mailbox = crate::mailbox_name::encode(&self.mailbox)?;
        let workers = self.workers.unwrap_or_else(|| {
            (2 * num_cpus::get()).clamp(*DEFAULT_WORKERS.start(), *DEFAULT_WORKERS.end())
        });
        if !(1..=Self::MAX_WORKERS).contains(&workers) {
            return Err(Error::config(format!(
                "{workers} workers; it takes 1 to {}",
                Self::MAX_WORKERS
            )));
        }
        for (name, timeout) in self.timeouts.named() {
            if timeout.is_zero() {
                return Err(Error::config(format!(
                    "the time-out `{name}` is zero, which leaves no time for anything"
                )));
            }
        }
        for (name, limit, least) in self.limits.named() {
            if limit < least {
                return Err(Error::config(format!(
                    "the limit `{name}` is {limit}; it takes at least {least}"
                )));
            }
        }
        if self.retry.attempts == 0 {
            return Err(Error::config("0 attempts; it takes 1 to try at all"));
        }
        if self.max_message_size == 0 {
            return Err(Error::config(
                "a largest message of 0 octets lets nothing through",
            ));
        }
        // Reading the system's certificates takes tens of milliseconds. What the caller set is
        // looked into also where it will not be used.
        let is_needed = self.security != Security::DangerPlaintext || !self.trust.is_default();
        let roots = match is_needed {
            true => Some(Roots::new(&self.trust)?),
            false => None,
        };
        Ok(Settings {
            port: self.port.unwrap_or(self.security.default_port()),
            roots,
            host: self.host,
            security: self.security,
            connector: self.connector,
            credentials,
            mechanism: self.mechanism,
            mailbox: self.mailbox,
            encoded_mailbox,
            workers,
            are_workers_chosen: self.workers.is_some(),
            timeouts: self.timeouts,
            limits: self.limits.for_messages_of(self.max_message_size),
            retry: self.retry,
            max_message_size: self.max_message_size,
            #[cfg(feature = "compress")]
            compress: self.compress,
            on_event: Teller::new(self.on_event),
            stop: self.canceller.stop().clone(),
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither user nor password.
        f.debug_struct("Builder")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("trust", &self.trust)
            .field("mailbox", &self.mailbox)
            .field("workers", &self.workers)
            .field("timeouts", &self.timeouts)
            .field("limits", &self.limits)
            .field("max_message_size", &self.max_message_size)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
