//! SEARCH: the query out, the UIDs in. The answer, a single line of megabytes for a large
//! mailbox, is read number by number and never held.

mod esearch;

use std::time::Instant;

use super::fence::with_goodbye;
use super::literals::Literals;
use super::{Session, TAG_PREFIX};
use crate::error::{Error, ErrorKind, Result, excerpt};
use crate::query::{Part, Program, Query};
use crate::transport::{Condition, Phase, Status, Wire};
use crate::uid_set::{Uid, UidSet, UidSetBuilder};

impl Session {
    /// Asks the server which messages match.
    pub(crate) fn search(
        &mut self,
        program: &Program,
        limit: std::time::Duration,
    ) -> Result<UidSet> {
        if program.needs_gmail && !self.has_gmail {
            return Err(Error::config(
                "`gmail_raw` is Gmail's own, and this server does not announce X-GM-EXT-1; use the \
                 other keys of `Query`",
            ));
        }
        let result =
            self.search_once(program, limit, self.has_esearch)
                .map_err(|error| {
                    match error.kind() {
                ErrorKind::Server { .. } if program.needs_utf8 => error.in_context(
                    "the text is not ASCII, which this server may not search for; search for less, \
                     and compare in the closure",
                ),
                _ => error,
            }
                });
        let (found, is_answered) = match result {
            // It offers more than it understands.
            Err(error) if self.has_esearch && is_bad(&error) => (UidSet::new(), false),
            result => result?,
        };
        if is_answered || !self.has_esearch {
            return Ok(found);
        }
        // Also for nothing found there must be an answer (RFC 4731, section 3.1): without one, nobody
        // knows what was found.
        self.has_esearch = false;
        Ok(self.search_once(program, limit, false)?.0)
    }

    /// Returns what was found, and whether there was an answer at all.
    fn search_once(
        &mut self,
        program: &Program,
        limit: std::time::Duration,
        in_ranges: bool,
    ) -> Result<(UidSet, bool)> {
        let tag = format!("{}{}", char::from(TAG_PREFIX), self.tag());
        let literals = self.literals;
        let mut fence = self.fence();
        fence.begin_until(Phase::Search, Instant::now() + limit);
        ask(&mut fence.wire, &tag, program, in_ranges, literals)?;
        let mut found = UidSetBuilder::default();
        let is_answered = finish(&mut fence.wire, &tag, &mut found)?;
        let found = found.finish();
        let most = fence.wire.limits().search_messages;
        if found.len() > most {
            return Err(Error::protocol(format!(
                "SEARCH: an answer of more than {most} messages"
            )));
        }
        Ok((found, is_answered))
    }

    /// Finds out which of these messages the server still has, after an answer that left them out.
    /// It is given the chance to notice first.
    ///
    /// # Errors
    ///
    /// Whatever breaks the session. A question that is refused on a sound connection is no error:
    /// then it stays open what became of the messages.
    pub(crate) fn presence(
        &mut self,
        uids: &UidSet,
        limit: std::time::Duration,
    ) -> Result<Presence> {
        // During FETCH a server may not report that messages are gone (RFC 9051, section 7.5.1),
        // and some go on to find them until they could. NOOP is their chance.
        self.check(limit)?;
        let found = self.search(&Query::all().uid(uids).render()?, limit)?;
        Ok(Presence {
            there: found.intersection(uids),
            gone: uids.difference(&found),
            refused: None,
        })
    }
}

/// What became of messages that an answer left out. Of those in neither set, that is unknown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Presence {
    pub(crate) there: UidSet,
    /// Shown to be gone, by more than one answer that leaves them out.
    pub(crate) gone: UidSet,
    /// What the server said instead of an answer, if it refused one.
    pub(crate) refused: Option<Error>,
}

/// Sends the command, and waits before each literal for which the server wants to be waited for.
fn ask(
    wire: &mut Wire,
    tag: &str,
    program: &Program,
    has_esearch: bool,
    literals: Literals,
) -> Result<()> {
    let charset = if program.needs_utf8 {
        "CHARSET UTF-8 "
    } else {
        ""
    };
    // In ranges (RFC 4731, section 3.1): a few octets where the other form takes megabytes.
    let result = if has_esearch { "RETURN (ALL) " } else { "" };
    let mut line = format!("{tag} UID SEARCH {result}{charset}").into_bytes();
    for part in &program.parts {
        match part {
            Part::Text(text) => line.extend_from_slice(text.as_bytes()),
            Part::Literal(octets) => {
                let announcement = literals.announce(octets.len());
                line.extend_from_slice(announcement.text.as_bytes());
                if announcement.is_awaited {
                    wire.write(&line)?;
                    line.clear();
                    await_continuation(wire, tag)?;
                }
                line.extend_from_slice(octets);
            }
        }
    }
    line.extend_from_slice(b"\r\n");
    wire.write(&line)
}

