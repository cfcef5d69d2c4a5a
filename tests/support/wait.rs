//! Waiting for a condition with a limit: what tests use in place of sleeping and hoping.

use std::thread;
use std::time::{Duration, Instant};

/// Asks `condition` again and again until it holds, and returns whether it did within `limit`.
///
/// The pause between two questions only spares the processor; no test depends on its length.
pub(crate) fn until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}
