//! The unique identifier of a message.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::error::{Error, Result, excerpt};

/// The unique identifier of a message in its mailbox (RFC 9051, section 2.3.1.1): 1 to 2³² − 1.
///
/// It means something only together with the mailbox and its UIDVALIDITY.
///
/// # Examples
///
/// ```
/// use parallel_mailbox::Uid;
///
/// let uid: Uid = "4827313".parse()?;
/// assert_eq!(uid.get(), 4_827_313);
/// assert_eq!(Uid::new(0), None);
/// # Ok::<(), parallel_mailbox::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(NonZeroU32);

impl Uid {
    /// The smallest UID, 1.
    pub const MIN: Self = Self(NonZeroU32::MIN);

    /// The largest UID, 2³² − 1: the open end of a range.
    pub const MAX: Self = Self(NonZeroU32::MAX);

    /// The UID with this number, or `None` for 0, which is no UID.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number, never 0.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The UID `count` above this one, or the largest.
    pub(super) const fn plus(self, count: u32) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// The UID `count` below this one, or the smallest.
    pub(super) const fn minus(self, count: u32) -> Self {
        match Self::new(self.get().saturating_sub(count)) {
            Some(uid) => uid,
            None => Self::MIN,
        }
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads an `nz-number` (RFC 9051, section 9): digits only, the first of them not 0.
impl FromStr for Uid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // `u32::from_str` alone would also take a sign and leading zeros.
        let is_number = !text.starts_with('0') && text.bytes().all(|octet| octet.is_ascii_digit());
        let number = if is_number { text.parse().ok() } else { None };
        number.map(Self).ok_or_else(|| {
            Error::config(format!(
                "\"{}\" is no UID, which is a number from 1 to {}",
                excerpt(text.as_bytes()),
                Self::MAX
            ))
        })
    }
}

impl TryFrom<u32> for Uid {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self> {
        Self::new(number).ok_or_else(|| Error::config("0 is no UID"))
    }
}

impl From<Uid> for u32 {
    fn from(uid: Uid) -> Self {
        uid.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn reads_a_number_of_the_grammar_and_nothing_else() {
        assert_eq!("1".parse::<Uid>().unwrap(), Uid::MIN);
        assert_eq!("4294967295".parse::<Uid>().unwrap(), Uid::MAX);
        for text in [
            "",
            "0",
            "01",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1\r\n",
            "4294967296",
            "*",
            "1:2",
            "٣",
        ] {
            let error = text.parse::<Uid>().unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Config, "{text:?}");
        }
    }

    #[test]
    fn zero_is_no_uid() {
        assert!(Uid::new(0).is_none());
        assert!(Uid::try_from(0).is_err());
        assert_eq!(u32::from(Uid::try_from(7).unwrap()), 7);
    }

    #[test]
    fn stays_within_its_bounds() {
        assert_eq!(Uid::MAX.plus(1), Uid::MAX);
        assert_eq!(Uid::MIN.minus(1), Uid::MIN);
    }

    #[test]
    fn an_option_of_it_costs_nothing() {
        assert_eq!(size_of::<Option<Uid>>(), size_of::<u32>());
    }
}
