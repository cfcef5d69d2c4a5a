//! What a run lives through, told as it happens.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;

/// Something that happened to the sessions of a mailbox or to a message.
///
/// [`Builder::on_event`](crate::Builder::on_event) takes a function that is called with each.
/// Events never hold a password, a token or the text of a message.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A session was opened: connected, signed in, mailbox selected.
    #[non_exhaustive]
    SessionOpened {
        /// How many sessions are open now, this one included.
        open: usize,
    },
    /// A session broke. What it had not delivered is fetched again by another.
    #[non_exhaustive]
    SessionLost {
        /// Why.
        error: Error,
    },
    /// A session could not be opened.
    #[non_exhaustive]
    SessionRefused {
        /// Why.
        error: Error,
        /// How long until the next try; `None` if there will be none, or if that depends on what
        /// becomes of the other sessions.
        retry_in: Option<Duration>,
    },
    /// The server asked to slow down. All workers wait, and one less goes on until it has been
    /// calm for a while.
    #[non_exhaustive]
    Throttled {
        /// How long they wait: what the server asked for, at most 5 minutes; or if it did not say,
        /// a second the first time and twice as long each time after that.
        pause: Duration,
    },
    /// Messages that a session was asked for and did not bring, since it broke or was given up,
    /// are back in the queue.
    #[non_exhaustive]
    ShardReturned {
        /// How many.
        messages: usize,
    },
    /// A message was found to be what breaks sessions: each of several that were asked for it
    /// alone broke. [`MessageFailed`](Event::MessageFailed) follows and says how.
    #[non_exhaustive]
    PoisonFound {
        /// The message.
        uid: crate::Uid,
        /// How many sessions it broke.
        sessions: u32,
    },
    /// The server no longer has a message that the SEARCH had found.
    #[non_exhaustive]
    MessageGone {
        /// The message.
        uid: crate::Uid,
    },
    /// A server's answer was odd, and could be used all the same: words among the numbers of a
    /// SEARCH, or an answer that leaves out what another brings.
    #[non_exhaustive]
    OddAnswer {
        /// What is odd.
        what: String,
    },
    /// A message could not be had, or the closure panicked on it. The run goes on.
    #[non_exhaustive]
    MessageFailed {
        /// Why. Its [`uid`](Error::uid) says which message.
        error: Error,
    },
}

/// One line for a log.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionOpened { open } => write!(f, "session opened, {open} now"),
            Self::SessionLost { error } => write!(f, "session lost: {error}"),
            Self::SessionRefused { error, retry_in } => {
                write!(f, "session refused: {error}")?;
                match retry_in {
                    Some(delay) => write!(f, "; next try in {delay:.1?}"),
                    None => f.write_str("; not tried again for now"),
                }
            }
            Self::Throttled { pause } => {
                write!(f, "the server asks to slow down; all wait for {pause:.1?}")
            }
            Self::ShardReturned { messages } => {
                write!(f, "{messages} messages are to be fetched again")
            }
            Self::PoisonFound { uid, sessions } => {
                write!(
                    f,
                    "message {uid} has broken {sessions} sessions and is given up"
                )
            }
            Self::MessageGone { uid } => write!(f, "message {uid} is gone"),
            Self::OddAnswer { what } => write!(f, "odd answer: {what}"),
            Self::MessageFailed { error } => write!(f, "failed: {error}"),
        }
    }
}

/// What is called with every event.
pub(crate) type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn reads_as_one_line_of_a_log() {
        let error = Error::new(ErrorKind::Disconnected, "FETCH");
        let refused = |retry_in| Event::SessionRefused {
            error: error.clone(),
            retry_in,
        };
        let later = refused(Some(Duration::from_millis(1500))).to_string();
        assert!(later.starts_with("session refused: ") && later.ends_with("; next try in 1.5s"));
        assert!(
            refused(None)
                .to_string()
                .ends_with("; not tried again for now")
        );
        let returned = Event::ShardReturned { messages: 7 };
        assert_eq!(returned.to_string(), "7 messages are to be fetched again");
    }
}
