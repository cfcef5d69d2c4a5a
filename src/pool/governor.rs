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

/// Finding the one message in a shard that breaks every session takes so many sessions: halving
/// 512 nine times, and then some to be sure.
const NARROWING: u32 = 16;

/// The longest wait after a session broke, since another can be had: that was not the trouble.
const LONGEST_AFTER_LOSS: Duration = Duration::from_secs(1);

/// Decides on the failures in a row of one worker, which start over when it delivers a message.
#[derive(Debug)]
pub(crate) struct Patience {
    retry: Retry,
    refusals: u32,
    losses: u32,
}

impl Patience {
    pub(crate) fn new(retry: Retry) -> Self {
        Self {
            retry,
            refusals: 0,
            losses: 0,
        }
    }

    pub(crate) fn delivered(&mut self) {
        self.refusals = 0;
        self.losses = 0;
    }

    /// Failures since the last message that was delivered.
    pub(crate) fn failures(&self) -> u32 {
        self.refusals + self.losses
    }

    /// A session could not be opened. `others` is the number of those that are open.
    pub(crate) fn refused(&mut self, error: &Error, others: usize) -> Advice {
        self.refusals += 1;
        if is_verdict(error) {
            return Advice::Stop;
        }
        // What the server has granted to others it will not grant to us by asking more often.
        if *error.kind() == ErrorKind::SessionLimit && others > 0 {
            return Advice::Leave;
        }
        if self.refusals >= self.retry.attempts {
            return Advice::Leave;
        }
        Advice::Retry(jittered(self.retry.delay(self.refusals + 1)))
    }

    /// A session broke.
    pub(crate) fn lost(&mut self) -> Advice {
        self.losses += 1;
        match self.losses {
            // A mere accident: no wait.
            1 => Advice::Retry(Duration::ZERO),
            losses if losses >= self.retry.attempts + NARROWING => Advice::Leave,
            losses => {
                let delay = self.retry.delay(losses).min(LONGEST_AFTER_LOSS);
                Advice::Retry(jittered(delay))
            }
        }
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
            let Advice::Retry(delay) = patience.refused(&lost, 0) else {
                panic!()
            };
            assert!(
                delay <= Duration::from_millis(most) && delay >= Duration::from_millis(most / 2)
            );
        }
        assert_eq!(patience.refused(&lost, 0), Advice::Leave);
        patience.delivered();
        assert!(matches!(patience.refused(&lost, 0), Advice::Retry(_)));
    }

    #[test]
    fn a_wrong_password_is_never_tried_again() {
        assert_eq!(
            patience().refused(&Error::new(ErrorKind::Auth, ""), 0),
            Advice::Stop
        );
    }

    #[test]
    fn a_connection_limit_costs_the_worker_but_not_the_only_one() {
        let limit = Error::new(ErrorKind::SessionLimit, "");
        assert_eq!(patience().refused(&limit, 3), Advice::Leave);
        assert!(matches!(patience().refused(&limit, 0), Advice::Retry(_)));
    }
}
