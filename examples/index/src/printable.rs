//! What was found on a terminal, with marks around the words that were searched for.

use example_support::printable;

use crate::finder::Snippet;

/// What is around a word that was searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// By escape sequences of ANSI.
    Bold,
    /// `**word**`
    Stars,
}

/// A snippet on one line, with marks.
#[must_use]
pub fn snippet(snippet: &Snippet, mark: Mark) -> String {
    // Two characters that a sender's text may not have, and that are not printed.
    const BEGIN: char = '\u{fdd0}';
    const END: char = '\u{fdd1}';
    let mut marked = String::new();
    let mut after = 0;
    for range in &snippet.found {
        marked.extend(without_marks(&snippet.text[after..range.start]));
        // Characters of scripts without spaces are words each, and one mark is enough for all.
        if marked.ends_with(END) && range.start == after {
            marked.pop();
        } else {
            marked.push(BEGIN);
        }
        marked.extend(without_marks(&snippet.text[range.clone()]));
        marked.push(END);
        after = range.end;
    }
    marked.extend(without_marks(&snippet.text[after..]));
    let (begin, end) = match mark {
        Mark::Bold => ("\u{1b}[1m", "\u{1b}[0m"),
        Mark::Stars => ("**", "**"),
    };
    printable(&marked).replace(BEGIN, begin).replace(END, end)
}

fn without_marks(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|letter| !matches!(letter, '\u{fdd0}' | '\u{fdd1}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, words: &[&str], mark: Mark) -> String {
        let mut found = Vec::new();
        for word in words {
            let start = text.find(word).unwrap();
            found.push(start..start + word.len());
        }
        let text = text.to_owned();
        snippet(&Snippet { text, found }, mark)
    }

    #[test]
    fn words_are_marked_and_nothing_acts_on_the_terminal() {
        let text = "a \u{1b}[2J übler\r\n Tag";
        assert_eq!(shown(text, &["übler"], Mark::Stars), "a [2J **übler** Tag");
        assert_eq!(
            shown(text, &["übler"], Mark::Bold),
            "a [2J \u{1b}[1mübler\u{1b}[0m Tag"
        );
        assert_eq!(
            shown("大会議室", &["会", "議"], Mark::Stars),
            "大**会議**室"
        );
        assert_eq!(
            shown("\u{fdd0}a b", &["a", "b"], Mark::Stars),
            "**a** **b**"
        );
    }
}
