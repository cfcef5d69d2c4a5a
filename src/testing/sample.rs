//! Sample mail: mailboxes that look like real ones and are the same octets for the same seed, on
//! every machine and every day. Nothing here may come from a clock, a host name or a hash map.

mod letter;
mod random;
mod words;

use self::letter::Writer;
use super::message::TestMessage;

/// A made-up mailbox for [`ServerBuilder::sample`](super::ServerBuilder::sample): letters from some
/// forty people, a few of whom write most, over 24 months, in threads, with attachments, HTML and
/// old charsets.
///
/// The same sample is the same octets, always. It is an iterator's worth of [`TestMessage`]s.
///
/// # Examples
///
/// ```
/// use parallel_mailbox::testing::{Sample, TestMessage};
///
/// let messages: Vec<TestMessage> = Sample::mixed(20).seed(7).into_iter().collect();
/// let again = Sample::mixed(20).seed(7);
/// assert!(messages.iter().zip(again).all(|(one, other)| one.raw() == other.raw()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Sample {
    size: Size,
    count: usize,
    seed: u64,
}

/// How large the messages of a sample are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    Mixed,
    Small,
    Tiny,
}

impl Sample {
    /// So many messages of sizes as in real mailboxes: median about 13 KB, mean about 73 KB, none
    /// much above 5 MB. 5,000 of them are about 368 MB.
    pub fn mixed(count: usize) -> Self {
        Self::new(Size::Mixed, count)
    }

    /// So many messages of about 4 KB each, without large attachments.
    pub fn small(count: usize) -> Self {
        Self::new(Size::Small, count)
    }

    /// So many messages of a few hundred octets each, in plain text.
    pub fn tiny(count: usize) -> Self {
        Self::new(Size::Tiny, count)
    }

    /// Makes other messages of the same kind. Defaults to 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    fn new(size: Size, count: usize) -> Self {
        Self {
            size,
            count,
            seed: 0,
        }
    }
}

impl IntoIterator for Sample {
    type Item = TestMessage;
    type IntoIter = SampleMessages;

    fn into_iter(self) -> SampleMessages {
        SampleMessages {
            next: 0,
            writer: Writer::new(&self),
            sample: self,
        }
    }
}

/// The messages of a [`Sample`], made one at a time.
#[derive(Debug)]
pub struct SampleMessages {
    sample: Sample,
    writer: Writer,
    next: usize,
}

impl Iterator for SampleMessages {
    type Item = TestMessage;

    fn next(&mut self) -> Option<TestMessage> {
        if self.next == self.sample.count {
            return None;
        }
        self.next += 1;
        Some(self.writer.write(self.next - 1))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.sample.count - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for SampleMessages {}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use mail_parser::{MessageParser, MimeHeaders, PartType};

    use super::*;

    fn sizes(sample: Sample) -> Vec<usize> {
        let mut sizes: Vec<_> = sample
            .into_iter()
            .map(|message| message.raw().len())
            .collect();
        sizes.sort_unstable();
        sizes
    }

    #[test]
    fn mixed_has_the_sizes_of_real_mail() {
        let sizes = sizes(Sample::mixed(1_500).seed(3));
        let median = sizes[sizes.len() / 2];
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!((11_000..15_000).contains(&median), "median {median}");
        assert!((55_000..95_000).contains(&mean), "mean {mean}");
        assert!(
            *sizes.last().unwrap() <= 5 * 1024 * 1024 + 4_096,
            "{sizes:?}"
        );
    }

    #[test]
    fn small_and_tiny_are_what_they_are_called() {
        let small = sizes(Sample::small(300));
        assert!(
            small[0] > 2_000 && small[299] < 8_000,
            "{} {}",
            small[0],
            small[299]
        );
        let tiny = sizes(Sample::tiny(300));
        assert!(
            tiny[0] > 150 && tiny[299] < 1_000,
            "{} {}",
            tiny[0],
            tiny[299]
        );
    }

    #[test]
    fn the_same_seed_makes_the_same_octets_on_every_machine() {
        // FNV-1a over a sample: a change here is a change of every benchmark's mailbox.
        let octets = Sample::mixed(50)
            .into_iter()
            .flat_map(|message| message.raw().to_vec());
        let hash = octets.fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
        });
        assert_eq!(hash, 0x5efa_a672_51df_ced8, "{hash:#x}");
    }

    #[test]
    fn every_message_parses_and_together_they_have_everything() {
        let mut senders = HashMap::<String, usize>::new();
        let mut types = HashSet::new();
        let mut charsets = HashSet::new();
        let mut ids = HashSet::new();
        let mut replies = 0;
        let mut dates = Vec::new();
        for message in Sample::mixed(400) {
            let parsed = MessageParser::default().parse(message.raw()).unwrap();
            let from = parsed
                .from()
                .unwrap()
                .first()
                .unwrap()
                .address
                .clone()
                .unwrap();
            *senders.entry(from.into_owned()).or_default() += 1;
            assert!(parsed.subject().is_some_and(|subject| !subject.is_empty()));
            assert!(ids.insert(parsed.message_id().unwrap().to_owned()));
            assert_eq!(parsed.date().unwrap().to_timestamp(), message.internal_date);
            dates.push(message.internal_date);
            if let Some(parent) = parsed.in_reply_to().as_text() {
                assert!(ids.contains(parent));
                replies += 1;
            }
            for part in &parsed.parts {
                assert!(!part.is_encoding_problem);
                if let Some(content) = part.content_type() {
                    types.insert(format!(
                        "{}/{}",
                        content.ctype(),
                        content.subtype().unwrap()
                    ));
                    charsets.extend(content.attribute("charset").map(str::to_owned));
                }
                if let PartType::Text(text) = &part.body {
                    assert!(!text.contains('\u{fffd}'), "{text}");
                }
            }
        }
        assert!(
            senders.len() > 30 && senders.values().max() > Some(&60),
            "{senders:?}"
        );
        for kind in [
            "text/html",
            "application/pdf",
            "image/png",
            "application/zip",
            "text/calendar",
        ] {
            assert!(types.contains(kind), "{kind} in {types:?}");
        }
        for charset in ["utf-8", "iso-8859-1", "koi8-r", "iso-2022-jp"] {
            assert!(charsets.contains(charset), "{charset} in {charsets:?}");
        }
        assert!((80..250).contains(&replies), "{replies}");
        let span = dates.last().unwrap() - dates.first().unwrap();
        assert!(dates.is_sorted() && span > 700 * 86_400, "{span}");
    }
}
