//! COMPRESS=DEFLATE (RFC 4978), between login and EXAMINE: after the login, so that no secret is
//! ever compressed together with what others wrote, whose length could then tell of it.

use std::sync::Mutex;

use super::fence::Fence;
use super::{Peer, Settings, lock};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::transport::{Condition, Phase};

const CAPABILITY: &str = "COMPRESS=DEFLATE";

/// Turns compression on, if that is wanted and the server has it. A server that refuses after all
/// is read as it is.
pub(super) fn negotiate(settings: &Settings, peer: &Peer, fence: &Mutex<Fence>) -> Result<()> {
    if !settings.compress || !peer.offers(CAPABILITY) {
        return Ok(());
    }
    let mut fence = lock(fence);
    fence.begin_until(Phase::Compress, Deadline::after(settings.timeouts.read));
    ask(&mut fence).map_err(|error| fence.explain(error))
}

fn ask(fence: &mut Fence) -> Result<()> {
    fence.wire.write(b"c1 COMPRESS DEFLATE\r\n")?;
    let answer = fence.read_answers("c1", |_| Ok(false))?;
    if answer.condition == Condition::Ok {
        fence.wire.deflate()?;
    }
    Ok(())
}
