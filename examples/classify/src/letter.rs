//! What the filter sees of a message: its words, each once.

use std::collections::BTreeSet;

use parallel_mailbox::mail_parser::PartType;
use parallel_mailbox::mail_parser::decoders::html::html_to_text;
use parallel_mailbox::{Message, Uid};

use crate::hash::hash;

/// A message taken apart.
#[derive(Debug, Clone)]
pub struct Letter {
    pub uid: Uid,
    pub subject: String,
    words: BTreeSet<String>,
}

impl Letter {
    /// Takes a message apart. One that is no mail at all has no words.
    pub fn of(message: &Message) -> Self {
        let mut letter = Self {
            uid: message.uid(),
            subject: String::new(),
            words: BTreeSet::new(),
        };
        let Some(parsed) = message.parse() else {
            return letter;
        };
        if let Some(subject) = parsed.subject() {
            subject.clone_into(&mut letter.subject);
            let words = words(subject).map(|word| format!("subject:{word}"));
            letter.words.extend(words);
        }
        for part in parsed.text_bodies() {
            match &part.body {
                PartType::Text(text) => letter.words.extend(words(text)),
                // Tags part words here, which is wrong within a word and right between two cells.
                PartType::Html(html) => {
                    let text = html_to_text(&html.replace('<', " <"));
                    letter.words.extend(words(&text));
                }
                _ => {}
            }
        }
        letter
    }

    /// In the order of the alphabet.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    pub(crate) fn contains(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// The same for all letters that are the same to the filter.
    pub(crate) fn fingerprint(&self) -> u64 {
        let words: Vec<&str> = self.words().collect();
        hash(words.join("\n").as_bytes())
    }
}

/// In lower case; a number is a number, whichever it is.
fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '\'');
    words.filter_map(|word| {
        let word = word.trim_matches('\'');
        match word.chars().count() {
            0 => None,
            _ if word.contains(|letter: char| letter.is_ascii_digit()) => Some("0".to_owned()),
            // One letter says little, and what is very long is not a word but encoded data.
            2..=30 => Some(word.to_lowercase()),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_in_lower_case_and_numbers_are_all_the_same() {
        let words: Vec<String> = super::words("Don't pay €1,200 to 'Bank' a 4711x").collect();
        assert_eq!(words, ["don't", "pay", "0", "0", "to", "bank", "0"]);
    }
}
