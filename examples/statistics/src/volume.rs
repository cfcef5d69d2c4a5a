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

/// Messages of consecutive periods, those without any included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    pub period: Period,
    /// By the first day.
    pub counts: Vec<(NaiveDate, u64)>,
}

impl Volume {
    pub(crate) fn of(days: &BTreeMap<NaiveDate, u64>) -> Self {
        let ends = (days.first_key_value(), days.last_key_value());
        let (Some((first, _)), Some((last, _))) = ends else {
            return Self {
                period: Period::Month,
                counts: Vec::new(),
            };
        };
        let days_in_all = (*last - *first).num_days();
        let period = if days_in_all <= DAYS_BY_WEEK {
            Period::Week
        } else if days_in_all <= DAYS_BY_MONTH {
            Period::Month
        } else {
            Period::Year
        };
        let starts = std::iter::successors(period.start(*first), |start| period.next(*start));
        let counts = starts.take_while(|start| start <= last).map(|start| {
            let count = match period.next(start) {
                Some(next) => days.range(start..next).map(|(_, count)| count).sum(),
                None => days.range(start..).map(|(_, count)| count).sum(),
            };
            (start, count)
        });
        Self {
            period,
            counts: counts.collect(),
        }
    }
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
