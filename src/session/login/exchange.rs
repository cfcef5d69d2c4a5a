//! The talk of a login: says what there is to say, as early as may be, and hears the end of it.
//!
//! The `imap` crate has no part in it. It would keep what it sends in buffers that nobody wipes,
//! and knows neither initial responses (RFC 4959) nor literals.

use std::time::{Duration, Instant};

use super::encoding;
use super::sasl::Sasl;
use crate::credentials::Secret;
use crate::error::{Error, ErrorKind, Result};
use crate::session::fence::{Fence, Reply};
use crate::session::heard::Completion;
use crate::transport::Condition;

/// Before our own commands and those of the `imap` crate.
pub(super) const TAG: &str = "l1";

/// No mechanism has so many.
const MOST_CHALLENGES: u32 = 10;

/// How a login ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) completion: Completion,
    /// From the last that was said to the answer.
    pub(super) time: Duration,
}

/// Says a command in parts, and waits between them for the server to be ready.
pub(super) fn command(fence: &mut Fence, parts: &[Secret]) -> Result<End> {
    let Some((last, first)) = parts.split_last() else {
        return Err(Error::protocol("login: nothing to say"));
    };
    for part in first {
        fence.wire.write(part.expose())?;
        let said = Instant::now();
        if let Reply::Done(completion) = fence.read_reply(TAG)? {
            return Ok(end(completion, said));
        }
    }
    fence.send_last_of_login(last)?;
    hear(fence)
}

/// Hears what becomes of a command that was said in one part already.
pub(super) fn hear(fence: &mut Fence) -> Result<End> {
    let said = Instant::now();
    match fence.read_reply(TAG)? {
        Reply::Done(completion) => Ok(end(completion, said)),
        Reply::Continue(_) => Err(Error::protocol(
            "login: the server asks for more than LOGIN has to say",
        )),
    }
}

/// Says AUTHENTICATE (RFC 9051, section 6.2.2). The first message is in Base64; with `is_short` it
/// is in the same line (RFC 4959). None is empty, which would have to be said in another way.
///
/// Nothing is sent behind it before it is answered: a security layer may begin there (RFC 9051,
/// section 6.2.2), and Cyrus forgets what has come with the last line.
pub(super) fn authenticate(
    fence: &mut Fence,
    sasl: &mut dyn Sasl,
    first: &Secret,
    is_short: bool,
) -> Result<End> {
    let head = format!("{TAG} AUTHENTICATE {}", sasl.name());
    let mut said;
    if is_short {
        let line = Secret::concat(&[head.as_bytes(), b" ", first.expose(), b"\r\n"]);
        said = say(fence, &line)?;
    } else {
        fence.wire.write(format!("{head}\r\n").as_bytes())?;
        said = Instant::now();
        if let Reply::Done(completion) = fence.read_reply(TAG)? {
            return finish(sasl, end(completion, said));
        }
        said = say(fence, &Secret::concat(&[first.expose(), b"\r\n"]))?;
    }
    for _ in 0..MOST_CHALLENGES {
        match fence.read_reply(TAG)? {
            Reply::Done(completion) => return finish(sasl, end(completion, said)),
            Reply::Continue(text) => {
                let challenge = encoding::decode(&text).unwrap_or(text);
                let answer = sasl.respond(challenge)?;
                let line = Secret::concat(&[encoding::encode(&answer).expose(), b"\r\n"]);
                said = say(fence, &line)?;
            }
        }
    }
    Err(Error::protocol("login: the server asks on and on"))
}

fn say(fence: &mut Fence, line: &Secret) -> Result<Instant> {
    fence.wire.write(line.expose())?;
    Ok(Instant::now())
}

fn end(completion: Completion, said: Instant) -> End {
    let time = said.elapsed();
    End { completion, time }
}

fn finish(sasl: &dyn Sasl, end: End) -> Result<End> {
    if end.completion.condition == Condition::Ok && !sasl.is_proven() {
        return Err(Error::new(
            ErrorKind::Auth,
            format!(
                "the server says OK without having shown that it knows the password ({}); it may \
                 be another than it pretends to be",
                sasl.name(),
            ),
        ));
    }
    Ok(end)
}
