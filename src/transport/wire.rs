//! One connection with a buffer for reading: lines, literals, and what is to be passed over.

use std::time::Duration;

use memchr::memchr;

use super::connect::Stream;
use super::watch::{Phase, Watch};
use super::watched::Watched;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{Limits, Timeouts};
use crate::pulse::Pulse;
use crate::stop::Stop;

/// Holds some small messages, so that they cost one system call together.
const BUFFER_OCTETS: usize = 64 * 1024;

/// From this many octets on, the rest of a literal is read past the buffer, straight into its
/// place.
const DIRECT_OCTETS: usize = 16 * 1024;

/// So much of a literal is read at a time.
const STEP_OCTETS: usize = 128 * 1024;

/// How much memory a literal gets on the strength of its announcement alone. What is beyond it
/// grows with the octets that really arrive.
const TRUSTED_OCTETS: usize = 8 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Wire {
    stream: Watched,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    timeouts: Timeouts,
    limits: Limits,
}

impl Wire {
    pub(crate) fn new(
        stream: Box<dyn Stream>,
        timeouts: Timeouts,
        limits: Limits,
        stop: Stop,
    ) -> Result<Self> {
        Ok(Self {
            stream: Watched::new(stream, Watch::new(stop, &timeouts), timeouts.write)?,
            buffer: vec![0; BUFFER_OCTETS].into_boxed_slice(),
            start: 0,
            end: 0,
            timeouts,
            limits,
        })
    }

    /// Starts a phase that may last as long as octets keep coming.
    pub(crate) fn begin(&mut self, phase: Phase) {
        let patience = self.timeouts.read;
        self.stream.watch.begin(phase, patience, Deadline::NEVER);
    }

    /// Starts a phase that may last as long as octets keep coming, with silences no longer than
    /// this or the usual.
    pub(crate) fn begin_with(&mut self, phase: Phase, patience: Duration) {
        let patience = patience.min(self.timeouts.read);
        self.stream.watch.begin(phase, patience, Deadline::NEVER);
    }

    /// Starts a phase that must be over by then, silent or not.
    pub(crate) fn begin_until(&mut self, phase: Phase, end: Deadline) {
        self.stream.watch.begin(phase, end.left(), end);
    }

    /// Starts a phase that must be over by then, with silences no longer than usual.
    pub(crate) fn begin_within(&mut self, phase: Phase, end: Deadline) {
        let patience = self.timeouts.read.min(end.left());
        self.stream.watch.begin(phase, patience, end);
    }

    /// Within the phase that has begun, bears silence only for so long, if it is everywhere.
    pub(crate) fn probe(&mut self, patience: Duration) {
        self.stream.watch.probe(patience);
    }

