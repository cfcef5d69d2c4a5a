//! Who signs in. Never printed.

use std::fmt;

use crate::error::{Error, Result};

#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Credentials {
    /// Refuses what could not be sent, or would end the command it is part of.
    pub(crate) fn check(&self) -> Result<()> {
        if self.user.is_empty() {
            return Err(Error::config("the user name is empty; set it by `login`"));
        }
        for (what, text) in [("user name", &self.user), ("password", &self.password)] {
            if text.contains(['\r', '\n', '\0']) {
                return Err(Error::config(format!("the {what} contains CR, LF or NUL")));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The user name too: it is nobody's business in a log.
        f.write_str("Credentials(..)")
    }
}
