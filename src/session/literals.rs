//! How a literal is sent: after the server has said that it waits for it (RFC 9051, section 4.3), or
//! at once, without a round trip (RFC 7888).

/// Beyond so many octets a literal is waited for where the server knows LITERAL- only (RFC 7888,
/// section 5).
const SHORT: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Literals {
    /// After the server has said that it waits for them.
    Awaited,
    /// At once, if they are short (LITERAL-).
    ShortAtOnce,
    /// At once (LITERAL+).
    AtOnce,
}

/// What announces a literal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Announcement {
    /// With the line end.
    pub(super) text: String,
    /// The server has to be waited for.
    pub(super) is_awaited: bool,
}

impl Literals {
    /// By what the server offers, in capitals.
    pub(super) fn of(offers: &[String]) -> Self {
        let has = |name: &str| offers.iter().any(|offer| offer == name);
        if has("LITERAL+") {
            Self::AtOnce
        } else if has("LITERAL-") || has("IMAP4REV2") {
            Self::ShortAtOnce
        } else {
            Self::Awaited
        }
    }

    pub(super) fn announce(self, octets: usize) -> Announcement {
        let is_awaited = match self {
            Self::AtOnce => false,
            Self::ShortAtOnce => octets > SHORT,
            Self::Awaited => true,
        };
        let mark = if is_awaited { "" } else { "+" };
        Announcement {
            text: format!("{{{octets}{mark}}}\r\n"),
            is_awaited,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(offers: &str, octets: usize) -> String {
        let offers: Vec<String> = offers.split(' ').map(str::to_owned).collect();
        Literals::of(&offers).announce(octets).text
    }

    #[test]
    fn a_literal_is_waited_for_unless_the_server_says_otherwise() {
        assert_eq!(announced("IMAP4REV1", 5), "{5}\r\n");
        assert_eq!(announced("IMAP4REV1 LITERAL-", 4096), "{4096+}\r\n");
        assert_eq!(announced("IMAP4REV2", 4097), "{4097}\r\n");
        assert_eq!(announced("LITERAL- LITERAL+", 4097), "{4097+}\r\n");
    }
}
