//! Signing in: by password with LOGIN, AUTHENTICATE PLAIN and, with the feature `scram`,
//! SCRAM-SHA-256; by access token with OAUTHBEARER and XOAUTH2.

use imap_codec::ResponseCodec;
use imap_codec::encode::Encoder;
use imap_codec::imap_types::auth::AuthMechanism;
use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::response::{CommandContinuationRequest, Response};

use super::commands::{Ending, either};
use super::connection::Connection;
use super::link::Halt;
#[cfg(feature = "scram")]
use super::scram::Verifier;
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

/// How an exchange ends that the client does not go through with.
enum Unfinished {
    Refused(Ending),
    Halt(Halt),
}

impl From<Halt> for Unfinished {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

impl Connection {
    /// Carries out LOGIN or AUTHENTICATE.
    pub(super) fn log_in(&mut self, body: CommandBody<'static>) -> Result<Ending, Halt> {
        if matches!(self.state, State::Authenticated { .. }) {
            return Ok(Ending::of("{tag} BAD Already logged in"));
        }
        let manners = self.manners();
        let is_login = matches!(body, CommandBody::Login { .. });
        let is_right = match self.is_right(body) {
            Ok(is_right) => is_right,
            Err(Unfinished::Refused(ending)) => return Ok(ending),
            Err(Unfinished::Halt(halt)) => return Err(halt),
        };
        if !is_right {
            return Ok(Ending::of(manners.login_refused.value).with(self.values()));
        }
        let Some(guard) = self
            .shared
            .registry
            .open_session(self.shared.max_sessions())
        else {
            // A text of the test's own goes before that of the persona.
            let lines = match self.shared.settings.limit_text {
                Some(_) => "{tag} NO [LIMIT] {limit}",
                None => manners.too_many_sessions.value,
            };
            return Ok(Ending::of(lines).with(self.values()));
        };
        self.state = State::Authenticated {
            _guard: Some(guard),
        };
        let lines = match is_login {
            true => manners.login_done.value,
            false => either(manners.authenticate_done.value, manners.login_done.value),
        };
        Ok(Ending::of(lines).with(self.values()))
    }

    fn is_right(&mut self, body: CommandBody<'static>) -> Result<bool, Unfinished> {
        let (mechanism, first) = match body {
            CommandBody::Login { username, password } => {
                if self.shared.settings.login_disabled {
                    let ending = Ending::of("{tag} NO [PRIVACYREQUIRED] LOGIN is disabled");
                    return Err(Unfinished::Refused(ending));
                }
                let credentials = Credentials {
                    user: username.as_ref().to_vec(),
                    secret: Secret::Password(password.declassify().as_ref().to_vec()),
                };
                return Ok(self.knows(&credentials));
            }
            CommandBody::Authenticate {
                mechanism,
                initial_response,
            } => (mechanism, initial_response),
            _ => return Ok(false),
        };
        let offers = self.shared.mechanisms();
        if !offers
            .iter()
            .any(|offer| offer.eq_ignore_ascii_case(mechanism.as_ref()))
        {
            let ending = Ending::of("{tag} NO [CANNOT] Mechanism not supported");
            return Err(Unfinished::Refused(ending));
        }
        let first = match first {
            Some(_) if !self.shared.settings.sasl_ir => {
                let ending = Ending::of("{tag} BAD No initial response here");
                return Err(Unfinished::Refused(ending));
            }
            Some(first) => first.declassify().to_vec(),
            None => self.challenge(Vec::new())?,
        };
        match mechanism {
            AuthMechanism::Plain => Ok(self.knows(&Credentials::from_plain(&first))),
            AuthMechanism::XOAuth2 => self.knows_token(&Credentials::from_xoauth2(&first)),
            AuthMechanism::OAuthBearer => self.knows_token(&Credentials::from_oauthbearer(&first)),
            #[cfg(feature = "scram")]
            AuthMechanism::ScramSha256 => self.verify(first),
            // Offered, but only in words.
            _ => Err(Unfinished::Refused(Ending::of(
                "{tag} NO [CANNOT] Mechanism not supported",
            ))),
        }
    }

    fn knows(&self, credentials: &Credentials) -> bool {
        let settings = &self.shared.settings;
        credentials.user == settings.user.as_bytes()
            && match &credentials.secret {
                Secret::Password(password) => password == settings.password.as_bytes(),
                Secret::Token(token) => self.shared.takes_token(token),
            }
    }

    /// A token that is refused is refused twice: the first time with the reason, which the client
    /// has to acknowledge.
    fn knows_token(&mut self, credentials: &Credentials) -> Result<bool, Unfinished> {
        let is_right = self.knows(credentials);
        let complaint = self.manners().token_complaint.value;
        if !is_right && !complaint.is_empty() {
            self.challenge(complaint.as_bytes().to_vec())?;
        }
        Ok(is_right)
    }

    #[cfg(feature = "scram")]
    fn verify(&mut self, first: Vec<u8>) -> Result<bool, Unfinished> {
        let settings = &self.shared.settings;
        let mut verifier = Verifier::new(&settings.user, &settings.password);
        let mut answer = first;
        loop {
            match verifier.next(&answer) {
                Some(challenge) => answer = self.challenge(challenge)?,
                None => return Ok(verifier.is_right()),
            }
        }
    }

    /// Asks the client for something, and returns what it answers.
    fn challenge(&mut self, octets: Vec<u8>) -> Result<Vec<u8>, Unfinished> {
        let request = CommandContinuationRequest::base64(octets);
        let response = Response::CommandContinuationRequest(request);
        self.output
            .put(&ResponseCodec::default().encode(&response).dump())?;
        self.output.flush()?;
        let answer = self.dialogue.as_ref().and_then(|dialogue| dialogue.hear());
        let answer = answer.ok_or(Halt::Gone)?;
        self.wait_for_latency(answer.at)?;
        answer.octets.ok_or_else(|| {
            Unfinished::Refused(Ending::of("{tag} BAD Authentication exchange ended"))
        })
    }
}

impl Credentials {
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
        Self {
            user: field(response, b"user="),
            secret: Secret::Token(field(response, b"auth=Bearer ")),
        }
    }

    /// `n,a=` user `,` ^A … `auth=Bearer ` token ^A ^A (RFC 7628, section 3.1)
    fn from_oauthbearer(response: &[u8]) -> Self {
        let header = String::from_utf8_lossy(&field(response, b"n,a=")).into_owned();
        let user = header.trim_end_matches(',');
        Self {
            user: user.replace("=2C", ",").replace("=3D", "=").into_bytes(),
            secret: Secret::Token(field(response, b"auth=Bearer ")),
        }
    }
}

/// What follows this name, up to the next ^A.
fn field(response: &[u8], name: &[u8]) -> Vec<u8> {
    let mut fields = response.split(|octet| *octet == 1);
    fields
        .find_map(|field| field.strip_prefix(name))
        .unwrap_or_default()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_and_tokens() {
        let plain = Credentials::from_plain(b"\0me\0a\0b");
        assert_eq!(plain.secret, Secret::Password(b"a\0b".to_vec()));
        let token = Credentials::from_xoauth2(b"user=me\x01auth=Bearer abc\x01\x01");
        assert_eq!(token.user, b"me");
        assert_eq!(token.secret, Secret::Token(b"abc".to_vec()));
        let token = Credentials::from_oauthbearer(
            b"n,a=a=2Cb=3D,\x01host=h\x01port=143\x01auth=Bearer abc\x01\x01",
        );
        assert_eq!(token.user, b"a,b=");
        assert_eq!(token.secret, Secret::Token(b"abc".to_vec()));
    }
}
