//! Ways into the readers for octets that no server would send. For the fuzz targets of this crate
//! alone: hidden from the documentation, and free to change in any release.
//!
//! Whatever comes in, these return; what they hand back must be what came in, and no more of it.

use std::io::{self, Read, Write};
use std::time::Duration;

use crate::error::{ErrorKind, Result};
use crate::fetch::{Answer, Body, Fetch, Reader};
use crate::limits::{Limits, Retry, Timeouts};
use crate::query::Part;
use crate::stop::Stop;
use crate::transport::{Recorded, Wire};
use crate::{ParallelMailbox, Query, Security, Stream, UidSet};

/// Messages above so many octets are too large, so that short inputs can have one.
const MAX_MESSAGE_OCTETS: u64 = 100;

/// Reads FETCH responses until the octets are at an end or make no sense, and returns the number
/// of octets in their bodies. The stream hands out `piece` octets at a time.
#[must_use]
pub fn responses(octets: &[u8], piece: usize, fetch: Fetch) -> u64 {
    let stream = Box::new(Recorded::new(octets, piece));
    let (timeouts, limits) = (Timeouts::default(), Limits::default());
    let Ok(mut wire) = Wire::new(stream, timeouts, limits, Stop::default()) else {
        return 0;
    };
    let mut reader = Reader::new(fetch, MAX_MESSAGE_OCTETS, std::sync::Arc::default());
    let mut sum = 0;
    // Each response takes octets off the stream, and reading past its end is an error.
    while let Ok(answer) = reader.next(&mut wire, b'p', |_, octets| {
        assert!(octets <= MAX_MESSAGE_OCTETS);
        Ok(true)
    }) {
        if let Answer::Fetched(fetched) = answer {
            match fetched.body {
                Body::Octets(body) => sum += body.len() as u64,
                Body::TooLarge { octets } => assert!(octets > MAX_MESSAGE_OCTETS),
                Body::Nil => {}
            }
        }
    }
    sum
}

/// Opens a mailbox on a stream that is polite up to the SEARCH and answers that with `octets`.
///
/// # Errors
///
/// As [`ParallelMailbox::search`].
pub fn search(octets: &[u8], piece: usize) -> Result<UidSet> {
    let (octets, retry) = (octets.to_vec(), Retry::default().attempts(1));
    let mailbox = ParallelMailbox::builder("localhost")
        .security(Security::DangerPlaintext)
        .login("me", "secret")
        .workers(1)
        .retry(retry)
        .connector(move |_: &str, _, _| {
            Ok(Box::new(Polite {
                answers: Recorded::new(b"* OK [CAPABILITY IMAP4rev1] hello\r\n", piece),
                last: octets.clone(),
            }) as Box<dyn Stream>)
        })
        .connect()?;
    mailbox
        .search(Query::all())
        .map(|matches| matches.uids().clone())
}

/// What a search program becomes when it is sent, with an empty string in place of each literal, or
/// `None` if it is refused.
#[must_use]
pub fn raw_query(program: &str) -> Option<Vec<u8>> {
    let query = Query::raw(program).map_err(|error| {
        assert_eq!(*error.kind(), ErrorKind::Config);
    });
    let program = query.ok()?.render().ok()?;
    let mut sent = Vec::new();
    for part in &program.parts {
        match part {
            Part::Text(text) => sent.extend_from_slice(text.as_bytes()),
            Part::Literal(octets) => {
                assert!(!octets.iter().any(|octet| b"\0\r\n".contains(octet)));
                sent.extend_from_slice(b"\"\"");
            }
        }
    }
    Some(sent)
}

/// A server that says yes to everything, and to SEARCH whatever it was given.
#[derive(Debug)]
struct Polite {
    answers: Recorded,
    last: Vec<u8>,
}

impl Read for Polite {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.answers.read(target)
    }
}

impl Write for Polite {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        for line in octets.split_inclusive(|octet| *octet == b'\n') {
            let mut words = line.split(|octet| octet.is_ascii_whitespace());
            let tag = words.next().unwrap_or_default();
            if words.clone().any(|word| word == b"SEARCH") {
                self.answers.octets.append(&mut self.last);
            } else if line.ends_with(b"\n") {
                let answer = &mut self.answers.octets;
                if words.any(|word| word == b"EXAMINE") {
                    answer.extend_from_slice(b"* 0 EXISTS\r\n* OK [UIDVALIDITY 1] \r\n");
                }
                answer.extend_from_slice(tag);
                answer.extend_from_slice(b" OK done\r\n");
            }
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Polite {
    fn set_timeout(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readers_are_reached() {
        let octets = b"* 1 FETCH (UID 7 BODY[] {3}\r\nabc)\r\n* BYE\r\n";
        assert_eq!(responses(octets, 1, Fetch::full()), 3);
        let found = search(b"* SEARCH 1 2 9\r\np1 OK done\r\n", 2).unwrap();
        assert_eq!(found.to_string(), "1:2,9");
        assert_eq!(raw_query("SEEN").unwrap(), b"SEEN");
        assert_eq!(raw_query("SEEN\r\n"), None);
    }
}
