//! What the crate asks of a connection, so that callers can bring their own.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection in both directions with time-outs.
///
/// Implemented for [`TcpStream`], and for Unix sockets where there are any. Implement it for a
/// stream of your own, such as one of rustls, together with [`Connect`].
pub trait Stream: Read + Write + Send + fmt::Debug {
    /// Makes every later `read` and `write` return with [`io::ErrorKind::WouldBlock`] or
    /// [`io::ErrorKind::TimedOut`] when it has waited this long. All deadlines rest on it, and so
    /// does cancelling a run.
    ///
    /// # Errors
    ///
    /// If the stream cannot do that. It is then not used.
    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()>;

    /// Whether the stream is already secure, by TLS of its own or because it is a tunnel. The
    /// crate then adds no TLS to it, whatever [`Security`](crate::Security) says.
    ///
    /// Defaults to `false`.
    fn is_secure(&self) -> bool {
        false
    }

    /// Whether the peer is on this machine, with no network in between, so that its PREAUTH greeting
    /// can be believed without TLS. A connection to a proxy on this machine is not local.
    ///
    /// Defaults to `false`, and is `true` for a Unix socket.
    fn is_local(&self) -> bool {
        false
    }
}

impl Stream for TcpStream {
    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(timeout))?;
        self.set_write_timeout(Some(timeout))
    }
}

#[cfg(unix)]
impl Stream for std::os::unix::net::UnixStream {
    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(timeout))?;
        self.set_write_timeout(Some(timeout))
    }

    fn is_local(&self) -> bool {
        true
    }
}

impl Stream for Box<dyn Stream> {
    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.as_mut().set_timeout(timeout)
    }

    fn is_secure(&self) -> bool {
        self.as_ref().is_secure()
    }

    fn is_local(&self) -> bool {
        self.as_ref().is_local()
    }
}

/// Opens connections to a server: directly, through a proxy, through a tunnel.
///
/// Any function of the same shape is a `Connect`:
///
/// ```no_run
/// use std::net::TcpStream;
/// use parallel_mailbox::{ParallelMailbox, Stream};
///
/// let mailbox = ParallelMailbox::builder("imap.example.org")
///     .connector(|host: &str, port: u16, _timeout| {
///         Ok(Box::new(TcpStream::connect((host, port))?) as Box<dyn Stream>)
///     })
///     .login("me", "secret")
///     .connect()?;
/// # Ok::<(), parallel_mailbox::Error>(())
/// ```
///
/// Three packages under `examples/` in the repository are written to be copied: `rustls` for another
/// TLS library, `socks5` for a proxy, and `command` for a command's input and output, such as that of
/// `ssh`.
pub trait Connect: Send + Sync {
    /// Opens one connection. Called once for each session, on a thread of its own, so that the
    /// deadline and the end of a run hold whatever it does: `timeout` is the time left for it. One
    /// that takes longer, or that nobody waits for any more, is left to itself; what it then returns
    /// is dropped.
    ///
    /// # Errors
    ///
    /// Whatever keeps the connection from being made. It is tried again as
    /// [`Retry`](crate::Retry) says.
    fn connect(&self, host: &str, port: u16, timeout: Duration) -> io::Result<Box<dyn Stream>>;
}

impl<F> Connect for F
where
    F: Fn(&str, u16, Duration) -> io::Result<Box<dyn Stream>> + Send + Sync,
{
    fn connect(&self, host: &str, port: u16, timeout: Duration) -> io::Result<Box<dyn Stream>> {
        self(host, port, timeout)
    }
}
