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
        let length = rest
            .iter()
            .position(|byte| *byte <= b' ' || b"()[\"{*".contains(byte))
            .unwrap_or(rest.len());
        let name = &rest[..length];
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        if is(b"BODY") || is(b"BODY.PEEK") || is(b"BINARY") || is(b"BINARY.SIZE") {
            let spaces = spaces(&rest[length..]);
            if rest.get(length + spaces) == Some(&b'[') {
                let Some((section, end)) = section(rest, length + spaces + 1) else {
                    self.outline = Outline::Broken;
                    return None;
                };
                let is_wanted = (is(b"BODY") || is(b"BODY.PEEK")) && fetch.is_body(section);
                let item = match is_wanted {
                    true => Item::Body,
                    false => Item::Part,
                };
                return Some((item, self.at + end));
            }
        }
        let item = Item::named(name);
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
    let digits = line[at..].iter().take(20);
    let digits = digits.take_while(|byte| byte.is_ascii_digit()).count();
    let number = str::from_utf8(&line[at..at + digits]).ok()?;
    at += digits;
    let gap = spaces(&line[at..]);
    at += gap;
    let word = line.get(at..at + 5)?;
    at += 5;
    let after = spaces(&line[at..]);
    if digits == 0 || gap == 0 || !word.eq_ignore_ascii_case(b"FETCH") {
        return None;
    }
    at += after;
    (line.get(at) == Some(&b'(')).then(|| (number.parse().ok(), at + 1))
}

fn spaces(line: &[u8]) -> usize {
    line.iter().take_while(|byte| **byte == b' ').count()
}

/// How long a word is. Keywords hold what the grammar forbids: quotes, braces, brackets, stars.
fn word_length(line: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = line.get(at) {
        if matches!(byte, b' ' | b'(' | b')' | b'\t' | b'\r' | b'\n') {
            break;
        }
        // DavMail again, in the middle of a number.
        if *byte == b'*' && head(&line[at..]).is_some() {
            break;
        }
        at += 1;
    }
    at
}

/// Where the text of a quoted string ends that starts here. `None` if it does not end in its line.
fn quoted(line: &[u8], start: usize) -> Option<Range<usize>> {
    let mut at = start;
    loop {
        match line.get(at)? {
            b'"' => return Some(start..at),
            b'\\' => at += 2,
            b'\n' => return None,
            _ => at += 1,
        }
    }
}

/// Where the bytes of a literal are that is announced here: within the line, or none where it was
/// taken out and `{0}` stands in its place.
fn literal(line: &[u8], start: usize) -> Option<Range<usize>> {
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

/// Whether this may be the name of an item that is not known. Of a text's words hardly any is.
fn looks_like_an_item(name: &[u8]) -> bool {
    let is_capital = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_in_capitals = name.first().is_some_and(u8::is_ascii_uppercase)
        && name
            .iter()
            .all(|byte| is_capital(byte) || b".-_".contains(byte));
    name.len() > 2 && (is_in_capitals || name[..2].eq_ignore_ascii_case(b"X-"))
}
