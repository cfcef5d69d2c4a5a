//! From a host name to a greeted connection, with TLS where it is asked for.

use std::time::Duration;

use super::fence::Fence;
use super::heard::shown_text;
use super::{Peer, Settings};
use crate::Security;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result, excerpt};
use crate::refusal::Refusal;
use crate::stop::Stop;
use crate::transport::{
    Condition, Phase, Status, Stream, Tcp, Wire, answers_to_tls, apart, secure,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greeting {
    Login,
    /// The server knows already who we are (RFC 9051, section 7.1.4).
    PreAuthenticated,
}

/// A connector that keeps to its time can say itself why it has no connection, and so much later it
/// has said so.
const CONNECTOR_GRACE: Duration = Duration::from_millis(500);

/// How much of the time for a greeting is kept back, at most, to find out why there was none.
const INQUIRY: Duration = Duration::from_secs(1);

/// A connection on which nothing has been said.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) fence: Fence,
    /// By TLS, or because the caller's own stream says so.
    pub(super) is_secure: bool,
    /// Nobody on a network can be in between.
    is_local: bool,
}

/// Connects, in TLS from the first octet if the settings say so.
pub(super) fn reach(
    settings: &Settings,
    peer: &Peer,
    stop: &Stop,
    end: Deadline,
) -> Result<Reached> {
    let (mut stream, is_local) = connect(settings, stop, end)?;
    // A caller's own stream may bring its own protection.
    let mut is_secure = stream.is_secure();
    if !is_secure && settings.security == Security::Tls {
        let if_plain = "this port takes no TLS from the first octet; use the one that does, \
                        commonly 993, or `Security::StartTls` for this one";
        stream = protect(settings, stream, end, stop, if_plain)
            .map_err(|error| closed_at_once(error, peer))?;
        is_secure = true;
    }
    let wire = Wire::new(stream, settings.timeouts, settings.limits, stop.clone())?;
    Ok(Reached {
        fence: Fence::new(wire),
        is_secure,
        is_local,
    })
}

/// Reads the greeting, and does STARTTLS if the settings say so.
pub(super) fn greet(
    reached: Reached,
    settings: &Settings,
    peer: &Peer,
    stop: &Stop,
    end: Deadline,
) -> Result<(Fence, Greeting)> {
    let Reached {
        mut fence,
        is_secure,
        is_local,
    } = reached;
    if is_secure {
        fence.begin_until(Phase::Greeting, end);
    } else {
        let inquiry = INQUIRY.min(end.left() / 10);
        fence.begin_until(Phase::Greeting, end.earlier_by(inquiry));
        if let Err(error) = fence.wire.available() {
            return Err(why_silent(error, fence, settings, peer, end, stop));
        }
    }
    let greeting = read_greeting(&mut fence).map_err(|error| closed_at_once(error, peer))?;
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
    if greeting == Greeting::PreAuthenticated && !is_secure && !is_local {
        return Err(Error::new(
            ErrorKind::Auth,
            "a PREAUTH greeting over an open network is not to be trusted",
        ));
    }
    Ok((fence, greeting))
}

/// A server that speaks TLS from the first octet waits in silence for the client to begin.
fn why_silent(
    error: Error,
    fence: Fence,
    settings: &Settings,
    peer: &Peer,
    end: Deadline,
    stop: &Stop,
) -> Error {
    match error.kind() {
        ErrorKind::Timeout => {
            if let Ok(stream) = fence.wire.into_stream()
                && answers_to_tls(&settings.host, stream, end, stop)
            {
                return Error::new(
                    ErrorKind::Tls,
                    "this port takes TLS from the first octet; use `Security::Tls` for it",
                )
                .with_source(error);
            }
            error
        }
        ErrorKind::Disconnected if !peer.is_known() => error.followed_by(
            " without a greeting; if the port is one for TLS from the first octet, use \
             `Security::Tls`",
        ),
        _ => closed_at_once(error, peer),
    }
}

/// A server that closes the connection before it has said anything. While other sessions with it are
/// open it is in order, and so that is how it refuses one more, as Courier does.
fn closed_at_once(error: Error, peer: &Peer) -> Error {
    let open = peer.open_sessions();
    if *error.kind() != ErrorKind::Disconnected || error.refusal().is_some() || open == 0 {
        return error;
    }
    let text = format!("{open} are open, and the server closes a further connection at once");
    Error::new(ErrorKind::SessionLimit, text)
        .with_refusal(Refusal::SessionLimit)
        .with_source(error)
}

