//! A search program that the caller wrote as text.
//!
//! It is read just far enough to know where its strings are and that it ends where it seems to:
//! so it can be put in parentheses, negated or followed by more keys, and none of that changes
//! what it means. Which keys it has is left to the server.

use crate::error::{Error, Result};

/// A piece of a program, in order of writing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Piece {
    /// Goes on the line as it is: ASCII without control characters.
    Verbatim(String),
    /// A string that a line cannot hold, without its quotes.
    Text(String),
}

/// Reads a program.
///
/// # Errors
///
/// `Config` if a part of it could reach beyond it, or cannot be sent.
pub(super) fn parse(program: &str) -> Result<Vec<Piece>> {
    let mut rest = program.trim_matches(' ');
    if rest.is_empty() {
        return Err(refusal("is empty"));
    }
    refuse_prefix(rest)?;
    let mut pieces = Vec::new();
    let mut line = String::new();
    let mut depth = 0_usize;
    // What a string may follow: the start, a space or a parenthesis. Inside a word, where the
    // grammar has none, servers differ in what they make of it.
    let mut at_word_start = true;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        match character {
            '"' if !at_word_start => return Err(refusal("has a quote inside a word")),
            '"' => {
                let (text, octets) = unquote(rest)?;
                length = octets;
                if !matches!(rest[octets..].chars().next(), None | Some(' ' | ')')) {
                    return Err(refusal("has a quote inside a word"));
                }
                if text.is_ascii() {
                    line.push_str(&rest[..octets]);
                } else {
                    pieces.push(Piece::Verbatim(std::mem::take(&mut line)));
                    pieces.push(Piece::Text(text));
                }
            }
            '{' => return Err(refusal("has a brace, which announces a literal")),
            _ if character.is_ascii_control() => return Err(refusal("has a control character")),
            _ if !character.is_ascii() => {
                return Err(refusal("has a character outside ASCII and outside quotes"));
            }
            _ => {
                depth = match character {
                    '(' => depth + 1,
                    ')' => depth
                        .checked_sub(1)
                        .ok_or_else(|| refusal("closes a parenthesis that it did not open"))?,
                    _ => depth,
                };
                line.push(character);
            }
        }
        at_word_start = matches!(character, ' ' | '(');
        rest = &rest[length..];
    }
    if depth > 0 {
        return Err(refusal("opens a parenthesis that it does not close"));
    }
    if !line.is_empty() {
        pieces.push(Piece::Verbatim(line));
    }
    Ok(pieces)
}

/// Refuses what may stand in front of a search program but is not part of it, because it would
/// change the form of the answer or how the other keys are read (RFC 9051, section 6.4.4).
fn refuse_prefix(program: &str) -> Result<()> {
    let first = program.split([' ', '(']).next().unwrap_or_default();
    for (word, why) in [
        ("RETURN", "what the server answers is not the caller's"),
        ("CHARSET", "it is sent where text outside ASCII needs it"),
    ] {
        if first.eq_ignore_ascii_case(word) {
            return Err(refusal(&format!("starts with {word}; {why}")));
        }
    }
    Ok(())
}

/// The text of the quoted string that `quoted` starts with, and how many octets of it that was
/// (RFC 9051, section 9, `quoted`).
fn unquote(quoted: &str) -> Result<(String, usize)> {
    let mut text = String::new();
    let mut characters = quoted.char_indices().skip(1);
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Ok((text, index + 1)),
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                Some(_) => return Err(refusal("has a backslash before neither a quote nor one")),
                None => break,
            },
            _ if character.is_ascii_control() => return Err(refusal("has a control character")),
            _ => text.push(character),
        }
    }
    Err(refusal("opens a quote that it does not close"))
}

fn refusal(why: &str) -> Error {
    Error::config(format!("query: the program given to raw {why}"))
}
