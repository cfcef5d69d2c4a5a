//! Logging in: by password with LOGIN and AUTHENTICATE PLAIN, by access token with XOAUTH2.

use imap_codec::imap_types::auth::AuthMechanism;
use imap_codec::imap_types::command::CommandBody;

use super::commands::Ending;
use super::connection::Connection;
use super::session::State;

/// What a client shows to prove who it is.
#[derive(Debug, PartialEq, Eq)]
struct Credentials {
    user: Vec<u8>,
    secret: Secret,
}

#[derive(Debug, PartialEq, Eq)]
enum Secret {
    Password(Vec<u8>),
    Token(Vec<u8>),
}

impl Connection {
    /// Carries out LOGIN or AUTHENTICATE.
    pub(super) fn log_in(&mut self, body: CommandBody<'static>) -> Ending {
        if matches!(self.state, State::Authenticated { .. }) {
            return Ending::bad("Already logged in");
        }
        let Some(credentials) = Credentials::new(&body) else {
            return Ending::no("CANNOT", "Mechanism not supported");
        };
        let settings = &self.shared.settings;
        let is_right = credentials.user == settings.user.as_bytes()
            && match &credentials.secret {
                Secret::Password(password) => password == settings.password.as_bytes(),
                Secret::Token(token) => self.shared.takes_token(token),
            };
        if !is_right {
            return Ending::no("AUTHENTICATIONFAILED", "Authentication failed");
        }
        match self.shared.registry.open_session(settings.max_connections) {
            Some(guard) => {
                self.state = State::Authenticated {
                    _guard: Some(guard),
                };
                Ending::ok()
            }
            None => Ending::no("LIMIT", settings.limit_text.clone()),
        }
    }
}

impl Credentials {
    /// Takes the credentials out of a command; `None` where it uses an unknown mechanism.
    fn new(body: &CommandBody<'_>) -> Option<Self> {
        match body {
            CommandBody::Login { username, password } => Some(Self {
                user: username.as_ref().to_vec(),
                secret: Secret::Password(password.declassify().as_ref().to_vec()),
            }),
            CommandBody::Authenticate {
                mechanism,
                initial_response: Some(response),
            } => {
                let response = response.declassify();
                match mechanism {
                    AuthMechanism::Plain => Some(Self::from_plain(response)),
                    AuthMechanism::XOAuth2 => Some(Self::from_xoauth2(response)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// authorisation NUL user NUL password (RFC 4616, section 2)
    fn from_plain(response: &[u8]) -> Self {
        let mut fields = response.splitn(3, |octet| *octet == 0).skip(1);
        let mut field = || fields.next().unwrap_or_default().to_vec();
        Self {
            user: field(),
            secret: Secret::Password(field()),
        }
    }

    /// `user=` user ^A `auth=Bearer ` token ^A ^A
    fn from_xoauth2(response: &[u8]) -> Self {
        let field = |name: &[u8]| {
            let mut fields = response.split(|octet| *octet == 1);
            fields
                .find_map(|field| field.strip_prefix(name))
                .unwrap_or_default()
                .to_vec()
        };
        Self {
            user: field(b"user="),
            secret: Secret::Token(field(b"auth=Bearer ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_and_xoauth2() {
        let plain = Credentials::from_plain(b"\0me\0a\0b");
        assert_eq!(plain.secret, Secret::Password(b"a\0b".to_vec()));
        let token = Credentials::from_xoauth2(b"user=me\x01auth=Bearer abc\x01\x01");
        assert_eq!(token.user, b"me");
        assert_eq!(token.secret, Secret::Token(b"abc".to_vec()));
    }
}
