//! What the benchmarks share: one job, done by a raw reader, by the `imap` crate and by this crate.
//! All of them log in, open INBOX and read every message of it; set-up is part of the job.

// Every benchmark compiles all of this and uses a part of it.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

pub(crate) mod arrivals;
pub(crate) mod connection;
pub(crate) mod cpu;
pub(crate) mod imap_crate;
pub(crate) mod ours;
pub(crate) mod raw;

use std::path::PathBuf;
use std::time::Duration;

use arrivals::Arrivals;
use parallel_mailbox::mail_parser::MessageParser;

/// The loopback address; the fixture's certificate is valid for it.
pub(crate) const HOST: &str = "127.0.0.1";

/// Where a mailbox is, and how many messages it has: UIDs 1 to `messages`.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) messages: usize,
    /// How many octets a message has, on average. For the raw reader alone.
    pub(crate) octets_each: usize,
    /// The file of the certificate to trust; without one, everything goes in plain text.
    pub(crate) root: Option<PathBuf>,
}

/// How much of each message is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Full,
    Headers,
    Metadata,
}

/// What is done with each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Its octets are counted.
    Count,
    /// It is parsed, and its MIME parts are counted.
    Parse,
    /// It takes [`WORK`] of CPU time.
    Work,
}

/// What a slow closure costs.
pub(crate) const WORK: Duration = Duration::from_millis(5);

impl Task {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Count, "count"),
        (Self::Parse, "parse"),
        (Self::Work, "work"),
    ];

    pub(crate) fn name(self) -> &'static str {
        let (_, name) = Self::ALL.iter().find(|(task, _)| *task == self).unwrap();
        name
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, other)| *other == name).map(|(task, _)| *task)
    }

    /// Does it on the octets of a message; returns the MIME parts that were counted.
    pub(crate) fn work(self, octets: &[u8], parser: &MessageParser) -> u64 {
        match self {
            Self::Count => 0,
            Self::Parse => parser
                .parse(octets)
                .map_or(0, |message| message.parts.len() as u64),
            Self::Work => {
                let begun = cpu::thread_time();
                while cpu::thread_time() - begun < WORK {
                    std::hint::spin_loop();
                }
                0
            }
        }
    }
}

/// A job, for whoever does it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) sessions: usize,
    pub(crate) extent: Extent,
    pub(crate) task: Task,
    /// Told of each message, where it is of interest when they come.
    pub(crate) arrivals: Option<&'a Arrivals>,
}

/// What a job has read: the same for whoever did it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) messages: u64,
    pub(crate) octets: u64,
    /// MIME parts; 0 unless the task was to parse.
    pub(crate) parts: u64,
}

impl Extent {
    /// The items that the rivals ask for: the same as this crate's.
    pub(crate) fn items(self) -> &'static str {
        match self {
            Self::Full => "(UID FLAGS INTERNALDATE BODY.PEEK[])",
            Self::Headers => "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])",
            Self::Metadata => "(UID FLAGS INTERNALDATE RFC822.SIZE)",
        }
    }
}

impl Job<'_> {
    pub(crate) fn arrived(&self) {
        if let Some(arrivals) = self.arrivals {
            arrivals.note();
        }
    }
}

impl std::ops::Add for Done {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            octets: self.octets + other.octets,
            parts: self.parts + other.parts,
        }
    }
}

impl std::iter::Sum for Done {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| sum + one)
    }
}
