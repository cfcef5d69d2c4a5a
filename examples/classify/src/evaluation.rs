//! How good a filter is on letters that it has not learned from, with two baselines beside it.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Example, Letter, Model};

/// What became of the letters that were held out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Confusion {
    pub spam_found: usize,
    pub spam_missed: usize,
    pub ham_accused: usize,
    pub ham_passed: usize,
}

impl Confusion {
    fn of(examples: &[Example], is_spam: impl Fn(&Letter) -> bool) -> Self {
        let mut confusion = Self::default();
        for example in examples {
            *match (example.is_spam, is_spam(&example.letter)) {
                (true, true) => &mut confusion.spam_found,
                (true, false) => &mut confusion.spam_missed,
                (false, true) => &mut confusion.ham_accused,
                (false, false) => &mut confusion.ham_passed,
            } += 1;
        }
        confusion
    }

    /// Of what was taken for spam, how much is spam. `None` where nothing was.
    pub fn precision(self) -> Option<f64> {
        ratio(self.spam_found, self.spam_found + self.ham_accused)
    }

    /// How much of the spam was found. `None` where there is none.
    pub fn recall(self) -> Option<f64> {
        ratio(self.spam_found, self.spam_found + self.spam_missed)
    }

    /// The harmonic mean of both. `None` where there is no spam and nothing was taken for it.
    pub fn f1(self) -> Option<f64> {
        let wrong = self.ham_accused + self.spam_missed;
        ratio(2 * self.spam_found, 2 * self.spam_found + wrong)
    }

    /// How much was right. `None` where there are no letters.
    pub fn accuracy(self) -> Option<f64> {
        let right = self.spam_found + self.ham_passed;
        ratio(right, right + self.spam_missed + self.ham_accused)
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A filter beside its baselines, all on the same letters.
#[derive(Debug, Clone)]
pub struct Evaluation {
    pub filter: Confusion,
    /// The words that do best, by F1 and by how much is right, and how they do.
    pub words: [(String, Confusion); 2],
    /// The class that is more frequent, and how it does.
    pub class: (&'static str, Confusion),
}

impl Evaluation {
    /// Measures on `held_out` what was learned from `known`.
    pub fn new(model: &Model, known: &[Example], held_out: &[Example]) -> Self {
        let spam = known.iter().filter(|example| example.is_spam).count();
        let is_mostly_spam = 2 * spam > known.len();
        let words = [Confusion::f1, Confusion::accuracy].map(|measure| {
            let word = best_word(known, measure);
            let confusion = Confusion::of(held_out, |letter| letter.contains(word));
            (word.to_owned(), confusion)
        });
        Self {
            filter: Confusion::of(held_out, |letter| model.score(letter) > 0.0),
            words,
            class: (
                if is_mostly_spam { "spam" } else { "ham" },
                Confusion::of(held_out, |_| is_mostly_spam),
            ),
        }
    }
}

/// The word that is best as a filter of its own: what has it is spam.
fn best_word(known: &[Example], measure: fn(Confusion) -> Option<f64>) -> &str {
    let spam = known.iter().filter(|example| example.is_spam).count();
    let ham = known.len() - spam;
    let mut confusions: BTreeMap<&str, Confusion> = BTreeMap::new();
    for example in known {
        for word in example.letter.words() {
            let confusion = confusions.entry(word).or_default();
            match example.is_spam {
                true => confusion.spam_found += 1,
                false => confusion.ham_accused += 1,
            }
        }
    }
    let words = confusions.into_iter().map(|(word, mut confusion)| {
        confusion.spam_missed = spam - confusion.spam_found;
        confusion.ham_passed = ham - confusion.ham_accused;
        (measure(confusion).unwrap_or(0.0), word)
    });
    let best = words.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map_or("", |(_, word)| word)
}

impl fmt::Display for Evaluation {
    /// Two tables.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:32} precision  recall      F1  accuracy", "")?;
        row(f, "naive Bayes", self.filter)?;
        for (word, confusion) in &self.words {
            row(f, &format!("has the word \"{word}\""), *confusion)?;
        }
        let (class, confusion) = self.class;
        row(f, &format!("all is {class}"), confusion)?;
        let Confusion {
            spam_found,
            spam_missed,
            ham_accused,
            ham_passed,
        } = self.filter;
        writeln!(f)?;
        writeln!(f, "{:32} taken for spam  taken for ham", "naive Bayes")?;
        writeln!(f, "{:32} {spam_found:14}  {spam_missed:13}", "is spam")?;
        write!(f, "{:32} {ham_accused:14}  {ham_passed:13}", "is ham")
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, confusion: Confusion) -> fmt::Result {
    let percent = |ratio: Option<f64>| match ratio {
        Some(ratio) => format!("{:.1} %", 100.0 * ratio),
        None => "-".to_owned(),
    };
    writeln!(
        f,
        "{name:32} {:>9} {:>7} {:>7} {:>9}",
        percent(confusion.precision()),
        percent(confusion.recall()),
        percent(confusion.f1()),
        percent(confusion.accuracy())
    )
}
