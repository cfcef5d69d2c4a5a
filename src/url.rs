//! The URL of a mailbox, as far as RFC 5092 has a use here: `imaps://user@host:port/Mailbox`.
//!
//! People put passwords into URLs, and put them wrongly, so that a part of one may be read as a
//! host, a port or a mailbox. So nothing here ever repeats any part of a URL that it refuses.

use std::fmt;
use std::net::Ipv6Addr;

use crate::error::{Error, Result};

/// What the URL says about security.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `imap://`: the connection starts in the clear.
    Imap,
    /// `imaps://`: TLS from the first octet (RFC 8314, section 3).
    Imaps,
}

/// A URL taken apart, with everything decoded.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MailboxUrl {
    pub(crate) security: Scheme,
    pub(crate) user: Option<String>,
    /// A name or an address, that of IPv6 without brackets. Not empty.
    pub(crate) host: String,
    /// Not 0.
    pub(crate) port: Option<u16>,
    /// In UTF-8. Not empty.
    pub(crate) mailbox: Option<String>,
}

/// Without the user, which is half of the credentials.
impl fmt::Debug for MailboxUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailboxUrl")
            .field("security", &self.security)
            .field("user", &self.user.as_ref().map(|_| "…"))
            .field("host", &self.host)
            .field("port", &self.port)
            .field("mailbox", &self.mailbox)
            .finish()
    }
}

/// Reads a URL.
///
/// # Errors
///
/// `Config` if it is no such URL, if it has a password, or if it names more than a mailbox. The
/// text says what is wrong without repeating any of it.
pub(crate) fn parse(url: &str) -> Result<MailboxUrl> {
    if url.chars().any(char::is_control) {
        return Err(refusal("has a control character"));
    }
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let security = match scheme.to_ascii_lowercase().as_str() {
        "imaps" => Scheme::Imaps,
        "imap" => Scheme::Imap,
        _ => return Err(refusal("does not start with imaps:// or imap://")),
    };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    // In `me:12/34@host` all before the @ was meant as a user and a password, but the grammar has
    // a host and a port there, and would have us look up the one and show the other.
    if authority.contains(':') && !authority.contains('@') && path.contains('@') {
        return Err(refusal(
            "has an @ after the host and port: in a mailbox it is written %40; \
             if it ends a password, use login(user, password) instead",
        ));
    }
    // An address is a common user name, so the last @ is the one that counts.
    let (user, server) = match authority.rsplit_once('@') {
        Some((user, server)) => (parse_user(user)?, server),
        None => (None, authority),
    };
    let (host, port) = parse_server(server)?;
    Ok(MailboxUrl {
        security,
        user,
        host,
        port,
        mailbox: parse_path(path)?,
    })
}

/// The `iuserinfo` of RFC 5092, section 11: a user, `;AUTH=`, or both.
fn parse_user(text: &str) -> Result<Option<String>> {
    if text.contains(':') {
        return Err(refusal(
            "has a password, which URLs leak: use login(user, password) instead",
        ));
    }
    if text.is_empty() {
        return Err(refusal("has an empty user"));
    }
    let user = match text.split_once(';') {
        None => text,
        // "Any mechanism", which is the default (RFC 5092, section 3.2).
        Some((user, parameter)) if parameter.eq_ignore_ascii_case("AUTH=*") => user,
        Some(_) => {
            return Err(refusal(
                "has a parameter after the user other than ;AUTH=*: \
                 login or oauth2 say how to authenticate",
            ));
        }
    };
    if user.is_empty() {
        return Ok(None);
    }
    decode(user, "user").map(Some)
}

fn parse_server(text: &str) -> Result<(String, Option<u16>)> {
    let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed
            .split_once(']')
            .ok_or_else(|| refusal("has a bracket that is not closed"))?;
        address
            .parse::<Ipv6Addr>()
            .map_err(|_| refusal("has no IPv6 address between the brackets"))?;
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            None => return Err(refusal("has something other than a port after the address")),
            port => port,
        };
        (address, port)
    } else {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        if host.is_empty() {
            return Err(refusal("has no host"));
        }
        let is_of_a_name = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
        if !host.bytes().all(is_of_a_name) {
            return Err(refusal(
                "has a character in the host that is none of a name in ASCII",
            ));
        }
        (host, port)
    };
    // An empty port is the default one (RFC 3986, section 3.2.3).
    let port = port.filter(|port| !port.is_empty());
    Ok((host.to_owned(), port.map(parse_port).transpose()?))
}

fn parse_port(text: &str) -> Result<u16> {
    // `u16::from_str` alone would also take a sign.
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
    match text.parse() {
        Ok(port) if is_number && port > 0 => Ok(port),
        _ => Err(refusal(
            "has a port that is no number from 1 to 65535; \
             if it is part of a password, use login(user, password) instead",
        )),
    }
}

