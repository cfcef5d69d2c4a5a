//! Takes out of a server's words what it was told in confidence. Some servers repeat the command
//! that they refuse, as a whole or cut off.

use super::secret::Secret;

/// So much of the beginning of a secret is taken for a part of it, in case it is cut off.
const PART: usize = 8;

/// What a server has been told and must not be shown again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redaction {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    secret: Secret,
    /// So much of it has to be there.
    least: usize,
}

impl Redaction {
    /// Adds what must not be shown, not even in part.
    pub(crate) fn add(&mut self, secret: Secret) {
        let least = secret.len().min(PART);
        self.insert(secret, least);
    }

    /// Adds a name, which may have its beginning in common with many words.
    pub(crate) fn add_name(&mut self, name: &[u8]) {
        self.insert(Secret::concat(&[name]), name.len());
    }

    fn insert(&mut self, secret: Secret, least: usize) {
        if !secret.is_empty() {
            self.entries.push(Entry { secret, least });
            // The longest first, since one may be a part of another.
            self.entries
                .sort_by_key(|entry| std::cmp::Reverse(entry.secret.len()));
        }
    }

    /// The text with a mark in place of every secret, in capitals or not.
    pub(crate) fn redact(&self, text: &[u8]) -> Vec<u8> {
        let mut redacted = text.to_vec();
        for entry in &self.entries {
            redacted = entry.take_out(&redacted);
        }
        // Only now, so that no secret can be a part of the mark.
        let mark = |octet: u8| match octet {
            0 => b"***".to_vec(),
            _ => vec![octet],
        };
        redacted.into_iter().flat_map(mark).collect()
    }
}

impl Entry {
    /// The text with NUL in place of the secret.
    fn take_out(&self, text: &[u8]) -> Vec<u8> {
        let mut kept = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.first() {
            let common = common_length(rest, self.secret.expose());
            if common >= self.least {
                kept.push(0);
                rest = &rest[common..];
            } else {
                kept.push(*first);
                rest = &rest[1..];
            }
        }
        kept
    }
}

/// How many octets both begin with.
fn common_length(text: &[u8], secret: &[u8]) -> usize {
    text.iter()
        .zip(secret)
        .take_while(|(one, other)| one.eq_ignore_ascii_case(other))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction(user: &str, password: &str) -> Redaction {
        let mut redaction = Redaction::default();
        redaction.add_name(user.as_bytes());
        redaction.add(Secret::from(password.to_owned()));
        redaction
    }

    #[test]
    fn takes_user_and_password_out_of_what_a_server_says() {
        let text = redaction("ann", "*").redact(b"unknown command LOGIN ann * \xff");
        assert_eq!(text, b"unknown command LOGIN *** *** \xff");
    }

    #[test]
    fn a_secret_is_known_in_capitals_and_when_it_is_cut_off() {
        let redaction = redaction("administrator", "correct horse battery");
        let text = redaction.redact(b"administration: LOGIN ADMINISTRATOR CORRECT HORSE BATT...");
        assert_eq!(text, b"administration: LOGIN *** ***...");
    }

    #[test]
    fn a_secret_within_another_leaves_nothing_of_it() {
        let text = redaction("horse", "my horse and I").redact(b"no: my horse and I");
        assert_eq!(text, b"no: ***");
    }
}
