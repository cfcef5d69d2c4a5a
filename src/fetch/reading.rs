//! Takes one FETCH response apart, from its line after the body was lifted out. Owns what counts as
//! an item, its value, and the end of the response; what a value means is for the attributes.
//!
//! Servers differ in everything but the outline: items in parentheses, a name and a value each. So
//! case, order and spaces never matter, what is unknown is passed over with its value, and a value
//! that cannot be read leaves that attribute unknown. Only the outline has to hold, because it is
//! all that tells whether a literal was as long as it said: where more follows than it announced,
//! a message cut short must not be taken for a whole one.
//!
//! It reads each byte of a line once, from front to back, stops where a literal is announced, and
//! goes on behind it. It never calls itself, so that nesting costs no stack.

use std::ops::Range;

use super::attributes::{Attributes, Item, Value};
use super::request::Fetch;
use crate::uid_set::Uid;

/// A response that is being read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What of the line has been read.
    at: usize,
    /// How many parentheses are open.
    depth: usize,
    /// The item whose value is due, or is being read where more than one parenthesis is open.
    item: Option<Item>,
    outline: Outline,
    /// The message's number in the mailbox, by which a server may name it instead of the UID.
    pub(super) number: Option<u32>,
    pub(super) attributes: Attributes,
    pub(super) body: BodyItem,
    /// How many literals or strings came as the body.
    bodies: usize,
}

/// Whether the response is what FETCH responses look like.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Outline {
    /// Nothing of it was read.
    #[default]
    Unread,
    /// It is another response.
    Other,
    Sound,
    /// Where an item should be there is something else.
    Broken,
}

/// The value of the body that was asked for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) enum BodyItem {
    /// There is none.
    #[default]
    Missing,
    /// NIL, or the name without a value.
    Nil,
    /// Taken out of the line.
    Literal,
    /// In the line, between quotes.
    Quoted(Range<usize>),
}

impl Reading {
    /// Reads what there is of a line so far: all of it, or what stands before the announcement of a
    /// literal. `fetch` tells which section is the body.
    pub(super) fn read(&mut self, line: &[u8], fetch: Fetch) {
        if self.outline == Outline::Unread {
            let Some((number, after)) = head(line) else {
                self.outline = Outline::Other;
                return;
            };
            self.outline = Outline::Sound;
            self.begin(number, after);
        }
        if self.outline != Outline::Sound {
            return;
        }
        while let Some(byte) = line.get(self.at) {
            match byte {
                b'A'..=b'Z' if self.item.is_none() && self.usual(line, fetch) => {}
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'(' => self.open(),
                b')' => self.close(),
                b'"' => match quoted(line, self.at + 1) {
                    Some(range) => {
                        self.at = range.end + 1;
                        self.value(Value::Quoted(&line[range.clone()]), Some(range));
                    }
                    None => self.word(line, fetch),
                },
                b'{' | b'~' => match literal(line, self.at) {
                    Some(range) => self.literal(line, range),
                    None => self.word(line, fetch),
                },
                _ => self.word(line, fetch),
            }
            if self.outline == Outline::Broken {
                return;
            }
        }
    }

    /// Whether the line so far ends in the name of the body, so that it comes next.
    pub(super) fn awaits_body(&self) -> bool {
        self.outline == Outline::Sound && self.depth == 1 && self.item == Some(Item::Body)
    }

    /// Whether a body came before.
    pub(super) fn has_body(&self) -> bool {
        self.bodies > 0
    }

    /// Whether a literal that comes next is worth having in the line.
    pub(super) fn awaits_value(&self) -> bool {
        self.item.is_some_and(|item| {
            !matches!(item, Item::Body | Item::Part | Item::Other | Item::Unknown)
        })
    }

    pub(super) fn is_fetch(&self) -> bool {
        !matches!(self.outline, Outline::Unread | Outline::Other)
    }

    /// Whether the response came to its end, with one body at most, so that it can be believed.
    pub(super) fn is_whole(&self) -> bool {
        self.outline == Outline::Sound && self.depth == 0 && self.bodies < 2
    }

