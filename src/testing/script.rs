//! Answers as a persona's data have them: lines in which names in braces stand for what only the
//! moment knows. Knows nothing of commands or connections.

use std::borrow::Cow;

/// What stands in an answer: `{exists}` and the like. A line with a name that has no value is left
/// out, such as that of the first unseen message where there is none.
#[derive(Debug, Clone, Default)]
pub(super) struct Values(Vec<(&'static str, Option<String>)>);

impl Values {
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.0.push((name, Some(value.to_string())));
        self
    }

    pub(super) fn with_any(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.0.push((name, value.map(|value| value.to_string())));
        self
    }

    /// A line with its values in place; `None` where one that it names is absent. Braces around
    /// anything else stay, since IMAP has its own use for them.
    pub(super) fn fill<'a>(&self, line: &'a str) -> Option<Cow<'a, str>> {
        let Some(first) = line.find('{') else {
            return Some(line.into());
        };
        let mut filled = line[..first].to_owned();
        let mut rest = &line[first..];
        while let Some(start) = rest.find('{') {
            filled.push_str(&rest[..start]);
            rest = &rest[start..];
            let name = rest[1..].split('}').next().unwrap_or_default();
            match self.0.iter().rev().find(|(own, _)| *own == name) {
                Some((_, Some(value))) => {
                    filled.push_str(value);
                    rest = &rest[name.len() + 2..];
                }
                Some((_, None)) => return None,
                None => {
                    filled.push('{');
                    rest = &rest[1..];
                }
            }
        }
        filled.push_str(rest);
        Some(filled.into())
    }
}

/// What one line of an answer is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Without the tag.
    Tagged(&'a str),
    Untagged(&'a str),
    /// After it the server closes.
    Bye(&'a str),
    Close,
}

/// The lines of an answer.
pub(super) fn lines(script: &str) -> impl Iterator<Item = Line<'_>> {
    script
        .lines()
        .map(|line| match line.strip_prefix("{tag} ") {
            Some(tagged) => Line::Tagged(tagged),
            None if line == "{close}" => Line::Close,
            None if line.starts_with("* BYE") => Line::Bye(line),
            None => Line::Untagged(line),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_what_it_knows_and_leaves_the_rest() {
        let values = Values::default()
            .with("exists", 7)
            .with_any("unseen", None::<u32>);
        let fill = |line| values.fill(line);
        assert_eq!(fill("* {exists} EXISTS").unwrap(), "* 7 EXISTS");
        assert_eq!(fill("BODY[] {12} {exists}{").unwrap(), "BODY[] {12} 7{");
        assert_eq!(fill("* OK [UNSEEN {unseen}] x"), None);
    }

    #[test]
    fn tells_the_lines_of_an_answer_apart() {
        let script = "* 1 EXISTS\n{tag} OK done\n* BYE gone\n{close}";
        let found: Vec<_> = lines(script).collect();
        assert_eq!(
            found,
            [
                Line::Untagged("* 1 EXISTS"),
                Line::Tagged("OK done"),
                Line::Bye("* BYE gone"),
                Line::Close
            ]
        );
    }
}
