//! LIST and LSUB: which mailboxes there are. Every mailbox counts as subscribed.

use imap_codec::imap_types::mailbox::ListMailbox;

use super::commands::Ending;
use super::connection::Connection;
use super::link::Halt;
use super::script::Values;
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
        let manners = self.manners();
        let delimiter = manners.delimiter.value;
        let mut found: Vec<(String, String)> = Vec::new();
        if pattern.is_empty() {
            // An empty pattern asks for the delimiter (RFC 9051, section 6.3.9).
            found.push(("\"\"".to_owned(), "\\Noselect".to_owned()));
        }
        for name in self.shared.names() {
            let wire = utf7::encode(&name);
            if matches(pattern, wire.as_bytes(), delimiter as u8) {
                let folders = manners.folders.value.iter();
                let own = folders.clone().find(|(own, _)| *own == name);
                let attributes = own.map_or(manners.attributes.value, |(_, own)| own);
                found.push((self.spelled(&name), attributes.to_owned()));
            }
        }
        for (name, attributes) in found {
            let values = Values::default()
                .with("listing", listing.name())
                .with("attributes", attributes)
                .with("delimiter", delimiter)
                .with("name", name);
            if let Some(line) = values.fill(manners.list.value) {
                self.put_line(&line)?;
            }
        }
        Ok(Ending::of(manners.list_done.value))
    }

    /// A name as the server writes it.
    pub(super) fn spelled(&self, name: &str) -> String {
        let manners = self.manners();
        let name = match name {
            "INBOX" => manners.inbox.value.to_owned(),
            _ => utf7::encode(name),
        };
        let is_atom = |octet: u8| octet > b' ' && !b"(){%*\"\\]".contains(&octet);
        if !manners.quotes_names.value && !name.is_empty() && name.bytes().all(is_atom) {
            return name;
        }
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl Listing {
    fn name(self) -> &'static str {
        match self {
            Self::List => "LIST",
            Self::Subscribed => "LSUB",
        }
    }
}

/// Whether a name matches a pattern of LIST: `*` is anything, `%` anything without a delimiter.
fn matches(pattern: &[u8], name: &[u8], delimiter: u8) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|skip| matches(rest, &name[skip..], delimiter)),
        Some((b'%', rest)) => {
            let level = name
                .iter()
                .position(|octet| *octet == delimiter)
                .unwrap_or(name.len());
            (0..=level).any(|skip| matches(rest, &name[skip..], delimiter))
        }
        Some((octet, rest)) => name.split_first().is_some_and(|(own, after)| {
            own.eq_ignore_ascii_case(octet) && matches(rest, after, delimiter)
        }),
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
                matches(pattern.as_bytes(), name.as_bytes(), b'/'),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
