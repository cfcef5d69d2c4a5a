//! Made-up mail, the same every time, in which spam and ham look much alike.
//!
//! Each kind of letter takes its sentences from five pools, in its own proportions. No pool belongs
//! to one side alone: what sets a kind apart is how often it takes from which. A bank's warning has
//! the sentences of a fraud, and who imitates a colleague has a colleague's. Some letters are sent
//! again and again, as campaigns and newsletters are. And some lie in the wrong mailbox.

mod random;
mod sentences;

use parallel_mailbox::testing::TestMessage;

use self::random::Random;
use self::sentences::{CLOSINGS, COMMON, GREETINGS, HOME, MONEY, TRICKS, WORK, fill};

/// One in this many letters lies in the wrong mailbox: 3 %.
const WRONG_EVERY: usize = 33;

/// One in this many is a letter of before, to somebody else.
const COPIED_EVERY: usize = 12;

/// What people have sorted, and not always well.
#[derive(Debug)]
pub struct Sorted {
    pub ham: Vec<TestMessage>,
    pub spam: Vec<TestMessage>,
}

/// A mailbox that nobody has sorted. UIDs count from 1.
#[derive(Debug)]
pub struct Unsorted {
    pub mail: Vec<TestMessage>,
    /// What nobody knows of real mail: whether each is spam.
    pub is_spam: Vec<bool>,
}

/// 3,000 letters to learn from: 1,800 are ham, and 1,200 spam.
pub fn sorted() -> Sorted {
    let mut writer = Writer::new(1);
    let mut sorted = Sorted {
        ham: Vec::new(),
        spam: Vec::new(),
    };
    for number in 0..3_000 {
        let is_spam = number % 5 < 2;
        let letter = writer.letter(is_spam);
        let is_wrong = writer.random.below(WRONG_EVERY) == 0;
        match is_spam != is_wrong {
            true => sorted.spam.push(letter),
            false => sorted.ham.push(letter),
        }
    }
    sorted
}

/// 500 other letters, of which about a third is spam.
pub fn unsorted() -> Unsorted {
    let mut writer = Writer::new(2);
    let is_spam: Vec<bool> = (0..500).map(|_| writer.random.below(3) == 0).collect();
    let mail = is_spam.iter().map(|is_spam| writer.letter(*is_spam));
    Unsorted {
        mail: mail.collect(),
        is_spam,
    }
}

/// Of a hundred sentences, how many are from which pool.
struct Kind {
    /// Of a hundred letters of its side.
    frequency: usize,
    is_html: bool,
    common: usize,
    work: usize,
    home: usize,
    money: usize,
    tricks: usize,
}

const HAM: [Kind; 5] = [
    // A colleague.
    Kind {
        frequency: 35,
        is_html: false,
        common: 30,
        work: 61,
        home: 4,
        money: 4,
        tricks: 1,
    },
    // A friend.
    Kind {
        frequency: 20,
        is_html: false,
        common: 30,
        work: 5,
        home: 62,
        money: 2,
        tricks: 1,
    },
    // A newsletter.
    Kind {
        frequency: 20,
        is_html: true,
        common: 25,
        work: 5,
        home: 5,
        money: 61,
        tricks: 4,
    },
    // An invoice.
    Kind {
        frequency: 15,
        is_html: false,
        common: 30,
        work: 12,
        home: 0,
        money: 54,
        tricks: 4,
    },
    // A bank's warning.
    Kind {
        frequency: 10,
        is_html: true,
        common: 32,
        work: 5,
        home: 1,
        money: 50,
        tricks: 12,
    },
];

const SPAM: [Kind; 4] = [
    // An offer.
    Kind {
        frequency: 40,
        is_html: true,
        common: 24,
        work: 1,
        home: 3,
        money: 36,
        tricks: 36,
    },
    // A false bank.
    Kind {
        frequency: 30,
        is_html: true,
        common: 28,
        work: 1,
        home: 1,
        money: 20,
        tricks: 50,
    },
    // A false colleague.
    Kind {
        frequency: 15,
        is_html: false,
        common: 30,
        work: 40,
        home: 3,
        money: 5,
        tricks: 22,
    },
    // A fortune that waits.
    Kind {
        frequency: 15,
        is_html: false,
        common: 22,
        work: 2,
        home: 14,
        money: 7,
        tricks: 55,
    },
];

