//! A message to put into the server: its octets and what IMAP keeps beside them. Cloning shares the
//! octets.

use std::fmt;
use std::sync::Arc;

use super::flags::FlagSet;

/// 2026-01-01 00:00:00 UTC, in seconds since 1970: fixed, so that a test sees the same every day.
const DEFAULT_INTERNAL_DATE: i64 = 1_767_225_600;

/// A message for the [`Server`](super::Server): any octets, a UID, flags and an internal date.
///
/// Made from text or octets with `into()`; a clone shares the octets, so the same message can be
/// put into a mailbox a million times.
///
/// # Examples
///
/// ```
/// use parallel_mailbox::testing::TestMessage;
///
/// let message = TestMessage::new("Subject: hello\r\n\r\nworld\r\n").uid(17).flag("\\Seen");
/// assert_eq!(message.raw().len(), 25);
/// ```
#[derive(Clone)]
#[must_use]
pub struct TestMessage {
    pub(super) raw: Arc<[u8]>,
    pub(super) uid: Option<u32>,
    pub(super) flags: FlagSet,
    pub(super) internal_date: i64,
    pub(super) labels: Option<Arc<Vec<String>>>,
}

impl TestMessage {
    /// Makes a message of these octets: text, a slice, a `Vec<u8>` or an `Arc<[u8]>`.
    ///
    /// They are served as they stand, whatever they are: empty, with NUL, with bare line feeds.
    pub fn new(raw: impl Into<Self>) -> Self {
        raw.into()
    }

    /// Gives the message this UID, which leaves a gap in the mailbox where it is not the next one.
    ///
    /// UIDs ascend (RFC 9051, section 2.3.1.1): one that is not above the last of the mailbox is
    /// replaced by the next free one. Defaults to the next free UID.
    pub fn uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// Sets a flag: `\Seen`, `\Flagged`, `\Answered`, `\Deleted`, `\Draft` or a keyword. Defaults to none.
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.insert(flag);
        self
    }

    /// Adds a label of Gmail, in UTF-8; only [`Persona::Gmail`](super::Persona::Gmail) shows it.
    /// Defaults to none.
    pub fn label(mut self, label: &str) -> Self {
        Arc::make_mut(self.labels.get_or_insert_default()).push(label.to_owned());
        self
    }

    /// Sets INTERNALDATE, in seconds since 1970-01-01 00:00:00 UTC. Defaults to 2026-01-01 00:00:00 UTC.
    pub fn internal_date(mut self, unix_seconds: i64) -> Self {
        self.internal_date = unix_seconds;
        self
    }

    /// The octets of the message.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The flags, as on the wire.
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        self.flags.names()
    }
}

impl fmt::Debug for TestMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The octets can be megabytes; a failing assertion must stay readable.
        f.debug_struct("TestMessage")
            .field("octets", &self.raw.len())
            .field("uid", &self.uid)
            .field("flags", &self.flags.names())
            .field("internal_date", &self.internal_date)
            .finish()
    }
}

impl From<Arc<[u8]>> for TestMessage {
    fn from(raw: Arc<[u8]>) -> Self {
        Self {
            raw,
            uid: None,
            flags: FlagSet::default(),
            internal_date: DEFAULT_INTERNAL_DATE,
            labels: None,
        }
    }
}

impl From<Vec<u8>> for TestMessage {
    fn from(raw: Vec<u8>) -> Self {
        Arc::<[u8]>::from(raw).into()
    }
}

impl From<&[u8]> for TestMessage {
    fn from(raw: &[u8]) -> Self {
        Arc::<[u8]>::from(raw).into()
    }
}

impl<const N: usize> From<&[u8; N]> for TestMessage {
    fn from(raw: &[u8; N]) -> Self {
        raw.as_slice().into()
    }
}

impl From<&str> for TestMessage {
    fn from(raw: &str) -> Self {
        raw.as_bytes().into()
    }
}

impl From<String> for TestMessage {
    fn from(raw: String) -> Self {
        raw.into_bytes().into()
    }
}

impl From<&TestMessage> for TestMessage {
    fn from(message: &TestMessage) -> Self {
        message.clone()
    }
}
