//! What to do when a session cannot be opened or breaks: try again, when, or stop.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::limits::Retry;

/// What a worker does after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advice {
    /// Try again after this time.
    Retry(Duration),
    /// Leave the run to the other workers.
    Leave,
    /// The same would happen to every worker: end the run.
    Stop,
}

/// Decides on the failures in a row of one worker, which start over when it delivers a message.
#[derive(Debug)]
pub(crate) struct Patience {
    retry: Retry,
    failures: u32,
}

impl Patience {
    pub(crate) fn new(retry: Retry) -> Self {
        Self { retry, failures: 0 }
    }

    pub(crate) fn delivered(&mut self) {
        self.failures = 0;
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// `others` is the number of sessions that are open besides.
    pub(crate) fn failed(&mut self, error: &Error, others: usize) -> Advice {
        self.failures += 1;
        if is_verdict(error) {
            return Advice::Stop;
        }
        // What the server has granted to others it will not grant to us by asking more often.
        if *error.kind() == ErrorKind::SessionLimit && others > 0 {
            return Advice::Leave;
        }
        if self.failures >= self.retry.attempts {
            return Advice::Leave;
        }
        Advice::Retry(jittered(self.retry.delay(self.failures + 1)))
    }
}

/// Whether trying again, or elsewhere, must lead to the same.
fn is_verdict(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Auth
        | ErrorKind::Tls
        | ErrorKind::Config
        | ErrorKind::UidValidityChanged { .. }
        | ErrorKind::Cancelled => true,
        ErrorKind::Server { .. } => !error.is_retryable(),
        _ => false,
    }
}

/// Between a half and the whole of `delay`, so that workers that failed together do not come back
/// together.
fn jittered(delay: Duration) -> Duration {
    // The standard library's source of randomness that needs no dependency: a hasher's keys.
    let random = RandomState::new().hash_one(0) as u32;
    delay / 2 + (delay / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience() -> Patience {
        Patience::new(
            Retry::default()
                .attempts(3)
                .initial_delay(Duration::from_millis(100)),
        )
    }

    #[test]
    fn waits_longer_each_time_and_then_gives_up() {
        let lost = Error::new(ErrorKind::Disconnected, "");
        let mut patience = patience();
        for most in [100, 200] {
            let Advice::Retry(delay) = patience.failed(&lost, 0) else {
                panic!()
            };
            assert!(
                delay <= Duration::from_millis(most) && delay >= Duration::from_millis(most / 2)
            );
        }
        assert_eq!(patience.failed(&lost, 0), Advice::Leave);
        patience.delivered();
        assert!(matches!(patience.failed(&lost, 0), Advice::Retry(_)));
    }

    #[test]
    fn a_wrong_password_is_never_tried_again() {
        assert_eq!(
            patience().failed(&Error::new(ErrorKind::Auth, ""), 0),
            Advice::Stop
        );
    }

    #[test]
    fn a_connection_limit_costs_the_worker_but_not_the_only_one() {
        let limit = Error::new(ErrorKind::SessionLimit, "");
        assert_eq!(patience().failed(&limit, 3), Advice::Leave);
        assert!(matches!(patience().failed(&limit, 0), Advice::Retry(_)));
    }
}
