//! What the filter sees of a message: its words, each once.

use std::collections::BTreeSet;

use example_support::words::words;
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
        let subject = example_support::Letter::of(message).subject;
        let of_subject = features(&subject).into_iter();
        let mut words: BTreeSet<String> =
            of_subject.map(|word| format!("subject:{word}")).collect();
        words.extend(features(&message.text()));
        Self {
            uid: message.uid(),
            subject,
            words,
        }
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

/// Words in lower case; a number is a number, whichever it is. In scripts without spaces, pairs of
/// characters that stand in a row.
fn features(text: &str) -> Vec<String> {
    let mut features = Vec::new();
    let mut before = None;
    for word in words(text) {
        let piece = &text[word.place.clone()];
        if word.is_character {
            if before == Some(word.place.start) {
                let start = text[..word.place.start].char_indices().next_back();
                let start = start.map_or(0, |(start, _)| start);
                features.push(text[start..word.place.end].to_owned());
            }
            before = Some(word.place.end);
            continue;
        }
        match piece.chars().count() {
            _ if piece.contains(|letter: char| letter.is_ascii_digit()) => {
                features.push("0".to_owned());
            }
            // One letter says little, and what is very long is not a word but encoded data.
            2..=30 => features.push(piece.to_lowercase()),
            _ => {}
        }
    }
    features
}

#[cfg(test)]
mod tests {
    use super::features;

    #[test]
    fn words_are_in_lower_case_and_numbers_are_all_the_same() {
        let words = features("Please pay €1,200 to 'Bank' a 4711x");
        assert_eq!(words, ["please", "pay", "0", "0", "to", "bank", "0"]);
    }

    #[test]
    fn scripts_without_spaces_have_pairs_of_characters() {
        assert_eq!(
            features("明日の会議、ABC社で"),
            ["明日", "日の", "の会", "会議", "abc", "社で"]
        );
        assert_eq!(features("一 二"), Vec::<String>::new());
    }
}
