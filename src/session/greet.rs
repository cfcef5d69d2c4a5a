//! From a host name to a greeted connection, with TLS where it is asked for.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::Settings;
use super::fence::Fence;
use crate::Security;
use crate::error::{Error, ErrorKind, Result, excerpt};
use crate::stop::Stop;
use crate::transport::{Condition, Phase, Status, Stream, Tcp, Wire, answers_to_tls, secure};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greeting {
    Login,
    /// The server knows already who we are (RFC 9051, section 7.1.4).
    PreAuthenticated,
}

/// How much of the time for a greeting is kept back, at most, to find out why there was none.
const INQUIRY: Duration = Duration::from_secs(1);

/// A connection on which nothing has been said.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) fence: Fence,
    /// By TLS, or because the caller's own stream says so.
    pub(super) is_secure: bool,
}

/// Connects, in TLS from the first octet if the settings say so.
pub(super) fn reach(settings: &Settings, stop: &Stop, end: Instant) -> Result<Reached> {
    let mut stream = connect(settings, stop)?;
    // A caller's own stream may bring its own protection.
    let mut is_secure = stream.is_secure();
    if !is_secure && settings.security == Security::Tls {
        let if_plain = "this port takes no TLS from the first octet; use the one that does, \
                        commonly 993, or `Security::StartTls` for this one";
        stream = protect(settings, stream, end, stop, if_plain)?;
        is_secure = true;
    }
    let wire = Wire::new(stream, settings.timeouts, settings.limits, stop.clone())?;
    Ok(Reached {
        fence: Fence::new(wire),
        is_secure,
    })
}

/// Reads the greeting, and does STARTTLS if the settings say so.
pub(super) fn greet(
    reached: Reached,
    settings: &Settings,
    stop: &Stop,
    end: Instant,
) -> Result<(Fence, Greeting)> {
    let Reached {
        mut fence,
        is_secure,
    } = reached;
    if is_secure {
        fence.begin_until(Phase::Greeting, end);
    } else {
        let left = end.saturating_duration_since(Instant::now());
        fence.begin_until(Phase::Greeting, end - INQUIRY.min(left / 10));
        if let Err(error) = fence.wire.available() {
            return Err(why_silent(error, fence, settings, end, stop));
        }
    }
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

/// A server that speaks TLS from the first octet waits in silence for the client to begin.
fn why_silent(error: Error, fence: Fence, settings: &Settings, end: Instant, stop: &Stop) -> Error {
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
        ErrorKind::Disconnected => error.followed_by(
            " without a greeting; if the port is one for TLS from the first octet, use \
             `Security::Tls`",
        ),
        _ => error,
    }
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
    if_plain: &str,
) -> Result<Box<dyn Stream>> {
    match &settings.roots {
        Some(roots) => secure(roots, &settings.host, stream, end, stop, if_plain),
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

/// Reads the greeting.
pub(super) fn read_greeting(fence: &mut Fence) -> Result<Greeting> {
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
            fence.heard.name = text;
            Ok(if is_authenticated {
                Greeting::PreAuthenticated
            } else {
                Greeting::Login
            })
        }
        // NO and BAD are no greetings (RFC 9051, section 7.1), but there are servers that say no so
        // early.
        Condition::Bye | Condition::No | Condition::Bad => {
            let code = status.code_word();
            Err(turned_away(Error::refused(
                Condition::Bye,
                code,
                status.text,
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
fn start_tls(mut fence: Fence, settings: &Settings, end: Instant, stop: &Stop) -> Result<Fence> {
    let refused = |text: &str| {
        Error::new(
            ErrorKind::Tls,
            format!(
                "the server refuses STARTTLS ({text}), so nothing secret was sent; use \
                 `Security::Tls` and its port, commonly 993, or look into who is on the way"
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