    fn begin(&mut self, number: Option<u32>, at: usize) {
        self.at = at;
        self.depth = 1;
        self.item = None;
        self.number = number;
        self.attributes = Attributes::default();
        self.body = BodyItem::Missing;
    }

    fn open(&mut self) {
        self.at += 1;
        match (self.depth, self.item) {
            (0, _) => self.outline = Outline::Broken,
            (1, Some(item)) => self.attributes.open(item),
            (1, None) => self.stray(),
            _ => {}
        }
        self.depth += 1;
    }

    fn close(&mut self) {
        self.at += 1;
        match self.depth {
            0 => self.outline = Outline::Broken,
            1 => {
                self.without_value();
                self.depth = 0;
            }
            _ => {
                self.depth -= 1;
                if self.depth == 1 {
                    self.item = None;
                }
            }
        }
    }

    /// The item that was named has no value.
    fn without_value(&mut self) {
        if self.item.take() == Some(Item::Body) && self.body == BodyItem::Missing {
            self.body = BodyItem::Nil;
        }
    }

    /// A value stands where a name should. Such things happen; but behind the body they are a sign
    /// that it was longer than announced.
    fn stray(&mut self) {
        if self.bodies > 0 {
            self.outline = Outline::Broken;
        } else {
            self.item = Some(Item::Unknown);
        }
    }

    fn literal(&mut self, line: &[u8], range: Range<usize>) {
        self.at = range.end;
        let is_item = self.depth == 1;
        self.value(Value::Literal(&line[range]), None);
        // Nothing else can follow, unless the literal was longer than announced.
        let next = line.get(self.at);
        if is_item && next.is_some_and(|next| !b" )\t\r\n".contains(next)) {
            self.outline = Outline::Broken;
        }
    }

    /// A value, which stands in the line between quotes where there is a `range`.
    fn value(&mut self, value: Value<'_>, range: Option<Range<usize>>) {
        match (self.depth, self.item) {
            (0, _) => self.outline = Outline::Broken,
            (1, None) => {
                self.stray();
                self.item = None;
            }
            (1, Some(Item::Body)) => {
                self.item = None;
                self.bodies += usize::from(!value.is_nil());
                match range {
                    _ if value.is_nil() => self.without_body(),
                    Some(range) => self.body = BodyItem::Quoted(range),
                    None => self.body = BodyItem::Literal,
                }
            }
            (1, Some(item)) => {
                self.item = None;
                let uid = self.attributes.uid;
                self.attributes.set(item, value);
                // Of two UIDs neither can be believed.
                if uid.is_some_and(|uid| self.attributes.uid != Some(uid)) {
                    self.attributes.uid = None;
                    self.outline = Outline::Broken;
                }
            }
            (2, Some(item)) => self.attributes.add(item, value),
            // Nested deeper than anything that is asked for.
            _ => {}
        }
    }

    fn without_body(&mut self) {
        if self.body == BodyItem::Missing {
            self.body = BodyItem::Nil;
        }
    }

    /// Reads an item in the form that most lines have it in, or nothing. The same would come of it
    /// otherwise, in three times as many instructions.
    fn usual(&mut self, line: &[u8], fetch: Fetch) -> bool {
        if self.depth != 1 {
            return false;
        }
        let (item, length) = match &line[self.at..] {
            [b'U', b'I', b'D', b' ', rest @ ..] if self.attributes.uid.is_none() => {
                let (mut uid, mut length) = (0u32, 0);
                while let Some(digit @ b'0'..=b'9') = rest.get(length) {
                    let digit = u32::from(digit - b'0');
                    uid = uid.wrapping_mul(10).wrapping_add(digit);
                    length += 1;
                }
                if !(1..=9).contains(&length) || rest.get(length) != Some(&b' ') {
                    return false;
                }
                self.attributes.uid = Uid::new(uid);
                (None, 5 + length)
            }
            [b'F', b'L', b'A', b'G', b'S', b' ', b'(', ..] => {
                self.attributes.begin(Item::Flags);
                self.depth = 2;
                (Some(Item::Flags), 7)
            }
            [b'B', b'O', b'D', b'Y', b'[', b']', b' ', rest @ ..]
                if fetch.is_body(WHOLE) && !matches!(rest, [b' ' | b'<', ..]) =>
            {
                (Some(Item::Body), 7)
            }
            rest => {
                let Some(rest) = rest.strip_prefix(b"INTERNALDATE \"") else {
                    return false;
                };
                let Some((date, [b'"', ..])) = rest.split_at_checked(26) else {
                    return false;
                };
                if memchr::memchr3(b'"', b'\\', b'\n', date).is_some() {
                    return false;
                }
                self.attributes.begin(Item::InternalDate);
                self.attributes.set(Item::InternalDate, Value::Atom(date));
                (None, 41)
            }
        };
        self.item = item;
        self.at += length;
        true
    }

