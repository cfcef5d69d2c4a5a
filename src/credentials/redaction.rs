//! Takes out of a server's words what it was told in confidence. Some servers repeat the command
//! that they refuse, as a whole, cut off at either end, or in pieces.

use super::secret::Secret;

/// So much of a secret is not shown, wherever in it that is.
const PART: usize = 4;

/// Of a longer secret, which only a token is, a part of four characters tells nothing, and some word or
/// other has it by chance.
const LONG: usize = 200;
const PART_OF_LONG: usize = 8;

/// Less of Base64 tells no four characters.
const PART_OF_BASE64: usize = 6;

/// So much of a text is looked at. No error shows more.
const MOST_TEXT: usize = 2048;

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
    is_encoded: bool,
}

impl Redaction {
    /// Adds what must not be shown, not even in part.
    pub(crate) fn add(&mut self, secret: Secret) {
        let least = match secret.len() {
            LONG.. => PART_OF_LONG,
            length => length.min(PART),
        };
        self.insert(secret, least, false);
    }

    /// Adds a secret in Base64, which in capitals would be something else.
    pub(crate) fn add_encoded(&mut self, secret: Secret) {
        let least = secret.len().min(PART_OF_BASE64);
        self.insert(secret, least, true);
    }

    /// Adds a name, which may have a part in common with many words.
    pub(crate) fn add_name(&mut self, name: &[u8]) {
        self.insert(Secret::concat(&[name]), name.len(), false);
    }

    fn insert(&mut self, secret: Secret, least: usize, is_encoded: bool) {
        if !secret.is_empty() {
            self.entries.push(Entry {
                secret,
                least,
                is_encoded,
            });
        }
    }

    /// The beginning of the text with a mark in place of every secret and of every part of one, in
    /// capitals or not.
    pub(crate) fn redact(&self, text: &[u8]) -> Vec<u8> {
        let text = &text[..text.len().min(MOST_TEXT)];
        let mut is_hidden = vec![false; text.len()];
        for entry in &self.entries {
            entry.hide(text, &mut is_hidden);
        }
        let mut shown = Vec::with_capacity(text.len());
        for (index, byte) in text.iter().enumerate() {
            if !is_hidden[index] {
                shown.push(*byte);
            } else if index == 0 || !is_hidden[index - 1] {
                shown.extend_from_slice(b"***");
            }
        }
        shown
    }
}

impl Entry {
    /// Marks all that the text has in common with the secret, if it is long enough.
    fn hide(&self, text: &[u8], is_hidden: &mut [bool]) {
        let secret = self.secret.expose();
        // How much of the text up to here is what the secret has up to each of its characters.
        let mut common = vec![0; secret.len()];
        for (end, byte) in text.iter().enumerate() {
            for at in (0..secret.len()).rev() {
                let before = at.checked_sub(1).map_or(0, |before| common[before]);
                let is_same = match self.is_encoded {
                    true => *byte == secret[at],
                    false => byte.eq_ignore_ascii_case(&secret[at]),
                };
                common[at] = if is_same { before + 1 } else { 0 };
                if common[at] >= self.least {
                    is_hidden[end + 1 - common[at]..=end].fill(true);
                }
            }
        }
    }
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

    #[test]
    fn no_part_of_a_secret_is_shown_wherever_it_is_cut() {
        let password = "abc\"secretpart";
        let redaction = redaction("somebody", password);
        for start in 0..password.len() {
            for end in start + 4..=password.len() {
                let text = format!("Too many arguments: b'{}'", &password[start..end]);
                let text = redaction.redact(text.as_bytes());
                assert_eq!(text, b"Too many arguments: b'***'");
            }
        }
        // Three characters are no part.
        assert_eq!(redaction.redact(b"art is long"), b"art is long");
    }

    #[test]
    fn of_a_token_a_part_that_words_may_have_by_chance_is_no_part() {
        let token = format!("{}authenticate{}", "0".repeat(100), "1".repeat(100));
        let redaction = redaction("me", &token);
        assert_eq!(redaction.redact(b"the author"), b"the author");
        assert_eq!(redaction.redact(b"x 00000000 x"), b"x *** x");
    }
}
