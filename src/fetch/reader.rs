//! Reads the answers to FETCH commands off a connection, one response at a time.

use std::sync::Arc;

use super::attributes::unescape;
use super::parts::{Part, Parts, Sum};
use super::reading::{BodyItem, Reading};
use super::request::Fetch;
use crate::error::{Error, ErrorKind, Result, excerpt};
use crate::gmail::Gmail;
use crate::message::{DateTime, Flags};
use crate::octets::{Octets, Shelf};
use crate::transport::{Condition, Fate, Frame, Status, Wire};
use crate::uid_set::Uid;

/// One response, as far as fetching is concerned.
#[derive(Debug)]
pub(crate) enum Answer<'a> {
    /// A message, or what the server says instead of its body.
    Fetched(Fetched),
    /// The body of a message whose other attributes may be still to come. It is kept here until
    /// they come, or until its command is over, and so must be what was admitted for it.
    Part,
    /// A FETCH response that cannot be understood. `excerpt` is fit for printing.
    Garbled { uid: Option<Uid>, excerpt: String },
    /// A command is over. Responses to it have all been seen.
    Completed { tag: u64, status: Status<'a> },
    /// The server is about to close the connection, and says why.
    Bye { status: Status<'a> },
    /// A message that was not asked for. Its body went by without being held.
    Unasked,
    /// Something else: new mail, flags changed by another client, a greeting in between.
    Unrelated,
}

#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) uid: Uid,
    pub(crate) flags: Flags,
    pub(crate) internal_date: Option<DateTime>,
    pub(crate) size: Option<u64>,
    pub(crate) body: Body,
    pub(crate) gmail: Option<Box<Gmail>>,
    /// The octets admitted for its body in an earlier call, which ended in [`Answer::Part`].
    pub(crate) earlier: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// The octets; none with [`Fetch::metadata`].
    Octets(Octets),
    /// The server sent NIL.
    Nil,
    /// Longer than allowed; it went by without being held.
    TooLarge { octets: u64 },
}

/// Reads responses. Its line buffer is reused, so that the only allocation per message is the
/// message's own.
#[derive(Debug)]
pub(crate) struct Reader {
    frame: Frame,
    reading: Reading,
    parts: Parts,
    /// The last line has been read and not been answered to.
    is_line_left: bool,
    fetch: Fetch,
    max_message_size: u64,
    /// Responses in a row, of one session, that answer nothing.
    chatter: usize,
    /// The octets of literals in them.
    chatter_octets: u64,
}

/// What became of the body in a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// There was none, or not as a literal.
    None,
    Kept {
        octets: u64,
    },
    TooLarge {
        octets: u64,
    },
    Unasked,
}

impl Reader {
    /// Large messages are put on this shelf.
    pub(crate) fn new(fetch: Fetch, max_message_size: u64, shelf: Arc<Shelf>) -> Self {
        Self {
            frame: Frame::new(shelf),
            reading: Reading::default(),
            parts: Parts::default(),
            is_line_left: false,
            fetch,
            max_message_size,
            chatter: 0,
            chatter_octets: 0,
        }
    }

    /// Takes note that the last response was an answer to something that was asked, or that
    /// another connection is read from now on.
    pub(crate) fn was_answered(&mut self) {
        self.chatter = 0;
        self.chatter_octets = 0;
    }

    /// Forgets what has come of messages that are not whole, as their connection is not read any
    /// more. Returns how many octets had been admitted for it.
    pub(crate) fn forget(&mut self) -> u64 {
        self.frame.forget_pause();
        self.is_line_left = false;
        self.parts.forget()
    }

    /// The start of what had arrived of a response when the connection broke, fit for printing.
    pub(crate) fn unfinished(&self) -> Option<String> {
        self.frame.unfinished()
    }

