//! What the sessions of a mailbox have learned about their server, so that the next one need not
//! ask again.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::provider::Provider;
use super::{Gate, Tokens};

#[derive(Debug, Default)]
pub(crate) struct Peer {
    pub(super) gate: Gate,
    pub(super) tokens: Tokens,
    /// Commands behind a login that is not answered yet (RFC 9051, section 5.5).
    pub(super) takes_commands_ahead: Liberty,
    /// A login before the greeting was read.
    pub(super) takes_login_first: Liberty,
    open: Arc<AtomicUsize>,
    state: Mutex<State>,
}

/// Counts a session among those that are open, until it is dropped.
#[derive(Debug)]
pub(super) struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct State {
    /// Capabilities announced before the login. Empty: unknown.
    before_login: Vec<String>,
    /// Capabilities of an authenticated session. Empty: unknown.
    after_login: Vec<String>,
    round_trip: Duration,
    provider: Option<&'static Provider>,
}

impl State {
    fn recognise(&mut self, said: &str, capabilities: &mut Vec<String>) {
        self.provider = self.provider.or_else(|| Provider::of(said, capabilities));
        if let Some(provider) = self.provider {
            provider.correct(capabilities);
        }
    }
}

/// Something that RFC 9051 lets a client do, and that some servers may not be up to.
#[derive(Debug, Default)]
pub(super) struct Liberty(AtomicU8);

impl Liberty {
    const WORKS: u8 = 1;
    const FAILS: u8 = 2;

    pub(super) fn may_be_taken(&self) -> bool {
        self.0.load(Ordering::Relaxed) != Self::FAILS
    }

    pub(super) fn has_worked(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::WORKS
    }

    /// A session was set up that took it.
    pub(super) fn worked(&self) {
        self.0.store(Self::WORKS, Ordering::Relaxed);
    }

    /// It is not worth it.
    pub(super) fn give_up(&self) {
        self.0.store(Self::FAILS, Ordering::Relaxed);
    }

    /// A session broke that took it. That is held against a server only if it never bore it.
    pub(super) fn failed(&self) {
        let untried = Self::default().0.into_inner();
        let (order, other) = (Ordering::Relaxed, Ordering::Relaxed);
        let _ = self.0.compare_exchange(untried, Self::FAILS, order, other);
    }
}

impl Peer {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count_session(&self) -> Counted {
        self.open.fetch_add(1, Ordering::Relaxed);
        Counted(self.open.clone())
    }

    /// How many sessions are open.
    pub(super) fn open_sessions(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn before_login(&self) -> Vec<String> {
        self.lock().before_login.clone()
    }

    /// Takes note of what a server says it can do, and corrects it by what is known of it.
    pub(super) fn learn_before_login(&self, capabilities: &mut Vec<String>) {
        if !capabilities.is_empty() {
            let mut state = self.lock();
            state.recognise("", capabilities);
            state.before_login.clone_from(capabilities);
        }
    }

    pub(super) fn learn_after_login(&self, capabilities: &[String]) {
        if !capabilities.is_empty() {
            let mut state = self.lock();
            let mut capabilities = capabilities.to_vec();
            state.recognise("", &mut capabilities);
            state.after_login = capabilities;
        }
    }

    /// Takes note of what a server says about itself: its greeting, or its answer to ID.
    pub(super) fn learn_name(&self, said: &str) {
        self.lock().recognise(said, &mut Vec::new());
    }

    /// Whether the server is to be told who the client is: once, or over each session if it wants
    /// that.
    pub(super) fn is_to_be_told_who(&self) -> bool {
        let state = self.lock();
        let is_first = state.after_login.is_empty();
        let offers = |list: &[String]| list.iter().any(|offer| offer == "ID");
        let wants = state.provider.is_some_and(|provider| provider.wants_id);
        (offers(&state.before_login) || offers(&state.after_login)) && (is_first || wants)
    }

    /// Whether the server is known to bear a login before its greeting.
    pub(super) fn may_log_in_first(&self) -> bool {
        let provider = self.lock().provider;
        provider.is_some_and(|provider| provider.takes_login_first)
            && self.takes_login_first.may_be_taken()
    }

    /// How many sessions the server commonly grants, where that is known.
    pub(crate) fn usual_sessions(&self) -> Option<usize> {
        self.lock().provider?.sessions
    }

    pub(super) fn is_known(&self) -> bool {
        !self.lock().after_login.is_empty()
    }

    /// The capabilities of an authenticated session, as far as is known.
    pub(super) fn after_login(&self) -> Vec<String> {
        self.lock().after_login.clone()
    }

    /// Whether an authenticated session has this capability, as far as is known.
    pub(super) fn offers(&self, name: &str) -> bool {
        self.lock().after_login.iter().any(|offer| offer == name)
    }

    /// How long the server took for the last login that was waited for.
    pub(super) fn round_trip(&self) -> Duration {
        self.lock().round_trip
    }

    pub(super) fn learn_round_trip(&self, round_trip: Duration) {
        self.lock().round_trip = round_trip;
    }
}
