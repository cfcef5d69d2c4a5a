//! What people search for, in the language of tantivy. A word with marks in it, such as `O'Brien`,
//! `[EXTERNAL]` or a link, is the phrase of its pieces and never a mistake.

use example_support::words::words;

/// What may stand before a colon. With others, such as `Re:`, the colon is a mark like any.
const FIELDS: [&str; 7] = [
    "attachments:",
    "date:",
    "from:",
    "subject:",
    "text:",
    "to:",
    "uid:",
];

/// A query taken apart.
#[derive(Debug, Default)]
pub(crate) struct Query<'a> {
    pieces: Vec<Piece<'a>>,
    /// How many groups are open.
    depth: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Open,
    Close,
    /// `AND`, `OR`, `NOT`
    Operator(&'a str),
    /// Of a field that has no words, with the field.
    Value(&'a str),
    /// With what stands before it: a minus, a field.
    Words(&'a str, &'a str),
}

impl<'a> Query<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        let mut query = Self::default();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (piece, length) = query.next(rest);
            query.pieces.push(piece);
            rest = rest[length..].trim_start();
        }
        if query.depth > 0 {
            query
                .pieces
                .retain(|piece| !matches!(piece, Piece::Open | Piece::Close));
        }
        let has_words = |text: &str| words(text).next().is_some();
        query
            .pieces
            .retain(|piece| !matches!(piece, Piece::Words(_, text) if !has_words(text)));
        query
    }

    /// The first piece, and how many bytes it takes.
    fn next(&mut self, rest: &'a str) -> (Piece<'a>, usize) {
        if rest.starts_with('(') {
            self.depth += 1;
            return (Piece::Open, 1);
        }
        if rest.starts_with(')') && self.depth > 0 {
            self.depth -= 1;
            return (Piece::Close, 1);
        }
        let (prefix, text) = rest.split_at(prefix(rest));
        if let Some(phrase) = text.strip_prefix('"') {
            let end = phrase.find('"').unwrap_or(phrase.len());
            let length = (prefix.len() + 1 + end + 1).min(rest.len());
            return (Piece::Words(prefix, &phrase[..end]), length);
        }
        let is_value = prefix.ends_with("date:") || prefix.ends_with("uid:");
        if is_value && text.starts_with(['[', '{']) {
            let end = text.find([']', '}']).map_or(text.len(), |end| end + 1);
            return (
                Piece::Value(&rest[..prefix.len() + end]),
                prefix.len() + end,
            );
        }
        let mut word = &text[..text.find(char::is_whitespace).unwrap_or(text.len())];
        // These close a group: `(one OR two)`.
        for _ in 0..self.depth {
            word = word.strip_suffix(')').unwrap_or(word);
        }
        let whole = &rest[..prefix.len() + word.len()];
        let piece = match word {
            "AND" | "OR" | "NOT" if prefix.is_empty() => Piece::Operator(word),
            _ if is_value => Piece::Value(whole),
            _ => Piece::Words(prefix, word),
        };
        // A mark alone, so that it goes on.
        (piece, whole.len().max(1))
    }

    /// The query; empty if there is nothing in it to search for.
    pub(crate) fn translated(&self) -> String {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Open => "(".to_owned(),
            Piece::Close => ")".to_owned(),
            Piece::Operator(text) | Piece::Value(text) => (*text).to_owned(),
            Piece::Words(prefix, text) => phrase(prefix, text),
        });
        pieces.collect::<Vec<_>>().join(" ")
    }

    /// The words alone, for a query with brackets and operators in odd places, or `None` if it says
    /// something else without them.
    pub(crate) fn words_alone(&self) -> Option<String> {
        let mut phrases = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Value(_) | Piece::Operator("NOT") => return None,
                Piece::Words(prefix, _) if prefix.starts_with('-') => return None,
                Piece::Words(prefix, text) => phrases.push(phrase(prefix, text)),
                Piece::Open | Piece::Close | Piece::Operator(_) => {}
            }
        }
        (!phrases.is_empty()).then(|| phrases.join(" "))
    }
}

/// Of letters and digits, which have no meaning in the language of queries.
fn phrase(prefix: &str, text: &str) -> String {
    let words: Vec<&str> = words(text).map(|word| &text[word.place]).collect();
    format!("{}\"{}\"", prefix.to_lowercase(), words.join(" "))
}

/// The length of a minus or plus, and of a field.
fn prefix(text: &str) -> usize {
    let sign = usize::from(text.starts_with(['-', '+']));
    let field = FIELDS.iter().find(|field| {
        let start = text.get(sign..sign + field.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(field))
    });
    sign + field.map_or(0, |field| field.len())
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn marks_are_no_mistakes() {
        for (query, translated) in [
            ("invoice", "\"invoice\""),
            ("O'Brien don't", "\"O Brien\" \"don t\""),
            ("[EXTERNAL] Re: 10:30", "\"EXTERNAL\" \"Re\" \"10 30\""),
            ("https://example.org/?a=b&c", "\"https example org a b c\""),
            (
                "from:Anna SUBJECT:\"two words\"",
                "from:\"Anna\" subject:\"two words\"",
            ),
            ("-from:anna +a", "-from:\"anna\" +\"a\""),
            ("\"never closed", "\"never closed\""),
            ("a AND (b OR c)", "\"a\" AND ( \"b\" OR \"c\" )"),
            ("((a) b)", "( ( \"a\" ) \"b\" )"),
            ("f(x) (open", "\"f x\" \"open\""),
            (":-) ) ( ~ ^2 a*", "\"2\" \"a\""),
            ("会議 ประชุม", "\"会 議\" \"ป ร ะ ช ุ ม\""),
            (
                "date:[2026-01-01T00:00:00Z TO *] x",
                "date:[2026-01-01T00:00:00Z TO *] \"x\"",
            ),
            ("uid:7", "uid:7"),
            ("-- \"\" []", ""),
        ] {
            assert_eq!(Query::parse(query).translated(), translated, "{query}");
        }
    }

    #[test]
    fn words_are_searched_for_where_the_rest_makes_no_sense() {
        for (query, words) in [
            ("OR invoice AND", Some("\"invoice\"")),
            ("a OR from:b ()", Some("\"a\" from:\"b\"")),
            ("-a", None),
            ("NOT a", None),
            ("a uid:x", None),
            ("!", None),
        ] {
            assert_eq!(
                Query::parse(query).words_alone().as_deref(),
                words,
                "{query}"
            );
        }
    }
}
