//! The commands behind a login that need not wait for its answer.

use super::{Peer, Settings};

/// Who this client is (RFC 2971). Nothing about its user or machine.
const ID: &str = concat!(
    "ID (\"name\" \"parallel-mailbox\" \"version\" \"",
    env!("CARGO_PKG_VERSION"),
    "\")"
);

/// What is still to be said when the server knows who we are, as the `imap` crate will give it.
#[derive(Debug)]
pub(super) struct FollowUp {
    /// Before EXAMINE, because some servers refuse that otherwise.
    pub(super) id: Option<&'static str>,
    pub(super) asks_capability: bool,
    /// Absent where COMPRESS comes before it, which needs an answer first.
    examine: Option<String>,
}

impl FollowUp {
    pub(super) fn of(settings: &Settings, peer: &Peer) -> Self {
        let name = &settings.encoded_mailbox;
        let name = name.replace('\\', "\\\\").replace('"', "\\\"");
        Self {
            id: peer.is_to_be_told_who().then_some(ID),
            asks_capability: !peer.is_known(),
            examine: (!settings.compresses()).then(|| format!("EXAMINE \"{name}\"")),
        }
    }

    /// In the order in which they are given.
    pub(super) fn commands(&self) -> Vec<String> {
        let capability = self.asks_capability.then_some("CAPABILITY");
        let first = [self.id, capability].into_iter().flatten();
        first
            .map(str::to_owned)
            .chain(self.examine.clone())
            .collect()
    }
}