    /// Something that is neither a string nor a parenthesis.
    fn word(&mut self, line: &[u8], fetch: Fetch) {
        if line[self.at] == b'*' && self.starts_over(line) {
            return;
        }
        if self.depth == 1 {
            if let Some((item, end)) = self.name(line, fetch) {
                self.without_value();
                self.at = end;
                self.item = Some(item);
                self.attributes.begin(item);
                return;
            }
            if self.outline == Outline::Broken {
                return;
            }
        }
        let end = self.at + word_length(&line[self.at..]);
        let atom = &line[self.at..end];
        self.at = end;
        if self.awaits_body() && !atom.eq_ignore_ascii_case(b"NIL") {
            self.outline = Outline::Broken;
        } else {
            self.value(Value::Atom(atom), None);
        }
    }

    /// The item that is named here, and where its name ends. A name where a value is due, too: the
    /// item before has none.
    fn name(&mut self, line: &[u8], fetch: Fetch) -> Option<(Item, usize)> {
        let rest = &line[self.at..];
        if self.item.is_some() && !rest[0].is_ascii_alphabetic() {
            return None;
        }
        let length = rest.iter().position(|byte| ends(*byte, NAME));
        let length = length.unwrap_or(rest.len());
        let name = &rest[..length];
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        let item = Item::named(name);
        if matches!(item, Item::Part | Item::Body) {
            let spaces = spaces(&rest[length..]);
            if rest.get(length + spaces) != Some(&b'[') {
                return Some((Item::Other, self.at + length));
            }
            let Some((section, end)) = section(rest, length + spaces + 1) else {
                self.outline = Outline::Broken;
                return None;
            };
            let item = match item == Item::Body && fetch.is_body(section) {
                true => Item::Body,
                false => Item::Part,
            };
            return Some((item, self.at + end));
        }
        let is_name = match (item, self.item) {
            // The only word that is the value of a part.
            (Item::Unknown, Some(Item::Body | Item::Part)) if is(b"NIL") => false,
            (Item::Unknown, None | Some(Item::Body | Item::Part)) => {
                length > 0 && (self.bodies == 0 || looks_like_an_item(name))
            }
            (Item::Unknown, Some(_)) => false,
            _ => true,
        };
        is_name.then_some((item, self.at + length))
    }

    /// Whether another response starts here, the end of this one having been swallowed: DavMail
    /// does so when it cannot load a message, and goes on with the next in the same line.
    fn starts_over(&mut self, line: &[u8]) -> bool {
        let Some((number, length)) = head(&line[self.at..]) else {
            return false;
        };
        let at = self.at + length;
        self.begin(number, at);
        // Whose body it was is not known.
        if self.bodies > 0 {
            self.outline = Outline::Broken;
        }
        true
    }
}

/// Reads `* 7 FETCH (`, and returns the number and the length.
fn head(line: &[u8]) -> Option<(Option<u32>, usize)> {
    let mut at = line.strip_prefix(b"*").map(|_| 1)?;
    at += spaces(&line[at..]);
    let start = at;
    let mut number = 0u64;
    while let Some(digit) = line.get(at).filter(|byte| byte.is_ascii_digit()) {
        number = number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'));
        at += 1;
    }
    if line[at..].starts_with(b" FETCH (") && (1..=18).contains(&(at - start)) {
        return Some((u32::try_from(number).ok(), at + 8));
    }
    let gap = spaces(&line[at..]);
    // More digits than this do not fit.
    if !(1..=18).contains(&(at - start)) || gap == 0 {
        return None;
    }
    at += gap;
    let word = line.get(at..at + 5)?;
    if !word.eq_ignore_ascii_case(b"FETCH") {
        return None;
    }
    at += 5;
    at += spaces(&line[at..]);
    (line.get(at) == Some(&b'(')).then_some((u32::try_from(number).ok(), at + 1))
}

