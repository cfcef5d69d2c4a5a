//! A day of the calendar, as SEARCH needs it: no time, no zone.

use std::fmt;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A day that exists, of the years 1 to 9999 of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    pub(super) fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let is_leap_year =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if is_leap_year => 29,
            2 => 28,
            _ => return None,
        };
        // Four digits is all the grammar has: `date-year`, RFC 9051, section 9.
        let exists = (1..=9999).contains(&year) && (1..=days).contains(&day);
        exists.then_some(Self { year, month, day })
    }
}

/// The `date-text` of RFC 9051, section 9: `1-Feb-1994`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `new` takes no month but 1 to 12.
        let month = MONTHS[usize::from(self.month) - 1];
        write!(f, "{}-{month}-{:04}", self.day, self.year)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_form_of_imap() {
        let shown = |year, month, day| Date::new(year, month, day).unwrap().to_string();
        assert_eq!(shown(1994, 2, 1), "1-Feb-1994");
        assert_eq!(shown(2026, 12, 31), "31-Dec-2026");
        assert_eq!(shown(1, 1, 1), "1-Jan-0001");
    }

    #[test]
    fn knows_which_days_exist() {
        for (year, month, day) in [(2024, 2, 29), (2000, 2, 29), (9999, 12, 31), (2026, 4, 30)] {
            assert!(
                Date::new(year, month, day).is_some(),
                "{year}-{month}-{day}"
            );
        }
        for (year, month, day) in [
            (2026, 2, 29),
            (1900, 2, 29),
            (2026, 2, 31),
            (2026, 4, 31),
            (2026, 1, 0),
            (2026, 1, 32),
            (2026, 0, 1),
            (2026, 13, 1),
            (0, 1, 1),
            (10_000, 1, 1),
        ] {
            assert!(
                Date::new(year, month, day).is_none(),
                "{year}-{month}-{day}"
            );
        }
    }
}
