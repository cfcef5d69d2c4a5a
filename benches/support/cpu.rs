//! The CPU time of this process, user and system, all threads, to the nanosecond: `/proc` counts in
//! hundredths of a second, which is as much as a whole job of ours takes.

use std::time::Duration;

/// Zero where the system does not say.
#[cfg(unix)]
pub(crate) fn time() -> Duration {
    // The call looks for the kernel's own page in this process, which valgrind hides: it would
    // crash. Valgrind announces itself in this variable, and what it counts is no time.
    if std::env::var("LD_PRELOAD").is_ok_and(|libraries| libraries.contains("valgrind")) {
        return Duration::ZERO;
    }
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// Zero where the system does not say.
#[cfg(not(unix))]
pub(crate) fn time() -> Duration {
    Duration::ZERO
}
