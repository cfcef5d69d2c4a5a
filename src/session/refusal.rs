//! What it means when a server says NO: the answer is in the code where there is one (RFC 5530,
//! RFC 9051, section 7.1), and in the text otherwise. Providers word it in many ways.

use std::time::Duration;

/// What a refusal of a command means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Slow down, for so long if the server says how long.
    Throttled(Option<Duration>),
    /// A passing condition of the server (RFC 5530, section 3).
    Passing,
    /// The account has used up what it may: nothing will come today.
    UsedUp,
    /// Something about the command itself or its messages.
    Other,
}

impl Refusal {
    /// Reads it from the code, and from the text where providers put it there.
    pub(crate) fn of(code: Option<&str>, text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text).to_ascii_lowercase();
        // Gmail: "Account exceeded command or bandwidth limits."
        if code == Some("OVERQUOTA") || text.contains("bandwidth limit") {
            return Self::UsedUp;
        }
        let hint = backoff_hint(&text);
        if hint.is_some()
            || matches!(code, Some("THROTTLED" | "LIMIT"))
            || [
                "throttl",
                "rate limit",
                "too many requests",
                // Exchange, which has too many sessions of the account, or too many in a row.
                "authenticated but not connected",
            ]
            .iter()
            .any(|words| text.contains(words))
        {
            return Self::Throttled(hint);
        }
        match code {
            Some("UNAVAILABLE" | "INUSE" | "SERVERBUG") => Self::Passing,
            _ => Self::Other,
        }
    }
}

/// Whether the server has enough of our connections. Providers word it in many ways; these
/// fragments are those of Dovecot, Cyrus, Gmail, Exchange, Yahoo and Courier.
pub(crate) fn is_about_limit(code: Option<&str>, text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let connections = text.contains("connection") || text.contains("session");
    code == Some("LIMIT")
        || text.contains("too many simultaneous")
        || connections
            && [
                "too many",
                "maximum number",
                "limit exceeded",
                "limit reached",
            ]
            .iter()
            .any(|words| text.contains(words))
}

/// Exchange's `Suggested Backoff Time: 299961 milliseconds`, in lower case.
fn backoff_hint(text: &str) -> Option<Duration> {
    let (_, rest) = text.split_once("backoff time:")?;
    let mut words = rest.split_ascii_whitespace();
    let number = words.next()?.parse().ok()?;
    match words
        .next()?
        .trim_end_matches(|c: char| !c.is_ascii_alphabetic())
    {
        "milliseconds" | "ms" => Some(Duration::from_millis(number)),
        "seconds" | "s" => Some(Duration::from_secs(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_on_logins_of_cyrus_is_told_from_a_wrong_password_without_a_code() {
        // Seen with Cyrus 3.6.1; with `maxlogins_per_host` set, it counts both.
        for text in [
            "Too many open connections (3 of 3 for reader)",
            "Too many open connections (2 of 1 from localhost [127.0.0.1], 0 of 30 for reader)",
        ] {
            assert!(is_about_limit(None, text.as_bytes()), "{text}");
        }
        let refused = b"Login failed: authentication failure";
        assert!(!is_about_limit(None, refused));
        assert_eq!(Refusal::of(None, refused), Refusal::Other);
    }

    #[test]
    fn throttling_is_told_by_code_or_text_and_the_hint_is_read() {
        let hint = Refusal::of(
            None,
            b"Request is throttled. Suggested Backoff Time: 2500 milliseconds",
        );
        assert_eq!(hint, Refusal::Throttled(Some(Duration::from_millis(2500))));
        assert_eq!(
            Refusal::of(Some("THROTTLED"), b""),
            Refusal::Throttled(None)
        );
        assert_eq!(
            Refusal::of(Some("LIMIT"), b"slow down"),
            Refusal::Throttled(None)
        );
        assert_eq!(Refusal::of(Some("INUSE"), b""), Refusal::Passing);
        assert_eq!(Refusal::of(Some("OVERQUOTA"), b""), Refusal::UsedUp);
        let gmail = b"Account exceeded command or bandwidth limits. (Failure)";
        assert_eq!(Refusal::of(None, gmail), Refusal::UsedUp);
        assert_eq!(
            Refusal::of(None, b"Some messages could not be FETCHed"),
            Refusal::Other
        );
    }
}
