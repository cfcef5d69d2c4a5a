//! What it means when a server refuses: slow down, come back later, not this account, not this
//! command. Read once, from the code where there is one (RFC 5530; RFC 9051, section 7.1) and from
//! the text otherwise, and in the same way whichever command it answers and whether NO, BAD, OK or
//! BYE carries it. What to do about it is decided elsewhere.

use std::time::Duration;

use crate::status::Condition;

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Slow down, for so long if the server says how long.
    Throttled(Option<Duration>),
    /// The account has too many sessions.
    SessionLimit,
    /// A limit, and the server does not say of what: of sessions where one is being opened, of
    /// commands later on.
    Limit,
    /// A condition of the server that passes by itself (RFC 5530, section 3).
    Passing,
    /// The account has used up what it may have: nothing will come today.
    UsedUp,
    /// The user, the password or the token.
    Credentials,
    /// The command is one that the server does not understand; perhaps its line is too long.
    NotUnderstood,
    /// A code that says that the same will be refused again.
    Final,
    /// Nothing that is known.
    Unknown,
}

/// What a code alone says.
enum Said {
    All(Refusal),
    /// This, unless the text knows better.
    AtLeast(Refusal),
    Nothing,
}

impl Refusal {
    /// Reads an answer. `None`: nothing is refused.
    pub(crate) fn of(condition: Condition, code: Option<&str>, text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text).to_ascii_lowercase();
        if matches!(condition, Condition::Ok | Condition::PreAuth) {
            // Gmail ends good answers in " [THROTTLED]" (node-imap#546).
            let hint = hint(&text);
            let is_throttled = code == Some("THROTTLED") || text.contains("[throttled]");
            return (is_throttled || hint.is_some() && text.contains("throttl"))
                .then_some(Self::Throttled(hint));
        }
        let by_code = match code {
            Some(code) => by_code(code),
            None => Said::Nothing,
        };
        let by_text = || by_text(&text);
        Some(match by_code {
            Said::All(Self::Throttled(_)) => Self::Throttled(hint(&text)),
            Said::All(refusal) => refusal,
            Said::AtLeast(refusal) => by_text().unwrap_or(refusal),
            Said::Nothing => by_text().unwrap_or(match condition {
                Condition::Bad => Self::NotUnderstood,
                Condition::Bye => Self::Passing,
                _ => Self::Unknown,
            }),
        })
    }

    /// Whether the same may be granted another time.
    pub(crate) fn may_pass(self) -> bool {
        match self {
            Self::Throttled(_) | Self::SessionLimit | Self::Limit | Self::Passing => true,
            Self::UsedUp
            | Self::Credentials
            | Self::NotUnderstood
            | Self::Final
            | Self::Unknown => false,
        }
    }

    /// How long the server wants to be left in peace, if it says so.
    pub(crate) fn hint(self) -> Option<Duration> {
        match self {
            Self::Throttled(hint) => hint,
            _ => None,
        }
    }
}

fn by_code(code: &str) -> Said {
    match code {
        "THROTTLED" => Said::All(Refusal::Throttled(None)),
        "OVERQUOTA" => Said::All(Refusal::UsedUp),
        "AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED" => {
            Said::All(Refusal::Credentials)
        }
        "LIMIT" => Said::AtLeast(Refusal::Limit),
        // Dovecot puts its limit on connections under UNAVAILABLE (node-imap#606). TEMPFAIL is
        // Wildduck's (wildduck#707).
        "UNAVAILABLE" | "INUSE" | "SERVERBUG" | "TEMPFAIL" => Said::AtLeast(Refusal::Passing),
        "ALREADYEXISTS" | "BADCHARSET" | "CANNOT" | "CLIENTBUG" | "CONTACTADMIN" | "CORRUPTION"
        | "HASCHILDREN" | "NONEXISTENT" | "NOPERM" | "PRIVACYREQUIRED" | "READ-ONLY" | "TOOBIG"
        | "TRYCREATE" | "UNKNOWN-CTE" | "USEATTR" => Said::All(Refusal::Final),
        _ => Said::Nothing,
    }
}

