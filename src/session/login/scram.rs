//! SCRAM-SHA-256 (RFC 5802, RFC 7677) by the crate `rsasl`. The only file that names it. The
//! password does not leave this machine, and a server that does not know it is found out.

use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::config::SASLConfig;
use rsasl::mechanisms::scram::SCRAM_SHA256;
use rsasl::prelude::{Mechname, Registry, SASLClient, Session, SessionError};
use rsasl::property::{AuthId, Password};

use super::sasl::Sasl;
use crate::credentials::Secret;
use crate::error::{Error, Result};

const NAME: &str = "SCRAM-SHA-256";

/// The fewest rounds of hashing. With fewer, a server that is not the right one could learn too
/// much (RFC 7677, section 4).
const LEAST_ITERATIONS: u32 = 4096;

/// The most rounds of hashing, which take some seconds. The number is the server's to choose, and
/// the largest would keep this machine busy for hours.
const MOST_ITERATIONS: u32 = 5_000_000;

/// An authentication by password that does not show it.
pub(super) struct Scram {
    session: Session,
    step: Step,
    complaint: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The salt comes next.
    Salt,
    /// What shows that the server knows the password comes next.
    Proof,
    /// It has shown it.
    Proven,
    /// It has said that it refuses.
    Refused,
}

impl Scram {
    pub(super) fn new(user: &str, password: &Secret) -> Result<Self> {
        let callback = Answers {
            user: prepared(user.as_bytes(), "user name")?,
            password: prepared(password.expose(), "password")?,
        };
        let failed = |_| Error::config("SCRAM-SHA-256 cannot be set up");
        static MECHANISMS: &[rsasl::prelude::Mechanism] = &[SCRAM_SHA256];
        let config = SASLConfig::builder()
            .with_registry(Registry::with_mechanisms(MECHANISMS))
            .with_callback(callback)
            .map_err(failed)?;
        let name = Mechname::parse(NAME.as_bytes()).map_err(|_| Error::config("no such name"))?;
        let session = SASLClient::new(config).start_suggested(&[name]);
        Ok(Self {
            session: session.map_err(failed)?,
            step: Step::Salt,
            complaint: None,
        })
    }

    fn next(&mut self, input: Option<&[u8]>) -> Result<Secret> {
        let mut output = Vec::new();
        self.session
            .step(input, &mut output)
            // The text is not shown: it may hold what was said in confidence.
            .map_err(|_| Error::protocol("login: the server's part of SCRAM-SHA-256 is wrong"))?;
        Ok(Secret::concat(&[&output]))
    }
}

impl Sasl for Scram {
    fn name(&self) -> &'static str {
        NAME
    }

    fn first(&mut self) -> Result<Secret> {
        self.next(None)
    }

    fn respond(&mut self, challenge: Vec<u8>) -> Result<Secret> {
        match self.step {
            Step::Salt => {
                check_iterations(&challenge)?;
                self.step = Step::Proof;
                self.next(Some(&challenge))
            }
            // An error in place of the proof (RFC 5802, section 7); the refusal itself follows.
            Step::Proof if challenge.starts_with(b"e=") => {
                self.step = Step::Refused;
                self.complaint = Some(challenge);
                Ok(Secret::default())
            }
            Step::Proof => {
                self.next(Some(&challenge))?;
                self.step = Step::Proven;
                Ok(Secret::default())
            }
            Step::Proven | Step::Refused => Err(Error::protocol(
                "login: the server asks for more than SCRAM-SHA-256 has to say",
            )),
        }
    }

    fn is_proven(&self) -> bool {
        self.step == Step::Proven
    }

    fn complaint(&self) -> Option<&[u8]> {
        self.complaint.as_deref()
    }
}

/// In the form in which it is hashed (RFC 4013, which RFC 5802 asks for), which has only characters
/// of Unicode 3.2.
fn prepared(text: &[u8], what: &str) -> Result<Secret> {
    let refused = || {
        Error::config(format!(
            "the {what} has characters that SCRAM-SHA-256 cannot carry"
        ))
    };
    let text = str::from_utf8(text).map_err(|_| refused())?;
    let prepared = stringprep::saslprep(text).map_err(|_| refused())?;
    Ok(Secret::from(prepared.into_owned()))
}

/// Looks at the `i=` of the server's first message.
fn check_iterations(challenge: &[u8]) -> Result<()> {
    let mut fields = challenge.split(|octet| *octet == b',');
    let iterations = fields
        .find_map(|field| field.strip_prefix(b"i="))
        .and_then(|number| str::from_utf8(number).ok())
        .and_then(|number| number.parse().ok());
    match iterations {
        Some(LEAST_ITERATIONS..=MOST_ITERATIONS) => Ok(()),
        Some(iterations) => Err(Error::protocol(format!(
            "login: the server wants {iterations} rounds of hashing for SCRAM-SHA-256; it takes \
             {LEAST_ITERATIONS} to {MOST_ITERATIONS}"
        ))),
        None => Err(Error::protocol(
            "login: the server's part of SCRAM-SHA-256 is wrong",
        )),
    }
}

/// What the mechanism asks for.
struct Answers {
    user: Secret,
    password: Secret,
}

impl SessionCallback for Answers {
    fn callback(
        &self,
        _: &SessionData,
        _: &Context<'_>,
        request: &mut Request<'_>,
    ) -> std::result::Result<(), SessionError> {
        request
            .satisfy::<AuthId>(str::from_utf8(self.user.expose()).unwrap_or_default())?
            .satisfy::<Password>(self.password.expose())?;
        Ok(())
    }
}
