//! What Gmail alone knows about a message.

/// Gmail's own attributes of a message, from a server that announces X-GM-EXT-1
/// (<https://developers.google.com/gmail/imap/imap-extensions>).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gmail {
    pub(crate) message_id: u64,
    pub(crate) thread_id: u64,
    pub(crate) labels: Vec<String>,
}

impl Gmail {
    /// Returns the number that the message has in all mailboxes of the account (X-GM-MSGID). In
    /// Gmail's web pages it stands in hexadecimal.
    #[must_use]
    pub fn message_id(&self) -> u64 {
        self.message_id
    }

    /// Returns the number that all messages of the conversation have (X-GM-THRID).
    #[must_use]
    pub fn thread_id(&self) -> u64 {
        self.thread_id
    }

    /// Returns the labels (X-GM-LABELS), as a person would write them; Gmail's own begin with a
    /// backslash, such as `\Important`. That of the mailbox itself is not among them.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }
}