fn await_continuation(wire: &mut Wire, tag: &str) -> Result<()> {
    let mut line = Vec::new();
    for _ in 0..wire.limits().untagged_responses {
        line.clear();
        wire.read_line(&mut line)?;
        if line.starts_with(b"+") {
            return Ok(());
        }
        if let Some(status) = completion(&line, tag) {
            return Err(refused(&status));
        }
    }
    Err(too_much_chatter(wire))
}

/// A command that was not understood has no response code, nor has it a passing reason.
fn is_bad(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Server { code: None, .. })
}

/// Reads up to the command's end. Returns whether there was an answer before it.
fn finish(wire: &mut Wire, tag: &str, found: &mut UidSetBuilder) -> Result<bool> {
    let mut is_answered = false;
    let mut line = Vec::new();
    let mut bye = None;
    for _ in 0..wire.limits().untagged_responses {
        line.clear();
        match read_head(wire, &mut line)
            .map_err(|error| with_goodbye(error, Phase::Search, bye.as_deref()))?
        {
            Head::Search => {
                read_numbers(wire, found)?;
                is_answered = true;
                continue;
            }
            Head::Esearch => {
                esearch::read_set(wire, found)?;
                is_answered = true;
                continue;
            }
            Head::Line => {}
        }
        if let Some(status) = completion(&line, tag) {
            return if status.condition == Condition::Ok {
                Ok(is_answered)
            } else {
                Err(refused(&status))
            };
        }
        if let Some(Status {
            condition: Condition::Bye,
            text,
            ..
        }) = Status::untagged(&line)
        {
            bye = Some(excerpt(text));
        }
    }
    Err(too_much_chatter(wire))
}

fn too_much_chatter(wire: &Wire) -> Error {
    let most = wire.limits().untagged_responses;
    Error::protocol(format!(
        "SEARCH: more than {most} lines that answer nothing"
    ))
}

fn completion<'a>(line: &'a [u8], tag: &str) -> Option<Status<'a>> {
    Status::parse(line.strip_prefix(tag.as_bytes())?.strip_prefix(b" ")?)
}

fn refused(status: &Status<'_>) -> Error {
    Error::refused(status.condition, status.code_word(), status.text, "SEARCH")
}

/// What a line begins with.
enum Head {
    /// The numbers of a SEARCH answer are still to come.
    Search,
    /// What an ESEARCH answer says is still to come.
    Esearch,
    /// Something else. The line is whole.
    Line,
}

fn read_head(wire: &mut Wire, line: &mut Vec<u8>) -> Result<Head> {
    const HEADS: [(&[u8], Head); 2] = [(b"* SEARCH", Head::Search), (b"* ESEARCH", Head::Esearch)];
    loop {
        let octet = wire.available()?[0];
        let mut may_be_head = false;
        for (name, head) in HEADS {
            if line.eq_ignore_ascii_case(name) && matches!(octet, b' ' | b'\r' | b'\n') {
                return Ok(head);
            }
            may_be_head |= name.len() > line.len()
                && name[..line.len()].eq_ignore_ascii_case(line)
                && name[line.len()].eq_ignore_ascii_case(&octet);
        }
        if !may_be_head {
            wire.read_line(line)?;
            return Ok(Head::Line);
        }
        line.push(octet);
        wire.consume(1);
    }
}

fn too_many_ranges(most: usize) -> Error {
    Error::protocol(format!(
        "SEARCH: an answer of more than {most} ranges of UIDs"
    ))
}

