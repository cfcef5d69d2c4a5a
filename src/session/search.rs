//! SEARCH: the query out, the UIDs in. The answer, a single line of megabytes for a large mailbox, is
//! read number by number and never held.

mod esearch;
mod everything;
mod numbers;

use std::time::Duration;

use self::esearch::Summary;
use self::everything::Form;
pub(super) use self::everything::is_refused;
use self::numbers::Oddities;
use super::fence::{Fence, Reply};
use super::literals::Literals;
use super::{Session, TAG_PREFIX};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::query::{Part, Program};
use crate::transport::{Condition, Phase, Wire};
use crate::uid_set::{UidSet, UidSetBuilder};

impl Session {
    /// Asks the server which messages match. The answer to a query for everything is held against the
    /// number of messages that the server says there are.
    pub(crate) fn search(&mut self, program: &Program, limit: Duration) -> Result<UidSet> {
        let end = Deadline::after(limit);
        if program.needs_gmail && !self.has_gmail {
            return Err(Error::config(
                "`gmail_raw` is Gmail's own, and this server does not announce X-GM-EXT-1; use the \
                 other keys of `Query`",
            ));
        }
        {
            let mut fence = self.fence();
            fence.heard.forget_words();
            fence.heard.watch_count();
        }
        let found = self
            .search_in_any_form(program, end)
            .map_err(|error| match error.kind() {
                ErrorKind::Server { .. } if program.needs_utf8 => error.in_context(
                    "the text is not ASCII, which this server may not search for; search for less, \
                     and compare in the closure",
                ),
                _ => error,
            })?;
        match program.is_everything() {
            true => self.complete(found, &[Form::Search, Form::Fetch], end),
            false => Ok(found),
        }
    }

    /// In ranges if the server can, and as a list of numbers if that was not worth it.
    fn search_in_any_form(&mut self, program: &Program, end: Deadline) -> Result<UidSet> {
        if self.has_esearch {
            match self.search_once(program, end, true) {
                Ok(found) if !found.is_doubtful => return Ok(found.uids),
                Ok(_) => {}
                // It offers more than it understands.
                Err(error) if is_bad(&error) => self.has_esearch = false,
                Err(error) => return Err(error),
            }
        }
        let found = self.search_once(program, end, false)?.uids;
        // What it had said before was wrong, or nothing.
        self.has_esearch &= found.is_empty();
        Ok(found)
    }

    pub(super) fn search_once(
        &mut self,
        program: &Program,
        end: Deadline,
        in_ranges: bool,
    ) -> Result<Found> {
        let tag = format!("{}{}", char::from(TAG_PREFIX), self.tag());
        let literals = self.literals;
        let mut fence = self.fence();
        fence.begin_until(Phase::Search, end);
        let found = ask(&mut fence, &tag, program, in_ranges, literals)
            .and_then(|()| finish(&mut fence, &tag))
            .map_err(|error| fence.explain(error))?;
        let most = fence.wire.limits().search_messages;
        if found.uids.len() > most {
            return Err(Error::protocol(format!(
                "SEARCH: an answer of more than {most} messages"
            )));
        }
        drop(fence);
        if let Some(what) = &found.odd {
            let what = what.clone();
            self.tell(&Event::OddAnswer { what });
        }
        Ok(found)
    }
}

/// What a SEARCH has found.
pub(super) struct Found {
    pub(super) uids: UidSet,
    /// There was no answer, or one that contradicts itself.
    is_doubtful: bool,
    /// What is odd about the answer.
    odd: Option<String>,
}

/// Sends the command, and waits before each literal for which the server wants to be waited for.
fn ask(
    fence: &mut Fence,
    tag: &str,
    program: &Program,
    in_ranges: bool,
    literals: Literals,
) -> Result<()> {
    let charset = if program.needs_utf8 {
        "CHARSET UTF-8 "
    } else {
        ""
    };
    // In ranges (RFC 4731, section 3.1): a few bytes where the other form takes megabytes. With their
    // number, which tells an answer without ranges from one that has lost them.
    let result = if in_ranges { "RETURN (ALL COUNT) " } else { "" };
    let mut line = format!("{tag} UID SEARCH {result}{charset}").into_bytes();
    for part in &program.parts {
        match part {
            Part::Text(text) => line.extend_from_slice(text.as_bytes()),
            Part::Literal(octets) => {
                let announcement = literals.announce(octets.len());
                line.extend_from_slice(announcement.text.as_bytes());
                if announcement.is_awaited {
                    fence.wire.write(&line)?;
                    line.clear();
                    await_continuation(fence, tag)?;
                }
                line.extend_from_slice(octets);
            }
        }
    }
    line.extend_from_slice(b"\r\n");
    fence.wire.write(&line)
}

fn await_continuation(fence: &mut Fence, tag: &str) -> Result<()> {
    match fence.read_reply(tag)? {
        Reply::Continue(_) => Ok(()),
        Reply::Done(completion) => Err(completion.refused(Phase::Search, None)),
    }
}

