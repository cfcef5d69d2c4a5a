//! Who is connected: hands out connection numbers, counts, and can end them all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::link::Link;

/// How many connections a server has and had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connections {
    /// Connections accepted since the start.
    pub accepted: u64,
    /// Connections open now.
    pub open: usize,
    /// The most that were open at one time.
    pub peak: usize,
}

/// The connections of a server.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    accepted: u64,
    peak: usize,
    logins: u64,
    sessions: usize,
    refusing: bool,
    stopping: bool,
    links: BTreeMap<u64, Arc<Link>>,
}

/// A logged-in session, as long as it lasts.
#[derive(Debug)]
pub(super) struct SessionGuard(Arc<Registry>);

impl Registry {
    /// Takes a new connection in and gives it its number, or `None` where the server refuses it.
    pub(super) fn admit(&self, link: &Arc<Link>) -> Option<u64> {
        let mut state = self.lock();
        if state.refusing || state.stopping {
            return None;
        }
        state.accepted += 1;
        let number = state.accepted;
        state.links.insert(number, Arc::clone(link));
        state.peak = state.peak.max(state.links.len());
        Some(number)
    }

    pub(super) fn release(&self, number: u64) {
        self.lock().links.remove(&number);
    }

    /// Counts a login attempt and gives it its number.
    pub(super) fn count_login(&self) -> u64 {
        let mut state = self.lock();
        state.logins += 1;
        state.logins
    }

    /// Opens a session, unless there are `limit` already.
    pub(super) fn open_session(self: &Arc<Self>, limit: Option<usize>) -> Option<SessionGuard> {
        let mut state = self.lock();
        if limit.is_some_and(|limit| state.sessions >= limit) {
            return None;
        }
        state.sessions += 1;
        Some(SessionGuard(Arc::clone(self)))
    }

    pub(super) fn set_refusing(&self, refusing: bool) {
        self.lock().refusing = refusing;
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Ends all connections and admits no more.
    pub(super) fn stop(&self) {
        self.lock().stopping = true;
        self.end_all();
    }

    /// Ends all connections.
    pub(super) fn end_all(&self) {
        // Cloned, so that the lock is not held over the system calls.
        let links: Vec<_> = self.lock().links.values().cloned().collect();
        for link in links {
            link.end();
        }
    }

    pub(super) fn connections(&self) -> Connections {
        let state = self.lock();
        Connections {
            accepted: state.accepted,
            open: state.links.len(),
            peak: state.peak,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SessionGuard {
    fn drop(&mut self) {
        self.0.lock().sessions -= 1;
    }
}
