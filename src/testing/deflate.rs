//! The server's half of COMPRESS=DEFLATE (RFC 4978). It shares nothing with the client's, so that
//! neither can hide the other's mistakes.

use std::io::{self, Chain, Cursor, Read, Write};
use std::net::TcpStream;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// What the server sends.
#[derive(Debug)]
pub(super) struct Deflater(DeflateEncoder<Vec<u8>>);

impl Deflater {
    pub(super) fn new() -> Self {
        // Fast: the server is not what a test measures.
        Self(DeflateEncoder::new(Vec::new(), Compression::fast()))
    }

    /// Compresses these octets such that the client can read all of them.
    pub(super) fn deflate(&mut self, octets: &[u8]) -> io::Result<Vec<u8>> {
        self.0.write_all(octets)?;
        self.0.flush()?;
        Ok(std::mem::take(self.0.get_mut()))
    }
}

/// What the client sends.
#[derive(Debug)]
pub(super) struct Inflater<'a>(DeflateDecoder<Chain<Cursor<Vec<u8>>, &'a TcpStream>>);

impl<'a> Inflater<'a> {
    /// Reads these octets, then those of the stream.
    pub(super) fn new(octets: Vec<u8>, stream: &'a TcpStream) -> Self {
        Self(DeflateDecoder::new(Cursor::new(octets).chain(stream)))
    }

    pub(super) fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.0.read(target)
    }
}
