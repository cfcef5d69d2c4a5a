//! What is in a message: its text and its attachments, found part by part. Reads what is damaged as far
//! as it makes sense, beside `mail_parser`, which gives up there; it must never invent a byte.

use crate::message::attachment::Attachment;
use crate::message::damage::{Damage, Kind};
use crate::message::field::Field;
use crate::message::header::{Header, Owner};
use crate::message::multipart;
use crate::message::readable::text_of;
use crate::message::transfer::Encoding;

/// Parts within parts beyond this are kept as they are.
const DEEPEST: usize = 32;

/// A message within a message counts as so many levels: it is kept as a whole and taken apart as
/// well, which takes memory for each.
const LEVELS_OF_MESSAGE: usize = 4;

/// What is wanted of a message; to leave something out saves the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Text,
    Attachments,
    All,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    texts: Vec<Text>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) damage: Vec<Damage>,
}

/// A text that is shown as a part of the message.
#[derive(Debug)]
struct Text {
    is_plain: bool,
    text: String,
}

impl Contents {
    /// Reads a whole message.
    pub(crate) fn of(raw: &[u8], wanted: Wanted) -> Self {
        let reader = Reader { wanted };
        reader.message(raw, "", 0)
    }

    /// All texts, each with an end of a line.
    pub(crate) fn into_text(self) -> String {
        let mut all = String::new();
        for Text { text, .. } in self.texts {
            all.push_str(text.trim_end());
            all.push('\n');
        }
        all
    }

    fn add(&mut self, mut other: Self) {
        self.texts.append(&mut other.texts);
        self.attachments.append(&mut other.attachments);
        self.damage.append(&mut other.damage);
    }

    fn has_text(&self) -> bool {
        !self.texts.is_empty()
    }

    fn is_plain(&self) -> bool {
        self.texts.iter().all(|text| text.is_plain)
    }
}

/// The header of a part, as far as it tells what the part is.
#[derive(Debug)]
struct Description {
    content_type: Field,
    disposition: Field,
    encoding: Encoding,
}

impl Description {
    fn of(header: &Header<'_>, default: &str) -> Self {
        let field = |name| header.field(name).map(Field::parse).unwrap_or_default();
        let mut content_type = field("Content-Type");
        // What is no type at all is text as well (RFC 2045, section 5.2).
        if !content_type.value.contains('/') {
            default.clone_into(&mut content_type.value);
        }
        Self {
            content_type,
            disposition: field("Content-Disposition"),
            encoding: Encoding::named(&field("Content-Transfer-Encoding").value),
        }
    }

    fn kind(&self) -> &str {
        &self.content_type.value
    }

    fn is_multipart(&self) -> bool {
        self.kind().starts_with("multipart/")
    }

    fn is_message(&self) -> bool {
        matches!(
            self.kind(),
            "message/rfc822" | "message/global" | "message/news"
        )
    }

    fn is_text(&self) -> bool {
        matches!(
            self.kind(),
            "text/plain" | "text/html" | "text/enriched" | "text/richtext"
        )
    }

    /// As the sender wrote it, decoded. That of the disposition is the newer one.
    fn name(&self) -> Option<String> {
        let name = self.disposition.parameter("filename");
        name.or_else(|| self.content_type.parameter("name"))
    }

    fn charset(&self) -> Option<String> {
        self.content_type.parameter("charset")
    }
}

/// Where a part is.
#[derive(Debug)]
struct Place {
    /// RFC 9051, section 6.4.5.1.
    number: String,
    depth: usize,
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// There is nothing else in the message.
    Whole,
    Part,
    /// Of a `multipart/related`, and not what is shown: pictures within the text, say.
    Related,
}

#[derive(Debug)]
struct Reader {
    wanted: Wanted,
}

impl Reader {
    /// Reads a message, the parts of which have this before their numbers.
    fn message(&self, raw: &[u8], prefix: &str, depth: usize) -> Contents {
        let (header, body) = Header::split(raw, Owner::Message);
        let description = Description::of(&header, "text/plain");
        let place = Place {
            number: format!("{prefix}1"),
            depth,
            role: Role::Whole,
        };
        self.entity(&description, body, prefix, place)
    }

    fn part(&self, raw: &[u8], default: &str, place: Place) -> Contents {
        let (header, body) = Header::split(raw, Owner::Part);
        let prefix = format!("{}.", place.number);
        self.entity(&Description::of(&header, default), body, &prefix, place)
    }

    fn entity(&self, about: &Description, body: &[u8], prefix: &str, place: Place) -> Contents {
        if place.depth >= DEEPEST && (about.is_multipart() || about.is_message()) {
            return self.leaf(about, body, &place, Some(Kind::TooDeep));
        }
        if about.is_multipart() {
            self.multipart(about, body, prefix, place)
        } else if about.is_message() && self.wanted != Wanted::Text {
            let mut contents = self.leaf(about, body, &place, None);
            let inner = contents.attachments.last().map(Attachment::bytes);
            let inner = inner.map(|inner| {
                let prefix = format!("{}.", place.number);
                self.message(inner, &prefix, place.depth + LEVELS_OF_MESSAGE)
            });
            if let Some(mut inner) = inner {
                // It is not the text of this message.
                inner.texts.clear();
                contents.add(inner);
            }
            contents
        } else {
            self.leaf(about, body, &place, None)
        }
    }

