//! In which language a text is, as the lexicon is for one of them alone.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lingua::{Language as Latin, LanguageDetector, LanguageDetectorBuilder};

/// In characters: enough to tell.
const SAMPLE: usize = 1_000;

/// What is said of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    English,
    /// Its name in English.
    Other(String),
    /// Too few words, or of several languages.
    Unclear,
    /// There are no letters in it.
    Nothing,
}

/// Those in which most mail in Latin letters is written; one that is not among them is taken for one
/// that is like it, and hardly for English.
static DETECTOR: LazyLock<LanguageDetector> = LazyLock::new(|| {
    LanguageDetectorBuilder::from_languages(&[
        Latin::Dutch,
        Latin::English,
        Latin::French,
        Latin::German,
        Latin::Italian,
        Latin::Polish,
        Latin::Portuguese,
        Latin::Spanish,
        Latin::Swedish,
        Latin::Turkish,
    ])
    .build()
});

impl Language {
    /// Detects it.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let sample: String = text.chars().take(SAMPLE).collect();
        let letters = sample
            .chars()
            .filter(|letter| letter.is_alphabetic())
            .count();
        if letters == 0 {
            return Self::Nothing;
        }
        if let Some(script) = foreign_script(&sample, letters) {
            return Self::Other(script.to_owned());
        }
        let values = DETECTOR.compute_language_confidence_values(sample);
        match values.as_slice() {
            [(first, likely), (_, next), ..] if *likely > 0.2 && *likely > 1.25 * next => {
                match first {
                    Latin::English => Self::English,
                    other => Self::Other(other.to_string()),
                }
            }
            _ => Self::Unclear,
        }
    }
}

/// The script of a text in which Latin letters are the fewer.
fn foreign_script(text: &str, letters: usize) -> Option<&'static str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for letter in text.chars().filter(|letter| letter.is_alphabetic()) {
        let script = match letter {
            '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => continue,
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => "Greek",
            '\u{400}'..='\u{52f}' => "languages in Cyrillic letters",
            '\u{590}'..='\u{5ff}' => "Hebrew",
            '\u{600}'..='\u{77f}' => "languages in Arabic letters",
            '\u{900}'..='\u{dff}' => "languages of India",
            '\u{e00}'..='\u{e7f}' => "Thai",
            '\u{ac00}'..='\u{d7a3}' | '\u{1100}'..='\u{11ff}' => "Korean",
            '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' => "Chinese or Japanese",
            _ => "other scripts",
        };
        *counts.entry(script).or_default() += 1;
    }
    let foreign: usize = counts.values().sum();
    // One of them says as much as a word.
    let is_dense = counts.contains_key("Chinese or Japanese");
    let is_foreign = foreign * if is_dense { 4 } else { 2 } > letters;
    let script = counts.into_iter().max_by_key(|(_, count)| *count)?;
    is_foreign.then_some(script.0)
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn english_is_told_from_others() {
        for text in [
            "The disks of the server were exchanged at night. The backup runs on Sunday.",
            "Great, thanks a lot!",
            "I am angry and disappointed, this is a terrible mess.",
            "A lawyer and a clerk read each paragraph.",
        ] {
            assert_eq!(Language::of(text), Language::English, "{text}");
        }
        for (text, name) in [
            (
                "Die Kollegen sagen, die Rechnung ist bezahlt. Die Ware ist da.",
                "German",
            ),
            ("Hola, te envío la factura de este mes", "Spanish"),
            ("Merci beaucoup, à demain", "French"),
            ("Hej, tack så mycket för hjälpen", "Swedish"),
            ("明日の会議は東京本社で行います。", "Chinese or Japanese"),
            (
                "请查收附件中的合同和发票 (invoice)。",
                "Chinese or Japanese",
            ),
            ("Привет, спасибо за письмо", "languages in Cyrillic letters"),
            ("شكرا جزيلا على رسالتك", "languages in Arabic letters"),
        ] {
            assert_eq!(
                Language::of(text),
                Language::Other(name.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_says_too_little_is_not_judged() {
        assert_eq!(Language::of("OK"), Language::Unclear);
        assert_eq!(Language::of(" 42 -- :-)"), Language::Nothing);
        assert_eq!(Language::of(""), Language::Nothing);
    }
}
