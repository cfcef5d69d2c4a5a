//! Who wrote a message, to whom, when and about what, by one rule for all programs.
//!
//! - **Senders** are all authors that `From` names (RFC 5322, section 3.6.2), the first of them before
//!   the others, each with an address in small letters and a name.
//! - **The date** is that of `Date`, unless it lies before mail did or more than a day after the
//!   message arrived, as junk is dated so that it is on top. Then it is the date of the last
//!   `Received`, and else that of the server, which may be the day on which the mailbox was moved.
//! - **Bytes that are not ASCII** are UTF-8, or else Windows-1252.

use parallel_mailbox::Message;
use parallel_mailbox::mail_parser::decoders::charsets::map::charset_decoder;
use parallel_mailbox::mail_parser::{
    self, Address, DateTime, HeaderName, HeaderValue, MessageParser,
};

/// How far ahead of its arrival a message may be dated, in seconds: clocks go wrong a little.
const TOLERANCE: i64 = 24 * 60 * 60;

/// The first year in which a message can have been written.
const FIRST_YEAR: u16 = 1971;

/// The head of a message.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    pub subject: String,
    pub senders: Vec<Person>,
    /// Of `To` and `Cc`.
    pub recipients: Vec<Person>,
    pub date: Option<DateTime>,
    /// Whether the date is the sender's own, with the clock of the sender's time zone.
    pub is_date_written: bool,
    pub id: Option<String>,
    /// The messages that it names as those it answers.
    pub ancestors: Vec<String>,
}

/// Somebody who writes or is written to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    pub name: Option<String>,
    /// In small letters; empty if there is none.
    pub address: String,
}

impl Letter {
    /// Reads the head. A message without a single field has nothing but the date of its arrival.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        Self::read(message.raw(), message.internal_date())
    }

    fn read(raw: &[u8], arrived: Option<DateTime>) -> Self {
        let head = readable(head(raw));
        let parsed = MessageParser::default().parse_headers(&head);
        let (date, is_date_written) = date(parsed.as_ref(), arrived);
        let Some(parsed) = parsed else {
            return Self {
                date,
                ..Self::default()
            };
        };
        let field = |name| first(&parsed, name);
        let people = |name| people(field(name).and_then(HeaderValue::as_address));
        let text = |name| {
            field(name)
                .and_then(HeaderValue::as_text)
                .map(str::to_owned)
        };
        let ancestors = [HeaderName::References, HeaderName::InReplyTo];
        let ancestors = ancestors.map(|name| field(name).map(ids).unwrap_or_default());
        Self {
            subject: text(HeaderName::Subject).unwrap_or_default(),
            senders: people(HeaderName::From),
            recipients: [people(HeaderName::To), people(HeaderName::Cc)].concat(),
            date,
            is_date_written,
            id: text(HeaderName::MessageId),
            ancestors: ancestors.concat(),
        }
    }

    /// The first author, or nobody.
    #[must_use]
    pub fn sender(&self) -> Person {
        self.senders.first().cloned().unwrap_or_default()
    }
}

impl Person {
    /// `Anna <anna@example.org>`, or what there is of it.
    #[must_use]
    pub fn full(&self) -> String {
        match &self.name {
            Some(name) if self.address.is_empty() => name.clone(),
            Some(name) => format!("{name} <{}>", self.address),
            None => self.address.clone(),
        }
    }
}

/// Up to the empty line; all of it if there is none.
fn head(raw: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() && !line.starts_with(b" ") && !line.starts_with(b"\t") {
            break;
        }
        end += line.len();
    }
    &raw[..end]
}

/// As UTF-8, field by field: each may have been written by another program. Ends with an empty line.
fn readable(head: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(head.len() + 2);
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        match (str::from_utf8(line), charset_decoder(b"windows-1252")) {
            (Err(_), Some(decode)) => text.extend(decode(line).into_bytes()),
            _ => text.extend(line),
        }
    }
    text.extend(b"\r\n");
    text
}

/// The first field of a name: of several, which must not be, it is the one that others show.
fn first<'a>(
    parsed: &'a mail_parser::Message<'_>,
    name: HeaderName<'_>,
) -> Option<&'a HeaderValue<'a>> {
    let mut fields = parsed.headers().iter();
    fields
        .find(|field| field.name == name)
        .map(|field| &field.value)
}

fn people(address: Option<&Address<'_>>) -> Vec<Person> {
    let people = address.into_iter().flat_map(Address::iter).map(|person| {
        let name = person.name().map(str::trim).filter(|name| !name.is_empty());
        match (person.address().map(str::trim), name) {
            // A user of the same machine, without a domain.
            (None | Some(""), Some(name)) if !name.contains(char::is_whitespace) => Person {
                name: None,
                address: name.to_lowercase(),
            },
            (address, name) => Person {
                name: name.map(str::to_owned),
                address: address.unwrap_or_default().to_lowercase(),
            },
        }
    });
    people
        .filter(|person| person.name.is_some() || !person.address.is_empty())
        .collect()
}

