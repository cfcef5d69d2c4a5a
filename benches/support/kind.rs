//! The two kinds of mailbox that all figures are about.

use parallel_mailbox::testing::Sample;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Mixed,
    Small,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Mixed, Self::Small];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Small => "small",
        }
    }

    /// As many messages as most figures are about.
    pub(crate) fn messages(self) -> usize {
        match self {
            Self::Mixed => 5_000,
            Self::Small => 20_000,
        }
    }

    /// How many octets a message has, on average.
    pub(crate) fn octets_each(self) -> usize {
        match self {
            Self::Mixed => 73_000,
            Self::Small => 4_000,
        }
    }

    pub(crate) fn sample(self, messages: usize) -> Sample {
        match self {
            Self::Mixed => Sample::mixed(messages),
            Self::Small => Sample::small(messages),
        }
    }
}