/// Providers word it in many ways. The first line that holds one of its phrases counts.
fn by_text(text: &str) -> Option<Refusal> {
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    // Gmail: "Account exceeded command or bandwidth limits."
    if has(&["bandwidth limit"]) {
        return Some(Refusal::UsedUp);
    }
    if has(&["backoff time"]) || has(THROTTLED) {
        return Some(Refusal::Throttled(hint(text)));
    }
    if has(&["too many simultaneous"]) || has(SESSIONS) && has(TOO_MANY) {
        return Some(Refusal::SessionLimit);
    }
    // One text of QQ names all causes, a wrong password among them.
    if has(CREDENTIALS) {
        return Some(Refusal::Credentials);
    }
    if has(PASSING) {
        return Some(Refusal::Passing);
    }
    None
}

const THROTTLED: &[&str] = &[
    "throttl",
    "rate limit",
    "too many requests",
    // Exchange, which has too many sessions of the account, or too many in a row
    // (Webklex/php-imap#464).
    "authenticated but not connected",
];

const SESSIONS: &[&str] = &["connection", "session"];

/// Dovecot, Cyrus, Gmail, Exchange, Yahoo, Courier.
const TOO_MANY: &[&str] = &[
    "too many",
    "maximum number",
    "limit exceeded",
    "limit reached",
];

const CREDENTIALS: &[&str] = &["password", "credentials", "authentication fail"];

/// Gmail's "System Error (Failure)" (offlineimap#682), iCloud's and Yahoo's "temporarily"
/// (mail-archiver#414, node-imap#340), Exchange's "Server Unavailable. 15", Yandex's "Backend
/// error".
const PASSING: &[&str] = &[
    "temporar",
    "try again",
    "try later",
    "system error",
    "server error",
    "internal error",
    "backend error",
    "unavailable",
];

/// What the time to wait follows in a text, in lower case. Exchange's is `Suggested Backoff Time:
/// 299961 milliseconds`.
const BEFORE_A_TIME: &[&str] = &[
    "backoff time",
    "retry after",
    "retry in",
    "try again in",
    "try again after",
    "wait",
];

