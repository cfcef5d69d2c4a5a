//! The server's side of SCRAM-SHA-256 (RFC 7677), by the crate `rsasl`.

use std::fmt;

use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::scram::properties::ScramStoredPassword;
use rsasl::mechanisms::scram::{SCRAM_SHA256, tools};
use rsasl::prelude::{
    Mechanism, Mechname, Registry, SASLConfig, SASLServer, Session, SessionError, State, Validation,
};
use rsasl::property::AuthId;
use rsasl::validate::{Validate, ValidationError};
use sha2::{Digest, Sha256};

/// As few as the RFC allows, since tests sign in often.
const ITERATIONS: u32 = 4096;

const SALT: &[u8] = b"test server";

static MECHANISMS: &[Mechanism] = &[SCRAM_SHA256];

/// Verifies one client.
pub(super) struct Verifier {
    session: Option<Session<IsRight>>,
    is_right: bool,
}

/// Nothing is to be told beyond that the exchange came to its end.
struct IsRight;

impl Validation for IsRight {
    type Value = ();
}

impl Verifier {
    pub(super) fn new(user: &str, password: &str) -> Self {
        let mut salted = Default::default();
        tools::hash_password::<Sha256>(password.as_bytes(), ITERATIONS, SALT, &mut salted);
        let (client_key, server_key) = tools::derive_keys::<Sha256>(salted.as_slice());
        let account = Account {
            user: user.to_owned(),
            stored_key: Sha256::digest(client_key).to_vec(),
            server_key: server_key.to_vec(),
        };
        let config = SASLConfig::builder()
            .with_registry(Registry::with_mechanisms(MECHANISMS))
            .with_callback(account);
        let session = config.ok().and_then(|config| {
            let name = Mechname::parse(b"SCRAM-SHA-256").ok()?;
            SASLServer::<IsRight>::new(config)
                .start_suggested(name)
                .ok()
        });
        Self {
            session,
            is_right: false,
        }
    }

    /// What to say to the client; `None` when there is nothing more to say.
    pub(super) fn next(&mut self, answer: &[u8]) -> Option<Vec<u8>> {
        // After the last challenge the client has nothing to say, and says it.
        if self.is_right {
            return None;
        }
        let mut challenge = Vec::new();
        match self.session.as_mut()?.step(Some(answer), &mut challenge) {
            Ok(State::Running) => {}
            Ok(State::Finished(_)) => {
                // Also the end if the proof is wrong, and this says so.
                self.is_right = challenge.starts_with(b"v=");
                self.session = None;
            }
            Err(_) => {
                // The reason, if there is one, is the server's last word (RFC 5802, section 7).
                self.session = None;
            }
        }
        Some(challenge).filter(|challenge| !challenge.is_empty())
    }

    pub(super) fn is_right(&self) -> bool {
        self.is_right
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

/// What a server keeps of a password.
struct Account {
    user: String,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

impl SessionCallback for Account {
    fn callback(
        &self,
        _: &SessionData,
        context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        if context.get_ref::<AuthId>() == Some(self.user.as_str()) {
            request.satisfy::<ScramStoredPassword<'_>>(&ScramStoredPassword::new(
                ITERATIONS,
                SALT,
                &self.stored_key,
                &self.server_key,
            ))?;
        }
        Ok(())
    }

    fn validate(
        &self,
        _: &SessionData,
        _: &Context<'_>,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        validate.with::<IsRight, _>(|| Ok(()))?;
        Ok(())
    }
}
