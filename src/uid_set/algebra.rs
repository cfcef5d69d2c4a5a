//! Union, difference and intersection of sets, each in one pass over the ranges of both.

use super::UidSet;
use super::range::Range;

impl UidSet {
    /// The UIDs that are in `self`, in `other` or in both.
    ///
    /// # Examples
    ///
    /// ```
    /// use parallel_mailbox::UidSet;
    ///
    /// let (one, other): (UidSet, UidSet) = ("1:4".parse()?, "3:5,9".parse()?);
    /// assert_eq!(one.union(&other).to_string(), "1:5,9");
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut union = Self::new();
        let mut left = self.ranges.iter().copied().peekable();
        let mut right = other.ranges.iter().copied().peekable();
        loop {
            let left_is_next = match (left.peek(), right.peek()) {
                (Some(left), Some(right)) => left.first <= right.first,
                (left, _) => left.is_some(),
            };
            let next = if left_is_next {
                left.next()
            } else {
                right.next()
            };
            match next {
                Some(range) => union.append(range),
                None => return union,
            }
        }
    }

    /// The UIDs that are in both `self` and `other`.
    ///
    /// # Examples
    ///
    /// ```
    /// use parallel_mailbox::UidSet;
    ///
    /// let (one, other): (UidSet, UidSet) = ("1:4".parse()?, "3:5,9".parse()?);
    /// assert_eq!(one.intersection(&other).to_string(), "3:4");
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut intersection = Self::new();
        let mut left = self.ranges.as_slice();
        let mut right = other.ranges.as_slice();
        while let (Some((one, left_rest)), Some((other, right_rest))) =
            (left.split_first(), right.split_first())
        {
            if let Some(overlap) = one.overlap(*other) {
                intersection.append(overlap);
            }
            // The range that ends first cannot overlap anything that comes later.
            if one.last < other.last {
                left = left_rest;
            } else {
                right = right_rest;
            }
        }
        intersection
    }

    /// The UIDs that are in `self` and not in `other`.
    ///
    /// # Examples
    ///
    /// ```
    /// use parallel_mailbox::UidSet;
    ///
    /// let (matches, done): (UidSet, UidSet) = ("1:9".parse()?, "3:5,9".parse()?);
    /// assert_eq!(matches.difference(&done).to_string(), "1:2,6:8");
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut difference = Self::new();
        let mut holes = other.ranges.as_slice();
        for &range in &self.ranges {
            let mut rest = Some(range);
            while let (Some(range), Some((hole, later))) = (rest, holes.split_first()) {
                if hole.first > range.last {
                    break;
                }
                if hole.first > range.first {
                    difference.append(Range {
                        first: range.first,
                        last: hole.first.minus(1),
                    });
                }
                if hole.last >= range.last {
                    // The hole may reach into the next range, so it stays.
                    rest = None;
                } else {
                    if hole.last >= range.first {
                        rest = Some(Range {
                            first: hole.last.plus(1),
                            last: range.last,
                        });
                    }
                    holes = later;
                }
            }
            if let Some(range) = rest {
                difference.append(range);
            }
        }
        difference
    }
}