/// How long the server asks to be left in peace.
fn hint(text: &str) -> Option<Duration> {
    BEFORE_A_TIME.iter().find_map(|phrase| {
        let (_, rest) = text.split_once(phrase)?;
        let mut words = rest
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .skip_while(|word| matches!(*word, "at" | "for" | "least" | "is" | "time"));
        let number: u64 = words.next()?.parse().ok()?;
        Some(match words.next()? {
            "milliseconds" | "millisecond" | "ms" => Duration::from_millis(number),
            "seconds" | "second" | "secs" | "sec" | "s" => Duration::from_secs(number),
            "minutes" | "minute" | "min" => Duration::from_secs(number.saturating_mul(60)),
            _ => return None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: fn(u64) -> Option<Duration> = |seconds| Some(Duration::from_secs(seconds));

    fn read(answer: &str) -> Option<Refusal> {
        let status = crate::status::Status::parse(answer.as_bytes()).unwrap();
        Refusal::of(status.condition, status.code_word().as_deref(), status.text)
    }

    #[test]
    fn a_meaning_does_not_depend_on_what_carries_it() {
        let throttled = "Request is throttled. Suggested Backoff Time: 1500 milliseconds";
        let half = Some(Duration::from_millis(1500));
        for word in ["NO", "BAD", "BYE"] {
            for (text, meaning) in [
                (throttled, Refusal::Throttled(half)),
                (
                    "[LIMIT] UID FETCH Rate limit hit.",
                    Refusal::Throttled(None),
                ),
                ("[UNAVAILABLE] UID FETCH Server error", Refusal::Passing),
                (
                    "Too many simultaneous connections. (Failure)",
                    Refusal::SessionLimit,
                ),
                ("[OVERQUOTA] enough for today", Refusal::UsedUp),
            ] {
                let answer = format!("{word} {text}");
                assert_eq!(read(&answer), Some(meaning), "{answer}");
            }
        }
    }

    #[test]
    fn the_code_comes_first_and_the_text_fills_in_what_it_leaves_open() {
        for (answer, meaning) in [
            (
                "NO [AUTHENTICATIONFAILED] too many login failures, closing connection",
                Refusal::Credentials,
            ),
            (
                "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded \
                 (mail_max_userip_connections=10)",
                Refusal::SessionLimit,
            ),
            ("NO [LIMIT] Sorry", Refusal::Limit),
            (
                "NO [THROTTLED] wait 7 seconds",
                Refusal::Throttled(SECONDS(7)),
            ),
            ("NO [INUSE] locked", Refusal::Passing),
            ("NO [TEMPFAIL] ran out of patience", Refusal::Passing),
            (
                "NO [NONEXISTENT] Unknown Mailbox: X (try again)",
                Refusal::Final,
            ),
            // Unknown codes leave all to the text.
            (
                "NO [ALERT] Too many simultaneous connections.",
                Refusal::SessionLimit,
            ),
            ("NO [XYZ] try later", Refusal::Passing),
        ] {
            assert_eq!(read(answer), Some(meaning), "{answer}");
        }
    }

    #[test]
    fn texts_without_a_code_are_known_by_their_words() {
        for (answer, meaning) in [
            ("NO Service temporarily unavailable", Refusal::Passing),
            ("NO System Error (Failure)", Refusal::Passing),
            ("NO Server Unavailable. 15", Refusal::Passing),
            // Seen with Cyrus 3.6.1; with `maxlogins_per_host` set, it counts both.
            (
                "NO Too many open connections (3 of 3 for reader)",
                Refusal::SessionLimit,
            ),
            (
                "NO Too many open connections (2 of 1 from localhost [127.0.0.1], 0 of 30 for x)",
                Refusal::SessionLimit,
            ),
            (
                "NO Login failed: authentication failure",
                Refusal::Credentials,
            ),
            (
                "NO Login fail. Account is abnormal, service is not open, password is incorrect, \
                 login frequency limited, or system is busy.",
                Refusal::Credentials,
            ),
            ("NO LOGIN failed.", Refusal::Unknown),
            (
                "NO Some messages could not be FETCHed (Failure)",
                Refusal::Unknown,
            ),
            (
                "NO Account exceeded command or bandwidth limits. (Failure)",
                Refusal::UsedUp,
            ),
            (
                "BAD User is authenticated but not connected.",
                Refusal::Throttled(None),
            ),
            ("BAD Command Error. 10", Refusal::NotUnderstood),
            ("BYE LOGOUT Requested", Refusal::Passing),
        ] {
            assert_eq!(read(answer), Some(meaning), "{answer}");
        }
    }

    #[test]
    fn an_ok_refuses_nothing_unless_it_says_that_it_throttles() {
        for answer in [
            "OK FETCH completed. Try again later",
            "OK SEARCH completed (took 1 ms)",
            "OK [READ-ONLY] done",
            "PREAUTH too many connections",
        ] {
            assert_eq!(read(answer), None, "{answer}");
        }
        for answer in ["OK Success [THROTTLED]", "OK [THROTTLED] done"] {
            assert_eq!(read(answer), Some(Refusal::Throttled(None)), "{answer}");
        }
    }

    #[test]
    fn a_time_to_wait_is_read_in_several_words_and_units() {
        for (text, expected) in [
            (
                "suggested backoff time: 299961 milliseconds",
                Some(Duration::from_millis(299_961)),
            ),
            ("rate limit hit, try again in 2 minutes", SECONDS(120)),
            ("too many requests; retry after 30s", None),
            ("too many requests; retry after 30 s", SECONDS(30)),
            ("please wait at least 5 seconds", SECONDS(5)),
            ("rate limit (0.001 + 0.000 secs)", None),
            ("throttled (took 1 ms)", None),
            ("wait 99999999999999999999999 seconds", None),
        ] {
            assert_eq!(hint(text), expected, "{text}");
        }
    }
}
