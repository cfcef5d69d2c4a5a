//! What FETCH responses say about a message in addition to its body. Owns how each value is read:
//! one that cannot be read leaves that attribute unknown, and never anything else. Knows nothing of
//! how a line is taken apart.

use super::request::Fetch;
use crate::gmail::Gmail;
use crate::mailbox_name;
use crate::message::{DateTime, Flags, parse_internal_date};
use crate::uid_set::Uid;

/// How many flags of one message are read. [`Flags`] compares each with all before it, so that a
/// line of nothing but flags would take long otherwise.
const MOST_FLAGS: u32 = 1000;

/// What is known of one message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) uid: Option<Uid>,
    pub(super) flags: Flags,
    pub(super) internal_date: Option<DateTime>,
    pub(super) size: Option<u64>,
    message_id: Option<u64>,
    thread_id: Option<u64>,
    labels: Option<Vec<String>>,
    flag_count: u32,
    /// The items that came, also those whose value cannot be read: the server has said what it
    /// says, and there is nothing to wait for.
    came: Came,
}

/// A set of items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Came {
    flags: bool,
    date: bool,
    size: bool,
}

/// The items of a FETCH response that mean something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Uid,
    Flags,
    InternalDate,
    Size,
    MessageId,
    ThreadId,
    Labels,
    /// The body that was asked for.
    Body,
    /// Another part of the message.
    Part,
    /// Known to be an item, and of no interest.
    Other,
    /// Perhaps no item at all.
    Unknown,
}

impl Item {
    /// Finds an item by its name, in any case. `BODY` and the like are what they are only with a
    /// section behind.
    pub(super) fn named(name: &[u8]) -> Self {
        let named = NAMES
            .iter()
            .find(|(other, _)| name.eq_ignore_ascii_case(other));
        named.map_or(Self::Unknown, |(_, item)| *item)
    }
}

const NAMES: [(&[u8], Item); 23] = [
    (b"UID", Item::Uid),
    (b"FLAGS", Item::Flags),
    (b"INTERNALDATE", Item::InternalDate),
    (b"RFC822.SIZE", Item::Size),
    (b"X-GM-MSGID", Item::MessageId),
    (b"X-GM-THRID", Item::ThreadId),
    (b"X-GM-LABELS", Item::Labels),
    (b"BODY", Item::Body),
    (b"BODY.PEEK", Item::Body),
    (b"BINARY", Item::Part),
    (b"BINARY.PEEK", Item::Part),
    (b"BINARY.SIZE", Item::Part),
    (b"BODYSTRUCTURE", Item::Other),
    (b"MODSEQ", Item::Other),
    (b"ENVELOPE", Item::Other),
    (b"RFC822", Item::Other),
    (b"RFC822.HEADER", Item::Other),
    (b"RFC822.TEXT", Item::Other),
    (b"EMAILID", Item::Other),
    (b"THREADID", Item::Other),
    (b"PREVIEW", Item::Other),
    (b"SAVEDATE", Item::Other),
    (b"ANNOTATION", Item::Other),
];

/// A value as it stands in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Atom(&'a [u8]),
    /// Without the quotes, the backslashes still in it.
    Quoted(&'a [u8]),
    Literal(&'a [u8]),
}

impl Value<'_> {
    pub(super) fn is_nil(self) -> bool {
        matches!(self, Self::Atom(atom) if atom.eq_ignore_ascii_case(b"NIL"))
    }

    /// Calls `function` with the value as text. What is no UTF-8 is replaced.
    fn with_text<T>(self, function: impl FnOnce(&str) -> T) -> T {
        let (Self::Atom(bytes) | Self::Quoted(bytes) | Self::Literal(bytes)) = self;
        if matches!(self, Self::Quoted(_)) && memchr::memchr(b'\\', bytes).is_some() {
            return function(&String::from_utf8_lossy(&unescape(bytes)));
        }
        match str::from_utf8(bytes) {
            Ok(text) => function(text),
            Err(_) => function(&String::from_utf8_lossy(bytes)),
        }
    }

    /// A number of digits alone.
    fn number(self) -> Option<u64> {
        let (Self::Atom(digits) | Self::Quoted(digits) | Self::Literal(digits)) = self;
        if digits.is_empty() {
            return None;
        }
        digits.iter().try_fold(0u64, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
            number.checked_mul(10)?.checked_add(digit)
        })
    }
}

/// What a quoted string says (RFC 9051, section 4.3). Before anything but a quote or another, a
/// backslash means itself: some servers send flags as `"\Seen"`.
pub(super) fn unescape(quoted: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some((&(mut byte), after)) = rest.split_first() {
        (byte, rest) = match after {
            [escaped @ (b'"' | b'\\'), after @ ..] if byte == b'\\' => (*escaped, after),
            _ => (byte, after),
        };
        text.push(byte);
    }
    text
}

impl Attributes {
    /// Reads the value of an item that has one.
    pub(super) fn set(&mut self, item: Item, value: Value<'_>) {
        match item {
            Item::Uid => {
                let number = value.number().and_then(|uid| u32::try_from(uid).ok());
                self.uid = number.and_then(Uid::new);
            }
            Item::InternalDate => self.internal_date = value.with_text(parse_internal_date),
            Item::Size => self.size = value.number().or_else(|| value.with_text(rounded)),
            Item::MessageId => self.message_id = value.number(),
            Item::ThreadId => self.thread_id = value.number(),
            // One without parentheses, or NIL for none.
            Item::Flags | Item::Labels => {
                self.open(item);
                self.add(item, value);
            }
            Item::Body | Item::Part | Item::Other | Item::Unknown => {}
        }
    }

