//! A fetched message: its octets and what the server knows about it. The only file that names
//! `mail_parser`.

use std::cell::Cell;
use std::fmt;

pub use mail_parser;
pub(crate) use mail_parser::DateTime;
use mail_parser::MessageParser;

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
    /// Whether its end is to be noticed by [`is_dropped_by`].
    is_watched: bool,
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
            is_watched: true,
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
        self.is_watched = false;
        std::mem::take(&mut self.raw).into_vec()
    }

    /// Parses the message: headers, text parts, attachments.
    ///
    /// Returns `None` where there is not a single header. A damaged message is parsed as far as
    /// it makes sense.
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
            is_watched: false,
        }
    }
}

thread_local! {
    /// The message whose end this thread is interested in, and whether it has come.
    static WATCHED: Cell<(Option<Uid>, bool)> = const { Cell::new((None, false)) };
}

impl Drop for Message {
    fn drop(&mut self) {
        if self.is_watched {
            // The thread may be ending; then nobody is interested.
            let _ = WATCHED.try_with(|watched| {
                if watched.get().0 == Some(self.uid) {
                    watched.set((Some(self.uid), true));
                }
            });
        }
    }
}

/// Runs `function` and tells whether the message was dropped within it, on this thread. If so,
/// what the function returned does not hold the message's octets.
pub(crate) fn is_dropped_by<T>(uid: Uid, function: impl FnOnce() -> T) -> (T, bool) {
    let before = WATCHED.replace((Some(uid), false));
    let value = function();
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

/// The flags of a message: IMAP's own, such as `\Seen`, and keywords (RFC 9051, section 2.3.2).
///
/// ```
/// # use parallel_mailbox::Message;
/// fn is_new(message: &Message) -> bool {
///     !message.flags().contains("\\Seen") && !message.flags().contains("$Junk")
/// }
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    // Nearly every message has only flags of this list, so that most cost no allocation.
    system: u8,
    keywords: Vec<Box<str>>,
}

const SYSTEM: [&str; 6] = [
    "\\Seen",
    "\\Answered",
    "\\Flagged",
    "\\Deleted",
    "\\Draft",
    "\\Recent",
];

impl Flags {
    pub(crate) fn insert(&mut self, flag: &str) {
        match SYSTEM
            .iter()
            .position(|system| system.eq_ignore_ascii_case(flag))
        {
            Some(bit) => self.system |= 1 << bit,
            None if !self.contains(flag) => self.keywords.push(flag.into()),
            None => {}
        }
    }

    /// Returns whether the flag is set. Case does not matter; a flag of IMAP's own begins with a
    /// backslash.
    #[must_use]
    pub fn contains(&self, flag: &str) -> bool {
        self.iter().any(|set| set.eq_ignore_ascii_case(flag))
    }

    /// Returns whether the message has been read.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.contains("\\Seen")
    }

    /// Returns whether the message is marked as important.
    #[must_use]
    pub fn is_flagged(&self) -> bool {
        self.contains("\\Flagged")
    }

    /// Returns the flags, IMAP's own first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let system = SYSTEM.into_iter().enumerate();
        let system = system
            .filter(|(bit, _)| self.system >> bit & 1 == 1)
            .map(|(_, name)| name);
        system.chain(self.keywords.iter().map(|keyword| &**keyword))
    }

    /// Returns whether no flag is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.system == 0 && self.keywords.is_empty()
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, flag) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(flag)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({self})")
    }
}

