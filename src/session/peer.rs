//! What the sessions of a mailbox have learned about their server, so that the next one need not
//! ask again.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Gate, Tokens};

#[derive(Debug, Default)]
pub(crate) struct Peer {
    pub(super) gate: Gate,
    pub(super) tokens: Tokens,
    /// Commands behind a login that is not answered yet (RFC 9051, section 5.5).
    pub(super) takes_commands_ahead: Liberty,
    /// A login before the greeting was read.
    pub(super) takes_login_first: Liberty,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Capabilities announced before the login. Empty: unknown.
    before_login: Vec<String>,
    /// Capabilities of an authenticated session. Empty: unknown.
    after_login: Vec<String>,
    round_trip: Duration,
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

    pub(super) fn before_login(&self) -> Vec<String> {
        self.lock().before_login.clone()
    }

    pub(super) fn learn_before_login(&self, capabilities: &[String]) {
        if !capabilities.is_empty() {
            self.lock().before_login = capabilities.to_vec();
        }
    }

    pub(super) fn learn_after_login(&self, capabilities: &[String]) {
        if !capabilities.is_empty() {
            self.lock().after_login = capabilities.to_vec();
        }
    }

    pub(super) fn is_known(&self) -> bool {
        !self.lock().after_login.is_empty()
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
