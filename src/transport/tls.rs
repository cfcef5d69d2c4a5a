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
    let mut step = roots.connector.connect(host, stream);
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

struct Secured(TlsStream<Box<dyn Stream>>);

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
        self.0.get_mut().set_timeout(timeout)
    }

    fn is_secure(&self) -> bool {
        true
    }
}
