//! From a host name to a session: a greeted connection, login, EXAMINE, in as few round trips as
//! may be.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::command::{run, run_with};
use super::fence::{Fence, Handle};
use super::greet::{Greeting, greet};
use super::login::{log_in, pretend_to_log_in};
use super::{Peer, Selected, Session, Settings, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::stop::Stop;
use crate::transport::Phase;

/// How long a server may take over the first commands ever that were sent to it ahead of the
/// login's answer. Then they may have been lost, and are sent again one by one.
const AHEAD_PATIENCE: Duration = Duration::from_secs(5);

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Session {
    /// The highest [`id`](Session::id) that a session of this process has.
    pub(crate) fn newest_id() -> u64 {
        NEXT_ID.load(Ordering::Relaxed) - 1
    }

    /// Opens a session to a server of which `peer` knows what other sessions have learned. A raised
    /// `stop` ends it at once with `Cancelled`.
    pub(crate) fn open(settings: &Settings, peer: &Peer, stop: &Stop) -> Result<Self> {
        let place = || format!("{}:{}", settings.host, settings.port);
        if let Some(verdict) = peer.gate.verdict() {
            return Err(verdict.in_context(place()));
        }
        let set_up = || -> Result<Self> {
            let end = Instant::now() + settings.timeouts.connect;
            let (fence, greeting) = greet(settings, stop, end).map_err(|error| {
                match error.kind() {
                    // These name the place already.
                    ErrorKind::Connect | ErrorKind::Tls | ErrorKind::Cancelled => error,
                    _ => error.in_context(place()),
                }
            })?;
            let fence = Arc::new(Mutex::new(fence));
            sign_in(settings, fence, greeting, peer, stop)
                .map_err(|error| error.in_context(place()))
        };
        let went_ahead = peer.takes_commands_ahead();
        match set_up() {
            Err(_) if went_ahead && !peer.takes_commands_ahead() => set_up(),
            result => result,
        }
    }
}

fn sign_in(
    settings: &Settings,
    fence: Arc<Mutex<Fence>>,
    greeting: Greeting,
    peer: &Peer,
    stop: &Stop,
) -> Result<Session> {
    let mut client = imap::Client::new(Handle(fence.clone()));
    let goes_ahead = greeting == Greeting::Login && peer.takes_commands_ahead();
    let is_known = peer.is_known();
    let (mut control, log_in_time) = match greeting {
        Greeting::PreAuthenticated => (pretend_to_log_in(client, &fence)?, None),
        Greeting::Login => {
            let capabilities = before_login(&mut client, &fence, peer)?;
            peer.gate.pass(stop, || {
                if goes_ahead {
                    lock(&fence).send_ahead(ahead(settings, is_known));
                }
                let before = Instant::now();
                let control = log_in(settings, client, &fence, &capabilities)
                    .inspect_err(|error| suspect_ahead(peer, goes_ahead, error))?;
                Ok((control, Some(before.elapsed())))
            })?
        }
    };
    let before = Instant::now();
    let selected = after_login(settings, &mut control, &fence, peer, goes_ahead, is_known)
        .inspect_err(|error| suspect_ahead(peer, goes_ahead, error))?;
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    Ok(Session {
        control,
        fence,
        selected,
        has_esearch: peer.offers("ESEARCH") || peer.offers("IMAP4REV2"),
        id,
        opened: Instant::now(),
        idle_since: Instant::now(),
        // The login may have cost the server some work; it is rather too much than too little.
        round_trip: log_in_time.unwrap_or_else(|| before.elapsed()),
        commands: 0,
        is_reused: false,
        answers: 0,
    })
}

/// What the server can do before the login, from whoever has heard it.
fn before_login(
    client: &mut imap::Client<Handle>,
    fence: &Mutex<Fence>,
    peer: &Peer,
) -> Result<Vec<String>> {
    let mut capabilities = std::mem::take(&mut lock(fence).heard.capabilities);
    if capabilities.is_empty() {
        capabilities = peer.before_login();
    }
    if capabilities.is_empty() {
        run(fence, Phase::Capability, || client.capabilities())?;
        capabilities = std::mem::take(&mut lock(fence).heard.capabilities);
    }
    peer.learn_before_login(&capabilities);
    Ok(capabilities)
}

/// The commands that need not wait for the login's answer, as the `imap` crate will give them.
fn ahead(settings: &Settings, is_known: bool) -> Vec<String> {
    let name = &settings.encoded_mailbox;
    let name = name.replace('\\', "\\\\").replace('"', "\\\"");
    let mut commands = Vec::new();
    if !is_known {
        commands.push("CAPABILITY".to_owned());
    }
    // COMPRESS comes before it, and needs an answer first.
    if !settings.compresses() {
        commands.push(format!("EXAMINE \"{name}\""));
    }
    commands
}

/// A session that breaks while commands are under way that were sent ahead may have broken over
/// them.
fn suspect_ahead(peer: &Peer, goes_ahead: bool, error: &Error) {
    let is_broken = matches!(
        error.kind(),
        ErrorKind::Timeout | ErrorKind::Disconnected | ErrorKind::Protocol
    );
    if goes_ahead && is_broken {
        peer.broke_over_commands_ahead();
    }
}

fn after_login(
    settings: &Settings,
    control: &mut imap::Session<Handle>,
    fence: &Mutex<Fence>,
    peer: &Peer,
    goes_ahead: bool,
    is_known: bool,
) -> Result<Selected> {
    let is_first_try = goes_ahead && !peer.has_taken_commands_ahead();
    let patience = match is_first_try {
        true => AHEAD_PATIENCE,
        false => settings.timeouts.read,
    };
    // Sent ahead, it has an answer that must be read, also where the login's told all.
    let is_told = !lock(fence).heard.capabilities.is_empty();
    if !is_known && (goes_ahead || !is_told) {
        let asked = run_with(fence, Phase::Capability, patience, || {
            control.capabilities()
        });
        match asked {
            // Then it is known for nothing that goes beyond the least.
            Err(error) if matches!(error.kind(), ErrorKind::Server { .. }) => {}
            result => {
                result?;
            }
        }
    }
    peer.learn_after_login(&lock(fence).heard.capabilities);
    #[cfg(feature = "compress")]
    super::compress::negotiate(settings, peer, fence)?;
    match examine(settings, control, fence, patience) {
        Ok(selected) => {
            if goes_ahead {
                peer.took_commands_ahead();
            }
            Ok(selected)
        }
        // Perhaps it looked at the command before it was done with the login.
        Err(error) if is_first_try && matches!(error.kind(), ErrorKind::Server { .. }) => {
            examine(settings, control, fence, settings.timeouts.read)
        }
        Err(error) => Err(error),
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
