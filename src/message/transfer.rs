//! Content-Transfer-Encoding (RFC 2045, section 6): what was encoded as it was before. It reads what
//! standards forbid as far as it makes sense, and tells; it never panics and never fails.

use crate::message::damage::Kind;

/// How the body of a part is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Base64,
    QuotedPrintable,
    Uuencode,
    Unknown(String),
}

impl Encoding {
    /// By what the header field says, without its comments. Quotation marks, a semicolon, another
    /// case and other marks within the word do not matter.
    pub(crate) fn named(name: &str) -> Self {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        let letters: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
        match letters.as_str() {
            "" | "7bit" | "8bit" | "binary" | "7bits" | "8bits" | "none" => Self::Identity,
            "base64" => Self::Base64,
            "quotedprintable" => Self::QuotedPrintable,
            "xuuencode" | "uuencode" | "xuue" | "uue" => Self::Uuencode,
            _ => Self::Unknown(name.to_owned()),
        }
    }

    /// Decodes a body, and tells what is wrong with it.
    pub(crate) fn decode(&self, body: &[u8]) -> (Vec<u8>, Option<Kind>) {
        match self {
            Self::Identity => (body.to_vec(), None),
            Self::Base64 => base64(body),
            Self::QuotedPrintable => quoted_printable(body),
            Self::Uuencode => uuencoded(body).map_or_else(
                || (body.to_vec(), Some(Kind::NotUuencoded)),
                |bytes| (bytes, None),
            ),
            Self::Unknown(name) => (body.to_vec(), Some(Kind::UnknownEncoding(name.clone()))),
        }
    }
}

/// Base64 (RFC 2045, section 6.8). Other characters are skipped, but a line that has many of them, or
/// words, is something else: all of it if it is the first, or what a mailing list has added.
pub(crate) fn base64(body: &[u8]) -> (Vec<u8>, Option<Kind>) {
    let mut decoded = Vec::with_capacity(body.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    let mut is_clean = true;
    let mut is_padded = false;
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let shape = Shape::of(line);
        // After its padding only more of the same is believed, as of several pieces in a row.
        let is_foreign = match is_padded {
            true => shape.junk + shape.gaps > 0 || !line.len().is_multiple_of(4),
            false => shape.is_foreign(),
        };
        if is_foreign {
            if decoded.is_empty() && count == 0 {
                return (body.to_vec(), Some(Kind::NotBase64));
            }
            is_clean = false;
            break;
        }
        is_clean &= shape.junk == 0;
        for byte in line {
            match value(*byte) {
                Some(value) => {
                    bits = bits << 6 | u32::from(value);
                    count += 1;
                    is_padded = false;
                }
                None if *byte == b'=' => {
                    flush(&mut decoded, bits, count);
                    (bits, count, is_padded) = (0, 0, true);
                }
                None => {}
            }
            if count == 4 {
                flush(&mut decoded, bits, count);
                (bits, count) = (0, 0);
            }
        }
    }
    is_clean &= count != 1;
    flush(&mut decoded, bits, count);
    (decoded, (!is_clean).then_some(Kind::BadBase64))
}

/// Adds the bytes of up to four characters; one alone is not a byte.
fn flush(decoded: &mut Vec<u8>, bits: u32, count: u32) {
    if count > 0 {
        let bits = bits << (6 * (4 - count));
        decoded.extend(&bits.to_be_bytes()[1..count as usize]);
    }
}

fn value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// What a line consists of.
struct Shape {
    letters: usize,
    /// Characters that Base64 does not have.
    junk: usize,
    /// Spaces between letters.
    gaps: usize,
}

impl Shape {
    fn of(line: &[u8]) -> Self {
        let mut shape = Self {
            letters: 0,
            junk: 0,
            gaps: 0,
        };
        for byte in line {
            match byte {
                b' ' | b'\t' | b'\r' => shape.gaps += 1,
                b'=' => {}
                _ if value(*byte).is_some() => shape.letters += 1,
                _ => shape.junk += 1,
            }
        }
        shape
    }

    /// Whether it reads as words or marks rather than as Base64 with a few mistakes.
    fn is_foreign(&self) -> bool {
        (self.junk + self.gaps) * 3 > self.letters
            || self.gaps >= 2 && self.gaps * 20 > self.letters
    }
}

/// Quoted-printable (RFC 2045, section 6.7). An `=` that begins nothing is left as it is.
pub(crate) fn quoted_printable(body: &[u8]) -> (Vec<u8>, Option<Kind>) {
    let mut decoded = Vec::with_capacity(body.len());
    let mut is_clean = true;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let end = match line {
            [.., b'\r', b'\n'] => 2,
            [.., b'\n'] => 1,
            _ => 0,
        };
        let (text, end) = line.split_at(line.len() - end);
        // White space at the end was added on the way (section 6.7, rule 3).
        let text = text.trim_ascii_end();
        let (text, end) = match text {
            [text @ .., b'='] => (text, &b""[..]),
            text => (text, end),
        };
        let mut rest = text;
        while let [byte, after @ ..] = rest {
            match (byte, after) {
                (b'=', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                    let digits = (hex(*high), hex(*low));
                    decoded.push(digits.0.unwrap_or(0) << 4 | digits.1.unwrap_or(0));
                    rest = after;
                }
                _ => {
                    is_clean &= *byte != b'=';
                    decoded.push(*byte);
                    rest = after;
                }
            }
        }
        decoded.extend(end);
    }
    (decoded, (!is_clean).then_some(Kind::BadQuotedPrintable))
}

