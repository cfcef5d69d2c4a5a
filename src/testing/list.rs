//! LIST and LSUB: which mailboxes there are. Every mailbox counts as subscribed.

use imap_codec::imap_types::core::QuotedChar;
use imap_codec::imap_types::flag::FlagNameAttribute;
use imap_codec::imap_types::mailbox::{ListMailbox, Mailbox as WireMailbox};
use imap_codec::imap_types::response::Data;

use super::commands::Ending;
use super::connection::Connection;
use super::link::Halt;
use super::utf7;

/// Which of the two commands is answered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Listing {
    List,
    Subscribed,
}

impl Connection {
    /// Answers LIST or LSUB.
    pub(super) fn list(
        &mut self,
        pattern: &ListMailbox<'_>,
        listing: Listing,
    ) -> Result<Ending, Halt> {
        let pattern: &[u8] = match pattern {
            ListMailbox::Token(token) => token.as_ref(),
            ListMailbox::String(string) => string.as_ref(),
        };
        let delimiter = QuotedChar::try_from('/').ok();
        let mut found: Vec<(WireMailbox<'static>, Vec<FlagNameAttribute<'static>>)> = Vec::new();
        if pattern.is_empty() {
            // An empty pattern asks for the delimiter (RFC 9051, section 6.3.9).
            let root = WireMailbox::try_from(String::new()).ok();
            found.extend(root.map(|root| (root, vec![FlagNameAttribute::Noselect])));
        }
        for name in self.shared.names() {
            let wire = utf7::encode(&name);
            if matches(pattern, wire.as_bytes()) {
                found.extend(
                    WireMailbox::try_from(wire)
                        .ok()
                        .map(|name| (name, Vec::new())),
                );
            }
        }
        for (mailbox, items) in found {
            self.data(match listing {
                Listing::List => Data::List {
                    items,
                    delimiter,
                    mailbox,
                },
                Listing::Subscribed => Data::Lsub {
                    items,
                    delimiter,
                    mailbox,
                },
            })?;
        }
        Ok(Ending::ok())
    }
}

/// Whether a name matches a pattern of LIST: `*` is anything, `%` anything without a delimiter.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|skip| matches(rest, &name[skip..])),
        Some((b'%', rest)) => {
            let level = name
                .iter()
                .position(|octet| *octet == b'/')
                .unwrap_or(name.len());
            (0..=level).any(|skip| matches(rest, &name[skip..]))
        }
        Some((octet, rest)) => name
            .split_first()
            .is_some_and(|(own, after)| own.eq_ignore_ascii_case(octet) && matches(rest, after)),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards_stop_where_they_must() {
        for (pattern, name, expected) in [
            ("*", "a/b", true),
            ("%", "a/b", false),
            ("%/%", "a/b", true),
            ("a*", "a/b", true),
            ("inbox", "INBOX", true),
            ("a", "ab", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