/// Writes letters, one after the other.
struct Writer {
    random: Random,
    number: u64,
    /// Those that may be sent again: subject, text, whether it is HTML.
    ham: Vec<(String, String, bool)>,
    spam: Vec<(String, String, bool)>,
}

impl Writer {
    fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            number: 0,
            ham: Vec::new(),
            spam: Vec::new(),
        }
    }

    fn letter(&mut self, is_spam: bool) -> TestMessage {
        let before = if is_spam { &self.spam } else { &self.ham };
        let content = if !before.is_empty() && self.random.below(COPIED_EVERY) == 0 {
            before[self.random.below(before.len())].clone()
        } else {
            let content = self.content(is_spam);
            let before = if is_spam {
                &mut self.spam
            } else {
                &mut self.ham
            };
            before.push(content.clone());
            content
        };
        self.message(content)
    }

    fn content(&mut self, is_spam: bool) -> (String, String, bool) {
        let kinds: &[Kind] = if is_spam { &SPAM } else { &HAM };
        let random = &mut self.random;
        let mut rest = random.below(100);
        let kind = kinds
            .iter()
            .find(|kind| match rest.checked_sub(kind.frequency) {
                Some(less) => {
                    rest = less;
                    false
                }
                None => true,
            });
        // The frequencies of a side add up to a hundred.
        let kind = kind.unwrap_or(&kinds[0]);
        let subject = kind.sentence(is_spam, random);
        let subject = subject.trim_end_matches(['.', '!', '?']).to_owned();
        let mut text = format!("{}\r\n\r\n", fill(random.of(GREETINGS), is_spam, random));
        for _ in 0..6 + random.below(8) {
            text.push_str(&kind.sentence(is_spam, random));
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text.push_str(&fill(random.of(CLOSINGS), is_spam, random));
        text.push_str("\r\n");
        (subject, text, kind.is_html)
    }

    fn message(&mut self, (subject, text, is_html): (String, String, bool)) -> TestMessage {
        self.number += 1;
        let number = self.number;
        let sender = fill("{name} <{name}.{number}@{host}>", false, &mut self.random);
        let (kind, text) = match is_html {
            false => ("plain", text),
            true => {
                let text = text.replace("\r\n", "<br>\r\n");
                (
                    "html",
                    format!("<html><body><p>{text}</p></body></html>\r\n"),
                )
            }
        };
        let raw = format!(
            "From: {sender}\r\nTo: me@example.org\r\nSubject: {subject}\r\n\
             Message-ID: <{number}@example.org>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
             {text}"
        );
        TestMessage::new(raw)
    }
}

impl Kind {
    fn sentence(&self, is_spam: bool, random: &mut Random) -> String {
        let pools = [
            (self.common, COMMON),
            (self.work, WORK),
            (self.home, HOME),
            (self.money, MONEY),
            (self.tricks, TRICKS),
        ];
        let mut rest = random.below(100);
        for (share, pool) in pools {
            match rest.checked_sub(share) {
                Some(less) => rest = less,
                None => return fill(random.of(pool), is_spam, random),
            }
        }
        fill(random.of(COMMON), is_spam, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_a_hundred() {
        for kinds in [&HAM[..], &SPAM[..]] {
            assert_eq!(kinds.iter().map(|kind| kind.frequency).sum::<usize>(), 100);
            for kind in kinds {
                let Kind {
                    common,
                    work,
                    home,
                    money,
                    tricks,
                    ..
                } = kind;
                assert_eq!(common + work + home + money + tricks, 100);
            }
        }
    }

    #[test]
    fn it_is_the_same_every_time() {
        let octets = |sorted: Sorted| -> Vec<Vec<u8>> {
            let all = sorted.ham.iter().chain(&sorted.spam);
            all.map(|message| message.raw().to_vec()).collect()
        };
        assert!(octets(sorted()) == octets(sorted()));
    }
}
