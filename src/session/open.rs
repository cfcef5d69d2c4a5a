//! From a host name to a session: a greeted connection, login, EXAMINE, in as few round trips as
//! may be.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::command::{run, run_with};
use super::fence::{Fence, Handle};
use super::follow_up::FollowUp;
use super::greet::{Greeting, greet, reach};
use super::literals::Literals;
use super::login::{log_in, pretend_to_log_in, unknown};
use super::token::Held;
use super::{Peer, Selected, Session, Settings, lock};
use crate::credentials::Credentials;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::stop::Stop;
use crate::transport::Phase;

/// How long a server may take over the first commands ever that were sent to it ahead of an answer.
/// Then they may have been lost, and are sent again one by one.
pub(super) const AHEAD_PATIENCE: Duration = Duration::from_secs(5);

/// How long after the login's OK the answers to what was sent with it are waited for before the server
/// is asked whether that has arrived: as long as the login took, within these. Only once for all
/// sessions.
const LOOK_AFTER: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(200)..=Duration::from_secs(1);

/// How many tokens one session tries. One that was good a moment ago and is not any more is
/// replaced; a server to which that happens time after time is not what it seems.
const MOST_TOKENS: u32 = 3;

/// The capability of Gmail's own extensions.
pub(super) const GMAIL: &str = "X-GM-EXT-1";

/// Not of 64 bits, which some processors cannot count at once.
static NEXT_ID: AtomicUsize = AtomicUsize::new(1);

impl Session {
    /// The highest [`id`](Session::id) that a session of this process has.
    pub(crate) fn newest_id() -> u64 {
        NEXT_ID.load(Ordering::Relaxed) as u64 - 1
    }

    /// Opens a session to a server of which `peer` knows what other sessions have learned. A raised
    /// `stop` ends it at once with `Cancelled`.
    pub(crate) fn open(settings: &Settings, peer: &Peer, stop: &Stop) -> Result<Self> {
        check_verdict(settings, peer)?;
        let set_up = |token: Option<&Held<'_>>| {
            let end = Deadline::after(settings.timeouts.connect);
            reach(settings, peer, stop, end)
                .and_then(|reached| greet(reached, settings, peer, stop, end))
                .and_then(|(fence, greeting)| sign_in(settings, fence, greeting, peer, token, stop))
                .map_err(|error| in_place(settings, error))
        };
        let set_up_again = |token: Option<&Held<'_>>| {
            let went_ahead = peer.takes_commands_ahead.may_be_taken();
            match set_up(token) {
                Err(_) if went_ahead && !peer.takes_commands_ahead.may_be_taken() => set_up(token),
                result => result,
            }
        };
        let Credentials::Token { provider, .. } = &settings.credentials else {
            return set_up_again(None);
        };
        let mut tries = 0;
        loop {
            tries += 1;
            // Before there is a connection: a server does not wait for a provider that takes its
            // time.
            let rest = settings.retry.initial_delay / 2;
            let token = peer.tokens.get(provider, rest, stop);
            let token = token.map_err(|error| in_place(settings, error))?;
            match set_up_again(Some(&token)) {
                Err(_) if token.is_expired() && tries < MOST_TOKENS => {}
                result => return result,
            }
        }
    }
}

/// Whether it makes sense to try.
pub(super) fn check_verdict(settings: &Settings, peer: &Peer) -> Result<()> {
    match peer.gate.verdict() {
        Some(verdict) => Err(verdict.in_context(place(settings))),
        None => Ok(()),
    }
}

fn sign_in(
    settings: &Settings,
    fence: Fence,
    greeting: Greeting,
    peer: &Peer,
    token: Option<&Held<'_>>,
    stop: &Stop,
) -> Result<Session> {
    let fence = Arc::new(Mutex::new(fence));
    let mut client = imap::Client::new(Handle(fence.clone()));
    let goes_ahead = greeting == Greeting::Login && peer.takes_commands_ahead.may_be_taken();
    let mut follow_up = FollowUp::of(settings, peer);
    let sign_in = || {
        let log_in_time = match greeting {
            Greeting::PreAuthenticated => None,
            // For all sessions, and without a question to the server.
            Greeting::Login if matches!(settings.credentials, Credentials::Preauthenticated) => {
                peer.gate.pass(stop, || Err(unknown()))?
            }
            Greeting::Login => {
                let capabilities = before_login(&mut client, &fence, peer)?;
                follow_up = FollowUp::of(settings, peer);
                peer.gate.pass(stop, || {
                    token.map_or(Ok(()), |token| token.take_turn(stop))?;
                    if goes_ahead {
                        lock(&fence).ahead.commands = follow_up.commands();
                    }
                    log_in(settings, &fence, &capabilities, token).map(Some)
                })?
            }
        };
        let control = pretend_to_log_in(client, &fence)?;
        if goes_ahead
            && !peer.takes_commands_ahead.has_worked()
            && let Some(time) = log_in_time
        {
            let patience = time.clamp(*LOOK_AFTER.start(), *LOOK_AFTER.end());
            lock(&fence).ahead.look_after(patience);
        }
        let before = Instant::now();
        let mut session = SignedIn {
            settings,
            peer,
            control,
            fence: fence.clone(),
            goes_ahead,
            follow_up,
        }
        .select()?;
        // The login may have cost the server some work; it is rather too much than too little.
        session.round_trip = log_in_time.unwrap_or_else(|| before.elapsed());
        peer.learn_round_trip(session.round_trip);
        Ok(session)
    };
    let result = sign_in();
    if goes_ahead {
        match &result {
            _ if lock(&fence).ahead.were_lost => peer.takes_commands_ahead.give_up(),
            Ok(_) => peer.takes_commands_ahead.worked(),
            // It may have broken over them.
            Err(error) if is_broken(error) && lock(&fence).ahead.has_left => {
                peer.takes_commands_ahead.failed();
            }
            Err(_) => {}
        }
    }
    result.map_err(|error| lock(&fence).explain(error))
}

