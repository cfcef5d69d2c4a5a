//! The text of a message as SEARCH sees it: decoded headers and bodies. The only place in the
//! server that parses mail; parsed once per message and search, and only when a key asks.

use std::cell::OnceCell;

use chrono::NaiveDate;
use mail_parser::{Address, HeaderValue, Message, MessageParser, PartType};

/// The text of one message, parsed when first asked for.
#[derive(Debug)]
pub(super) struct SearchText<'a> {
    raw: &'a [u8],
    parsed: OnceCell<Option<Message<'a>>>,
}

impl<'a> SearchText<'a> {
    pub(super) fn new(raw: &'a [u8]) -> Self {
        Self {
            raw,
            parsed: OnceCell::new(),
        }
    }

    /// Whether a header field of this name has `needle` in it; an empty one asks for the field only.
    pub(super) fn header_contains(&self, name: &str, needle: &str) -> bool {
        let Some(message) = self.parsed() else {
            return false;
        };
        let mut fields = message
            .headers()
            .iter()
            .filter(|header| header.name().eq_ignore_ascii_case(name));
        fields.any(|header| {
            contains(
                &header_text(header.value(), || {
                    let range = header.offset_start() as usize..header.offset_end() as usize;
                    self.raw.get(range).unwrap_or_default()
                }),
                needle,
            )
        })
    }

    /// Whether a text part of the body has `needle` in it.
    pub(super) fn body_contains(&self, needle: &str) -> bool {
        self.parsed()
            .is_some_and(|message| body_contains(message, needle))
    }

    /// Whether the header or the body has `needle` in it.
    pub(super) fn contains(&self, needle: &str) -> bool {
        let Some(message) = self.parsed() else {
            return false;
        };
        let mut fields = message.headers().iter();
        fields.any(|header| {
            contains(header.name(), needle) || self.header_contains(header.name(), needle)
        }) || body_contains(message, needle)
    }

    /// The day of the Date field as it is written there, time zone aside (RFC 9051, section 6.4.4).
    pub(super) fn sent(&self) -> Option<NaiveDate> {
        let date = self.parsed()?.date()?;
        NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())
    }

    fn parsed(&self) -> Option<&Message<'a>> {
        self.parsed
            .get_or_init(|| MessageParser::default().parse(self.raw))
            .as_ref()
    }
}

fn contains(text: &str, needle: &str) -> bool {
    text.to_lowercase().contains(needle)
}

fn body_contains(message: &Message<'_>, needle: &str) -> bool {
    message.parts.iter().any(|part| match &part.body {
        PartType::Text(text) | PartType::Html(text) => contains(text, needle),
        PartType::Message(message) => body_contains(message, needle),
        _ => false,
    })
}

/// A field as text: decoded where it is words or addresses, else as it stands in the message.
fn header_text<'a>(value: &HeaderValue<'_>, raw: impl Fn() -> &'a [u8]) -> String {
    match value {
        HeaderValue::Text(text) => text.to_string(),
        HeaderValue::TextList(texts) => texts.join(" "),
        HeaderValue::Address(Address::List(addresses)) => {
            addresses.iter().map(mailbox_text).collect()
        }
        HeaderValue::Address(Address::Group(groups)) => groups
            .iter()
            .flat_map(|group| &group.addresses)
            .map(mailbox_text)
            .collect(),
        _ => String::from_utf8_lossy(raw()).into_owned(),
    }
}

fn mailbox_text(address: &mail_parser::Addr<'_>) -> String {
    let name = address.name.as_deref().unwrap_or_default();
    format!(
        "{name} <{}> ",
        address.address.as_deref().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &[u8] = b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\n\
        Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r\nX-Spam: yes\r\n\
        Date: Sat, 31 Jan 2026 23:59:00 -0800\r\n\r\nCaf\xc3\xa9\r\n";

    #[test]
    fn finds_decoded_text_in_any_case() {
        let text = SearchText::new(RAW);
        assert!(text.header_contains("from", "jürgen"));
        assert!(text.header_contains("FROM", "j@example"));
        assert!(text.header_contains("Subject", "grüße"));
        assert!(text.header_contains("x-spam", "yes"));
        assert!(text.header_contains("X-Spam", ""));
        assert!(!text.header_contains("X-Other", ""));
        assert!(text.body_contains("café"));
        assert!(!text.body_contains("grüße"));
        assert!(text.contains("grüße") && text.contains("café"));
    }

    #[test]
    fn the_sent_date_is_the_day_that_is_written() {
        assert_eq!(
            SearchText::new(RAW).sent(),
            NaiveDate::from_ymd_opt(2026, 1, 31)
        );
    }
}
