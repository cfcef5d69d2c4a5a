//! FETCH: what a command asks of each message, and the response that answers it, in the order and
//! the form of the server's manners. The bodies go from the mailbox to the socket without being
//! copied.

use std::num::NonZeroU32;

use chrono::{DateTime, Datelike, Timelike};
use imap_codec::imap_types::IntoStatic;
use imap_codec::imap_types::fetch::{MacroOrMessageDataItemNames, MessageDataItemName};

use super::body::Body;
use super::dialect::Extension;
use super::flags::FlagSet;
use super::link::Halt;
use super::mailbox::Stored;
use super::output::Output;
use super::persona::manners::{Manners, Order, Place};
use super::utf7;

/// What a FETCH asks of every message.
#[derive(Debug)]
pub(super) struct Plan {
    manners: &'static Manners,
    /// In the order in which they are answered.
    items: Vec<Item>,
}

/// One item of a response.
#[derive(Debug)]
enum Item {
    Uid,
    Flags,
    InternalDate,
    Size,
    Gmail(&'static str),
    Body(Body),
}

/// How faults change the answer for one message.
#[derive(Debug, Default)]
pub(super) struct Distortion {
    pub(super) nil: bool,
    pub(super) duplicate: bool,
    pub(super) replacement: Option<Vec<u8>>,
    pub(super) oversize: Option<u64>,
    pub(super) size: Option<u32>,
    /// Bodies are empty, and the flags are those of a message that nobody has looked at.
    pub(super) blind: bool,
    /// Reading has changed the flags, so they are answered as well (RFC 9051, section 6.4.5).
    pub(super) flags_changed: bool,
}

impl Plan {
    /// Reads the items of a command; `None` where one is asked for that the server does not know.
    pub(super) fn new(
        items: MacroOrMessageDataItemNames<'static>,
        extension: &Extension,
        by_uid: bool,
        manners: &'static Manners,
    ) -> Option<Self> {
        let names = match items {
            MacroOrMessageDataItemNames::Macro(short) => short.expand().into_static(),
            MacroOrMessageDataItemNames::MessageDataItemNames(names) => names,
        };
        let gmail = extension.items.iter().copied();
        let mut items: Vec<Item> = gmail.map(Item::Gmail).collect();
        for name in names {
            items.push(match name {
                MessageDataItemName::Uid => Item::Uid,
                MessageDataItemName::Flags => Item::Flags,
                MessageDataItemName::InternalDate => Item::InternalDate,
                MessageDataItemName::Rfc822Size => Item::Size,
                MessageDataItemName::Rfc822 if manners.ignored_items.value.contains(&"RFC822") => {
                    continue;
                }
                name => Item::Body(Body::new(name, manners)?),
            });
        }
        Some(Self::arranged(items, by_uid, manners))
    }

    /// The flags of a message that has been changed, as a response of their own.
    pub(super) fn of_flags(by_uid: bool, manners: &'static Manners) -> Self {
        Self::arranged(vec![Item::Flags], by_uid, manners)
    }

    /// In the order of the server.
    fn arranged(mut items: Vec<Item>, by_uid: bool, manners: &'static Manners) -> Self {
        if by_uid && !items.iter().any(|item| matches!(item, Item::Uid)) {
            match manners.order.value {
                Order::AsAsked {
                    uid: Place::Last, ..
                } => items.push(Item::Uid),
                _ => items.insert(0, Item::Uid),
            }
        }
        if let Order::Own(order) = manners.order.value {
            items.sort_by_key(|item| item.place(order));
        }
        Self { manners, items }
    }

    fn add_flags(&self, items: &mut Vec<&Item>) {
        match self.manners.order.value {
            Order::Own(order) => {
                items.push(&Item::Flags);
                items.sort_by_key(|item| item.place(order));
            }
            Order::AsAsked {
                changed_flags: Place::Last,
                ..
            } => items.push(&Item::Flags),
            Order::AsAsked { .. } => {
                let uid = items.iter().position(|item| matches!(item, Item::Uid));
                items.insert(uid.map_or(0, |uid| uid + 1), &Item::Flags);
            }
        }
    }

    /// Whether answering marks the message as read.
    pub(super) fn sets_seen(&self) -> bool {
        self.bodies().any(Body::sets_seen)
    }

    pub(super) fn has_bodies(&self) -> bool {
        self.bodies().next().is_some()
    }

    fn bodies(&self) -> impl Iterator<Item = &Body> {
        self.items.iter().filter_map(|item| match item {
            Item::Body(body) => Some(body),
            _ => None,
        })
    }