/// A command that was not understood has no response code, nor has it a passing reason.
fn is_bad(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Server { code: None, .. })
}

/// Reads up to the command's end.
fn finish(fence: &mut Fence, tag: &str) -> Result<Found> {
    let mut found = UidSetBuilder::default();
    let (mut oddities, mut summary) = (Oddities::default(), None);
    let mut has_numbers = false;
    let completion = loop {
        let mut line = Vec::new();
        match read_head(&mut fence.wire, &mut line)? {
            Head::Search => {
                fence.count()?;
                numbers::read(&mut fence.wire, &mut found, &mut oddities)?;
                has_numbers = true;
            }
            Head::Esearch => {
                fence.count()?;
                let summary = summary.get_or_insert_with(Summary::default);
                esearch::read(&mut fence.wire, &mut found, summary)?;
            }
            Head::Line => {
                if let Some(completion) = fence.take_line(line, tag)? {
                    break completion;
                }
            }
        }
    };
    if completion.condition != Condition::Ok {
        return Err(completion.refused(Phase::Search, None));
    }
    let uids = found.finish();
    if uids.is_empty() && oddities.has_garbage {
        return Err(Error::protocol(format!(
            "SEARCH: an answer that is not a list of UIDs: {}",
            oddities.first
        )));
    }
    Ok(Found {
        // Also for nothing found there must be an answer (RFC 4731, section 3.1): without one, nobody
        // knows what was found. That to a plain search is left out by some (iCloud).
        is_doubtful: match &summary {
            Some(summary) => !has_numbers && summary.is_doubtful(uids.len()),
            None => !has_numbers,
        },
        odd: (oddities.count > 0).then(|| {
            let Oddities { count, first, .. } = oddities;
            format!("SEARCH: {count} of the answer's words are no UIDs, such as {first:?}")
        }),
        uids,
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tests::wire;

    fn answer(octets: &[u8], piece: usize) -> Result<UidSet> {
        Ok(finish(&mut Fence::new(wire(octets, piece)), "p1")?.uids)
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
    fn an_answer_in_ranges_that_contradicts_itself_is_in_doubt() {
        for (answer, is_doubtful) in [
            ("ALL 1:3 COUNT 3", false),
            ("ALL 1:3", false),
            ("COUNT 0", false),
            ("COUNT 3 all 1:2", true),
            ("COUNT 3", true),
            ("", true),
            ("ALL 0", true),
            ("ALL 1:0", true),
            ("ALL 4294967296", true),
            ("ALL 1:*", true),
            ("ALL 5:", true),
            ("ALL :5", true),
            ("ALL 1,,2", true),
            ("ALL 1:2:3 COUNT 3", true),
            ("ALL x", true),
            ("ALL ", true),
        ] {
            let line = format!("* ESEARCH (TAG \"p1\") UID {answer}\r\np1 OK\r\n");
            for piece in [1, 9, 1000] {
                let mut fence = Fence::new(wire(line.as_bytes(), piece));
                let found = finish(&mut fence, "p1").unwrap();
                assert_eq!(found.is_doubtful, is_doubtful, "{answer}");
            }
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
        let mut fence = Fence::new(wire(&b"* SEARCH 1\r\n* BYE going down\r\n"[..], 9));
        let error = finish(&mut fence, "p1").map(|_| ()).unwrap_err();
        let error = fence.explain(error);
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
    fn what_is_no_uid_is_passed_over_and_told_of() {
        // The first is offlineimap#336.
        for (numbers, expected) in [
            ("0 101 102", "101:102"),
            (
                "4294967296 1 99999999999999999999999999999999999999 2",
                "1:2",
            ),
            ("1 12a 2", "1:2"),
            ("1 NIL", "1"),
            ("0", ""),
        ] {
            let line = format!("* SEARCH {numbers}\r\np1 OK\r\n");
            for piece in [1, 9, 1000] {
                let found = finish(&mut Fence::new(wire(line.as_bytes(), piece)), "p1").unwrap();
                assert_eq!(found.uids.to_string(), expected, "{numbers}");
                assert!(found.odd.is_some(), "{numbers}");
            }
        }
        for odd in ["12a", "what you asked for"] {
            let line = format!("* SEARCH {odd}\r\np1 OK\r\n");
            assert!(answer(line.as_bytes(), 9).is_err(), "{odd}");
        }
    }

    #[test]
    fn other_forms_of_the_same_numbers_are_read() {
        for line in [
            "* search 1 2 3 \r\n",
            "* SEARCH \"1\" \"2\" 3\r\n",
            "* SEARCH (1 2) 3\r\n* SEARCH 1 2 3\r\n",
            "* Search 1,2,3\r\n",
            "* SEARCH  1\t2 3 (MODSEQ 917162500)\r\n",
            "* SEARCH 3 2 1 1\n",
        ] {
            let octets = format!("{line}p1 OK\r\n");
            let found = answer(octets.as_bytes(), 4).unwrap();
            assert!(found.to_string().ends_with('3'), "{line}: {found}");
        }
    }
}
