//! Messages over time: by week, month or year, whichever makes a chart that can be read.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, Months, NaiveDate};

/// Up to so many days are counted by week.
const DAYS_BY_WEEK: i64 = 26 * 7;

/// Up to so many days are counted by month.
const DAYS_BY_MONTH: i64 = 15 * 366;

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From Monday.
    Week,
    Month,
    Year,
}

/// No more than this share of the messages is left out as far from all others: one of so many.
const STRAY: u64 = 20;

/// Fewer messages than this are all shown.
const FEWEST: u64 = 5;

/// Messages of consecutive periods, those without any included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    pub period: Period,
    /// How many messages are further from all others than these are from each other, and are left
    /// out: one of 2025 in a mailbox of 2002 would leave no room for the rest.
    pub stray: u64,
    /// By the first day.
    pub counts: Vec<(NaiveDate, u64)>,
}

impl Volume {
    pub(crate) fn of(days: &BTreeMap<NaiveDate, u64>) -> Self {
        let all = sum(days);
        let Some((first, last)) = bulk(days) else {
            return Self {
                period: Period::Month,
                stray: 0,
                counts: Vec::new(),
            };
        };
        let days = &days
            .range(first..=last)
            .map(|(day, count)| (*day, *count))
            .collect();
        let stray = all - sum(days);
        let days_in_all = (last - first).num_days();
        let period = if days_in_all <= DAYS_BY_WEEK {
            Period::Week
        } else if days_in_all <= DAYS_BY_MONTH {
            Period::Month
        } else {
            Period::Year
        };
        let starts = std::iter::successors(period.start(first), |start| period.next(*start));
        let counts = starts.take_while(|start| *start <= last).map(|start| {
            let count = match period.next(start) {
                Some(next) => days.range(start..next).map(|(_, count)| count).sum(),
                None => days.range(start..).map(|(_, count)| count).sum(),
            };
            (start, count)
        });
        Self {
            period,
            stray,
            counts: counts.collect(),
        }
    }
}

fn sum(days: &BTreeMap<NaiveDate, u64>) -> u64 {
    days.values().sum()
}

/// The first and the last day of those that are shown. A few days at an end are not if the gap before
/// them is longer than all that is left.
fn bulk(days: &BTreeMap<NaiveDate, u64>) -> Option<(NaiveDate, NaiveDate)> {
    let all = sum(days);
    let mut left: Vec<(NaiveDate, u64)> = days.iter().map(|(day, count)| (*day, *count)).collect();
    let mut room = if all < FEWEST {
        0
    } else {
        (all / STRAY).max(1)
    };
    loop {
        let (first, last) = (left.first()?.0, left.last()?.0);
        let cut = first_cut(&left, room, |day| (last - day).num_days());
        if let Some((count, messages)) = cut {
            left.drain(..count);
            room -= messages;
            continue;
        }
        left.reverse();
        let cut = first_cut(&left, room, |day| (day - first).num_days());
        let Some((count, messages)) = cut else {
            return Some((first, last));
        };
        left.drain(..count);
        left.reverse();
        room -= messages;
    }
}

/// How many days to take off the beginning, and how many messages they have. `length` is that of what
/// is left from a day on.
fn first_cut(
    days: &[(NaiveDate, u64)],
    room: u64,
    length: impl Fn(NaiveDate) -> i64,
) -> Option<(usize, u64)> {
    let mut messages = 0;
    for (place, pair) in days.windows(2).enumerate() {
        messages += pair[0].1;
        if messages > room {
            return None;
        }
        let gap = (pair[1].0 - pair[0].0).num_days().abs();
        // Some weeks of silence are no reason.
        if gap > length(pair[1].0).max(366) {
            return Some((place + 1, messages));
        }
    }
    None
}

impl Period {
    /// What one of it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// What the one that begins on this day is called.
    #[must_use]
    pub fn label(self, start: NaiveDate) -> String {
        let format = match self {
            Self::Week => "%Y-%m-%d",
            Self::Month => "%Y-%m",
            Self::Year => "%Y",
        };
        start.format(format).to_string()
    }

    /// The first day of the one that a day is in.
    fn start(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Week => {
                day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))
            }
            Self::Month => day.with_day(1),
            Self::Year => day.with_ordinal(1),
        }
    }

    fn next(self, start: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Week => start.checked_add_days(Days::new(7)),
            Self::Month => start.checked_add_months(Months::new(1)),
            Self::Year => start.checked_add_months(Months::new(12)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(days: &[(i32, u32, u64)]) -> Volume {
        let days = days.iter().map(|(year, month, count)| {
            (NaiveDate::from_ymd_opt(*year, *month, 9).unwrap(), *count)
        });
        Volume::of(&days.collect())
    }

    fn ends(volume: &Volume) -> (i32, i32, u64) {
        let year = |end: Option<&(NaiveDate, u64)>| end.unwrap().0.year();
        (
            year(volume.counts.first()),
            year(volume.counts.last()),
            volume.stray,
        )
    }

    #[test]
    fn a_stray_date_does_not_hide_the_rest() {
        let months = |year: i32| (1..=12).map(move |month| (year, month, 10));
        let mut days: Vec<_> = months(2002).collect();
        for (stray, count) in [((2025, 1, 1), 1), ((2019, 5, 2), 3), ((1975, 1, 1), 4)] {
            days.push(stray);
            let volume = volume(&days);
            assert_eq!(ends(&volume), (2002, 2002, count));
            assert_eq!(volume.period, Period::Month);
        }
        let shown: u64 = volume(&days).counts.iter().map(|(_, count)| count).sum();
        assert_eq!(shown, 120);
    }

    #[test]
    fn twenty_years_are_shown_whole_and_so_is_what_is_not_a_few() {
        let years: Vec<_> = (2002..2022).map(|year| (year, 6, 3)).collect();
        assert_eq!(ends(&volume(&years)), (2002, 2021, 0));
        assert_eq!(volume(&years).period, Period::Year);
        assert_eq!(
            ends(&volume(&[(2002, 1, 50), (2025, 1, 50)])),
            (2002, 2025, 0)
        );
        assert_eq!(
            ends(&volume(&[(2002, 1, 1), (2025, 1, 1)])),
            (2002, 2025, 0)
        );
        assert_eq!(ends(&volume(&[(2025, 1, 1)])), (2025, 2025, 0));
        assert!(volume(&[]).counts.is_empty());
    }
}
