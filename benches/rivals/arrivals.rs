//! When the first message came, when every session had brought one, and how long the sessions that
//! were done first had to wait for the last.

use std::collections::HashMap;
use std::sync::Mutex;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// The moments of the first and of the last message on each thread.
#[derive(Debug)]
pub(crate) struct Arrivals {
    begun: Instant,
    of_threads: Mutex<HashMap<ThreadId, (Duration, Duration)>>,
}

impl Arrivals {
    /// Begins to count the time.
    pub(crate) fn begin() -> Self {
        Self {
            begun: Instant::now(),
            of_threads: Mutex::default(),
        }
    }

    pub(crate) fn note(&self) {
        let mut of_threads = self.of_threads.lock().unwrap();
        let now = self.begun.elapsed();
        of_threads
            .entry(thread::current().id())
            .or_insert((now, now))
            .1 = now;
    }

    /// How long it took to the first message of all.
    pub(crate) fn first(&self) -> Option<Duration> {
        let of_threads = self.of_threads.lock().unwrap();
        of_threads.values().map(|(first, _)| *first).min()
    }

    /// How long it took until each thread that got any had got one.
    pub(crate) fn last(&self) -> Option<Duration> {
        let of_threads = self.of_threads.lock().unwrap();
        of_threads.values().map(|(first, _)| *first).max()
    }

    /// From the last message of a thread to the last of all, on average over the threads.
    pub(crate) fn idle(&self) -> Option<Duration> {
        let of_threads = self.of_threads.lock().unwrap();
        let lasts = || of_threads.values().map(|(_, last)| *last);
        let end = lasts().max()?;
        let idle: Duration = lasts().map(|last| end - last).sum();
        Some(idle / of_threads.len() as u32)
    }
}