/// What the server can do before the login, from whoever has heard it.
fn before_login(
    client: &mut imap::Client<Handle>,
    fence: &Mutex<Fence>,
    peer: &Peer,
) -> Result<Vec<String>> {
    let mut capabilities = {
        let mut fence = lock(fence);
        peer.learn_name(&fence.heard.name);
        std::mem::take(&mut fence.heard.capabilities)
    };
    if capabilities.is_empty() {
        capabilities = peer.before_login();
    }
    if capabilities.is_empty() {
        // Refused, it is known for nothing that goes beyond the least.
        ignore_refusal(run(fence, Phase::Capability, || client.capabilities()))?;
        capabilities = std::mem::take(&mut lock(fence).heard.capabilities);
    }
    peer.learn_before_login(&mut capabilities);
    Ok(capabilities)
}

/// A connection on which the login has been accepted, and perhaps more has been sent.
pub(super) struct SignedIn<'a> {
    pub(super) settings: &'a Settings,
    pub(super) peer: &'a Peer,
    pub(super) control: imap::Session<Handle>,
    pub(super) fence: Arc<Mutex<Fence>>,
    pub(super) follow_up: FollowUp,
    /// That was sent with the login.
    pub(super) goes_ahead: bool,
}

impl SignedIn<'_> {
    /// Does, or reads the answers to, what makes it a session.
    pub(super) fn select(self) -> Result<Session> {
        let Self {
            settings,
            peer,
            mut control,
            fence,
            goes_ahead,
            follow_up,
        } = self;
        let is_first_try = goes_ahead && !peer.takes_commands_ahead.has_worked();
        let patience = match is_first_try {
            true => AHEAD_PATIENCE,
            false => settings.timeouts.read,
        };
        if let Some(id) = &follow_up.id {
            let told = || control.run_command_and_check_ok(id);
            let told = run_with(&fence, Phase::Identification, patience, told);
            ignore_refusal(told)?;
            peer.learn_name(&lock(&fence).heard.name);
        }
        // Sent ahead, it has an answer that must be read, also where the login's told all.
        let is_told = !lock(&fence).heard.capabilities.is_empty();
        if follow_up.asks_capability && (goes_ahead || !is_told) {
            let ask = || control.capabilities();
            // Refused, it is known for nothing that goes beyond the least.
            ignore_refusal(run_with(&fence, Phase::Capability, patience, ask))?;
        }
        peer.learn_after_login(&lock(&fence).heard.capabilities);
        #[cfg(feature = "compress")]
        super::compress::negotiate(settings, peer, &fence)?;
        let selected = match examine(settings, &mut control, &fence, patience) {
            // Perhaps it looked at the command before it was done with the login.
            Err(error) if is_first_try && matches!(error.kind(), ErrorKind::Server { .. }) => {
                examine(settings, &mut control, &fence, settings.timeouts.read)?
            }
            result => result?,
        };
        {
            let mut fence = lock(&fence);
            fence.secrets = None;
            fence.heard.forget_words();
        }
        Ok(Session {
            control,
            fence,
            selected,
            has_esearch: peer.offers("ESEARCH") || peer.offers("IMAP4REV2"),
            literals: Literals::of(&peer.after_login()),
            has_gmail: peer.offers(GMAIL),
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed) as u64,
            opened: Instant::now(),
            idle_since: Instant::now(),
            round_trip: peer.round_trip(),
            commands: 0,
            is_reused: false,
            answers: 0,
            examined: settings.encoded_mailbox.clone(),
            teller: settings.on_event.clone(),
            _counted: peer.count_session(),
        })
    }
}

fn place(settings: &Settings) -> String {
    format!("{}:{}", settings.host, settings.port)
}

pub(super) fn in_place(settings: &Settings, error: Error) -> Error {
    match error.kind() {
        // Those of a connection name the place already.
        ErrorKind::Connect | ErrorKind::Cancelled => error,
        _ => error.in_context(place(settings)),
    }
}

pub(super) fn is_broken(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Timeout | ErrorKind::Disconnected | ErrorKind::Protocol
    )
}

pub(super) fn ignore_refusal<T>(result: Result<T>) -> Result<()> {
    match result {
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
    // What it answers is noted on the way, in whatever order and form it comes.
    run_with(fence, Phase::Examine, patience, || {
        control.examine(&settings.encoded_mailbox)
    })
    .map_err(|error| error.in_context(format_args!("mailbox {name:?}")))?;
    let told = lock(fence).heard.mailbox;
    let uid_validity = told.uid_validity.ok_or_else(|| {
        Error::protocol(format!(
            "mailbox {name:?}: the server keeps no UIDs (no UIDVALIDITY)"
        ))
    })?;
    Ok(Selected {
        exists: told.exists.unwrap_or(0),
        uid_validity,
        uid_next: told.uid_next,
    })
}
