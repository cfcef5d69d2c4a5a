//! What the program counts.

use std::collections::BTreeMap;
use std::fmt;

use parallel_mailbox::Message;

use super::letter::Letter;
use super::table::table;

type Counts = BTreeMap<String, u64>;

/// How many senders, and types of attachments, are shown.
const MOST: usize = 8;

/// How many months are shown.
const LATEST: usize = 12;

/// Counts of one message, or of many added up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Statistics {
    pub(crate) messages: u64,
    pub(crate) senders: Counts,
    pub(crate) months: Counts,
    pub(crate) attachments: Counts,
}

impl Statistics {
    /// Counts what is in one message.
    pub(crate) fn of(message: &Message) -> Self {
        let mut counts = Self {
            messages: 1,
            ..Self::default()
        };
        let letter = Letter::of(message);
        let sender = match letter.sender().address {
            address if address.is_empty() => "(none)".to_owned(),
            address => address,
        };
        counts.senders.insert(sender, 1);
        if let Some(date) = letter.date {
            let month = format!("{:04}-{:02}", date.year, date.month);
            counts.months.insert(month, 1);
        }
        for attachment in message.attachments() {
            let kind = attachment.content_type().to_owned();
            *counts.attachments.entry(kind).or_default() += 1;
        }
        counts
    }

    /// Adds the counts of other messages.
    pub(crate) fn add(&mut self, other: Self) {
        self.messages += other.messages;
        for (sum, other) in [
            (&mut self.senders, other.senders),
            (&mut self.months, other.months),
            (&mut self.attachments, other.attachments),
        ] {
            for (name, count) in other {
                *sum.entry(name).or_default() += count;
            }
        }
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = format!("Top senders{}", shown(&self.senders, MOST, ""));
        table(f, &title, "messages", &most(&self.senders))?;

        let title = format!("Messages per month{}", shown(&self.months, LATEST, "last "));
        table(f, &title, "messages", &latest(&self.months))?;

        let title = format!("Attachments by type{}", shown(&self.attachments, MOST, ""));
        table(f, &title, "files", &most(&self.attachments))
    }
}

/// Says how many of how many are shown, unless it is all.
fn shown(counts: &Counts, limit: usize, which: &str) -> String {
    match counts.len() {
        all if all > limit => format!(" ({which}{limit} of {all})"),
        _ => String::new(),
    }
}

/// The largest counts, largest first; equal ones by name.
fn most(counts: &Counts) -> Vec<(&str, u64)> {
    let mut sorted: Vec<_> = rows(counts).collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sorted.truncate(MOST);
    sorted
}

/// The last months, in the order of time.
fn latest(counts: &Counts) -> Vec<(&str, u64)> {
    rows(counts)
        .skip(counts.len().saturating_sub(LATEST))
        .collect()
}

fn rows(counts: &Counts) -> impl Iterator<Item = (&str, u64)> {
    counts.iter().map(|(name, count)| (name.as_str(), *count))
}
