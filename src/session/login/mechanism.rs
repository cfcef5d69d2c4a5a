//! Which way to sign in: the strongest that both sides have.

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result, excerpt};

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// RFC 7677. The password never leaves this machine, and the server shows that it knows it.
    #[cfg(feature = "scram")]
    ScramSha256,
    /// The command LOGIN (RFC 9051, section 6.2.3), with quoted strings.
    Login,
    /// RFC 4616.
    Plain,
    /// The command LOGIN with literals, for what a quoted string cannot hold.
    LoginWithLiterals,
    /// RFC 7628.
    OAuthBearer,
    /// What Google and Microsoft had before there was an RFC.
    XOAuth2,
}

impl Mechanism {
    /// Chooses by what the server offers, in capitals.
    ///
    /// LOGIN and PLAIN are equally strong. LOGIN comes first because every server has it; it
    /// gives way where it is forbidden (LOGINDISABLED, RFC 9051, section 6.2.3) or the password is
    /// not ASCII, which not every server takes in a quoted string.
    pub(super) fn choose(credentials: &Credentials, offers: &[String]) -> Result<Self> {
        let has = |name: &str| offers.iter().any(|offer| offer == name);
        let (chosen, wanted) = match credentials {
            Credentials::Preauthenticated => return Err(super::unknown()),
            Credentials::Password { user, password } => {
                let may_log_in = !has("LOGINDISABLED");
                let is_ascii = user.is_ascii() && password.expose().is_ascii();
                let ways = [
                    #[cfg(feature = "scram")]
                    (
                        has("AUTH=SCRAM-SHA-256") && super::scram::can_carry(user, password),
                        Self::ScramSha256,
                    ),
                    (may_log_in && is_ascii, Self::Login),
                    (has("AUTH=PLAIN"), Self::Plain),
                    (may_log_in, Self::LoginWithLiterals),
                    // To be told what it cannot carry.
                    #[cfg(feature = "scram")]
                    (has("AUTH=SCRAM-SHA-256"), Self::ScramSha256),
                ];
                (first(&ways), PASSWORD_WAYS)
            }
            Credentials::Token { .. } => {
                let ways = [
                    (has("AUTH=OAUTHBEARER"), Self::OAuthBearer),
                    (has("AUTH=XOAUTH2"), Self::XOAuth2),
                ];
                (first(&ways), "OAUTHBEARER or XOAUTH2")
            }
        };
        chosen.ok_or_else(|| no_way(wanted, offers))
    }
}

#[cfg(feature = "scram")]
const PASSWORD_WAYS: &str = "LOGIN, PLAIN or SCRAM-SHA-256";
#[cfg(not(feature = "scram"))]
const PASSWORD_WAYS: &str = "LOGIN or PLAIN";

fn first(ways: &[(bool, Mechanism)]) -> Option<Mechanism> {
    let mut ways = ways.iter();
    ways.find(|(is_there, _)| *is_there).map(|(_, way)| *way)
}

fn no_way(wanted: &str, offers: &[String]) -> Error {
    let mut offered: Vec<&str> = offers
        .iter()
        .map(String::as_str)
        .filter(|offer| offer.starts_with("AUTH=") || *offer == "LOGINDISABLED")
        .collect();
    if offered.is_empty() {
        offered.push("nothing");
    }
    let offered = excerpt(offered.join(" ").as_bytes());
    Error::new(
        ErrorKind::Auth,
        format!(
            "the server has no way to sign in that can be used here: it offers {offered}, and \
             wanted is {wanted}; nothing secret was sent"
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::credentials::Secret;

    fn password(password: &str) -> Credentials {
        Credentials::Password {
            user: "me".to_owned(),
            password: Secret::from(password.to_owned()),
        }
    }

    fn token() -> Credentials {
        Credentials::Token {
            user: "me".to_owned(),
            provider: Arc::new(|| Ok(Secret::default())),
        }
    }

    fn chosen(credentials: &Credentials, offers: &str) -> Option<Mechanism> {
        let offers: Vec<String> = offers.split(' ').map(str::to_owned).collect();
        Mechanism::choose(credentials, &offers).ok()
    }

    #[test]
    fn the_strongest_that_both_have_is_chosen() {
        use Mechanism::*;
        let (ascii, other) = (password("secret"), password("geheimnisvoll-ß"));
        for (credentials, offers, expected) in [
            (&ascii, "IMAP4REV1", Some(Login)),
            (&ascii, "IMAP4REV1 AUTH=PLAIN", Some(Login)),
            (&ascii, "AUTH=PLAIN LOGINDISABLED", Some(Plain)),
            (&ascii, "AUTH=GSSAPI LOGINDISABLED", None),
            (&ascii, "AUTH=XOAUTH2 AUTH=OAUTHBEARER LOGINDISABLED", None),
            (&other, "AUTH=PLAIN", Some(Plain)),
            (&other, "IMAP4REV1", Some(LoginWithLiterals)),
            (&other, "LOGINDISABLED", None),
            (&token(), "AUTH=XOAUTH2 AUTH=OAUTHBEARER", Some(OAuthBearer)),
            (&token(), "AUTH=PLAIN AUTH=XOAUTH2", Some(XOAuth2)),
            (&token(), "IMAP4REV1 AUTH=PLAIN", None),
        ] {
            assert_eq!(chosen(credentials, offers), expected, "{offers}");
        }
    }

    #[cfg(feature = "scram")]
    #[test]
    fn scram_goes_before_what_shows_the_password() {
        for offers in [
            "AUTH=PLAIN AUTH=SCRAM-SHA-256",
            "AUTH=SCRAM-SHA-256 LOGINDISABLED",
        ] {
            let chosen = chosen(&password("secret"), offers);
            assert_eq!(chosen, Some(Mechanism::ScramSha256));
        }
        // They need something of the TLS library that it does not give.
        let plus = "AUTH=SCRAM-SHA-256-PLUS LOGINDISABLED";
        assert_eq!(chosen(&password("secret"), plus), None);
    }

    #[test]
    fn an_error_names_what_the_server_offers() {
        let offers = ["IMAP4REV1", "AUTH=GSSAPI", "LOGINDISABLED"].map(str::to_owned);
        let error = Mechanism::choose(&password("secret"), &offers).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Auth);
        let text = error.to_string();
        assert!(
            text.contains("AUTH=GSSAPI LOGINDISABLED") && text.contains("PLAIN"),
            "{text}"
        );
    }
}
