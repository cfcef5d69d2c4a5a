//! Tells the server who we are.

mod command;
mod encoding;
mod exchange;
mod mechanism;
mod sasl;
#[cfg(feature = "scram")]
mod scram;

use std::sync::Mutex;
use std::time::Duration;

use self::exchange::End;
use self::mechanism::choose;
use self::sasl::{Bearer, Plain, Sasl, Wrapping};
use super::command::run;
use super::fence::{Fence, Handle};
use super::heard::{Completion, shown_text};
use super::token::Held;
use super::{Mechanism, Settings, lock};
use crate::credentials::{Credentials, Redaction, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::refusal::Refusal;
use crate::transport::{Condition, Phase};

/// When the server knows who we are. The crate knows no other way to a session than a login.
pub(super) fn pretend_to_log_in(
    client: imap::Client<Handle>,
    fence: &Mutex<Fence>,
) -> Result<imap::Session<Handle>> {
    lock(fence).pretend_once();
    run(fence, Phase::Login, || {
        client.login("-", "-").map_err(|(error, _)| error)
    })
}

/// Without credentials, and after another greeting than PREAUTH.
pub(super) fn unknown() -> Error {
    Error::new(
        ErrorKind::Auth,
        "there are no credentials, and the server does not know already who this is: it greets \
         with OK and not with PREAUTH; set user name and password by `login`, or where tokens \
         come from by `oauth2`",
    )
}

/// Signs in, and returns how long the server took over its answer.
///
/// # Errors
///
/// `Auth` if the server refuses the credentials for good. A refused token that was good before is
/// an error of kind `Connect`, since there can be another; `token` knows.
pub(super) fn log_in(
    settings: &Settings,
    fence: &Mutex<Fence>,
    offers: &[String],
    token: Option<&Held<'_>>,
) -> Result<Duration> {
    let mechanism = choose(&settings.credentials, settings.mechanism, offers)?;
    let mut fence = lock(fence);
    let mut login = Login::new(&mut fence, offers, mechanism);
    let result = login.talk(settings, token);
    login.judge(result, token)
}

/// The login, where it is one line that can be said before anything was heard.
pub(super) fn login_line(settings: &Settings, offers: &[String]) -> Option<Secret> {
    let mechanism = choose(&settings.credentials, settings.mechanism, offers);
    match (&settings.credentials, mechanism) {
        (Credentials::Password { user, password }, Ok(Mechanism::Login))
            if command::is_quotable(user, password) =>
        {
            Some(command::quoted(exchange::TAG, user, password))
        }
        _ => None,
    }
}

/// Hears what becomes of a login that was said in one line.
///
/// # Errors
///
/// As [`log_in`].
pub(super) fn hear_login(settings: &Settings, fence: &Mutex<Fence>) -> Result<()> {
    let mut fence = lock(fence);
    let mut login = Login::new(&mut fence, &[], Mechanism::Login);
    if let Credentials::Password { user, password } = &settings.credentials {
        login.conceal(user, password);
    }
    let result = exchange::hear(login.fence);
    login.judge(result, None).map(|_| ())
}

/// A login under way.
struct Login<'a> {
    fence: &'a mut Fence,
    offers: &'a [String],
    mechanism: Mechanism,
    /// What the server says about why it refuses.
    complaint: Option<Vec<u8>>,
    redaction: Redaction,
}

impl<'a> Login<'a> {
    fn new(fence: &'a mut Fence, offers: &'a [String], mechanism: Mechanism) -> Self {
        fence.begin_with(Phase::Login, Duration::MAX);
        Self {
            fence,
            offers,
            mechanism,
            complaint: None,
            redaction: Redaction::default(),
        }
    }

