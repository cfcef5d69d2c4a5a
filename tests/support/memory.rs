//! The peak memory of this process, as the kernel counts it. Linux only: elsewhere there is no
//! figure, and a test that wants one passes without looking.

/// The highest resident set so far, in octets, or `None` where the system does not say.
pub(crate) fn peak_octets() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Sets the peak back to what is resident now, and returns whether that was allowed.
///
/// Where it was not (some containers), [`peak_octets`] goes on counting from the process's start,
/// so compare against a reading taken beforehand.
pub(crate) fn reset_peak() -> bool {
    // proc_pid_clear_refs(5): 5 resets the peak resident set size.
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}
