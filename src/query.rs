//! What to search for. Builds SEARCH programs (RFC 9051, section 6.4.4) out of typed keys, in
//! such a way that no text of the caller can become part of the command.

mod date;
mod program;
mod raw;

use std::fmt;

use self::date::Date;
pub(crate) use self::program::{Part, Program};
use crate::error::{Error, Result};
use crate::uid_set::{Uid, UidSet};

/// A search for messages. All conditions must hold.
///
/// ```
/// use parallel_mailbox::Query;
///
/// let query = Query::all()
///     .unseen()
///     .since(2026, 1, 31)
///     .or(Query::all().from("ann"), Query::all().subject("Rechnung für Mai"))
///     .not(Query::all().larger(5_000_000));
/// ```
///
/// Text is matched by the server: without regard to case, as a part of the field, and in whatever
/// way beyond that it has been set up for. Text beyond ASCII is sent as UTF-8.
///
/// A wrong argument, such as the 31st of June, does not fail here but when the query is used:
/// [`search`](crate::ParallelMailbox::search) returns an error of kind
/// [`Config`](crate::ErrorKind::Config), and nothing is sent. [`validate`](Query::validate) tells
/// at once.
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use = "a query does nothing until it is passed to `search`"]
pub struct Query {
    keys: Vec<Key>,
    /// The first thing that was wrong.
    fault: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
enum Key {
    /// A key without an argument, or with one that cannot do harm.
    Plain(String),
    /// A key with a text of the caller's.
    Text(String, String),
    /// A program of the caller's, checked to be whole.
    Raw(String),
    Not(Query),
    Or(Query, Query),
}

impl Query {
    /// Finds all messages. The start of every other query.
    pub fn all() -> Self {
        Self::default()
    }

    /// Takes a search program as it stands in the command, such as `OR SEEN FLAGGED`, for keys
    /// that have no method here.
    ///
    /// # Errors
    ///
    /// `Config` if it is empty, holds CR, LF, NUL or text beyond ASCII, announces a literal, or if
    /// a quotation or parenthesis is not closed.
    ///
    /// ```
    /// use parallel_mailbox::Query;
    ///
    /// let query = Query::raw("MODSEQ 620162338")?.unseen();
    /// assert!(Query::raw("ALL\r\na2 LOGOUT").is_err());
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    pub fn raw(program: &str) -> Result<Self> {
        raw::check(program)?;
        Ok(Self::all().and(Key::Raw(program.trim().to_owned())))
    }

