//! The clock of a connection: when waiting has lasted too long, and whether what arrives is
//! progress. Counts only time spent waiting for the peer, never the caller's own.

use std::fmt;
use std::time::{Duration, Instant};

use super::TICK;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Timeouts;
use crate::pulse::Pulse;
use crate::stop::Stop;

/// Also a bound that is reached is waited for a little, so that no loop becomes a busy one.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// What a session is doing, for the text of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    // Without TLS there is no handshake.
    #[cfg_attr(not(feature = "native-tls"), allow(dead_code))]
    Handshake,
    Greeting,
    StartTls,
    Capability,
    Login,
    Identification,
    #[cfg(feature = "compress")]
    Compress,
    Examine,
    Search,
    Fetch,
    Noop,
    Logout,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "TLS handshake",
            Self::Greeting => "greeting",
            Self::StartTls => "STARTTLS",
            Self::Capability => "CAPABILITY",
            Self::Login => "login",
            Self::Identification => "ID",
            #[cfg(feature = "compress")]
            Self::Compress => "COMPRESS",
            Self::Examine => "EXAMINE",
            Self::Search => "SEARCH",
            Self::Fetch => "FETCH",
            Self::Noop => "NOOP",
            Self::Logout => "LOGOUT",
        })
    }
}

#[derive(Debug)]
pub(crate) struct Watch {
    phase: Phase,
    stop: Stop,
    /// The longest silence, and the span in which a minimum of octets must arrive.
    patience: Duration,
    /// When the phase must be over, whatever arrives. FETCH has none: it lasts as long as octets
    /// come.
    deadline: Deadline,
    silence: Duration,
    span: Duration,
    span_octets: u64,
    min_progress: u64,
    /// Beats with every answer to FETCH, also those that come over other connections.
    pulse: Pulse,
    /// When nothing comes for so long over this connection nor over any other with the same pulse,
    /// that is enough.
    probe: Option<Duration>,
}

impl Watch {
    pub(crate) fn new(stop: Stop, timeouts: &Timeouts) -> Self {
        Self {
            phase: Phase::Greeting,
            stop,
            patience: timeouts.read,
            deadline: Deadline::NEVER,
            silence: Duration::ZERO,
            span: Duration::ZERO,
            span_octets: 0,
            min_progress: timeouts.min_progress,
            pulse: Pulse::default(),
            probe: None,
        }
    }

    pub(crate) fn begin(&mut self, phase: Phase, patience: Duration, deadline: Deadline) {
        self.phase = phase;
        self.patience = patience;
        self.deadline = deadline;
        self.silence = Duration::ZERO;
        self.span = Duration::ZERO;
        self.span_octets = 0;
        self.probe = None;
    }

