//! Bytes of a text as a `String`, by the charset that they are said to have and by what they are. It
//! never fails: what cannot be read is U+FFFD, and the caller is told.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;

/// Bytes of these may be valid UTF-8 by chance, since a character is several bytes there as well.
const MULTI_BYTE: [&str; 16] = [
    "2022", "5601", "932", "936", "949", "950", "big5", "chinese", "euc", "gb", "hz", "jis",
    "johab", "korean", "ksc", "uhc",
];

/// What senders write who do not know the charset either.
const UNKNOWN: [&str; 6] = ["", "ansi", "binary", "default", "unknown-8bit", "x-unknown"];

/// Decodes a text. A charset that the bytes contradict is not believed: many messages say ASCII or
/// ISO-8859-1 and are UTF-8, or the other way round.
///
/// Returns whether everything could be read as well.
pub(crate) fn decode(bytes: &[u8], charset: Option<&str>) -> (String, bool) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let label = charset.unwrap_or_default().trim();
    let label = label.trim_matches(['"', '\'', ' ']).to_ascii_lowercase();
    let decoder = charset_decoder(label.as_bytes());
    if let Some(decoder) = decoder.filter(|_| is_multi_byte(&label)) {
        let text = decoder(bytes);
        let is_clean = !text.contains(is_doubtful);
        return match str::from_utf8(bytes) {
            Ok(utf8) if has_many_wide(utf8) || !is_clean && !utf8.is_ascii() => {
                (utf8.to_owned(), true)
            }
            _ => {
                let is_readable = !text.contains('\u{fffd}');
                (text, is_readable)
            }
        };
    }
    if let Ok(text) = str::from_utf8(bytes) {
        return (text.to_owned(), true);
    }
    let is_unlabelled = UNKNOWN.contains(&label.as_str()) || label.contains("ascii");
    match decoder {
        Some(decoder) if !is_unlabelled && !label.starts_with("utf") => {
            let text = decoder(bytes);
            let is_whole = !text.contains('\u{fffd}');
            (text, is_whole)
        }
        _ => guess(bytes),
    }
}

/// Not in any text, or only in what has been decoded by the wrong charset.
fn is_doubtful(character: char) -> bool {
    matches!(character, '\u{fffd}' | '\u{e000}'..='\u{f8ff}')
}

/// Three characters of three bytes: no text in two bytes each is that by chance.
fn has_many_wide(text: &str) -> bool {
    let wide = text.chars().filter(|character| character.len_utf8() == 3);
    wide.take(3).count() == 3
}

/// Text without a charset, and not UTF-8 throughout.
fn guess(bytes: &[u8]) -> (String, bool) {
    let text = String::from_utf8_lossy(bytes);
    let (mut good, mut bad) = (0, 0);
    for character in text.chars() {
        good += usize::from(!character.is_ascii() && character != '\u{fffd}');
        bad += usize::from(character == '\u{fffd}');
    }
    // UTF-8 that is damaged or cut off still has more good characters than bad.
    let western = charset_decoder(b"windows-1252").filter(|_| good < bad.max(1));
    match western {
        Some(decoder) => (decoder(bytes), true),
        None => (text.into_owned(), false),
    }
}

fn is_multi_byte(label: &str) -> bool {
    MULTI_BYTE.iter().any(|name| label.contains(name))
        || label.contains("utf") && !matches!(label, "utf-8" | "utf8")
}

/// The charset that a page of HTML says of itself, near its beginning.
pub(crate) fn of_html(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..2_048).unwrap_or(bytes).to_ascii_lowercase();
    let start = memchr::memmem::find(&head, b"charset=")? + b"charset=".len();
    let label = head[start..]
        .iter()
        .skip_while(|byte| b"\"' ".contains(byte));
    let label = label.take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte));
    let label: Vec<u8> = label.copied().collect();
    // It is written in what can be read without knowing the charset.
    String::from_utf8(label)
        .ok()
        .filter(|label| !label.starts_with("utf-16"))
}

/// Text of which nothing is said, such as a header field with bytes that should not be there.
pub(crate) fn unlabelled(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => decode(bytes, None).0.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], charset: &str) -> String {
        decode(bytes, Some(charset)).0
    }

    #[test]
    fn a_charset_is_believed_unless_the_bytes_contradict_it() {
        assert_eq!(read(b"Gr\xfc\xdfe", "iso-8859-1"), "Grüße");
        assert_eq!(read("Grüße".as_bytes(), "us-ascii"), "Grüße");
        assert_eq!(read("Grüße".as_bytes(), "ISO-8859-1"), "Grüße");
        assert_eq!(read(b"Gr\xfc\xdfe", "utf-8"), "Grüße");
        assert_eq!(read(b"Gr\xfc\xdfe", "no-such-charset"), "Grüße");
        assert_eq!(read(b"\xcf\xf0\xe8\xe2\xe5\xf2", "windows-1251"), "Привет");
        assert_eq!(read(b"\xc4\xe3\xba\xc3", "gb2312"), "你好");
        for text in ["会议", "你好世界"] {
            assert_eq!(read(text.as_bytes(), "gb2312"), text);
        }
        assert_eq!(read(b"\x1b$B$3$s$K$A$O\x1b(B", "iso-2022-jp"), "こんにちは");
        assert_eq!(read(b"\xef\xbb\xbfmark", "utf-8"), "mark");
        assert_eq!(read(b"odd \"label\"", " \"UTF-8\""), "odd \"label\"");
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let cut_off = &"Übergröße, grün".as_bytes()[..10];
        assert_eq!(
            decode(cut_off, Some("utf-8")),
            ("Übergrö\u{fffd}".to_owned(), false)
        );
        assert_eq!(
            decode(b"\x82", Some("shift_jis")),
            ("\u{fffd}".to_owned(), false)
        );
    }

    #[test]
    fn html_may_say_its_own_charset() {
        let of = |html: &[u8]| of_html(html).unwrap();
        assert_eq!(of(b"<meta charset=\"GB2312\">"), "gb2312");
        assert_eq!(of(b"<META content='text/html; charset=koi8-r'>"), "koi8-r");
        assert_eq!(of_html(b"<p>none</p>"), None);
    }
}
