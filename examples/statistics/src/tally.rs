//! What a worker adds up, message by message.
//!
//! All that is kept are sums, maxima and sets, so it makes no difference who counts which message, in
//! which order the messages come, or in which order the tallies are joined.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate};
use parallel_mailbox::Message;
use parallel_mailbox::mail_parser::{self, HeaderValue};

use crate::threads::Threads;

/// How far ahead of its arrival a message may be dated, in seconds: clocks go wrong a little.
const TOLERANCE: i64 = 24 * 60 * 60;

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
        let arrived = message.internal_date().map(|date| date.to_timestamp());
        let headers = message.parse_headers();
        let headers = headers.as_ref();
        self.count_sender(headers);
        let written = headers
            .and_then(|headers| headers.date())
            .filter(|date| is_plausible(date, arrived));
        if let Some(date) = written {
            self.count_hour(date);
        }
        let seconds = written.map(mail_parser::DateTime::to_timestamp).or(arrived);
        if let Some(date) = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)) {
            *self.days.entry(date.date_naive()).or_default() += 1;
        }
        let id = headers.and_then(|headers| headers.message_id());
        let ancestors = headers.map_or(Vec::new(), |headers| {
            let (references, parent) = (headers.references(), headers.in_reply_to());
            ids(references).chain(ids(parent)).collect()
        });
        self.threads.add(message.uid(), id, ancestors);
        self
    }

    fn count_sender(&mut self, headers: Option<&mail_parser::Message<'_>>) {
        let from = headers
            .and_then(|headers| headers.from())
            .and_then(|from| from.first());
        let address = from.and_then(|from| from.address()).unwrap_or_default();
        let sender = self.senders.entry(address.to_lowercase()).or_default();
        sender.messages += 1;
        if let Some(name) = from.and_then(|from| from.name()) {
            *sender.names.entry(name.to_owned()).or_default() += 1;
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

/// Whether a `Date` can be what it says. Junk is dated in 1970 or in 2038, so that it is on top.
fn is_plausible(date: &mail_parser::DateTime, arrived: Option<i64>) -> bool {
    date.is_valid()
        && date.year > 1980
        && arrived.is_none_or(|arrived| date.to_timestamp() <= arrived.saturating_add(TOLERANCE))
}

fn ids<'a>(value: &'a HeaderValue<'_>) -> impl Iterator<Item = &'a str> {
    let list = value.as_text_list().unwrap_or_default();
    let one = match list {
        [] => value.as_text(),
        _ => None,
    };
    list.iter().map(|id| &**id).chain(one)
}
