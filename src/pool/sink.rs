//! Where a worker's results go.

use super::shard::Slot;
use crate::error::Error;
use crate::message::Message;

/// What becomes of one position.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) slot: Slot,
    pub(crate) content: Content,
    /// Octets held in the budget for it; to be given back with [`Run::settle`](super::Run::settle).
    pub(crate) held: u64,
}

#[derive(Debug)]
pub(crate) enum Content {
    Message(Message),
    Gone,
    Failed(Error),
}

/// Takes what a worker brings.
pub(crate) trait Sink {
    /// Takes one arrival, and calls the caller's closure if it is a message.
    fn take(&mut self, arrival: Arrival);

    /// Lets out whatever was held back.
    fn let_out(&mut self);
}

/// Proves that nothing is held back: others may be waiting for it. So whatever waits for others
/// asks for one.
#[derive(Debug)]
pub(crate) struct Flushed(());

impl Flushed {
    pub(crate) fn new(sink: &mut dyn Sink) -> Self {
        sink.let_out();
        Self(())
    }
}
