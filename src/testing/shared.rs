//! What all connections of a server share: its settings, mailboxes, faults, log and registry.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::armed::Faults;
use super::log::Log;
use super::mailbox::Mailbox;
use super::message::TestMessage;
use super::registry::Registry;
use super::uplink::Uplink;

/// How a server behaves; fixed at its start.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) user: String,
    pub(super) password: String,
    pub(super) latency: Duration,
    pub(super) octets_per_second: Option<u64>,
    pub(super) total_octets_per_second: Option<u64>,
    pub(super) compress: bool,
    pub(super) max_connections: Option<usize>,
    pub(super) limit_text: String,
    pub(super) max_line: usize,
    pub(super) uid_validity: u32,
    pub(super) capabilities: Vec<String>,
    pub(super) mechanisms: Vec<String>,
    pub(super) sasl_ir: bool,
    pub(super) login_disabled: bool,
}

/// The shared part of a server.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) faults: Faults,
    pub(super) log: Log,
    pub(super) registry: Arc<Registry>,
    pub(super) uplink: Option<Arc<Uplink>>,
    mailboxes: RwLock<BTreeMap<String, Arc<Mailbox>>>,
    token: RwLock<Option<String>>,
}

impl Shared {
    pub(super) fn new(settings: Settings, token: Option<String>, faults: Faults) -> Self {
        let uplink = settings.total_octets_per_second.map(Uplink::new);
        Self {
            settings,
            uplink: uplink.map(Arc::new),
            faults,
            log: Log::new(),
            registry: Arc::default(),
            mailboxes: RwLock::default(),
            token: RwLock::new(token),
        }
    }

    /// Whether this is the access token of the user.
    pub(super) fn takes_token(&self, token: &[u8]) -> bool {
        let own = self.token.read().unwrap_or_else(PoisonError::into_inner);
        own.as_ref().is_some_and(|own| own.as_bytes() == token)
    }

    pub(super) fn set_token(&self, token: &str) {
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = Some(token.to_owned());
    }

    /// The mailbox with this UTF-8 name. INBOX ignores case (RFC 9051, section 5.1), others do not.
    pub(super) fn mailbox(&self, name: &str) -> Option<Arc<Mailbox>> {
        let mailboxes = self
            .mailboxes
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        mailboxes.get(canonical(name)).cloned()
    }

    /// The mailbox with this name, made if it is not there.
    pub(super) fn mailbox_or_new(&self, name: &str) -> Arc<Mailbox> {
        let mut mailboxes = self
            .mailboxes
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mailbox = mailboxes
            .entry(canonical(name).to_owned())
            .or_insert_with(|| Arc::new(Mailbox::new(self.settings.uid_validity)));
        Arc::clone(mailbox)
    }

    /// Adds messages to a mailbox, made if it is not there.
    pub(super) fn fill(&self, name: &str, messages: impl IntoIterator<Item = TestMessage>) {
        let mailbox = self.mailbox_or_new(name);
        for message in messages {
            mailbox.append(message);
        }
    }

    /// Removes a mailbox; says whether it was there.
    pub(super) fn delete_mailbox(&self, name: &str) -> bool {
        let mut mailboxes = self
            .mailboxes
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let removed = mailboxes.remove(canonical(name));
        if let Some(mailbox) = &removed {
            mailbox.delete();
        }
        removed.is_some()
    }

    /// The names of all mailboxes, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let mailboxes = self
            .mailboxes
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        mailboxes.keys().cloned().collect()
    }
}

fn canonical(name: &str) -> &str {
    if name.eq_ignore_ascii_case("INBOX") {
        "INBOX"
    } else {
        name
    }
}