    /// Takes note of an item whose name has come, whatever comes of its value. What the same item
    /// said before is no longer so.
    pub(super) fn begin(&mut self, item: Item) {
        match item {
            Item::Flags => {
                self.came.flags = true;
                self.flags = Flags::default();
            }
            Item::InternalDate => self.came.date = true,
            Item::Size => self.came.size = true,
            _ => {}
        }
    }

    /// Begins a list, perhaps an empty one.
    pub(super) fn open(&mut self, item: Item) {
        if item == Item::Labels {
            self.labels = Some(Vec::new());
        }
    }

    /// Adds to the list of flags or labels.
    pub(super) fn add(&mut self, item: Item, value: Value<'_>) {
        // A literal that is empty may be one that was too long.
        if value.is_nil() || value == Value::Literal(b"") {
            return;
        }
        match item {
            Item::Flags if self.flag_count < MOST_FLAGS => {
                self.flag_count += 1;
                value.with_text(|flag| self.add_flag(flag));
            }
            Item::Labels => {
                let label = value.with_text(|text| {
                    mailbox_name::decode(text).unwrap_or_else(|| text.to_owned())
                });
                self.labels.get_or_insert_default().push(label);
            }
            _ => {}
        }
    }

    fn add_flag(&mut self, flag: &str) {
        let is_control = match flag.is_ascii() {
            true => flag.bytes().any(|byte| byte.is_ascii_control()),
            false => flag.contains(char::is_control),
        };
        if !is_control && !flag.is_empty() {
            self.flags.insert(flag);
        }
    }

    /// Adds what a later response says of the same message.
    pub(super) fn merge(&mut self, later: Self) {
        self.uid = self.uid.or(later.uid);
        if later.came.flags {
            self.flags = later.flags;
        }
        if later.came.date {
            self.internal_date = later.internal_date;
        }
        if later.came.size {
            self.size = later.size;
        }
        self.message_id = later.message_id.or(self.message_id);
        self.thread_id = later.thread_id.or(self.thread_id);
        self.labels = later.labels.or(self.labels.take());
        self.came = Came {
            flags: self.came.flags || later.came.flags,
            date: self.came.date || later.came.date,
            size: self.came.size || later.came.size,
        };
    }

    /// Whether all that a FETCH asks every server for has come.
    pub(super) fn are_all_of(&self, fetch: Fetch) -> bool {
        self.came.flags && self.came.date && (self.came.size || !fetch.has_size())
    }

    /// Whether there is something that no server sends unless it is asked.
    pub(super) fn are_an_answer(&self) -> bool {
        self.came.date || self.came.size
    }

    /// What Gmail alone knows, if it said all of it.
    pub(super) fn take_gmail(&mut self) -> Option<Box<Gmail>> {
        Some(Box::new(Gmail {
            message_id: self.message_id?,
            thread_id: self.thread_id?,
            labels: self.labels.take()?,
        }))
    }
}

/// A size such as `9.3736e+06`.
fn rounded(text: &str) -> Option<u64> {
    let size: f64 = text.parse().ok()?;
    // Beyond 2^53 it would be no size of a message, and not exact.
    (0.0..9e15).contains(&size).then_some(size.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(value: &str) -> Option<u64> {
        let mut attributes = Attributes::default();
        attributes.set(Item::Size, Value::Atom(value.as_bytes()));
        attributes.size
    }

    #[test]
    fn a_size_is_read_as_far_as_it_makes_sense() {
        for (value, read) in [
            ("0", Some(0)),
            ("4294967296", Some(4_294_967_296)),
            ("18446744073709551615", Some(u64::MAX)),
            // mail.ru, after jstedfast/MailKit#1838.
            ("9.3736e+06", Some(9_373_600)),
            ("1E3", Some(1000)),
            ("-1", None),
            ("18446744073709551616", None),
            ("1e400", None),
            ("NaN", None),
            ("inf", None),
            ("NIL", None),
            ("x", None),
        ] {
            assert_eq!(size(value), read, "{value}");
        }
    }

    #[test]
    fn items_have_their_names_in_any_case() {
        for (name, item) in [
            ("uid", Item::Uid),
            ("FlAgS", Item::Flags),
            ("x-gm-labels", Item::Labels),
            ("modseq", Item::Other),
            ("UIDS", Item::Unknown),
            ("", Item::Unknown),
        ] {
            assert_eq!(Item::named(name.as_bytes()), item, "{name}");
        }
    }

    #[test]
    fn what_comes_later_is_newer_and_the_rest_stays() {
        let of = |items: &[(Item, &[u8])]| {
            let mut attributes = Attributes::default();
            for (item, value) in items {
                attributes.begin(*item);
                attributes.set(*item, Value::Atom(value));
            }
            attributes
        };
        let mut first = of(&[
            (Item::Uid, b"7"),
            (Item::Flags, b"\\Seen"),
            (Item::Size, b"3"),
        ]);
        assert!(!first.are_all_of(Fetch::full()) && first.are_an_answer());
        first.merge(of(&[(Item::Flags, b"NIL"), (Item::InternalDate, b"NIL")]));
        assert_eq!((first.uid, first.size), (Uid::new(7), Some(3)));
        assert!(first.flags.is_empty() && first.internal_date.is_none());
        assert!(first.are_all_of(Fetch::headers()));
    }
}