    pub(super) fn answer(
        &self,
        output: &mut Output,
        number: NonZeroU32,
        message: &Stored,
        distortion: &Distortion,
    ) -> Result<(), Halt> {
        if let Some(octets) = &distortion.replacement {
            return output.put(octets);
        }
        let is_flags = |item: &&Item| matches!(item, Item::Flags);
        let mut items: Vec<&Item> = self.items.iter().collect();
        if distortion.flags_changed && !items.iter().any(is_flags) {
            self.add_flags(&mut items);
        }
        for _ in 0..1 + u32::from(distortion.duplicate) {
            output.put(format!("* {number} FETCH (").as_bytes())?;
            for (position, item) in items.iter().enumerate() {
                let gap = match item {
                    Item::Body(_) => self.manners.before_body.value,
                    _ => " ",
                };
                if position > 0 {
                    output.put(gap.as_bytes())?;
                }
                self.answer_item(item, output, message, distortion)?;
            }
            output.put(b")\r\n")?;
        }
        Ok(())
    }

    fn answer_item(
        &self,
        item: &Item,
        output: &mut Output,
        message: &Stored,
        distortion: &Distortion,
    ) -> Result<(), Halt> {
        let text = match item {
            Item::Body(body) => return body.answer(output, &message.raw, self.manners, distortion),
            Item::Uid => format!("UID {}", message.uid),
            Item::Flags if distortion.blind => "FLAGS (\\Recent)".to_owned(),
            Item::Flags => {
                let mut flags = flags(&message.flags, self.manners);
                if distortion.flags_changed {
                    flags.push_str(self.manners.surprise_flags.value);
                }
                format!("FLAGS ({flags})")
            }
            Item::InternalDate => {
                let zone = self.manners.zone_minutes.value;
                format!("INTERNALDATE \"{}\"", date(message.internal_date, zone))
            }
            Item::Size => self.size(message.raw.len(), distortion),
            Item::Gmail("X-GM-LABELS") => format!("X-GM-LABELS ({})", labels(message)),
            // Such numbers have 64 bits.
            Item::Gmail(name) => format!("{name} {}", (1 << 60) + u64::from(message.uid)),
        };
        output.put(text.as_bytes())
    }

    fn size(&self, octets: usize, distortion: &Distortion) -> String {
        if let Some(size) = distortion.size {
            return format!("RFC822.SIZE {size}");
        }
        let surplus = match octets {
            0 => 0,
            _ => self.manners.size_surplus.value as usize,
        };
        let size = octets + surplus;
        if size < self.manners.float_size_from.value {
            return format!("RFC822.SIZE {size}");
        }
        let exponent = size.ilog10();
        let mantissa = size as f64 / 10_f64.powi(exponent.cast_signed());
        format!("RFC822.SIZE {mantissa:.4}e+{exponent:02}")
    }
}

impl Item {
    fn place(&self, order: &[&str]) -> usize {
        let own = order.iter().position(|own| *own == self.name());
        own.unwrap_or(order.len())
    }

    /// As orders have it.
    fn name(&self) -> &'static str {
        match self {
            Self::Uid => "UID",
            Self::Flags => "FLAGS",
            Self::InternalDate => "INTERNALDATE",
            Self::Size => "RFC822.SIZE",
            Self::Gmail(name) => name,
            Self::Body(_) => "BODY",
        }
    }
}

/// Flags in the order in which the server lists them, keywords last.
fn flags(flags: &FlagSet, manners: &Manners) -> String {
    let mut names = flags.names();
    let order = |name: &String| manners.flags.value.split(' ').position(|own| own == name);
    names.sort_by_key(|name| order(name).unwrap_or(usize::MAX));
    names.join(" ")
}

/// A date of RFC 9051, section 9, `date-time`; one beyond the calendar's end is its beginning.
fn date(unix_seconds: i64, zone_minutes: i32) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let local = unix_seconds.saturating_add(i64::from(zone_minutes) * 60);
    let date = DateTime::from_timestamp(local, 0).unwrap_or_default();
    let sign = if zone_minutes < 0 { '-' } else { '+' };
    let zone = zone_minutes.abs();
    format!(
        "{:02}-{}-{:04} {:02}:{:02}:{:02} {sign}{:02}{:02}",
        date.day(),
        MONTHS[date.month0() as usize],
        date.year(),
        date.hour(),
        date.minute(),
        date.second(),
        zone / 60,
        zone % 60
    )
}

/// Gmail's labels: atoms, or in quotes where they need them, in modified UTF-7.
fn labels(message: &Stored) -> String {
    let labels = message.labels.iter().flat_map(|labels| labels.iter());
    let words: Vec<String> = labels
        .map(|label| {
            let label = utf7::encode(label);
            if !label.is_empty() && label.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
                return label;
            }
            format!("\"{}\"", label.replace('\\', "\\\\").replace('"', "\\\""))
        })
        .collect();
    words.join(" ")
}
