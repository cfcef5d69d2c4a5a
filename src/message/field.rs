//! Header fields with parameters, such as Content-Type (RFC 2045, section 5.1; RFC 2231). Reads what
//! senders write instead of what the grammar wants, and never fails.

use crate::message::charset::decode;
use crate::message::encoded_word::decoded;
use crate::message::transfer::hex;

/// A value and its parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Field {
    /// In small letters, without comments.
    pub(crate) value: String,
    /// As they stand there, by names in small letters.
    parameters: Vec<Parameter>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parameter {
    name: String,
    value: Vec<u8>,
}

impl Field {
    /// Reads the body of a field, which may still be folded.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let mut pieces = pieces(body).into_iter();
        let first = pieces.next().unwrap_or_default();
        // A semicolon that was forgotten.
        let end = first.iter().position(u8::is_ascii_whitespace);
        let (value, rest) = first.split_at(end.unwrap_or(first.len()));
        let forgotten = rest.contains(&b'=').then(|| rest.trim_ascii().to_vec());
        let parameters = forgotten.into_iter().chain(pieces);
        Self {
            value: decoded(value).trim_matches('"').to_ascii_lowercase(),
            parameters: parameters
                .filter_map(|piece| Parameter::parse(&piece))
                .collect(),
        }
    }

    /// A parameter, put together from its pieces and decoded. The form with a charset of its own is
    /// the better one, wherever it stands (RFC 2231, section 4; RFC 6266, section 4.3).
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.extended(name)
            .or_else(|| self.first(name).map(decoded))
            .filter(|value| !value.is_empty())
    }

    /// One that is ASCII and stands in one piece as a rule, as it is.
    pub(crate) fn raw_parameter(&self, name: &str) -> Option<Vec<u8>> {
        let value = self.first(name).map(<[u8]>::to_vec);
        value.or_else(|| self.extended(name).map(String::into_bytes))
    }

    fn first(&self, name: &str) -> Option<&[u8]> {
        let mut parameters = self.parameters.iter();
        let parameter = parameters.find(|parameter| parameter.name == name)?;
        Some(&parameter.value)
    }

    /// `name*`, or `name*0` and what follows; a star at the end means that a piece is encoded.
    fn extended(&self, name: &str) -> Option<String> {
        let mut pieces: Vec<(u32, bool, &[u8])> = Vec::new();
        for parameter in &self.parameters {
            let section = parameter.name.strip_prefix(name);
            let Some(section) = section.and_then(|section| section.strip_prefix('*')) else {
                continue;
            };
            let (number, is_encoded) = match section.strip_suffix('*') {
                Some(number) => (number.parse().ok(), true),
                None if section.is_empty() => (Some(0), true),
                None => (section.parse().ok(), false),
            };
            if let Some(number) = number {
                pieces.push((number, is_encoded, &parameter.value));
            }
        }
        pieces.sort_by_key(|(number, ..)| *number);
        pieces.dedup_by_key(|(number, ..)| *number);
        let (_, is_encoded, first) = *pieces.first()?;
        if !pieces.iter().any(|(_, is_encoded, _)| *is_encoded) {
            let joined: Vec<u8> = pieces
                .iter()
                .flat_map(|(.., value)| *value)
                .copied()
                .collect();
            return Some(decoded(&joined));
        }
        let (charset, text) = match is_encoded {
            true => charset_of(first),
            false => (None, first),
        };
        // All of them before any is decoded: a character may be split between two.
        let mut bytes = Vec::new();
        for (place, (_, is_encoded, value)) in pieces.iter().enumerate() {
            let value = if place == 0 { text } else { value };
            match is_encoded {
                true => bytes.extend(percent_decoded(value)),
                false => bytes.extend(value),
            }
        }
        Some(decode(&bytes, charset).0)
    }
}

impl Parameter {
    fn parse(piece: &[u8]) -> Option<Self> {
        let equals = memchr::memchr(b'=', piece)?;
        let name = str::from_utf8(&piece[..equals]).ok()?;
        // Some write `filename * = …`.
        let name: String = name.split_ascii_whitespace().collect();
        Some(Self {
            name: name.to_ascii_lowercase(),
            value: unquoted(piece[equals + 1..].trim_ascii()),
        })
    }
}

/// `charset'language'text`; either mark may be missing.
fn charset_of(value: &[u8]) -> (Option<&str>, &[u8]) {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(charset), Some(_language), Some(text)) => (str::from_utf8(charset).ok(), text),
        _ => (None, value),
    }
}

fn percent_decoded(mut value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len());
    while let [byte, rest @ ..] = value {
        value = rest;
        match rest {
            [high, low, rest @ ..] if *byte == b'%' => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    value = rest;
                }
                _ => bytes.push(*byte),
            },
            _ => bytes.push(*byte),
        }
    }
    bytes
}

/// Without quotation marks, and with what they protect. A backslash that protects nothing is one of a
/// path on Windows.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let Some(mut rest) = value.strip_prefix(b"\"") else {
        return value.to_vec();
    };
    let mut text = Vec::with_capacity(rest.len());
    loop {
        match rest {
            [b'\\', byte @ (b'"' | b'\\'), after @ ..] => {
                text.push(*byte);
                rest = after;
            }
            [b'"', ..] | [] => return text,
            [byte, after @ ..] => {
                text.push(*byte);
                rest = after;
            }
        }
    }
}