    fn and(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    fn plain(self, key: impl Into<String>) -> Self {
        self.and(Key::Plain(key.into()))
    }

    fn refuse(mut self, fault: String) -> Self {
        self.fault.get_or_insert(fault);
        self
    }

    fn on_date(self, key: &str, year: u16, month: u8, day: u8) -> Self {
        match Date::new(year, month, day) {
            Some(date) => self.plain(format!("{key} {date}")),
            None => self.refuse(format!("there is no date {year}-{month:02}-{day:02}")),
        }
    }

    fn with_text(self, key: &str, text: &str) -> Self {
        if text.contains(['\r', '\n', '\0']) {
            return self.refuse(format!("the text for {key} contains CR, LF or NUL"));
        }
        self.and(Key::Text(key.to_owned(), text.to_owned()))
    }

    fn with_keyword(self, key: &str, keyword: &str) -> Self {
        // An `atom` (RFC 9051, section 9).
        let is_atom = !keyword.is_empty()
            && keyword
                .bytes()
                .all(|octet| octet.is_ascii_graphic() && !br#"(){%*"\]"#.contains(&octet));
        if !is_atom {
            return self.refuse(format!("{keyword:?} cannot be a keyword"));
        }
        self.plain(format!("{key} {keyword}"))
    }

    /// Finds messages that have not been read.
    pub fn unseen(self) -> Self {
        self.plain("UNSEEN")
    }

    /// Finds messages that have been read.
    pub fn seen(self) -> Self {
        self.plain("SEEN")
    }

    /// Finds messages that are marked as important.
    pub fn flagged(self) -> Self {
        self.plain("FLAGGED")
    }

    /// Finds messages that are not marked as important.
    pub fn unflagged(self) -> Self {
        self.plain("UNFLAGGED")
    }

    /// Finds messages that have been answered.
    pub fn answered(self) -> Self {
        self.plain("ANSWERED")
    }

    /// Finds messages that have not been answered.
    pub fn unanswered(self) -> Self {
        self.plain("UNANSWERED")
    }

    /// Finds messages that are marked for removal.
    pub fn deleted(self) -> Self {
        self.plain("DELETED")
    }

    /// Finds messages that are not marked for removal.
    pub fn undeleted(self) -> Self {
        self.plain("UNDELETED")
    }

    /// Finds messages received on this day or later. The server's own time zone counts, and the
    /// time of day does not.
    pub fn since(self, year: u16, month: u8, day: u8) -> Self {
        self.on_date("SINCE", year, month, day)
    }

    /// Finds messages received before this day.
    pub fn before(self, year: u16, month: u8, day: u8) -> Self {
        self.on_date("BEFORE", year, month, day)
    }

    /// Finds messages received on this day.
    pub fn on(self, year: u16, month: u8, day: u8) -> Self {
        self.on_date("ON", year, month, day)
    }

    /// Finds messages whose `Date` header is of this day or later.
    pub fn sent_since(self, year: u16, month: u8, day: u8) -> Self {
        self.on_date("SENTSINCE", year, month, day)
    }

    /// Finds messages whose `Date` header is before this day.
    pub fn sent_before(self, year: u16, month: u8, day: u8) -> Self {
        self.on_date("SENTBEFORE", year, month, day)
    }

    /// Finds messages with this text in the `From` header.
    pub fn from(self, text: &str) -> Self {
        self.with_text("FROM", text)
    }

    /// Finds messages with this text in the `To` header.
    pub fn to(self, text: &str) -> Self {
        self.with_text("TO", text)
    }

    /// Finds messages with this text in the `Cc` header.
    pub fn cc(self, text: &str) -> Self {
        self.with_text("CC", text)
    }

    /// Finds messages with this text in the subject.
    pub fn subject(self, text: &str) -> Self {
        self.with_text("SUBJECT", text)
    }

    /// Finds messages with this text in the body. Without an index the server reads every
    /// message.
    pub fn body(self, text: &str) -> Self {
        self.with_text("BODY", text)
    }

    /// Finds messages with this text in the headers or the body.
    pub fn text(self, text: &str) -> Self {
        self.with_text("TEXT", text)
    }

    /// Finds messages with a header of this name that has this text in it; with an empty text,
    /// messages that have the header at all.
    pub fn header(self, name: &str, text: &str) -> Self {
        // A field name (RFC 5322, section 3.6.8), short of what a quoted string would need.
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|octet| octet.is_ascii_graphic() && !b":\"\\".contains(&octet));
        if !is_name {
            return self.refuse(format!("{name:?} is not the name of a header"));
        }
        self.with_text(&format!("HEADER \"{name}\""), text)
    }

    /// Finds messages of more than so many octets.
    pub fn larger(self, octets: u32) -> Self {
        self.plain(format!("LARGER {octets}"))
    }

    /// Finds messages of less than so many octets.
    pub fn smaller(self, octets: u32) -> Self {
        self.plain(format!("SMALLER {octets}"))
    }

    /// Finds messages with this keyword, such as `$Junk`.
    pub fn keyword(self, keyword: &str) -> Self {
        self.with_keyword("KEYWORD", keyword)
    }

    /// Finds messages without this keyword.
    pub fn unkeyword(self, keyword: &str) -> Self {
        self.with_keyword("UNKEYWORD", keyword)
    }

    /// Finds these messages, as far as they exist.
    pub fn uid(self, uids: impl Into<UidSet>) -> Self {
        let uids = uids.into();
        if uids.is_empty() {
            return self.refuse("a search for UIDs names none".to_owned());
        }
        self.plain(format!("UID {uids}"))
    }

    /// Leaves out messages that the other query finds.
    pub fn not(self, other: Query) -> Self {
        self.and(Key::Not(other))
    }

    /// Finds messages that one of the two queries finds, or both.
    pub fn or(self, one: Query, other: Query) -> Self {
        self.and(Key::Or(one, other))
    }

    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// `Config`, naming the first argument that cannot be used.
    pub fn validate(&self) -> Result<()> {
        let error = |fault: &String| Error::config(format!("query: {fault}"));
        if let Some(fault) = &self.fault {
            return Err(error(fault));
        }
        self.keys.iter().try_for_each(|key| match key {
            Key::Not(query) => query.validate(),
            Key::Or(one, other) => one.validate().and_then(|()| other.validate()),
            Key::Plain(_) | Key::Text(..) | Key::Raw(_) => Ok(()),
        })
    }

    pub(crate) fn render(&self) -> Result<Program> {
        self.validate()?;
        let mut program = Program::default();
        self.write(&mut program, Place::Alone);
        Ok(program)
    }

    fn write(&self, program: &mut Program, place: Place) {
        if self.keys.is_empty() {
            return program.push("ALL");
        }
        // NOT and OR take one key each, so that several, and whatever a raw program may be, must
        // be made one by parentheses.
        let is_one = matches!(self.keys.as_slice(), [key] if !matches!(key, Key::Raw(_)));
        let is_grouped = place == Place::Argument && !is_one;
        if is_grouped {
            program.push("(");
        }
        for (index, key) in self.keys.iter().enumerate() {
            if index > 0 {
                program.push(" ");
            }
            key.write(program, self.keys.len() > 1);
        }
        if is_grouped {
            program.push(")");
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Alone,
    /// After NOT or OR.
    Argument,
}

impl Key {
    fn write(&self, program: &mut Program, has_company: bool) {
        match self {
            Self::Plain(key) => program.push(key),
            Self::Text(key, text) => {
                program.push(key);
                program.push(" ");
                program.push_text(text);
            }
            Self::Raw(raw) if has_company => {
                program.push("(");
                program.push(raw);
                program.push(")");
            }
            Self::Raw(raw) => program.push(raw),
            Self::Not(query) => {
                program.push("NOT ");
                query.write(program, Place::Argument);
            }
            Self::Or(one, other) => {
                program.push("OR ");
                one.write(program, Place::Argument);
                program.push(" ");
                other.write(program, Place::Argument);
            }
        }
    }
}

impl From<UidSet> for Query {
    fn from(uids: UidSet) -> Self {
        Self::all().uid(uids)
    }
}

impl From<Uid> for Query {
    fn from(uid: Uid) -> Self {
        Self::all().uid(uid)
    }
}

impl From<&Query> for Query {
    fn from(query: &Query) -> Self {
        query.clone()
    }
}

/// The query as a search program, for people to read: text beyond ASCII stands in quotes.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut program = Program::default();
        self.write(&mut program, Place::Alone);
        program.fmt(f)
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query({self})")
    }
}

#[cfg(test)]
mod tests;
