//! The limit: sends the same kind of FETCH commands over the same number of sessions, frames the
//! answers and throws the octets away. Set-up is included.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Target;

/// As many messages in a command as the crate asks for once it knows their sizes.
const SHARD: usize = 64;
const IN_FLIGHT: usize = 4;

/// Returns the octets of all bodies.
pub(crate) fn read(target: Target<'_>, sessions: usize) -> u64 {
    let next = AtomicUsize::new(1);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..sessions)
            .map(|_| scope.spawn(|| session(target, &next)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    })
}

fn session(target: Target<'_>, next: &AtomicUsize) -> u64 {
    let stream = TcpStream::connect(("127.0.0.1", target.port)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut client = Client {
        stream,
        buffer: vec![0; 256 * 1024],
        start: 0,
        end: 0,
        octets: 0,
    };
    client.line();
    client.send(&format!("a1 LOGIN {} {}\r\n", target.user, target.password));
    client.until_tagged();
    client.send("a2 EXAMINE INBOX\r\n");
    client.until_tagged();
    let mut in_flight = 0;
    loop {
        while in_flight < IN_FLIGHT {
            let first = next.fetch_add(SHARD, Ordering::Relaxed);
            if first > target.messages {
                break;
            }
            let last = (first + SHARD - 1).min(target.messages);
            client.send(&format!(
                "a3 UID FETCH {first}:{last} (UID FLAGS INTERNALDATE BODY.PEEK[])\r\n"
            ));
            in_flight += 1;
        }
        if in_flight == 0 {
            return client.octets;
        }
        client.until_tagged();
        in_flight -= 1;
    }
}

struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    octets: u64,
}

impl Client {
    fn send(&mut self, command: &str) {
        self.stream.write_all(command.as_bytes()).unwrap();
    }

    fn fill(&mut self) {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start.., 0);
            self.end -= self.start;
            self.start = 0;
        }
        let read = self.stream.read(&mut self.buffer[self.end..]).unwrap();
        assert!(read > 0, "the server closed the connection");
        self.end += read;
    }

    /// Reads a line; returns whether it is tagged, and the literal that it announces.
    fn line(&mut self) -> (bool, usize) {
        let mut searched = 0;
        let length = loop {
            let rest = &self.buffer[self.start + searched..self.end];
            if let Some(at) = rest.iter().position(|octet| *octet == b'\n') {
                break searched + at + 1;
            }
            searched = self.end - self.start;
            self.fill();
        };
        let line = &self.buffer[self.start..self.start + length];
        self.start += length;
        let literal = line.strip_suffix(b"}\r\n").and_then(|line| {
            let digits = line.rsplit(|octet| *octet == b'{').next()?;
            std::str::from_utf8(digits).ok()?.parse().ok()
        });
        (line[0] == b'a', literal.unwrap_or(0))
    }

    fn until_tagged(&mut self) {
        loop {
            let (is_tagged, literal) = self.line();
            if is_tagged {
                return;
            }
            self.octets += literal as u64;
            let mut missing = literal;
            while missing > 0 {
                if self.start == self.end {
                    self.fill();
                }
                let taken = missing.min(self.end - self.start);
                self.start += taken;
                missing -= taken;
            }
        }
    }
}
