//! The attachments of a message, those that stand inside the text and those of forwarded messages
//! as well.

use std::borrow::Cow;

use parallel_mailbox::mail_parser::decoders::base64::base64_decode;
use parallel_mailbox::mail_parser::decoders::quoted_printable::quoted_printable_decode;
use parallel_mailbox::mail_parser::{Encoding, Message, MessagePart, MimeHeaders, PartType};

/// A message in a message in a message … is looked into so far, and deeper down kept as it is.
const DEEPEST: usize = 8;

/// One of them.
#[derive(Debug)]
pub struct Attachment<'x> {
    /// Where it is: `2` in the message itself, `3.1` in the one that is its part 3.
    pub part: String,
    /// As the sender wrote it, which may be anything.
    pub name: String,
    /// As the sender says, such as `image/png`, in lower case; empty if nothing is said.
    pub mime_type: String,
    pub octets: Cow<'x, [u8]>,
}

/// All of them.
#[must_use]
pub fn attachments<'x>(message: &'x Message<'_>) -> Vec<Attachment<'x>> {
    let mut found = Vec::new();
    collect(message, "", 0, &mut found);
    found
}

fn collect<'x>(
    message: &'x Message<'_>,
    above: &str,
    depth: usize,
    found: &mut Vec<Attachment<'x>>,
) {
    for (number, part) in message.parts.iter().enumerate() {
        if !is_attachment(message, number, part) {
            continue;
        }
        let number = format!("{above}{number}");
        if let (Some(nested), true) = (part.message(), depth < DEEPEST) {
            collect(nested, &format!("{number}."), depth + 1, found);
        }
        found.push(Attachment {
            part: number,
            name: part.attachment_name().unwrap_or_default().to_owned(),
            mime_type: mime_type(part),
            octets: octets(message, part),
        });
    }
}

/// All but the text to be read, and what only holds others together.
fn is_attachment(message: &Message<'_>, number: usize, part: &MessagePart<'_>) -> bool {
    let is_body = |parts: &[u32]| parts.iter().any(|part| *part as usize == number);
    match part.body {
        PartType::Multipart(_) => false,
        PartType::Text(_) | PartType::Html(_) => {
            part.attachment_name().is_some()
                || !is_body(&message.text_body) && !is_body(&message.html_body)
        }
        // Pictures between two pieces of text count as text for mail_parser.
        PartType::Binary(_) | PartType::InlineBinary(_) | PartType::Message(_) => true,
    }
}

fn mime_type(part: &MessagePart<'_>) -> String {
    let Some(content_type) = part.content_type() else {
        return String::new();
    };
    let subtype = content_type.subtype().unwrap_or_default();
    format!("{}/{subtype}", content_type.ctype()).to_lowercase()
}

/// The octets that the sender had. Text has been converted to UTF-8 by the parser, and a message in
/// a message stands for the whole: both are had from where they lie.
fn octets<'x>(message: &'x Message<'_>, part: &'x MessagePart<'_>) -> Cow<'x, [u8]> {
    if part.is_binary() {
        return part.contents().into();
    }
    if let (Some(nested), true) = (part.message(), part.encoding != Encoding::None) {
        return nested.raw_message().into();
    }
    let place = part.offset_body as usize..part.offset_end as usize;
    let raw = message.raw_message().get(place).unwrap_or_default();
    let decoded = match part.encoding {
        Encoding::None => return raw.into(),
        Encoding::Base64 => base64_decode(raw),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
    };
    decoded.map_or_else(|| part.contents().into(), Cow::Owned)
}
