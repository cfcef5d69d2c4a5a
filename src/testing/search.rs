//! SEARCH: a program of keys, and the messages for which it holds.

use chrono::{DateTime, NaiveDate};
use imap_codec::imap_types::core::{AString, Charset};
use imap_codec::imap_types::search::SearchKey;

use super::flags::FlagSet;
use super::mailbox::{Mailbox, Stored, count};
use super::persona::manners::{Fate, Manners};
use super::ranges::{self, Ranges};
use super::search_text::SearchText;

/// How many messages are looked up under one lock.
const BATCH: usize = 1_024;

/// A key with its sets resolved against the mailbox, once and not per message.
#[derive(Debug)]
enum Test {
    All(Vec<Test>),
    Either(Box<(Test, Test)>),
    Not(Box<Test>),
    Sequence(Ranges),
    Uid(Ranges),
    Flag(u8),
    Keyword(String),
    Received(Comparison, NaiveDate),
    Sent(Comparison, NaiveDate),
    Larger(u32),
    Smaller(u32),
    Header(String, String),
    Body(String),
    Text(String),
    Never,
}

/// How a day compares.
#[derive(Debug, Clone, Copy)]
enum Comparison {
    Before,
    On,
    Since,
}

/// Whether the server can search text in this charset.
pub(super) fn knows_charset(manners: &Manners, charset: Option<&Charset<'_>>) -> bool {
    charset.is_none_or(|charset| {
        let mut known = manners.charsets.value.iter();
        known.any(|own| charset.as_ref().eq_ignore_ascii_case(own))
    })
}

