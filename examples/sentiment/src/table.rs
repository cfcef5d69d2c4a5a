//! The tables that are printed.

use std::fmt::{self, Write as _};

use example_support::{column, printable};

use crate::Tally;
use crate::language::Language;
use crate::tally::Cell;

/// A mailbox may have a hundred thousand senders.
const SENDERS: usize = 20;

/// Senders whose months are shown each on its own.
const CLOSE_SENDERS: usize = 5;

const TOPICS: usize = 5;

/// In columns.
const NAME: usize = 28;

impl fmt::Display for Tally {
    /// By month, by sender, and for the most frequent senders by month.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.whole();
        write!(f, "{}", table("by month", self.by_month(), &whole))?;
        let mut senders = self.by_sender();
        let left_out = senders.len().saturating_sub(SENDERS);
        senders.truncate(SENDERS);
        write!(f, "\n{}", table("by sender", senders.clone(), &whole))?;
        if left_out > 0 {
            writeln!(f, "and {left_out} other senders")?;
        }
        for (sender, _) in senders.iter().take(CLOSE_SENDERS) {
            write!(f, "\n{}", table(sender, self.months_of(sender), &whole))?;
        }
        let left_out: u32 = self.left_out().values().sum();
        writeln!(
            f,
            "\n{} messages judged, {left_out} left out",
            whole.messages()
        )?;
        for (language, count) in self.left_out() {
            let why = match language {
                Language::English => continue,
                Language::Other(name) => format!("in {name}, which the lexicon is not for"),
                Language::Unclear => "too short or too mixed to tell the language".to_owned(),
                Language::Nothing => "without words of the sender's own".to_owned(),
            };
            writeln!(f, "{count:>8} {why}")?;
        }
        Ok(())
    }
}

fn table(title: &str, cells: Vec<(String, Cell)>, whole: &Cell) -> String {
    let mut text = format!(
        "{} messages   mean  best UID  worst UID  words\n",
        column(&printable(title), NAME)
    );
    for (name, cell) in cells {
        let uid =
            |uid: Option<parallel_mailbox::Uid>| uid.map_or("-".to_owned(), |uid| uid.to_string());
        let _ = writeln!(
            text,
            "{} {:>8} {:>6} {:>9} {:>10}  {}",
            column(&printable(&name), NAME),
            cell.messages(),
            signed(cell.mean()),
            uid(cell.most_positive()),
            uid(cell.most_negative()),
            cell.topics(whole, TOPICS).join(" ")
        );
    }
    text
}

/// With two digits, and no minus before a zero.
fn signed(mean: f64) -> String {
    match format!("{mean:+.2}").as_str() {
        "-0.00" | "+0.00" => "0.00".to_owned(),
        text => text.to_owned(),
    }
}
