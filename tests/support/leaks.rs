//! Threads and sockets that a test left behind. Linux only, by way of `/proc`; elsewhere it finds
//! nothing, ever.
//!
//! Threads and file descriptors belong to the whole process, so two tests that watch at once would
//! see each other's. [`Leaks::watch`] therefore lets one test of a binary through at a time, and a
//! test that watches must call it first. In a binary where one test watches, all have to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::wait;

/// How long threads and sockets may take to disappear: ending is not instant, only certain.
const GRACE: Duration = Duration::from_secs(5);

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The threads that run the tests themselves. They come and go as the harness likes.
static TEST_THREADS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What this process held when the watch began.
pub(crate) struct Leaks {
    before: Holdings,
    _turn: MutexGuard<'static, ()>,
}

impl Leaks {
    /// Waits for its turn among the tests that watch, then takes stock.
    pub(crate) fn watch() -> Self {
        if let Ok(task) = fs::read_link("/proc/thread-self")
            && let Some(thread) = task.file_name()
        {
            let mut threads = TEST_THREADS.lock().unwrap_or_else(PoisonError::into_inner);
            threads.insert(thread.to_string_lossy().into_owned());
        }
        // A test that failed while it watched says nothing about the next one.
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            before: Holdings::now(),
            _turn: turn,
        }
    }

    /// What is there now and was not before: nothing is waited for.
    pub(crate) fn left(&self) -> Vec<String> {
        Holdings::now().beyond(&self.before)
    }

    /// Fails the test if, after a grace period, a thread or a socket is there that was not before.
    pub(crate) fn assert_none_left(&self) {
        let mut left = Vec::new();
        wait::until(GRACE, || {
            left = self.left();
            left.is_empty()
        });
        assert!(left.is_empty(), "left behind: {}", left.join(", "));
    }
}

/// The threads, by number, and the sockets of this process.
struct Holdings {
    threads: BTreeMap<String, String>,
    sockets: BTreeSet<String>,
}

impl Holdings {
    fn now() -> Self {
        let mut threads = BTreeMap::new();
        for task in fs::read_dir("/proc/self/task")
            .into_iter()
            .flatten()
            .flatten()
        {
            // One that ends between the listing and this line is not left behind.
            if let Ok(name) = fs::read_to_string(task.path().join("comm")) {
                let number = task.file_name().to_string_lossy().into_owned();
                threads.insert(number, name.trim_end().to_owned());
            }
        }
        let mut sockets = BTreeSet::new();
        for descriptor in fs::read_dir("/proc/self/fd")
            .into_iter()
            .flatten()
            .flatten()
        {
            if let Ok(target) = fs::read_link(descriptor.path()) {
                let target = target.to_string_lossy();
                if target.starts_with("socket:") {
                    sockets.insert(target.into_owned());
                }
            }
        }
        Self { threads, sockets }
    }

    fn beyond(&self, before: &Self) -> Vec<String> {
        let tests = TEST_THREADS.lock().unwrap_or_else(PoisonError::into_inner);
        let threads = self
            .threads
            .iter()
            .filter(|(number, _)| !before.threads.contains_key(*number) && !tests.contains(*number))
            .map(|(number, name)| format!("thread {name:?} ({number})"));
        let sockets = self.sockets.difference(&before.sockets).cloned();
        threads.chain(sockets).collect()
    }
}
