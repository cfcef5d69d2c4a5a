//! A day of the calendar, for SEARCH.

use std::fmt;

const MONTHS: [(&str, u8); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

#[derive(Debug, Clone, Copy)]
pub(super) struct Date {
    year: u16,
    month: &'static str,
    day: u8,
}

impl Date {
    /// `None` if there is no such day. Years are of four digits (RFC 9051, section 9,
    /// `date-year`).
    pub(super) fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let (name, days) = *MONTHS.get(usize::from(month.checked_sub(1)?))?;
        let is_leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = days + u8::from(month == 2 && is_leap);
        ((1..=9999).contains(&year) && (1..=days).contains(&day)).then_some(Self {
            year,
            month: name,
            day,
        })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:04}", self.day, self.month, self.year)
    }
}