    /// Reads the next response. `tag_prefix` is what the tags of our commands begin with.
    /// `admit` is called before a body is read, with the UID if that is known by then and the
    /// number of octets. It may wait, and says whether the body is wanted.
    ///
    /// # Errors
    ///
    /// Whatever ends the connection. A response that is merely odd is no error. `TooLarge`, if
    /// possible with its UID, means a message that takes too long to wait for.
    pub(crate) fn next(
        &mut self,
        wire: &mut Wire,
        tag_prefix: u8,
        admit: impl FnMut(Option<Uid>, u64) -> Result<bool>,
    ) -> Result<Answer<'_>> {
        if let Some(fetched) = self.parts.next_ready() {
            return Ok(Answer::Fetched(fetched));
        }
        if !std::mem::take(&mut self.is_line_left) {
            let course = match self
                .read(wire, admit)
                .map_err(|error| self.explain(error))?
            {
                Some(course) => course,
                None => return Ok(self.next_ready()),
            };
            self.chatter += 1;
            let most = wire.limits().untagged_responses;
            if self.chatter > most {
                return Err(Error::protocol(format!(
                    "FETCH: more than {most} responses in a row that answer nothing"
                )));
            }
            if course == Course::Unasked {
                return Ok(Answer::Unasked);
            }
            if self.reading.is_fetch() && self.swallowed(tag_prefix).is_none() {
                return Ok(self.fetched(course));
            }
        }
        let is_end = self.completion(tag_prefix).is_some() || self.goodbye().is_some();
        if !is_end {
            if moves_numbers(&self.frame.line) {
                self.parts.forget_numbers();
            }
            return Ok(Answer::Unrelated);
        }
        // What is not whole now will not be.
        self.parts.release_all(self.fetch);
        if let Some(fetched) = self.parts.next_ready() {
            self.is_line_left = true;
            return Ok(Answer::Fetched(fetched));
        }
        Ok(match (self.completion(tag_prefix), self.goodbye()) {
            (Some((tag, status)), _) => Answer::Completed { tag, status },
            (None, Some(status)) => Answer::Bye { status },
            (None, None) => Answer::Unrelated,
        })
    }

    /// Reads a response to its end, or, as `None` tells, to a body for which there is room only
    /// when the one that is kept has been handed out.
    fn read(
        &mut self,
        wire: &mut Wire,
        mut admit: impl FnMut(Option<Uid>, u64) -> Result<bool>,
    ) -> Result<Option<Course>> {
        let Self {
            frame,
            reading,
            parts,
            ..
        } = self;
        let (fetch, max) = (self.fetch, self.max_message_size);
        let most_octets = wire.limits().response_octets;
        let octets_so_far = &mut self.chatter_octets;
        if !frame.is_paused() {
            *reading = Reading::default();
        }
        let mut course = Course::None;
        let is_whole = frame.read(wire, |line, octets| {
            if *octets_so_far > most_octets {
                return Err(Error::protocol(format!(
                    "FETCH: more than {most_octets} octets in a row that answer nothing"
                )));
            }
            reading.read(line, fetch);
            let is_body = reading.awaits_body() && !reading.has_body();
            if is_body && octets <= max && parts.release_body() {
                return Ok(Fate::Later);
            }
            *octets_so_far = octets_so_far.saturating_add(octets);
            if !is_body {
                // Room for two bodies is never asked for.
                return Ok(match reading.awaits_value() {
                    true => Fate::Inline,
                    false => Fate::Discard,
                });
            }
            if octets > max {
                course = Course::TooLarge { octets };
                return Ok(Fate::Discard);
            }
            let uid = reading.attributes.uid;
            let uid = uid.or_else(|| parts.uid_of(reading.number?));
            Ok(match admit(uid, octets)? {
                true => {
                    course = Course::Kept { octets };
                    Fate::Keep
                }
                false => {
                    course = Course::Unasked;
                    Fate::Discard
                }
            })
        })?;
        if !is_whole {
            return Ok(None);
        }
        reading.read(&frame.line, fetch);
        Ok(Some(course))
    }

    fn next_ready(&mut self) -> Answer<'static> {
        match self.parts.next_ready() {
            Some(fetched) => Answer::Fetched(fetched),
            None => Answer::Unrelated,
        }
    }

    fn explain(&mut self, error: Error) -> Error {
        let Some(size) = self.frame.refused else {
            return error;
        };
        self.reading.read(&self.frame.line, self.fetch);
        if !self.reading.awaits_body() {
            return error;
        }
        let limit = self.max_message_size;
        let error = Error::new(ErrorKind::TooLarge { size, limit }, "");
        match self.reading.attributes.uid {
            Some(uid) => error.with_uid(uid),
            None => error,
        }
    }

    fn fetched(&mut self, course: Course) -> Answer<'static> {
        let Self { frame, reading, .. } = self;
        let line = &frame.line;
        let garbled = |uid| Answer::Garbled {
            uid,
            excerpt: excerpt(line),
        };
        if !reading.is_whole() {
            return garbled(reading.attributes.uid);
        }
        let (body, admitted) = match (std::mem::take(&mut reading.body), course) {
            (BodyItem::Missing, _) => (None, 0),
            (BodyItem::Nil, _) => (Some(Body::Nil), 0),
            (BodyItem::Quoted(range), _) => {
                let octets = Octets::from(unescape(&line[range]));
                (Some(Body::Octets(octets)), 0)
            }
            (BodyItem::Literal, Course::TooLarge { octets }) => {
                (Some(Body::TooLarge { octets }), 0)
            }
            (BodyItem::Literal, Course::Kept { octets }) => match frame.literals.pop() {
                Some(literal) => (Some(Body::Octets(literal)), octets),
                None => return garbled(reading.attributes.uid),
            },
            (BodyItem::Literal, _) => return garbled(reading.attributes.uid),
        };
        let response = Part {
            number: reading.number,
            attributes: std::mem::take(&mut reading.attributes),
            body,
            admitted,
            octets: line.len(),
        };
        match self.parts.add(response, self.fetch) {
            Sum::Message(fetched) => Answer::Fetched(fetched),
            Sum::Body => Answer::Part,
            Sum::News => Answer::Unrelated,
        }
    }

    /// The end of a command, in the line that was read.
    fn completion(&self, tag_prefix: u8) -> Option<(u64, Status<'_>)> {
        match self.reading.is_fetch() {
            true => self.swallowed(tag_prefix),
            false => completion(&self.frame.line, tag_prefix),
        }
    }

    fn goodbye(&self) -> Option<Status<'_>> {
        Status::untagged(&self.frame.line).filter(|status| status.condition == Condition::Bye)
    }

    /// The end of a command in the same line as a response that has none: what DavMail sends when
    /// it cannot load the last message of a command.
    fn swallowed(&self, tag_prefix: u8) -> Option<(u64, Status<'_>)> {
        if self.reading.is_whole() || self.reading.has_body() {
            return None;
        }
        // Once, and not for each tag that is tried.
        let line = self.frame.line.trim_ascii_end();
        let mut tags = memchr::memchr_iter(tag_prefix, line);
        tags.find_map(|at| completion(&line[at..], tag_prefix))
    }
}

/// Whether a response moves the numbers of messages (RFC 9051, section 7.5.1; RFC 7162,
/// section 3.2.10).
fn moves_numbers(line: &[u8]) -> bool {
    let words = line.split(u8::is_ascii_whitespace);
    let mut words = words.filter(|word| !word.is_empty()).skip(1);
    let first = words.next().unwrap_or_default();
    match first.first() {
        Some(b'0'..=b'9') => {
            let kind = words.next().unwrap_or_default();
            kind.eq_ignore_ascii_case(b"EXPUNGE")
        }
        _ => first.eq_ignore_ascii_case(b"VANISHED"),
    }
}

fn completion(line: &[u8], tag_prefix: u8) -> Option<(u64, Status<'_>)> {
    let line = line.strip_prefix(&[tag_prefix])?;
    let digits = line.iter().take(20);
    let digits = digits.take_while(|byte| byte.is_ascii_digit()).count();
    let (tag, rest) = line.split_at(digits);
    let tag = str::from_utf8(tag).ok()?.parse().ok()?;
    Some((tag, Status::parse(rest.strip_prefix(b" ")?)?))
}

#[cfg(test)]
mod tests;