pub(crate) fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// What is between `begin` and `end`; the name there is not used. `None` if there is no `begin`.
fn uuencoded(body: &[u8]) -> Option<Vec<u8>> {
    let lines = body.split(|byte| *byte == b'\n');
    let mut lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.find(|line| line.starts_with(b"begin "))?;
    let mut decoded = Vec::new();
    for line in lines.take_while(|line| *line != b"end") {
        let [length, line @ ..] = line else {
            continue;
        };
        let start = decoded.len();
        for group in line.chunks(4) {
            let bits = (0..4).fold(0_u32, |bits, place| {
                // Spaces at the end are often lost on the way.
                let byte = group.get(place).copied().unwrap_or(b' ');
                bits << 6 | u32::from(byte.wrapping_sub(b' ') & 0x3f)
            });
            decoded.extend(&bits.to_be_bytes()[1..]);
        }
        decoded.truncate(start + usize::from(length.wrapping_sub(b' ') & 0x3f));
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(encoding: &str, body: &str) -> (String, Option<Kind>) {
        let (bytes, damage) = Encoding::named(encoding).decode(body.as_bytes());
        (String::from_utf8(bytes).unwrap(), damage)
    }

    fn clean(text: &str) -> (String, Option<Kind>) {
        (text.to_owned(), None)
    }

    #[test]
    fn the_name_of_an_encoding_may_be_written_in_many_ways() {
        for name in ["base64", "BASE64 ", "\"base64\"", "base64;", "Base-64"] {
            assert_eq!(Encoding::named(name), Encoding::Base64, "{name}");
        }
        for name in ["", "7bit", "8BIT", "8-bit", "binary"] {
            assert_eq!(Encoding::named(name), Encoding::Identity, "{name}");
        }
        assert_eq!(
            Encoding::named("Quoted_Printable"),
            Encoding::QuotedPrintable
        );
        assert_eq!(
            read("x-odd", "abc"),
            (
                "abc".to_owned(),
                Some(Kind::UnknownEncoding("x-odd".to_owned()))
            )
        );
    }

    #[test]
    fn base64_is_read_with_mistakes_and_without_its_end() {
        assert_eq!(read("base64", "SGVsbG8="), clean("Hello"));
        assert_eq!(read("base64", "SGVs\r\nbG8"), clean("Hello"), "no padding");
        assert_eq!(
            read("base64", "SGVsbG8=\r\nSGVsbG8=\r\n"),
            clean("HelloHello")
        );
        assert_eq!(read("base64", "  SGVs \r\n\tbG8="), clean("Hello"));
        assert_eq!(read("base64", ""), clean(""));
        let damaged = |text: &str| (text.to_owned(), Some(Kind::BadBase64));
        assert_eq!(read("base64", "SGVs*bG8="), damaged("Hello"));
        assert_eq!(
            read("base64", "SGVsbG8h\r\nS"),
            damaged("Hello!"),
            "cut off"
        );
        let footer = "SGVsbG8h\r\n____________\r\nto unsubscribe: go\r\n";
        assert_eq!(read("base64", footer), damaged("Hello!"));
        assert_eq!(
            read("base64", "SGVsbG8=\r\nUnsubscribe here\r\n"),
            damaged("Hello")
        );
    }

    #[test]
    fn what_is_not_base64_at_all_is_left_as_it_is() {
        for text in [
            "This is not base64 at all, but text. 100%!",
            "%PDF-1.4\n%....\n",
            "Sehr geehrte Damen und Herren\n",
            "Donaudampfschiffahrt heisst es hierzulande\n",
            "...",
        ] {
            assert_eq!(
                read("base64", text),
                (text.to_owned(), Some(Kind::NotBase64))
            );
        }
    }

    #[test]
    fn quoted_printable_is_read_with_mistakes() {
        let qp = "quoted-printable";
        assert_eq!(read(qp, "Gr=C3=BC=c3=9fe=\r\n!"), clean("Grüße!"));
        assert_eq!(read(qp, "a  \t\r\nb =\t\nc"), clean("a\r\nb c"));
        let damaged = |text: &str| (text.to_owned(), Some(Kind::BadQuotedPrintable));
        assert_eq!(read(qp, "1=2, 100=%"), damaged("1=2, 100=%"));
        assert_eq!(read(qp, "cut off=4"), damaged("cut off=4"));
        assert_eq!(read(qp, "cut off="), clean("cut off"));
    }

    #[test]
    fn uuencoded_bytes_are_decoded() {
        assert_eq!(
            read("X-UUENCODE", "begin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\n"),
            clean("Cat")
        );
        assert_eq!(
            read("uuencode", "begin 644 a\n%2&5L;&\\\n \nend\n"),
            clean("Hello"),
            "cut short"
        );
        assert_eq!(
            read("uuencode", "none"),
            ("none".to_owned(), Some(Kind::NotUuencoded))
        );
    }
}
