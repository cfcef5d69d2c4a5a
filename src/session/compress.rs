//! COMPRESS=DEFLATE (RFC 4978), between login and EXAMINE: after the login, so that no secret is
//! ever compressed together with what others wrote, whose length could then tell of it.

use std::sync::Mutex;

use super::fence::{Fence, with_goodbye};
use super::{Peer, Settings, lock};
use crate::error::Result;
use crate::transport::{Condition, Phase, Status};

const CAPABILITY: &str = "COMPRESS=DEFLATE";

/// Turns compression on, if that is wanted and the server has it. A server that refuses after all
/// is read as it is.
pub(super) fn negotiate(settings: &Settings, peer: &Peer, fence: &Mutex<Fence>) -> Result<()> {
    if !settings.compress || !peer.offers(CAPABILITY) {
        return Ok(());
    }
    let mut fence = lock(fence);
    fence
        .wire
        .begin_until(Phase::Compress, settings.timeouts.read);
    let result = ask(&mut fence);
    result.map_err(|error| with_goodbye(error, Phase::Compress, fence.heard.bye.as_deref()))
}

fn ask(fence: &mut Fence) -> Result<()> {
    if command(fence, "c1", "COMPRESS DEFLATE")? == Condition::Ok {
        fence.wire.deflate()?;
    }
    Ok(())
}

/// Sends a command with a tag of our own and reads to the end of its answer.
fn command(fence: &mut Fence, tag: &str, command: &str) -> Result<Condition> {
    fence
        .wire
        .write(format!("{tag} {command}\r\n").as_bytes())?;
    loop {
        let line = fence.read_response()?.to_vec();
        if let Some(rest) = line.strip_prefix(b"* ") {
            fence.heard.note(rest, None);
        } else if let Some(rest) = line.strip_prefix(tag.as_bytes())
            && let Some(status) = rest.strip_prefix(b" ").and_then(Status::parse)
        {
            fence.heard.note_capabilities(status.code);
            return Ok(status.condition);
        }
    }
}
