//! What was learned, and the file of it: a line that says what it is, and a line of JSON. It must
//! never be written over a file that is something else, nor judge by one that is damaged.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde::{Deserialize, Serialize};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::naive_bayes::multinomial::{MultinomialNB, MultinomialNBParameters};

use crate::hash::hash;
use crate::{Example, Letter};

/// Some ten thousand words share them. More would take more memory to learn, and gain little.
const BUCKETS: usize = 8_192;

const NAME: &str = "model of example-classify";

const VERSION: u32 = 1;

/// A weight for each bucket of words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    bias: f64,
    weights: Vec<f64>,
}

impl Model {
    /// Learns. It takes 8 KB for each letter.
    ///
    /// # Errors
    ///
    /// There is no ham, or no spam.
    pub fn train(examples: &[Example]) -> Result<Self, String> {
        let mut counts = vec![0_u8; examples.len() * BUCKETS];
        let mut classes = Vec::with_capacity(examples.len());
        for (row, example) in counts.chunks_exact_mut(BUCKETS).zip(examples) {
            for word in example.letter.words() {
                row[bucket(word)] = 1;
            }
            classes.push(u8::from(example.is_spam));
        }
        if !(classes.contains(&0) && classes.contains(&1)) {
            return Err(
                "it takes both ham and spam to learn from: some ten letters of each".into(),
            );
        }
        let fitted = DenseMatrix::new(examples.len(), BUCKETS, counts, false).and_then(|counts| {
            MultinomialNB::fit(&counts, &classes, MultinomialNBParameters::default())
        });
        let fitted = fitted.map_err(|failure| failure.to_string())?;
        // In the order of the classes: ham, spam.
        let (probabilities, letters) = (fitted.feature_log_prob(), fitted.class_count());
        let weights = probabilities[1].iter().zip(&probabilities[0]);
        Ok(Self {
            bias: (letters[1] as f64).ln() - (letters[0] as f64).ln(),
            weights: weights.map(|(spam, ham)| spam - ham).collect(),
        })
    }

    /// Above 0 is spam, and the further the surer: the logarithm of how many times likelier spam is
    /// than ham. As naive Bayes takes every word for independent of all others, it is far too sure.
    pub fn score(&self, letter: &Letter) -> f64 {
        // Each bucket once, as it was learned.
        let mut buckets: Vec<usize> = letter.words().map(bucket).collect();
        buckets.sort_unstable();
        buckets.dedup();
        let weights = buckets.into_iter().map(|bucket| self.weights[bucket]);
        self.bias + weights.sum::<f64>()
    }

    /// Writes the file; it has its name only when it is whole.
    ///
    /// # Errors
    ///
    /// It cannot be written, or a file that is no model has the name.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        Self::check_place(path)?;
        let text = serde_json::to_string(self)?;
        let sum = hash(text.as_bytes());
        let temporary = path.with_extension("unfinished");
        fs::write(
            &temporary,
            format!("{NAME}, version {VERSION}, sum {sum:016x}\n{text}\n"),
        )?;
        fs::rename(temporary, path)
    }

    /// Whether a model may be written there, to be asked before hours are spent.
    ///
    /// # Errors
    ///
    /// A file that is no model has the name.
    pub fn check_place(path: &Path) -> io::Result<()> {
        match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(wrong(path, format_args!("cannot be read: {error}"))),
            Ok(octets) if octets.starts_with(NAME.as_bytes()) => Ok(()),
            Ok(_) => Err(wrong(
                path,
                "is there and is no model; choose another name for the model",
            )),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// There is none, or it is not as it was written; the text says what to do.
    pub fn load(path: &Path) -> io::Result<Self> {
        let octets = fs::read(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                wrong(path, "is not there; make it with: example-classify train")
            }
            _ => wrong(path, format_args!("cannot be read: {error}")),
        })?;
        if !octets.starts_with(NAME.as_bytes()) {
            return Err(wrong(
                path,
                "is no model; make one with: example-classify train",
            ));
        }
        let damaged = || {
            wrong(
                path,
                "is damaged; make it anew with: example-classify train",
            )
        };
        let text = String::from_utf8(octets).map_err(|_| damaged())?;
        let (head, text) = text.split_once('\n').ok_or_else(damaged)?;
        let head = head
            .strip_prefix(NAME)
            .and_then(|head| head.strip_prefix(", version "));
        let (version, sum) = head
            .and_then(|head| head.split_once(", sum "))
            .ok_or_else(damaged)?;
        let version: u32 = version.parse().map_err(|_| damaged())?;
        if version != VERSION {
            return Err(wrong(
                path,
                format_args!(
                    "has version {version}, and this program knows version {VERSION}; make it anew \
                 example-classify train"
                ),
            ));
        }
        let text = text.strip_suffix('\n').ok_or_else(damaged)?;
        if sum != format!("{:016x}", hash(text.as_bytes())) {
            return Err(damaged());
        }
        let model: Self = serde_json::from_str(text).map_err(|_| damaged())?;
        if model.weights.len() != BUCKETS {
            return Err(damaged());
        }
        Ok(model)
    }
}

fn bucket(word: &str) -> usize {
    let hash = hash(word.as_bytes());
    // The upper half is better mixed. The remainder is below `BUCKETS`, so it fits.
    ((hash >> 32) % BUCKETS as u64) as usize
}

fn wrong(path: &Path, what: impl fmt::Display) -> io::Error {
    io::Error::other(format!("{} {what}", path.display()))
}
