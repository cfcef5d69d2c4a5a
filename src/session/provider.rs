//! What is peculiar to known servers, as data. Each fact has its public source beside it; what is not
//! listed is as the RFCs say.

/// A server software, or a provider with one of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Provider {
    pub(super) name: &'static str,
    /// Any of these, in small letters, in its greeting or in its answer to ID.
    words: &'static [&'static str],
    /// A capability that nobody else has.
    capability: Option<&'static str>,
    /// Sessions that it grants to one account, or to one account and address, unless its operator
    /// has set another number.
    pub(super) sessions: Option<usize>,
    /// It refuses to open a mailbox before it has been sent ID (RFC 2971).
    pub(super) wants_id: bool,
    /// It reads a login that comes before its greeting is sent. Only of those that it was tried with.
    pub(super) takes_login_first: bool,
    /// Capabilities that it announces and does not have.
    lies: &'static [&'static str],
}

const PLAIN: Provider = Provider {
    name: "",
    words: &[],
    capability: None,
    sessions: None,
    wants_id: false,
    takes_login_first: false,
    lies: &[],
};

/// The first that fits counts.
pub(super) const PROVIDERS: &[Provider] = &[
    // 15 sessions: https://support.google.com/mail/answer/7126229,
    // https://github.com/imapsync/imapsync/issues/61
    // X-GM-EXT-1: https://developers.google.com/gmail/imap/imap-extensions
    // Commands before its greeting made trouble:
    // https://github.com/mozilla-b2g/gaia-email-libs-and-more/pull/291
    Provider {
        name: "Gmail",
        words: &["gimap"],
        capability: Some("X-GM-EXT-1"),
        sessions: Some(15),
        ..PLAIN
    },
    // Greeting, and 20 sessions as far as is known:
    // https://github.com/jstedfast/MailKit/issues/1494, https://github.com/mscdex/node-imap/issues/523
    Provider {
        name: "Exchange Online",
        words: &["microsoft exchange imap4"],
        sessions: Some(20),
        ..PLAIN
    },
    // Greeting and capability: https://github.com/jstedfast/MailKit/issues/358; it limits commands
    // by time, with the code LIMIT: https://github.com/postalsys/imapflow/issues/75
    Provider {
        name: "Yahoo, AOL",
        words: &["imapgate"],
        capability: Some("XYMHIGHESTMODSEQ"),
        ..PLAIN
    },
    // Greeting: https://github.com/MailCore/mailcore2/issues/1036
    // ID before SELECT: https://github.com/pimalaya/himalaya/issues/651,
    // https://github.com/jonhoo/rust-imap/issues/296
    // SASL-IR: https://github.com/modern-email/defects/issues/54
    Provider {
        name: "163, 126",
        words: &["coremail"],
        wants_id: true,
        lies: &["SASL-IR"],
        ..PLAIN
    },
    // Greeting: https://github.com/MailCore/mailcore2/issues/1332
    Provider {
        name: "QQ",
        words: &["qqmail"],
        ..PLAIN
    },
    // mail_max_userip_connections: https://doc.dovecot.org/2.3/settings/core/, and as refused:
    // https://github.com/taoeffect/empress/issues/70. A login before the greeting is in the tests.
    Provider {
        name: "Dovecot",
        words: &["dovecot"],
        sessions: Some(10),
        takes_login_first: true,
        ..PLAIN
    },
    // No limit by itself (maxlogins_per_user):
    // https://www.cyrusimap.org/imap/reference/manpages/configs/imapd.conf.html
    Provider {
        name: "Cyrus",
        words: &["cyrus imap"],
        takes_login_first: true,
        ..PLAIN
    },
    // MAXPERIP: https://www.courier-mta.org/imap/, and as it is met:
    // http://inertramblings.com/2006/09/22/add-more-courier-imap-connections-under-plesk/
    Provider {
        name: "Courier",
        words: &["courier-imap"],
        sessions: Some(4),
        ..PLAIN
    },
    // The server of `testing`.
    Provider {
        name: "test server",
        words: &["parallel-mailbox test server"],
        takes_login_first: true,
        ..PLAIN
    },
];

impl Provider {
    /// Tells by what the server says: its greeting, its answer to ID, its capabilities in capitals.
    pub(super) fn of(said: &str, capabilities: &[String]) -> Option<&'static Self> {
        let said = said.to_ascii_lowercase();
        PROVIDERS.iter().find(|provider| {
            let has = |name: &str| capabilities.iter().any(|offer| offer == name);
            provider.words.iter().any(|word| said.contains(word))
                || provider.capability.is_some_and(has)
        })
    }

    /// Takes out what it announces and does not have.
    pub(super) fn correct(&self, capabilities: &mut Vec<String>) {
        capabilities.retain(|offer| !self.lies.contains(&offer.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(said: &str, capabilities: &[&str]) -> Option<&'static str> {
        let capabilities: Vec<String> = capabilities.iter().map(|&word| word.to_owned()).collect();
        Provider::of(said, &capabilities).map(|provider| provider.name)
    }

    #[test]
    fn a_provider_is_told_by_its_greeting_its_id_or_its_capabilities() {
        for (said, capabilities, expected) in [
            (
                "Gimap ready for requests from 192.0.2.1 5mb7",
                &[][..],
                Some("Gmail"),
            ),
            ("ready", &["IMAP4REV1", "X-GM-EXT-1"], Some("Gmail")),
            (
                "The Microsoft Exchange IMAP4 service is ready. [RgBS]",
                &[],
                Some("Exchange Online"),
            ),
            ("IMAP4rev1 imapgate-1.8.1_01.20166", &[], Some("Yahoo, AOL")),
            (
                "Coremail System IMap Server Ready(163com[72])",
                &[],
                Some("163, 126"),
            ),
            ("QQMail IMAP4Server ready", &[], Some("QQ")),
            ("Dovecot (Debian) ready.", &[], Some("Dovecot")),
            ("x Cyrus IMAP 3.6.1-Debian server ready", &[], Some("Cyrus")),
            ("(\"name\" \"Dovecot\")", &[], Some("Dovecot")),
            ("Courier-IMAP ready.", &[], Some("Courier")),
            ("IMAP4rev1 ready", &["IMAP4REV1", "IDLE"], None),
        ] {
            assert_eq!(name(said, capabilities), expected, "{said}");
        }
    }

    #[test]
    fn the_documentation_has_the_numbers_of_the_data() {
        let guide = include_str!("../guide.md");
        let rows: Vec<Vec<&str>> = guide
            .lines()
            .filter_map(|line| line.strip_prefix("| "))
            .map(|line| line.split(" | ").collect())
            .collect();
        for provider in PROVIDERS {
            let row = rows.iter().find(|row| row[0] == provider.name);
            let Some(row) = row else {
                assert_eq!(provider.name, "test server");
                continue;
            };
            let sessions = provider.sessions.map(|sessions| sessions.to_string());
            assert_eq!(
                row[1],
                sessions.as_deref().unwrap_or("–"),
                "{}",
                provider.name
            );
        }
    }
}
