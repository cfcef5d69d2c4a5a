//! Mailbox names between UTF-8 and the modified UTF-7 of the wire (RFC 3501, section 5.1.3).

use crate::error::{Error, Result};

/// The alphabet of base64 with a comma in place of the slash, which is a usual separator.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Encodes a name as a person writes it.
///
/// # Errors
///
/// `Config` if it is empty or holds CR, LF or NUL.
pub(crate) fn encode(name: &str) -> Result<String> {
    if name.is_empty() {
        return Err(Error::config(
            "the mailbox name is empty; leave it out for INBOX",
        ));
    }
    if name.contains(['\r', '\n', '\0']) {
        return Err(Error::config(format!(
            "the mailbox name {name:?} contains CR, LF or NUL"
        )));
    }
    let mut encoded = String::with_capacity(name.len());
    let mut foreign = Vec::new();
    for character in name.chars() {
        if matches!(character, ' '..='~') {
            end_foreign(&mut foreign, &mut encoded);
            encoded.push(character);
            if character == '&' {
                encoded.push('-');
            }
        } else {
            foreign.extend_from_slice(character.encode_utf16(&mut [0; 2]));
        }
    }
    end_foreign(&mut foreign, &mut encoded);
    Ok(encoded)
}

/// Writes what is not printable ASCII as UTF-16 in base64 between `&` and `-`.
fn end_foreign(foreign: &mut Vec<u16>, encoded: &mut String) {
    if foreign.is_empty() {
        return;
    }
    encoded.push('&');
    let octets: Vec<u8> = foreign.drain(..).flat_map(u16::to_be_bytes).collect();
    for group in octets.chunks(3) {
        let bits = group
            .iter()
            .fold(0, |bits, octet| bits << 8 | u32::from(*octet))
            << (8 * (3 - group.len()));
        for index in 0..=group.len() {
            let sextet = bits >> (18 - 6 * index) & 0x3f;
            encoded.push(char::from(ALPHABET[sextet as usize]));
        }
    }
    encoded.push('-');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_the_examples_of_the_rfc_and_some_folders_of_real_life() {
        for (name, encoded) in [
            ("INBOX", "INBOX"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("Tom & Jerry", "Tom &- Jerry"),
            ("Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"),
            ("a\"b\\c", "a\"b\\c"),
            ("😀", "&2D3eAA-"),
            ("tab\there", "tab&AAk-here"),
        ] {
            assert_eq!(encode(name).unwrap(), encoded);
        }
    }

    #[test]
    fn refuses_what_would_end_the_command() {
        for name in ["", "a\r\nb", "a\nb", "a\0b"] {
            assert!(encode(name).is_err(), "{name:?}");
        }
    }
}
