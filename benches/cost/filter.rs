//! Which part of the table is wanted: words from the command line. Words about the same thing are
//! alternatives, words about different things must all hold, and a row that says nothing about
//! a thing is left out by a word about it.

/// All words, by what they are about.
const WORDS: [&[&str]; 7] = [
    &[
        "runs", "scaling", "proxy", "set-up", "slow", "length", "planning",
    ],
    &["dovecot", "in-process"],
    &["mixed", "small"],
    &["0", "10", "50", "100"],
    &["plain", "tls"],
    &["count", "parse", "work", "headers", "metadata"],
    &["x1", "x2", "x4", "x8", "x16"],
];

#[derive(Debug, Default)]
pub(crate) struct Filter(Vec<String>);

impl Filter {
    /// # Errors
    ///
    /// With a word that is none of [`WORDS`]: a text that names them.
    pub(crate) fn new(words: &[String]) -> Result<Self, String> {
        for word in words {
            if !WORDS.concat().contains(&word.as_str()) {
                let lines: Vec<_> = WORDS
                    .map(|words| format!("    {}", words.join(", ")))
                    .into();
                return Err(format!(
                    "{word}: no such word. Nothing for all, or any of\n{}\n\
                     (the part of the table, the server, the messages, the round trip in \
                     milliseconds, the security, the task, the sessions)",
                    lines.join("\n")
                ));
            }
        }
        Ok(Self(words.to_vec()))
    }

    /// Whether what these words describe is wanted.
    pub(crate) fn wants(&self, description: &[&str]) -> bool {
        WORDS.iter().all(|alternatives| {
            let mut wanted = self
                .0
                .iter()
                .filter(|word| alternatives.contains(&word.as_str()))
                .peekable();
            wanted.peek().is_none() || wanted.any(|word| description.contains(&word.as_str()))
        })
    }
}
