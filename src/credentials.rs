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

impl Credentials {
    /// Takes both out of a text. Some servers repeat the command that they refuse.
    pub(crate) fn redact(&self, text: &[u8]) -> Vec<u8> {
        let mut redacted = text.to_vec();
        for secret in [self.password.as_bytes(), self.user.as_bytes()] {
            if secret.is_empty() {
                continue;
            }
            while let Some(at) = memchr::memmem::find(&redacted, secret) {
                redacted.splice(at..at + secret.len(), *b"\0");
            }
        }
        // Only now, so that no secret can be a part of the mark.
        let mark = |octet: u8| {
            if octet == 0 {
                b"***".to_vec()
            } else {
                vec![octet]
            }
        };
        redacted.into_iter().flat_map(mark).collect()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The user name too: it is nobody's business in a log.
        f.write_str("Credentials(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_user_and_password_out_of_what_a_server_says() {
        let credentials = Credentials {
            user: "ann".to_owned(),
            password: "*".to_owned(),
        };
        let text = credentials.redact(b"unknown command LOGIN ann * \xff");
        assert_eq!(text, b"unknown command LOGIN *** *** \xff");
    }
}
