//! Does what cannot be interrupted, such as asking the system's resolver, on a thread of its own, so
//! that deadlines and stops hold all the same: the thread is then left behind, and whatever it still
//! brings is dropped. Knows nothing of connections.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::TICK;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::stop::Stop;
use crate::unwind;

/// Returns what `work` does, or an error that begins with `what` if it does not end in time. Where no
/// thread is available it is called here, and its own time is waited for.
pub(crate) fn apart<T: Send + 'static>(
    what: &str,
    end: Deadline,
    stop: &Stop,
    work: impl Fn() -> T + Send + Sync + 'static,
) -> Result<T> {
    if stop.is_raised() {
        return Err(Error::cancelled());
    }
    let work = Arc::new(work);
    let (sender, receiver) = sync_channel(1);
    let theirs = work.clone();
    let thread = thread::Builder::new().name("mailbox-connect".to_owned());
    let started = thread.spawn(move || {
        // If nobody waits any more, what was done is of no use.
        let _ = sender.send(unwind::catch(|| theirs()));
    });
    let done = match started {
        Ok(_) => loop {
            if let Ok(done) = receiver.recv_timeout(end.left().min(TICK)) {
                break done;
            }
            if stop.is_raised() {
                return Err(Error::cancelled());
            }
            if end.is_over() {
                let text = format!("{what}: no answer in time");
                return Err(Error::new(ErrorKind::Timeout, text));
            }
        },
        Err(_) => unwind::catch(|| work()),
    };
    done.map_err(|panic| Error::new(ErrorKind::Connect, format!("{what}: it panicked: {panic}")))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::sync::{Mutex, PoisonError};
    use std::time::Duration;

    use super::*;

    /// Ends when the test does, and not before.
    fn endless(until: Receiver<()>) -> impl Fn() + Send + Sync + 'static {
        let until = Mutex::new(until);
        move || {
            let until = until.lock().unwrap_or_else(PoisonError::into_inner);
            assert!(until.recv().is_err());
        }
    }

    #[test]
    fn what_is_done_in_time_comes_back() {
        let never = Deadline::NEVER;
        assert_eq!(apart("sum", never, &Stop::default(), || 1 + 1).unwrap(), 2);
    }

    #[test]
    fn work_without_end_is_left_behind_at_the_deadline() {
        let (_until, receiver) = channel();
        let end = Deadline::after(Duration::from_millis(20));
        let error = apart("host", end, &Stop::default(), endless(receiver)).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Timeout);
        assert!(error.to_string().contains("host"), "{error}");
    }

    #[test]
    fn work_without_end_is_left_behind_when_a_stop_is_raised() {
        let (_until, receiver) = channel();
        let stop = Stop::default();
        let raised = stop.clone();
        let raise = thread::spawn(move || raised.raise());
        let error = apart("host", Deadline::NEVER, &stop, endless(receiver)).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Cancelled);
        raise.join().unwrap();
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let work = || -> () { panic!("no way") };
        let error = apart("host", Deadline::NEVER, &Stop::default(), work).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Connect);
        assert!(error.to_string().contains("no way"), "{error}");
    }
}
