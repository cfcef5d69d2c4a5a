//! Which way to sign in: what the caller chose, or the best that both sides have.

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result, excerpt};
use crate::session::Mechanism;

/// Chooses by what the server offers, in capitals, if the caller has not.
///
/// LOGIN and PLAIN are equally strong. LOGIN comes first because every server has it, also those that
/// announce nothing; it gives way where it is forbidden (LOGINDISABLED, RFC 9051, section 6.2.3) or
/// the password is not ASCII, which not every server takes in a quoted string. SCRAM-SHA-256 has to be
/// chosen: servers announce it whether they have a secret for the account or not.
pub(super) fn choose(
    credentials: &Credentials,
    chosen: Option<Mechanism>,
    offers: &[String],
) -> Result<Mechanism> {
    let has = |name: &str| offers.iter().any(|offer| offer == name);
    let may_log_in = !has("LOGINDISABLED");
    let is_there = |mechanism: Mechanism| match mechanism {
        Mechanism::Login => may_log_in,
        other => has(&format!("AUTH={other}")),
    };
    let ways = match credentials {
        Credentials::Preauthenticated => return Err(super::unknown()),
        Credentials::Password { user, password } => {
            let is_ascii = user.is_ascii() && password.expose().is_ascii();
            match is_ascii {
                true => [Mechanism::Login, Mechanism::Plain],
                false => [Mechanism::Plain, Mechanism::Login],
            }
        }
        Credentials::Token { .. } => [Mechanism::OAuthBearer, Mechanism::XOAuth2],
    };
    let ways = match &chosen {
        Some(chosen) => std::slice::from_ref(chosen),
        None => &ways,
    };
    let found = ways.iter().find(|way| is_there(**way));
    found.copied().ok_or_else(|| no_way(ways, offers))
}

fn no_way(wanted: &[Mechanism], offers: &[String]) -> Error {
    let mut offered: Vec<&str> = offers
        .iter()
        .map(String::as_str)
        .filter(|offer| offer.starts_with("AUTH=") || *offer == "LOGINDISABLED")
        .collect();
    if offered.is_empty() {
        offered.push("nothing");
    }
    let offered = excerpt(offered.join(" ").as_bytes());
    let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let wanted = wanted.join(" or ");
    let advice = match offers.iter().any(|offer| offer == "AUTH=SCRAM-SHA-256") {
        true => "; `Builder::mechanism` chooses SCRAM-SHA-256, with the feature `scram`",
        false => "",
    };
    Error::new(
        ErrorKind::Auth,
        format!(
            "the server has no way to sign in that can be used here: it offers {offered}, and \
             wanted is {wanted}; nothing secret was sent{advice}"
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
        choose(credentials, None, &offers).ok()
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
            (&ascii, "AUTH=PLAIN AUTH=SCRAM-SHA-256", Some(Login)),
            (&ascii, "AUTH=SCRAM-SHA-256 LOGINDISABLED", None),
            (&ascii, "AUTH=XOAUTH2 AUTH=OAUTHBEARER LOGINDISABLED", None),
            (&other, "AUTH=PLAIN", Some(Plain)),
            (&other, "IMAP4REV1", Some(Login)),
            (&other, "LOGINDISABLED", None),
            (&token(), "AUTH=XOAUTH2 AUTH=OAUTHBEARER", Some(OAuthBearer)),
            (&token(), "AUTH=PLAIN AUTH=XOAUTH2", Some(XOAuth2)),
            (&token(), "IMAP4REV1 AUTH=PLAIN", None),
        ] {
            assert_eq!(chosen(credentials, offers), expected, "{offers}");
        }
    }

    #[test]
    fn what_the_caller_chooses_is_taken_and_nothing_else() {
        let offers = ["AUTH=PLAIN", "AUTH=SCRAM-SHA-256"].map(str::to_owned);
        let password = password("secret");
        let taken = choose(&password, Some(Mechanism::Plain), &offers);
        assert_eq!(taken.unwrap(), Mechanism::Plain);
        #[cfg(feature = "scram")]
        {
            let scram = Some(Mechanism::ScramSha256);
            let taken = choose(&password, scram, &offers);
            assert_eq!(taken.unwrap(), Mechanism::ScramSha256);
            // That needs something of the TLS library that it does not give.
            let plus = ["AUTH=SCRAM-SHA-256-PLUS".to_owned()];
            assert!(choose(&password, scram, &plus).is_err());
        }
        let disabled = ["LOGINDISABLED", "AUTH=PLAIN"].map(str::to_owned);
        let error = choose(&password, Some(Mechanism::Login), &disabled).unwrap_err();
        assert!(error.to_string().contains("wanted is LOGIN;"), "{error}");
    }

    #[test]
    fn an_error_names_what_the_server_offers() {
        let offers = ["IMAP4REV1", "AUTH=GSSAPI", "LOGINDISABLED"].map(str::to_owned);
        let error = choose(&password("secret"), None, &offers).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Auth);
        let text = error.to_string();
        assert!(
            text.contains("AUTH=GSSAPI LOGINDISABLED") && text.contains("PLAIN"),
            "{text}"
        );
    }
}
