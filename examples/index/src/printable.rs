//! Texts of senders for a terminal, on which they must not act.

use example_support::is_harmless;

use crate::finder::Snippet;

/// What is around a word that was searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// By escape sequences of ANSI.
    Bold,
    /// `**word**`
    Stars,
}

/// The text on one line.
#[must_use]
pub fn line(text: &str) -> String {
    let text: String = text.chars().map(harmless).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with its lines.
#[must_use]
pub fn lines(text: &str) -> String {
    let text: Vec<_> = text
        .lines()
        .map(|line| line.chars().map(harmless).collect::<String>())
        .collect();
    text.join("\n")
}

/// A snippet on one line, with marks.
#[must_use]
pub fn snippet(snippet: &Snippet, mark: Mark) -> String {
    let (begin, end) = match mark {
        Mark::Bold => ("\u{1b}[1m", "\u{1b}[0m"),
        Mark::Stars => ("**", "**"),
    };
    let mut marked = String::new();
    let mut after = 0;
    for range in &snippet.found {
        marked.extend(snippet.text[after..range.start].chars().map(harmless));
        marked.push_str(begin);
        marked.extend(snippet.text[range.clone()].chars().map(harmless));
        marked.push_str(end);
        after = range.end;
    }
    marked.extend(snippet.text[after..].chars().map(harmless));
    marked.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A space in place of what acts on a terminal.
fn harmless(character: char) -> char {
    match is_harmless(&character) {
        true => character,
        false => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_marked_and_nothing_acts_on_the_terminal() {
        let text = "a \u{1b}[2J übler\r\n Tag".to_owned();
        let place = text.find("übler").unwrap();
        let found = std::iter::once(place..place + "übler".len()).collect();
        let text = Snippet { text, found };
        assert_eq!(snippet(&text, Mark::Stars), "a [2J **übler** Tag");
        assert_eq!(
            snippet(&text, Mark::Bold),
            "a [2J \u{1b}[1mübler\u{1b}[0m Tag"
        );
        assert_eq!(line("a\u{202e}\nb\u{9b}"), "a b");
    }
}
