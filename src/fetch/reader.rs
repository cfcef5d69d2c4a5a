//! Reads the answers to FETCH commands off a connection, one response at a time.

use std::sync::Arc;

use super::attributes::{Attributes, BodyItem, find_uid, lift_quoted_body};
use super::request::Fetch;
use crate::error::{Error, ErrorKind, Result, excerpt};
use crate::gmail::Gmail;
use crate::message::{DateTime, Flags};
use crate::octets::{Octets, Shelf};
use crate::transport::{Fate, Frame, Status, Wire};
use crate::uid_set::Uid;

/// One response, as far as fetching is concerned.
#[derive(Debug)]
pub(crate) enum Answer<'a> {
    /// A message, or what the server says instead of its body.
    Fetched(Fetched),
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
    fetch: Fetch,
    max_message_size: u64,
    /// Responses in a row, of one session, that answer nothing.
    chatter: usize,
    /// The octets of literals in them.
    chatter_octets: u64,
}

impl Reader {
    /// Large messages are put on this shelf.
    pub(crate) fn new(fetch: Fetch, max_message_size: u64, shelf: Arc<Shelf>) -> Self {
        Self {
            frame: Frame::new(shelf),
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
        mut admit: impl FnMut(Option<Uid>, u64) -> Result<bool>,
    ) -> Result<Answer<'_>> {
        let max = self.max_message_size;
        let most_octets = wire.limits().response_octets;
        let mut octets_so_far = self.chatter_octets;
        let (mut has_body, mut is_unasked) = (false, false);
        let result = self.frame.read(wire, |line, octets| {
            if octets_so_far > most_octets {
                return Err(Error::protocol(format!(
                    "FETCH: more than {most_octets} octets in a row that answer nothing"
                )));
            }
            octets_so_far = octets_so_far.saturating_add(octets);
            if !announces_body(line) {
                return Ok(Fate::Inline);
            }
            // The first body is the message; room for two is never asked for.
            if octets > max || std::mem::replace(&mut has_body, true) {
                return Ok(Fate::Discard);
            }
            is_unasked = !admit(find_uid(line), octets)?;
            Ok(match is_unasked {
                true => Fate::Discard,
                false => Fate::Keep,
            })
        });
        self.chatter_octets = octets_so_far;
        result.map_err(|error| self.explain(error))?;
        self.chatter += 1;
        let most = wire.limits().untagged_responses;
        if self.chatter > most {
            return Err(Error::protocol(format!(
                "FETCH: more than {most} responses in a row that answer nothing"
            )));
        }
        if is_unasked {
            return Ok(Answer::Unasked);
        }
        if is_fetch(&self.frame.line) {
            return Ok(self.fetched());
        }
        let line = &self.frame.line;
        if line.first() == Some(&tag_prefix) {
            return Ok(completion(line).unwrap_or(Answer::Unrelated));
        }
        if let Some(status) = Status::untagged(line)
            && status.condition == crate::transport::Condition::Bye
        {
            return Ok(Answer::Bye { status });
        }
        Ok(Answer::Unrelated)
    }

    fn explain(&self, error: Error) -> Error {
        match self.frame.refused {
            Some(size) if announces_body(&self.frame.line) => {
                let limit = self.max_message_size;
                let error = Error::new(ErrorKind::TooLarge { size, limit }, "");
                match find_uid(&self.frame.line) {
                    Some(uid) => error.with_uid(uid),
                    None => error,
                }
            }
            _ => error,
        }
    }

    fn fetched(&mut self) -> Answer<'static> {
        let lifted = match self.frame.literals.pop() {
            None if self.frame.discarded.is_none() => {
                lift_quoted_body(&mut self.frame.line).map(Octets::from)
            }
            literal => literal,
        };
        let line = &self.frame.line;
        let garbled = || Answer::Garbled {
            uid: find_uid(line),
            excerpt: excerpt(line),
        };
        let Some(attributes) = Attributes::parse(line) else {
            return garbled();
        };
        // Without what was asked for, it is news of a change of flags (RFC 9051, section 7.5.2)
        // and no answer.
        let (Some(uid), false) = (
            attributes.uid,
            self.fetch.has_size() && attributes.size.is_none(),
        ) else {
            return Answer::Unrelated;
        };
        let body = match (attributes.body, lifted, self.frame.discarded) {
            (BodyItem::Missing, ..) if self.fetch.has_body() => return Answer::Unrelated,
            (BodyItem::Missing, ..) => Body::Octets(Octets::default()),
            (BodyItem::Nil, ..) => Body::Nil,
            (BodyItem::Present, Some(octets), _) => Body::Octets(octets),
            (BodyItem::Present, None, Some(octets)) => Body::TooLarge { octets },
            // Neither a literal nor a quoted string.
            (BodyItem::Present, None, None) => return garbled(),
        };
        Answer::Fetched(Fetched {
            uid,
            flags: attributes.flags,
            internal_date: attributes.internal_date,
            size: attributes.size,
            body,
            gmail: attributes.gmail,
        })
    }
}

