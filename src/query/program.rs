//! A search program ready to be sent: text for the command line, and literals between.

use std::fmt;

/// The longest text that goes into the line as a quoted string, in octets.
const LONGEST_QUOTED: usize = 1000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Goes on the line as it is. ASCII without control characters.
    Text(String),
    /// Must be sent as a literal (RFC 9051, section 4.3).
    Literal(Vec<u8>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) parts: Vec<Part>,
    /// The program holds text beyond ASCII, so the command must say `CHARSET UTF-8`.
    pub(crate) needs_utf8: bool,
}

impl Program {
    pub(super) fn push(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Text(line)) => line.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
    }

    /// Adds a text of the caller's, quoted so that it stays one.
    pub(super) fn push_text(&mut self, text: &str) {
        let is_quotable = text.len() <= LONGEST_QUOTED
            && text
                .bytes()
                .all(|octet| matches!(octet, b' '..=b'~' | b'\t'));
        if is_quotable {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
            self.push(&format!("\"{escaped}\""));
        } else {
            self.needs_utf8 |= !text.is_ascii();
            self.parts.push(Part::Literal(text.as_bytes().to_vec()));
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => f.write_str(text)?,
                Part::Literal(octets) => write!(f, "{:?}", String::from_utf8_lossy(octets))?,
            }
        }
        Ok(())
    }
}
