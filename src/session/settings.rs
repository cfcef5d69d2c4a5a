//! All that is needed to open a session, checked once.

use std::fmt;
use std::sync::Arc;

use crate::credentials::Credentials;
use crate::event::{Event, Listener};
use crate::limits::{Limits, Retry, Timeouts};
use crate::stop::Stop;
use crate::transport::{Connect, Roots};

/// How a connection is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Security {
    /// TLS from the first octet (RFC 8314), on port 993 unless another is set. The default.
    ///
    /// A handshake costs each session one round trip with TLS 1.3, and less than a millisecond of
    /// CPU time. Sessions do not resume one another's handshakes: with TLS 1.3 that would save no
    /// round trip, and 0.3 to 0.4 ms. The system's certificates are read once, in
    /// [`connect`](crate::Builder::connect), which takes about 36 ms. (OpenSSL 3.0, server on
    /// loopback, AMD EPYC;
    /// `cargo test --release --test tls cost -- --ignored --nocapture` measures it again.)
    #[default]
    Tls,
    /// TLS after the STARTTLS command (RFC 9051, section 6.2.1), on port 143 unless another is
    /// set. It is asked for whether the server announces it or not, because somebody on the way
    /// could strip the announcement. If the server refuses, nothing further is sent and the error
    /// is of kind [`Tls`](crate::ErrorKind::Tls). Whatever the server said before TLS is forgotten.
    StartTls,
    /// No protection: everybody on the way reads the password and the mail. For tests, and for
    /// servers on the same machine. On port 143 unless another is set.
    DangerPlaintext,
}

impl Security {
    pub(crate) fn default_port(self) -> u16 {
        match self {
            Self::Tls => 993,
            Self::StartTls | Self::DangerPlaintext => 143,
        }
    }
}

/// A way to sign in, to be chosen by [`Builder::mechanism`](crate::Builder::mechanism). It shows as
/// servers announce it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mechanism {
    /// The command LOGIN (RFC 9051, section 6.2.3), with the password in it.
    Login,
    /// AUTHENTICATE PLAIN (RFC 4616), which shows the password as well.
    Plain,
    /// AUTHENTICATE SCRAM-SHA-256 (RFC 7677). The password never leaves this machine, and the server
    /// shows that it knows it. Only with the feature `scram`.
    ///
    /// A server may announce it without a secret of that kind for the account, and then refuses. That
    /// is an error of kind [`Auth`](crate::ErrorKind::Auth); nothing weaker is tried in its place.
    #[cfg(feature = "scram")]
    ScramSha256,
    /// AUTHENTICATE OAUTHBEARER (RFC 7628), with an access token.
    OAuthBearer,
    /// AUTHENTICATE XOAUTH2, what Google and Microsoft had before there was an RFC.
    XOAuth2,
}

impl Mechanism {
    /// Whether it signs in by these.
    pub(crate) fn fits(self, credentials: &Credentials) -> bool {
        let takes_token = matches!(self, Self::OAuthBearer | Self::XOAuth2);
        match credentials {
            Credentials::Preauthenticated => true,
            Credentials::Password { .. } => !takes_token,
            Credentials::Token { .. } => takes_token,
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Login => "LOGIN",
            Self::Plain => "PLAIN",
            #[cfg(feature = "scram")]
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::XOAuth2 => "XOAUTH2",
        })
    }
}

pub(crate) struct Settings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) connector: Option<Arc<dyn Connect>>,
    /// Absent where no TLS is asked for.
    pub(crate) roots: Option<Roots>,
    pub(crate) credentials: Credentials,
    /// Chosen by the caller.
    pub(crate) mechanism: Option<Mechanism>,
    /// As the caller wrote it.
    pub(crate) mailbox: String,
    /// As it goes over the wire.
    pub(crate) encoded_mailbox: String,
    pub(crate) workers: usize,
    /// The caller has said how many.
    pub(crate) are_workers_chosen: bool,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    pub(crate) retry: Retry,
    pub(crate) max_message_size: u64,
    #[cfg(feature = "compress")]
    pub(crate) compress: bool,
    pub(crate) on_event: Teller,
    /// Ends everything.
    pub(crate) stop: Stop,
}

impl Settings {
    pub(super) fn compresses(&self) -> bool {
        #[cfg(feature = "compress")]
        return self.compress;
        #[cfg(not(feature = "compress"))]
        false
    }

    pub(crate) fn emit(&self, event: &Event) {
        self.on_event.tell(event);
    }
}

/// Tells the caller what happens, if he wants to know.
#[derive(Clone)]
pub(crate) struct Teller(Option<Listener>);

impl Teller {
    pub(crate) fn new(listener: Option<Listener>) -> Self {
        Self(listener)
    }

    pub(super) fn tell(&self, event: &Event) {
        if let Some(on_event) = &self.0 {
            // A panic in it must not cost the run; there is nobody to tell about it.
            let _ = crate::unwind::catch(|| on_event(event));
        }
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller(..)")
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("mailbox", &self.mailbox)
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}