/// What stands between semicolons, unfolded and without comments.
fn pieces(body: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let mut is_quoted = false;
    let mut rest = body;
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, after) {
            (b'\r' | b'\n', _) => {}
            (b'\\', [escaped @ (b'"' | b'\\'), after @ ..]) if is_quoted => {
                piece.extend([b'\\', *escaped]);
                rest = after;
            }
            (b'"', _) => {
                // Within a word it is a mark like others.
                is_quoted = !is_quoted && may_open(&piece);
                piece.push(*byte);
            }
            (b';', _) if !is_quoted => pieces.push(std::mem::take(&mut piece)),
            (b'(', _) if !is_quoted && may_be_comment(&piece) => match after_comment(after) {
                Some(after) => rest = after,
                None => piece.push(*byte),
            },
            _ => piece.push(*byte),
        }
    }
    pieces.push(piece);
    let trimmed = pieces
        .iter()
        .map(|piece: &Vec<u8>| piece.trim_ascii().to_vec());
    trimmed.collect()
}

fn may_open(piece: &[u8]) -> bool {
    piece.is_empty() || piece.ends_with(b"=") || piece.ends_with(b" ") || piece.ends_with(b"\t")
}

/// A name such as `report(1).pdf` has none.
fn may_be_comment(piece: &[u8]) -> bool {
    piece.last().is_none_or(u8::is_ascii_whitespace)
}

/// In bytes. What is longer was meant as something else.
const LONGEST_COMMENT: usize = 200;

/// What follows a comment that is the last thing before a semicolon or the end, or the first thing.
fn after_comment(text: &[u8]) -> Option<&[u8]> {
    let mut depth = 1_usize;
    let mut bytes = text.iter().take(LONGEST_COMMENT).enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let after = &text[at + 1..];
            let next = after.iter().find(|byte| !byte.is_ascii_whitespace());
            let is_apart = after.first().is_none_or(u8::is_ascii_whitespace);
            return (is_apart || next == Some(&b';')).then_some(after);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Field;

    fn name(field: &str) -> Option<String> {
        Field::parse(field.as_bytes()).parameter("filename")
    }

    #[test]
    fn values_are_read_whatever_is_around_them() {
        for (field, value) in [
            ("text/plain", "text/plain"),
            (" Text/Plain ; charset=x", "text/plain"),
            ("BASE64 (comment)", "base64"),
            ("(comment; \\) with ; marks) base64", "base64"),
            ("\"base64\"", "base64"),
            ("text/html charset=utf-8", "text/html"),
            ("", ""),
        ] {
            assert_eq!(Field::parse(field.as_bytes()).value, value, "{field}");
        }
        let forgotten = Field::parse(b"text/html charset=utf-8");
        assert_eq!(forgotten.parameter("charset").unwrap(), "utf-8");
    }

    #[test]
    fn parameters_are_read_as_they_are_written() {
        for (field, expected) in [
            ("attachment; filename=a.pdf", "a.pdf"),
            (
                "ATTACHMENT;\r\n\tFILENAME = \"a b.pdf\" ; size=3",
                "a b.pdf",
            ),
            ("attachment; filename=with spaces.bin", "with spaces.bin"),
            ("attachment; filename=report(1).pdf", "report(1).pdf"),
            ("attachment; filename=a.pdf (the report); x=y", "a.pdf"),
            (
                "attachment; filename=\"a; b (c) \\\"d\\\".pdf\"",
                "a; b (c) \"d\".pdf",
            ),
            (
                "attachment; filename=\"C:\\tmp\\new.txt\"",
                "C:\\tmp\\new.txt",
            ),
            (
                "attachment; filename=\"never closed.pdf",
                "never closed.pdf",
            ),
            ("attachment; filename='a.bin'", "'a.bin'"),
            (
                "attachment; filename=\"first.txt\"; filename=second.txt",
                "first.txt",
            ),
            (
                "attachment; filename=\"=?utf-8?B?w5xiZXIucGRm?=\"",
                "Über.pdf",
            ),
            ("attachment; filename==?utf-8?Q?=C3=9Cber.pdf?=", "Über.pdf"),
            ("attachment; filename=\"Über.pdf\"", "Über.pdf"),
        ] {
            assert_eq!(name(field).as_deref(), Some(expected), "{field}");
        }
        for field in [
            "attachment",
            "attachment; filename=",
            "attachment; filename=\"\"",
            ";;;=",
        ] {
            assert_eq!(name(field), None, "{field}");
        }
        let latin = Field::parse(b"attachment; filename=\"\xdcber.pdf\"");
        assert_eq!(latin.parameter("filename").unwrap(), "Über.pdf");
    }

    #[test]
    fn rfc_2231_is_read_in_any_order_and_with_characters_split_between_pieces() {
        for (field, expected) in [
            ("x; filename*=UTF-8''%C3%9Cber.pdf", "Über.pdf"),
            (
                "x; filename*=iso-8859-1'de'%DCber.pdf; filename=Uber.pdf",
                "Über.pdf",
            ),
            (
                "x; filename=Uber.pdf; filename*=UTF-8''%C3%9Cber.pdf",
                "Über.pdf",
            ),
            (
                "x; filename*0*=UTF-8''%D0%9E%D0; filename*1*=%B7.pdf",
                "Оз.pdf",
            ),
            ("x; filename*1=two.pdf; filename*0=\"one \"", "one two.pdf"),
            (
                "x; filename*0*=UTF-8''%C3%9C; filename*1=\"100%25.pdf\"",
                "Ü100%25.pdf",
            ),
            (
                "x; filename*0=\"=?utf-8?B?w5xi\"; filename*1=\"ZXIucGRm?=\"",
                "Über.pdf",
            ),
            ("x; filename*=%C3%9Cber.pdf", "Über.pdf"),
            ("x; filename*=utf-8''100%.pdf", "100%.pdf"),
            (
                "x; filename*11*=l; filename*2*=c; filename*1*=b; filename*0*=utf-8''a",
                "abcl",
            ),
        ] {
            assert_eq!(name(field).as_deref(), Some(expected), "{field}");
        }
    }
}
