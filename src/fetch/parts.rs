//! Puts together what a server says of one message in several FETCH responses. Owns the decision
//! whether a response is an answer, a part of one, or news; never reads the connection.
//!
//! Nearly every server answers in one response, which passes through here untouched. Some say UID,
//! FLAGS and INTERNALDATE in one and UID and BODY[] in another, in either order
//! (jstedfast/MailKit#1926, emailjs-imap-client#53).
//!
//! A response with a body is an answer, and so is one with what is only said when asked for, where
//! no body was asked for. FLAGS alone are news of a change (RFC 9051, section 7.5.2): they count
//! for nothing by themselves, but they are newer than what is known. What is not whole when its
//! command is over is handed out as it is: a message without its date is better than none.
//!
//! A response without a UID belongs to the message that had its number within the same command.
//! That is sound as long as no message was expunged in between, which moves the numbers of those
//! behind it; then the numbers are forgotten. Between commands everything is.

use std::collections::VecDeque;

use super::attributes::Attributes;
use super::reader::{Body, Fetched};
use super::request::Fetch;
use crate::octets::Octets;
use crate::uid_set::Uid;

/// Of so many messages parts are kept, more than one command asks for.
const MOST_PARTS: usize = 1024;

/// How long the lines may be together that these were read from.
const MOST_OCTETS: usize = 256 * 1024;

/// What has come of messages that are not whole.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Oldest first. One of them at most has a body: memory for it was admitted, and to wait for
    /// more while holding some could be to wait for ever.
    waiting: VecDeque<Part>,
    /// The lengths of their lines.
    octets: usize,
    /// For these nothing is waited for any more.
    ready: VecDeque<Fetched>,
}

/// One response, or several of the same message.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) number: Option<u32>,
    pub(super) attributes: Attributes,
    pub(super) body: Option<Body>,
    /// The octets that were admitted for the body.
    pub(super) admitted: u64,
    /// The length of its line.
    pub(super) octets: usize,
}

/// What a response comes to.
#[derive(Debug)]
pub(super) enum Sum {
    /// The message is whole.
    Message(Fetched),
    /// Its body is kept until the rest comes.
    Body,
    /// No answer, or not yet.
    News,
}

impl Parts {
    /// Takes one response.
    pub(super) fn add(&mut self, response: Part, fetch: Fetch) -> Sum {
        // Nearly always.
        if self.waiting.is_empty()
            && let Some(uid) = response.attributes.uid
            && response.is_whole(fetch)
        {
            return Sum::Message(response.into_fetched(uid, 0));
        }
        self.join(response, fetch)
    }

    fn join(&mut self, response: Part, fetch: Fetch) -> Sum {
        let before = self.take(response.attributes.uid, response.number);
        let earlier = before.as_ref().map_or(0, |before| before.admitted);
        let had_body = before.as_ref().is_some_and(|before| before.body.is_some());
        let sum = match before {
            Some(before) => before.with(response),
            None => response,
        };
        let Some(uid) = sum.attributes.uid else {
            return Sum::News;
        };
        if sum.is_whole(fetch) {
            return Sum::Message(sum.into_fetched(uid, earlier));
        }
        let is_body = sum.body.is_some() && !had_body;
        if is_body {
            self.release_body();
        }
        self.octets += sum.octets;
        self.waiting.push_back(sum);
        while self.waiting.len() > MOST_PARTS || self.octets > MOST_OCTETS {
            let Some(oldest) = self.waiting.pop_front() else {
                break;
            };
            self.octets -= oldest.octets;
            self.release(oldest, fetch);
        }
        match is_body {
            true => Sum::Body,
            false => Sum::News,
        }
    }

    /// The next message for which nothing is waited for any more.
    pub(super) fn next_ready(&mut self) -> Option<Fetched> {
        self.ready.pop_front()
    }

    /// Waits no longer: no response that is still to come belongs to these.
    pub(super) fn release_all(&mut self, fetch: Fetch) {
        self.octets = 0;
        for part in std::mem::take(&mut self.waiting) {
            self.release(part, fetch);
        }
    }

    /// Waits no longer for the message whose body is held. Returns whether there is one.
    pub(super) fn release_body(&mut self) -> bool {
        let at = self.waiting.iter().position(|part| part.body.is_some());
        let Some(part) = at.and_then(|at| self.waiting.remove(at)) else {
            return false;
        };
        self.octets -= part.octets;
        if let Some(uid) = part.attributes.uid {
            let earlier = part.admitted;
            self.ready.push_back(part.into_fetched(uid, earlier));
        }
        true
    }

    /// Forgets everything. Returns how many octets had been admitted for it.
    pub(super) fn forget(&mut self) -> u64 {
        let Self { waiting, ready, .. } = std::mem::take(self);
        let waiting = waiting.iter().map(|part| part.admitted);
        waiting.chain(ready.iter().map(|ready| ready.earlier)).sum()
    }

    /// Messages have other numbers from now on.
    pub(super) fn forget_numbers(&mut self) {
        for part in &mut self.waiting {
            part.number = None;
        }
    }

    /// The UID of the message that has this number.
    pub(super) fn uid_of(&self, number: u32) -> Option<Uid> {
        let at = self.find(None, Some(number))?;
        self.waiting[at].attributes.uid
    }

    /// How many there are, and how long their lines were.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.waiting.len(), self.octets)
    }

    fn find(&self, uid: Option<Uid>, number: Option<u32>) -> Option<usize> {
        // What belongs together mostly comes together.
        let mut parts = self.waiting.iter();
        match (uid, number) {
            (Some(_), _) => parts.rposition(|part| part.attributes.uid == uid),
            (None, Some(_)) => parts.rposition(|part| part.number == number),
            (None, None) => None,
        }
    }

    fn take(&mut self, uid: Option<Uid>, number: Option<u32>) -> Option<Part> {
        let part = self.waiting.remove(self.find(uid, number)?)?;
        self.octets -= part.octets;
        Some(part)
    }

    fn release(&mut self, part: Part, fetch: Fetch) {
        if let Some(uid) = part.attributes.uid
            && part.is_answer(fetch)
        {
            let earlier = part.admitted;
            self.ready.push_back(part.into_fetched(uid, earlier));
        }
    }
}

impl Part {
    /// Adds a later response. Of two bodies the first counts.
    fn with(mut self, later: Self) -> Self {
        self.number = later.number.or(self.number);
        self.attributes.merge(later.attributes);
        if self.body.is_none() {
            self.body = later.body;
            self.admitted = later.admitted;
        }
        self.octets += later.octets;
        self
    }

    /// Whether it is more than news.
    fn is_answer(&self, fetch: Fetch) -> bool {
        match fetch.has_body() {
            true => self.body.is_some(),
            false => self.attributes.are_an_answer(),
        }
    }

    /// Whether there is nothing to wait for.
    fn is_whole(&self, fetch: Fetch) -> bool {
        // Without a body it is not delivered.
        let is_refused = matches!(self.body, Some(Body::Nil | Body::TooLarge { .. }));
        is_refused || self.is_answer(fetch) && self.attributes.are_all_of(fetch)
    }

    fn into_fetched(mut self, uid: Uid, earlier: u64) -> Fetched {
        Fetched {
            uid,
            gmail: self.attributes.take_gmail(),
            flags: self.attributes.flags,
            internal_date: self.attributes.internal_date,
            size: self.attributes.size,
            body: self.body.unwrap_or_else(|| Body::Octets(Octets::default())),
            earlier,
        }
    }
}
