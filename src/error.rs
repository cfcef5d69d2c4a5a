//! The one error type of the crate: what went wrong, with which message, after how many attempts.
//!
//! Text that came from a server is shortened and escaped here, before anything can print it.
//! Nothing in this module ever holds a password or a token.

use std::fmt;
use std::sync::Arc;

use crate::refusal::Refusal;
use crate::status::Condition;
use crate::uid_set::Uid;

/// A `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
///
/// The variants say what kind of failure it is, and so what can be done about it. The text of an
/// [`Error`] says the rest: which host, which limit, what the server answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting, a URL, a query or a name that cannot be used. Found before anything is sent.
    #[error("invalid configuration")]
    Config,
    /// No connection to the host: the name is unknown, the port refuses, nothing answers. Or no
    /// access token to go there with, since its [provider](crate::Builder::oauth2) failed.
    #[error("cannot connect")]
    Connect,
    /// No secure connection: the certificate is not accepted, or STARTTLS is not to be had.
    #[error("no secure connection")]
    Tls,
    /// The server refuses the user name, the password or the token, or has no way to sign in that
    /// can be used. It is never tried again, because servers lock accounts after a few wrong
    /// passwords.
    #[error("authentication refused")]
    Auth,
    /// No further session is to be had: the server's limit on connections is reached, or all
    /// sessions of this [`ParallelMailbox`](crate::ParallelMailbox) are busy.
    #[error("no session available")]
    SessionLimit,
    /// The server asks to slow down.
    #[error("throttled by the server")]
    Throttled,
    /// A deadline of [`Timeouts`](crate::Timeouts) passed. The text names the phase.
    #[error("timed out")]
    Timeout,
    /// The connection broke, or the server closed it.
    #[error("disconnected")]
    Disconnected,
    /// The server sent something that is not IMAP, or more of it than the caps allow.
    #[error("protocol error")]
    Protocol,
    /// The server answered NO or BAD to a command.
    #[non_exhaustive]
    #[error("refused by the server{}: {text}", code_suffix(.code))]
    Server {
        /// The response code in square brackets, without them, such as `NONEXISTENT`
        /// (RFC 9051, section 7.1), if the answer had one.
        code: Option<String>,
        /// The text of the answer, at most 256 characters, control characters escaped.
        text: String,
    },
    /// The mailbox is another one than at the start of the run, because it was deleted and made
    /// anew (RFC 9051, section 2.3.1.1). UIDs of the old one mean nothing in the new one.
    #[error("UIDVALIDITY changed from {expected} to {found}")]
    UidValidityChanged {
        /// The UIDVALIDITY when the mailbox was opened.
        expected: u32,
        /// The UIDVALIDITY now.
        found: u32,
    },
    /// The server has the message but did not send its body, also when asked again.
    #[error("the server sent no body")]
    NoBody,
    /// The message is larger than
    /// [`max_message_size`](crate::Builder::max_message_size) allows. It was not held in memory.
    #[error("message of {size} octets is larger than the limit of {limit} octets")]
    TooLarge {
        /// The size that the server announced, in octets.
        size: u64,
        /// The limit, in octets.
        limit: u64,
    },
    /// The caller's closure panicked on this message.
    #[error("the closure panicked")]
    Panicked,
    /// The run, the search or the connection attempt was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A mistake of this crate, noticed before it could do harm. The report is right.
    #[error("internal error")]
    Internal,
}

fn code_suffix(code: &Option<String>) -> String {
    code.as_ref()
        .map(|code| format!(" [{code}]"))
        .unwrap_or_default()
}

