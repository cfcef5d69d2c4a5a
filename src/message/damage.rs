//! What is wrong with a part of a message, for people. It decides nothing: what is read in spite of
//! it is up to those who read.

use std::fmt;

/// What could not be read as a message says, or looks incomplete; shown as a sentence.
///
/// Everything that can be read is read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    number: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    NotBase64,
    BadBase64,
    BadQuotedPrintable,
    NotUuencoded,
    UnknownEncoding(String),
    BadCharacters,
    NoBoundary,
    CutOff,
    TooDeep,
}

impl Damage {
    pub(crate) fn new(number: &str, kind: Kind) -> Self {
        Self {
            number: number.to_owned(),
            kind,
        }
    }

    /// Returns the number of the part that it is about (RFC 9051, section 6.4.5.1), such as `2.1`.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "part {}: ", self.number)?;
        match &self.kind {
            Kind::NotBase64 => f.write_str("says that it is Base64 and is not; left as it is"),
            Kind::BadBase64 => f.write_str("not all of it is Base64, the rest is left out"),
            Kind::BadQuotedPrintable => {
                f.write_str("not all of it is quoted-printable, the rest is left as it is")
            }
            Kind::NotUuencoded => {
                f.write_str("says that it is uuencoded and is not; left as it is")
            }
            Kind::UnknownEncoding(name) => {
                // From a header field, so it may be anything.
                let name: String = name.escape_debug().take(40).collect();
                write!(f, "the encoding \"{name}\" is unknown; left as it is")
            }
            Kind::BadCharacters => f.write_str("some characters are not of its charset"),
            Kind::NoBoundary => f.write_str("a multipart without its boundary; taken for text"),
            Kind::CutOff => f.write_str("the closing boundary is missing, so it may be cut off"),
            Kind::TooDeep => f.write_str("too many parts within parts; left as it is"),
        }
    }
}