/// Reads numbers to the end of the line. A modification sequence in parentheses (RFC 7162,
/// section 3.1.5) is passed over.
fn read_numbers(wire: &mut Wire, found: &mut UidSetBuilder) -> Result<()> {
    let mut number: Option<u32> = None;
    let mut in_parentheses = false;
    let most = wire.limits().search_ranges;
    loop {
        if found.ranges() > most {
            return Err(too_many_ranges(most));
        }
        let available = wire.available()?;
        for (index, &octet) in available.iter().enumerate() {
            match octet {
                b'0'..=b'9' if !in_parentheses => {
                    let digit = u32::from(octet - b'0');
                    let longer = number.unwrap_or(0).checked_mul(10);
                    number = Some(
                        longer
                            .and_then(|longer| longer.checked_add(digit))
                            .ok_or_else(|| Error::protocol("SEARCH: a UID of over 32 bits"))?,
                    );
                }
                b' ' | b'\r' | b'\n' | b'(' => {
                    if let Some(number) = number.take() {
                        let uid = Uid::new(number)
                            .ok_or_else(|| Error::protocol("SEARCH: a UID of 0"))?;
                        found.push(uid);
                    }
                    in_parentheses |= octet == b'(';
                    if octet == b'\n' {
                        wire.consume(index + 1);
                        return Ok(());
                    }
                }
                b')' => in_parentheses = false,
                _ if in_parentheses => {}
                _ => {
                    return Err(Error::protocol(
                        "SEARCH: an answer that is not a list of UIDs",
                    ));
                }
            }
        }
        let count = available.len();
        wire.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tests::wire;

    fn answer(octets: &[u8], piece: usize) -> Result<UidSet> {
        let mut found = UidSetBuilder::default();
        finish(&mut wire(octets, piece), "p1", &mut found)?;
        Ok(found.finish())
    }

    #[test]
    fn reads_numbers_however_the_octets_are_cut() {
        let octets = b"* 5 EXISTS\r\n* SEARCH 1 2 3 20 4294967295 7 (MODSEQ 99) \r\n\
            * search 8\r\n* SEARCH\r\n* SEARCHING hard\r\np1 OK done\r\n";
        for piece in [1, 2, 3, 5, 1000] {
            assert_eq!(
                answer(octets, piece).unwrap().to_string(),
                "1:3,7:8,20,4294967295"
            );
        }
    }

    #[test]
    fn reads_ranges_however_the_octets_are_cut() {
        for (octets, expected) in [
            (
                &b"* ESEARCH (TAG \"p1\") UID ALL 2,10:15,17:16\r\np1 OK done\r\n"[..],
                "2,10:17",
            ),
            (
                b"* ESEARCH (TAG \"p1\") UID COUNT 2 all 1:2 MODSEQ 9\r\np1 OK done\r\n",
                "1:2",
            ),
            (b"* ESEARCH (TAG \"p1 ALL 7\") UID\r\np1 OK nothing\r\n", ""),
            (b"* ESEARCH\r\n* SEARCH 5\r\np1 OK as it likes\r\n", "5"),
            (
                b"* esearch (TAG \"p1\") uid ALL 1:4294967295\r\np1 OK done\r\n",
                "1:4294967295",
            ),
        ] {
            for piece in [1, 2, 3, 5, 1000] {
                assert_eq!(answer(octets, piece).unwrap().to_string(), expected);
            }
        }
    }

    #[test]
    fn ranges_that_cannot_be_uids_are_refused() {
        for odd in [
            "0",
            "1:0",
            "4294967296",
            "1:*",
            "5:",
            ":5",
            "1,,2",
            "1:2:3",
            "x",
            "",
        ] {
            let octets = format!("* ESEARCH (TAG \"p1\") UID ALL {odd}\r\np1 OK\r\n");
            assert!(answer(octets.as_bytes(), 9).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_refusal_keeps_code_and_text() {
        let error = answer(b"p1 NO [BADCHARSET (US-ASCII)] no such charset\r\n", 9).unwrap_err();
        assert!(
            error.to_string().contains("[BADCHARSET]: no such charset"),
            "{error}"
        );
    }

    #[test]
    fn a_goodbye_in_the_middle_is_told() {
        let error = answer(b"* SEARCH 1\r\n* BYE going down\r\n", 9).unwrap_err();
        assert!(error.to_string().contains("going down"), "{error}");
    }

    #[test]
    fn an_answer_without_end_is_cut_off() {
        let numbers: String = (1..)
            .step_by(2)
            .take(5_000_000)
            .fold(String::from("* SEARCH"), |text, number| {
                text + " " + &number.to_string()
            });
        let error = answer(numbers.as_bytes(), 65_536).unwrap_err();
        assert!(error.to_string().contains("4000000 ranges"), "{error}");
    }

    #[test]
    fn numbers_that_cannot_be_uids_are_refused() {
        for odd in ["0", "4294967296", "12a"] {
            assert!(
                answer(format!("* SEARCH {odd}\r\n").as_bytes(), 9).is_err(),
                "{odd}"
            );
        }
    }
}
