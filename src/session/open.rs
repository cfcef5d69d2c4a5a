//! From a host name to a session: connection, TLS, greeting, login, EXAMINE.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::fence::{Completion, Fence, Handle, shown_text, with_goodbye};
use super::{Peer, Refusal, Selected, Session, Settings, is_about_limit, lock};
use crate::Security;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind, Result, excerpt};
use crate::stop::Stop;
use crate::transport::{Condition, Phase, Status, Stream, Tcp, Wire, secure};
use crate::unwind;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Login,
    /// The server knows already who we are (RFC 9051, section 7.1.4).
    PreAuthenticated,
}

fn greet(settings: &Settings, stop: &Stop, end: Instant) -> Result<(Fence, Greeting)> {
    let mut stream = connect(settings, stop)?;
    // A caller's own stream may bring its own protection.
    let mut is_secure = stream.is_secure();
    if !is_secure && settings.security == Security::Tls {
        stream = protect(settings, stream, end, stop)?;
        is_secure = true;
    }
    let mut fence = Fence::new(Wire::new(
        stream,
        settings.timeouts,
        settings.limits,
        stop.clone(),
    )?);
    fence.begin_until(Phase::Greeting, end);
    let greeting = read_greeting(&mut fence)?;
    if !is_secure && settings.security == Security::StartTls {
        if greeting == Greeting::PreAuthenticated {
            return Err(Error::new(
                ErrorKind::Tls,
                "the server skips STARTTLS by a PREAUTH greeting, which a stranger on the way \
                 can fake",
            ));
        }
        // Whatever was announced so far was said without protection (RFC 9051, section 6.2.1).
        return Ok((start_tls(fence, settings, end, stop)?, greeting));
    }
    if greeting == Greeting::PreAuthenticated && !is_secure && !is_local(&settings.host) {
        return Err(Error::new(
            ErrorKind::Auth,
            "a PREAUTH greeting over an open network is not to be trusted",
        ));
    }
    Ok((fence, greeting))
}

fn connect(settings: &Settings, stop: &Stop) -> Result<Box<dyn Stream>> {
    let (host, port) = (settings.host.as_str(), settings.port);
    let Some(connector) = &settings.connector else {
        let stream = Tcp.connect(host, port, settings.timeouts.connect, stop)?;
        return Ok(Box::new(stream));
    };
    connector
        .connect(host, port, settings.timeouts.connect)
        .map_err(|error| {
            Error::new(ErrorKind::Connect, format!("{host}:{port}: {error}")).with_source(error)
        })
}

fn protect(
    settings: &Settings,
    stream: Box<dyn Stream>,
    end: Instant,
    stop: &Stop,
) -> Result<Box<dyn Stream>> {
    match &settings.roots {
        Some(roots) => secure(roots, &settings.host, stream, end, stop),
        // `Builder` makes them wherever TLS is asked for.
        None => Err(Error::new(ErrorKind::Tls, "no certificates to trust")),
    }
}

fn is_local(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host == "::1"
        || host
            .parse()
            .is_ok_and(|address: Ipv4Addr| address.is_loopback())
}

fn read_greeting(fence: &mut Fence) -> Result<Greeting> {
    let line = fence.read_response()?;
    let Some(status) = Status::untagged(line) else {
        return Err(Error::protocol(format!(
            "this is no IMAP server, or the wrong port; it greets with {:?}",
            excerpt(line)
        )));
    };
    let text = excerpt(status.text);
    match status.condition {
        Condition::Ok | Condition::PreAuth => {
            let is_authenticated = status.condition == Condition::PreAuth;
            let code = status.code.map(<[u8]>::to_vec);
            fence.heard.note_capabilities(code.as_deref());
            Ok(if is_authenticated {
                Greeting::PreAuthenticated
            } else {
                Greeting::Login
            })
        }
        Condition::Bye if is_about_limit(status.code_word().as_deref(), status.text) => {
            Err(Error::new(ErrorKind::SessionLimit, text))
        }
        Condition::Bye => Err(Error::new(
            ErrorKind::Disconnected,
            format!("the server closed the connection at once: {text}"),
        )),
        // Not a greeting (RFC 9051, section 7.1), but there are servers that say no so early.
        Condition::No | Condition::Bad => Err(Error::new(
            ErrorKind::Disconnected,
            format!("the server will not have us: {text}"),
        )),
    }
}