/// The lines with which the server refuses a search, if it cannot deal with one of the keys.
pub(super) fn refusal(manners: &Manners, keys: &[SearchKey<'_>]) -> Option<&'static str> {
    keys.iter().find_map(|key| match key {
        SearchKey::And(keys) => refusal(manners, keys.as_ref()),
        SearchKey::Or(one, other) => [one, other]
            .into_iter()
            .find_map(|key| refusal(manners, std::slice::from_ref(key))),
        SearchKey::Not(inner) => match fate(manners, key) {
            Some(Fate::Refused(lines)) => Some(lines),
            _ => refusal(manners, std::slice::from_ref(inner)),
        },
        key => match fate(manners, key) {
            Some(Fate::Refused(lines)) => Some(lines),
            _ => None,
        },
    })
}

fn fate(manners: &Manners, key: &SearchKey<'_>) -> Option<Fate> {
    let name = match key {
        SearchKey::From(_) => "FROM",
        SearchKey::To(_) => "TO",
        SearchKey::Cc(_) => "CC",
        SearchKey::Bcc(_) => "BCC",
        SearchKey::Subject(_) => "SUBJECT",
        SearchKey::Header(..) => "HEADER",
        SearchKey::Body(_) => "BODY",
        SearchKey::Text(_) => "TEXT",
        SearchKey::Not(_) => "NOT",
        _ => return None,
    };
    let mut fates = manners.search_keys.value.iter();
    fates.find(|(own, _)| *own == name).map(|(_, fate)| *fate)
}

/// What an ESEARCH answer says of these numbers, which ascend (RFC 4731, section 3.1).
pub(super) fn results(numbers: &[u32], options: &[String]) -> String {
    let mut results = String::new();
    let is_wanted = |name: &str| options.iter().any(|own| own == name);
    if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
        if is_wanted("MIN") {
            results.push_str(&format!(" MIN {first}"));
        }
        if is_wanted("MAX") {
            results.push_str(&format!(" MAX {last}"));
        }
        if is_wanted("ALL") || options.is_empty() {
            let runs = numbers.chunk_by(|one, next| next - one == 1);
            let ranges: Vec<String> = runs
                .map(|run| match run {
                    [one] => one.to_string(),
                    run => format!("{}:{}", run[0], run[run.len() - 1]),
                })
                .collect();
            results.push_str(&format!(" ALL {}", ranges.join(",")));
        }
    }
    if is_wanted("COUNT") {
        results.push_str(&format!(" COUNT {}", numbers.len()));
    }
    results
}

/// The positions in the view `uids`, from 0, of the messages for which all the keys hold.
pub(super) fn run(
    mailbox: &Mailbox,
    uids: &[u32],
    keys: &[SearchKey<'_>],
    manners: &Manners,
) -> Vec<usize> {
    let largest = uids.last().copied().unwrap_or(0);
    let test = Test::All(
        keys.iter()
            .map(|key| Test::new(key, uids.len(), largest, manners))
            .collect(),
    );
    let mut found = Vec::new();
    for (batch, uids) in uids.chunks(BATCH).enumerate() {
        let messages = mailbox.messages(uids.iter().copied());
        let positions = messages.iter().zip(batch * BATCH..);
        found.extend(positions.filter_map(|(message, position)| {
            let message = message.as_ref()?;
            let text = SearchText::new(&message.raw);
            test.holds(message, count(position + 1), &text)
                .then_some(position)
        }));
    }
    found
}

impl Test {
    fn new(key: &SearchKey<'_>, length: usize, largest: u32, manners: &Manners) -> Self {
        match fate(manners, key) {
            Some(Fate::Ignored) => return Self::All(Vec::new()),
            Some(Fate::FindsNothing) => return Self::Never,
            _ => {}
        }
        let not = |test| Self::Not(Box::new(test));
        let nested = |key| Self::new(key, length, largest, manners);
        let header = |name: &str, text: &AString<'_>| Self::Header(name.to_owned(), needle(text));
        match key {
            SearchKey::And(keys) => Self::All(keys.as_ref().iter().map(nested).collect()),
            SearchKey::Or(one, other) => Self::Either(Box::new((nested(one), nested(other)))),
            SearchKey::Not(key) => not(nested(key)),
            SearchKey::SequenceSet(set) => Self::Sequence(Ranges::new(set, count(length))),
            SearchKey::Uid(set)
                if manners
                    .poison_uid
                    .value
                    .is_some_and(|poison| ranges::largest(set) >= poison) =>
            {
                Self::Never
            }
            SearchKey::Uid(set) => Self::Uid(Ranges::new(set, largest)),
            // No session is told of a message as recent: several share one mailbox here.
            SearchKey::All | SearchKey::Old => Self::All(Vec::new()),
            SearchKey::Answered => Self::Flag(FlagSet::ANSWERED),
            SearchKey::Deleted => Self::Flag(FlagSet::DELETED),
            SearchKey::Draft => Self::Flag(FlagSet::DRAFT),
            SearchKey::Flagged => Self::Flag(FlagSet::FLAGGED),
            SearchKey::Seen => Self::Flag(FlagSet::SEEN),
            SearchKey::Unanswered => not(Self::Flag(FlagSet::ANSWERED)),
            SearchKey::Undeleted => not(Self::Flag(FlagSet::DELETED)),
            SearchKey::Undraft => not(Self::Flag(FlagSet::DRAFT)),
            SearchKey::Unflagged => not(Self::Flag(FlagSet::FLAGGED)),
            SearchKey::Unseen => not(Self::Flag(FlagSet::SEEN)),
            SearchKey::Keyword(keyword) => Self::Keyword(keyword.inner().to_owned()),
            SearchKey::Unkeyword(keyword) => not(Self::Keyword(keyword.inner().to_owned())),
            SearchKey::Before(day) => Self::Received(Comparison::Before, *day.as_ref()),
            SearchKey::On(day) => Self::Received(Comparison::On, *day.as_ref()),
            SearchKey::Since(day) => Self::Received(Comparison::Since, *day.as_ref()),
            SearchKey::SentBefore(day) => Self::Sent(Comparison::Before, *day.as_ref()),
            SearchKey::SentOn(day) => Self::Sent(Comparison::On, *day.as_ref()),
            SearchKey::SentSince(day) => Self::Sent(Comparison::Since, *day.as_ref()),
            SearchKey::Larger(octets) => Self::Larger(*octets),
            SearchKey::Smaller(octets) => Self::Smaller(*octets),
            SearchKey::From(text) => header("From", text),
            SearchKey::To(text) => header("To", text),
            SearchKey::Cc(text) => header("Cc", text),
            SearchKey::Bcc(text) => header("Bcc", text),
            SearchKey::Subject(text) => header("Subject", text),
            SearchKey::Header(name, text) => header(&String::from_utf8_lossy(name.as_ref()), text),
            SearchKey::Body(text) => Self::Body(needle(text)),
            SearchKey::Text(text) => Self::Text(needle(text)),
            // RECENT and NEW, and keys that only features of the codec add.
            _ => Self::Never,
        }
    }

    fn holds(&self, message: &Stored, number: u32, text: &SearchText<'_>) -> bool {
        let holds = |test: &Self| test.holds(message, number, text);
        match self {
            Self::All(tests) => tests.iter().all(holds),
            Self::Either(tests) => holds(&tests.0) || holds(&tests.1),
            Self::Not(test) => !holds(test),
            Self::Sequence(set) => set.contains(number),
            Self::Uid(set) => set.contains(message.uid),
            Self::Flag(bit) => message.flags.has(*bit),
            Self::Keyword(keyword) => message.flags.has_keyword(keyword),
            Self::Received(comparison, day) => {
                let received = DateTime::from_timestamp(message.internal_date, 0);
                received.is_some_and(|date| comparison.holds(date.date_naive(), *day))
            }
            Self::Sent(comparison, day) => {
                text.sent().is_some_and(|sent| comparison.holds(sent, *day))
            }
            Self::Larger(octets) => message.raw.len() > *octets as usize,
            Self::Smaller(octets) => message.raw.len() < *octets as usize,
            Self::Header(name, needle) => text.header_contains(name, needle),
            Self::Body(needle) => text.body_contains(needle),
            Self::Text(needle) => text.contains(needle),
            Self::Never => false,
        }
    }
}

impl Comparison {
    fn holds(self, date: NaiveDate, day: NaiveDate) -> bool {
        match self {
            Self::Before => date < day,
            Self::On => date == day,
            Self::Since => date >= day,
        }
    }
}

/// The text to look for; in lower case, as texts are when they are looked at.
fn needle(text: &AString<'_>) -> String {
    String::from_utf8_lossy(text.as_ref()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use imap_codec::CommandCodec;
    use imap_codec::decode::Decoder;
    use imap_codec::imap_types::command::CommandBody;

    use super::super::message::TestMessage;
    use super::*;

    fn search(program: &str) -> Vec<u32> {
        let mailbox = Mailbox::new(1);
        let messages = [
            TestMessage::new("Subject: one\r\n\r\nx")
                .uid(5)
                .flag("\\Seen")
                .flag("Work"),
            TestMessage::new("Subject: two\r\n\r\nfourteen")
                .uid(9)
                .flag("\\Flagged"),
            TestMessage::new("Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\n")
                .uid(12)
                .internal_date(0),
        ];
        for message in messages {
            mailbox.append(message);
        }
        let line = format!("a SEARCH {program}\r\n");
        let (_, command) = CommandCodec::default().decode(line.as_bytes()).unwrap();
        let CommandBody::Search { criteria, .. } = command.body else {
            unreachable!()
        };
        let uids = mailbox.uids();
        let found = run(&mailbox, &uids, criteria.as_ref(), &Manners::PLAIN);
        found.into_iter().map(|position| uids[position]).collect()
    }

    #[test]
    fn evaluates_every_kind_of_key() {
        for (program, expected) in [
            ("ALL", vec![5, 9, 12]),
            ("SEEN", vec![5]),
            ("UNSEEN", vec![9, 12]),
            ("KEYWORD work", vec![5]),
            ("UNKEYWORD Work FLAGGED", vec![9]),
            ("UID 6:*", vec![9, 12]),
            ("2", vec![9]),
            ("2:*", vec![9, 12]),
            ("NOT 2", vec![5, 12]),
            ("OR SUBJECT ONE SUBJECT two", vec![5, 9]),
            ("(SUBJECT one SEEN) UID 1:9", vec![5]),
            ("BODY fourTEEN", vec![9]),
            ("TEXT subject", vec![5, 9]),
            ("HEADER Subject \"\"", vec![5, 9]),
            ("BEFORE 2-Jan-1970", vec![12]),
            ("ON 1-Jan-1970", vec![12]),
            ("SINCE 1-Jan-2026", vec![5, 9]),
            ("SENTON 1-Jan-2026", vec![12]),
            ("LARGER 20", vec![9, 12]),
            ("SMALLER 20", vec![5]),
            ("NEW", vec![]),
            ("UID 700", vec![]),
        ] {
            assert_eq!(search(program), expected, "{program}");
        }
    }
}
