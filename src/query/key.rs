//! The keys of a search, each already known to be valid.

use super::Query;
use super::date::Date;
use super::raw::Piece;
use crate::uid_set::UidSet;

/// One search key (RFC 9051, section 6.4.4). The first field of most is the word that it starts
/// with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A word that takes no argument.
    Flag(&'static str),
    Date(&'static str, Date),
    /// The text has no CR, LF or NUL; see [`check_text`].
    Text(&'static str, String),
    /// The name of a header field, see [`check_header_name`], and a text.
    Header(String, String),
    Octets(&'static str, u64),
    /// See [`check_keyword`].
    Keyword(&'static str, String),
    /// Never empty.
    Uids(UidSet),
    Not(Query),
    Or(Query, Query),
    Raw(Vec<Piece>),
}

/// Says what is wrong with a text to search for, if anything is.
///
/// NUL can be sent in no form (RFC 9051, section 9, `CHAR8`). CR and LF could, in a literal, but no
/// header or line of text that a server compares with has any.
pub(super) fn check_text(text: &str) -> Result<(), &'static str> {
    if text.contains(['\r', '\n', '\0']) {
        return Err("the text has CR, LF or NUL");
    }
    Ok(())
}

/// Says what is wrong with the name of a header field (RFC 5322, section 2.2), if anything is.
pub(super) fn check_header_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("the name is empty");
    }
    if !name
        .bytes()
        .all(|octet| octet.is_ascii_graphic() && octet != b':')
    {
        return Err("the name has a character that is not printable ASCII, or a colon");
    }
    Ok(())
}

/// Says what is wrong with a keyword, which is an atom (RFC 9051, section 9, `flag-keyword`), if
/// anything is.
pub(super) fn check_keyword(keyword: &str) -> Result<(), &'static str> {
    if keyword.is_empty() {
        return Err("the keyword is empty");
    }
    if keyword.starts_with('\\') {
        return Err("a system flag is no keyword and has a method of its own");
    }
    let is_atom_character =
        |octet: u8| octet.is_ascii_graphic() && !br#"(){%*"\]"#.contains(&octet);
    if !keyword.bytes().all(is_atom_character) {
        return Err("the keyword is no atom");
    }
    Ok(())
}

/// Says what is wrong with a size, if anything is: it has 63 bits (RFC 9051, section 9,
/// `number64`).
pub(super) fn check_octets(octets: u64) -> Result<(), &'static str> {
    if octets > i64::MAX.unsigned_abs() {
        return Err("the size is above 2^63 - 1 octets");
    }
    Ok(())
}
