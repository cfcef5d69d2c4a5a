//! What to search for.
//!
//! A query is built from typed keys, and every argument is checked where it is given. Nothing that
//! a caller passes as an argument can end it, start another key or start another command.

use std::fmt;

use self::date::Date;
use self::key::Key;
use self::program::Shown;
use crate::error::{Error, Result};
use crate::uid_set::UidSet;

mod conversions;
mod date;
mod key;
mod program;
mod raw;
#[cfg(test)]
mod tests;

pub(crate) use self::program::{Part, Program};

/// What to search for: the keys of IMAP's SEARCH (RFC 9051, section 6.4.4).
///
/// A message must match all keys. [`all`](Query::all) has none and matches every message; each
/// method adds one. Text is compared by the server, as a substring and without regard to case, and
/// need not be ASCII. Dates are days without time or zone: those of `since`, `before` and `on` are
/// compared with the day when the message arrived, those of `sent_since`, `sent_before` and
/// `sent_on` with the one in its `Date` header.
///
/// An argument that cannot be used, such as the 31st of February or a text with a line break, is
/// remembered and becomes a [`Config`](crate::ErrorKind::Config) error when the query is used,
/// before anything is sent; [`validate`](Query::validate) tells at once.
///
/// # Examples
///
/// ```
/// use parallel_mailbox::Query;
///
/// let query = Query::all().unseen().since(2026, 1, 31).subject("5\" disk");
/// assert_eq!(query.to_string(), r#"UNSEEN SINCE 31-Jan-2026 SUBJECT "5\" disk""#);
///
/// let query = Query::all()
///     .or(Query::all().from("ann"), Query::all().from("bob"))
///     .not(Query::all().seen().smaller(1_000));
/// assert_eq!(query.to_string(), r#"OR FROM "ann" FROM "bob" NOT (SEEN SMALLER 1000)"#);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[must_use]
pub struct Query {
    keys: Vec<Key>,
    // The first argument that cannot be used, and why. Its key is not among `keys`.
    refused: Option<String>,
    // How many `not` and `or` there are inside one another.
    depth: u16,
}

/// Deeper queries are refused: servers refuse them too, and nothing here may exhaust the stack.
const DEEPEST: u16 = 500;

