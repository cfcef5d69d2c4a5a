//! What a run lives through, told as it happens.

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
    SessionOpened {
        /// How many sessions are open now, this one included.
        open: usize,
    },
    /// A session broke. What it had not delivered is fetched again by another.
    SessionLost {
        /// Why.
        error: Error,
    },
    /// A session could not be opened.
    SessionRefused {
        /// Why.
        error: Error,
        /// How long until the next try; `None` if there will be none.
        retry_in: Option<Duration>,
    },
    /// The server asked to slow down. All workers wait, and one less goes on afterwards.
    Throttled {
        /// How long they wait: what the server asked for, at most 5 minutes.
        pause: Duration,
    },
    /// Messages that a session was asked for and did not bring, since it broke or was given up,
    /// are back in the queue.
    ShardReturned {
        /// How many.
        messages: usize,
    },
    /// A message was found to be what breaks sessions: each of several that were asked for it
    /// alone broke. [`MessageFailed`](Event::MessageFailed) follows and says how.
    PoisonFound {
        /// The message.
        uid: crate::Uid,
        /// How many sessions it broke.
        sessions: u32,
    },
    /// The server no longer has a message that the SEARCH had found.
    MessageGone {
        /// The message.
        uid: crate::Uid,
    },
    /// A message could not be had, or the closure panicked on it. The run goes on.
    MessageFailed {
        /// Why. Its [`uid`](Error::uid) says which message.
        error: Error,
    },
}

/// What is called with every event.
pub(crate) type Listener = Arc<dyn Fn(&Event) + Send + Sync>;
