//! What the program counts.

use std::collections::BTreeMap;
use std::fmt;

use parallel_mailbox::Message;
use parallel_mailbox::mail_parser::MimeHeaders;

type Counts = BTreeMap<String, u64>;

/// Counts of one message, or of many added up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Statistics {
    messages: u64,
    senders: Counts,
    months: Counts,
    attachments: Counts,
}

impl Statistics {
    /// Parses one message and counts what is in it.
    pub(crate) fn of(message: &Message) -> Self {
        let mut counts = Self {
            messages: 1,
            ..Self::default()
        };
        let Some(parsed) = message.parse() else {
            return counts;
        };
        let sender = parsed
            .from()
            .and_then(|from| from.first())
            .and_then(|from| from.address());
        counts
            .senders
            .insert(sender.unwrap_or("(none)").to_ascii_lowercase(), 1);
        if let Some(date) = parsed.date() {
            counts
                .months
                .insert(format!("{}-{:02}", date.year, date.month), 1);
        }
        for attachment in parsed.attachments() {
            let kind = attachment
                .content_type()
                .map_or("(none)".to_owned(), |kind| {
                    format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default())
                });
            *counts
                .attachments
                .entry(kind.to_ascii_lowercase())
                .or_default() += 1;
        }
        counts
    }

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
        table(f, "Top senders", most(&self.senders, 8))?;
        // The latest months, in the order of time.
        let months = self.months.iter().rev().take(12).rev();
        table(
            f,
            "Messages per month",
            months.map(|(month, count)| (month.as_str(), *count)),
        )?;
        table(f, "Attachments by type", most(&self.attachments, 8))
    }
}

fn most(counts: &Counts, limit: usize) -> impl Iterator<Item = (&str, u64)> + Clone {
    let mut sorted: Vec<_> = counts
        .iter()
        .map(|(name, count)| (name.as_str(), *count))
        .collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sorted.truncate(limit);
    sorted.into_iter()
}

fn table<'a>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    rows: impl Iterator<Item = (&'a str, u64)> + Clone,
) -> fmt::Result {
    writeln!(f, "{title}")?;
    let most = rows.clone().map(|(_, count)| count).max().unwrap_or(1);
    for (name, count) in rows {
        let bar = "█".repeat((count * 24).div_ceil(most) as usize);
        // Names come from strangers and may hold anything.
        let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        writeln!(f, "  {name:40} {count:6}  {bar}")?;
    }
    writeln!(f)
}
