//! The limit: sends the same kind of FETCH commands over the same number of sessions, frames the
//! answers and throws the octets away, or hands each body to the parser and then throws it away.

use std::io::{Read, Write};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use parallel_mailbox::mail_parser::MessageParser;

use super::connection::{Connection, Connector};
use super::{Done, Extent, Job, Target, Task};

/// As many octets in flight and messages in a command as this crate has at most: with more in flight
/// a reader on a long way gets faster still, as far as its TCP window goes.
const IN_FLIGHT: usize = 4;
const MOST_OCTETS: usize = 4 * 1024 * 1024;
const MOST: usize = 512;

/// Each session takes its share in so many commands at least, so that all finish together.
const PARTS: usize = 4;

pub(crate) fn read(target: &Target, job: Job<'_>) -> Done {
    read_by(target, job, None)
}

/// In the order that this crate promises: one session is connected, so that a wrong password is told;
/// it searches; and nobody else connects before it is known that there is something to fetch, nor
/// asks for a message before it is known which there are. Nobody waits for anything else.
pub(crate) fn read_in_order(target: &Target, job: Job<'_>) -> Done {
    read_by(target, job, Some(&Order::new(job.sessions)))
}

fn read_by(target: &Target, job: Job<'_>, order: Option<&Order>) -> Done {
    let next = AtomicUsize::new(1);
    let connector = Connector::new(target);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..job.sessions)
            .map(|index| {
                let (connector, next) = (&connector, &next);
                scope.spawn(move || session(target, job, connector, next, index, order))
            })
            .collect();
        let threads = threads.into_iter();
        threads.map(|thread| thread.join().unwrap()).sum()
    })
}

/// What the others wait for.
struct Order {
    connected: Barrier,
    searched: Barrier,
}

impl Order {
    fn new(sessions: usize) -> Self {
        Self {
            connected: Barrier::new(sessions),
            searched: Barrier::new(sessions),
        }
    }
}

/// How many messages a command asks for. This crate has to find out what it is told here.
fn shard(target: &Target, job: Job<'_>) -> usize {
    let most = match job.extent {
        Extent::Full => (MOST_OCTETS / target.octets_each).min(MOST),
        Extent::Headers | Extent::Metadata => MOST,
    };
    (target.messages / job.sessions / PARTS).clamp(1, most)
}

fn session(
    target: &Target,
    job: Job<'_>,
    connector: &Connector,
    next: &AtomicUsize,
    index: usize,
    order: Option<&Order>,
) -> Done {
    let is_first = index == 0;
    if let (Some(order), false) = (order, is_first) {
        order.connected.wait();
    }
    let mut client = Client {
        job,
        connection: connector.connect(),
        buffer: vec![0; 256 * 1024],
        start: 0,
        end: 0,
        body: Vec::new(),
        parser: MessageParser::default(),
        done: Done::default(),
    };
    let login = format!("a1 LOGIN {} {}\r\n", target.user, target.password);
    let mut unread = 0;
    match order {
        None => {
            client.line();
            client.send(&login);
            client.until_tagged();
            client.send("a2 EXAMINE INBOX\r\n");
            client.until_tagged();
        }
        Some(order) if is_first => {
            client.line();
            client.send(&format!("{login}a2 EXAMINE INBOX\r\n"));
            client.until_tagged();
            client.until_tagged();
            order.connected.wait();
            client.send("a2 UID SEARCH RETURN (ALL) ALL\r\n");
            client.until_tagged();
            order.searched.wait();
        }
        Some(order) => {
            client.send(&format!("{login}a2 EXAMINE INBOX\r\n"));
            unread = 2;
            order.searched.wait();
        }
    }
    client.done = Done::default();
    let shard = shard(target, job);
    let mut in_flight = 0;
    loop {
        while in_flight < IN_FLIGHT {
            let first = next.fetch_add(shard, Ordering::Relaxed);
            if first > target.messages {
                break;
            }
            let last = (first + shard - 1).min(target.messages);
            let items = job.extent.items();
            client.send(&format!("a3 UID FETCH {first}:{last} {items}\r\n"));
            in_flight += 1;
        }
        if in_flight == 0 {
            return client.done;
        }
        if unread > 0 {
            // Greeting, login and EXAMINE.
            client.line();
            while unread > 0 {
                client.until_tagged();
                unread -= 1;
            }
            client.done = Done::default();
        }
        client.until_tagged();
        in_flight -= 1;
    }
}

struct Client<'a> {
    job: Job<'a>,
    connection: Connection,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The message now being read, where it is to be parsed.
    body: Vec<u8>,
    parser: MessageParser,
    done: Done,
}

impl Client<'_> {
    fn send(&mut self, command: &str) {
        self.connection.write_all(command.as_bytes()).unwrap();
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
        let read = self.connection.read(&mut self.buffer[self.end..]).unwrap();
        assert!(read > 0, "the server closed the connection");
        self.end += read;
    }

    /// Reads a line; returns whether it is tagged, and the literal that it announces.
    fn line(&mut self) -> (bool, Option<usize>) {
        let mut searched = 0;
        let length = loop {
            let rest = &self.buffer[self.start + searched..self.end];
            if let Some(at) = memchr::memchr(b'\n', rest) {
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
        (line[0] == b'a', literal)
    }

    fn until_tagged(&mut self) {
        loop {
            let (is_tagged, literal) = self.line();
            if is_tagged {
                return;
            }
            if let Some(octets) = literal {
                self.literal(octets);
                // What follows the body: `)`.
                self.line();
            } else if self.job.extent != Extent::Metadata {
                continue;
            }
            self.done.messages += 1;
            self.job.arrived();
        }
    }

    fn literal(&mut self, octets: usize) {
        self.done.octets += octets as u64;
        let mut missing = octets;
        self.body.clear();
        while missing > 0 {
            if self.start == self.end {
                self.fill();
            }
            let taken = missing.min(self.end - self.start);
            if self.job.task != Task::Count {
                let octets = &self.buffer[self.start..self.start + taken];
                self.body.extend_from_slice(octets);
            }
            self.start += taken;
            missing -= taken;
        }
        self.done.parts += self.job.task.work(&self.body, &self.parser);
    }
}
