//! Searches an index.

use std::ops::Range;
use std::path::Path;

use example_support::Anything;
use parallel_mailbox::Uid;
use parallel_mailbox::mail_parser::DateTime;
use tantivy::collector::{Count, TopDocs};
use tantivy::directory::MmapDirectory;
use tantivy::query::{Query, QueryParser, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Value};
use tantivy::snippet::SnippetGenerator;
use tantivy::{DocAddress, Index, Searcher, TantivyDocument, Term};
use unicode_normalization::UnicodeNormalization;

use crate::fields::{Fields, uids};
use crate::query;

/// A word in the subject says more than one in the text.
const WEIGHT_OF_SUBJECT: f32 = 2.0;

/// In characters.
const SNIPPET: usize = 160;

/// The index as of the last commit.
pub struct Finder {
    index: Index,
    fields: Fields,
    searcher: Searcher,
}

/// A message that was found. Its texts are as the sender wrote them.
#[derive(Debug, Default)]
pub struct Hit {
    pub uid: u64,
    /// In the form of RFC 3339, UTC.
    pub date: String,
    pub from: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub attachments: String,
    pub snippet: Snippet,
}

/// Some of the text, with what was searched for.
#[derive(Debug, Default)]
pub struct Snippet {
    pub text: String,
    pub found: Vec<Range<usize>>,
}

impl Finder {
    /// Opens an index that must exist.
    pub fn open(folder: &Path) -> Result<Self, Anything> {
        if !folder.is_dir() || !Index::exists(&MmapDirectory::open(folder)?)? {
            let folder = folder.display();
            let text =
                format!("there is no index in {folder}; make one: example-index add {folder}");
            return Err(text.into());
        }
        let (index, fields) = Fields::open(folder)?;
        let searcher = index.reader()?.searcher();
        Ok(Self {
            index,
            fields,
            searcher,
        })
    }

    /// How many messages are found, and the best of them.
    pub fn find(&self, query: &str, limit: usize) -> Result<(usize, Vec<Hit>), Anything> {
        let query = self.parse(query)?;
        let best = TopDocs::with_limit(limit).order_by_score();
        let (best, count) = self.searcher.search(&query, &(best, Count))?;
        let hits = best
            .into_iter()
            .map(|(_, address)| self.hit(address, &*query));
        Ok((count, hits.collect::<tantivy::Result<_>>()?))
    }

    /// One message.
    pub fn message(&self, uid: Uid) -> tantivy::Result<Option<Hit>> {
        let term = Term::from_field_u64(self.fields.uid, u64::from(uid.get()));
        let query = TermQuery::new(term, IndexRecordOption::Basic);
        let best = self
            .searcher
            .search(&query, &TopDocs::with_limit(1).order_by_score())?;
        best.first()
            .map(|(_, address)| self.hit(*address, &query))
            .transpose()
    }

    /// The UIDs of all messages.
    pub fn uids(&self) -> tantivy::Result<Vec<Uid>> {
        uids(&self.searcher)
    }

    fn parse(&self, query: &str) -> Result<Box<dyn Query>, Anything> {
        let Fields {
            from,
            to,
            subject,
            text,
            attachments,
            ..
        } = self.fields;
        let fields = vec![subject, text, from, to, attachments];
        let mut parser = QueryParser::for_index(&self.index, fields);
        parser.set_conjunction_by_default();
        parser.set_field_boost(subject, WEIGHT_OF_SUBJECT);
        let query: String = query.nfc().collect();
        let query = query::Query::parse(&query);
        let translated = query.translated();
        if translated.is_empty() {
            return Err("there is no word in this query".into());
        }
        let parsed = parser.parse_query(&translated);
        let words = query.words_alone().filter(|_| parsed.is_err());
        let parsed = words.map_or(parsed, |words| parser.parse_query(&words));
        parsed.map_err(|error| {
            format!(
                "this query cannot be understood: {error}. A query is words, \"a phrase\", one OR \
                 the other, -without; from:, to:, subject:, text:, attachments: before a word; \
                 date:[2026-01-01T00:00:00Z TO 2026-02-01T00:00:00Z]; at least one word that must \
                 be there."
            )
            .into()
        })
    }

    fn hit(&self, address: DocAddress, query: &dyn Query) -> tantivy::Result<Hit> {
        let document: TantivyDocument = self.searcher.doc(address)?;
        let text = |field: Field| {
            let value = document.get_first(field);
            value
                .and_then(|value| value.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        let date = document
            .get_first(self.fields.date)
            .and_then(|date| date.as_datetime());
        let date = date.map(|date| DateTime::from_timestamp(date.into_timestamp_secs()));
        let uid = document
            .get_first(self.fields.uid)
            .and_then(|uid| uid.as_u64());
        Ok(Hit {
            uid: uid.unwrap_or_default(),
            date: date.map(|date| date.to_rfc3339()).unwrap_or_default(),
            from: text(self.fields.from),
            to: text(self.fields.to),
            subject: text(self.fields.subject),
            text: text(self.fields.text),
            attachments: text(self.fields.attachments),
            snippet: self.snippet(&document, query, text(self.fields.text))?,
        })
    }

    /// Of the text, or else of the names of attachments, or else the beginning.
    fn snippet(
        &self,
        document: &TantivyDocument,
        query: &dyn Query,
        text: String,
    ) -> tantivy::Result<Snippet> {
        for field in [self.fields.text, self.fields.attachments] {
            let mut generator = SnippetGenerator::create(&self.searcher, query, field)?;
            generator.set_max_num_chars(SNIPPET);
            let snippet = generator.snippet_from_doc(document);
            if !snippet.is_empty() {
                let found = snippet.highlighted().to_vec();
                return Ok(Snippet {
                    text: snippet.fragment().to_owned(),
                    found,
                });
            }
        }
        Ok(Snippet {
            text: text.chars().take(SNIPPET).collect(),
            found: Vec::new(),
        })
    }
}
