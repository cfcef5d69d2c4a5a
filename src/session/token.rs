//! The access token that all sessions of a mailbox share. Its provider is asked once for all of
//! them, and again when the server no longer takes what it gave.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::credentials::{Secret, TokenProvider};
use crate::error::{Error, ErrorKind, Result, excerpt};
use crate::stop::Stop;
use crate::transport::TICK;
use crate::unwind;

#[derive(Debug, Default)]
pub(super) struct Tokens {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    standing: Standing,
    /// Counts the tokens that the provider has given.
    number: u64,
    token: Secret,
    /// The provider's last failure, and when it was.
    failure: Option<(Instant, Error)>,
}

/// What is known of the token.
#[derive(Debug, Default)]
enum Standing {
    /// There is none, or it has expired.
    #[default]
    Missing,
    /// Somebody is asking the provider.
    Asked,
    /// The server has not seen it yet.
    New,
    /// One session shows it to the server; the others wait for what it is told.
    OnTrial,
    Accepted,
    /// A new one was refused. No further one is asked for, ever.
    Refused(Error),
}

impl Tokens {
    /// The token, from the provider if there is none. After a failure of the provider it is left
    /// alone for a while, so that sessions that fail together do not ask one after the other.
    pub(super) fn get(
        &self,
        provider: &TokenProvider,
        rest: Duration,
        stop: &Stop,
    ) -> Result<Held<'_>> {
        let mut state = self.lock();
        loop {
            if stop.is_raised() {
                return Err(Error::cancelled());
            }
            match &state.standing {
                Standing::Refused(verdict) => return Err(verdict.clone()),
                Standing::New | Standing::OnTrial | Standing::Accepted => {
                    return Ok(self.hold(&state));
                }
                Standing::Asked => state = self.wait(state),
                Standing::Missing => {
                    if let Some((at, error)) = &state.failure
                        && at.elapsed() < rest
                    {
                        return Err(error.clone());
                    }
                    state.standing = Standing::Asked;
                    drop(state);
                    let answer = ask(provider);
                    state = self.lock();
                    self.changed.notify_all();
                    match answer {
                        Ok(token) => {
                            state.token = token;
                            state.number += 1;
                            state.standing = Standing::New;
                            state.failure = None;
                        }
                        Err(error) => {
                            state.standing = Standing::Missing;
                            state.failure = Some((Instant::now(), error.clone()));
                            return Err(error);
                        }
                    }
                }
            }
        }
    }

    /// Waits for a change, but never for long.
    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let woken = self.changed.wait_timeout(state, TICK);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }

    fn hold(&self, state: &State) -> Held<'_> {
        Held {
            tokens: self,
            number: state.number,
            secret: state.token.clone(),
            is_on_trial: Cell::new(false),
            is_expired: Cell::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls the provider, without any lock held.
fn ask(provider: &TokenProvider) -> Result<Secret> {
    let failed = |text: &str| {
        let text = excerpt(text.as_bytes());
        Error::new(
            ErrorKind::Connect,
            format!("the token provider gave no access token: {text}"),
        )
    };
    let token = match unwind::catch(|| provider()) {
        Ok(Ok(token)) => token,
        Ok(Err(error)) => return Err(failed(&error.to_string()).with_shared_source(error.into())),
        Err(panic) => return Err(failed(&format!("it panicked: {panic}"))),
    };
    if token.is_empty() {
        return Err(Error::config("the token provider gave an empty token"));
    }
    // RFC 6750, section 2.1, and some more: whatever can be seen and is ASCII. A line end that was
    // read together with the token is the usual mistake.
    if !token.expose().iter().all(u8::is_ascii_graphic) {
        return Err(Error::config(
            "the token provider gave a token with white space or other characters that no token \
             has",
        ));
    }
    Ok(token)
}

/// A token in the hands of one session that signs in.
#[derive(Debug)]
pub(super) struct Held<'a> {
    tokens: &'a Tokens,
    number: u64,
    secret: Secret,
    is_on_trial: Cell<bool>,
    is_expired: Cell<bool>,
}