/// The date, and whether it is that of `Date`.
fn date(
    parsed: Option<&mail_parser::Message<'_>>,
    arrived: Option<DateTime>,
) -> (Option<DateTime>, bool) {
    let arrived = arrived.filter(DateTime::is_valid);
    let written = parsed.and_then(|parsed| first(parsed, HeaderName::Date)?.as_datetime());
    let written = written.copied();
    if let Some(date) = written.and_then(|date| plausible(date, arrived)) {
        return (Some(date), true);
    }
    let received = parsed.and_then(last_received);
    let received = received.and_then(|date| plausible(date, arrived));
    (received.or(arrived), false)
}

/// Servers add theirs on top.
fn last_received(parsed: &mail_parser::Message<'_>) -> Option<DateTime> {
    let mut received = parsed
        .headers()
        .iter()
        .filter_map(|field| match &field.value {
            HeaderValue::Received(received) => Some(received),
            _ => None,
        });
    received.next()?.date()
}

/// The date, if a message can have it.
fn plausible(mut date: DateTime, arrived: Option<DateTime>) -> Option<DateTime> {
    // RFC 5322, section 4.3.
    date.year += match date.year {
        0..50 => 2_000,
        50..1_000 => 1_900,
        _ => 0,
    };
    let is_early_enough =
        |arrived: DateTime| date.to_timestamp() <= arrived.to_timestamp().saturating_add(TOLERANCE);
    let is_plausible =
        date.is_valid() && date.year >= FIRST_YEAR && arrived.is_none_or(is_early_enough);
    is_plausible.then_some(date)
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    let list = value.as_text_list().unwrap_or_default();
    let one = match list {
        [] => value.as_text(),
        _ => None,
    };
    list.iter()
        .map(|id| id.to_string())
        .chain(one.map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &[u8]) -> Letter {
        let arrived = DateTime::parse_rfc3339("2026-04-06T08:00:00Z");
        Letter::read(raw, arrived)
    }

    #[test]
    fn bytes_that_should_not_be_there_are_read() {
        let letter = read(
            b"From: J\xfcrgen M\xfcller <JUERGEN@example.org>\r\nSubject: Gr\xfc\xdfe\r\n\
              To: Zo\xc3\xab <zoe@example.org>\r\n\r\n",
        );
        assert_eq!(letter.subject, "Grüße");
        assert_eq!(
            letter.sender().full(),
            "Jürgen Müller <juergen@example.org>"
        );
        assert_eq!(letter.recipients[0].name.as_deref(), Some("Zoë"));
    }

    #[test]
    fn all_authors_are_senders() {
        let letter = read(b"From: Ann <ann@x.org>, \"B, Bob\" <bob@x.org>,\r\n carl@x.org\r\n\r\n");
        let senders: Vec<String> = letter.senders.iter().map(Person::full).collect();
        assert_eq!(
            senders,
            ["Ann <ann@x.org>", "B, Bob <bob@x.org>", "carl@x.org"]
        );
        assert!(read(b"From: <>\r\n\r\n").senders.is_empty());
        assert_eq!(
            read(b"From: NSB\r\nFrom: other@x.org\r\n\r\n")
                .sender()
                .full(),
            "nsb"
        );
        assert_eq!(read(b"X: y\r\n\r\n").sender(), Person::default());
    }

    #[test]
    fn a_date_that_cannot_be_is_not_believed() {
        let of = |fields: &str| {
            let letter = read(format!("{fields}\r\n\r\n").as_bytes());
            let date = letter.date.map(|date| date.to_rfc3339());
            (date.unwrap_or_default(), letter.is_date_written)
        };
        let arrived = ("2026-04-06T08:00:00Z".to_owned(), false);
        let received = "Received: from a by b; Sun, 5 Apr 2026 12:00:00 +0200\r\nReceived: from c \
                        by d; Sat, 4 Apr 2026 12:00:00 +0200\r\n";
        for fields in [
            "Date: nonsense",
            "X: y",
            "Date: Thu, 1 Jan 1970 00:00:00 +0000",
            "Date: Mon, 18 Jan 2038 00:00:00 +0000",
        ] {
            assert_eq!(of(fields), arrived, "{fields}");
            let expected = ("2026-04-05T12:00:00+02:00".to_owned(), false);
            assert_eq!(of(&format!("{received}{fields}")), expected, "{fields}");
        }
        let written = |text: &str| (text.to_owned(), true);
        assert_eq!(
            of("Date: Mon, 6 Apr 2026 10:00:00 +0200"),
            written("2026-04-06T10:00:00+02:00")
        );
        assert_eq!(
            of("Date: Tue, 6 Apr 93 10:00:00 GMT"),
            written("1993-04-06T10:00:00Z")
        );
        assert_eq!(
            of("Date: 6 Apr 02 10:00:00 GMT"),
            written("2002-04-06T10:00:00Z")
        );
    }

    #[test]
    fn a_message_without_a_head_has_only_a_date() {
        let letter = read(b"");
        assert!(letter.senders.is_empty() && letter.subject.is_empty());
        assert!(letter.date.is_some());
    }
}
