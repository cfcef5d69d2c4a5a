//! Attachments as texts to read: a file of its own, since a forwarded message is a message again.

use crate::message::attachment::Attachment;
use crate::message::contents::{Contents, Wanted};
use crate::message::encoded_word::decoded;
use crate::message::header::{Header, Owner};
use crate::message::readable::text_of;

impl Attachment {
    /// Returns it as a text to read: that of a text, of a page of HTML, of a calendar or of a
    /// forwarded message, of which the attachments are attachments of their own. `None` if it is
    /// something else.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let extension = self
            .name()
            .rsplit_once('.')
            .map_or("", |(_, extension)| extension);
        let kind = match self.content_type() {
            // Some send everything as this.
            "application/octet-stream" => match extension.to_ascii_lowercase().as_str() {
                "csv" | "log" | "md" | "txt" => "text/plain",
                "htm" | "html" => "text/html",
                "ics" => "text/calendar",
                _ => return None,
            },
            "application/ics" => "text/calendar",
            kind => kind,
        };
        let decoded = || text_of(kind, self.charset.as_deref(), self.bytes()).0;
        match kind {
            "message/rfc822" | "message/global" | "message/news" => {
                Some(forwarded_text(self.bytes()))
            }
            "text/rtf" => None,
            "text/calendar" | "text/vcard" | "text/x-vcard" => Some(unfolded(&decoded())),
            _ if kind.starts_with("text/") || kind.starts_with("message/") => Some(decoded()),
            _ => None,
        }
    }
}

/// A message within a message as a text: who wrote it, about what, and what.
pub(crate) fn forwarded_text(raw: &[u8]) -> String {
    let (header, _) = Header::split(raw, Owner::Message);
    let mut text = String::new();
    for name in ["From", "To", "Cc", "Date", "Subject"] {
        if let Some(field) = header.field(name) {
            let value = decoded(field);
            let words: Vec<&str> = value.split_whitespace().collect();
            text.push_str(&format!("{name}: {}\n", words.join(" ")));
        }
    }
    text.push('\n');
    text + &Contents::of(raw, Wanted::Text).into_text()
}

/// A calendar or a card, with long lines in one piece (RFC 5545, sections 3.1 and 3.3.11).
fn unfolded(text: &str) -> String {
    let text = text.replace("\n ", "").replace("\n\t", "");
    let text = text.replace("\\n", "\n").replace("\\N", "\n");
    text.replace("\\,", ",").replace("\\;", ";")
}
