//! An attachment as a plain value. What it is called and how it may be shown is decided here, which
//! parts are attachments is not.

use std::fmt;

use crate::message::damage::Damage;
use crate::message::name::safe;

/// Something that came with a message: a file, a picture within the text, a message that was
/// forwarded. See [`Message::attachments`](crate::Message::attachments).
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    number: String,
    sent_name: Option<String>,
    name: String,
    content_type: String,
    bytes: Vec<u8>,
    pub(crate) charset: Option<String>,
    pub(crate) damage: Option<Damage>,
}

impl Attachment {
    pub(crate) fn new(
        number: &str,
        sent_name: Option<String>,
        content_type: &str,
        bytes: Vec<u8>,
    ) -> Self {
        Self {
            number: number.to_owned(),
            name: safe(sent_name.as_deref().unwrap_or_default(), content_type),
            sent_name,
            content_type: content_type.to_owned(),
            bytes,
            charset: None,
            damage: None,
        }
    }

    /// Returns a name that is safe to show and to give to a file: the last part of a path, without
    /// characters that act on a terminal or that a file system refuses, at most 100 bytes long, and
    /// never empty. Where the sender gave no name it is `attachment.pdf` or the like.
    ///
    /// Several attachments may have the same name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name as the sender wrote it, which may be anything, or `None` if there is none.
    #[must_use]
    pub fn sent_name(&self) -> Option<&str> {
        self.sent_name.as_deref()
    }

    /// Returns what the sender says that it is, in small letters, such as `image/png`.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Returns the number of its part (RFC 9051, section 6.4.5.1): `2` is the second part of the
    /// message, `2.1` the first one of a message that is its second part.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// Returns what the sender attached, decoded from what it was encoded in. Text is in the sender's
    /// charset.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes the bytes out.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns what is wrong with the bytes, or `None` if they were decoded as the message says.
    #[must_use]
    pub fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the bytes, which are private and may be many.
        f.debug_struct("Attachment")
            .field("number", &self.number)
            .field("name", &self.name)
            .field("content_type", &self.content_type)
            .field("bytes", &self.bytes.len())
            .field("damage", &self.damage)
            .finish_non_exhaustive()
    }
}
