//! The octets of a handshake: when its time is up, and what came of it that the library does not
//! tell. Knows nothing of any library.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::deadline::Deadline;
use crate::stop::Stop;
use crate::transport::connect::Stream;

/// How the first octets of a TLS server begin: with an alert or with a part of a handshake (RFC
/// 8446, section 5.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// So many of the server's first octets are kept, for the error if they are not TLS. OpenSSL
/// reads no more than 5 before it gives up.
const FIRST_OCTETS: usize = 32;

/// Watches the octets of a handshake, of which the library tells little.
#[derive(Debug, Clone)]
pub(super) struct Handshake {
    pub(super) end: Deadline,
    pub(super) stop: Stop,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) first: Vec<u8>,
    /// How the connection ended, if it did.
    pub(super) end: Option<String>,
}

impl Heard {
    pub(super) fn is_plain(&self) -> bool {
        self.first
            .first()
            .is_some_and(|octet| ![ALERT, HANDSHAKE].contains(octet))
    }
}

impl Handshake {
    pub(super) fn new(end: Deadline, stop: &Stop) -> Self {
        Self {
            end,
            stop: stop.clone(),
            heard: Arc::default(),
        }
    }

    pub(super) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_over(&self) -> bool {
        self.end.is_over() || self.stop.is_raised()
    }

    fn note_read(&self, target: &[u8], result: &io::Result<usize>) {
        match result {
            Ok(0) if !target.is_empty() => {
                let words = "the server closed the connection; it may want another version of TLS";
                self.heard().end.get_or_insert_with(|| words.to_owned());
            }
            Ok(count) => {
                let mut heard = self.heard();
                let room = FIRST_OCTETS - heard.first.len();
                heard.first.extend_from_slice(&target[..room.min(*count)]);
            }
            Err(error) => self.note_error(error),
        }
    }

    fn note_error(&self, error: &io::Error) {
        if !matches!(
            error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
        ) {
            self.heard().end.get_or_insert_with(|| error.to_string());
        }
    }
}

/// Tries interrupted calls again. A TLS library takes an interruption for the end of a handshake.
#[derive(Debug)]
pub(super) struct Retried {
    pub(super) stream: Box<dyn Stream>,
    /// As long as there is one.
    pub(super) handshake: Option<Handshake>,
}

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
        let Some(handshake) = &self.handshake else {
            return Self::retry(|| self.stream.read(target));
        };
        // The library reads on as long as octets come. From a server that trickles they come for
        // hours, so it has to be told here that the time is up.
        if handshake.is_over() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let result = Self::retry(|| self.stream.read(target));
        handshake.note_read(target, &result);
        result
    }
}

impl Write for Retried {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let result = Self::retry(|| self.stream.write(octets));
        if let (Some(handshake), Err(error)) = (&self.handshake, &result) {
            handshake.note_error(error);
        }
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::retry(|| self.stream.flush())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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

    fn retried() -> Retried {
        Retried {
            stream: Box::new(InterruptsFirst(0)),
            handshake: None,
        }
    }

    #[test]
    fn an_interrupted_call_is_made_again() {
        let mut stream = retried();
        assert_eq!(stream.read(&mut [0; 7]).unwrap(), 7);
        let mut stream = retried();
        assert_eq!(stream.write(b"abc").unwrap(), 3);
    }
}
