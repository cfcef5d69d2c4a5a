//! Tells the server who we are.

use std::sync::Mutex;

use super::command::run;
use super::fence::{Completion, Fence, Handle, shown_text};
use super::{Refusal, Settings, is_about_limit, lock};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result};
use crate::transport::{Condition, Phase};

/// After a PREAUTH greeting. The crate knows no other way to a session than a login.
pub(super) fn pretend_to_log_in(
    client: imap::Client<Handle>,
    fence: &Mutex<Fence>,
) -> Result<imap::Session<Handle>> {
    lock(fence).pretend_once();
    run(fence, Phase::Login, || {
        client.login("-", "-").map_err(|(error, _)| error)
    })
}

/// The login as the crate will give it, without tag and line end, where that is one line.
pub(super) fn login_line(settings: &Settings, capabilities: &[String]) -> Option<String> {
    let Credentials { user, password } = &settings.credentials;
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    (!needs_authenticate(settings, capabilities))
        .then(|| format!("LOGIN \"{}\" \"{}\"", quoted(user), quoted(password)))
}

/// LOGIN sends quoted strings, which are ASCII only (RFC 9051, section 4.3).
fn needs_authenticate(settings: &Settings, capabilities: &[String]) -> bool {
    let Credentials { user, password } = &settings.credentials;
    !(user.is_ascii() && password.is_ascii())
        || capabilities.iter().any(|name| name == "LOGINDISABLED")
}

pub(super) fn log_in(
    settings: &Settings,
    client: imap::Client<Handle>,
    fence: &Mutex<Fence>,
    capabilities: &[String],
) -> Result<imap::Session<Handle>> {
    let Credentials { user, password } = &settings.credentials;
    let plain = needs_authenticate(settings, capabilities);
    lock(fence).secrets = Some(settings.credentials.clone());
    let result = run(fence, Phase::Login, || {
        if plain {
            client.authenticate("PLAIN", &Plain { user, password })
        } else {
            client.login(user, password)
        }
        .map_err(|(error, _)| error)
    });
    lock(fence).secrets = None;
    result.map_err(|error| {
        let completion = lock(fence).heard.completion.clone();
        match completion {
            Some(completion) if completion.condition != Condition::Ok => {
                let alert = lock(fence).heard.alert.clone();
                login_refused(&completion, alert.as_deref(), &settings.credentials)
            }
            _ => error,
        }
    })
}

/// The SASL mechanism PLAIN (RFC 4616).
struct Plain<'a> {
    user: &'a str,
    password: &'a str,
}

impl imap::Authenticator for Plain<'_> {
    type Response = String;

    fn process(&self, _: &[u8]) -> String {
        format!("\0{}\0{}", self.user, self.password)
    }
}

/// A wrong password, or something that will pass? Told by the code where there is one (RFC 5530),
/// and by the text otherwise. In doubt it is the password, because trying again locks accounts.
fn login_refused(completion: &Completion, alert: Option<&[u8]>, secrets: &Credentials) -> Error {
    let code = completion.code.as_deref();
    let mut text = shown_text(&completion.text, Some(secrets));
    if let Some(alert) = alert {
        text = format!("{text} ({})", shown_text(alert, Some(secrets)));
    }
    // Read as it came, since a name may be a part of any word.
    let said = [&completion.text, alert.unwrap_or_default()].concat();
    let shown = match code {
        Some(code) => format!("[{}] {text}", shown_text(code.as_bytes(), Some(secrets))),
        None => text.clone(),
    };
    let refusal = Refusal::of(code, &said);
    let kind = match refusal {
        _ if is_about_limit(code, &said) => ErrorKind::SessionLimit,
        Refusal::Throttled(_) => ErrorKind::Throttled,
        Refusal::Other if code != Some("CONTACTADMIN") && completion.condition == Condition::No => {
            ErrorKind::Auth
        }
        _ => return Error::server(completion.code.clone(), text.as_bytes(), "login"),
    };
    let hint = match refusal {
        Refusal::Throttled(hint) => hint,
        _ => None,
    };
    Error::new(kind, shown).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: Option<&str>, text: &str) -> ErrorKind {
        let secrets = Credentials {
            user: "a".to_owned(),
            password: "LIMIT".to_owned(),
        };
        let completion = Completion {
            condition: Condition::No,
            code: code.map(str::to_owned),
            text: text.as_bytes().to_vec(),
        };
        login_refused(&completion, None, &secrets).kind().clone()
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
