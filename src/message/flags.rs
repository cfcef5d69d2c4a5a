//! The flags of a message: a plain value, which knows nothing of how they are changed.

use std::fmt;

/// The flags of a message: IMAP's own, such as `\Seen`, and keywords (RFC 9051, section 2.3.2).
///
/// ```
/// # use parallel_mailbox::Message;
/// fn is_new(message: &Message) -> bool {
///     !message.flags().contains("\\Seen") && !message.flags().contains("$Junk")
/// }
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    // Nearly every message has only flags of this list, so that most cost no allocation.
    system: u8,
    keywords: Vec<Box<str>>,
}

const SYSTEM: [&str; 6] = [
    "\\Seen",
    "\\Answered",
    "\\Flagged",
    "\\Deleted",
    "\\Draft",
    "\\Recent",
];

impl Flags {
    pub(crate) fn insert(&mut self, flag: &str) {
        match SYSTEM
            .iter()
            .position(|system| system.eq_ignore_ascii_case(flag))
        {
            Some(bit) => self.system |= 1 << bit,
            None if !self.contains(flag) => self.keywords.push(flag.into()),
            None => {}
        }
    }

    /// Returns whether the flag is set. Case does not matter; a flag of IMAP's own begins with a
    /// backslash.
    #[must_use]
    pub fn contains(&self, flag: &str) -> bool {
        self.iter().any(|set| set.eq_ignore_ascii_case(flag))
    }

    /// Returns whether the message has been read.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.contains("\\Seen")
    }

    /// Returns whether the message is marked as important.
    #[must_use]
    pub fn is_flagged(&self) -> bool {
        self.contains("\\Flagged")
    }

    /// Returns the flags, IMAP's own first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let system = SYSTEM.into_iter().enumerate();
        let system = system
            .filter(|(bit, _)| self.system >> bit & 1 == 1)
            .map(|(_, name)| name);
        system.chain(self.keywords.iter().map(|keyword| &**keyword))
    }

    /// Returns whether no flag is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.system == 0 && self.keywords.is_empty()
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, flag) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(flag)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_keep_keywords_and_ignore_case() {
        let mut flags = Flags::default();
        for flag in ["$Junk", "\\SEEN", "\\Recent", "$junk"] {
            flags.insert(flag);
        }
        assert_eq!(flags.to_string(), "\\Seen \\Recent $Junk");
        assert!(flags.contains("$JUNK") && flags.is_seen() && !flags.is_flagged());
    }
}