macro_rules! flags {
    ($($(#[$documentation:meta])* $method:ident => $word:literal,)+) => {$(
        $(#[$documentation])*
        pub fn $method(self) -> Self {
            self.with(Key::Flag($word))
        }
    )+};
}

macro_rules! dates {
    ($($(#[$documentation:meta])* $method:ident => $word:literal,)+) => {$(
        $(#[$documentation])*
        ///
        /// The year is one of 1 to 9999, the month and the day count from 1.
        pub fn $method(self, year: u16, month: u8, day: u8) -> Self {
            match Date::new(year, month, day) {
                Some(date) => self.with(Key::Date($word, date)),
                None => self.refuse(
                    stringify!($method),
                    format_args!("there is no day {year}-{month}-{day}"),
                ),
            }
        }
    )+};
}

macro_rules! texts {
    ($($(#[$documentation:meta])* $method:ident => $word:literal,)+) => {$(
        $(#[$documentation])*
        ///
        /// A text with CR, LF or NUL is refused.
        pub fn $method(self, text: impl Into<String>) -> Self {
            let text = text.into();
            match key::check_text(&text) {
                Ok(()) => self.with(Key::Text($word, text)),
                Err(why) => self.refuse(stringify!($method), why),
            }
        }
    )+};
}

/// Everything, and programs written as text.
impl Query {
    /// Matches every message: where a query starts.
    pub fn all() -> Self {
        Self::default()
    }

    /// Takes a search program as text, as it follows the word SEARCH in a command.
    ///
    /// It is for keys that have no method here, such as those of a server's extensions. It
    /// composes with the methods; where it is not alone it is sent in parentheses. Quoted strings
    /// need not be ASCII.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the program is empty, has a CR, LF, NUL or another
    /// control character, announces a literal, leaves a quote or a parenthesis open, or has a
    /// character outside ASCII outside of quotes; also if it starts with `RETURN` or `CHARSET`,
    /// which are not part of a program. Whether the server knows its keys shows when it is sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use parallel_mailbox::Query;
    ///
    /// let query = Query::raw("YOUNGER 3600")?.unseen();
    /// assert_eq!(query.to_string(), "(YOUNGER 3600) UNSEEN");
    /// assert!(Query::raw("ALL\r\nA1 DELETE INBOX").is_err());
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    pub fn raw(program: &str) -> Result<Self> {
        Ok(Self::all().with(Key::Raw(raw::parse(program)?)))
    }
}

/// Flags.
impl Query {
    flags! {
        /// Messages without the `\Seen` flag: unread.
        unseen => "UNSEEN",
        /// Messages with the `\Seen` flag: read.
        seen => "SEEN",
        /// Messages with the `\Flagged` flag.
        flagged => "FLAGGED",
        /// Messages without the `\Flagged` flag.
        unflagged => "UNFLAGGED",
        /// Messages with the `\Answered` flag.
        answered => "ANSWERED",
        /// Messages without the `\Answered` flag.
        unanswered => "UNANSWERED",
        /// Messages with the `\Deleted` flag, not yet expunged.
        deleted => "DELETED",
        /// Messages without the `\Deleted` flag.
        undeleted => "UNDELETED",
        /// Messages with the `\Draft` flag.
        draft => "DRAFT",
        /// Messages without the `\Draft` flag.
        undraft => "UNDRAFT",
    }

    /// Messages with this keyword, such as `$Forwarded` or a label of the user's own.
    ///
    /// A keyword is an atom: printable ASCII without spaces and without `(`, `)`, `{`, `%`, `*`,
    /// `"`, `\` and `]`. Anything else is refused.
    pub fn keyword(self, name: impl Into<String>) -> Self {
        self.with_keyword("keyword", "KEYWORD", name.into())
    }

    /// Messages without this keyword, which is as for [`keyword`](Query::keyword).
    pub fn unkeyword(self, name: impl Into<String>) -> Self {
        self.with_keyword("unkeyword", "UNKEYWORD", name.into())
    }

    fn with_keyword(self, method: &str, word: &'static str, name: String) -> Self {
        match key::check_keyword(&name) {
            Ok(()) => self.with(Key::Keyword(word, name)),
            Err(why) => self.refuse(method, why),
        }
    }
}

/// Dates.
impl Query {
    dates! {
        /// Messages that arrived on this day or later.
        since => "SINCE",
        /// Messages that arrived before this day.
        before => "BEFORE",
        /// Messages that arrived on this day.
        on => "ON",
        /// Messages whose `Date` header has this day or a later one.
        sent_since => "SENTSINCE",
        /// Messages whose `Date` header has an earlier day.
        sent_before => "SENTBEFORE",
        /// Messages whose `Date` header has this day.
        sent_on => "SENTON",
    }
}

/// Text and size.
impl Query {
    texts! {
        /// Messages with this text in the `From` header.
        from => "FROM",
        /// Messages with this text in the `To` header.
        to => "TO",
        /// Messages with this text in the `Cc` header.
        cc => "CC",
        /// Messages with this text in the `Bcc` header.
        bcc => "BCC",
        /// Messages with this text in the `Subject` header.
        subject => "SUBJECT",
        /// Messages with this text in the body. Without an index on the server it reads every
        /// message.
        body => "BODY",
        /// Messages with this text in the header or the body. Without an index on the server it
        /// reads every message.
        text => "TEXT",
    }

    texts! {
        /// Messages that Gmail's own search finds with this text, as in its search box:
        /// `has:attachment older_than:1y` (X-GM-RAW).
        ///
        /// A search with it fails with an error of kind [`Config`](crate::ErrorKind::Config) on a
        /// server that does not announce X-GM-EXT-1.
        gmail_raw => "X-GM-RAW",
    }

    /// Messages that have a header field of this name with this text in it; with an empty text,
    /// messages that have the field at all.
    ///
    /// A name that is empty, not printable ASCII or has a colon is refused, and so is a text with
    /// CR, LF or NUL.
    pub fn header(self, name: impl Into<String>, text: impl Into<String>) -> Self {
        let (name, text) = (name.into(), text.into());
        match key::check_header_name(&name).and_then(|()| key::check_text(&text)) {
            Ok(()) => self.with(Key::Header(name, text)),
            Err(why) => self.refuse("header", why),
        }
    }

    /// Messages of more than this many octets. Above 2⁶³ − 1 is refused.
    pub fn larger(self, octets: u64) -> Self {
        self.with_octets("larger", "LARGER", octets)
    }

    /// Messages of fewer than this many octets. Above 2⁶³ − 1 is refused.
    pub fn smaller(self, octets: u64) -> Self {
        self.with_octets("smaller", "SMALLER", octets)
    }

    fn with_octets(self, method: &str, word: &'static str, octets: u64) -> Self {
        match key::check_octets(octets) {
            Ok(()) => self.with(Key::Octets(word, octets)),
            Err(why) => self.refuse(method, why),
        }
    }
}

/// Sets of UIDs, queries made of queries, and use.
impl Query {
    /// Messages with a UID of this set. The empty set is refused: IMAP has no form for it.
    ///
    /// # Examples
    ///
    /// ```
    /// use parallel_mailbox::{Query, Uid};
    ///
    /// let new = Query::all().uid(Uid::try_from(4_712)?..=Uid::MAX);
    /// assert_eq!(new.to_string(), "UID 4712:4294967295");
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    pub fn uid(self, uids: impl Into<UidSet>) -> Self {
        let uids = uids.into();
        if uids.is_empty() {
            return self.refuse("uid", "the set is empty");
        }
        self.with(Key::Uids(uids))
    }

    /// Messages that match `query` too.
    pub fn and(mut self, query: impl Into<Self>) -> Self {
        let query = self.adopt("and", query.into(), 0);
        self.keys.extend(query.keys);
        self
    }

    /// Messages that do not match `query`.
    pub fn not(mut self, query: impl Into<Self>) -> Self {
        let query = self.adopt("not", query.into(), 1);
        self.with(Key::Not(query))
    }

    /// Messages that match `one` or `other` or both; and, as always, all other keys of `self`.
    pub fn or(mut self, one: impl Into<Self>, other: impl Into<Self>) -> Self {
        let one = self.adopt("or", one.into(), 1);
        let other = self.adopt("or", other.into(), 1);
        self.with(Key::Or(one, other))
    }

    /// Takes over what a query says about itself before it becomes a part of this one, `levels`
    /// further down. What is too deep is dropped here, so that the depth has a bound.
    fn adopt(&mut self, method: &str, mut query: Self, levels: u16) -> Self {
        if let Some(refused) = query.refused.take() {
            self.refused.get_or_insert(refused);
        }
        // Neither number is above `DEEPEST`, so the sum does not overflow.
        let depth = query.depth + levels;
        if depth > DEEPEST {
            let why = format!("{method}: more than {DEEPEST} queries inside one another");
            self.refused.get_or_insert(why);
            return Self::all();
        }
        self.depth = self.depth.max(depth);
        query
    }

    fn with(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    fn refuse(mut self, method: &str, why: impl fmt::Display) -> Self {
        self.refused
            .get_or_insert_with(|| format!("{method}: {why}"));
        self
    }

    /// Checks that every argument can be used. Searching does the same first.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) with the first argument that cannot, and why.
    ///
    /// # Examples
    ///
    /// ```
    /// use parallel_mailbox::Query;
    ///
    /// let error = Query::all().since(2026, 2, 31).validate().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "invalid configuration: query: since: there is no day 2026-2-31"
    /// );
    /// ```
    pub fn validate(&self) -> Result<()> {
        match &self.refused {
            Some(refused) => Err(Error::config(format!("query: {refused}"))),
            None => Ok(()),
        }
    }

    /// Renders the query as it is sent.
    ///
    /// # Errors
    ///
    /// As [`validate`](Query::validate).
    pub(crate) fn render(&self) -> Result<Program> {
        self.validate()?;
        let mut program = Program::new();
        self.write(&mut program);
        Ok(program)
    }
}

/// Shows the query in one line, for people: text outside ASCII as it is, control characters
/// escaped, long sets of UIDs shortened.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(refused) = &self.refused {
            return write!(f, "invalid query: {refused}");
        }
        let mut shown = Shown(String::new());
        self.write(&mut shown);
        f.write_str(&shown.0)
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query({self})")
    }
}