/// Whether the line so far ends in the name of a body item, so that its octets come next.
fn announces_body(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let line = line.strip_suffix(b">").map_or(line, |inner| {
        &inner[..memchr::memrchr(b'<', inner).unwrap_or(inner.len())]
    });
    // Names of header fields stand in parentheses, so a bracket there would be within these.
    line.ends_with(b"]")
        && memchr::memrchr(b'[', line)
            .is_some_and(|at| line[..at].ends_with(b"BODY") && !line[at..].contains(&b')'))
}

fn is_fetch(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"* ") else {
        return false;
    };
    let digits = rest
        .iter()
        .take_while(|octet| octet.is_ascii_digit())
        .count();
    digits > 0
        && rest
            .get(digits..digits + 7)
            .is_some_and(|word| word.eq_ignore_ascii_case(b" FETCH "))
}

fn completion(line: &[u8]) -> Option<Answer<'_>> {
    let (tag, rest) = line.split_at(memchr::memchr(b' ', line)?);
    let tag = str::from_utf8(&tag[1..]).ok()?.parse().ok()?;
    Some(Answer::Completed {
        tag,
        status: Status::parse(&rest[1..])?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Condition, tests::wire};

    fn reader(fetch: Fetch) -> Reader {
        Reader::new(fetch, 1000, Arc::default())
    }

    fn one(fetch: Fetch, octets: &[u8]) -> Fetched {
        match reader(fetch)
            .next(&mut wire(octets, 5), b'p', |_, _| Ok(true))
            .unwrap()
        {
            Answer::Fetched(fetched) => fetched,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn puts_each_literal_into_its_message_and_stays_in_step() {
        let octets = b"* 1 FETCH (UID 7 FLAGS () BODY[] {10}\r\np1 OK\r\n{9})\r\n\
            * 12 EXISTS\r\n\
            * 2 FETCH (BODY[] {0}\r\n UID 9)\r\n\
            p1 OK done\r\n";
        let mut reader = reader(Fetch::full());
        let mut wire = wire(&octets[..], 3);
        let mut seen = Vec::new();
        loop {
            match reader.next(&mut wire, b'p', |_, _| Ok(true)).unwrap() {
                Answer::Fetched(fetched) => seen.push((fetched.uid.get(), fetched.body)),
                Answer::Unrelated => {}
                Answer::Completed { tag, status } => {
                    assert_eq!((tag, status.condition), (1, Condition::Ok));
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        let bodies = [
            (7, Body::Octets(b"p1 OK\r\n{9}".to_vec().into())),
            (9, Body::Octets(Octets::default())),
        ];
        assert_eq!(seen, bodies);
    }

    #[test]
    fn takes_a_body_as_quoted_string_nil_or_partial() {
        let quoted = one(Fetch::full(), b"* 1 FETCH (UID 7 BODY[] \"a\\\\b\")\r\n");
        assert_eq!(quoted.body, Body::Octets(b"a\\b".to_vec().into()));
        let nil = one(Fetch::full(), b"* 1 FETCH (UID 7 BODY[] NIL)\r\n");
        assert_eq!(nil.body, Body::Nil);
        let part = b"* 1 FETCH (UID 7 RFC822.SIZE 99 BODY[]<0> {3}\r\nabc)\r\n";
        let part = one(Fetch::partial(3), part);
        assert_eq!(
            (part.size, part.body),
            (Some(99), Body::Octets(b"abc".to_vec().into()))
        );
    }

    #[test]
    fn lets_a_body_over_the_limit_go_by() {
        let mut octets = b"* 1 FETCH (BODY[] {5000}\r\n".to_vec();
        octets.resize(octets.len() + 5000, b'x');
        octets.extend_from_slice(b" UID 7)\r\n");
        let fetched = one(Fetch::full(), &octets);
        assert_eq!(fetched.uid.get(), 7);
        assert_eq!(fetched.body, Body::TooLarge { octets: 5000 });
    }

    #[test]
    fn news_of_flags_is_not_taken_for_a_message() {
        let octets = b"* 1 FETCH (UID 7 FLAGS (\\Seen))\r\n";
        for fetch in [Fetch::full(), Fetch::metadata()] {
            let answer = reader(fetch)
                .next(&mut wire(&octets[..], 9), b'p', |_, _| Ok(true))
                .map(|a| matches!(a, Answer::Unrelated));
            assert!(answer.unwrap());
        }
    }

    #[test]
    fn a_garbled_response_says_whose_it_is_and_a_bye_says_why() {
        let octets = b"* 1 FETCH (UID 7 WHAT[ {2}\r\nab ((\r\n* BYE so long\r\n";
        let mut reader = reader(Fetch::full());
        let mut wire = wire(&octets[..], 9);
        match reader.next(&mut wire, b'p', |_, _| Ok(true)).unwrap() {
            Answer::Garbled { uid, excerpt } => {
                assert_eq!(uid, Uid::new(7));
                assert!(excerpt.contains("WHAT"), "{excerpt}");
            }
            other => panic!("{other:?}"),
        }
        match reader.next(&mut wire, b'p', |_, _| Ok(true)).unwrap() {
            Answer::Bye { status } => assert_eq!(status.text, b"so long"),
            other => panic!("{other:?}"),
        }
    }
}
