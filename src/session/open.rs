//! From a host name to a session: a greeted connection, login, EXAMINE, in as few round trips as
//! may be. All that need not wait for an answer leaves at once, and what has been asked already
//! over another session is not asked again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::command::{run, run_with};
use super::fence::{Fence, Handle};
use super::greet::{Greeting, greet, reach, read_greeting};
use super::login::{log_in, login_line, pretend_to_log_in};
use super::peer::Liberty;
use super::{Peer, Selected, Session, Settings, TAG_PREFIX, lock};
use crate::Security;
use crate::error::{Error, ErrorKind, Result};
use crate::fetch::Fetch;
use crate::stop::Stop;
use crate::transport::Phase;
use crate::uid_set::UidSet;

/// How long a server may take over the first commands ever that were sent to it ahead of an answer.
/// Then they may have been lost, and are sent again one by one.
const AHEAD_PATIENCE: Duration = Duration::from_secs(5);

/// A server reads what comes behind a login into a buffer that may be small (Dovecot's has 4,096
/// octets), so only a short FETCH goes there.
const MAX_EARLY_FETCH: usize = 1000;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A session that is being opened: connected, and perhaps already sent all that makes it one, with
/// the answers still to be read.
#[derive(Debug)]
pub(crate) struct Opening {
    client: imap::Client<Handle>,
    fence: Arc<Mutex<Fence>>,
    /// `None`: not read yet.
    greeting: Option<Greeting>,
    /// What the server can do before the login. Empty: unknown.
    capabilities: Vec<String>,
    /// What it can do after the login has to be asked for.
    asks_capability: bool,
    /// Login and EXAMINE have left.
    is_sent: bool,
    /// FETCH commands that have left.
    commands: u64,
}

impl Session {
    /// The highest [`id`](Session::id) that a session of this process has.
    pub(crate) fn newest_id() -> u64 {
        NEXT_ID.load(Ordering::Relaxed) - 1
    }
}

impl Opening {
    /// Connects to a server of which `peer` knows what other sessions have learned, and sends ahead
    /// what this server is known to take. A raised `stop` ends it at once with `Cancelled`.
    pub(crate) fn begin(settings: &Settings, peer: &Peer, stop: &Stop) -> Result<Self> {
        if let Some(verdict) = peer.gate.verdict() {
            return Err(verdict.in_context(place(settings)));
        }
        Self::connect(settings, peer, stop).map_err(|error| in_place(settings, error))
    }

    fn connect(settings: &Settings, peer: &Peer, stop: &Stop) -> Result<Self> {
        let end = Instant::now() + settings.timeouts.connect;
        let reached = reach(settings, stop, end)?;
        // COMPRESS needs an answer before anything else is sent.
        let is_known = peer.gate.is_trusted()
            && peer.takes_commands_ahead.has_worked()
            && !settings.compresses();
        let line = |capabilities: &[String]| match is_known && !capabilities.is_empty() {
            true => login_line(settings, capabilities),
            false => None,
        };
        let mut capabilities = peer.before_login();
        let may_go_first = (reached.is_secure || settings.security != Security::StartTls)
            && peer.takes_login_first.may_be_taken()
            && line(&capabilities).is_some();
        let (mut fence, greeting) = match may_go_first {
            true => (reached.fence, None),
            false => {
                let (fence, greeting) = greet(reached, settings, stop, end)?;
                (fence, Some(greeting))
            }
        };
        let told = std::mem::take(&mut fence.heard.capabilities);
        if !told.is_empty() {
            peer.learn_before_login(&told);
            capabilities = told;
        }
        let asks_capability = !peer.is_known();
        let line = line(&capabilities).filter(|_| greeting != Some(Greeting::PreAuthenticated));
        if let Some(line) = &line {
            let sent = fence.send_now(line, ahead(settings, asks_capability));
            if sent.is_err() && greeting.is_none() {
                // The server may have said why, and closed.
                peer.takes_login_first.give_up();
                return Self::connect(settings, peer, stop);
            }
            sent?;
        }
        let fence = Arc::new(Mutex::new(fence));
        Ok(Self {
            client: imap::Client::new(Handle(fence.clone())),
            fence,
            greeting,
            capabilities,
            asks_capability,
            is_sent: line.is_some(),
            commands: 0,
        })
    }

