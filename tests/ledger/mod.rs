//! Whether a report adds up, as every report must.

use parallel_mailbox::{Report, UidSet};

/// `matched = delivered + gone + failed + unfinished`, without overlap.
pub(crate) fn adds_up(report: &Report) -> bool {
    let failed = report.failed_uids();
    let parts = [
        report.delivered(),
        report.gone(),
        &failed,
        report.unfinished(),
    ];
    let sum: usize = parts.iter().map(|part| part.len()).sum();
    let all = parts
        .iter()
        .fold(UidSet::new(), |all, part| all.union(part));
    failed.len() == report.failed().len() && sum == all.len() && all == *report.matched()
}