/// Reads an INTERNALDATE such as `17-Jul-1996 02:44:25 -0700` (RFC 9051, section 9,
/// `date-time`; the day may be padded with a space).
pub(crate) fn parse_internal_date(text: &str) -> Option<DateTime> {
    parse_strict_date(text.as_bytes()).or_else(|| parse_loose_date(text))
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The form of RFC 9051, to the letter: `17-Jul-1996 02:44:25 -0700`, the day perhaps with a space
/// before it. A tenth of the work, and nearly every server sends it.
fn parse_strict_date(text: &[u8]) -> Option<DateTime> {
    let text: &[u8; 26] = text.try_into().ok()?;
    let digit = |at: usize| text[at].is_ascii_digit().then(|| text[at] - b'0');
    let two = |at: usize| Some(digit(at)? * 10 + digit(at + 1)?);
    let marks = [
        (2, b'-'),
        (6, b'-'),
        (11, b' '),
        (14, b':'),
        (17, b':'),
        (20, b' '),
    ];
    if marks.iter().any(|(at, mark)| text[*at] != *mark) || !matches!(text[21], b'+' | b'-') {
        return None;
    }
    let month = MONTHS
        .iter()
        .position(|name| name.as_bytes() == &text[3..6])?;
    let date = DateTime {
        year: u16::from(two(7)?) * 100 + u16::from(two(9)?),
        month: month as u8 + 1,
        day: match text[0] {
            b' ' => digit(1)?,
            _ => two(0)?,
        },
        hour: two(12)?,
        minute: two(15)?,
        second: two(18)?,
        tz_before_gmt: text[21] == b'-',
        tz_hour: two(22)?,
        tz_minute: two(24)?,
    };
    date.is_valid().then_some(date)
}

/// The same with other numbers of digits, in any case, or without a zone.
fn parse_loose_date(text: &str) -> Option<DateTime> {
    let mut words = text.split_ascii_whitespace();
    let mut date = words.next()?.splitn(3, '-');
    let day = date.next()?.parse().ok()?;
    let month = date.next()?;
    let month = MONTHS
        .iter()
        .position(|name| name.eq_ignore_ascii_case(month))? as u8
        + 1;
    let year = date.next()?.parse().ok()?;
    let mut time = words
        .next()?
        .splitn(3, ':')
        .map(|part| part.parse::<u8>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let zone = words.next().unwrap_or("+0000");
    let date = DateTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
        tz_before_gmt: zone.starts_with('-'),
        tz_hour: zone.get(1..3)?.parse().ok()?,
        tz_minute: zone.get(3..5)?.parse().ok()?,
    };
    date.is_valid().then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strict_form_of_a_date_is_read_as_the_loose_one_is() {
        for text in [
            "17-Jul-1996 02:44:25 -0700",
            " 7-Dec-2026 23:59:59 +0000",
            "07-Jan-0001 00:00:00 +1400",
            "31-Feb-2026 02:44:25 -0700",
            "17-Jul-1996 24:44:25 -0700",
            "17-Jul-1996 02:44:25 -9999",
        ] {
            assert_eq!(text.len(), 26);
            assert_eq!(
                parse_strict_date(text.as_bytes()),
                parse_loose_date(text),
                "{text}"
            );
        }
        for loose in [
            "17-JUL-1996 02:44:25 -0700",
            "1-Jul-1996 02:44:25 -0700",
            "17-Jul-1996 02:44:25",
        ] {
            assert_eq!(parse_strict_date(loose.as_bytes()), None);
            assert!(parse_loose_date(loose).is_some(), "{loose}");
        }
    }

    #[test]
    fn reads_internal_dates() {
        let date = parse_internal_date("17-Jul-1996 02:44:25 -0700").unwrap();
        assert_eq!(date.to_rfc3339(), "1996-07-17T02:44:25-07:00");
        assert_eq!(date.to_timestamp(), 837_596_665);
        let padded = parse_internal_date(" 1-feb-2026 00:00:00 +0000").unwrap();
        assert_eq!(padded.to_rfc3339(), "2026-02-01T00:00:00Z");
        for odd in [
            "",
            "NIL",
            "31-Foo-2026 00:00:00 +0000",
            "1-Jan-2026",
            "1-Jan-2026 1:2:3 +é00",
            "1-Jan-2026 1:2:3 +0é0",
            "1-Jan-2026 1:2:3 \u{fffd}7",
        ] {
            assert_eq!(parse_internal_date(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_end_of_a_message_is_noticed_unless_its_octets_live_on() {
        let uid = Uid::new(7).unwrap();
        let message = || Message::new(uid, Flags::default(), None, 3, b"abc".to_vec().into());
        let ends = |function: fn(Message) -> Option<Message>| {
            let message = message();
            is_dropped_by(uid, move || function(message)).1
        };
        assert!(ends(|_| None));
        assert!(!ends(Some));
        assert!(!ends(|message| {
            let _copy_that_goes = message.clone();
            Some(message)
        }));
        assert!(!is_dropped_by(uid, || message().into_raw()).1);
    }

    #[test]
    fn flags_keep_keywords_and_ignore_case() {
        let mut flags = Flags::default();
        for flag in ["$Junk", "\\SEEN", "\\Recent", "$junk"] {
            flags.insert(flag);
        }
        assert_eq!(flags.to_string(), "\\Seen \\Recent $Junk");
        assert!(flags.contains("$JUNK") && flags.is_seen() && !flags.is_flagged());
    }
}
