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
use super::tokens::{
    NAME, WHOLE, ends, head, literal, looks_like_an_item, quoted, section, spaces, word_length,
};
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
            self.number = number;
            self.at = after;
            self.depth = 1;
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
        *self = Self {
            at: self.at + length,
            depth: 1,
            outline: match self.bodies {
                0 => Outline::Sound,
                // Whose body it was is not known.
                _ => Outline::Broken,
            },
            number,
            bodies: self.bodies,
            ..Self::default()
        };
        true
    }
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
}
