//! What a mailbox is like: the result, ready to be shown.

use std::collections::BTreeMap;

use crate::tally::{Hours, Sender, Tally};
use crate::volume::Volume;

/// The statistics of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    pub messages: u64,
    /// Most messages first; equal ones by address.
    pub senders: Vec<(String, Sender)>,
    pub volume: Volume,
    /// In each sender's own time zone. Messages without a `Date` that can be are left out.
    pub hours: Hours,
    pub sizes: Sizes,
    /// How many threads there are of each length.
    pub threads: BTreeMap<u64, u64>,
}

/// The sizes of all messages, in octets, as the server tells them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    pub total: u64,
    pub mean: u64,
    pub median: u64,
    pub largest: u64,
    /// By the power of two at or below the size; 0 and 1 octets together.
    pub classes: BTreeMap<u32, u64>,
}

impl From<Tally> for Statistics {
    fn from(tally: Tally) -> Self {
        let mut senders: Vec<_> = tally.senders.into_iter().collect();
        senders.sort_by_key(|(_, sender)| std::cmp::Reverse(sender.messages));
        Self {
            messages: tally.sizes.len() as u64,
            senders,
            volume: Volume::of(&tally.days),
            hours: tally.hours,
            sizes: Sizes::of(tally.sizes),
            threads: tally.threads.lengths(),
        }
    }
}

impl Sizes {
    fn of(mut sizes: Vec<u64>) -> Self {
        sizes.sort_unstable();
        let (Some(largest), count) = (sizes.last(), sizes.len()) else {
            return Self::default();
        };
        let total: u64 = sizes.iter().sum();
        let mut classes = BTreeMap::new();
        for size in &sizes {
            *classes.entry(size.max(&1).ilog2()).or_default() += 1;
        }
        Self {
            total,
            mean: total / count as u64,
            median: sizes[(count - 1) / 2].midpoint(sizes[count / 2]),
            largest: *largest,
            classes,
        }
    }
}

impl Statistics {
    /// The number of threads; a message that stands alone is one.
    #[must_use]
    pub fn thread_count(&self) -> u64 {
        self.threads.values().sum()
    }
}

impl Sender {
    /// The name that most of the messages have, if there is one. One address can have many: the
    /// notifications of a forge have the name of whoever did something.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let (name, count) = self.names.iter().max_by_key(|(_, count)| **count)?;
        (count * 2 > self.messages).then_some(name.as_str())
    }
}
