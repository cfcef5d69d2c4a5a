//! Finds out which messages the server still has, in two independent ways, of which neither is taken
//! for the truth where it says that a message is gone.

use std::time::Duration;

use super::open::ignore_refusal;
use super::search::is_refused;
use super::{Session, TAG_PREFIX};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::MIN_COMMAND_OCTETS;
use crate::query::Query;
use crate::transport::{Condition, Phase};
use crate::uid_set::{Cursor, Direction, Uid, UidSet, UidSetBuilder};

/// What stands in a command beside a set.
const ROOM_FOR_THE_REST: usize = 100;

/// What became of messages that an answer left out. Of those in neither set, that is unknown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Presence {
    pub(crate) there: UidSet,
    /// Shown to be gone, by more than one answer that leaves them out.
    pub(crate) gone: UidSet,
    /// What the server said instead of an answer, if it refused one.
    pub(crate) refused: Option<Error>,
}

impl Session {
    /// Finds out which of these messages the server still has, after an answer that left them out.
    /// It is given the chance to notice first.
    ///
    /// # Errors
    ///
    /// Whatever breaks the session. A question that is refused on a sound connection is no error.
    /// Then what FETCH names is there, and what SEARCH leaves out is gone; without an answer of
    /// SEARCH it stays open what became of the others.
    pub(crate) fn presence(&mut self, uids: &UidSet, limit: Duration) -> Result<Presence> {
        let end = Deadline::after(limit);
        // During FETCH a server may not report that messages are gone (RFC 9051, section 7.5.1),
        // and some go on to find them until they could. NOOP is their chance.
        ignore_refusal(self.check(end.left()))?;
        let mut presence = Presence::default();
        if self.is_empty() {
            presence.gone = uids.clone();
            return Ok(presence);
        }
        // UIDNEXT is a number of 32 bits above all UIDs, so this one cannot be. Cyrus 3.6 finds
        // nothing at all in a set that has it.
        let possible = uids.difference(&UidSet::from_range(Uid::MAX, Uid::MAX));
        // By the last that was asked, which is SEARCH where there is anything left to find out.
        let mut is_answered = false;
        for ask in [Self::fetch_presence, Self::search_presence] {
            let rest = possible.difference(&presence.there);
            if rest.is_empty() {
                break;
            }
            match ask(self, &rest, end) {
                Ok(found) => {
                    presence.there = presence.there.union(&found.intersection(&rest));
                    is_answered = true;
                }
                Err(error) if is_refused(&error) || *error.kind() == ErrorKind::Throttled => {
                    presence.refused = Some(error);
                    is_answered = false;
                }
                Err(error) => return Err(error),
            }
        }
        // Some refuse a question about a mailbox that has become empty (gluon#478).
        let is_refused = !is_answered && presence.refused.is_some();
        let is_empty = is_refused && presence.there.is_empty() && self.is_found_empty(end)?;
        if is_answered || is_empty || possible.is_empty() {
            presence.gone = uids.difference(&presence.there);
        }
        Ok(presence)
    }

    /// Whether the server says that the mailbox has no messages, and there is no doubt about it.
    pub(super) fn is_empty(&mut self) -> bool {
        let told = self.fence().heard.mailbox;
        told.is_exact && told.exists == Some(0)
    }

    /// Opens the mailbox again, which tells how many messages it has.
    fn is_found_empty(&mut self, end: Deadline) -> Result<bool> {
        let expected = self.selected.uid_validity;
        let told = self.examine_again(end)?;
        match told.uid_validity {
            Some(found) if found != expected => Err(Error::new(
                ErrorKind::UidValidityChanged { expected, found },
                "the mailbox was opened again",
            )),
            _ => Ok(told.exists == Some(0)),
        }
    }

    fn fetch_presence(&mut self, uids: &UidSet, end: Deadline) -> Result<UidSet> {
        self.in_parts(uids, |session, part| {
            session.fetch_uids(&part.to_string(), end)
        })
    }

    fn search_presence(&mut self, uids: &UidSet, end: Deadline) -> Result<UidSet> {
        self.in_parts(uids, |session, part| {
            let program = Query::all().uid(part).render()?;
            Ok(session.search_once(&program, end, false)?.uids)
        })
    }

    /// Asks in lines that every server takes, about what is at or above UIDNEXT apart from the others,
    /// and once more in halves where nothing is found: one UID that is odd may hide all others.
    fn in_parts(
        &mut self,
        uids: &UidSet,
        mut ask: impl FnMut(&mut Self, &UidSet) -> Result<UidSet>,
    ) -> Result<UidSet> {
        let next = self.uid_next().and_then(Uid::new);
        let above = next.map_or(UidSet::new(), |next| UidSet::from_range(next, Uid::MAX));
        let mut found = UidSet::new();
        for uids in [uids.difference(&above), uids.intersection(&above)] {
            let before = found.len();
            for part in parts(&uids) {
                found = found.union(&ask(self, &part)?);
            }
            if found.len() == before && uids.len() > 1 {
                let half = Cursor::new(Direction::Ascending).take(&uids, uids.len() / 2);
                for part in [uids.difference(&half), half].iter().flat_map(parts) {
                    found = found.union(&ask(self, &part)?);
                }
            }
        }
        Ok(found)
    }