/// An error of this crate.
///
/// [`kind`](Error::kind) is for programs, the text is for people. An error that concerns one
/// message knows its [`uid`](Error::uid).
#[derive(Clone)]
pub struct Error {
    // Boxed, so that a `Result<T, Error>` is as small as a pointer where `T` is.
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    context: String,
    uid: Option<Uid>,
    attempts: u32,
    /// It ended a run, though it concerns a message.
    ended_the_run: bool,
    /// What the server's refusal means, if it is one.
    refusal: Option<Refusal>,
    // Shared, because a message's error is an item of the iterator and a line of the report.
    source: Option<Arc<dyn std::error::Error + Send + Sync + 'static>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        let context = context.into();
        Self {
            inner: Box::new(Inner {
                kind,
                context,
                uid: None,
                attempts: 1,
                ended_the_run: false,
                refusal: None,
                source: None,
            }),
        }
    }

    pub(crate) fn config(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, context)
    }

    pub(crate) fn protocol(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, context)
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "")
    }

    /// A refusal: an answer NO or BAD, or a BYE. `text` is what the server wrote, of any length and
    /// content.
    pub(crate) fn refused(
        condition: Condition,
        code: Option<String>,
        text: &[u8],
        context: impl Into<String>,
    ) -> Self {
        let refusal = Refusal::of(condition, code.as_deref(), text).unwrap_or(Refusal::Unknown);
        Self::refused_as(refusal, condition, code, text, context)
    }

    /// The same with a text that is not all that the server wrote, but whose meaning is known.
    pub(crate) fn refused_as(
        refusal: Refusal,
        condition: Condition,
        code: Option<String>,
        text: &[u8],
        context: impl Into<String>,
    ) -> Self {
        let kind = match refusal {
            Refusal::Throttled(_) | Refusal::Limit => Some(ErrorKind::Throttled),
            Refusal::SessionLimit => Some(ErrorKind::SessionLimit),
            _ if condition == Condition::Bye => Some(ErrorKind::Disconnected),
            _ => None,
        };
        let error = match kind {
            Some(kind) => {
                let code = code.map(|code| format!("[{code}] ")).unwrap_or_default();
                Self::new(kind, format!("{code}{}", excerpt(text))).in_context(context.into())
            }
            None => {
                let text = excerpt(text);
                Self::new(ErrorKind::Server { code, text }, context)
            }
        };
        error.with_refusal(refusal)
    }

    pub(crate) fn with_source(
        mut self,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        self.inner.source = Some(Arc::new(source));
        self
    }

    pub(crate) fn with_shared_source(
        mut self,
        source: Arc<dyn std::error::Error + Send + Sync + 'static>,
    ) -> Self {
        self.inner.source = Some(source);
        self
    }

    pub(crate) fn with_uid(mut self, uid: Uid) -> Self {
        self.inner.uid = Some(uid);
        self
    }

    pub(crate) fn that_ended_the_run(mut self) -> Self {
        self.inner.ended_the_run = true;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.inner.attempts = attempts;
        self
    }

    pub(crate) fn with_refusal(mut self, refusal: Refusal) -> Self {
        self.inner.refusal = Some(refusal);
        self
    }

    /// Where a session is being opened, a limit that the server does not name is one of sessions.
    pub(crate) fn with_limit_of_sessions(mut self) -> Self {
        if self.inner.refusal == Some(Refusal::Limit) {
            self.inner.refusal = Some(Refusal::SessionLimit);
            self.inner.kind = ErrorKind::SessionLimit;
        }
        self
    }

    /// What the server's refusal means, if the error is one.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.inner.refusal
    }

    /// Whether the server fell silent, or as good as.
    pub(crate) fn is_timeout(&self) -> bool {
        self.inner.kind == ErrorKind::Timeout
    }

    /// Puts words in front of the context, the outer circumstance first.
    pub(crate) fn in_context(mut self, outer: impl fmt::Display) -> Self {
        self.inner.context = if self.inner.context.is_empty() {
            outer.to_string()
        } else {
            format!("{outer}: {}", self.inner.context)
        };
        self
    }

    /// Puts words behind the context.
    pub(crate) fn followed_by(mut self, words: impl fmt::Display) -> Self {
        self.inner.context += &words.to_string();
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.inner.kind
    }

    /// The message that the error concerns, if it concerns one and not the run.
    #[must_use]
    pub fn uid(&self) -> Option<Uid> {
        self.inner.uid
    }

    /// How many times it was tried, at least 1.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.inner.attempts
    }

    /// Whether the error has ended its run, or whatever else returned it: it concerns no single
    /// message, or it is what a run such as [`map`](crate::Matches::map) stopped at.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.inner.uid.is_none() || self.inner.ended_the_run
    }

    /// Whether the same call may succeed later without a change of settings or credentials.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        if let Some(refusal) = self.inner.refusal {
            return refusal.may_pass();
        }
        matches!(
            self.inner.kind,
            ErrorKind::Connect
                | ErrorKind::SessionLimit
                | ErrorKind::Throttled
                | ErrorKind::Timeout
                | ErrorKind::Disconnected
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(uid) = self.inner.uid {
            write!(f, "message with UID {uid}: ")?;
        }
        write!(f, "{}", self.inner.kind)?;
        if !self.inner.context.is_empty() {
            write!(f, ": {}", self.inner.context)?;
        }
        if self.inner.attempts > 1 {
            write!(f, " (after {} attempts)", self.inner.attempts)?;
        }
        Ok(())
    }
}

