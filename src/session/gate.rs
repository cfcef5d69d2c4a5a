//! Keeps a wrong password from being tried more than once. Accounts are locked after a few wrong
//! ones, so when the last sign-in is some time ago, one session goes ahead and the others wait for
//! what it is told.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::stop::Stop;
use crate::transport::TICK;

/// For so long after a sign-in the password is taken to be right, and all may sign in at once.
const TRUSTED_FOR: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    last_success: Option<Instant>,
    /// Sessions that are signing in.
    inside: usize,
    /// The server has refused the user or the password. It is not asked again, ever.
    verdict: Option<Error>,
}

impl State {
    fn is_trusted(&self) -> bool {
        self.last_success
            .is_some_and(|success| success.elapsed() < TRUSTED_FOR)
    }
}

impl Gate {
    /// Calls `sign_in` when it is its turn, unless the password has been refused before.
    pub(super) fn pass<T>(&self, stop: &Stop, sign_in: impl FnOnce() -> Result<T>) -> Result<T> {
        self.enter(stop)?;
        let result = sign_in();
        let mut state = self.lock();
        state.inside -= 1;
        match &result {
            Ok(_) => state.last_success = Some(Instant::now()),
            Err(error) if *error.kind() == ErrorKind::Auth => state.verdict = Some(error.clone()),
            Err(_) => {}
        }
        drop(state);
        self.changed.notify_all();
        result
    }

    /// The server's refusal, if there was one.
    pub(super) fn verdict(&self) -> Option<Error> {
        self.lock().verdict.clone()
    }

    /// Whether all may sign in at once now.
    pub(super) fn is_trusted(&self) -> bool {
        let state = self.lock();
        state.verdict.is_none() && state.is_trusted()
    }

    fn enter(&self, stop: &Stop) -> Result<()> {
        let mut state = self.lock();
        loop {
            if let Some(verdict) = &state.verdict {
                return Err(verdict.clone());
            }
            if stop.is_raised() {
                return Err(Error::cancelled());
            }
            if state.is_trusted() || state.inside == 0 {
                state.inside += 1;
                return Ok(());
            }
            // Whoever is inside is bound by its deadlines.
            let woken = self.changed.wait_timeout(state, TICK);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    /// So many sessions sign in together; returns how many of them asked the server.
    fn asked(gate: &Gate, sessions: usize, answer: impl Fn() -> Result<()> + Sync) -> usize {
        let asked = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..sessions {
                scope.spawn(|| {
                    let _ = gate.pass(&Stop::default(), || {
                        asked.fetch_add(1, Ordering::SeqCst);
                        answer()
                    });
                });
            }
        });
        asked.into_inner()
    }

    #[test]
    fn a_wrong_password_is_tried_once_by_whoever_comes_first() {
        let gate = Gate::default();
        let refused = || Err(Error::new(ErrorKind::Auth, "no"));
        assert_eq!(asked(&gate, 8, refused), 1);
        assert_eq!(asked(&gate, 8, || Ok(())), 0);
        assert_eq!(gate.verdict().unwrap().kind(), &ErrorKind::Auth);
    }

    #[test]
    fn another_failure_lets_the_next_one_try() {
        let gate = Gate::default();
        let failed = || Err(Error::new(ErrorKind::Disconnected, ""));
        assert_eq!(asked(&gate, 3, failed), 3);
        assert_eq!(asked(&gate, 3, || Ok(())), 3);
    }

    #[test]
    fn after_a_success_all_sign_in_at_once() {
        let gate = Gate::default();
        assert_eq!(asked(&gate, 1, || Ok(())), 1);
        // Each waits for the other, which would be for ever if they went one by one.
        let both = std::sync::Barrier::new(2);
        let answer = || {
            both.wait();
            Ok(())
        };
        assert_eq!(asked(&gate, 2, answer), 2);
    }

    #[test]
    fn a_stop_ends_the_wait_for_a_turn() {
        let gate = Gate::default();
        let stop = Stop::default();
        gate.pass(&Stop::default(), || {
            thread::scope(|scope| {
                let waiting = scope.spawn(|| gate.pass(&stop, || Ok(())));
                stop.raise();
                let result = waiting.join().unwrap();
                assert_eq!(result.unwrap_err().kind(), &ErrorKind::Cancelled);
            });
            Ok(())
        })
        .unwrap();
    }
}
