//! What client and server say to each other between AUTHENTICATE and its outcome. While it lasts,
//! the reading half of the connection takes lines for answers and not for commands.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

/// The end that asks. When it is dropped, commands follow.
#[derive(Debug)]
pub(super) struct Dialogue {
    asking: Sender<()>,
    answers: Receiver<Answer>,
}

/// The end that reads what the client answers.
#[derive(Debug)]
pub(super) struct Listening {
    asked: Receiver<()>,
    answering: Sender<Answer>,
}

/// What a client answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// `None` where the client gave up, or said something that is no answer.
    pub(super) octets: Option<Vec<u8>>,
    /// When its last octet was here.
    pub(super) at: Instant,
}

/// Both ends.
pub(super) fn dialogue() -> (Dialogue, Listening) {
    let (asking, asked) = channel();
    let (answering, answers) = channel();
    (Dialogue { asking, answers }, Listening { asked, answering })
}

impl Dialogue {
    /// Waits for the answer to a challenge that the client has; `None` when the client is gone.
    pub(super) fn hear(&self) -> Option<Answer> {
        self.asking.send(()).ok()?;
        self.answers.recv().ok()
    }
}

impl Listening {
    /// Waits until an answer is wanted; false when there are only commands to come.
    pub(super) fn is_wanted(&self) -> bool {
        self.asked.recv().is_ok()
    }

    pub(super) fn answer(&self, octets: Option<Vec<u8>>, at: Instant) {
        // An error means that nobody waits any more.
        let _ = self.answering.send(Answer { octets, at });
    }
}
