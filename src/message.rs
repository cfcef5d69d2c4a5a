//! A fetched message: its octets and what the server knows about it. Nothing of it is read unless
//! asked for, and nothing here reads it but for the caller. This folder alone names `mail_parser`.

mod attached_text;
mod attachment;
mod charset;
mod contents;
mod damage;
mod encoded_word;
mod field;
mod flags;
mod header;
mod html;
mod internal_date;
mod multipart;
mod name;
mod readable;
mod transfer;

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

pub use mail_parser;
use mail_parser::MessageParser;

pub use self::attachment::Attachment;
use self::contents::{Contents, Wanted};
pub use self::damage::Damage;
pub use self::flags::Flags;
pub(crate) use self::internal_date::{DateTime, parse_internal_date};
use crate::gmail::Gmail;
use crate::octets::Octets;
use crate::uid_set::Uid;

/// A message as it was fetched.
///
/// It owns its octets and can go anywhere: into a channel, another thread, a collection. Nothing
/// of it is parsed until [`parse`](Message::parse) is called.
pub struct Message {
    uid: Uid,
    flags: Flags,
    internal_date: Option<DateTime>,
    size: u64,
    raw: Octets,
    gmail: Option<Box<Gmail>>,
    /// The number under which [`is_dropped_by`] notices its end, or 0.
    watch: usize,
}

impl Message {
    pub(crate) fn new(
        uid: Uid,
        flags: Flags,
        internal_date: Option<DateTime>,
        size: u64,
        raw: Octets,
    ) -> Self {
        Self {
            uid,
            flags,
            internal_date,
            size,
            raw,
            gmail: None,
            watch: 0,
        }
    }

    pub(crate) fn with_gmail(mut self, gmail: Option<Box<Gmail>>) -> Self {
        self.gmail = gmail;
        self
    }

    /// Returns the message's UID.
    #[must_use]
    pub fn uid(&self) -> Uid {
        self.uid
    }

    /// Returns the flags at the time of the FETCH.
    #[must_use]
    pub fn flags(&self) -> &Flags {
        &self.flags
    }

    /// Returns when the server received the message (RFC 9051, section 2.3.3), or `None` if the
    /// server gave no date that can be understood.
    ///
    /// This is not the `Date` header, which is whatever the sender wrote.
    #[must_use]
    pub fn internal_date(&self) -> Option<DateTime> {
        self.internal_date
    }

    /// Returns the size of the whole message in octets.
    ///
    /// With [`Fetch::full`](crate::Fetch::full) it is the length of [`raw`](Message::raw).
    /// Otherwise it is what the server claims (RFC822.SIZE), and servers are known to be wrong.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the octets of the message, or of the part of it that
    /// [`Fetch`](crate::Fetch) asked for, exactly as the server sent them.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Returns what Gmail alone knows about the message, or `None` if the server is another.
    #[must_use]
    pub fn gmail(&self) -> Option<&Gmail> {
        self.gmail.as_deref()
    }

    /// Takes the octets out. Those of a message of 128 KiB to 8 MiB are copied, since they stand in
    /// memory that the run uses again.
    #[must_use]
    pub fn into_raw(mut self) -> Vec<u8> {
        // The octets live on.
        self.watch = 0;
        std::mem::take(&mut self.raw).into_vec()
    }

