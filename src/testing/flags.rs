//! The flags of one message: the five system flags as bits, keywords only where there are any, so
//! that a mailbox of a million messages without keywords allocates nothing for them.

use std::sync::Arc;

use imap_codec::imap_types::core::Atom;
use imap_codec::imap_types::flag::{Flag, StoreType};

/// A set of flags, cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FlagSet {
    system: u8,
    keywords: Option<Arc<Vec<String>>>,
}

/// The system flags of RFC 9051, section 2.3.2, each with its bit.
const SYSTEM: [(&str, u8); 5] = [
    ("\\Answered", FlagSet::ANSWERED),
    ("\\Flagged", FlagSet::FLAGGED),
    ("\\Deleted", FlagSet::DELETED),
    ("\\Seen", FlagSet::SEEN),
    ("\\Draft", FlagSet::DRAFT),
];

impl FlagSet {
    pub(super) const ANSWERED: u8 = 1;
    pub(super) const FLAGGED: u8 = 2;
    pub(super) const DELETED: u8 = 4;
    pub(super) const SEEN: u8 = 8;
    pub(super) const DRAFT: u8 = 16;

    /// Whether the system flag with this bit is set.
    pub(super) fn has(&self, bit: u8) -> bool {
        self.system & bit != 0
    }

    /// Whether the keyword is set; keywords ignore case.
    pub(super) fn has_keyword(&self, keyword: &str) -> bool {
        self.keywords()
            .iter()
            .any(|own| own.eq_ignore_ascii_case(keyword))
    }

    /// Sets the system flag with this bit; says whether that changed anything.
    pub(super) fn set(&mut self, bit: u8) -> bool {
        let changed = !self.has(bit);
        self.system |= bit;
        changed
    }

    /// Sets a flag by its name on the wire, `\Seen` or a keyword. `\Recent` is the server's own
    /// and is left alone, as are names that IMAP could not carry.
    pub(super) fn insert(&mut self, name: &str) {
        if let Some((_, bit)) = SYSTEM
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
        {
            self.system |= bit;
        } else if Atom::try_from(name).is_ok() && !self.has_keyword(name) {
            let keywords = self.keywords.get_or_insert_default();
            Arc::make_mut(keywords).push(name.to_owned());
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some((_, bit)) = SYSTEM
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
        {
            self.system &= !bit;
        } else if let Some(keywords) = &mut self.keywords {
            Arc::make_mut(keywords).retain(|own| !own.eq_ignore_ascii_case(name));
        }
    }

    /// Does what a STORE command asks for.
    pub(super) fn store(&mut self, kind: &StoreType, flags: &[Flag<'_>]) {
        if *kind == StoreType::Replace {
            *self = Self::default();
        }
        for flag in flags {
            match kind {
                StoreType::Replace | StoreType::Add => self.insert(&flag.to_string()),
                StoreType::Remove => self.remove(&flag.to_string()),
            }
        }
    }

    /// The names of all flags, as on the wire.
    pub(super) fn names(&self) -> Vec<String> {
        let system = SYSTEM
            .iter()
            .filter(|(_, bit)| self.has(*bit))
            .map(|(name, _)| *name);
        system
            .chain(self.keywords().iter().map(String::as_str))
            .map(str::to_owned)
            .collect()
    }

    pub(super) fn keywords(&self) -> &[String] {
        self.keywords.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl<N: AsRef<str>> FromIterator<N> for FlagSet {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> Self {
        let mut flags = Self::default();
        for name in names {
            flags.insert(name.as_ref());
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_system_flags_and_keywords_apart_and_ignores_case() {
        let mut flags: FlagSet = ["\\seen", "Work", "work", "\\Recent"].iter().collect();
        assert_eq!(flags.names(), ["\\Seen", "Work"]);
        flags.store(&StoreType::Remove, &[Flag::Seen]);
        flags.store(&StoreType::Add, &[Flag::Flagged]);
        assert_eq!(flags.names(), ["\\Flagged", "Work"]);
        flags.store(&StoreType::Replace, &[Flag::Draft]);
        assert_eq!(flags.names(), ["\\Draft"]);
    }
}