    /// Whether nothing more can be done than to wait for answers.
    pub(crate) fn is_sent(&self) -> bool {
        self.is_sent
    }

    /// Whether the login has left before the greeting was read.
    pub(crate) fn went_first(&self) -> bool {
        self.greeting.is_none()
    }

    /// Ends its waits by this from now on.
    pub(crate) fn attach(&mut self, stop: Stop) {
        lock(&self.fence).wire.set_stop(stop);
    }

    /// Sends a FETCH for these UIDs behind the login and returns its tag, or `None` if it must not
    /// go there. The server sees to it that nothing is fetched from another mailbox than the one
    /// that EXAMINE names; which that is, the answer to EXAMINE tells before the first message.
    pub(crate) fn send_fetch(&mut self, uids: &UidSet, fetch: Fetch) -> Result<Option<u64>> {
        let prefix = char::from(TAG_PREFIX);
        let tag = self.commands + 1;
        let command = format!("{prefix}{tag} UID FETCH {uids} {}\r\n", fetch.items());
        if !self.is_sent || command.len() > MAX_EARLY_FETCH {
            return Ok(None);
        }
        lock(&self.fence).wire.write(command.as_bytes())?;
        self.commands = tag;
        Ok(Some(tag))
    }

    /// Reads the answers, and does what is still to be done.
    ///
    /// # Errors
    ///
    /// Also if the server cannot bear what was sent ahead. It is not sent ahead again then.
    pub(crate) fn finish(self, settings: &Settings, peer: &Peer, stop: &Stop) -> Result<Session> {
        self.sign_in(settings, peer, stop)
            .map_err(|error| in_place(settings, error))
    }

    fn sign_in(self, settings: &Settings, peer: &Peer, stop: &Stop) -> Result<Session> {
        let goes_first = self.greeting.is_none();
        let mut taken = Vec::new();
        if goes_first {
            taken.push(&peer.takes_login_first);
        }
        let is_login = self.greeting != Some(Greeting::PreAuthenticated);
        if is_login && (self.is_sent || peer.takes_commands_ahead.may_be_taken()) {
            taken.push(&peer.takes_commands_ahead);
        }
        let result = self.sign_in_with(&taken, settings, peer, stop);
        match &result {
            Ok(_) => taken.iter().for_each(|liberty| liberty.worked()),
            // It may have broken over what was sent too early.
            Err(error) if is_broken(error) => {
                taken.iter().for_each(|liberty| liberty.failed());
                // A server that says goodbye instead of a greeting may not be heard over what it
                // has not read (RFC 9293, section 3.10.7.1: it answers that with a reset).
                if goes_first {
                    peer.takes_login_first.give_up();
                }
            }
            Err(_) => {}
        }
        result
    }

