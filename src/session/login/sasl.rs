//! What a SASL mechanism has to say: PLAIN (RFC 4616), and the two that carry an access token,
//! OAUTHBEARER (RFC 7628) and XOAUTH2. Messages only; who sends them is somebody else's business.

use crate::credentials::Secret;
use crate::error::{Error, Result};

/// One authentication, from the client's first message on.
pub(super) trait Sasl {
    /// What follows AUTHENTICATE.
    fn name(&self) -> &'static str;

    /// The first message, which is the client's with all that are here.
    fn first(&mut self) -> Result<Secret>;

    /// The answer to a challenge.
    fn respond(&mut self, challenge: Vec<u8>) -> Result<Secret>;

    /// Whether a server that says OK may be believed.
    fn is_proven(&self) -> bool {
        true
    }

    /// What the server says about why it refuses, which comes as a challenge.
    fn complaint(&self) -> Option<&[u8]> {
        None
    }
}

/// The SASL mechanism PLAIN.
pub(super) struct Plain<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a Secret,
}

impl Sasl for Plain<'_> {
    fn name(&self) -> &'static str {
        "PLAIN"
    }

    fn first(&mut self) -> Result<Secret> {
        let (user, password) = (self.user.as_bytes(), self.password.expose());
        Ok(Secret::concat(&[b"\0", user, b"\0", password]))
    }

    fn respond(&mut self, _: Vec<u8>) -> Result<Secret> {
        Err(Error::protocol(
            "login: the server asks for more than PLAIN has to say",
        ))
    }
}

/// How a token is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapping<'a> {
    OAuthBearer { host: &'a str, port: u16 },
    XOAuth2,
}

/// A mechanism that shows an access token.
pub(super) struct Bearer<'a> {
    pub(super) user: &'a str,
    pub(super) token: &'a Secret,
    pub(super) wrapping: Wrapping<'a>,
    complaint: Option<Vec<u8>>,
}

impl<'a> Bearer<'a> {
    pub(super) fn new(user: &'a str, token: &'a Secret, wrapping: Wrapping<'a>) -> Self {
        Self {
            user,
            token,
            wrapping,
            complaint: None,
        }
    }
}

impl Sasl for Bearer<'_> {
    fn name(&self) -> &'static str {
        match self.wrapping {
            Wrapping::OAuthBearer { .. } => "OAUTHBEARER",
            Wrapping::XOAuth2 => "XOAUTH2",
        }
    }

    fn first(&mut self) -> Result<Secret> {
        let token = self.token.expose();
        Ok(match self.wrapping {
            Wrapping::OAuthBearer { host, port } => {
                // The separators of the header are written in another way (RFC 5801, section 4).
                let user = self.user.replace('=', "=3D").replace(',', "=2C");
                let head = format!("n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer ");
                Secret::concat(&[head.as_bytes(), token, b"\x01\x01"])
            }
            Wrapping::XOAuth2 => {
                let head = format!("user={}\x01auth=Bearer ", self.user);
                Secret::concat(&[head.as_bytes(), token, b"\x01\x01"])
            }
        })
    }

    /// A challenge means that the token is refused, and says why. It wants an answer before the
    /// refusal itself comes (RFC 7628, section 3.2.3).
    fn respond(&mut self, challenge: Vec<u8>) -> Result<Secret> {
        if self.complaint.replace(challenge).is_some() {
            return Err(Error::protocol("login: the server complains twice"));
        }
        Ok(match self.wrapping {
            Wrapping::OAuthBearer { .. } => Secret::concat(&[b"\x01"]),
            Wrapping::XOAuth2 => Secret::default(),
        })
    }

    fn complaint(&self) -> Option<&[u8]> {
        self.complaint.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_as_the_documents_have_them() {
        let token = Secret::from("vF9dft4qmT".to_owned());
        // RFC 7628, section 4.1.
        let wrapping = Wrapping::OAuthBearer {
            host: "server.example.com",
            port: 143,
        };
        let mut bearer = Bearer::new("user@example.com", &token, wrapping);
        assert_eq!(
            bearer.first().unwrap().expose(),
            b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01\
              auth=Bearer vF9dft4qmT\x01\x01"
        );
        assert_eq!(bearer.respond(b"{}".to_vec()).unwrap().expose(), b"\x01");
        let mut bearer = Bearer::new("a=b,c", &token, wrapping);
        assert!(
            bearer
                .first()
                .unwrap()
                .expose()
                .starts_with(b"n,a=a=3Db=2Cc,\x01")
        );

        // Google's description of XOAUTH2.
        let mut bearer = Bearer::new("someuser@example.com", &token, Wrapping::XOAuth2);
        assert_eq!(
            bearer.first().unwrap().expose(),
            b"user=someuser@example.com\x01auth=Bearer vF9dft4qmT\x01\x01"
        );
        assert!(bearer.respond(b"{}".to_vec()).unwrap().is_empty());

        // RFC 4616, section 4.
        let password = Secret::from("tanstaaftanstaaf".to_owned());
        let mut plain = Plain {
            user: "tim",
            password: &password,
        };
        assert_eq!(plain.first().unwrap().expose(), b"\0tim\0tanstaaftanstaaf");
    }
}
