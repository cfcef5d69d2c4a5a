//! The response reader alone, on recorded octets from memory, against the `imap` crate's parser on
//! the same octets. No socket is involved.

#![allow(clippy::unwrap_used, missing_docs)]

mod rivals;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use parallel_mailbox::testing::Sample;
use parallel_mailbox::{ParallelMailbox, Stream, UidSet};

/// The answers to FETCH for UIDs 1 to n, one after the other.
#[derive(Debug)]
struct Recording {
    octets: Vec<u8>,
    /// Where each message starts, and the end.
    starts: Vec<usize>,
}

fn record(sample: Sample) -> Recording {
    let mut recording = Recording {
        octets: Vec::new(),
        starts: vec![0],
    };
    for (uid, message) in (1..).zip(sample) {
        let raw = message.raw();
        let head = format!(
            "* {uid} FETCH (UID {uid} FLAGS (\\Seen) INTERNALDATE \"17-Jul-2026 02:44:25 +0000\" \
             BODY[] {{{}}}\r\n",
            raw.len()
        );
        recording.octets.extend_from_slice(head.as_bytes());
        recording.octets.extend_from_slice(raw);
        recording.octets.extend_from_slice(b")\r\n");
        recording.starts.push(recording.octets.len());
    }
    recording
}

/// A server in memory that knows just enough to play a recording.
#[derive(Debug)]
struct Player {
    recording: Arc<Recording>,
    line: Vec<u8>,
    /// Short answers, to be read first.
    text: Vec<u8>,
    /// Then what is left of the recording, then the end of the command.
    from: usize,
    to: usize,
    end: Vec<u8>,
}

impl Player {
    fn new(recording: &Arc<Recording>) -> Self {
        Self {
            recording: recording.clone(),
            line: Vec::new(),
            text: b"* OK [CAPABILITY IMAP4rev1] ready\r\n".to_vec(),
            from: 0,
            to: 0,
            end: Vec::new(),
        }
    }

    fn answer(&mut self) {
        let line = String::from_utf8(std::mem::take(&mut self.line)).unwrap();
        let mut words = line.split_ascii_whitespace();
        let tag = words.next().unwrap();
        if let (Some("UID"), Some("FETCH"), Some(set)) = (words.next(), words.next(), words.next())
        {
            assert!(self.from == self.to, "one command at a time is enough here");
            let set: UidSet = set.parse().unwrap();
            let (first, last) = (set.first().unwrap().get(), set.last().unwrap().get());
            self.from = self.recording.starts[first as usize - 1];
            self.to = self.recording.starts[last as usize];
            self.end = format!("{tag} OK done\r\n").into_bytes();
        } else {
            let examine = "* 5 EXISTS\r\n* OK [UIDVALIDITY 1] .\r\n";
            let data = if line.contains("EXAMINE") {
                examine
            } else {
                ""
            };
            self.text
                .extend_from_slice(format!("{data}{tag} OK done\r\n").as_bytes());
        }
    }
}

impl Read for Player {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let (source, is_text) = if !self.text.is_empty() {
            (&self.text[..], true)
        } else if self.from < self.to {
            (&self.recording.octets[self.from..self.to], false)
        } else {
            std::mem::swap(&mut self.text, &mut self.end);
            self.end.clear();
            (&self.text[..], true)
        };
        let count = source.len().min(target.len());
        target[..count].copy_from_slice(&source[..count]);
        if is_text {
            self.text.drain(..count);
        } else {
            self.from += count;
        }
        Ok(count)
    }
}

impl Write for Player {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        for octet in octets {
            self.line.push(*octet);
            if *octet == b'\n' {
                self.answer();
            }
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Player {
    fn set_timeout(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn is_secure(&self) -> bool {
        true
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    // The size of a command of ours, so that one is enough.
    for (name, sample) in [
        ("400 small", Sample::small(400)),
        ("400 mixed", Sample::mixed(400)),
    ] {
        let recording = Arc::new(record(sample));
        let messages = recording.starts.len() - 1;
        let mut group = criterion.benchmark_group(format!("reader, {name}"));
        group.throughput(Throughput::Bytes(recording.octets.len() as u64));

        let connector = {
            let recording = recording.clone();
            move |_: &str, _: u16, _: Duration| {
                Ok(Box::new(Player::new(&recording)) as Box<dyn Stream>)
            }
        };
        let mailbox = ParallelMailbox::builder("memory")
            .connector(connector)
            .login("me", "secret")
            .workers(1)
            .connect()
            .unwrap();
        let all: UidSet = format!("1:{messages}").parse().unwrap();
        let matches = mailbox.uids(all).shard_size(messages);
        group.bench_function("this crate", |bencher| {
            bencher.iter(|| {
                let report = matches.for_each(|message| {
                    std::hint::black_box(message.raw().len());
                });
                assert_eq!(report.unwrap().delivered().len(), messages);
            });
        });

        let mut client = imap::Client::new(Player::new(&recording));
        client.read_greeting().unwrap();
        let mut session = client
            .login("me", "secret")
            .map_err(|(error, _)| error)
            .unwrap();
        let set = format!("1:{messages}");
        group.bench_function("imap crate", |bencher| {
            bencher.iter(|| {
                let fetched = session
                    .uid_fetch(&set, rivals::Extent::Full.items())
                    .unwrap();
                assert_eq!(fetched.len(), messages);
            });
        });
        group.finish();
    }
    criterion.final_summary();
}
