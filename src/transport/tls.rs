//! TLS by the platform's library. The only file that names `native_tls`.

use std::fmt;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use native_tls::{Certificate, HandshakeError, TlsConnector, TlsStream};

use super::connect::Stream;
use crate::error::{Error, ErrorKind, Result};
use crate::stop::Stop;

/// Which certificates are trusted. Made once for all sessions, because reading the system's
/// certificates takes tens of milliseconds.
pub(crate) struct Roots {
    connector: TlsConnector,
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots").finish_non_exhaustive()
    }
}

impl Roots {
    /// The system's certificates and these, each PEM or DER.
    pub(crate) fn new(certificates: &[Vec<u8>]) -> Result<Self> {
        let mut builder = TlsConnector::builder();
        for octets in certificates {
            let certificate = if octets.trim_ascii_start().starts_with(b"-----BEGIN") {
                Certificate::from_pem(octets)
            } else {
                Certificate::from_der(octets)
            };
            builder.add_root_certificate(certificate.map_err(|error| {
                Error::config("the root certificate is neither PEM nor DER").with_source(error)
            })?);
        }
        let connector = builder.build().map_err(|error| {
            Error::new(ErrorKind::Tls, "the TLS library did not start").with_source(error)
        })?;
        Ok(Self { connector })
    }
}

/// Does the handshake over `stream`. The certificate must be valid for `host`.
pub(crate) fn secure(
    roots: &Roots,
    host: &str,
    mut stream: Box<dyn Stream>,
    end: Instant,
    stop: &Stop,
) -> Result<Box<dyn Stream>> {
    stream.set_timeout(super::TICK).map_err(|error| {
        Error::new(ErrorKind::Connect, "the stream takes no time-out").with_source(error)
    })?;
    let mut step = roots.connector.connect(host, Retried(stream));
    loop {
        match step {
            Ok(stream) => return Ok(Box::new(Secured(stream))),
            Err(HandshakeError::WouldBlock(unfinished)) => {
                if stop.is_raised() {
                    return Err(Error::cancelled());
                }
                if Instant::now() >= end {
                    return Err(Error::new(
                        ErrorKind::Timeout,
                        format!("{}: {host} did not answer", super::Phase::Handshake),
                    ));
                }
                step = unfinished.handshake();
            }
            Err(HandshakeError::Failure(error)) => {
                return Err(
                    Error::new(ErrorKind::Tls, format!("{host}: {error}")).with_source(error)
                );
            }
        }
    }
}

/// Tries interrupted calls again. A TLS library takes an interruption for the end of a handshake.
#[derive(Debug)]
struct Retried(Box<dyn Stream>);

impl Retried {
    fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        loop {
            match call() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl Read for Retried {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        Self::retry(|| self.0.read(target))
    }
}

impl Write for Retried {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        Self::retry(|| self.0.write(octets))
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::retry(|| self.0.flush())
    }
}

struct Secured(TlsStream<Retried>);

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secured").field(self.0.get_ref()).finish()
    }
}

impl Read for Secured {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.0.read(target)
    }
}

impl Write for Secured {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Stream for Secured {
    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.0.get_mut().0.set_timeout(timeout)
    }

    fn is_secure(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct InterruptsFirst(u32);

    impl InterruptsFirst {
        fn call(&mut self, count: usize) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1..=3 => Err(io::ErrorKind::Interrupted.into()),
                _ => Ok(count),
            }
        }
    }

    impl Read for InterruptsFirst {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            self.call(target.len())
        }
    }

    impl Write for InterruptsFirst {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.call(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Stream for InterruptsFirst {
        fn set_timeout(&mut self, _: Duration) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_interrupted_call_is_made_again() {
        let mut stream = Retried(Box::new(InterruptsFirst(0)));
        assert_eq!(stream.read(&mut [0; 7]).unwrap(), 7);
        let mut stream = Retried(Box::new(InterruptsFirst(0)));
        assert_eq!(stream.write(b"abc").unwrap(), 3);
    }
}