    /// Parses the message: headers, text parts, attachments.
    ///
    /// Returns `None` where there is not a single header. A damaged message is parsed as far as
    /// it makes sense. For the text and the attachments alone, [`text`](Message::text) and
    /// [`attachments`](Message::attachments) read more of it, as plain values.
    #[must_use]
    pub fn parse(&self) -> Option<mail_parser::Message<'_>> {
        MessageParser::default().parse(self.raw())
    }

    /// Parses the headers alone, which is much quicker than [`parse`](Message::parse).
    ///
    /// Returns `None` where there is not a single header.
    #[must_use]
    pub fn parse_headers(&self) -> Option<mail_parser::Message<'_>> {
        MessageParser::default().parse_headers(self.raw())
    }

    /// Returns the text that a person would read: the plain text, or that of HTML where there is
    /// nothing else, as lines, and empty if there is none. Quotations in HTML begin with `> `.
    ///
    /// Texts that are attached or forwarded are not in it; see
    /// [`Attachment::text`]. It reads more than [`parse`](Message::parse) does where a message is
    /// damaged or lies about its charset; [`damage`](Message::damage) tells what could not be read.
    #[must_use]
    pub fn text(&self) -> String {
        Contents::of(self.raw(), Wanted::Text).into_text()
    }

    /// Returns everything that is not the text of the message: files, pictures within the text,
    /// calendars, signatures, and forwarded messages with what is attached to these.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parallel_mailbox::Message;
    /// fn save_pictures(message: &Message, folder: &std::path::Path) -> std::io::Result<()> {
    ///     for attachment in message.attachments() {
    ///         if attachment.content_type().starts_with("image/") {
    ///             // Several may have one name, but never a name that leads out of the folder.
    ///             let name = format!("{}-{}", message.uid(), attachment.name());
    ///             std::fs::write(folder.join(name), attachment.bytes())?;
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn attachments(&self) -> Vec<Attachment> {
        Contents::of(self.raw(), Wanted::Attachments).attachments
    }

    /// Returns what [`text`](Message::text) and [`attachments`](Message::attachments) could not read
    /// as the message says, or what may be incomplete; empty for nearly every message.
    #[must_use]
    pub fn damage(&self) -> Vec<Damage> {
        Contents::of(self.raw(), Wanted::All).damage
    }
}

impl Clone for Message {
    fn clone(&self) -> Self {
        Self {
            uid: self.uid,
            flags: self.flags.clone(),
            internal_date: self.internal_date,
            size: self.size,
            raw: self.raw.clone(),
            gmail: self.gmail.clone(),
            watch: 0,
        }
    }
}

/// Counts the messages that were watched: two mailboxes share UIDs.
static WATCHES: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The message whose end this thread is interested in, and whether it has come.
    static WATCHED: Cell<(usize, bool)> = const { Cell::new((0, false)) };
}

impl Drop for Message {
    fn drop(&mut self) {
        if self.watch > 0 {
            // The thread may be ending; then nobody is interested.
            let _ = WATCHED.try_with(|watched| {
                if watched.get().0 == self.watch {
                    watched.set((self.watch, true));
                }
            });
        }
    }
}

/// Gives the message to `function` and tells whether it was dropped within it, on this thread. If
/// so, what the function returned does not hold the message's octets.
pub(crate) fn is_dropped_by<T>(
    mut message: Message,
    function: impl FnOnce(Message) -> T,
) -> (T, bool) {
    let watch = WATCHES.fetch_add(1, Ordering::Relaxed) + 1;
    message.watch = watch;
    let before = WATCHED.replace((watch, false));
    let value = function(message);
    let (_, is_dropped) = WATCHED.replace(before);
    (value, is_dropped)
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the octets, which are private and may be many.
        f.debug_struct("Message")
            .field("uid", &self.uid)
            .field("flags", &self.flags)
            .field("size", &self.size)
            .field("octets", &self.raw.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_message_is_noticed_unless_its_octets_live_on() {
        let uid = Uid::new(7).unwrap();
        let message = || Message::new(uid, Flags::default(), None, 3, b"abc".to_vec().into());
        let ends = |function: fn(Message) -> Option<Message>| is_dropped_by(message(), function).1;
        assert!(ends(|_| None));
        assert!(!ends(Some));
        assert!(!ends(|message| {
            let _copy_that_goes = message.clone();
            Some(message)
        }));
        assert!(!is_dropped_by(message(), Message::into_raw).1);
        // Another with the same UID.
        let (_, is_dropped) = is_dropped_by(message(), |kept| {
            drop(message());
            kept
        });
        assert!(!is_dropped);
    }
}
