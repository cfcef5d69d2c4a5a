//! Writes the letters of a sample. What a letter says is determined by its seed and its position;
//! what others say of it, its Message-ID and subject, can be told without writing it.

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use super::super::message::TestMessage;
use super::random::Random;
use super::words::{FOREIGN, Foreign, PEOPLE, SUBJECTS, WORDS};
use super::{Sample, Size};

/// 2024-01-01 00:00:00 UTC, in seconds since 1970.
const FIRST_DATE: u64 = 1_704_067_200;

/// 24 months, in seconds.
const SPAN: u64 = 731 * 24 * 60 * 60;

/// The largest message of a mixed sample, in octets, headers aside.
const LARGEST: usize = 5 * 1024 * 1024;

/// From this size on, a message carries attachments.
const ATTACHES_FROM: usize = 16 * 1024;

/// How far back a reply reaches, in messages.
const MEMORY: usize = 40;

/// The kinds of attachments: type, extension, and the octets that such files begin with.
const ATTACHMENTS: [(&str, &str, &[u8]); 5] = [
    ("application/pdf", "pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
    ("image/jpeg", "jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"),
    ("image/png", "png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
    (
        "application/zip",
        "zip",
        b"PK\x03\x04\x14\x00\x00\x00\x08\x00",
    ),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
        b"PK\x03\x04\x14\x00\x06\x00\x08\x00",
    ),
];

/// What a stream of random numbers is for, so that one does not disturb the other.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Noise,
    Parent,
    Subject,
    Letter,
}

/// Writes letters.
#[derive(Debug)]
pub(super) struct Writer {
    size: Size,
    count: usize,
    seed: u64,
    /// What attachments are cut from: making noise for each would take longer than all the rest.
    noise: Vec<u8>,
}

impl Writer {
    pub(super) fn new(sample: &Sample) -> Self {
        let Sample { size, count, seed } = *sample;
        let noise = match size {
            Size::Mixed => Random::new(seed, 0, Purpose::Noise as u64).octets(LARGEST),
            Size::Small | Size::Tiny => Vec::new(),
        };
        Self {
            size,
            count,
            seed,
            noise,
        }
    }

    /// Writes the letter with this position, from 0.
    pub(super) fn write(&self, index: usize) -> TestMessage {
        let random = &mut self.random(index, Purpose::Letter);
        let date = self.date(index);
        let foreign =
            (!matches!(self.size, Size::Tiny) && random.percent(6)).then(|| random.pick(&FOREIGN));
        let builder = self.head(index, date, foreign, random);
        let size = match self.size {
            Size::Mixed => (random.log_normal(12_700.0, 1.97) as usize).min(LARGEST),
            Size::Small => 3_000 + random.below(2_000),
            Size::Tiny => 100 + random.below(200),
        };
        let body = match foreign {
            Some(foreign) if size < ATTACHES_FROM => old_text(foreign, size),
            _ => self.body(index, size, random),
        };
        let mut raw = Vec::with_capacity(size + 4_096);
        // Writing into memory does not fail.
        let _ = builder.body(body).write_to(&mut raw);
        let mut message = TestMessage::from(raw).internal_date(date as i64);
        for (flag, percent) in [("\\Seen", 70), ("\\Answered", 20), ("\\Flagged", 5)] {
            if random.percent(percent) {
                message = message.flag(flag);
            }
        }
        message
    }

