//! Iteration over the UIDs of a set, from either end.

use std::fmt;
use std::iter::{Copied, FusedIterator};
use std::slice;
use std::vec;

use super::range::Range;
use super::{Uid, UidSet};

/// The UIDs of ranges, wherever the ranges come from.
#[derive(Clone)]
struct Walk<R> {
    ranges: R,
    // What is left of the range that `next` and `next_back` are in the middle of.
    front: Option<Range>,
    back: Option<Range>,
    remaining: usize,
}

impl<R: DoubleEndedIterator<Item = Range>> Walk<R> {
    fn new(ranges: R, remaining: usize) -> Self {
        Self {
            ranges,
            front: None,
            back: None,
            remaining,
        }
    }

    fn next(&mut self) -> Option<Uid> {
        let range = self
            .front
            .take()
            .or_else(|| self.ranges.next())
            .or_else(|| self.back.take())?;
        self.front = range.without_first(1);
        self.remaining -= 1;
        Some(range.first)
    }

    fn next_back(&mut self) -> Option<Uid> {
        let range = self
            .back
            .take()
            .or_else(|| self.ranges.next_back())
            .or_else(|| self.front.take())?;
        self.back = range.without_last(1);
        self.remaining -= 1;
        Some(range.last)
    }
}

/// An iterator over the UIDs of a [`UidSet`], ascending; made by [`UidSet::iter`].
#[derive(Clone)]
#[must_use = "iterators do nothing unless advanced"]
pub struct Iter<'a>(Walk<Copied<slice::Iter<'a, Range>>>);

/// An iterator that owns the [`UidSet`] whose UIDs it yields, ascending.
#[derive(Clone)]
#[must_use = "iterators do nothing unless advanced"]
pub struct IntoIter(Walk<vec::IntoIter<Range>>);

macro_rules! iterate_by_walking {
    ($($name:ty),+) => {$(
        impl Iterator for $name {
            type Item = Uid;

            fn next(&mut self) -> Option<Uid> {
                self.0.next()
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                (self.0.remaining, Some(self.0.remaining))
            }

            // The defaults of these two would visit every UID.
            fn count(self) -> usize {
                self.0.remaining
            }

            fn last(mut self) -> Option<Uid> {
                self.0.next_back()
            }
        }

        impl DoubleEndedIterator for $name {
            fn next_back(&mut self) -> Option<Uid> {
                self.0.next_back()
            }
        }

        impl ExactSizeIterator for $name {}

        impl FusedIterator for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("remaining", &self.0.remaining)
                    .finish_non_exhaustive()
            }
        }
    )+};
}

iterate_by_walking!(Iter<'_>, IntoIter);

impl UidSet {
    /// Iterates over the UIDs, ascending; `.rev()` iterates from the largest down.
    ///
    /// # Examples
    ///
    /// ```
    /// use parallel_mailbox::UidSet;
    ///
    /// let set: UidSet = "7,1:3".parse()?;
    /// let newest_first: Vec<u32> = set.iter().rev().map(u32::from).collect();
    /// assert_eq!(newest_first, [7, 3, 2, 1]);
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    pub fn iter(&self) -> Iter<'_> {
        Iter(Walk::new(self.ranges.iter().copied(), self.len))
    }
}

impl<'a> IntoIterator for &'a UidSet {
    type Item = Uid;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl IntoIterator for UidSet {
    type Item = Uid;
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter(Walk::new(self.ranges.into_iter(), self.len))
    }
}
