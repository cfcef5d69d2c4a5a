//! Status responses: OK, NO, BAD, PREAUTH and BYE, with their code and text (RFC 9051,
//! section 7.1). Tolerant: the text may hold any octet, and an unknown code is just a word.

/// The condition of a status response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Ok,
    No,
    Bad,
    PreAuth,
    Bye,
}

/// A status response without its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status<'a> {
    pub(crate) condition: Condition,
    /// What stands in the square brackets, without them: a word, perhaps with arguments.
    pub(crate) code: Option<&'a [u8]>,
    pub(crate) text: &'a [u8],
}

impl<'a> Status<'a> {
    /// Reads what follows the tag or the `*`, such as `OK [READ-ONLY] done`. `None` if that is no
    /// status response.
    pub(crate) fn parse(rest: &'a [u8]) -> Option<Self> {
        let rest = rest.trim_ascii_end();
        let (word, rest) = split_word(rest);
        let condition = [
            ("OK", Condition::Ok),
            ("NO", Condition::No),
            ("BAD", Condition::Bad),
            ("PREAUTH", Condition::PreAuth),
            ("BYE", Condition::Bye),
        ]
        .into_iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))?
        .1;
        let rest = rest.trim_ascii_start();
        if let [b'[', inner @ ..] = rest
            && let Some(end) = memchr::memchr(b']', inner)
        {
            return Some(Self {
                condition,
                code: Some(&inner[..end]),
                text: inner[end + 1..].trim_ascii(),
            });
        }
        Some(Self {
            condition,
            code: None,
            text: rest,
        })
    }

    /// Reads an untagged line, which begins with `* `.
    pub(crate) fn untagged(line: &'a [u8]) -> Option<Self> {
        Self::parse(line.strip_prefix(b"* ")?)
    }

    /// The first word of the code in capitals, such as `AUTHENTICATIONFAILED`.
    pub(crate) fn code_word(&self) -> Option<String> {
        let (word, _) = split_word(self.code?);
        Some(crate::error::excerpt(word).to_ascii_uppercase())
    }
}

/// Cuts at the first space. The space stays with the rest.
fn split_word(octets: &[u8]) -> (&[u8], &[u8]) {
    octets.split_at(memchr::memchr(b' ', octets).unwrap_or(octets.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_condition_code_and_text() {
        let status = Status::parse(b"NO [LIMIT] too many\r\n").unwrap();
        assert_eq!(status.condition, Condition::No);
        assert_eq!(status.code_word().as_deref(), Some("LIMIT"));
        assert_eq!(status.text, b"too many");
    }

    #[test]
    fn a_code_with_arguments_an_unknown_code_and_odd_octets_are_fine() {
        let status = Status::untagged(b"* ok [xyz (a b) 7]\xff\x00\r\n").unwrap();
        assert_eq!(status.condition, Condition::Ok);
        assert_eq!(status.code, Some(&b"xyz (a b) 7"[..]));
        assert_eq!(status.code_word().as_deref(), Some("XYZ"));
        assert_eq!(status.text, b"\xff\x00");
        assert_eq!(Status::parse(b"BYE").unwrap().text, b"");
        assert_eq!(Status::parse(b"OK [unclosed").unwrap().text, b"[unclosed");
    }

    #[test]
    fn other_responses_are_not_taken_for_status() {
        assert_eq!(Status::untagged(b"* 4 FETCH (FLAGS ())\r\n"), None);
        assert_eq!(Status::untagged(b"+ OK\r\n"), None);
        assert_eq!(Status::parse(b"OKAY"), None);
    }
}
