//! Moods and topics of a mailbox, by month and by sender.
//!
//! # How it works
//!
//! Of each message only what its sender wrote is read, see [`own_words`]: no quotation, no
//! signature, no tags of HTML. Each sentence gets a sentiment between -1 and 1 by VADER, a lexicon
//! with rules for negation, emphasis and emoji; a message's is the mean of its sentences, since
//! VADER was made for short texts and says 1 or -1 of every long one. Topics are the words that are
//! more frequent in a group's messages than in others', by TF-IDF.
//!
//! Everything is folded on the workers, into one [`Tally`] each; see `main.rs`. Sentiments are
//! added up as whole numbers, so the table is the same whichever worker got which message.
//!
//! # The crates
//!
//! `vader-sentimental` is the port of VADER that is kept up and has few dependencies;
//! `vader_sentiment`, from which it comes, has had no release since 2021. Words and sentences are
//! found by `unicode-segmentation`, `lingua` tells languages apart, also of short texts, and
//! `stop-words` tells which words say nothing. TF-IDF is a
//! line of arithmetic over counts that can be joined, see [`tally::Cell::topics`]: the crates for
//! it want all texts at once, and `keyword_extraction` has a licence, the LGPL, that others of
//! these crates have not.
//!
//! # Limits
//!
//! The lexicon and the stop words are English: in German "die" is an article. So a message is judged
//! only if it is in English, and the program says how many are not, or are too short to tell; see
//! [`language`]. A lexicon knows no irony, and no context: a trade fair is "fair", which is good, as can be
//! seen in March of the made-up letters. The mean of many messages says something, that of one says
//! little. A sender is the address of the first author, and a month is that of the `Date` header,
//! unless it cannot be right; see [`Letter`](example_support::Letter).

pub mod language;
pub mod made_up;
pub mod own_words;
mod sentiment;
pub mod table;
pub mod tally;

pub use tally::Tally;
