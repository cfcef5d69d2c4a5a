//! The kinds of trouble that servers make of their own accord. Only names; what a server says in
//! each is in its persona.

/// A kind of trouble that a server makes of its own accord, in words of its own:
/// [`Persona::faults`](super::Persona::faults).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trouble {
    /// Too much was asked in too short a time.
    Throttled,
    /// It does not work at the moment.
    Unavailable,
    /// Some message cannot be read, now or ever; add the message by [`Fault::uid`](super::Fault::uid).
    Poisoned,
    /// The account has as many sessions as it may have.
    TooManySessions,
    /// What the account may use up in a day or a month is used up.
    UsedUp,
    /// The password is right, but programs are to use another one, or a token.
    PasswordNotTaken,
    /// The account may not use IMAP.
    Disabled,
    /// The session has lasted long enough.
    SessionEnded,
}

impl Trouble {
    /// All kinds.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        &[
            Self::Throttled,
            Self::Unavailable,
            Self::Poisoned,
            Self::TooManySessions,
            Self::UsedUp,
            Self::PasswordNotTaken,
            Self::Disabled,
            Self::SessionEnded,
        ]
    }
}
