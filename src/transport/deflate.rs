//! Compression of a connection both ways, as COMPRESS=DEFLATE wants it (RFC 4978): raw deflate
//! without a zlib header. The only file that names `flate2`. Everything that limits what a server
//! may send sits above and counts inflated octets; nothing here grows with what arrives.

use std::fmt;
use std::io::{self, Read, Write};
use std::mem;
use std::time::Duration;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::connect::Stream;

/// What is read at once of the compressed stream. Two records of TLS.
const INPUT_OCTETS: usize = 32 * 1024;

/// What is compressed at once. More than any command line has.
const OUTPUT_OCTETS: usize = 64 * 1024;

/// Puts compression in between, both ways, from the next octet on.
pub(super) fn deflate(stream: &mut Box<dyn Stream>) {
    let inner = mem::replace(stream, Box::new(Nothing));
    *stream = Box::new(Deflated::new(inner));
}

struct Deflated {
    inner: Box<dyn Stream>,
    inflate: Decompress,
    /// Compressed octets from the server, of which those in `start..end` are still to be used.
    input: Box<[u8]>,
    start: usize,
    end: usize,
    /// The last call has left something over, so the next one needs no further input.
    is_pending: bool,
    /// The server has ended the deflate stream, which some do before they close.
    has_ended: bool,
    deflate: Compress,
    /// Compressed octets for the server, of which so many are sent.
    output: Vec<u8>,
    sent: usize,
    /// How many octets of the caller's `output` stands for; 0 between two writes.
    taken: usize,
}

impl Deflated {
    fn new(inner: Box<dyn Stream>) -> Self {
        Self {
            inner,
            inflate: Decompress::new(false),
            input: vec![0; INPUT_OCTETS].into_boxed_slice(),
            start: 0,
            end: 0,
            is_pending: false,
            has_ended: false,
            deflate: Compress::new(Compression::default(), false),
            output: Vec::new(),
            sent: 0,
            taken: 0,
        }
    }

    /// Inflates what is there into `target` and returns how much that made; perhaps nothing.
    fn inflate(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let input = &self.input[self.start..self.end];
        let (total_in, total_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self
            .inflate
            .decompress(input, target, FlushDecompress::None);
        // Neither exceeds the length of its slice.
        let used = (self.inflate.total_in() - total_in) as usize;
        let made = (self.inflate.total_out() - total_out) as usize;
        match status {
            Ok(Status::StreamEnd) => self.has_ended = true,
            Ok(_) if used > 0 || made > 0 || input.is_empty() => {}
            // What came before the flaw is good; the next call meets the flaw again.
            Err(_) if made > 0 => {}
            _ => return Err(corrupt()),
        }
        self.start += used;
        self.is_pending = made == target.len() || status.is_err();
        Ok(made)
    }

    /// Compresses as much of `octets` as goes at once, to its last bit.
    fn compress(&mut self, octets: &[u8]) -> io::Result<()> {
        let octets = &octets[..octets.len().min(OUTPUT_OCTETS)];
        self.output.clear();
        self.sent = 0;
        let mut used = 0;
        // Room that is left over is how the compressor says that it has nothing to add.
        while used < octets.len() || self.output.len() == self.output.capacity() {
            self.output.reserve(octets.len() / 2 + 64);
            let total = self.deflate.total_in();
            self.deflate
                .compress_vec(&octets[used..], &mut self.output, FlushCompress::Sync)
                .map_err(io::Error::other)?;
            used += (self.deflate.total_in() - total) as usize;
        }
        self.taken = octets.len();
        Ok(())
    }
}

fn corrupt() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the server's compressed stream is corrupt",
    )
}

impl Read for Deflated {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() || self.has_ended {
            return Ok(0);
        }
        while self.start < self.end || self.is_pending {
            let made = self.inflate(target)?;
            if made > 0 || self.has_ended {
                return Ok(made);
            }
        }
        self.start = 0;
        self.end = 0;
        self.end = self.inner.read(&mut self.input)?;
        if self.end == 0 {
            return Ok(0);
        }
        match self.inflate(target)? {
            0 if self.has_ended => Ok(0),
            // Octets that come to nothing, such as empty blocks, are no progress, and a server may
            // send them for ever. So the caller gets to look at its clock.
            0 => Err(io::ErrorKind::Interrupted.into()),
            made => Ok(made),
        }
    }
}

impl Write for Deflated {
    /// Compresses and sends. After an error that passes, the call is to be made again with the
    /// same octets, as with TLS: they have been compressed, and what is left of them goes out.
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.taken == 0 {
            if octets.is_empty() {
                return Ok(0);
            }
            self.compress(octets)?;
        }
        while self.sent < self.output.len() {
            match self.inner.write(&self.output[self.sent..])? {
                0 => return Ok(0),
                sent => self.sent += sent,
            }
        }
        Ok(mem::take(&mut self.taken))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Stream for Deflated {
    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.inner.set_timeout(timeout)
    }

    fn is_secure(&self) -> bool {
        self.inner.is_secure()
    }
}

impl fmt::Debug for Deflated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the buffers, which hold mail.
        f.debug_tuple("Deflated").field(&self.inner).finish()
    }
}

/// Holds the place of a stream while it is being wrapped.
#[derive(Debug)]
struct Nothing;

impl Read for Nothing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

impl Write for Nothing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Nothing {
    fn set_timeout(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
