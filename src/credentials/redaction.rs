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

/// Words that refusals are made of. One of these tells nothing, though a password may begin with it.
const ORDINARY: &[&str] = &[
    "account",
    "again",
    "authentication",
    "command",
    "connection",
    "connections",
    "error",
    "exceeded",
    "failed",
    "failure",
    "internal",
    "invalid",
    "later",
    "limit",
    "login",
    "mail",
    "mailbox",
    "many",
    "maximum",
    "number",
    "open",
    "password",
    "please",
    "server",
    "service",
    "session",
    "sessions",
    "system",
    "temporarily",
    "time",
    "unavailable",
    "user",
];

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
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of which no part is shown.
    Secret,
    /// The same, in Base64.
    Encoded,
    /// Of which the whole is not shown, where it stands by itself.
    Name,
}

impl Redaction {
    /// Adds what must not be shown, not even in part.
    pub(crate) fn add(&mut self, secret: Secret) {
        let least = match secret.len() {
            LONG.. => PART_OF_LONG,
            length => length.min(PART),
        };
        self.insert(secret, least, Kind::Secret);
    }

    /// Adds a secret in Base64, which in capitals would be something else.
    pub(crate) fn add_encoded(&mut self, secret: Secret) {
        let least = secret.len().min(PART_OF_BASE64);
        self.insert(secret, least, Kind::Encoded);
    }

    /// Adds a name, which may have a part in common with many words.
    pub(crate) fn add_name(&mut self, name: &[u8]) {
        self.insert(Secret::concat(&[name]), name.len(), Kind::Name);
    }

    fn insert(&mut self, secret: Secret, least: usize, kind: Kind) {
        if !secret.is_empty() {
            self.entries.push(Entry {
                secret,
                least,
                kind,
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
                let is_same = match self.kind {
                    Kind::Encoded => *byte == secret[at],
                    Kind::Secret | Kind::Name => byte.eq_ignore_ascii_case(&secret[at]),
                };
                common[at] = if is_same { before + 1 } else { 0 };
                let start = end + 1 - common[at];
                if common[at] >= self.least && self.tells(text, start, end) {
                    is_hidden[start..=end].fill(true);
                }
            }
        }
    }

    /// Whether this part of the text, which is in the secret as well, may be there because of it.
    fn tells(&self, text: &[u8], start: usize, end: usize) -> bool {
        let is_letter = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
        let stands_alone = !start.checked_sub(1).is_some_and(is_letter) && !is_letter(end + 1);
        match self.kind {
            Kind::Name => stands_alone,
            Kind::Encoded => true,
            Kind::Secret => {
                let part = &text[start..=end];
                let is_whole = part.len() == self.secret.len();
                let is_ordinary = ORDINARY
                    .iter()
                    .any(|word| part.trim_ascii().eq_ignore_ascii_case(word.as_bytes()));
                is_whole || !is_ordinary || !stands_alone
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
        // A word that the server says to anybody.
        let redaction_of_words = self::redaction("me", "open-sesame");
        let text = b"Too many open connections (2 of 2 for me), some time, sesa";
        assert_eq!(
            redaction_of_words.redact(text),
            b"Too many open connections (2 of 2 for ***), some time, ***"
        );
        assert_eq!(
            redaction_of_words.redact(b"open-s and xopen"),
            b"*** and x***"
        );
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
