//! What is counted: a cell for each sender and month. A worker has a tally of its own, and in the
//! end they are joined; in which order makes no difference.

use std::collections::{BTreeMap, HashMap};

use example_support::Letter;
use parallel_mailbox::{Message, Uid};

use crate::language::Language;
use crate::own_words::own_words;
use crate::sentiment::{UNIT, sentiment, topical_words};

/// A month, and the address of a sender.
type Key = (String, String);

/// All of it.
#[derive(Debug, Default)]
pub struct Tally {
    cells: BTreeMap<Key, Cell>,
    /// Messages that the lexicon is not for, and how many.
    left_out: BTreeMap<Language, u32>,
}

/// What is known of some messages.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    messages: u32,
    sum: i64,
    /// By sentiment, and of those that are the same the one with the lowest UID.
    best: Option<(i64, Uid)>,
    worst: Option<(i64, Uid)>,
    /// In how many messages a word is.
    words: HashMap<String, u32>,
}

impl Tally {
    /// Counts a message. Only one in English is judged.
    pub fn with(mut self, message: &Message) -> Self {
        let text = own_words(&message.text());
        let language = Language::of(&text);
        if language != Language::English {
            *self.left_out.entry(language).or_default() += 1;
            return self;
        }
        let letter = Letter::of(message);
        let month = match letter.date {
            Some(date) => format!("{}-{:02}", date.year, date.month),
            None => "no date".to_owned(),
        };
        let sender = match letter.sender().address {
            address if address.is_empty() => "nobody".to_owned(),
            address => address,
        };
        let cell = self.cells.entry((month, sender)).or_default();
        cell.add(message.uid(), sentiment(&text), topical_words(&text));
        self
    }

    /// Joins two.
    pub fn joined(mut self, other: Self) -> Self {
        for (language, count) in other.left_out {
            *self.left_out.entry(language).or_default() += count;
        }
        for (key, cell) in other.cells {
            self.cells.entry(key).or_default().join(&cell);
        }
        self
    }

    /// Messages that are not judged and counted nowhere else, by why that is.
    pub fn left_out(&self) -> &BTreeMap<Language, u32> {
        &self.left_out
    }

    /// The cells of months, in the order of time.
    pub fn by_month(&self) -> Vec<(String, Cell)> {
        self.grouped(|(month, _)| month.clone())
    }

    /// The cells of senders, those with the most messages first.
    pub fn by_sender(&self) -> Vec<(String, Cell)> {
        let mut cells = self.grouped(|(_, sender)| sender.clone());
        cells.sort_by_key(|(_, cell)| std::cmp::Reverse(cell.messages));
        cells
    }

    /// The cells of a sender's months, in the order of time.
    pub fn months_of(&self, sender: &str) -> Vec<(String, Cell)> {
        let cells = self.cells.iter().filter(|((_, other), _)| other == sender);
        cells
            .map(|((month, _), cell)| (month.clone(), cell.clone()))
            .collect()
    }

    /// Everything in one.
    pub fn whole(&self) -> Cell {
        let mut whole = Cell::default();
        self.cells.values().for_each(|cell| whole.join(cell));
        whole
    }

    fn grouped(&self, name: impl Fn(&Key) -> String) -> Vec<(String, Cell)> {
        let mut groups: BTreeMap<String, Cell> = BTreeMap::new();
        for (key, cell) in &self.cells {
            groups.entry(name(key)).or_default().join(cell);
        }
        groups.into_iter().collect()
    }
}

impl Cell {
    fn add(&mut self, uid: Uid, sentiment: i64, words: impl IntoIterator<Item = String>) {
        self.messages += 1;
        self.sum += sentiment;
        self.best = better(self.best, Some((sentiment, uid)), 1);
        self.worst = better(self.worst, Some((sentiment, uid)), -1);
        for word in words {
            *self.words.entry(word).or_default() += 1;
        }
    }

    fn join(&mut self, other: &Self) {
        self.messages += other.messages;
        self.sum += other.sum;
        self.best = better(self.best, other.best, 1);
        self.worst = better(self.worst, other.worst, -1);
        for (word, count) in &other.words {
            match self.words.get_mut(word) {
                Some(sum) => *sum += count,
                None => drop(self.words.insert(word.clone(), *count)),
            }
        }
    }

    pub fn messages(&self) -> u32 {
        self.messages
    }

    /// From -1 to 1.
    pub fn mean(&self) -> f64 {
        self.sum as f64 / f64::from(self.messages.max(1)) / UNIT
    }

    pub fn most_positive(&self) -> Option<Uid> {
        self.best.map(|(_, uid)| uid)
    }

    pub fn most_negative(&self) -> Option<Uid> {
        self.worst.map(|(_, uid)| uid)
    }

    /// The words that set these messages apart from the whole: how often a word is among these,
    /// times the logarithm of how seldom it is among all. One that is in every message says
    /// nothing, and one that is in a single message of several is chance.
    pub fn topics(&self, whole: &Self, count: usize) -> Vec<&str> {
        let least = if self.messages > 1 { 2 } else { 1 };
        let words = self
            .words
            .iter()
            .filter(|(_, messages)| **messages >= least);
        let mut words: Vec<(f64, &str)> = words
            .map(|(word, messages)| {
                let all = whole.words.get(word).copied().unwrap_or(*messages);
                let frequency = f64::from(*messages) / f64::from(self.messages);
                let rarity = (f64::from(whole.messages) / f64::from(all)).ln();
                (frequency * rarity, word.as_str())
            })
            .filter(|(score, _)| *score > 0.0)
            .collect();
        // Of those that are as good, in the order of the alphabet.
        words.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
        words
            .into_iter()
            .take(count)
            .map(|(_, word)| word)
            .collect()
    }
}

type Extreme = Option<(i64, Uid)>;

fn better(one: Extreme, other: Extreme, sign: i64) -> Extreme {
    let both = one.into_iter().chain(other);
    both.min_by_key(|(sentiment, uid)| (-sign * sentiment, *uid))
}
