//! One connection with a buffer for reading, under the watch of its deadlines. The only place
//! that reads from or writes to a stream.

use std::io;
use std::time::{Duration, Instant};

use memchr::memchr;

use super::connect::Stream;
use super::watch::{Phase, Watch};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Timeouts;
use crate::stop::Stop;

/// Holds some small messages, so that they cost one system call together.
const BUFFER_OCTETS: usize = 64 * 1024;

/// From this many octets on, the rest of a literal is read past the buffer, straight into its
/// place.
const DIRECT_OCTETS: usize = 16 * 1024;

/// How much memory a literal gets on the strength of its announcement alone. What is beyond it
/// grows with the octets that really arrive.
const TRUSTED_OCTETS: usize = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    watch: Watch,
    timeouts: Timeouts,
}

impl Wire {
    pub(crate) fn new(mut stream: Box<dyn Stream>, timeouts: Timeouts, stop: Stop) -> Result<Self> {
        stream.set_timeout(super::TICK).map_err(|error| {
            Error::new(ErrorKind::Connect, "the stream takes no time-out").with_source(error)
        })?;
        Ok(Self {
            stream,
            buffer: vec![0; BUFFER_OCTETS].into_boxed_slice(),
            start: 0,
            end: 0,
            watch: Watch::new(stop),
            timeouts,
        })
    }

    /// Starts a phase that may last as long as octets keep coming.
    pub(crate) fn begin(&mut self, phase: Phase) {
        self.watch.begin(phase, self.timeouts.read, None);
    }

    /// Starts a phase that must be over in a given time, silent or not.
    pub(crate) fn begin_until(&mut self, phase: Phase, limit: Duration) {
        self.watch
            .begin(phase, limit, Instant::now().checked_add(limit));
    }

    pub(crate) fn phase(&self) -> Phase {
        self.watch.phase()
    }

    pub(crate) fn set_stop(&mut self, stop: Stop) {
        self.watch.set_stop(stop);
    }

    /// Gives the stream up for a TLS handshake. Octets that came ahead of the handshake were put
    /// there by someone who is not the server (CVE-2011-0411), so they are an error.
    pub(crate) fn into_stream(self) -> Result<Box<dyn Stream>> {
        if self.start == self.end {
            Ok(self.stream)
        } else {
            Err(Error::new(
                ErrorKind::Tls,
                "octets came between the answer to STARTTLS and the handshake; somebody on the \
                 way tampers with the connection",
            ))
        }
    }

    /// Octets that have arrived, at least one.
    pub(crate) fn available(&mut self) -> Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.end = read_some(self.stream.as_mut(), &mut self.watch, &mut self.buffer)?;
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
    /// `Protocol` if `line` would become longer than `limit`.
    pub(crate) fn read_line(&mut self, line: &mut Vec<u8>, limit: usize) -> Result<()> {
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

    /// Reads a literal of `count` octets into a new buffer, of just that capacity.
    pub(crate) fn read_literal(&mut self, count: usize) -> Result<Vec<u8>> {
        let mut literal = Vec::with_capacity(count.min(TRUSTED_OCTETS));
        self.append_literal(count, &mut literal)?;
        Ok(literal)
    }

    /// Appends a literal of `count` octets to `into`.
    pub(crate) fn append_literal(&mut self, count: usize, into: &mut Vec<u8>) -> Result<()> {
        let mut missing = count;
        while missing > 0 {
            if self.start == self.end && missing >= DIRECT_OCTETS {
                let filled = into.len();
                let step = missing.min(filled.max(TRUSTED_OCTETS));
                into.reserve_exact(step);
                into.resize(filled + step, 0);
                let read = self.fill(&mut into[filled..]);
                into.truncate(filled + read.as_ref().copied().unwrap_or(0));
                missing -= read?;
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

    /// Fills all of `target` from the stream, past the buffer.
    fn fill(&mut self, target: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < target.len() {
            filled += read_some(self.stream.as_mut(), &mut self.watch, &mut target[filled..])?;
        }
        Ok(filled)
    }

    /// Sends all of `octets`, at once.
    pub(crate) fn write(&mut self, octets: &[u8]) -> Result<()> {
        let mut rest = octets;
        let mut waited = Duration::ZERO;
        while !rest.is_empty() {
            let before = Instant::now();
            match self.stream.write(rest) {
                Ok(0) => return Err(disconnected(None)),
                Ok(written) => rest = &rest[written..],
                Err(error) => {
                    idle(error, before)?;
                    self.watch.check_stop()?;
                    waited += before.elapsed();
                    if waited >= self.timeouts.write {
                        return Err(self
                            .watch
                            .timeout(format_args!("the server took no command for {waited:?}")));
                    }
                }
            }
        }
        self.stream
            .flush()
            .or_else(|error| idle(error, Instant::now()))
    }
}

fn read_some(stream: &mut dyn Stream, watch: &mut Watch, target: &mut [u8]) -> Result<usize> {
    loop {
        watch.check_stop()?;
        let before = Instant::now();
        match stream.read(target) {
            Ok(0) => return Err(disconnected(None)),
            Ok(count) => {
                watch.received(count, before.elapsed())?;
                return Ok(count);
            }
            Err(error) => {
                idle(error, before)?;
                watch.waited(before.elapsed())?;
            }
        }
    }
}

/// Tells "nothing yet" from a broken connection.
fn idle(error: io::Error, before: Instant) -> Result<()> {
    match error.kind() {
        io::ErrorKind::Interrupted => Ok(()),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            // A stream of the caller's own that does not block at all must not keep a core busy.
            if before.elapsed() < Duration::from_millis(1) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        }
        _ => Err(disconnected(Some(error))),
    }
}

fn disconnected(source: Option<io::Error>) -> Error {
    match source {
        None => Error::new(ErrorKind::Disconnected, "the server closed the connection"),
        Some(error) => Error::new(ErrorKind::Disconnected, error.to_string()).with_source(error),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// A stream that hands out recorded octets in pieces of a given length.
    #[derive(Debug)]
    pub(crate) struct Recorded {
        octets: Vec<u8>,
        at: usize,
        piece: usize,
    }

    impl Read for Recorded {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            let count = target
                .len()
                .min(self.piece)
                .min(self.octets.len() - self.at);
            target[..count].copy_from_slice(&self.octets[self.at..self.at + count]);
            self.at += count;
            Ok(count)
        }
    }

    impl Write for Recorded {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Stream for Recorded {
        fn set_timeout(&mut self, _: Duration) -> io::Result<()> {
            Ok(())
        }
    }

    pub(crate) fn wire(octets: impl Into<Vec<u8>>, piece: usize) -> Wire {
        let recorded = Recorded {
            octets: octets.into(),
            at: 0,
            piece,
        };
        Wire::new(Box::new(recorded), Timeouts::default(), Stop::default()).unwrap()
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
            wire.read_line(&mut line, 100).unwrap();
            assert_eq!(line, b"first\r\n");
            let read = wire.read_literal(literal.len()).unwrap();
            assert!(read == literal);
            assert_eq!(read.capacity(), literal.len());
            line.clear();
            wire.read_line(&mut line, 100).unwrap();
            assert_eq!(line, b"last\r\n");
            assert_eq!(
                wire.read_line(&mut line, 100).unwrap_err().kind(),
                &ErrorKind::Disconnected
            );
        }
    }

    #[test]
    fn a_line_without_an_end_is_cut_off_at_the_limit() {
        let mut wire = wire(vec![b'x'; 100_000], 1000);
        let error = wire.read_line(&mut Vec::new(), 65_536).unwrap_err();
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
