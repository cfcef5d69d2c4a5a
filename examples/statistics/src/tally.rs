//! What a worker adds up, message by message.
//!
//! All that is kept are sums, maxima and sets, so it makes no difference who counts which message, in
//! which order the messages come, or in which order the tallies are joined.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate};
use example_support::{Letter, Person};
use parallel_mailbox::{Message, mail_parser};

use crate::threads::Threads;

/// Messages, by weekday from Monday and by hour.
pub type Hours = [[u64; 24]; 7];

/// What is known of one sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sender {
    pub messages: u64,
    /// The names that go with the address, and how often each.
    pub names: BTreeMap<String, u64>,
}

/// The sums of some messages.
#[derive(Debug, Default)]
pub struct Tally {
    /// By address in lower case; those without one by the empty string.
    pub(crate) senders: BTreeMap<String, Sender>,
    /// By day in UTC.
    pub(crate) days: BTreeMap<NaiveDate, u64>,
    pub(crate) hours: Hours,
    pub(crate) sizes: Vec<u64>,
    pub(crate) threads: Threads,
}

impl Tally {
    /// Counts a message of which the headers have been fetched.
    #[must_use]
    pub fn with(mut self, message: Message) -> Self {
        self.sizes.push(message.size());
        let letter = Letter::of(&message);
        self.count_senders(&letter);
        if let Some(date) = letter.date {
            if letter.is_date_written {
                self.count_hour(&date);
            }
            if let Some(day) = DateTime::from_timestamp(date.to_timestamp(), 0) {
                *self.days.entry(day.date_naive()).or_default() += 1;
            }
        }
        let ancestors = letter.ancestors.iter().map(String::as_str);
        self.threads
            .add(message.uid(), letter.id.as_deref(), ancestors);
        self
    }

    /// A message of several authors is one of each.
    fn count_senders(&mut self, letter: &Letter) {
        let nobody = [Person::default()];
        let senders = match letter.senders.as_slice() {
            [] => &nobody,
            senders => senders,
        };
        let mut counted = BTreeSet::new();
        for Person { name, address } in senders {
            if !counted.insert(address) {
                continue;
            }
            let sender = self.senders.entry(address.clone()).or_default();
            sender.messages += 1;
            if let Some(name) = name {
                *sender.names.entry(name.clone()).or_default() += 1;
            }
        }
    }

    /// By the sender's own clock.
    fn count_hour(&mut self, date: &mail_parser::DateTime) {
        let (year, month, day) = (date.year.into(), date.month.into(), date.day.into());
        let Some(weekday) = NaiveDate::from_ymd_opt(year, month, day).map(|day| day.weekday())
        else {
            return;
        };
        let weekday = weekday.num_days_from_monday() as usize;
        if let Some(count) = self.hours[weekday].get_mut(usize::from(date.hour)) {
            *count += 1;
        }
    }

    /// Joins the tallies of two workers.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        for (address, theirs) in other.senders {
            let ours = self.senders.entry(address).or_default();
            ours.messages += theirs.messages;
            for (name, count) in theirs.names {
                *ours.names.entry(name).or_default() += count;
            }
        }
        for (day, count) in other.days {
            *self.days.entry(day).or_default() += count;
        }
        let theirs = other.hours.iter().flatten();
        for (ours, theirs) in self.hours.iter_mut().flatten().zip(theirs) {
            *ours += theirs;
        }
        self.sizes.extend(other.sizes);
        self.threads.join(other.threads);
        self
    }
}