/// Returns also whether the peer is on this machine. What is at the other end of a caller's own
/// connection, only that knows: a port here may be that of a tunnel.
fn connect(settings: &Settings, stop: &Stop, end: Deadline) -> Result<(Box<dyn Stream>, bool)> {
    let (host, port) = (settings.host.as_str(), settings.port);
    let Some(connector) = &settings.connector else {
        let stream = Tcp.connect(host, port, end, stop)?;
        let address = stream.peer_addr();
        let is_local = address.is_ok_and(|address| address.ip().to_canonical().is_loopback());
        return Ok((Box::new(stream), is_local));
    };
    let place = format!("{host}:{port}");
    let (connector, host) = (connector.clone(), host.to_owned());
    let stream = apart(&place, end.later_by(CONNECTOR_GRACE), stop, move || {
        connector.connect(&host, port, end.left())
    })?
    .map_err(|error| {
        Error::new(ErrorKind::Connect, format!("{place}: {error}")).with_source(error)
    })?;
    let is_local = stream.is_local();
    Ok((stream, is_local))
}

fn protect(
    settings: &Settings,
    stream: Box<dyn Stream>,
    end: Deadline,
    stop: &Stop,
    if_plain: &str,
) -> Result<Box<dyn Stream>> {
    match &settings.roots {
        Some(roots) => secure(roots, &settings.host, stream, end, stop, if_plain),
        // `Builder` makes them wherever TLS is asked for.
        None => Err(Error::new(ErrorKind::Tls, "no certificates to trust")),
    }
}

/// Reads the greeting.
pub(super) fn read_greeting(fence: &mut Fence) -> Result<Greeting> {
    let secrets = fence.secrets.clone();
    let line = fence.read_response()?.to_vec();
    let Some(status) = Status::untagged(&line) else {
        return Err(Error::protocol(format!(
            "this is no IMAP server, or the wrong port; it greets with {:?}",
            shown_text(&line, secrets.as_ref())
        )));
    };
    let text = shown_text(status.text, secrets.as_ref());
    let heard = &mut fence.heard;
    match status.condition {
        Condition::Ok | Condition::PreAuth => {
            let greeting = match status.condition {
                Condition::PreAuth => Greeting::PreAuthenticated,
                _ => Greeting::Login,
            };
            heard.note_status(&status, None);
            heard.name = text;
            Ok(greeting)
        }
        // NO and BAD are no greetings (RFC 9051, section 7.1), but there are servers that say no so
        // early.
        Condition::Bye | Condition::No | Condition::Bad => {
            let code = status.code_word();
            Err(turned_away(Error::refused(
                Condition::Bye,
                code,
                text.as_bytes(),
                "greeting",
            )))
        }
    }
}

/// A server that refuses the connection itself. A limit can only be one of sessions.
fn turned_away(error: Error) -> Error {
    let error = error.with_limit_of_sessions();
    match error.kind() {
        ErrorKind::Disconnected => error.in_context("the server closed the connection at once"),
        _ => error,
    }
}

/// Asks for TLS whatever the server has announced: that STARTTLS is not among it may be the work
/// of somebody on the way, whom the server's own answer outwits.
fn start_tls(mut fence: Fence, settings: &Settings, end: Deadline, stop: &Stop) -> Result<Fence> {
    fence.begin_until(Phase::StartTls, end);
    ask_for_tls(&mut fence).map_err(|error| fence.explain(error))?;
    let name = std::mem::take(&mut fence.heard.name);
    let stream = fence.wire.into_stream()?;
    let if_plain = "octets in plain text came after its OK to STARTTLS; somebody on the way \
                    tampers with the connection, or the server is broken";
    let stream = protect(settings, stream, end, stop, if_plain)?;
    let wire = Wire::new(stream, settings.timeouts, settings.limits, stop.clone())?;
    // A new fence: everything heard before the handshake is forgotten, but for the name, on which
    // nothing rests that matters.
    let mut secured = Fence::new(wire);
    secured.heard.name = name;
    Ok(secured)
}

fn ask_for_tls(fence: &mut Fence) -> Result<()> {
    let refused = |text: &str| {
        Error::new(
            ErrorKind::Tls,
            format!(
                "the server refuses STARTTLS ({text}), so nothing secret was sent; use \
                 `Security::Tls` and its port, commonly 993, or look into who is on the way"
            ),
        )
    };
    fence.wire.write(b"s1 STARTTLS\r\n")?;
    let answer = fence
        .read_answers("s1", |rest| {
            if let Some(Status {
                condition: Condition::Bye,
                text,
                ..
            }) = Status::parse(rest)
            {
                return Err(refused(&excerpt(text)));
            }
            Ok(false)
        })
        .map_err(|error| match error.kind() {
            ErrorKind::Protocol => refused(&error.to_string()),
            _ => error,
        })?;
    match answer.condition {
        Condition::Ok => Ok(()),
        Condition::Bad => Err(refused(&format!("BAD {}", excerpt(&answer.text)))),
        _ => Err(refused(&format!("NO {}", excerpt(&answer.text)))),
    }
}
