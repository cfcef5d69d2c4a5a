//! What the server bears: how many sessions, and from when on it may be asked again. Both recover:
//! a limit that was lowered is tried again in calm, one session at a time. Is told the time and
//! does nothing by itself.

use std::time::{Duration, Instant};

/// The longest that a server is left in peace. Exchange asks for up to five minutes.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The first pause for a server that does not say how long. It doubles while the server goes on.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// After a throttle the next session is tried when it has been calm for so many pauses, within
/// these bounds.
const CALM_PAUSES: u32 = 4;
const SHORTEST_CALM: Duration = Duration::from_secs(1);
const LONGEST_CALM: Duration = Duration::from_secs(300);

/// The same after a session was refused, which says more clearly what the server grants.
const CALM_AFTER_REFUSAL: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Pace {
    /// The sessions asked for.
    most: usize,
    limit: usize,
    /// How long it has to be calm before one session more is tried.
    calm: Duration,
    /// When that is.
    grows_at: Option<Instant>,
    /// The server wants to be left in peace until then.
    resumes_at: Option<Instant>,
    /// Pauses in a row that the server gave no length for.
    pauses: u32,
    last_pause: Duration,
}

impl Pace {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            limit: most,
            calm: Duration::ZERO,
            grows_at: None,
            resumes_at: None,
            pauses: 0,
            last_pause: Duration::ZERO,
        }
    }

    /// The server is known to grant no more than this.
    pub(super) fn bound(&mut self, most: usize) {
        self.most = self.most.min(most);
        self.limit = self.limit.min(most);
    }

    /// How many sessions there may be now.
    pub(super) fn limit(&mut self, now: Instant) -> usize {
        while let Some(at) = self.grows_at
            && at <= now
        {
            self.limit += 1;
            self.grows_at = (self.limit < self.most).then(|| at + self.calm);
        }
        self.limit
    }

    /// The server asks to slow down, for so long if it says so and `longest` if it does not.
    /// Returns the pause if this is news: nobody is holding off yet.
    pub(super) fn throttled(
        &mut self,
        hint: Option<Duration>,
        longest: Duration,
        now: Instant,
    ) -> Option<Duration> {
        let since = self.resumes_at.map(|at| now.saturating_duration_since(at));
        let is_news = since.is_none_or(|since| !since.is_zero());
        if since.is_none_or(|since| since > self.last_pause.max(FIRST_PAUSE) * CALM_PAUSES) {
            self.pauses = 0;
        }
        let pause = hint.unwrap_or_else(|| {
            let doubled = FIRST_PAUSE * (1 << self.pauses.min(10));
            doubled.min(longest)
        });
        let pause = pause.min(LONGEST_PAUSE);
        let until = now + pause;
        self.resumes_at = Some(self.resumes_at.map_or(until, |before| before.max(until)));
        if !is_news {
            return None;
        }
        self.pauses += 1;
        self.last_pause = pause;
        let calm = (pause * CALM_PAUSES).max(SHORTEST_CALM);
        self.shrink(self.limit - 1, calm, until);
        Some(pause)
    }

    /// The server refused a session while so many others were open.
    pub(super) fn refused(&mut self, others: usize, now: Instant) {
        if others > 0 {
            self.shrink(others, CALM_AFTER_REFUSAL, now);
        }
    }

    fn shrink(&mut self, limit: usize, calm: Duration, from: Instant) {
        // What was tried again too early is tried later the next time.
        let calm = match self.grows_at {
            Some(_) => calm.max(self.calm * 2),
            None => calm,
        };
        self.calm = calm.clamp(SHORTEST_CALM, LONGEST_CALM);
        self.limit = limit.clamp(1, self.limit);
        self.grows_at = (self.limit < self.most).then(|| from + self.calm);
    }

    /// How long the server is to be left in peace from now on.
    pub(super) fn pause_left(&self, now: Instant) -> Duration {
        self.resumes_at
            .map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_hint_is_followed_and_only_the_first_to_hear_it_has_news() {
        let (mut pace, now) = (Pace::new(8), Instant::now());
        assert_eq!(pace.pause_left(now), Duration::ZERO);
        assert_eq!(
            pace.throttled(Some(3600 * SECOND), SECOND, now),
            Some(LONGEST_PAUSE)
        );
        assert_eq!(pace.throttled(Some(SECOND), SECOND, now), None);
        assert_eq!(pace.pause_left(now), LONGEST_PAUSE);
        assert_eq!(pace.pause_left(now + 200 * SECOND), 100 * SECOND);
        assert_eq!(pace.limit(now), 7);
    }

    #[test]
    fn without_a_hint_pauses_double_and_start_over_after_calm() {
        let (mut pace, mut now) = (Pace::new(8), Instant::now());
        for expected in [1, 2, 4, 8, 8] {
            let pause = pace.throttled(None, 8 * SECOND, now);
            assert_eq!(pause, Some(expected * SECOND));
            now += expected * SECOND + SECOND / 2;
        }
        now += 100 * SECOND;
        assert_eq!(pace.throttled(None, 8 * SECOND, now), Some(SECOND));
    }

    #[test]
    fn the_limit_grows_back_in_calm_one_by_one() {
        let (mut pace, mut now) = (Pace::new(4), Instant::now());
        let pause = Duration::from_millis(10);
        for expected in [3, 2, 1, 1] {
            pace.throttled(Some(pause), SECOND, now);
            assert_eq!(pace.limit(now), expected);
            now += 2 * pause;
        }
        let mut grown = Vec::new();
        for _ in 0..100 {
            now += SECOND;
            grown.push(pace.limit(now));
        }
        assert!(grown.is_sorted() && grown[0] == 1, "{grown:?}");
        assert!(grown.contains(&2) && grown.contains(&3));
        assert_eq!(grown.last(), Some(&4));
        assert_eq!(pace.limit(now + 1000 * SECOND), 4);
    }

    #[test]
    fn a_session_refused_again_is_tried_again_later() {
        let (mut pace, mut now) = (Pace::new(8), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..4 {
            pace.refused(3, now);
            let mut waited = 0;
            while pace.limit(now) == 3 {
                now += SECOND;
                waited += 1;
            }
            waits.push(waited);
        }
        assert_eq!(waits, [10, 20, 40, 80]);
        pace.refused(0, now);
        assert!(pace.limit(now) > 0);
    }
}