fn spaces(line: &[u8]) -> usize {
    line.iter().take_while(|byte| **byte == b' ').count()
}

/// How long a word is. Keywords hold what the grammar forbids: quotes, braces, brackets, stars.
fn word_length(line: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = line.get(at) {
        // A star as DavMail has it, in the middle of a number.
        if ends(*byte, WORD) && (*byte != b'*' || head(&line[at..]).is_some()) {
            break;
        }
        at += 1;
    }
    at
}

/// Bytes that end a word, or may do so.
const WORD: u8 = 1;
/// Bytes that end the name of an item.
const NAME: u8 = 2;

/// Which bytes end what. Every byte of a line is looked up here, or nearly.
const ENDS: [u8; 256] = {
    let mut ends = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        ends[byte] = match byte as u8 {
            b' ' | b'(' | b')' | b'\t' | b'\r' | b'\n' | b'*' => WORD | NAME,
            b'[' | b'"' | b'{' | 0..b' ' => NAME,
            _ => 0,
        };
        byte += 1;
    }
    ends
};

fn ends(byte: u8, what: u8) -> bool {
    ENDS[usize::from(byte)] & what != 0
}

/// Where the text of a quoted string ends that starts here. `None` if it does not end in its line.
fn quoted(line: &[u8], start: usize) -> Option<Range<usize>> {
    let mut at = start;
    loop {
        at += memchr::memchr3(b'"', b'\\', b'\n', line.get(at..)?)?;
        match line[at] {
            b'"' => return Some(start..at),
            b'\n' => return None,
            _ => at += 2,
        }
    }
}

/// Where the bytes of a literal are that is announced here: within the line, or none where it was
/// taken out and `{0}` stands in its place.
fn literal(line: &[u8], start: usize) -> Option<Range<usize>> {
    if line[start..].starts_with(b"{0}\r\n") {
        return Some(start + 5..start + 5);
    }
    let announced = line[start..].strip_prefix(b"~").unwrap_or(&line[start..]);
    let announced = announced.strip_prefix(b"{")?;
    let length = announced.iter().take(20);
    let length = length.take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = announced.split_at(length);
    let rest = rest.strip_prefix(b"+").unwrap_or(rest).strip_prefix(b"}")?;
    let rest = rest
        .strip_prefix(b"\r")
        .unwrap_or(rest)
        .strip_prefix(b"\n")?;
    let length: usize = str::from_utf8(digits).ok()?.parse().ok()?;
    let start = line.len() - rest.len();
    (length <= rest.len()).then(|| start..start + length)
}

/// The section whose name starts here, and where it ends with what it says of its origin:
/// `HEADER.FIELDS ("TO")]<0>`. `None` if it does not end.
fn section(line: &[u8], start: usize) -> Option<(Section<'_>, usize)> {
    let mut at = start;
    let name = loop {
        match line.get(at)? {
            b']' => break &line[start..at],
            b'"' => at = quoted(line, at + 1)?.end + 1,
            b'\n' => return None,
            _ => at += 1,
        }
    };
    at += 1;
    let gap = spaces(&line[at..]);
    let Some(origin) = line[at + gap..].strip_prefix(b"<") else {
        return Some((Section { name, origin: b"" }, at));
    };
    let length = origin
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();
    (origin.get(length) == Some(&b'>')).then(|| {
        let section = Section {
            name,
            origin: &origin[..length],
        };
        (section, at + gap + length + 2)
    })
}

/// A part of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section<'a> {
    /// What stands between the brackets.
    pub(super) name: &'a [u8],
    /// What stands in angle brackets behind them.
    pub(super) origin: &'a [u8],
}

const WHOLE: Section<'_> = Section {
    name: b"",
    origin: b"",
};

