//! What to do when a session cannot be opened, breaks, or is told to slow down: try again, when,
//! or stop.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind};
use crate::limits::Retry;

/// The longest that a server's hint to wait is followed. Exchange asks for up to five minutes.
const LONGEST_HINT: Duration = Duration::from_secs(300);

/// What all workers of a mailbox have learned about its server.
#[derive(Debug, Default)]
pub(crate) struct Governor {
    calm_until: Mutex<Option<Instant>>,
    is_serial: AtomicBool,
}

impl Governor {
    /// The server wants to be left in peace for so long, by all workers. Returns whether this is
    /// news: nobody is holding off yet.
    pub(super) fn hold_off(&self, time: Duration) -> bool {
        let now = Instant::now();
        let mut calm_until = self
            .calm_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_news = calm_until.is_none_or(|until| until <= now);
        let until = now + time.min(LONGEST_HINT);
        *calm_until = Some(calm_until.map_or(until, |before| before.max(until)));
        is_news
    }

    /// How long to hold off from now on.
    pub(super) fn time_left(&self) -> Duration {
        let calm_until = self
            .calm_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        calm_until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }

    /// The server loses commands that it is sent while it answers another.
    pub(super) fn use_one_command_at_a_time(&self) {
        self.is_serial.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_serial(&self) -> bool {
        self.is_serial.load(Ordering::Relaxed)
    }
}

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

/// Finding the one message in a shard that breaks every session takes so many sessions at most:
/// halving 512 nine times, and then some to be sure.
const NARROWING: u32 = 16;

/// Each costs a whole deadline, so fewer are borne: an accident, and two to see whether one
/// message is to blame.
const MAX_TIMEOUTS: u32 = 3;

/// The longest wait after a session broke, since another can be had: that was not the trouble.
const LONGEST_AFTER_LOSS: Duration = Duration::from_secs(1);

/// Decides on the failures in a row of one worker, which start over when it delivers a message.
#[derive(Debug)]
pub(crate) struct Patience {
    retry: Retry,
    refusals: u32,
    losses: u32,
    timeouts: u32,
}

impl Patience {
    pub(crate) fn new(retry: Retry) -> Self {
        Self {
            retry,
            refusals: 0,
            losses: 0,
            timeouts: 0,
        }
    }

    /// There was progress: a message was delivered, or one found guilty.
    pub(crate) fn delivered(&mut self) {
        self.refusals = 0;
        self.losses = 0;
        self.timeouts = 0;
    }

    /// Failures since the last message that was delivered.
    pub(crate) fn failures(&self) -> u32 {
        self.refusals + self.losses
    }

    /// A session could not be opened, or a command was refused for a passing reason. `others` is
    /// the number of other sessions that are open.
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
    pub(crate) fn lost(&mut self, error: &Error) -> Advice {
        self.losses += 1;
        if *error.kind() == ErrorKind::Timeout {
            self.timeouts += 1;
            if self.timeouts >= MAX_TIMEOUTS {
                return Advice::Leave;
            }
        }
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
        let refused = Error::new(ErrorKind::Connect, "");
        let mut patience = patience();
        for most in [100, 200] {
            let Advice::Retry(delay) = patience.refused(&refused, 0) else {
                panic!()
            };
            assert!(delay <= Duration::from_millis(most));
            assert!(delay >= Duration::from_millis(most / 2));
        }
        assert_eq!(patience.refused(&refused, 0), Advice::Leave);
        patience.delivered();
        assert!(matches!(patience.refused(&refused, 0), Advice::Retry(_)));
    }

    #[test]
    fn sessions_that_break_one_after_the_other_are_borne_long_enough_to_find_the_culprit() {
        let mut patience = patience();
        let lost = Error::new(ErrorKind::Disconnected, "");
        assert_eq!(patience.lost(&lost), Advice::Retry(Duration::ZERO));
        let borne = (0..)
            .take_while(|_| patience.lost(&lost) != Advice::Leave)
            .count();
        assert!(borne > 12, "{borne}");
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

    #[test]
    fn a_hint_holds_for_all_and_only_the_first_to_hear_it_has_news() {
        let governor = Governor::default();
        assert_eq!(governor.time_left(), Duration::ZERO);
        assert!(governor.hold_off(Duration::from_secs(3600)));
        assert!(!governor.hold_off(Duration::from_secs(1)));
        let left = governor.time_left();
        assert!(
            left > Duration::from_secs(200) && left <= LONGEST_HINT,
            "{left:?}"
        );
    }
}