impl Held<'_> {
    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Whether the server has yet to accept it, and this session is the one to see to that.
    pub(super) fn is_on_trial(&self) -> bool {
        self.is_on_trial.get()
    }

    /// Whether the server no longer takes it and there may be another.
    pub(super) fn is_expired(&self) -> bool {
        self.is_expired.get()
    }

    /// The server took it.
    pub(super) fn accepted(&self) {
        if self.is_on_trial.replace(false) {
            self.tokens.lock().standing = Standing::Accepted;
            self.tokens.changed.notify_all();
        }
    }

    /// To be called before the token is shown to the server: a new one is shown by one session
    /// alone, for whose fate the others wait here. Fails if it is known by then that the token is
    /// of no use any more.
    pub(super) fn take_turn(&self, stop: &Stop) -> Result<()> {
        // A second connection with the same token.
        if self.is_on_trial() {
            return Ok(());
        }
        let mut state = self.tokens.lock();
        loop {
            if stop.is_raised() {
                return Err(Error::cancelled());
            }
            match &state.standing {
                Standing::Refused(verdict) => return Err(verdict.clone()),
                Standing::Missing | Standing::Asked => return Err(self.expired("meanwhile")),
                _ if state.number != self.number => return Err(self.expired("meanwhile")),
                Standing::Accepted => return Ok(()),
                Standing::New => {
                    state.standing = Standing::OnTrial;
                    self.is_on_trial.set(true);
                    return Ok(());
                }
                // Whoever shows it is bound by its deadlines.
                Standing::OnTrial => state = self.tokens.wait(state),
            }
        }
    }

    fn expired(&self, how: impl std::fmt::Display) -> Error {
        self.is_expired.set(true);
        let text = format!("the access token has expired: {how}");
        Error::new(ErrorKind::Connect, text)
    }

    /// The server refused it. A token that was good before has expired; one that is new is wrong,
    /// and so would be the next. Returns the error that this is.
    pub(super) fn refused(&self, error: Error) -> Error {
        let mut state = self.tokens.lock();
        self.tokens.changed.notify_all();
        if self.is_on_trial.replace(false) {
            state.standing = Standing::Refused(error.clone());
            state.token = Secret::default();
            return error;
        }
        if state.number == self.number && matches!(state.standing, Standing::Accepted) {
            state.standing = Standing::Missing;
            state.token = Secret::default();
        }
        self.expired(error)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // Something else went wrong than the token: the next one shows it.
        if self.is_on_trial.get() {
            self.tokens.lock().standing = Standing::New;
            self.tokens.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    /// Gives `token-1`, `token-2` and so on, and counts.
    fn provider() -> (TokenProvider, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let provider = move || {
            let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
            Ok(Secret::from(format!("token-{number}")))
        };
        (Arc::new(provider), calls)
    }

    fn get<'a>(tokens: &'a Tokens, provider: &TokenProvider) -> Result<Held<'a>> {
        tokens.get(provider, Duration::from_secs(60), &Stop::default())
    }

    /// The same, up to the server's answer.
    fn show<'a>(tokens: &'a Tokens, provider: &TokenProvider) -> Result<Held<'a>> {
        let held = get(tokens, provider)?;
        held.take_turn(&Stop::default())?;
        Ok(held)
    }

    fn refusal() -> Error {
        Error::new(ErrorKind::Auth, "no")
    }

    #[test]
    fn the_provider_is_asked_once_for_all() {
        let (tokens, (provider, calls)) = (Tokens::default(), provider());
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| show(&tokens, &provider).unwrap().accepted());
            }
        });
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_token_that_expires_for_many_is_replaced_once() {
        let (tokens, (provider, calls)) = (Tokens::default(), provider());
        show(&tokens, &provider).unwrap().accepted();
        let all_hold_it = std::sync::Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let old = show(&tokens, &provider).unwrap();
                    all_hold_it.wait();
                    let error = old.refused(refusal());
                    assert_eq!(error.kind(), &ErrorKind::Connect);
                    assert!(old.is_expired());
                    let new = show(&tokens, &provider).unwrap();
                    assert_eq!(new.secret().expose(), b"token-2");
                    new.accepted();
                });
            }
        });
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_new_token_that_is_refused_is_the_last() {
        let (tokens, (provider, calls)) = (Tokens::default(), provider());
        let held = show(&tokens, &provider).unwrap();
        assert_eq!(held.refused(refusal()).kind(), &ErrorKind::Auth);
        assert!(!held.is_expired());
        drop(held);
        assert_eq!(
            show(&tokens, &provider).unwrap_err().kind(),
            &ErrorKind::Auth
        );
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_trial_that_breaks_off_is_taken_up_by_the_next() {
        let (tokens, (provider, calls)) = (Tokens::default(), provider());
        drop(show(&tokens, &provider).unwrap());
        let held = show(&tokens, &provider).unwrap();
        assert!(held.is_on_trial());
        assert!(
            held.take_turn(&Stop::default()).is_ok(),
            "it is its turn still"
        );
        held.accepted();
        assert!(!show(&tokens, &provider).unwrap().is_on_trial());
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_stop_ends_the_wait_for_somebody_elses_trial() {
        let (tokens, (provider, _)) = (Tokens::default(), provider());
        let trial = show(&tokens, &provider).unwrap();
        let stop = Stop::default();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| get(&tokens, &provider).unwrap().take_turn(&stop));
            stop.raise();
            let result = waiting.join().unwrap();
            assert_eq!(result.unwrap_err().kind(), &ErrorKind::Cancelled);
        });
        trial.accepted();
    }

    #[test]
    fn a_session_that_waits_its_turn_hears_that_its_token_has_expired() {
        let (tokens, (provider, _)) = (Tokens::default(), provider());
        show(&tokens, &provider).unwrap().accepted();
        let waiting = get(&tokens, &provider).unwrap();
        let _ = show(&tokens, &provider).unwrap().refused(refusal());
        assert!(waiting.take_turn(&Stop::default()).is_err() && waiting.is_expired());
        // Also when there is another by then.
        let waiting = get(&tokens, &provider).unwrap();
        show(&tokens, &provider).unwrap().accepted();
        let _ = show(&tokens, &provider).unwrap().refused(refusal());
        show(&tokens, &provider).unwrap().accepted();
        assert!(waiting.take_turn(&Stop::default()).is_err() && waiting.is_expired());
    }

    #[test]
    fn a_failure_of_the_provider_holds_for_those_who_come_soon_after() {
        let tokens = Tokens::default();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let provider: TokenProvider = Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Err("nobody is there".into())
        });
        for _ in 0..3 {
            let error = show(&tokens, &provider).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Connect);
            assert!(error.to_string().contains("nobody is there"), "{error}");
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        let again = tokens.get(&provider, Duration::ZERO, &Stop::default());
        assert!(again.is_err());
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn what_is_no_token_is_told_before_it_is_sent() {
        let tokens = Tokens::default();
        for odd in ["", "abc\n", "a b", "é"] {
            let provider: TokenProvider = Arc::new(|| Ok(Secret::from(odd.to_owned())));
            let error = tokens
                .get(&provider, Duration::ZERO, &Stop::default())
                .unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Config, "{odd:?}");
        }
    }
}
