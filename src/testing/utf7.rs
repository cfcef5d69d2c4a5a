//! Modified UTF-7, in which mailbox names travel (RFC 3501, section 5.1.3): names are UTF-8 inside
//! the server, and only here they are anything else.

/// The characters of modified base64: a comma in place of the slash.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Encodes a name for the wire.
pub(super) fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let mut pending: Vec<u16> = Vec::new();
    for character in name.chars() {
        if matches!(character, ' '..='~') {
            encode_shifted(&mut pending, &mut encoded);
            encoded.push(character);
            if character == '&' {
                encoded.push('-');
            }
        } else {
            pending.extend(character.encode_utf16(&mut [0; 2]).iter());
        }
    }
    encode_shifted(&mut pending, &mut encoded);
    encoded
}

fn encode_shifted(units: &mut Vec<u16>, encoded: &mut String) {
    if units.is_empty() {
        return;
    }
    encoded.push('&');
    let mut bits = 0_u32;
    let mut count = 0;
    for unit in units.drain(..) {
        bits = bits << 16 | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            encoded.push(char::from(ALPHABET[(bits >> count & 63) as usize]));
        }
    }
    if count > 0 {
        encoded.push(char::from(ALPHABET[(bits << (6 - count) & 63) as usize]));
    }
    encoded.push('-');
}

/// Decodes a name from the wire; `None` where it is not modified UTF-7.
pub(super) fn decode(name: &str) -> Option<String> {
    let mut decoded = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        let (shifted, after) = rest[start + 1..].split_once('-')?;
        if shifted.is_empty() {
            decoded.push('&');
        } else {
            decoded.push_str(&decode_shifted(shifted)?);
        }
        rest = after;
    }
    decoded.push_str(rest);
    Some(decoded)
}

fn decode_shifted(shifted: &str) -> Option<String> {
    let mut units = Vec::new();
    let mut bits = 0_u32;
    let mut count = 0;
    for octet in shifted.bytes() {
        let value = ALPHABET.iter().position(|own| *own == octet)?;
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push((bits >> count & 0xffff) as u16);
        }
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaks_the_example_of_the_rfc() {
        assert_eq!(
            encode("~peter/mail/台北/日本語"),
            "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
        );
    }

    #[test]
    fn comes_back_as_it_was() {
        for name in [
            "INBOX",
            "Gelöschte Objekte",
            "A & B",
            "😀",
            "Входящие/Счета",
            "-&-",
        ] {
            assert_eq!(decode(&encode(name)).as_deref(), Some(name));
        }
    }

    #[test]
    fn refuses_what_is_not_modified_utf_7() {
        assert_eq!(decode("&open"), None);
        assert_eq!(decode("&!!-"), None);
    }
}