/// Whether this may be the name of an item that is not known. Of a text's words hardly any is.
fn looks_like_an_item(name: &[u8]) -> bool {
    let is_capital = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_in_capitals = name.first().is_some_and(u8::is_ascii_uppercase)
        && name
            .iter()
            .all(|byte| is_capital(byte) || b".-_".contains(byte));
    name.len() > 2 && (is_in_capitals || name[..2].eq_ignore_ascii_case(b"X-"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINES: [&str; 5] = [
        "* 1 FETCH (UID 7 FLAGS (\\Seen $Junk) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[] {0}\r\n)\r\n",
        "* 4294967295 FETCH (FLAGS () UID 999999999 RFC822.SIZE 0 BODY[] {0}\r\n)\r\n",
        "* 3 FETCH (BODY[] {0}\r\n UID 4294967295 FLAGS (a))\r\n",
        "* 3 FETCH (UID 9 BODY[] NIL FLAGS (\\Deleted \\Recent a-b_c.d $X) INTERNALDATE NIL)\r\n",
        "* 3 FETCH (UID 0 UID 8 INTERNALDATE \" 7-Jul-1996 02:44:25 -0700\" BODY[] \"x\")\r\n",
    ];

    fn read(line: &[u8]) -> Reading {
        let mut reading = Reading::default();
        reading.read(line, Fetch::full());
        reading
    }

    proptest! {
        #[test]
        fn the_usual_form_is_read_as_any_other(
            which in 0..LINES.len(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let mut line = LINES[which].as_bytes().to_vec();
            for (at, byte) in changes {
                let at = at.index(line.len());
                line[at] = byte;
            }
            let usual = read(&line);
            let mut other = line.clone();
            for at in (1..line.len()).filter(|at| b" (".contains(&line[at - 1])) {
                for name in ["UID ", "FLAGS (", "INTERNALDATE \"", "BODY[] "] {
                    if line[at..].starts_with(name.as_bytes()) {
                        other[at..at + name.len()].make_ascii_lowercase();
                    }
                }
            }
            let other = read(&other);
            prop_assert_eq!(usual.is_whole(), other.is_whole(), "{}", line.escape_ascii());
            prop_assert_eq!(usual.awaits_body(), other.awaits_body());
            prop_assert_eq!(usual.at, other.at, "{}", line.escape_ascii());
            prop_assert_eq!(&usual.body, &other.body, "{}", line.escape_ascii());
            // In a line that broke, the names may be taken for flags.
            let of = |reading: &Reading| format!("{:?}", reading.attributes).to_ascii_lowercase();
            prop_assert_eq!(of(&usual), of(&other));
        }
    }

    #[test]
    fn the_head_of_a_response_is_read_to_its_parenthesis() {
        for (line, read) in [
            ("* 7 FETCH (", Some((Some(7), 11))),
            ("*  7  fetch  (x", Some((Some(7), 14))),
            ("* 7 FETCH(", Some((Some(7), 10))),
            ("* 4294967296 FETCH (", Some((None, 20))),
            ("* 7FETCH (", None),
            ("* FETCH (", None),
            ("* 7 FETCH", None),
            ("* 7 FETCHED (", None),
            ("* 7 EXISTS", None),
            ("* 9999999999999999999999 FETCH (", None),
            ("p1 FETCH (", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(head(line.as_bytes()), read, "{line}");
        }
    }

    #[test]
    fn a_section_ends_at_its_own_bracket() {
        for (rest, read) in [
            ("]", Some(("", "", 1))),
            ("HEADER] ", Some(("HEADER", "", 7))),
            (
                "HEADER.FIELDS (\"A]\" B)]<0.9> x",
                Some(("HEADER.FIELDS (\"A]\" B)", "0.9", 28)),
            ),
            ("] <7> x", Some(("", "7", 5))),
            ("]<x>", None),
            ("]<", None),
            ("HEADER", None),
            ("\"]", None),
        ] {
            let read = read.map(|(name, origin, end)| (name.as_bytes(), origin.as_bytes(), end));
            let section = section(rest.as_bytes(), 0);
            let section = section.map(|(section, end)| (section.name, section.origin, end));
            assert_eq!(section, read, "{rest}");
        }
    }
}
