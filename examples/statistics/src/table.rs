//! The statistics as text.

use std::fmt;

use example_support::{column, printable, shortened};

use crate::statistics::{Sizes, Statistics};
use crate::tally::Sender;

/// How many senders are shown, here and in the chart.
pub(crate) const SENDERS: usize = 15;

/// How many periods are shown: the last ones.
const PERIODS: usize = 12;

/// Threads from this length on are counted together, class by class.
const THREADS: [(u64, &str); 8] = [
    (1, "1"),
    (2, "2"),
    (3, "3"),
    (4, "4"),
    (5, "5–9"),
    (10, "10–19"),
    (20, "20–49"),
    (50, "50 and more"),
];

pub(crate) const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sizes, volume, .. } = self;
        writeln!(f, "Messages  {:>12}", grouped(self.messages))?;
        writeln!(f, "Senders   {:>12}", grouped(self.senders.len() as u64))?;
        writeln!(f, "Threads   {:>12}", grouped(self.thread_count()))?;

        writeln!(
            f,
            "\nSenders{}",
            shown(self.senders.len(), SENDERS, "first")
        )?;
        for (address, sender) in self.senders.iter().take(SENDERS) {
            let label = column(&label(address, sender, 40), 40);
            writeln!(f, "  {label} {:>8}", grouped(sender.messages))?;
        }

        let period = volume.period.name();
        let count = volume.counts.len();
        writeln!(f, "\nBy {period}{}", shown(count, PERIODS, "last"))?;
        for (start, messages) in &volume.counts[count.saturating_sub(PERIODS)..] {
            let label = volume.period.label(*start);
            writeln!(f, "  {label:40} {:>8}", grouped(*messages))?;
        }

        if volume.stray > 0 {
            let label = "with dates far from these";
            writeln!(f, "  {label:40} {:>8}", grouped(volume.stray))?;
        }

        writeln!(f, "\nHours of the week, in each sender's own time zone")?;
        write!(f, "      ")?;
        (0..24).try_for_each(|hour| write!(f, " {hour:>4}"))?;
        for (name, hours) in WEEKDAYS.iter().zip(&self.hours) {
            write!(f, "\n  {name} ")?;
            hours
                .iter()
                .try_for_each(|count| write!(f, " {count:>4}"))?;
        }

        writeln!(f, "\n\nSizes")?;
        for (name, octets) in [
            ("median", sizes.median),
            ("mean", sizes.mean),
            ("largest", sizes.largest),
            ("all together", sizes.total),
        ] {
            writeln!(f, "  {name:40} {:>8}", size(octets))?;
        }
        for (class, messages) in sizes.all_classes() {
            let label = format!("from {} to {}", size(1 << class), size(2 << class));
            writeln!(f, "  {label:40} {:>8}", grouped(messages))?;
        }

        writeln!(f, "\nThreads, by the number of their messages")?;
        for (label, threads) in self.thread_classes() {
            writeln!(f, "  {label:40} {:>8}", grouped(threads))?;
        }
        Ok(())
    }
}

impl Statistics {
    /// Lengths of threads, and how many there are of each; long ones together.
    pub(crate) fn thread_classes(&self) -> Vec<(&'static str, u64)> {
        let ends = THREADS.iter().skip(1).map(|(from, _)| *from);
        let classes = THREADS.iter().zip(ends.chain([u64::MAX]));
        let classes = classes.map(|((from, label), end)| {
            let threads = self.threads.range(*from..end).map(|(_, count)| count);
            (*label, threads.sum())
        });
        classes.collect()
    }
}

impl Sizes {
    /// The classes from the smallest to the largest, those without messages included.
    pub(crate) fn all_classes(&self) -> Vec<(u32, u64)> {
        let first = self.classes.keys().next().copied().unwrap_or(0);
        let last = self.classes.keys().next_back().copied().unwrap_or(0);
        let count = |class| self.classes.get(&class).copied().unwrap_or(0);
        (first..=last).map(|class| (class, count(class))).collect()
    }
}

/// Who a sender is, in so many columns: the name if there is one, else the address.
pub(crate) fn label(address: &str, sender: &Sender, width: usize) -> String {
    let name = sender.name().map(|name| printable(name).trim().to_owned());
    let name = name.filter(|name| !name.is_empty());
    match name {
        Some(name) => shortened(&name, width),
        None if address.is_empty() => "(no sender)".to_owned(),
        None => shortened(&printable(address), width),
    }
}

/// `1 message`, `2,000 messages`
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(number))
}

/// Thousands apart: `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Octets in three digits or so: `1.5 KiB`.
pub(crate) fn size(octets: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let unit = (octets.max(1).ilog2() / 10) as usize;
    let number = octets as f64 / (1u64 << (10 * unit)) as f64;
    let decimals = usize::from(number < 10.0 && number.fract() >= 0.05);
    format!("{number:.decimals$} {}", units[unit])
}

fn shown(all: usize, limit: usize, which: &str) -> String {
    match all > limit {
        true => format!(", the {which} {limit} of {}", grouped(all as u64)),
        false => String::new(),
    }
}
