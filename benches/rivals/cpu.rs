//! CPU time, user and system, to the nanosecond: `/proc` counts in hundredths of a second, which is as
//! much as a whole job of ours takes. Zero where the system does not say.

use std::time::Duration;

/// That of this process, all threads.
pub(crate) fn time() -> Duration {
    // The call looks for the kernel's own page in this process, which valgrind hides: it would
    // crash. Valgrind announces itself in this variable, and what it counts is no time.
    if std::env::var("LD_PRELOAD").is_ok_and(|libraries| libraries.contains("valgrind")) {
        return Duration::ZERO;
    }
    clock::of_process()
}

/// That of this thread.
pub(crate) fn thread_time() -> Duration {
    clock::of_thread()
}

#[cfg(unix)]
mod clock {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    pub(super) fn of_process() -> Duration {
        read(ClockId::ProcessCPUTime)
    }

    pub(super) fn of_thread() -> Duration {
        read(ClockId::ThreadCPUTime)
    }

    fn read(clock: ClockId) -> Duration {
        let time = clock_gettime(clock);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or(0);
        Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds)
    }
}

#[cfg(not(unix))]
mod clock {
    use std::time::Duration;

    pub(super) fn of_process() -> Duration {
        Duration::ZERO
    }

    /// Ever more, so that nobody waits for it in vain.
    pub(super) fn of_thread() -> Duration {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default()
    }
}