    fn sign_in_with(
        self,
        taken: &[&Liberty],
        settings: &Settings,
        peer: &Peer,
        stop: &Stop,
    ) -> Result<Session> {
        let Self {
            mut client,
            fence,
            greeting,
            mut capabilities,
            asks_capability,
            is_sent,
            commands,
        } = self;
        let is_first_try = taken.iter().any(|liberty| !liberty.has_worked());
        let patience = match is_first_try {
            true => AHEAD_PATIENCE,
            false => settings.timeouts.read,
        };
        if greeting.is_none() {
            let mut fence = lock(&fence);
            fence.begin_with(Phase::Greeting, patience);
            let greeting = read_greeting(&mut fence)?;
            peer.learn_before_login(&std::mem::take(&mut fence.heard.capabilities));
            if greeting == Greeting::PreAuthenticated {
                return Err(Error::protocol(
                    "the server greets with PREAUTH, and did not the last time",
                ));
            }
        }
        let goes_ahead = !taken.is_empty();
        let mut round_trip = None;
        let mut control = match greeting {
            Some(Greeting::PreAuthenticated) => pretend_to_log_in(client, &fence)?,
            _ => {
                if capabilities.is_empty() {
                    capabilities = ask_before_login(&mut client, &fence, peer)?;
                }
                peer.gate.pass(stop, || {
                    if goes_ahead && !is_sent {
                        lock(&fence).send_ahead(ahead(settings, asks_capability));
                    }
                    let before = Instant::now();
                    let control = log_in(settings, client, &fence, &capabilities)?;
                    if !is_sent {
                        round_trip = Some(before.elapsed());
                    }
                    Ok(control)
                })?
            }
        };
        let before = Instant::now();
        let asks = asks_capability && (goes_ahead || lock(&fence).heard.capabilities.is_empty());
        if asks {
            ask_capabilities(&mut control, &fence, patience)?;
        }
        peer.learn_after_login(&lock(&fence).heard.capabilities);
        #[cfg(feature = "compress")]
        super::compress::negotiate(settings, peer, &fence)?;
        let selected = match examine(settings, &mut control, &fence, patience) {
            // Perhaps it looked at the command before it was done with the login.
            Err(error)
                if goes_ahead
                    && !peer.takes_commands_ahead.has_worked()
                    && matches!(error.kind(), ErrorKind::Server { .. }) =>
            {
                examine(settings, &mut control, &fence, settings.timeouts.read)?
            }
            result => result?,
        };
        // The login may have cost the server some work; it is rather too much than too little.
        let round_trip = round_trip.unwrap_or_else(|| match is_sent {
            true => peer.round_trip(),
            false => before.elapsed(),
        });
        peer.learn_round_trip(round_trip);
        Ok(Session {
            control,
            fence,
            selected,
            has_esearch: peer.offers("ESEARCH") || peer.offers("IMAP4REV2"),
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            opened: Instant::now(),
            idle_since: Instant::now(),
            round_trip,
            commands,
            is_reused: false,
            answers: 0,
        })
    }
}

fn place(settings: &Settings) -> String {
    format!("{}:{}", settings.host, settings.port)
}

fn in_place(settings: &Settings, error: Error) -> Error {
    match error.kind() {
        // These name the place already.
        ErrorKind::Connect | ErrorKind::Tls | ErrorKind::Cancelled => error,
        _ => error.in_context(place(settings)),
    }
}

fn is_broken(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Timeout | ErrorKind::Disconnected | ErrorKind::Protocol
    )
}

fn ask_before_login(
    client: &mut imap::Client<Handle>,
    fence: &Mutex<Fence>,
    peer: &Peer,
) -> Result<Vec<String>> {
    run(fence, Phase::Capability, || client.capabilities())?;
    let capabilities = std::mem::take(&mut lock(fence).heard.capabilities);
    peer.learn_before_login(&capabilities);
    Ok(capabilities)
}

/// The commands that need not wait for the login's answer, as the `imap` crate will give them.
fn ahead(settings: &Settings, asks_capability: bool) -> Vec<String> {
    let name = &settings.encoded_mailbox;
    let name = name.replace('\\', "\\\\").replace('"', "\\\"");
    let mut commands = Vec::new();
    if asks_capability {
        commands.push("CAPABILITY".to_owned());
    }
    // COMPRESS comes before it, and needs an answer first.
    if !settings.compresses() {
        commands.push(format!("EXAMINE \"{name}\""));
    }
    commands
}

fn ask_capabilities(
    control: &mut imap::Session<Handle>,
    fence: &Mutex<Fence>,
    patience: Duration,
) -> Result<()> {
    let asked = run_with(fence, Phase::Capability, patience, || {
        control.capabilities()
    });
    match asked {
        // Then it is known for nothing that goes beyond the least.
        Err(error) if matches!(error.kind(), ErrorKind::Server { .. }) => Ok(()),
        result => result.map(|_| ()),
    }
}

fn examine(
    settings: &Settings,
    control: &mut imap::Session<Handle>,
    fence: &Mutex<Fence>,
    patience: Duration,
) -> Result<Selected> {
    let name = &settings.mailbox;
    let mailbox = run_with(fence, Phase::Examine, patience, || {
        control.examine(&settings.encoded_mailbox)
    })
    .map_err(|error| error.in_context(format_args!("mailbox {name:?}")))?;
    let uid_validity = mailbox
        .uid_validity
        .filter(|value| *value != 0)
        .ok_or_else(|| {
            Error::protocol(format!(
                "mailbox {name:?}: the server keeps no UIDs (no UIDVALIDITY)"
            ))
        })?;
    Ok(Selected {
        exists: mailbox.exists,
        uid_validity,
        uid_next: mailbox.uid_next,
    })
}
