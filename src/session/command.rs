//! Runs the commands that the `imap` crate gives, and makes sense of how they end.

use std::sync::Mutex;
use std::time::Duration;

use super::fence::Fence;
use super::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::transport::Phase;
use crate::unwind;

/// Runs one command of the `imap` crate and makes sense of how it ends.
pub(super) fn run<T>(
    fence: &Mutex<Fence>,
    phase: Phase,
    command: impl FnOnce() -> imap::Result<T>,
) -> Result<T> {
    run_with(fence, phase, Duration::MAX, command)
}

/// As [`run`], bearing silence only for so long.
pub(super) fn run_with<T>(
    fence: &Mutex<Fence>,
    phase: Phase,
    patience: Duration,
    command: impl FnOnce() -> imap::Result<T>,
) -> Result<T> {
    lock(fence).begin_with(phase, patience);
    let error = match unwind::catch(command) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
        Err(panic) => {
            return Err(Error::protocol(format!(
                "{phase}: the answer is not understood: {panic}"
            )));
        }
    };
    let fence = lock(fence);
    let error = match (error, &fence.heard.completion) {
        (imap::Error::No(_) | imap::Error::Bad(_), Some(completion)) => {
            completion.refused(phase, fence.secrets.as_ref())
        }
        (imap::Error::Io(error), _) => from_io(error, phase),
        (imap::Error::Validate(_), ..) => Error::config(format!(
            "{phase}: an argument has a character that cannot be sent"
        )),
        // Only the name of the failure: the crate's texts may hold what was sent.
        (..) => Error::protocol(format!("{phase}: the answer is not understood")),
    };
    Err(fence.explain(error))
}

/// Takes our own error out of the wrapping in which it passed through the crate.
fn from_io(error: std::io::Error, phase: Phase) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(error) => Error::new(ErrorKind::Disconnected, phase.to_string()).with_source(error),
    }
}
