//! Who signs in, and by what. Never printed.

mod redaction;
mod secret;

use std::fmt;
use std::sync::Arc;

pub(crate) use self::redaction::Redaction;
pub(crate) use self::secret::Secret;
use crate::error::{Error, Result};

/// What a caller's own function may fail with.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Where access tokens come from.
pub(crate) type TokenProvider = Arc<dyn Fn() -> Result<Secret, Failure> + Send + Sync>;

/// How a session shows who it is.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// Not at all: the server must know it already.
    Preauthenticated,
    Password {
        user: String,
        password: Secret,
    },
    Token {
        user: String,
        provider: TokenProvider,
    },
}

impl Credentials {
    /// Refuses what could not be sent, or would end what it is part of.
    pub(crate) fn check(&self) -> Result<()> {
        let (user, method) = match self {
            Self::Preauthenticated => return Ok(()),
            Self::Password { user, .. } => (user, "login"),
            Self::Token { user, .. } => (user, "oauth2"),
        };
        if user.is_empty() {
            return Err(Error::config(format!(
                "the user name is empty; set it by `{method}`"
            )));
        }
        let is_odd = |octet: &u8| matches!(octet, b'\r' | b'\n' | 0);
        if user.bytes().any(|octet| is_odd(&octet)) {
            return Err(Error::config("the user name contains CR, LF or NUL"));
        }
        match self {
            Self::Password { password, .. } if password.expose().iter().any(is_odd) => {
                Err(Error::config("the password contains CR, LF or NUL"))
            }
            // It ends the field (RFC 7628, section 3.1).
            Self::Token { user, .. } if user.contains('\x01') => {
                Err(Error::config("the user name contains the character U+0001"))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The user name too: it is nobody's business in a log.
        f.write_str("Credentials(..)")
    }
}
