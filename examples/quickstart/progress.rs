//! The progress bar, on the terminal alone: nothing of it gets into a file or a pipe.

use indicatif::{ProgressBar, ProgressStyle};
use parallel_mailbox::Progress;

pub(crate) fn bar(progress: &Progress, workers: usize) -> ProgressBar {
    let style = "{prefix} {bar:40} {pos}/{len} messages, {msg}, {eta} left";
    // The template is a constant and known to be well-formed.
    let style =
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(progress.total())
        .with_style(style)
        .with_prefix(match workers {
            1 => "1 session".to_owned(),
            _ => format!("{workers} sessions"),
        })
}

pub(crate) fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_message(format!("{} MB", progress.octets() / 1_000_000));
    bar.set_position(progress.done());
}