    fn multipart(&self, about: &Description, body: &[u8], prefix: &str, place: Place) -> Contents {
        let boundary = about.content_type.raw_parameter("boundary");
        let split = |body| {
            let parts = boundary
                .as_deref()
                .and_then(|boundary| multipart::split(body, boundary));
            parts.or_else(|| multipart::split(body, multipart::guessed_boundary(body)?))
        };
        let unencoded;
        let mut parts = split(body);
        // It must not be encoded (RFC 2045, section 6.4), and sometimes is.
        if parts.is_none() && about.encoding != Encoding::Identity {
            unencoded = about.encoding.decode(body).0;
            parts = split(&unencoded);
        }
        let Some(parts) = parts.filter(|parts| !parts.parts.is_empty()) else {
            let text = Description {
                content_type: Field::parse(b"text/plain"),
                disposition: Field::default(),
                encoding: about.encoding.clone(),
            };
            // Where there is nothing, there are no parts to be missed.
            let is_empty = body.trim_ascii().is_empty();
            let damage = (!is_empty).then_some(Kind::NoBoundary);
            return self.leaf(&text, body, &place, damage);
        };
        let subtype = about.kind().trim_start_matches("multipart/");
        let default = match subtype {
            "digest" => "message/rfc822",
            _ => "text/plain",
        };
        let mut found: Vec<Contents> = Vec::new();
        let last = format!("{prefix}{}", parts.parts.len());
        for (number, raw) in (1..).zip(parts.parts) {
            let is_shown = subtype != "related" || found.iter().all(|found| !found.has_text());
            let place = Place {
                number: format!("{prefix}{number}"),
                depth: place.depth + 1,
                role: if is_shown { Role::Part } else { Role::Related },
            };
            found.push(self.part(raw, default, place));
        }
        let mut contents = match subtype {
            "alternative" => best_alternative(found),
            _ => all_of(found),
        };
        if !parts.is_closed {
            contents.damage.push(Damage::new(&last, Kind::CutOff));
        }
        contents
    }

    /// A part without parts.
    fn leaf(
        &self,
        about: &Description,
        body: &[u8],
        place: &Place,
        damage: Option<Kind>,
    ) -> Contents {
        let mut contents = Contents::default();
        let name = about.name();
        let is_whole = place.role == Role::Whole;
        let is_shown = about.is_text()
            && about.disposition.value != "attachment"
            && place.role != Role::Related
            && (name.is_none() || is_whole || about.disposition.value == "inline");
        // A text with a name that is shown is both.
        let is_attachment = !is_shown || name.is_some();
        let wants_text = is_shown && self.wanted != Wanted::Attachments;
        let wants_attachment = is_attachment && self.wanted != Wanted::Text;
        if !wants_text && !wants_attachment {
            return contents;
        }
        let (bytes, damage) = match damage {
            Some(Kind::TooDeep) => (body.to_vec(), damage),
            _ => {
                let (bytes, other) = about.encoding.decode(body);
                (bytes, damage.or(other))
            }
        };
        let mut damage = damage.map(|kind| Damage::new(&place.number, kind));
        if wants_text {
            let (text, is_readable) = text_of(about.kind(), about.charset().as_deref(), &bytes);
            if !is_readable {
                damage = damage.or_else(|| Some(Damage::new(&place.number, Kind::BadCharacters)));
            }
            // A space that is no text either is what some programs send beside HTML.
            if text.contains(|c: char| !c.is_whitespace() && c != '\u{200b}' && c != '\u{feff}') {
                let is_plain = about.kind() == "text/plain";
                contents.texts.push(Text { is_plain, text });
            }
        }
        if wants_attachment {
            let mut attachment = Attachment::new(&place.number, name, about.kind(), bytes);
            attachment.charset = about.charset();
            attachment.damage.clone_from(&damage);
            contents.attachments.push(attachment);
        }
        contents.damage.extend(damage);
        contents
    }
}

fn all_of(found: Vec<Contents>) -> Contents {
    let mut contents = Contents::default();
    found.into_iter().for_each(|found| contents.add(found));
    contents
}

/// The plain text, or else the last that has a text (RFC 2046, section 5.1.4); the attachments of all.
fn best_alternative(mut found: Vec<Contents>) -> Contents {
    let is_plain = |found: &Contents| found.has_text() && found.is_plain();
    if found.iter().any(is_plain) {
        let others = found.iter_mut().filter(|found| !is_plain(found));
        others.for_each(|other| other.texts.clear());
    } else if let Some(last) = found.iter().rposition(Contents::has_text) {
        let others = found.iter_mut().take(last);
        others.for_each(|other| other.texts.clear());
    }
    all_of(found)
}

#[cfg(test)]
mod tests;