/// As `Display`, since this is what a program shows whose `main` returns the error; `{:#?}` shows the
/// parts.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        let mut debug = f.debug_struct("Error");
        debug
            .field("kind", &self.inner.kind)
            .field("context", &self.inner.context);
        if let Some(uid) = self.inner.uid {
            debug.field("uid", &uid);
        }
        debug.field("attempts", &self.inner.attempts);
        if let Some(source) = &self.inner.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

/// How many characters of a server's text an error keeps.
const EXCERPT_CHARS: usize = 256;

/// What a server sent, made safe to print: shortened, with everything escaped that could move a
/// terminal's cursor or break a line of a log.
pub(crate) fn excerpt(text: &[u8]) -> String {
    let head = &text[..text.len().min(4 * EXCERPT_CHARS)];
    let head = String::from_utf8_lossy(head);
    let mut shown = String::new();
    let mut chars = head.trim_end().chars();
    for character in chars.by_ref().take(EXCERPT_CHARS) {
        // Also the marks that turn the direction of writing, which `is_control` does not cover.
        if character.is_control()
            || matches!(character, '\u{200e}'..='\u{202f}' | '\u{2060}'..='\u{206f}')
        {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if chars.next().is_some() || head.len() < text.len() && text.len() > 4 * EXCERPT_CHARS {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_whose_main_returns_it_shows_words_and_the_parts_are_there_for_who_wants_them() {
        let error = Error::new(ErrorKind::Connect, "no way there");
        assert_eq!(format!("{error:?}"), error.to_string());
        let parts = format!("{error:#?}");
        assert!(
            parts.contains("kind: Connect") && parts.contains("no way there"),
            "{parts}"
        );
    }

    #[test]
    fn says_uid_kind_context_and_attempts_in_that_order() {
        let uid = Uid::new(7).unwrap();
        let error = Error::new(ErrorKind::NoBody, "asked twice")
            .with_uid(uid)
            .with_attempts(2);
        assert_eq!(
            error.to_string(),
            "message with UID 7: the server sent no body: asked twice (after 2 attempts)"
        );
        assert!(!error.is_fatal());
    }

    #[test]
    fn escapes_and_shortens_what_a_server_said() {
        let code = Some("INUSE".into());
        let error = Error::refused(Condition::No, code, b"a\x1b[31mb\r\nc", "SEARCH");
        assert_eq!(
            error.to_string(),
            "refused by the server [INUSE]: a\\u{1b}[31mb\\r\\nc: SEARCH"
        );
        assert!(error.is_retryable());
        let long = excerpt(&[b'x'; 100_000]);
        assert_eq!(long.chars().count(), EXCERPT_CHARS + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn is_as_small_as_a_pointer_and_can_cross_threads() {
        fn check<T: Send + Sync + 'static>() {}
        check::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
