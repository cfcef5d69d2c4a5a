//! From keys to what is sent, and to what is shown.
//!
//! This is the only place that writes a caller's text into a command, and the one that has to be
//! right for a query to be safe.

use super::Query;
use super::key::Key;
use super::raw::Piece;
use crate::uid_set::UidSet;

/// A search program ready to be sent: what follows `SEARCH` and the charset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// In the order of sending. The spaces between keys are in the texts.
    pub(crate) parts: Vec<Part>,
    /// Whether a literal is not ASCII, so that `CHARSET UTF-8` must precede the program
    /// (RFC 9051, section 6.4.4).
    pub(crate) needs_utf8: bool,
    /// Whether it has a key that only Gmail knows.
    pub(crate) needs_gmail: bool,
}

/// A part of a [`Program`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Goes on the line: printable ASCII, never a line break.
    Text(String),
    /// Goes as a literal of these octets (RFC 9051, section 4.3). Never a NUL among them.
    Literal(Vec<u8>),
}

/// A longer string is sent as a literal, so that the line stays below the 8,000 octets that
/// servers accept (RFC 2683, section 3.2.1.5).
const LONGEST_QUOTED: usize = 1_000;

/// Takes the words and arguments of a query in order.
pub(super) trait Sink {
    /// A word of the grammar, or a space or parenthesis.
    fn word(&mut self, word: &str);
    /// A text of the caller's.
    fn string(&mut self, text: &str);
    fn uids(&mut self, uids: &UidSet);
}

impl Program {
    pub(super) fn new() -> Self {
        Self {
            parts: Vec::new(),
            needs_utf8: false,
            needs_gmail: false,
        }
    }

    /// Whether it matches every message, whatever the mailbox holds.
    pub(crate) fn is_everything(&self) -> bool {
        matches!(&self.parts[..], [Part::Text(line)] if line == "ALL")
    }

    fn literal(&mut self, text: &str) {
        self.needs_utf8 |= !text.is_ascii();
        self.parts.push(Part::Literal(text.as_bytes().to_vec()));
    }
}

impl Sink for Program {
    fn word(&mut self, word: &str) {
        self.needs_gmail |= word == "X-GM-RAW";
        if let Some(Part::Text(line)) = self.parts.last_mut() {
            line.push_str(word);
        } else {
            self.parts.push(Part::Text(word.to_owned()));
        }
    }

    fn string(&mut self, text: &str) {
        // Control characters may stand in quotes, but a literal leaves no doubt about them.
        let quotable = |octet: u8| octet == b' ' || octet.is_ascii_graphic();
        if text.len() > LONGEST_QUOTED || !text.bytes().all(quotable) {
            self.literal(text);
            return;
        }
        let mut quoted = String::with_capacity(text.len() + 2);
        quoted.push('"');
        for character in text.chars() {
            if matches!(character, '"' | '\\') {
                quoted.push('\\');
            }
            quoted.push(character);
        }
        quoted.push('"');
        self.word(&quoted);
    }

    fn uids(&mut self, uids: &UidSet) {
        self.word(&uids.to_string());
    }
}

/// A query as people read it: in one line, text outside ASCII as it is.
pub(super) struct Shown(pub(super) String);

impl Sink for Shown {
    fn word(&mut self, word: &str) {
        self.0.push_str(word);
    }

    fn string(&mut self, text: &str) {
        // `Debug` of a string escapes quotes, control characters and marks of direction.
        self.0.push_str(&format!("{text:?}"));
    }

    fn uids(&mut self, uids: &UidSet) {
        self.0.push_str(&uids.excerpt());
    }
}

impl Query {
    /// Writes all keys; without any, the one that matches everything.
    pub(super) fn write(&self, sink: &mut impl Sink) {
        if self.keys.is_empty() {
            sink.word("ALL");
        }
        let alone = self.keys.len() == 1;
        for (index, key) in self.keys.iter().enumerate() {
            if index > 0 {
                sink.word(" ");
            }
            match key {
                Key::Raw(_) if !alone => {
                    sink.word("(");
                    key.write(sink);
                    sink.word(")");
                }
                _ => key.write(sink),
            }
        }
    }

    /// Writes the query so that it is one key, for `NOT` and `OR` to refer to.
    fn write_as_one_key(&self, sink: &mut impl Sink) {
        match self.keys.as_slice() {
            [Key::Raw(_)] | [_, _, ..] => {
                sink.word("(");
                self.write(sink);
                sink.word(")");
            }
            [] | [_] => self.write(sink),
        }
    }
}

impl Key {
    fn write(&self, sink: &mut impl Sink) {
        match self {
            Self::Flag(word) => sink.word(word),
            Self::Date(word, date) => sink.word(&format!("{word} {date}")),
            Self::Text(word, text) => {
                sink.word(word);
                sink.word(" ");
                sink.string(text);
            }
            Self::Header(name, text) => {
                sink.word("HEADER ");
                sink.string(name);
                sink.word(" ");
                sink.string(text);
            }
            Self::Octets(word, octets) => sink.word(&format!("{word} {octets}")),
            Self::Keyword(word, atom) => sink.word(&format!("{word} {atom}")),
            Self::Uids(uids) => {
                sink.word("UID ");
                sink.uids(uids);
            }
            Self::Not(query) => {
                sink.word("NOT ");
                query.write_as_one_key(sink);
            }
            Self::Or(one, other) => {
                sink.word("OR ");
                one.write_as_one_key(sink);
                sink.word(" ");
                other.write_as_one_key(sink);
            }
            Self::Raw(pieces) => {
                for piece in pieces {
                    match piece {
                        Piece::Verbatim(line) => sink.word(line),
                        Piece::Text(text) => sink.string(text),
                    }
                }
            }
        }
    }
}
