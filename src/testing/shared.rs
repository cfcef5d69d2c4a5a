//! What all connections of a server share: its settings, mailboxes, faults, log and registry.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::armed::Faults;
use super::log::Log;
use super::mailbox::Mailbox;
use super::message::TestMessage;
use super::persona::manners::Manners;
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
    pub(super) limit_text: Option<String>,
    pub(super) max_line: Option<usize>,
    pub(super) uid_validity: Option<u32>,
    pub(super) search_cap: Option<usize>,
    pub(super) capabilities: Vec<String>,
    pub(super) mechanisms: Option<Vec<String>>,
    pub(super) manners: &'static Manners,
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

    /// How many sessions may be logged in.
    pub(super) fn max_sessions(&self) -> Option<usize> {
        let own = self.settings.max_connections;
        own.or(self.settings.manners.max_sessions.value)
    }

    /// What is said of the limit, where the server's manners do not say it.
    pub(super) fn limit_text(&self) -> &str {
        let own = self.settings.limit_text.as_deref();
        own.unwrap_or("Too many simultaneous connections")
    }

    pub(super) fn max_line(&self) -> usize {
        let own = self.settings.max_line;
        own.unwrap_or(self.settings.manners.max_line.value)
    }

    pub(super) fn search_cap(&self) -> usize {
        let own = self.settings.search_cap;
        own.unwrap_or(self.settings.manners.search_cap.value)
    }

    fn uid_validity(&self) -> u32 {
        let own = self.settings.uid_validity;
        own.unwrap_or(self.settings.manners.uid_validity.value)
    }

    pub(super) fn can_compress(&self) -> bool {
        let announced = self.settings.manners.capabilities_after.value;
        cfg!(feature = "compress")
            && (self.settings.compress || announced.contains("COMPRESS=DEFLATE"))
    }

    /// What CAPABILITY says: as the settings have it, else as the server's manners do.
    pub(super) fn capabilities(&self, is_logged_in: bool) -> String {
        let manners = self.settings.manners;
        match is_logged_in {
            true => self.announced(manners.capabilities_after.value, true),
            false => self.announced(manners.capabilities.value, false),
        }
    }

    /// What the greeting says, if it says anything.
    pub(super) fn greeted_capabilities(&self) -> String {
        match self.settings.manners.greeted_capabilities.value {
            "" => self.capabilities(false),
            own => self.announced(own, false),
        }
    }

    fn announced(&self, announced: &str, is_logged_in: bool) -> String {
        let settings = &self.settings;
        let mut words: Vec<&str> = match announced {
            "" => vec![
                "IMAP4REV1",
                "LITERAL+",
                "ID",
                "ENABLE",
                "IDLE",
                "UNSELECT",
                "UIDPLUS",
                "SASL-IR",
            ],
            _ => announced.split(' ').collect(),
        };
        // What is not true of this server leads a client astray.
        words.retain(|word| match *word {
            "STARTTLS" => false,
            "COMPRESS=DEFLATE" => self.can_compress(),
            "SASL-IR" => settings.sasl_ir,
            _ => true,
        });
        let mut mechanisms: Vec<String> = Vec::new();
        if announced.is_empty() || settings.mechanisms.is_some() {
            words.retain(|word| !word.starts_with("AUTH="));
            mechanisms = self
                .mechanisms()
                .iter()
                .map(|name| format!("AUTH={name}"))
                .collect();
        }
        let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        if settings.login_disabled && !is_logged_in {
            words.push("LOGINDISABLED".to_owned());
        }
        words.extend(mechanisms);
        if is_logged_in && settings.compress && !words.iter().any(|own| own == "COMPRESS=DEFLATE") {
            words.push("COMPRESS=DEFLATE".to_owned());
        }
        words.extend(settings.capabilities.iter().cloned());
        words.join(" ")
    }

    /// The mechanisms of AUTHENTICATE.
    pub(super) fn mechanisms(&self) -> Vec<String> {
        let own = self.settings.mechanisms.as_ref();
        let announced = self.settings.manners.capabilities.value;
        match own {
            Some(own) => own.clone(),
            None if announced.is_empty() => ["PLAIN", "OAUTHBEARER", "XOAUTH2"]
                .map(str::to_owned)
                .to_vec(),
            None => announced
                .split(' ')
                .filter_map(|word| word.strip_prefix("AUTH="))
                .map(str::to_owned)
                .collect(),
        }
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
            .or_insert_with(|| Arc::new(Mailbox::new(self.uid_validity())));
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
