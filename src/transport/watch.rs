//! The clock of a connection: when waiting has lasted too long, and whether what arrives is
//! progress. Counts only time spent waiting for the peer, never the caller's own.

use std::fmt;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::Timeouts;
use crate::stop::Stop;

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
    Examine,
    Search,
    Fetch,
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
            Self::Examine => "EXAMINE",
            Self::Search => "SEARCH",
            Self::Fetch => "FETCH",
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
    deadline: Option<Instant>,
    silence: Duration,
    span: Duration,
    span_octets: u64,
}

impl Watch {
    pub(crate) fn new(stop: Stop) -> Self {
        Self {
            phase: Phase::Greeting,
            stop,
            patience: Timeouts::default().read,
            deadline: None,
            silence: Duration::ZERO,
            span: Duration::ZERO,
            span_octets: 0,
        }
    }

    pub(crate) fn begin(&mut self, phase: Phase, patience: Duration, deadline: Option<Instant>) {
        self.phase = phase;
        self.patience = patience;
        self.deadline = deadline;
        self.silence = Duration::ZERO;
        self.span = Duration::ZERO;
        self.span_octets = 0;
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn set_stop(&mut self, stop: Stop) {
        self.stop = stop;
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
        self.check_span()?;
        self.check_deadline()
    }

    /// A wait of this length ended with some octets.
    pub(crate) fn received(&mut self, octets: usize, time: Duration) -> Result<()> {
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
        if self.span_octets < Timeouts::MIN_PROGRESS_OCTETS {
            let (octets, patience) = (self.span_octets, self.patience);
            return Err(self.timeout(format_args!("only {octets} octets came in {patience:?}")));
        }
        self.span = Duration::ZERO;
        self.span_octets = 0;
        Ok(())
    }

    fn check_deadline(&self) -> Result<()> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => {
                Err(self.timeout(format_args!("the time for it is up")))
            }
            _ => Ok(()),
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
        let mut watch = Watch::new(Stop::default());
        watch.begin(Phase::Fetch, Duration::from_secs(patience), None);
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
            if let Err(error) = watch.received(1, Duration::from_secs(3)) {
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
            watch.received(400, Duration::from_secs(3)).unwrap();
        }
    }
}