    fn head(
        &self,
        index: usize,
        date: u64,
        foreign: Option<&Foreign>,
        random: &mut Random,
    ) -> MessageBuilder<'static> {
        let (name, address) = PEOPLE[random.zipf(PEOPLE.len())];
        let mut builder = MessageBuilder::new()
            .date(date as i64)
            .from((name, address))
            .to(("Me", "me@mailbox.example"))
            .message_id(self.message_id(index));
        if random.percent(15) {
            let copies = (0..1 + random.below(3)).map(|_| *random.pick(&PEOPLE));
            let copies = copies.map(|(name, address)| Address::from((name, address)));
            builder = builder.cc(Address::new_list(copies.collect()));
        }
        builder = match foreign {
            Some(foreign) => builder.header("Subject", Raw::new(foreign.subject)),
            None => builder.subject(self.subject(index)),
        };
        if let Some(parent) = self.parent(index) {
            let mut ancestors: Vec<_> =
                std::iter::successors(Some(parent), |index| self.parent(*index))
                    .take(8)
                    .collect();
            ancestors.reverse();
            let ids: Vec<_> = ancestors
                .into_iter()
                .map(|index| self.message_id(index))
                .collect();
            builder = builder.in_reply_to(self.message_id(parent)).references(ids);
        }
        builder
    }

    fn body(&self, index: usize, size: usize, random: &mut Random) -> MimePart<'static> {
        if matches!(self.size, Size::Tiny) {
            return MimePart::new("text/plain", text(size, random));
        }
        if self.noise.is_empty() || size < ATTACHES_FROM {
            let boundary = format!("alternative-{index:x}");
            return match random.below(10) {
                0..4 => MimePart::new("text/plain", text(size, random)),
                4 => multipart(
                    "multipart/mixed",
                    boundary,
                    vec![
                        MimePart::new("text/plain", text(size.saturating_sub(500), random)),
                        calendar(index, self.date(index)),
                    ],
                ),
                _ => alternative(boundary, size, random),
            };
        }
        let written = 2_000 + random.below(6_000);
        let mut parts = vec![alternative(
            format!("alternative-{index:x}"),
            written,
            random,
        )];
        // Base64 makes 78 octets of 57, line ends included.
        let mut left = (size - written) / 78 * 57;
        while left > 0 {
            let share = if random.percent(60) {
                left
            } else {
                left.min(left / 2 + 1_024)
            };
            parts.push(self.attachment(share, random));
            left -= share;
        }
        multipart("multipart/mixed", format!("mixed-{index:x}"), parts)
    }

    fn attachment(&self, size: usize, random: &mut Random) -> MimePart<'static> {
        let (kind, extension, magic) = *random.pick(&ATTACHMENTS);
        let mut octets = Vec::with_capacity(size);
        octets.extend_from_slice(magic);
        let noise = size.saturating_sub(magic.len()).min(self.noise.len());
        let start = random.below(self.noise.len() - noise + 1);
        octets.extend_from_slice(&self.noise[start..start + noise]);
        let word = random.pick(&WORDS);
        let name = match random.percent(10) {
            true => format!("Übersicht {word}.{extension}"),
            false => format!("{word}-{}.{extension}", random.below(1_000)),
        };
        MimePart::new(kind, BodyPart::Binary(octets.into())).attachment(name)
    }

    fn random(&self, index: usize, purpose: Purpose) -> Random {
        Random::new(self.seed, index as u64, purpose as u64)
    }

    /// Ascending with the position, evenly over the span.
    fn date(&self, index: usize) -> u64 {
        FIRST_DATE + (SPAN as u128 * index as u128 / self.count.max(1) as u128) as u64
    }

    fn message_id(&self, index: usize) -> String {
        format!("{:x}.{index}@sample.example", self.seed)
    }

    /// The letter that this one answers.
    fn parent(&self, index: usize) -> Option<usize> {
        let mut random = self.random(index, Purpose::Parent);
        (index > 0 && random.percent(35)).then(|| index - 1 - random.below(index.min(MEMORY)))
    }

    fn subject(&self, index: usize) -> String {
        match self.parent(index) {
            Some(parent) => {
                let subject = self.subject(parent);
                if subject.starts_with("Re: ") {
                    subject
                } else {
                    format!("Re: {subject}")
                }
            }
            None => (*self.random(index, Purpose::Subject).pick(&SUBJECTS)).to_owned(),
        }
    }
}

/// A multipart with a boundary of ours: by default it would come from the clock.
fn multipart(
    kind: &'static str,
    boundary: String,
    parts: Vec<MimePart<'static>>,
) -> MimePart<'static> {
    MimePart::new(
        ContentType::new(kind).attribute("boundary", boundary),
        parts,
    )
}

/// The same text as plain text and as HTML, of about this size together.
fn alternative(boundary: String, size: usize, random: &mut Random) -> MimePart<'static> {
    let plain = text(size * 2 / 5, random);
    let mut html = String::from("<!DOCTYPE html>\r\n<html><body>\r\n");
    for line in plain.lines() {
        html.push_str("<p style=\"margin:0\">");
        html.push_str(line);
        html.push_str("</p>\r\n");
    }
    html.push_str("</body></html>\r\n");
    let parts = vec![
        MimePart::new("text/plain", plain),
        MimePart::new("text/html", html),
    ];
    multipart("multipart/alternative", boundary, parts)
}

fn calendar(index: usize, date: u64) -> MimePart<'static> {
    let event = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//sample//EN\r\nBEGIN:VEVENT\r\n\
         UID:{index}@sample.example\r\nSUMMARY:Meeting\r\nX-SECONDS:{date}\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    MimePart::new("text/calendar", event).attachment("invite.ics")
}

/// A text in an old charset, of about this size.
fn old_text(foreign: &Foreign, size: usize) -> MimePart<'static> {
    let times = 1 + size / foreign.body.len();
    let kind = ContentType::new("text/plain").attribute("charset", foreign.charset);
    MimePart::new(kind, foreign.body.repeat(times)).transfer_encoding(foreign.encoding)
}

/// Sentences in lines of up to 72 characters, of about this size.
fn text(size: usize, random: &mut Random) -> String {
    let mut text = String::with_capacity(size + 16);
    let mut line = 0;
    while text.len() < size {
        let word = random.pick(&WORDS);
        if line + word.len() > 72 {
            text.push_str(if random.percent(10) {
                ".\r\n\r\n"
            } else {
                "\r\n"
            });
            line = 0;
        } else if line > 0 {
            text.push(' ');
        }
        text.push_str(word);
        line += word.len() + 1;
    }
    text.push_str(".\r\n");
    text
}
