//! A message as the index takes it.

use example_support::{Letter, Person};
use parallel_mailbox::Message;
use tantivy::TantivyDocument;
use unicode_normalization::UnicodeNormalization;

use crate::fields::Fields;

/// In bytes. A longer text is not written by people, and would be kept in the index as well.
const LONGEST_TEXT: usize = 1024 * 1024;

/// Until the year 2255; the index counts nanoseconds.
const LAST_DATE: i64 = 9_000_000_000;

/// A message that cannot be read has no words, but a UID, or it would be fetched every time.
pub(crate) fn document(fields: &Fields, message: &Message) -> TantivyDocument {
    let mut document = TantivyDocument::new();
    document.add_u64(fields.uid, u64::from(message.uid().get()));
    let letter = Letter::of(message);
    let date = letter.date.map(|date| date.to_timestamp());
    if let Some(date) = date.filter(|date| (0..LAST_DATE).contains(date)) {
        document.add_date(fields.date, tantivy::DateTime::from_timestamp_secs(date));
    }
    let mut text = message.text();
    let mut names = Vec::new();
    // Forwarded messages, calendars and files of text are read as well.
    for attachment in message.attachments() {
        names.extend(attachment.sent_name().map(str::to_owned));
        if let Some(attached) = attachment.text().filter(|_| text.len() < LONGEST_TEXT) {
            text.push('\n');
            text.push_str(&attached);
        }
    }
    text.truncate(text.floor_char_boundary(LONGEST_TEXT));
    for (field, text) in [
        (fields.from, people(&letter.senders)),
        (fields.to, people(&letter.recipients)),
        (fields.subject, letter.subject),
        (fields.text, text),
        (fields.attachments, names.join("\n")),
    ] {
        // Some write `ü` as two characters, and all who search as one.
        document.add_text(field, text.nfc().collect::<String>());
    }
    document
}

fn people(people: &[Person]) -> String {
    let people = people.iter().map(Person::full);
    people.collect::<Vec<_>>().join(", ")
}