    /// What the server last said. New mail since then is above it.
    fn uid_next(&mut self) -> Option<u32> {
        let told = self.fence().heard.mailbox.uid_next;
        told.or(self.selected.uid_next)
    }

    /// Asks for the UIDs of a set by FETCH. The answer is read line by line.
    pub(super) fn fetch_uids(&mut self, set: &str, end: Deadline) -> Result<UidSet> {
        let tag = format!("{}{}", char::from(TAG_PREFIX), self.tag());
        let command = format!("{tag} UID FETCH {set} (UID)\r\n");
        let mut fence = self.fence();
        fence.begin_within(Phase::Fetch, end);
        let limits = *fence.wire.limits();
        let mut found = UidSetBuilder::default();
        let mut answers = 0;
        let take = |rest: &[u8]| {
            let Some(uid) = uid_of(rest) else {
                return Ok(false);
            };
            found.push(uid);
            answers += 1;
            if answers > limits.search_messages || found.ranges() > limits.search_ranges {
                return Err(Error::protocol("FETCH: an answer of too many UIDs"));
            }
            Ok(true)
        };
        let sent = fence.wire.write(command.as_bytes());
        let ended = sent.and_then(|()| fence.read_answers(&tag, take));
        let ended = ended.map_err(|error| fence.explain(error))?;
        match ended.condition {
            Condition::Ok => Ok(found.finish()),
            _ => Err(fence.explain(ended.refused(Phase::Fetch, None))),
        }
    }
}

/// Cut so that each fits into a command.
fn parts(uids: &UidSet) -> Vec<UidSet> {
    let mut parts = Vec::new();
    let (mut part, mut length) = (UidSetBuilder::default(), 0);
    for (first, last) in uids.ranges() {
        let more = format!("{first}:{last},").len();
        if length + more > MIN_COMMAND_OCTETS - ROOM_FOR_THE_REST {
            parts.push(std::mem::take(&mut part).finish());
            length = 0;
        }
        part.push_between(first, last);
        length += more;
    }
    parts.push(part.finish());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The UID in a FETCH response without its `* `, wherever among the items it stands.
fn uid_of(rest: &[u8]) -> Option<Uid> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (word, items) = rest
        .get(digits..)?
        .strip_prefix(b" ")?
        .split_at_checked(5)?;
    if digits == 0 || !word.eq_ignore_ascii_case(b"FETCH") {
        return None;
    }
    let (mut depth, mut in_quotes) = (0, false);
    let mut is_next = false;
    let mut word = Vec::new();
    for byte in items {
        match byte {
            b'"' => in_quotes = !in_quotes,
            _ if in_quotes => {}
            b' ' | b'(' | b')' | b'\r' | b'\n' => {
                if is_next && !word.is_empty() {
                    return str::from_utf8(&word).ok()?.parse().ok().and_then(Uid::new);
                }
                if !word.is_empty() {
                    is_next = depth == 1 && word.eq_ignore_ascii_case(b"UID");
                }
                word.clear();
                match byte {
                    b'(' => depth += 1,
                    b')' => depth -= 1,
                    _ => {}
                }
            }
            _ => word.push(*byte),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_found_wherever_it_stands_and_nowhere_else() {
        for (line, expected) in [
            ("3 FETCH (UID 7)\r\n", Some(7)),
            ("3 fetch  (flags (\\Seen UID 5) uid 7 )\r\n", Some(7)),
            (
                "3 FETCH (X-GM-LABELS (\"UID 4\") MODSEQ (9) UID 7)\r\n",
                Some(7),
            ),
            ("3 FETCH (FLAGS (\\Seen))\r\n", None),
            ("3 FETCH (UID 0)\r\n", None),
            ("3 FETCH (UID x)\r\n", None),
            ("3 EXISTS\r\n", None),
            ("FETCH (UID 7)\r\n", None),
        ] {
            let uid = uid_of(line.as_bytes()).map(Uid::get);
            assert_eq!(uid, expected, "{line}");
        }
    }

    #[test]
    fn a_set_is_cut_so_that_each_part_fits_into_a_line() {
        let uids: UidSet = (1..3000u32).step_by(2).filter_map(Uid::new).collect();
        let parts = parts(&uids);
        assert!(parts.len() > 3);
        assert!(parts.iter().all(|part| part.to_string().len() < 900));
        let all = parts
            .iter()
            .fold(UidSet::new(), |all, part| all.union(part));
        assert_eq!(all, uids);
        assert!(super::parts(&UidSet::new()).is_empty());
    }
}
