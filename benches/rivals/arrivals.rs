//! When the first message came, and when every session had brought one.

use std::collections::HashMap;
use std::sync::Mutex;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// The moment of the first message on each thread.
#[derive(Debug)]
pub(crate) struct Arrivals {
    begun: Instant,
    firsts: Mutex<HashMap<ThreadId, Duration>>,
}

impl Arrivals {
    /// Begins to count the time.
    pub(crate) fn begin() -> Self {
        Self {
            begun: Instant::now(),
            firsts: Mutex::default(),
        }
    }

    pub(crate) fn note(&self) {
        let mut firsts = self.firsts.lock().unwrap();
        firsts
            .entry(thread::current().id())
            .or_insert_with(|| self.begun.elapsed());
    }

    /// How long it took to the first message of all.
    pub(crate) fn first(&self) -> Option<Duration> {
        self.firsts.lock().unwrap().values().min().copied()
    }

    /// How long it took until each thread that got any had got one.
    pub(crate) fn last(&self) -> Option<Duration> {
        self.firsts.lock().unwrap().values().max().copied()
    }
}
