//! One body item of a FETCH: its name as the server writes it, and the octets of a message that it
//! stands for, as a literal or whatever else the server makes of them.

use imap_codec::imap_types::core::AString;
use imap_codec::imap_types::fetch::{MessageDataItemName, Section};

use super::fetch::Distortion;
use super::link::Halt;
use super::output::Output;
use super::persona::manners::{FieldNames, Manners};
use super::section;

/// One body item.
#[derive(Debug)]
pub(super) struct Body {
    /// With a space at its end.
    label: String,
    section: Option<Section<'static>>,
    partial: Option<(u32, u32)>,
    sets_seen: bool,
}

impl Body {
    /// Reads a body item; `None` where the server does not know it.
    pub(super) fn new(name: MessageDataItemName<'static>, manners: &Manners) -> Option<Self> {
        let (label, section, partial, sets_seen) = match name {
            MessageDataItemName::Rfc822 => ("RFC822 ".to_owned(), None, None, true),
            MessageDataItemName::Rfc822Header => {
                let section = Some(Section::Header(None));
                ("RFC822.HEADER ".to_owned(), section, None, false)
            }
            MessageDataItemName::Rfc822Text => {
                let section = Some(Section::Text(None));
                ("RFC822.TEXT ".to_owned(), section, None, true)
            }
            MessageDataItemName::BodyExt {
                section,
                partial,
                peek,
            } => {
                let partial = partial.map(|(start, length)| (start, length.get()));
                let origin = partial.map(|(start, _)| format!("<{start}>"));
                let label = format!(
                    "BODY[{}]{} ",
                    section_name(section.as_ref(), manners)?,
                    origin.unwrap_or_default()
                );
                (label, section, partial, !peek)
            }
            _ => return None,
        };
        // Whether the server knows a section does not depend on the message.
        section::select(b"", section.as_ref())?;
        Some(Self {
            label,
            section,
            partial,
            sets_seen,
        })
    }

    pub(super) fn sets_seen(&self) -> bool {
        self.sets_seen
    }

    pub(super) fn answer(
        &self,
        output: &mut Output,
        raw: &[u8],
        manners: &Manners,
        distortion: &Distortion,
    ) -> Result<(), Halt> {
        output.put(self.label.as_bytes())?;
        let raw = if distortion.blind { b"" } else { raw };
        let octets = section::select(raw, self.section.as_ref()).unwrap_or_default();
        let octets = match self.partial {
            Some((start, length)) => section::partial(octets, start, length),
            None => octets,
        };
        if distortion.nil {
            return output.put(b"NIL");
        }
        if octets.is_empty() && distortion.oversize.is_none() {
            return output.put(manners.empty_body.value.as_bytes());
        }
        if octets.len() < manners.quoted_below.value && octets.iter().all(can_be_quoted) {
            let text = String::from_utf8_lossy(&octets);
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            return output.put(format!("\"{text}\"").as_bytes());
        }
        let announced = distortion.oversize.unwrap_or(octets.len() as u64);
        let begin = match octets.contains(&0) {
            true => manners.nul_literal.value,
            false => "{",
        };
        output.put(format!("{begin}{announced}}}\r\n").as_bytes())?;
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

/// What stands in the brackets; `None` where the server does not know such a section.
fn section_name(section: Option<&Section<'_>>, manners: &Manners) -> Option<String> {
    Some(match section {
        None => String::new(),
        Some(Section::Header(None)) => "HEADER".to_owned(),
        Some(Section::Text(None)) => "TEXT".to_owned(),
        Some(Section::HeaderFields(None, names)) => {
            format!("HEADER.FIELDS ({})", field_names(names.as_ref(), manners))
        }
        Some(Section::HeaderFieldsNot(None, names)) => {
            format!(
                "HEADER.FIELDS.NOT ({})",
                field_names(names.as_ref(), manners)
            )
        }
        Some(_) => return None,
    })
}

fn field_names(names: &[AString<'_>], manners: &Manners) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|name| {
            let name = String::from_utf8_lossy(name.as_ref());
            match manners.field_names.value {
                FieldNames::AsAsked => name.into_owned(),
                FieldNames::InCapitals => name.to_ascii_uppercase(),
                FieldNames::Quoted => format!("\"{name}\""),
            }
        })
        .collect();
    names.join(" ")
}

/// Whether a quoted string can hold it (RFC 9051, section 9, `QUOTED-CHAR`).
fn can_be_quoted(octet: &u8) -> bool {
    octet.is_ascii() && !b"\r\n\0".contains(octet)
}