    fn talk(&mut self, settings: &Settings, token: Option<&Held<'_>>) -> Result<End> {
        match (&settings.credentials, token) {
            (Credentials::Password { user, password }, _) => {
                self.conceal(user, password);
                self.show_password(user, password)
            }
            (Credentials::Token { user, .. }, Some(token)) => {
                self.conceal(user, token.secret());
                let wrapping = match self.mechanism {
                    Mechanism::XOAuth2 => Wrapping::XOAuth2,
                    _ => Wrapping::OAuthBearer {
                        host: &settings.host,
                        port: settings.port,
                    },
                };
                let mut bearer = Bearer::new(user, token.secret(), wrapping);
                self.authenticate(&mut bearer)
            }
            _ => Err(unknown()),
        }
    }

    fn show_password(&mut self, user: &str, password: &Secret) -> Result<End> {
        match self.mechanism {
            #[cfg(feature = "scram")]
            Mechanism::ScramSha256 => self.authenticate(&mut scram::Scram::new(user, password)?),
            Mechanism::Login if command::is_quotable(user, password) => {
                let line = command::quoted(exchange::TAG, user, password);
                exchange::command(self.fence, &[line])
            }
            Mechanism::Login => {
                let parts = command::with_literals(exchange::TAG, user, password, self.offers);
                exchange::command(self.fence, &parts)
            }
            _ => self.authenticate(&mut Plain { user, password }),
        }
    }

    fn authenticate(&mut self, sasl: &mut dyn Sasl) -> Result<End> {
        let is_short = self.offers.iter().any(|offer| offer == "SASL-IR");
        let first = encoding::encode(&sasl.first()?);
        // It may come back as it was sent.
        self.redaction.add_encoded(first.clone());
        self.fence.secrets = Some(self.redaction.clone());
        let result = exchange::authenticate(self.fence, sasl, &first, is_short);
        self.complaint = sasl.complaint().map(<[u8]>::to_vec);
        result
    }

    /// Lets nothing that the server says show these.
    fn conceal(&mut self, user: &str, secret: &Secret) {
        self.redaction = redaction(user, secret);
        self.fence.secrets = Some(self.redaction.clone());
    }

    fn judge(&mut self, result: Result<End>, token: Option<&Held<'_>>) -> Result<Duration> {
        let error = match result {
            Ok(End { completion, time }) if completion.condition == Condition::Ok => {
                token.inspect(|token| token.accepted());
                self.fence.send_after_login()?;
                return Ok(time);
            }
            Ok(End { completion, .. }) => self.refused(&completion),
            // Told why, it does not matter how the connection ends.
            Err(error) if self.complaint.is_some() => {
                Error::new(ErrorKind::Auth, error.to_string()).in_context(self.complaint_text())
            }
            Err(error) => return Err(self.fence.explain(error)),
        };
        match token {
            Some(token) if *error.kind() == ErrorKind::Auth => Err(token.refused(error)),
            _ => Err(error),
        }
    }

    fn complaint_text(&self) -> String {
        let complaint = self.complaint.as_deref().unwrap_or_default();
        format!(
            "the server gives as the reason {}",
            shown_text(complaint, Some(&self.redaction))
        )
    }

