//! A run of UIDs without a gap: the piece that a set is made of.

use super::Uid;

/// All UIDs from `first` to `last`. Never empty: `first` is not above `last`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Range {
    pub(super) first: Uid,
    pub(super) last: Uid,
}

impl Range {
    pub(super) const fn single(uid: Uid) -> Self {
        Self {
            first: uid,
            last: uid,
        }
    }

    /// The range between two UIDs in either order: "2:4 and 4:2 are equivalent"
    /// (RFC 9051, section 9, `seq-range`).
    pub(super) fn between(one: Uid, other: Uid) -> Self {
        Self {
            first: one.min(other),
            last: one.max(other),
        }
    }

    /// How many UIDs it has. There are 2³² − 1 of them, so the number always fits.
    pub(super) const fn len(self) -> u32 {
        self.last.get() - self.first.get() + 1
    }

    /// Whether nothing lies between the end of this range and the start of `next`, so that both
    /// are one range. `next` must not start before this range does.
    pub(super) const fn reaches(self, next: Self) -> bool {
        next.first.get() <= self.last.get() || next.first.get() - self.last.get() == 1
    }

    /// What is left without the first `count` UIDs, if anything is.
    pub(super) const fn without_first(self, count: u32) -> Option<Self> {
        if count < self.len() {
            Some(Self {
                first: self.first.plus(count),
                last: self.last,
            })
        } else {
            None
        }
    }

    /// What is left without the last `count` UIDs, if anything is.
    pub(super) const fn without_last(self, count: u32) -> Option<Self> {
        if count < self.len() {
            Some(Self {
                first: self.first,
                last: self.last.minus(count),
            })
        } else {
            None
        }
    }

    /// The UIDs that are in both, if any are.
    pub(super) fn overlap(self, other: Self) -> Option<Self> {
        let first = self.first.max(other.first);
        let last = self.last.min(other.last);
        (first <= last).then_some(Self { first, last })
    }
}
