//! A stream that has been heard already, for tests and for the fuzz targets.

use std::io::{self, Read, Write};
use std::time::Duration;

use super::connect::Stream;

/// Hands out recorded octets in pieces of a given length at most, and takes whatever is written.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) octets: Vec<u8>,
    at: usize,
    piece: usize,
}

impl Recorded {
    pub(crate) fn new(octets: impl Into<Vec<u8>>, piece: usize) -> Self {
        Self {
            octets: octets.into(),
            at: 0,
            piece: piece.max(1),
        }
    }
}

impl Read for Recorded {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let rest = &self.octets[self.at..];
        let count = rest.len().min(target.len()).min(self.piece);
        target[..count].copy_from_slice(&rest[..count]);
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
