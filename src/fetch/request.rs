//! What a FETCH asks for.

use std::num::NonZeroU32;

use super::tokens::Section;

/// How much of each message is fetched.
///
/// There is no more to choose from than this, because the rarer items of FETCH are where servers
/// break. Everything is asked for by `BODY.PEEK`, which leaves `\Seen` as it is.
///
/// Defaults to [`Fetch::full`].
///
/// ```no_run
/// # use parallel_mailbox::{Fetch, ParallelMailbox, Query};
/// # let mailbox = ParallelMailbox::builder("imap.example.org").login("me", "secret").connect()?;
/// let matches = mailbox.search(Query::all())?.fetch(Fetch::metadata());
/// let total: u64 = matches.map(|message| message.size())?.iter().sum();
/// # Ok::<(), parallel_mailbox::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fetch {
    extent: Extent,
    /// Also where the length of what comes is the size.
    with_size: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Extent {
    #[default]
    Full,
    Headers,
    Metadata,
    Partial(NonZeroU32),
}

impl Fetch {
    const fn of(extent: Extent) -> Self {
        Self {
            extent,
            with_size: false,
        }
    }

    /// The same, with the size that the server tells in any case.
    pub(crate) const fn with_size(mut self) -> Self {
        self.with_size = true;
        self
    }

    /// The whole message.
    #[must_use]
    pub const fn full() -> Self {
        Self::of(Extent::Full)
    }

    /// The headers, with the empty line after them.
    #[must_use]
    pub const fn headers() -> Self {
        Self::of(Extent::Headers)
    }

    /// No part of the message: only its UID, flags, date and size.
    /// [`Message::raw`](crate::Message::raw) is empty.
    #[must_use]
    pub const fn metadata() -> Self {
        Self::of(Extent::Metadata)
    }

    /// The first `max_octets` octets of the message, or all of it if it is shorter. With 0 the
    /// same as [`Fetch::metadata`].
    #[must_use]
    pub const fn partial(max_octets: u32) -> Self {
        match NonZeroU32::new(max_octets) {
            Some(max_octets) => Self::of(Extent::Partial(max_octets)),
            None => Self::metadata(),
        }
    }

    /// The items of the command (RFC 9051, section 6.4.5). UID comes first, because servers
    /// answer in the order they are asked, and it is good to know whose body is coming.
    pub(crate) fn items(self, has_gmail: bool) -> String {
        let gmail = match has_gmail {
            true => " X-GM-MSGID X-GM-THRID X-GM-LABELS",
            false => "",
        };
        let rest = match self.extent {
            // The literal's own length is the size; some servers open the message once more to
            // work out RFC822.SIZE.
            Extent::Full if self.with_size => " RFC822.SIZE BODY.PEEK[]".to_owned(),
            Extent::Full => " BODY.PEEK[]".to_owned(),
            Extent::Headers => " RFC822.SIZE BODY.PEEK[HEADER]".to_owned(),
            Extent::Metadata => " RFC822.SIZE".to_owned(),
            Extent::Partial(octets) => format!(" RFC822.SIZE BODY.PEEK[]<0.{octets}>"),
        };
        format!("(UID FLAGS INTERNALDATE{gmail}{rest})")
    }

    /// Whether an answer must carry a body.
    pub(crate) fn has_body(self) -> bool {
        self.extent != Extent::Metadata
    }

    /// Whether this is the part of a message that was asked for. Where a part begins, some servers
    /// repeat the command's `<0.100>` and not only the place (twisted, hoodiecrow).
    pub(super) fn is_body(self, section: Section<'_>) -> bool {
        let name = section.name.trim_ascii();
        let is_named = match self.extent {
            Extent::Full | Extent::Partial(_) => name.is_empty(),
            Extent::Headers => name.eq_ignore_ascii_case(b"HEADER"),
            Extent::Metadata => false,
        };
        is_named && matches!(section.origin, [] | [b'0'] | [b'0', b'.', ..])
    }

    /// Whether an answer must carry the size.
    pub(crate) fn has_size(self) -> bool {
        self.with_size || self.extent != Extent::Full
    }
}
