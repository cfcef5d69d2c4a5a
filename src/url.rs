//! IMAP URLs (RFC 5092), as far as they name a mailbox.

use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Imaps,
    Imap,
}

/// The parts of a URL. What is left out is `None`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MailboxUrl {
    pub(crate) security: Scheme,
    pub(crate) user: Option<String>,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) mailbox: Option<String>,
}

impl MailboxUrl {
    /// Reads `imaps://user@host:port/mailbox`.
    ///
    /// No error repeats anything that stands before the `@`: somebody may have put a password
    /// there.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let url = url.trim();
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| refused("it begins with neither imaps:// nor imap://"))?;
        let security = match scheme.to_ascii_lowercase().as_str() {
            "imaps" => Scheme::Imaps,
            "imap" => Scheme::Imap,
            _ => return Err(refused("it begins with neither imaps:// nor imap://")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, server) = match authority.rsplit_once('@') {
            Some((user, server)) => (Some(parse_user(user)?), server),
            None => (None, authority),
        };
        let (host, port) = parse_server(server)?;
        Ok(Self {
            security,
            user,
            host,
            port,
            mailbox: parse_mailbox(path)?,
        })
    }
}

fn refused(why: &str) -> Error {
    Error::config(format!(
        "this URL cannot be used: {why}; it looks like imaps://user@imap.example.org/INBOX"
    ))
}

fn parse_user(text: &str) -> Result<String> {
    let (user, mechanism) = match text.split_once(';') {
        Some((user, mechanism)) => (user, Some(mechanism)),
        None => (text, None),
    };
    if user.contains(':') {
        return Err(refused(
            "a password has no place in it (RFC 5092, section 3.2); set it by `login` or \
             `password`",
        ));
    }
    if mechanism.is_some_and(|mechanism| !mechanism.eq_ignore_ascii_case("AUTH=*")) {
        return Err(refused("of ;AUTH= only ;AUTH=* is understood"));
    }
    if user.is_empty() {
        return Err(refused("the user name before the @ is empty"));
    }
    decode(user).ok_or_else(|| refused("the user name is not percent-encoded UTF-8"))
}

fn parse_server(server: &str) -> Result<(String, Option<u16>)> {
    let (host, port) = if let Some(rest) = server.strip_prefix('[') {
        let (host, rest) = rest
            .split_once(']')
            .ok_or_else(|| refused("the bracket of the IPv6 address is not closed"))?;
        if host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(refused("what stands in brackets is no IPv6 address"));
        }
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => {
                return Err(refused(
                    "after the bracket comes something else than a port",
                ));
            }
        }
    } else {
        match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        }
    };
    let host = decode(host).ok_or_else(|| refused("the host is not percent-encoded UTF-8"))?;
    if host.is_empty() {
        return Err(refused("there is no host"));
    }
    // RFC 3986, section 3.2.3: the port may be empty, which means the default.
    let port = match port.filter(|port| !port.is_empty()) {
        Some(port) => Some(
            port.parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| refused("the port is no number from 1 to 65535"))?,
        ),
        None => None,
    };
    Ok((host, port))
}

fn parse_mailbox(path: &str) -> Result<Option<String>> {
    if path.contains(['?', '#']) {
        return Err(refused("a search cannot be part of it; use `search`"));
    }
    if path.contains(';') {
        return Err(refused(
            "parameters such as ;UID= are not understood; name the mailbox alone",
        ));
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(None);
    }
    match decode(path) {
        Some(mailbox) => Ok(Some(mailbox)),
        None => Err(refused("the mailbox is not percent-encoded UTF-8")),
    }
}

/// Resolves `%20` and the like. `None` if that is not possible, or would bring control characters
/// in.
fn decode(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&octet, next)) = rest.split_first() {
        rest = next;
        if octet == b'%' {
            let (digits, next) = rest.split_at_checked(2)?;
            let digits = str::from_utf8(digits).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            octets.push(u8::from_str_radix(digits, 16).ok()?);
            rest = next;
        } else {
            octets.push(octet);
        }
    }
    let decoded = String::from_utf8(octets).ok()?;
    (!decoded.contains(|character: char| character.is_control())).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_part() {
        let url = MailboxUrl::parse("IMAPS://me%40example.org@imap.example.org:1993/Mail%20box");
        assert_eq!(
            url.unwrap(),
            MailboxUrl {
                security: Scheme::Imaps,
                user: Some("me@example.org".to_owned()),
                host: "imap.example.org".to_owned(),
                port: Some(1993),
                mailbox: Some("Mail box".to_owned()),
            }
        );
    }

    #[test]
    fn leaves_out_what_is_left_out() {
        for text in ["imap://[::1]", "imap://[::1]/", "imap://[::1]:/"] {
            let url = MailboxUrl::parse(text).unwrap();
            assert_eq!((url.security, url.host.as_str()), (Scheme::Imap, "::1"));
            assert_eq!((url.user, url.port, url.mailbox), (None, None, None));
        }
        let url = MailboxUrl::parse("imaps://me;AUTH=*@host/Entw%C3%BCrfe/2026/").unwrap();
        assert_eq!(url.user.as_deref(), Some("me"));
        assert_eq!(url.mailbox.as_deref(), Some("Entwürfe/2026"));
    }

    #[test]
    fn says_what_is_wrong_and_never_repeats_a_password() {
        for (text, why) in [
            ("imap.example.org", "begins with neither"),
            ("https://example.org", "begins with neither"),
            ("imaps://", "no host"),
            ("imaps://host:x/", "port"),
            ("imaps://host:0/", "port"),
            ("imaps://host:65536/", "port"),
            ("imaps://[::1/", "bracket"),
            ("imaps://[hunter2]/", "IPv6"),
            ("imaps://me:hunter2@host/", "password"),
            ("imaps://me;AUTH=hunter2@host/", "AUTH"),
            ("imaps://%ffhunter2@host/", "user name"),
            ("imaps://@host/", "user name"),
            ("imaps://host/a%0d%0ab", "mailbox"),
            ("imaps://host/a%zz", "mailbox"),
            ("imaps://host/a;UID=7", "parameters"),
            ("imaps://host/a?ALL", "search"),
        ] {
            let error = MailboxUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
