//! What the index holds of a message, and how text becomes words.

use std::path::Path;

use example_support::{Anything, words::words};
use parallel_mailbox::Uid;
use tantivy::directory::MmapDirectory;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, RemoveLongFilter, TextAnalyzer, Token, TokenStream, Tokenizer,
};
use tantivy::{Index, Searcher};

const WORDS: &str = "words";

/// In octets. What is longer is a key or a picture in base64, and nobody searches for it.
const LONGEST_WORD: usize = 60;

/// The fields; their names are those of the query language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    pub(crate) uid: Field,
    pub(crate) date: Field,
    pub(crate) from: Field,
    pub(crate) to: Field,
    pub(crate) subject: Field,
    pub(crate) text: Field,
    pub(crate) attachments: Field,
}

impl Fields {
    /// Opens the index of a folder, or makes one.
    pub(crate) fn open(folder: &Path) -> Result<(Index, Self), Anything> {
        let words = TextFieldIndexing::default()
            .set_tokenizer(WORDS)
            // With positions, so that phrases are found.
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let words = TextOptions::default()
            .set_indexing_options(words)
            .set_stored();
        let mut schema = Schema::builder();
        let fields = Self {
            uid: schema.add_u64_field("uid", FAST | INDEXED | STORED),
            date: schema.add_date_field("date", FAST | INDEXED | STORED),
            from: schema.add_text_field("from", words.clone()),
            to: schema.add_text_field("to", words.clone()),
            subject: schema.add_text_field("subject", words.clone()),
            text: schema.add_text_field("text", words.clone()),
            attachments: schema.add_text_field("attachments", words),
        };
        let index = Index::open_or_create(MmapDirectory::open(folder)?, schema.build())?;
        let analyzer = TextAnalyzer::builder(Words)
            .filter(RemoveLongFilter::limit(LONGEST_WORD))
            .filter(LowerCaser)
            // So that `Gruß` is found by those who have no such keys.
            .filter(AsciiFoldingFilter)
            .build();
        index.tokenizers().register(WORDS, analyzer);
        Ok((index, fields))
    }
}

/// The words of the example programs as tokens of tantivy.
#[derive(Debug, Clone)]
struct Words;

impl Tokenizer for Words {
    type TokenStream<'a> = Tokens<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens<'a> {
        let tokens = words(text).enumerate().map(move |(position, word)| Token {
            offset_from: word.place.start,
            offset_to: word.place.end,
            position,
            text: text[word.place].to_owned(),
            position_length: 1,
        });
        Tokens {
            rest: Box::new(tokens),
            token: Token::default(),
        }
    }
}

struct Tokens<'a> {
    rest: Box<dyn Iterator<Item = Token> + 'a>,
    token: Token,
}

impl TokenStream for Tokens<'_> {
    fn advance(&mut self) -> bool {
        match self.rest.next() {
            Some(token) => {
                self.token = token;
                true
            }
            None => false,
        }
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// The UIDs of all messages in the index.
pub(crate) fn uids(searcher: &Searcher) -> tantivy::Result<Vec<Uid>> {
    let mut uids = Vec::new();
    for segment in searcher.segment_readers() {
        let column = segment.fast_fields().u64("uid")?;
        let alive = segment
            .doc_ids_alive()
            .filter_map(|document| column.first(document));
        uids.extend(alive.filter_map(|uid| Uid::new(u32::try_from(uid).ok()?)));
    }
    Ok(uids)
}
