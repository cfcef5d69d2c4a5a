//! What the sessions of a mailbox have learned about their server, so that the next one need not
//! ask again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Gate;

#[derive(Debug, Default)]
pub(crate) struct Peer {
    pub(super) gate: Gate,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Capabilities announced before the login. Empty: unknown.
    before_login: Vec<String>,
    /// Capabilities of an authenticated session. Empty: unknown.
    after_login: Vec<String>,
    ahead: Ahead,
}

/// Whether the server takes commands behind a LOGIN that it has not answered yet. RFC 9051, section
/// 5.5 says that it does.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Ahead {
    #[default]
    Untried,
    Works,
    Fails,
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

    pub(super) fn takes_commands_ahead(&self) -> bool {
        self.lock().ahead != Ahead::Fails
    }

    /// A session was set up with commands sent ahead.
    pub(super) fn took_commands_ahead(&self) {
        self.lock().ahead = Ahead::Works;
    }

    pub(super) fn has_taken_commands_ahead(&self) -> bool {
        self.lock().ahead == Ahead::Works
    }

    /// A session broke over commands sent ahead. That is held against a server only if it never
    /// took any.
    pub(super) fn broke_over_commands_ahead(&self) {
        let mut state = self.lock();
        if state.ahead == Ahead::Untried {
            state.ahead = Ahead::Fails;
        }
    }
}
