use std::sync::{Arc, Mutex};

use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::*;
use crate::error::ErrorKind;
use crate::limits::{Limits, Timeouts};
use crate::stop::Stop;
use crate::transport::Wire;

/// Hands out recorded octets and takes others, in pieces of a given length, and lets every second
/// call fail with an error that passes.
#[derive(Debug)]
struct Fitful {
    octets: Vec<u8>,
    at: usize,
    piece: usize,
    calls: usize,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Fitful {
    fn new(octets: Vec<u8>, piece: usize) -> Self {
        Self {
            octets,
            at: 0,
            piece,
            calls: 0,
            written: Arc::default(),
        }
    }

    fn falter(&mut self) -> io::Result<()> {
        self.calls += 1;
        match self.calls % 6 {
            1 => Err(io::ErrorKind::WouldBlock.into()),
            3 => Err(io::ErrorKind::TimedOut.into()),
            5 => Err(io::ErrorKind::Interrupted.into()),
            _ => Ok(()),
        }
    }
}

impl Read for Fitful {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.falter()?;
        let count = self
            .piece
            .min(target.len())
            .min(self.octets.len() - self.at);
        target[..count].copy_from_slice(&self.octets[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

impl Write for Fitful {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.falter()?;
        let count = self.piece.min(octets.len());
        self.written
            .lock()
            .unwrap()
            .extend_from_slice(&octets[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Fitful {
    fn set_timeout(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }
}

/// Makes a call again as long as its error passes.
fn persist<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::TimedOut
                        | io::ErrorKind::Interrupted
                ) => {}
            result => return result,
        }
    }
}

/// Without the end of the stream, as on a connection that goes on.
fn deflated(octets: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.flush().unwrap();
    encoder.get_ref().clone()
}

/// Text, then what does not compress, then what compresses best.
fn sample() -> Vec<u8> {
    let mut octets = b"* 1 FETCH (UID 7 BODY[] {19}\r\n".repeat(3_000);
    let mut state = 1u64;
    octets.extend((0..200_000).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    }));
    octets.extend_from_slice(&[0; 300_000]);
    octets
}

fn wire(octets: Vec<u8>) -> Wire {
    let stream = Box::new(Fitful::new(octets, 1_000));
    Wire::new(
        stream,
        Timeouts::default(),
        Limits::default(),
        Stop::default(),
    )
    .unwrap()
}

#[test]
fn what_comes_out_is_what_went_in_however_the_octets_are_cut() {
    let octets = sample();
    let packed = deflated(&octets);
    for (piece, target) in [
        (1, 70_000),
        (7, 1),
        (1_000, 333),
        (40_000, 65_536),
        (1 << 20, 1 << 20),
    ] {
        let mut stream = Deflated::new(Box::new(Fitful::new(packed.clone(), piece)));
        let mut target = vec![0; target];
        let mut out = Vec::new();
        loop {
            match persist(|| stream.read(&mut target)).unwrap() {
                0 => break,
                count => out.extend_from_slice(&target[..count]),
            }
        }
        assert!(out == octets, "in pieces of {piece} into {}", target.len());
    }
}

#[test]
fn all_that_has_arrived_is_handed_out_before_more_is_waited_for() {
    let octets = sample();
    let mut packed = deflated(&octets);
    // Where more is read than this, the stream would say so.
    packed.extend_from_slice(&[0xff; 10]);
    let length = packed.len() - 10;
    let mut stream = Deflated::new(Box::new(Fitful::new(packed, length)));
    stream.input = vec![0; length].into_boxed_slice();
    let mut out = vec![0; octets.len()];
    let mut filled = 0;
    while filled < out.len() {
        let end = out.len().min(filled + 1_000);
        filled += persist(|| stream.read(&mut out[filled..end])).unwrap();
    }
    assert!(out == octets);
}

#[test]
fn every_write_leaves_at_once_and_whole() {
    for piece in [1, 5, 100_000] {
        let inner = Fitful::new(Vec::new(), piece);
        let written = inner.written.clone();
        let mut stream = Deflated::new(Box::new(inner));
        let mut sent = Vec::new();
        let commands = [
            b"p1 UID FETCH 1:100 (UID BODY.PEEK[])\r\n".to_vec(),
            b"p2 NOOP\r\n".to_vec(),
            sample(),
            b"x".to_vec(),
        ];
        for command in commands {
            let mut rest = command.as_slice();
            while !rest.is_empty() {
                let count = persist(|| stream.write(rest)).unwrap();
                assert!(count > 0);
                rest = &rest[count..];
            }
            sent.extend_from_slice(&command);
            // Read back without an end of the stream: what is not flushed would be missing.
            let packed = written.lock().unwrap().clone();
            let mut out = vec![0; sent.len()];
            DeflateDecoder::new(packed.as_slice())
                .read_exact(&mut out)
                .unwrap();
            assert!(out == sent);
        }
    }
}

#[test]
fn what_does_not_inflate_is_invalid_data_and_so_a_protocol_error() {
    let mut octets = deflated(b"* OK\r\n");
    // A block of the type that there is not (RFC 1951, section 3.2.3).
    octets.extend_from_slice(&[0xff; 8]);
    let mut stream = Deflated::new(Box::new(Fitful::new(octets.clone(), 1_000)));
    let mut out = Vec::new();
    let mut target = [0; 100];
    let error = loop {
        match persist(|| stream.read(&mut target)) {
            Ok(0) => panic!("taken for the end"),
            Ok(count) => out.extend_from_slice(&target[..count]),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert_eq!(out, b"* OK\r\n");

    let mut wire = wire(octets);
    wire.deflate().unwrap();
    let error = wire.discard(1_000).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("corrupt"), "{error}");
}

#[test]
fn the_end_of_either_stream_is_the_end() {
    let unfinished = deflated(b"* BYE\r\n");
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"* BYE\r\n").unwrap();
    let mut finished = encoder.finish().unwrap();
    finished.extend_from_slice(b"whatever");
    for octets in [unfinished, finished] {
        let mut stream = Deflated::new(Box::new(Fitful::new(octets, 3)));
        let mut out = [0; 100];
        let mut filled = 0;
        while filled < 7 {
            filled += persist(|| stream.read(&mut out[filled..])).unwrap();
        }
        assert_eq!(&out[..filled], b"* BYE\r\n");
        for _ in 0..3 {
            assert_eq!(persist(|| stream.read(&mut out)).unwrap(), 0);
        }
    }
}

#[test]
fn blocks_without_content_give_the_caller_a_look_at_the_clock() {
    // Stored blocks of no octets (RFC 1951, section 3.2.4).
    let empty = [0, 0, 0, 0xff, 0xff].repeat(1_000_000);
    let mut inner = Fitful::new(empty, 1 << 20);
    inner.calls = 1;
    let mut stream = Deflated::new(Box::new(inner));
    let error = stream.read(&mut [0; 100]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Interrupted);
}

#[test]
fn octets_ahead_of_the_compressed_stream_are_refused() {
    let mut wire = wire(b"c2 OK\r\n* OK smuggled\r\n".to_vec());
    wire.read_line(&mut Vec::new()).unwrap();
    let error = wire.deflate().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Protocol, "{error}");
}