fn start_tls(mut fence: Fence, settings: &Settings, end: Instant, stop: &Stop) -> Result<Fence> {
    let refused = |text: &str| {
        let host = &settings.host;
        Error::new(
            ErrorKind::Tls,
            format!(
                "{host}: the server refuses STARTTLS ({text}); use `Security::Tls`, or look into \
                 who is on the way"
            ),
        )
    };
    fence.begin_until(Phase::StartTls, end);
    fence.wire.write(b"s1 STARTTLS\r\n")?;
    loop {
        let line = fence.read_response()?;
        if let Some(rest) = line.strip_prefix(b"s1 ") {
            match Status::parse(rest) {
                Some(Status {
                    condition: Condition::Ok,
                    ..
                }) => break,
                _ => return Err(refused(&excerpt(rest))),
            }
        }
        if let Some(Status {
            condition: Condition::Bye,
            text,
            ..
        }) = Status::untagged(line)
        {
            return Err(refused(&excerpt(text)));
        }
    }
    let stream = fence.wire.into_stream()?;
    let stream = protect(settings, stream, end, stop)?;
    let wire = Wire::new(stream, settings.timeouts, settings.limits, stop.clone())?;
    // A new fence: everything heard before the handshake is forgotten.
    Ok(Fence::new(wire))
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

/// After a PREAUTH greeting. The crate knows no other way to a session than a login.
fn pretend_to_log_in(
    client: imap::Client<Handle>,
    fence: &Mutex<Fence>,
) -> Result<imap::Session<Handle>> {
    lock(fence).pretend_once();
    run(fence, Phase::Login, || {
        client.login("-", "-").map_err(|(error, _)| error)
    })
}

fn log_in(
    settings: &Settings,
    client: imap::Client<Handle>,
    fence: &Mutex<Fence>,
    capabilities: &[String],
) -> Result<imap::Session<Handle>> {
    let Credentials { user, password } = &settings.credentials;
    // LOGIN sends quoted strings, which are ASCII only (RFC 9051, section 4.3).
    let plain = !(user.is_ascii() && password.is_ascii())
        || capabilities.iter().any(|name| name == "LOGINDISABLED");
    lock(fence).secrets = Some(settings.credentials.clone());
    let result = run(fence, Phase::Login, || {
        if plain {
            client.authenticate("PLAIN", &Plain { user, password })
        } else {
            client.login(user, password)
        }
        .map_err(|(error, _)| error)
    });
    lock(fence).secrets = None;
    result.map_err(|error| {
        let completion = lock(fence).heard.completion.clone();
        match completion {
            Some(completion) if completion.condition != Condition::Ok => {
                let alert = lock(fence).heard.alert.clone();
                login_refused(&completion, alert.as_deref(), &settings.credentials)
            }
            _ => error,
        }
    })
}

/// The SASL mechanism PLAIN (RFC 4616).
struct Plain<'a> {
    user: &'a str,
    password: &'a str,
}

impl imap::Authenticator for Plain<'_> {
    type Response = String;

    fn process(&self, _: &[u8]) -> String {
        format!("\0{}\0{}", self.user, self.password)
    }
}