/// The `enc-mailbox` of RFC 5092, section 11, and none of what may follow it.
fn parse_path(text: &str) -> Result<Option<String>> {
    if text.contains('?') {
        return Err(refusal("has a search: give search() a query instead"));
    }
    if text.contains('#') {
        return Err(refusal("has a fragment; # in a mailbox is written %23"));
    }
    if text.contains(';') {
        return Err(refusal(
            "has a parameter such as ;UIDVALIDITY= or ;UID=, but must name a mailbox only; \
             ; in a mailbox is written %3B",
        ));
    }
    // Here the text is empty or starts with the slash that ends the authority.
    let mailbox = text.strip_prefix('/').unwrap_or(text);
    if mailbox.is_empty() {
        return Ok(None);
    }
    decode(mailbox, "mailbox").map(Some)
}

/// Undoes percent-encoding (RFC 3986, section 2.1). What is not encoded stays, also what ought to
/// be.
fn decode(text: &str, part: &str) -> Result<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        if octet == b'%' {
            let pair = rest.split_at_checked(2).and_then(|(digits, after)| {
                rest = after;
                Some(hexadecimal(digits[0])? << 4 | hexadecimal(digits[1])?)
            });
            octets.push(pair.ok_or_else(|| {
                refusal(&format!(
                    "has a % in the {part} without two hexadecimal digits; % itself is written %25"
                ))
            })?);
        } else {
            octets.push(octet);
        }
    }
    let decoded = String::from_utf8(octets)
        .map_err(|_| refusal(&format!("has octets in the {part} that are not UTF-8")))?;
    if decoded.contains(['\r', '\n', '\0']) {
        return Err(refusal(&format!("has a CR, LF or NUL in the {part}")));
    }
    Ok(decoded)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn refusal(why: &str) -> Error {
    Error::config(format!("the URL {why}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    fn url(security: Scheme, host: &str) -> MailboxUrl {
        MailboxUrl {
            security,
            user: None,
            host: host.to_owned(),
            port: None,
            mailbox: None,
        }
    }

    fn refused(url: &str) -> String {
        let error = parse(url).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Config);
        error.to_string()
    }

    /// The cells of the tables in the documentation of `ParallelMailbox::from_url`.
    fn documented() -> Vec<Vec<&'static str>> {
        let source = include_str!("mailbox.rs");
        let rows = source
            .lines()
            .filter_map(|line| line.trim().strip_prefix("/// | `imap"));
        rows.map(|row| {
            row.split(" | ")
                .map(|cell| cell.trim_matches([' ', '|', '`']))
        })
        .map(Iterator::collect)
        .collect()
    }

    #[test]
    fn the_documentation_says_how_urls_are_read() {
        let (mut read, mut refused) = (0, 0);
        for row in documented() {
            let url = format!("imap{}", row[0]);
            let [_, security, user, host, port, mailbox] = row[..] else {
                assert!(parse(&url).is_err(), "{url}");
                refused += 1;
                continue;
            };
            let found = parse(&url).unwrap();
            let (name, default_port) = match found.security {
                Scheme::Imaps => ("Tls", "993"),
                Scheme::Imap => ("StartTls", "143"),
            };
            assert_eq!(security, name, "{url}");
            assert_eq!(found.user.as_deref().unwrap_or("–"), user, "{url}");
            assert_eq!(found.host, host, "{url}");
            let found_port = found.port.map(|port| port.to_string());
            assert_eq!(found_port.as_deref().unwrap_or(default_port), port, "{url}");
            assert_eq!(
                found.mailbox.as_deref().unwrap_or("INBOX"),
                mailbox,
                "{url}"
            );
            read += 1;
        }
        assert_eq!((read, refused), (6, 7));
    }

    #[test]
    fn takes_a_url_apart() {
        let full = MailboxUrl {
            user: Some("me".into()),
            port: Some(1993),
            mailbox: Some("Sent Mail/2026".into()),
            ..url(Scheme::Imaps, "mail.example.org")
        };
        assert_eq!(
            parse("imaps://me@mail.example.org:1993/Sent%20Mail/2026").unwrap(),
            full
        );
        let host = url(Scheme::Imap, "h");
        for same in ["imap://h", "IMAP://h/", "imap://h:", "imap://;AUTH=*@h"] {
            assert_eq!(parse(same).unwrap(), host, "{same}");
        }
    }

    #[test]
    fn decodes_users_and_mailboxes_and_leaves_what_need_not_be_encoded() {
        for (text, user) in [
            ("me%40example.org", "me@example.org"),
            ("me@example.org", "me@example.org"),
            ("a%3ab", "a:b"),
            ("m%C3%BCller;auth=*", "müller"),
        ] {
            let url = parse(&format!("imaps://{text}@h/")).unwrap();
            assert_eq!(url.user.as_deref(), Some(user));
            assert_eq!(url.host, "h");
        }
        for (text, mailbox) in [
            ("INBOX", "INBOX"),
            ("Entw%C3%BCrfe", "Entwürfe"),
            ("Entwürfe", "Entwürfe"),
            ("%E6%97%A5/%e6%9c%ac", "日/本"),
            ("a&b=c+d@e:f", "a&b=c+d@e:f"),
            ("a%2Fb%3B%25%3f%23", "a/b;%?#"),
        ] {
            let url = parse(&format!("imaps://h/{text}")).unwrap();
            assert_eq!(url.mailbox.as_deref(), Some(mailbox));
        }
    }

    #[test]
    fn reads_addresses_with_and_without_a_port() {
        let server = |text: &str| {
            let url = parse(&format!("imaps://{text}/INBOX")).unwrap();
            (url.host, url.port)
        };
        assert_eq!(server("[::1]"), ("::1".into(), None));
        assert_eq!(server("[fe80::1]:993"), ("fe80::1".into(), Some(993)));
        assert_eq!(server("me@[::1]:"), ("::1".into(), None));
        assert_eq!(server("127.0.0.1:1"), ("127.0.0.1".into(), Some(1)));
    }

    #[test]
    fn refuses_what_is_no_url_of_a_mailbox() {
        for (url, why) in [
            ("", "does not start with imaps:// or imap://"),
            ("https://h/", "does not start with imaps://"),
            (" imaps://h", "does not start with imaps://"),
            ("imaps://", "has no host"),
            ("imaps:///INBOX", "has no host"),
            ("imaps://:993", "has no host"),
            ("imaps://@h", "has an empty user"),
            ("imaps://a b", "character in the host"),
            ("imaps://münchen.example", "character in the host"),
            ("imaps://h%2e", "character in the host"),
            ("imaps://::1", "has no host"),
            ("imaps://[::1", "bracket"),
            ("imaps://[::g]", "no IPv6 address"),
            ("imaps://[fe80::1%25eth0]", "no IPv6 address"),
            ("imaps://[::1]993", "something other than a port"),
            ("imaps://h:0", "has a port"),
            ("imaps://h:65536", "has a port"),
            ("imaps://h:+1", "has a port"),
            ("imaps://h/a%2", "without two hexadecimal digits"),
            ("imaps://h/a%zz", "without two hexadecimal digits"),
            ("imaps://h/a%é", "without two hexadecimal digits"),
            ("imaps://h/%FF", "not UTF-8"),
            ("imaps://h/a%0D%0Ab", "CR, LF or NUL"),
            ("imaps://a%00@h", "CR, LF or NUL"),
            ("imaps://h/a\r\nb", "control character"),
            ("imaps://h/INBOX;UIDVALIDITY=1", ";UIDVALIDITY="),
            ("imaps://h/INBOX/;UID=7", "must name a mailbox only"),
            ("imaps://h/INBOX?SUBJECT%20a", "has a search"),
            ("imaps://h?a", "has a search"),
            ("imaps://h/a#b", "has a fragment"),
            ("imaps://me;AUTH=PLAIN@h", "other than ;AUTH=*"),
            ("imaps://me;x@h", "other than ;AUTH=*"),
        ] {
            let error = refused(url);
            assert!(error.contains(why), "{url}: {error}");
        }
    }

    #[test]
    fn a_password_is_refused_and_never_repeated() {
        for url in [
            "imaps://me:hunter2@h/INBOX",
            "imaps://me:@h",
            "imaps://hunter2:hunter2;AUTH=*@h",
            "imaps://me;AUTH=hunter2@h",
            "imaps://me%hunter2@h",
            "imaps://me:hunter2/3@h/INBOX",
            "imaps://hunter2:1/hunter2@h/INBOX",
            "imaps://hunter2:/hunter2@h/INBOX",
            "imaps://me:hunter2?@h/INBOX",
            "imaps://me:hunter2#@h/INBOX",
            "me:hunter2@h",
            "hunter2://me@h",
        ] {
            let error = parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}");
        }
        assert!(refused("imaps://me:x@h").contains("use login(user, password)"));
        assert!(refused("imaps://me:x/3@h").contains("use login(user, password)"));
        assert!(refused("imaps://me:12/3@h").contains("use login(user, password)"));
    }

    #[test]
    fn debug_shows_that_there_is_a_user_and_not_who() {
        let shown = format!("{:?}", parse("imaps://hunter2@h/INBOX").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("user: Some(\"…\")"), "{shown}");
    }

    proptest! {
        #[test]
        fn decodes_any_name_that_was_encoded(name in "[^\r\n\0]{1,20}") {
            let encoded: String = name.bytes().map(|octet| format!("%{octet:02X}")).collect();
            let url = parse(&format!("imaps://{encoded}@h/{encoded}")).unwrap();
            prop_assert_eq!(url.user.as_deref(), Some(name.as_str()));
            prop_assert_eq!(url.mailbox.as_deref(), Some(name.as_str()));
        }

        #[test]
        fn never_panics_and_never_lets_a_line_break_through(
            text in "[a%0DdA:/@;?#\\[\\]é\r]{0,16}|\\PC{0,16}",
        ) {
            if let Ok(url) = parse(&format!("imaps://{text}")) {
                let parts = [url.user, Some(url.host), url.mailbox];
                for part in parts.into_iter().flatten() {
                    prop_assert!(!part.is_empty() && !part.contains(['\r', '\n', '\0']));
                }
                prop_assert_ne!(url.port, Some(0));
            }
        }
    }
}
