//! Checks a search program that the caller wrote: it must be one line and whole in itself, so
//! that what is put around it keeps its meaning.

use crate::error::{Error, Result};

pub(super) fn check(program: &str) -> Result<()> {
    let refused = |why: &str| Err(Error::config(format!("search program {program:?}: {why}")));
    if program.trim().is_empty() {
        return refused("it is empty; use `Query::all()` to find all messages");
    }
    if program.contains(['\r', '\n', '\0']) {
        return refused("it contains CR, LF or NUL");
    }
    if !program
        .bytes()
        .all(|octet| matches!(octet, b' '..=b'~' | b'\t'))
    {
        return refused("it holds more than ASCII; use the methods of `Query` for such text");
    }
    let mut depth = 0u32;
    let mut octets = program.bytes();
    while let Some(octet) = octets.next() {
        match octet {
            b'"' => loop {
                match octets.next() {
                    Some(b'"') => break,
                    Some(b'\\') => {
                        octets.next();
                    }
                    Some(_) => {}
                    None => return refused("a quotation is not closed"),
                }
            },
            b'(' => depth += 1,
            b')' => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return refused("a parenthesis is closed that was not opened"),
            },
            // It would announce a literal (RFC 9051, section 4.3), and take what follows for it.
            b'{' => return refused("it contains a { outside quotes"),
            _ => {}
        }
    }
    if depth > 0 {
        return refused("a parenthesis is not closed");
    }
    Ok(())
}
