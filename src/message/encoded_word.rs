//! Encoded words (RFC 2047): text of header fields in ASCII. Reads also those that stand where they
//! must not, such as within quotation marks, and characters that are split between two words.

use crate::message::charset::{decode, unlabelled};
use crate::message::transfer::{base64, quoted_printable};

/// The text of a header field.
pub(crate) fn decoded(mut field: &[u8]) -> String {
    let mut text = String::new();
    // Words next to each other with the same charset.
    let mut pending: Option<(String, Vec<u8>)> = None;
    while let Some((before, word, after)) = next_word(field) {
        if pending.is_none() || !before.iter().all(u8::is_ascii_whitespace) {
            flush(&mut text, &mut pending);
            text.push_str(&unlabelled(before));
        }
        match &mut pending {
            Some((charset, bytes)) if charset.eq_ignore_ascii_case(&word.charset) => {
                bytes.extend(word.bytes);
            }
            _ => {
                flush(&mut text, &mut pending);
                pending = Some((word.charset, word.bytes));
            }
        }
        field = after;
    }
    flush(&mut text, &mut pending);
    text.push_str(&unlabelled(field));
    text
}

/// In bytes. RFC 2047 allows 75; some put a whole field into one.
const LONGEST: usize = 4 * 1024;

struct Word {
    charset: String,
    bytes: Vec<u8>,
}

fn flush(text: &mut String, pending: &mut Option<(String, Vec<u8>)>) {
    if let Some((charset, bytes)) = pending.take() {
        text.push_str(&decode(&bytes, Some(&charset)).0);
    }
}

/// The first encoded word, and what stands before and after it.
fn next_word(field: &[u8]) -> Option<(&[u8], Word, &[u8])> {
    let mut from = 0;
    while let Some(start) = memchr::memmem::find(&field[from..], b"=?") {
        let start = from + start;
        if let Some((word, after)) = word(&field[start + 2..]) {
            return Some((&field[..start], word, after));
        }
        from = start + 2;
    }
    None
}

/// `charset?encoding?text?=`, and what follows.
fn word(text: &[u8]) -> Option<(Word, &[u8])> {
    let (charset, text) = split_at_mark(text)?;
    let (encoding, text) = split_at_mark(text)?;
    let end = memchr::memmem::find(text.get(..LONGEST).unwrap_or(text), b"?=")?;
    let (encoded, after) = (&text[..end], &text[end + 2..]);
    let bytes = match encoding {
        b"b" | b"B" => base64(encoded).0,
        b"q" | b"Q" => {
            let spaces = |byte: &u8| if *byte == b'_' { b' ' } else { *byte };
            // A space at the end counts here.
            let mut spaced: Vec<u8> = encoded.iter().map(spaces).collect();
            let end = spaced.trim_ascii_end().len();
            let trailing = spaced.split_off(end);
            let mut bytes = quoted_printable(&spaced).0;
            bytes.extend(trailing);
            bytes
        }
        _ => return None,
    };
    let charset = str::from_utf8(charset).ok()?;
    // RFC 2231, section 5: a language may follow.
    let charset = charset.split('*').next().unwrap_or_default().to_owned();
    Some((Word { charset, bytes }, after))
}

fn split_at_mark(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'?', text.get(..64).unwrap_or(text))?;
    let (before, after) = (&text[..end], &text[end + 1..]);
    let is_token = !before.is_empty() && !before.iter().any(u8::is_ascii_whitespace);
    is_token.then_some((before, after))
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn words_are_decoded_and_joined() {
        for (field, text) in [
            ("plain", "plain"),
            (
                "=?utf-8?B?R3LDvMOfZQ==?= aus =?ISO-8859-1*de?q?K=F6ln_?=!",
                "Grüße aus Köln !",
            ),
            ("=?utf-8?q?one?=\r\n =?utf-8?q?_two?=", "one two"),
            // A character in two pieces.
            ("=?utf-8?B?R3LD?= =?UTF-8?B?vMOfZQ==?=", "Grüße"),
            ("=?utf-8?q?a?= =?iso-8859-1?q?=E4?= b", "aä b"),
            ("=?utf-8?x?no?= =?broken", "=?utf-8?x?no?= =?broken"),
            ("=?no", "=?no"),
        ] {
            assert_eq!(decoded(field.as_bytes()), text, "{field}");
        }
        assert_eq!(decoded(b"J\xfcrgen"), "Jürgen");
        assert_eq!(decoded("Jürgen".as_bytes()), "Jürgen");
    }
}