    /// Within the phase that has begun, bears silence only for so long, if it is everywhere.
    pub(crate) fn probe(&mut self, patience: Duration) {
        self.probe = Some(patience);
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn set_stop(&mut self, stop: Stop) {
        self.stop = stop;
    }

    pub(crate) fn set_pulse(&mut self, pulse: Pulse) {
        self.pulse = pulse;
    }

    /// How long the next wait may last at most, so that no bound is passed by much.
    pub(crate) fn longest_wait(&self) -> Duration {
        let patience = self.probe.unwrap_or(self.patience).min(self.patience);
        let longest = patience.saturating_sub(self.silence);
        longest.min(self.deadline.left()).clamp(SHORTEST_WAIT, TICK)
    }

    pub(crate) fn check_stop(&self) -> Result<()> {
        if self.stop.is_raised() {
            Err(Error::cancelled())
        } else {
            Ok(())
        }
    }

    /// A wait of this length ended with nothing.
    pub(crate) fn waited(&mut self, time: Duration) -> Result<()> {
        self.check_stop()?;
        self.silence += time;
        self.span += time;
        if self.silence >= self.patience {
            return Err(self.timeout(format_args!("nothing came for {:?}", self.patience)));
        }
        if let Some(probe) = self.probe
            && self.silence.min(self.pulse.age()) >= probe
        {
            return Err(self.timeout(format_args!(
                "nothing came for {:?} on any session, nor for {probe:?} on a new one",
                self.patience
            )));
        }
        self.check_span()?;
        self.check_deadline()
    }

    /// A wait of this length ended now with some octets.
    pub(crate) fn received(&mut self, octets: usize, time: Duration, now: Instant) -> Result<()> {
        if self.phase == Phase::Fetch {
            self.pulse.beat(now);
        }
        self.silence = Duration::ZERO;
        self.span += time;
        self.span_octets += octets as u64;
        self.check_span()?;
        self.check_deadline()
    }

    fn check_span(&mut self) -> Result<()> {
        if self.span < self.patience {
            return Ok(());
        }
        if self.span_octets < self.min_progress {
            let (octets, patience) = (self.span_octets, self.patience);
            return Err(self.timeout(format_args!("only {octets} octets came in {patience:?}")));
        }
        self.span = Duration::ZERO;
        self.span_octets = 0;
        Ok(())
    }

    pub(crate) fn check_deadline(&self) -> Result<()> {
        match self.deadline.is_over() {
            true => Err(self.timeout(format_args!("the time for it is up"))),
            false => Ok(()),
        }
    }

    pub(crate) fn timeout(&self, what: fmt::Arguments<'_>) -> Error {
        Error::new(ErrorKind::Timeout, format!("{}: {what}", self.phase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(patience: u64) -> Watch {
        let mut watch = Watch::new(Stop::default(), &Timeouts::default());
        watch.begin(Phase::Fetch, Duration::from_secs(patience), Deadline::NEVER);
        watch
    }

    #[test]
    fn silence_ends_a_wait_and_the_error_names_the_phase() {
        let mut watch = watch(10);
        assert!(watch.waited(Duration::from_secs(9)).is_ok());
        let error = watch.waited(Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Timeout);
        assert!(error.to_string().contains("FETCH"), "{error}");
    }

    #[test]
    fn an_octet_now_and_then_is_no_progress() {
        let mut watch = watch(10);
        let mut seconds = 0;
        let error = loop {
            seconds += 3;
            if let Err(error) = watch.received(1, Duration::from_secs(3), Instant::now()) {
                break error;
            }
        };
        assert_eq!(seconds, 12);
        assert!(error.to_string().contains("only 4 octets"), "{error}");
    }

    #[test]
    fn a_slow_but_steady_stream_goes_on_for_ever() {
        let mut watch = watch(10);
        for _ in 0..1000 {
            let now = Instant::now();
            watch.received(400, Duration::from_secs(3), now).unwrap();
        }
    }

    #[test]
    fn a_probe_ends_early_only_when_it_is_silent_everywhere() {
        let mut watch = watch(10);
        let pulse = Pulse::default();
        watch.set_pulse(pulse.clone());
        watch.probe(Duration::from_millis(500));
        assert_eq!(watch.longest_wait(), TICK);
        // Somebody else hears something.
        pulse.beat(Instant::now());
        assert!(watch.waited(Duration::from_secs(1)).is_ok());
        let mut silent = Watch::new(Stop::default(), &Timeouts::default());
        silent.begin(Phase::Fetch, Duration::from_secs(10), Deadline::NEVER);
        silent.probe(Duration::ZERO);
        let error = silent.waited(TICK).unwrap_err();
        assert!(error.to_string().contains("on any session"), "{error}");
        // Another phase has no probe.
        silent.begin(Phase::Fetch, Duration::from_secs(10), Deadline::NEVER);
        assert!(silent.waited(TICK).is_ok());
    }

    #[test]
    fn the_last_wait_before_a_bound_is_as_long_as_is_left() {
        let mut watch = watch(1);
        watch.waited(Duration::from_millis(900)).unwrap();
        assert_eq!(watch.longest_wait(), Duration::from_millis(100));
    }
}