/// A wrong password, or something that will pass? Told by the code where there is one (RFC 5530),
/// and by the text otherwise. In doubt it is the password, because trying again locks accounts.
fn login_refused(completion: &Completion, alert: Option<&[u8]>, secrets: &Credentials) -> Error {
    let code = completion.code.as_deref();
    let mut text = shown_text(&completion.text, Some(secrets));
    if let Some(alert) = alert {
        text = format!("{text} ({})", shown_text(alert, Some(secrets)));
    }
    // Read as it came, since a name may be a part of any word.
    let said = [&completion.text, alert.unwrap_or_default()].concat();
    let shown = match code {
        Some(code) => format!("[{}] {text}", shown_text(code.as_bytes(), Some(secrets))),
        None => text.clone(),
    };
    let refusal = Refusal::of(code, &said);
    let kind = match refusal {
        _ if is_about_limit(code, &said) => ErrorKind::SessionLimit,
        Refusal::Throttled(_) => ErrorKind::Throttled,
        Refusal::Other if code != Some("CONTACTADMIN") && completion.condition == Condition::No => {
            ErrorKind::Auth
        }
        _ => return Error::server(completion.code.clone(), text.as_bytes(), "login"),
    };
    let hint = match refusal {
        Refusal::Throttled(hint) => hint,
        _ => None,
    };
    Error::new(kind, shown).with_hint(hint)
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

/// Runs one command of the `imap` crate and makes sense of how it ends.
pub(super) fn run<T>(
    fence: &Mutex<Fence>,
    phase: Phase,
    command: impl FnOnce() -> imap::Result<T>,
) -> Result<T> {
    run_with(fence, phase, Duration::MAX, command)
}

/// As [`run`], bearing silence only for so long.
fn run_with<T>(
    fence: &Mutex<Fence>,
    phase: Phase,
    patience: Duration,
    command: impl FnOnce() -> imap::Result<T>,
) -> Result<T> {
    lock(fence).begin_with(phase, patience);
    let error = match unwind::catch(command) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
        Err(panic) => {
            return Err(Error::protocol(format!(
                "{phase}: the answer is not understood: {panic}"
            )));
        }
    };
    let fence = lock(fence);
    let heard = &fence.heard;
    Err(match (error, &heard.completion, &heard.bye) {
        (imap::Error::No(_) | imap::Error::Bad(_), Some(completion), _) => {
            Error::server(completion.code.clone(), &completion.text, phase.to_string())
        }
        (imap::Error::Io(error), _, bye) => {
            with_goodbye(from_io(error, phase), phase, bye.as_deref())
        }
        (imap::Error::Validate(_), ..) => Error::config(format!(
            "{phase}: an argument has a character that cannot be sent"
        )),
        // Only the name of the failure: the crate's texts may hold what was sent.
        (..) => Error::protocol(format!("{phase}: the answer is not understood")),
    })
}

/// Takes our own error out of the wrapping in which it passed through the crate.
fn from_io(error: std::io::Error, phase: Phase) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(error) => Error::new(ErrorKind::Disconnected, phase.to_string()).with_source(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: Option<&str>, text: &str) -> ErrorKind {
        let secrets = Credentials {
            user: "a".to_owned(),
            password: "LIMIT".to_owned(),
        };
        let completion = Completion {
            condition: Condition::No,
            code: code.map(str::to_owned),
            text: text.as_bytes().to_vec(),
        };
        login_refused(&completion, None, &secrets).kind().clone()
    }

    #[test]
    fn a_limit_on_connections_is_told_from_a_wrong_password() {
        assert_eq!(
            refused(Some("AUTHENTICATIONFAILED"), "Authentication failed."),
            ErrorKind::Auth
        );
        assert_eq!(refused(None, "LOGIN failed."), ErrorKind::Auth);
        let throttled = "Request is throttled. Suggested Backoff Time: 1000 milliseconds";
        assert_eq!(refused(None, throttled), ErrorKind::Throttled);
        for (code, text) in [
            (Some("LIMIT"), "Sorry"),
            (
                Some("UNAVAILABLE"),
                "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
            ),
            (
                Some("ALERT"),
                "Too many simultaneous connections. (Failure)",
            ),
            (None, "Session limit reached"),
        ] {
            assert_eq!(refused(code, text), ErrorKind::SessionLimit, "{text}");
        }
        assert!(matches!(
            refused(Some("UNAVAILABLE"), "try later"),
            ErrorKind::Server { .. }
        ));
    }
}
