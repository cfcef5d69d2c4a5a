//! A message as the index takes it.

use parallel_mailbox::Message;
use parallel_mailbox::mail_parser::{self, Address, DateTime, MimeHeaders};
use tantivy::TantivyDocument;
use unicode_normalization::UnicodeNormalization;

use crate::fields::Fields;

/// In octets. A longer text is not written by people, and would be kept in the index as well.
const LONGEST_TEXT: usize = 1024 * 1024;

/// Until the year 2255; the index counts nanoseconds.
const LAST_DATE: i64 = 9_000_000_000;

/// A message that cannot be parsed has no words, but a UID, or it would be fetched every time.
pub(crate) fn document(fields: &Fields, message: &Message) -> TantivyDocument {
    let mut document = TantivyDocument::new();
    document.add_u64(fields.uid, u64::from(message.uid().get()));
    let parsed = message.parse();
    let sent = parsed.as_ref().and_then(|parsed| parsed.date().copied());
    // A sender may write any date.
    let dates = [sent, message.internal_date()].into_iter().flatten();
    let mut dates = dates.map(|date: DateTime| date.to_timestamp());
    if let Some(date) = dates.find(|date| (0..LAST_DATE).contains(date)) {
        document.add_date(fields.date, tantivy::DateTime::from_timestamp_secs(date));
    }
    let Some(parsed) = parsed else {
        return document;
    };
    let to = [people(parsed.to()), people(parsed.cc())];
    let names = parsed
        .attachments()
        .filter_map(|part| part.attachment_name());
    for (field, text) in [
        (fields.from, people(parsed.from())),
        (fields.to, to.join("\n")),
        (
            fields.subject,
            parsed.subject().unwrap_or_default().to_owned(),
        ),
        (fields.text, text(&parsed)),
        (fields.attachments, names.collect::<Vec<_>>().join("\n")),
    ] {
        // Some write `ü` as two characters, and all who search as one.
        document.add_text(field, text.nfc().collect::<String>());
    }
    document
}

fn people(address: Option<&Address<'_>>) -> String {
    let people = address.into_iter().flat_map(Address::iter);
    let people = people.map(|person| {
        let address = person.address().unwrap_or_default();
        person
            .name()
            .map_or_else(|| address.to_owned(), |name| format!("{name} <{address}>"))
    });
    people.collect::<Vec<_>>().join(", ")
}

/// Of all parts that are to be read; HTML without its tags.
fn text(message: &mail_parser::Message<'_>) -> String {
    let parts = 0..message.text_body_count();
    let mut text = String::new();
    for part in parts.filter_map(|part| message.body_text(part)) {
        let room = LONGEST_TEXT.saturating_sub(text.len());
        text.push_str(&part[..part.floor_char_boundary(room)]);
        text.push('\n');
    }
    text
}
