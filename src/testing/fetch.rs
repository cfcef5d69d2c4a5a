//! FETCH: what a command asks of each message, and the response that answers it. The codec encodes
//! everything but the bodies, which go from the mailbox to the socket without being copied.

use std::num::NonZeroU32;

use chrono::DateTime;
use imap_codec::ResponseCodec;
use imap_codec::encode::Encoder;
use imap_codec::imap_types::IntoStatic;
use imap_codec::imap_types::core::{NString, Vec1};
use imap_codec::imap_types::fetch::{
    MacroOrMessageDataItemNames, MessageDataItem, MessageDataItemName, Section,
};
use imap_codec::imap_types::response::{Data, Response};

use super::link::Halt;
use super::mailbox::{Stored, count};
use super::output::Output;
use super::section;

/// What a FETCH asks of every message.
#[derive(Debug, Default)]
pub(super) struct Plan {
    uid: bool,
    flags: bool,
    internal_date: bool,
    size: bool,
    bodies: Vec<Body>,
}

/// One body item.
#[derive(Debug)]
struct Body {
    /// The name of the item as the codec writes it, with a space at its end.
    label: Vec<u8>,
    section: Option<Section<'static>>,
    partial: Option<(u32, u32)>,
    sets_seen: bool,
}

/// How faults change the answer for one message.
#[derive(Debug, Default)]
pub(super) struct Distortion {
    pub(super) nil: bool,
    pub(super) duplicate: bool,
    pub(super) replacement: Option<Vec<u8>>,
    pub(super) oversize: Option<u64>,
    pub(super) size: Option<u32>,
}

impl Plan {
    /// Reads the items of a command; `None` where one is asked for that the server does not know.
    pub(super) fn new(items: MacroOrMessageDataItemNames<'static>, by_uid: bool) -> Option<Self> {
        let names = match items {
            MacroOrMessageDataItemNames::Macro(short) => short.expand().into_static(),
            MacroOrMessageDataItemNames::MessageDataItemNames(names) => names,
        };
        let mut plan = Self {
            uid: by_uid,
            ..Self::default()
        };
        for name in names {
            match name {
                MessageDataItemName::Uid => plan.uid = true,
                MessageDataItemName::Flags => plan.flags = true,
                MessageDataItemName::InternalDate => plan.internal_date = true,
                MessageDataItemName::Rfc822Size => plan.size = true,
                name => plan.bodies.push(Body::new(name)?),
            }
        }
        Some(plan)
    }

    /// Whether answering marks the message as read.
    pub(super) fn sets_seen(&self) -> bool {
        self.bodies.iter().any(|body| body.sets_seen)
    }

    /// Answers flags as well: they have just changed (RFC 9051, section 6.4.5).
    pub(super) fn answer(
        &self,
        output: &mut Output,
        number: NonZeroU32,
        message: &Stored,
        flags_changed: bool,
        distortion: &Distortion,
    ) -> Result<(), Halt> {
        if let Some(octets) = &distortion.replacement {
            return output.put(octets);
        }
        let line = self.metadata(number, message, flags_changed, distortion);
        for _ in 0..1 + u32::from(distortion.duplicate) {
            if self.bodies.is_empty() {
                output.put(&line)?;
                continue;
            }
            let open = line.strip_suffix(b")\r\n").unwrap_or(&line);
            output.put(open)?;
            for (position, body) in self.bodies.iter().enumerate() {
                if position > 0 || !open.ends_with(b"(") {
                    output.put(b" ")?;
                }
                body.answer(output, &message.raw, distortion)?;
            }
            output.put(b")\r\n")?;
        }
        Ok(())
    }

    /// The response without its bodies.
    fn metadata(
        &self,
        number: NonZeroU32,
        message: &Stored,
        flags_changed: bool,
        distortion: &Distortion,
    ) -> Vec<u8> {
        let mut items = Vec::with_capacity(4);
        if self.uid {
            items.extend(NonZeroU32::new(message.uid).map(MessageDataItem::Uid));
        }
        if self.flags || flags_changed {
            items.push(MessageDataItem::Flags(message.flags.to_fetch()));
        }
        if self.internal_date {
            // A date beyond the calendar's end is answered as its beginning.
            let date = DateTime::from_timestamp(message.internal_date, 0).unwrap_or_default();
            items.extend(
                date.fixed_offset()
                    .try_into()
                    .map(MessageDataItem::InternalDate),
            );
        }
        if self.size {
            let size = distortion.size.unwrap_or_else(|| count(message.raw.len()));
            items.push(MessageDataItem::Rfc822Size(size));
        }
        match Vec1::try_from(items) {
            Ok(items) => encode(number, items),
            Err(_) => format!("* {number} FETCH ()\r\n").into_bytes(),
        }
    }
}

impl Body {
    /// Reads a body item; `None` where the server does not know it.
    fn new(name: MessageDataItemName<'static>) -> Option<Self> {
        let nil = || NString(None);
        let (item, section, partial, sets_seen) = match name {
            MessageDataItemName::Rfc822 => (MessageDataItem::Rfc822(nil()), None, None, true),
            MessageDataItemName::Rfc822Header => {
                let item = MessageDataItem::Rfc822Header(nil());
                (item, Some(Section::Header(None)), None, false)
            }
            MessageDataItemName::Rfc822Text => {
                let item = MessageDataItem::Rfc822Text(nil());
                (item, Some(Section::Text(None)), None, true)
            }
            MessageDataItemName::BodyExt {
                section,
                partial,
                peek,
            } => {
                let item = MessageDataItem::BodyExt {
                    section: section.clone(),
                    origin: partial.map(|(start, _)| start),
                    data: nil(),
                };
                (
                    item,
                    section,
                    partial.map(|(start, length)| (start, length.get())),
                    !peek,
                )
            }
            _ => return None,
        };
        // Whether the server knows a section does not depend on the message.
        section::select(b"", section.as_ref())?;
        let line = encode(NonZeroU32::MIN, Vec1::from(item));
        let label = line
            .strip_prefix(b"* 1 FETCH (")?
            .strip_suffix(b"NIL)\r\n")?
            .to_vec();
        Some(Self {
            label,
            section,
            partial,
            sets_seen,
        })
    }

    fn answer(&self, output: &mut Output, raw: &[u8], distortion: &Distortion) -> Result<(), Halt> {
        output.put(&self.label)?;
        let octets = section::select(raw, self.section.as_ref()).unwrap_or_default();
        let octets = match self.partial {
            Some((start, length)) => section::partial(octets, start, length),
            None => octets,
        };
        if distortion.nil {
            return output.put(b"NIL");
        }
        let announced = distortion.oversize.unwrap_or(octets.len() as u64);
        output.put(format!("{{{announced}}}\r\n").as_bytes())?;
        let sent = usize::try_from(announced).map_or(octets.len(), |most| most.min(octets.len()));
        output.put(&octets[..sent])?;
        let filler = [b'x'; 32 * 1024];
        let mut left = announced - sent as u64;
        while left > 0 {
            let now = usize::try_from(left).map_or(filler.len(), |left| left.min(filler.len()));
            output.put(&filler[..now])?;
            left -= now as u64;
        }
        Ok(())
    }
}

fn encode(number: NonZeroU32, items: Vec1<MessageDataItem<'_>>) -> Vec<u8> {
    let response = Response::Data(Data::Fetch { seq: number, items });
    ResponseCodec::default().encode(&response).dump()
}