    /// Credentials that are wrong, or something that will pass? Told by the code where there is one
    /// (RFC 5530), and by the text otherwise. In doubt it is the credentials, because trying again
    /// locks accounts.
    fn refused(&self, completion: &Completion) -> Error {
        let shown = |text: &[u8]| shown_text(text, Some(&self.redaction));
        let code = completion.code.as_deref();
        // Who does not understand a command may repeat any part of it, in a form that is known to
        // nobody else. An alert is for the user (RFC 9051, section 7.1).
        let is_hidden = completion.condition == Condition::Bad && code != Some("ALERT");
        #[cfg_attr(not(feature = "scram"), allow(unused_mut))]
        let mut text = match is_hidden {
            true => "it answers BAD, with words that may repeat the password and are not shown"
                .to_owned(),
            false => shown(&completion.text),
        };
        // Read as it came, since a name may be a part of any word.
        let mut said = completion.text.clone();
        for alert in self.fence.heard.alerts() {
            said.push(b' ');
            said.extend_from_slice(alert.as_bytes());
        }
        let shown_code = code
            .filter(|_| !is_hidden)
            .map(|code| shown(code.as_bytes()));
        // What is refused to a token is an answer to it, whatever its form.
        let condition = match self.complaint {
            Some(_) => Condition::No,
            None => completion.condition,
        };
        let refusal = match Refusal::of(condition, code, &said) {
            Some(Refusal::Limit) => Refusal::SessionLimit,
            Some(refusal) => refusal,
            None => Refusal::Unknown,
        };
        let kind = match refusal {
            Refusal::SessionLimit => ErrorKind::SessionLimit,
            Refusal::Throttled(_) => ErrorKind::Throttled,
            Refusal::Credentials | Refusal::Unknown => ErrorKind::Auth,
            _ => {
                let code = shown_code;
                let error = Error::new(ErrorKind::Server { code, text }, "login");
                return self.fence.explain(error.with_refusal(refusal));
            }
        };
        #[cfg(feature = "scram")]
        if self.mechanism == Mechanism::ScramSha256 && kind == ErrorKind::Auth {
            text.push_str(NO_SCRAM);
        }
        let mut context = match shown_code {
            Some(code) => format!("[{code}] {text}"),
            None => text,
        };
        if self.complaint.is_some() {
            context = format!("{}: {context}", self.complaint_text());
        }
        let error = Error::new(kind, context).with_refusal(refusal);
        self.fence.explain(error)
    }
}

#[cfg(feature = "scram")]
const NO_SCRAM: &str = "; SCRAM-SHA-256 was chosen, and LOGIN was not tried: an account may have a \
                        password and no secret for SCRAM, and then `Mechanism::Login` signs in";

/// What a server must not be shown to have repeated: the secret as it is, as a quoted string, and in
/// Base64 wherever it may begin there.
fn redaction(user: &str, secret: &Secret) -> Redaction {
    let mut redaction = Redaction::default();
    redaction.add_name(user.as_bytes());
    redaction.add(secret.clone());
    let mut quoted = Secret::default();
    command::push_quoted(&mut quoted, secret.expose());
    redaction.add(quoted);
    for before in [&b""[..], b"\0", b"\0\0"] {
        let shifted = Secret::concat(&[before, secret.expose()]);
        redaction.add_encoded(encoding::encode(&shifted));
    }
    redaction
}

/// As long as the answer to a login that was said already may repeat it.
pub(super) fn conceal(settings: &Settings, fence: &mut Fence) {
    if let Credentials::Password { user, password } = &settings.credentials {
        fence.secrets = Some(redaction(user, password));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tests::wire;

    fn refused(code: Option<&str>, text: &str) -> ErrorKind {
        let completion = Completion {
            condition: Condition::No,
            code: code.map(str::to_owned),
            text: text.as_bytes().to_vec(),
        };
        let mut login = Login {
            fence: &mut Fence::new(wire(Vec::new(), 1)),
            offers: &[],
            mechanism: Mechanism::Login,
            complaint: None,
            redaction: Redaction::default(),
        };
        login.conceal("a", &Secret::from("LIMIT".to_owned()));
        login.refused(&completion).kind().clone()
    }

    #[test]
    fn a_limit_on_connections_is_told_from_a_wrong_password() {
        assert_eq!(
            refused(Some("AUTHENTICATIONFAILED"), "Authentication failed."),
            ErrorKind::Auth
        );
        assert_eq!(refused(None, "LOGIN failed."), ErrorKind::Auth);
        let throttled = "Request is throttled. Suggested Backoff Time: 1000 milliseconds";
        assert_eq!(refused(None, throttled), ErrorKind::Throttled);
        for (code, text) in [
            (Some("LIMIT"), "Sorry"),
            (
                Some("UNAVAILABLE"),
                "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
            ),
            (
                Some("ALERT"),
                "Too many simultaneous connections. (Failure)",
            ),
            (None, "Session limit reached"),
        ] {
            assert_eq!(refused(code, text), ErrorKind::SessionLimit, "{text}");
        }
        assert!(matches!(
            refused(Some("UNAVAILABLE"), "try later"),
            ErrorKind::Server { .. }
        ));
    }
}
