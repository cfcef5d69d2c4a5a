//! One TCP connection as its threads and the server share it, and the three ways it ends: close,
//! reset, and the server going away, which wakes whoever waits or blocks.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use socket2::SockRef;

/// How an answer ended before it was complete, and what becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// Send what there is, then the end of the stream.
    Close,
    /// RST.
    Reset,
    /// Nothing more is sent; the connection stays open.
    Stall,
    /// The client or the server is gone.
    Gone,
}

/// A connection. Its file descriptor is closed when the last owner drops it: a reset takes effect
/// only then, so nobody may keep a duplicate.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) stream: TcpStream,
    ended: Mutex<bool>,
    woken: Condvar,
    /// What the client sends next is compressed.
    is_deflated: AtomicBool,
}

impl Link {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            ended: Mutex::new(false),
            woken: Condvar::new(),
            is_deflated: AtomicBool::new(false),
        }
    }

    /// Takes what the client sends from now on for compressed. To be said before the client can
    /// know: it sends nothing until it does.
    pub(super) fn expect_deflated(&self) {
        self.is_deflated.store(true, Ordering::Release);
    }

    pub(super) fn is_deflated(&self) -> bool {
        self.is_deflated.load(Ordering::Acquire)
    }

    /// Ends the connection from any thread: reads, writes and waits return at once.
    pub(super) fn end(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.woken.notify_all();
        // An error means that the client was first.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Makes the end of the connection an RST, and its reader stop.
    pub(super) fn reset(&self) {
        // Errors mean that the client was first. Only the reading side is shut down: shutting down
        // the other would send FIN before the RST.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.woken.notify_all();
        let _ = self.stream.shutdown(Shutdown::Read);
    }

    pub(super) fn has_ended(&self) -> bool {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this moment.
    ///
    /// # Errors
    ///
    /// [`Halt::Gone`], at once, when the connection ends meanwhile.
    pub(super) fn wait_until(&self, moment: Instant) -> Result<(), Halt> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if *ended {
                return Err(Halt::Gone);
            }
            let left = moment.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let waited = self.woken.wait_timeout(ended, left);
            ended = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits so long; else as [`wait_until`](Self::wait_until).
    pub(super) fn wait(&self, time: Duration) -> Result<(), Halt> {
        // A wait beyond the range of the clock is for ever; a year is as good.
        let for_ever = Duration::from_secs(365 * 24 * 60 * 60);
        self.wait_until(Instant::now() + time.min(for_ever))
    }
}
