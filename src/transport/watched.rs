//! A stream under the watch of its deadlines. The only place that reads from or writes to one.

use std::io;
use std::time::{Duration, Instant};

use super::TICK;
use super::connect::Stream;
use super::watch::Watch;
use crate::error::{Error, ErrorKind, Result};

#[derive(Debug)]
pub(super) struct Watched {
    stream: Box<dyn Stream>,
    pub(super) watch: Watch,
    /// How long the peer may refuse to take octets off the connection.
    write_patience: Duration,
    /// What the stream was last told.
    longest_wait: Duration,
}

impl Watched {
    pub(super) fn new(
        mut stream: Box<dyn Stream>,
        watch: Watch,
        write_patience: Duration,
    ) -> Result<Self> {
        stream.set_timeout(TICK).map_err(|error| {
            Error::new(ErrorKind::Connect, "the stream takes no time-out").with_source(error)
        })?;
        Ok(Self {
            stream,
            watch,
            write_patience,
            longest_wait: TICK,
        })
    }

    pub(super) fn into_inner(self) -> Box<dyn Stream> {
        self.stream
    }

    #[cfg(feature = "compress")]
    pub(super) fn deflate(&mut self) {
        super::deflate::deflate(&mut self.stream);
    }

    /// Waits until something arrives, and returns how much.
    pub(super) fn read(&mut self, target: &mut [u8]) -> Result<usize> {
        loop {
            self.watch.check_stop()?;
            self.limit_wait()?;
            let before = Instant::now();
            match self.stream.read(target) {
                Ok(0) => return Err(disconnected(None)),
                Ok(count) => {
                    let now = Instant::now();
                    self.watch.received(count, now - before, now)?;
                    return Ok(count);
                }
                Err(error) => {
                    idle(error, before)?;
                    self.watch.waited(before.elapsed())?;
                }
            }
        }
    }

    /// Sends all of `octets`, at once.
    pub(super) fn write(&mut self, octets: &[u8]) -> Result<()> {
        let mut rest = octets;
        let mut waited = Duration::ZERO;
        while !rest.is_empty() {
            let before = Instant::now();
            match self.stream.write(rest) {
                Ok(0) => return Err(disconnected(None)),
                Ok(written) => rest = &rest[written..],
                Err(error) => {
                    idle(error, before)?;
                    self.watch.check_stop()?;
                    self.watch.check_deadline()?;
                    waited += before.elapsed();
                    if waited >= self.write_patience {
                        return Err(self
                            .watch
                            .timeout(format_args!("the server took no command for {waited:?}")));
                    }
                }
            }
        }
        self.stream
            .flush()
            .or_else(|error| idle(error, Instant::now()))
    }

    /// Tells the stream how long its next wait may be, when that has changed: just before a
    /// deadline, and after it.
    fn limit_wait(&mut self) -> Result<()> {
        let longest_wait = self.watch.longest_wait();
        if longest_wait != self.longest_wait {
            self.longest_wait = longest_wait;
            self.stream
                .set_timeout(longest_wait)
                .map_err(|error| disconnected(Some(error)))?;
        }
        Ok(())
    }
}

/// Tells "nothing yet" from a broken connection.
fn idle(error: io::Error, before: Instant) -> Result<()> {
    match error.kind() {
        io::ErrorKind::Interrupted => Ok(()),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            // A stream of the caller's own that does not block at all must not keep a core busy.
            if before.elapsed() < Duration::from_millis(1) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        }
        // Whoever sent it is still there.
        io::ErrorKind::InvalidData => Err(Error::protocol(error.to_string()).with_source(error)),
        // Whoever is below may know better, as TLS does of the server's alerts.
        _ => Err(error
            .downcast::<Error>()
            .unwrap_or_else(|error| disconnected(Some(error)))),
    }
}

fn disconnected(source: Option<io::Error>) -> Error {
    match source {
        None => Error::new(ErrorKind::Disconnected, "the server closed the connection"),
        Some(error) => Error::new(ErrorKind::Disconnected, error.to_string()).with_source(error),
    }
}