    pub(crate) fn phase(&self) -> Phase {
        self.stream.watch.phase()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn set_stop(&mut self, stop: Stop) {
        self.stream.watch.set_stop(stop);
    }

    pub(crate) fn set_pulse(&mut self, pulse: Pulse) {
        self.stream.watch.set_pulse(pulse);
    }

    /// Gives the stream up for a TLS handshake. Octets that came ahead of the handshake were put
    /// there by someone who is not the server (CVE-2011-0411), so they are an error.
    pub(crate) fn into_stream(self) -> Result<Box<dyn Stream>> {
        if self.start == self.end {
            Ok(self.stream.into_inner())
        } else {
            Err(Error::new(
                ErrorKind::Tls,
                "octets came between the answer to STARTTLS and the handshake; somebody on the \
                 way tampers with the connection",
            ))
        }
    }

    /// Goes on compressed, both ways. Nothing that is compressed can be here yet, since a server
    /// waits for the next command. Octets that are here came from somebody else, or from a server
    /// that mixes the two streams up, so they are an error.
    #[cfg(feature = "compress")]
    pub(crate) fn deflate(&mut self) -> Result<()> {
        if self.start != self.end {
            return Err(Error::protocol(
                "octets came between the answer to COMPRESS and the compressed stream; the server \
                 is broken, or somebody on the way tampers with the connection",
            ));
        }
        self.stream.deflate();
        Ok(())
    }

    /// Octets that have arrived, at least one.
    pub(crate) fn available(&mut self) -> Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.end = self.stream.read(&mut self.buffer)?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    pub(crate) fn consume(&mut self, octets: usize) {
        self.start += octets;
    }

    /// Appends one line, with its end, to `line`.
    ///
    /// # Errors
    ///
    /// `Protocol` if `line` would become longer than the limit for lines.
    pub(crate) fn read_line(&mut self, line: &mut Vec<u8>) -> Result<()> {
        let limit = self.limits.line_octets;
        loop {
            let available = self.available()?;
            let (taken, complete) = match memchr(b'\n', available) {
                Some(at) => (at + 1, true),
                None => (available.len(), false),
            };
            if line.len() + taken > limit {
                return Err(Error::protocol(format!(
                    "a line of more than {limit} octets"
                )));
            }
            line.extend_from_slice(&available[..taken]);
            self.consume(taken);
            if complete {
                return Ok(());
            }
        }
    }

    /// Appends a literal of `count` octets to `into`, for which an empty buffer gets just that
    /// capacity. What arrived before an error is there.
    pub(crate) fn append_literal(&mut self, count: usize, into: &mut Vec<u8>) -> Result<()> {
        if into.is_empty() {
            into.reserve_exact(count.min(TRUSTED_OCTETS));
        }
        let mut missing = count;
        while missing > 0 {
            if self.start == self.end && missing >= DIRECT_OCTETS {
                let filled = into.len();
                if into.capacity() == filled {
                    into.reserve_exact(missing.min(filled.max(TRUSTED_OCTETS)));
                }
                // What is to be read into has to be written first; a small step of it is still in
                // the processor's cache when the octets come.
                let step = missing.min(into.capacity() - filled).min(STEP_OCTETS);
                into.resize(filled + step, 0);
                let (count, result) = self.fill_directly(&mut into[filled..]);
                into.truncate(filled + count);
                missing -= count;
                result?;
            } else {
                let available = self.available()?;
                let taken = available.len().min(missing);
                into.extend_from_slice(&available[..taken]);
                self.consume(taken);
                missing -= taken;
            }
        }
        Ok(())
    }

    /// Lets `count` octets pass without keeping them.
    pub(crate) fn discard(&mut self, mut count: u64) -> Result<()> {
        while count > 0 {
            let available = self.available()?.len();
            let taken = usize::try_from(count).map_or(available, |count| count.min(available));
            self.consume(taken);
            count -= taken as u64;
        }
        Ok(())
    }

    /// Fills all of `target`. Tells how much it got also when it fails.
    pub(crate) fn fill(&mut self, target: &mut [u8]) -> (usize, Result<()>) {
        let mut filled = 0;
        while filled < target.len() {
            let rest = &mut target[filled..];
            if self.start == self.end && rest.len() >= DIRECT_OCTETS {
                let (count, result) = self.fill_directly(rest);
                if result.is_err() {
                    return (filled + count, result);
                }
                filled += count;
                continue;
            }
            match self.available() {
                Ok(available) => {
                    let taken = available.len().min(rest.len());
                    rest[..taken].copy_from_slice(&available[..taken]);
                    self.consume(taken);
                    filled += taken;
                }
                Err(error) => return (filled, Err(error)),
            }
        }
        (filled, Ok(()))
    }

    /// Fills all of `target` from the stream, past the buffer. Tells how much it got also when it
    /// fails.
    fn fill_directly(&mut self, target: &mut [u8]) -> (usize, Result<()>) {
        let mut filled = 0;
        while filled < target.len() {
            match self.stream.read(&mut target[filled..]) {
                Ok(count) => filled += count,
                Err(error) => return (filled, Err(error)),
            }
        }
        (filled, Ok(()))
    }

    /// Sends all of `octets`, at once.
    pub(crate) fn write(&mut self, octets: &[u8]) -> Result<()> {
        self.stream.write(octets)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::recorded::Recorded;
    use super::*;

    pub(crate) fn wire(octets: impl Into<Vec<u8>>, piece: usize) -> Wire {
        let recorded = Recorded::new(octets, piece);
        let (timeouts, limits) = (Timeouts::default(), Limits::default());
        Wire::new(Box::new(recorded), timeouts, limits, Stop::default()).unwrap()
    }

    #[test]
    fn lines_and_literals_come_out_whole_however_the_octets_are_cut() {
        let literal: Vec<u8> = (0..200_000u32).map(|number| number as u8).collect();
        let mut octets = b"first\r\n".to_vec();
        octets.extend_from_slice(&literal);
        octets.extend_from_slice(b"last\r\n");
        for piece in [1, 7, 4096, 65_536, 1_000_000] {
            let mut wire = wire(octets.clone(), piece);
            let mut line = Vec::new();
            wire.read_line(&mut line).unwrap();
            assert_eq!(line, b"first\r\n");
            let mut read = Vec::new();
            wire.append_literal(literal.len(), &mut read).unwrap();
            assert!(read == literal);
            assert_eq!(read.capacity(), literal.len());
            line.clear();
            wire.read_line(&mut line).unwrap();
            assert_eq!(line, b"last\r\n");
            assert_eq!(
                wire.read_line(&mut line).unwrap_err().kind(),
                &ErrorKind::Disconnected
            );
        }
    }

    #[test]
    fn room_is_filled_whole_however_the_octets_are_cut_or_as_far_as_they_go() {
        let octets: Vec<u8> = (0..100_000u32).map(|number| number as u8).collect();
        for piece in [1, 4096, 65_536, 1_000_000] {
            let mut wire = wire(octets.clone(), piece);
            // Some of it is in the buffer already.
            wire.available().unwrap();
            wire.consume(1);
            let mut room = vec![0; 70_000];
            let (filled, result) = wire.fill(&mut room);
            assert!(result.is_ok() && filled == room.len());
            assert!(room == octets[1..70_001]);
            let (filled, result) = wire.fill(&mut room);
            assert_eq!(result.unwrap_err().kind(), &ErrorKind::Disconnected);
            assert!(filled == 29_999 && room[..filled] == octets[70_001..]);
        }
    }

    #[test]
    fn a_line_without_an_end_is_cut_off_at_the_limit() {
        let mut wire = wire(vec![b'x'; 100_000], 1000);
        let error = wire.read_line(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Protocol);
    }

    #[test]
    fn an_announced_length_reserves_no_memory_ahead_of_its_octets() {
        let mut wire = wire(vec![0; 3_000_000], 10_000);
        let mut literal = Vec::new();
        assert!(wire.append_literal(usize::MAX, &mut literal).is_err());
        assert!(
            literal.capacity() <= 8 * TRUSTED_OCTETS,
            "{}",
            literal.capacity()
        );
    }
}
