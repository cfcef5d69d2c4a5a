//! Mailbox names, between UTF-8 and the modified UTF-7 that IMAP4rev1 has for them.
//!
//! The form is that of RFC 3501, section 5.1.3: printable ASCII stands for itself except `&`,
//! which is `&-`; everything else is UTF-16 in base64, between `&` and `-`. The separators of the
//! server's hierarchy are left as they are.

use crate::error::{Error, Result};

/// Base64 (RFC 4648, section 4) with `,` in place of `/`, which is a separator on many servers.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Encodes a name for a command. The result is printable ASCII.
///
/// `INBOX` is the same in any case (RFC 9051, section 5.1) and is always written so.
///
/// # Errors
///
/// `Config` if the name is empty or has a CR, LF or NUL.
pub(crate) fn encode(name: &str) -> Result<String> {
    if name.is_empty() {
        return Err(Error::config("mailbox: the name is empty"));
    }
    if name.contains(['\r', '\n', '\0']) {
        return Err(Error::config("mailbox: the name has CR, LF or NUL"));
    }
    if name.eq_ignore_ascii_case("INBOX") {
        return Ok("INBOX".to_owned());
    }
    let mut encoded = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        if character == '&' {
            encoded.push_str("&-");
        } else if is_direct(character) {
            encoded.push(character);
        } else {
            // As long as can be: to end one shift where another starts is not permitted.
            length = rest.find(is_direct).unwrap_or(rest.len());
            encoded.push('&');
            shift(&rest[..length], &mut encoded);
            encoded.push('-');
        }
        rest = &rest[length..];
    }
    Ok(encoded)
}

/// Decodes a name that a server sent; `None` if it is not in modified UTF-7, or if it has a NUL,
/// CR or LF.
///
/// More is read than may be written: two shifts in a row, and ASCII inside of one.
pub(crate) fn decode(encoded: &str) -> Option<String> {
    let mut name = String::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((direct, shifted)) = rest.split_once('&') {
        name.push_str(direct);
        let (digits, after) = shifted.split_once('-')?;
        if digits.is_empty() {
            name.push('&');
        } else {
            unshift(digits, &mut name)?;
        }
        rest = after;
    }
    name.push_str(rest);
    let is_direct_throughout = encoded.chars().all(is_direct);
    (is_direct_throughout && !name.contains(['\r', '\n', '\0'])).then_some(name)
}

/// Whether the character stands for itself; `&` does so only as `&-`.
fn is_direct(character: char) -> bool {
    matches!(character, ' '..='~')
}

fn shift(text: &str, encoded: &mut String) {
    // Six bits at a time; at most five wait for the next unit, so 21 bits are the most there are.
    let (mut bits, mut count) = (0_u32, 0);
    for unit in text.encode_utf16() {
        bits = bits << 16 | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            encoded.push(digit(bits >> count));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        encoded.push(digit(bits << (6 - count)));
    }
}

/// The digit for the low six bits.
fn digit(bits: u32) -> char {
    char::from(ALPHABET[(bits & 0x3f) as usize])
}

fn unshift(digits: &str, name: &mut String) -> Option<()> {
    let mut units = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for octet in digits.bytes() {
        let value = (0_u32..)
            .zip(ALPHABET)
            .find(|&(_, &digit)| digit == octet)?
            .0;
        bits = bits << 6 | value;
        count += 6;
        if count >= 16 {
            count -= 16;
            // The mask leaves 16 bits.
            units.push((bits >> count & 0xffff) as u16);
            bits &= (1 << count) - 1;
        }
    }
    // What is left over fills the last digit, with zeros.
    if count >= 6 || bits != 0 {
        return None;
    }
    name.push_str(&String::from_utf16(&units).ok()?);
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn encodes_the_examples_of_the_rfc() {
        for (name, encoded) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("☺!", "&Jjo-!"),
            ("台北日本語", "&U,BTF2XlZyyKng-"),
            ("Tom & Jerry", "Tom &- Jerry"),
            ("&&", "&-&-"),
            ("&é&", "&-&AOk-&-"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("📬", "&2D3c7A-"),
            ("tab\t", "tab&AAk-"),
            ("a\"b\\c", "a\"b\\c"),
        ] {
            assert_eq!(encode(name).unwrap(), encoded);
            assert_eq!(decode(encoded).as_deref(), Some(name));
        }
    }

    #[test]
    fn inbox_has_one_spelling_and_is_no_prefix() {
        assert_eq!(encode("inbox").unwrap(), "INBOX");
        assert_eq!(encode("InBoX").unwrap(), "INBOX");
        assert_eq!(encode("inbox/sent").unwrap(), "inbox/sent");
    }

    #[test]
    fn refuses_what_could_end_the_command() {
        for name in ["", "a\r\nA1 DELETE INBOX", "a\n", "\r", "a\0b"] {
            assert_eq!(encode(name).unwrap_err().kind(), &ErrorKind::Config);
        }
    }

    #[test]
    fn decodes_shifts_that_it_would_not_write() {
        assert_eq!(decode("&U,BTFw-&ZeVnLIqe-").as_deref(), Some("台北日本語"));
        assert_eq!(decode("&AGE-").as_deref(), Some("a"));
    }

    #[test]
    fn decodes_nothing_that_is_no_modified_utf_7() {
        for encoded in [
            "&", "a&", "&AOk", "&AOk=-", "&AO/-", "&AP8A-", "&AOl-", "&A-", "&AO-", "&2D0-",
            "&AAA-", "&AA0ACg-", "é", "a\n", "&AOkA-",
        ] {
            assert_eq!(decode(encoded), None, "{encoded}");
        }
    }

    proptest! {
        #[test]
        fn decodes_what_it_encodes(name in "[&\\-a é台📬\\t]{1,12}|[^\r\n\0]{1,12}") {
            prop_assume!(!name.eq_ignore_ascii_case("inbox"));
            let encoded = encode(&name).unwrap();
            prop_assert!(encoded.chars().all(is_direct));
            prop_assert_eq!(decode(&encoded), Some(name));
        }

        #[test]
        fn never_panics_on_what_a_server_sent(encoded in "[&\\-A-D,+/=a]{0,12}|\\PC{0,12}") {
            let _ = decode(&encoded);
        }
    }
}
