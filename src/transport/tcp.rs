//! TCP connections: every address of a name is tried, each within its share of the deadline, and
//! a stop is noticed also while no answer comes.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use super::apart;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::stop::Stop;

/// Connects over TCP.
#[derive(Debug)]
pub(crate) struct Tcp;

/// How often a connection that is under way is looked at: often at first, because on a near
/// network it is there at once, then less, so that waiting costs no CPU time.
const FIRST_LOOK: Duration = Duration::from_micros(50);
const LONGEST_LOOK: Duration = Duration::from_millis(5);

/// Dead peers of idle sessions are found out after this time.
const KEEPALIVE: Duration = Duration::from_secs(120);

impl Tcp {
    pub(crate) fn connect(
        &self,
        host: &str,
        port: u16,
        end: Deadline,
        stop: &Stop,
    ) -> Result<TcpStream> {
        let addresses = resolve(host, port, end, stop)?;
        first_that_answers(host, port, &addresses, end, stop, |address, share| {
            attempt(address, share, stop)
        })
    }
}

/// The system's resolver takes neither a deadline nor a stop from us.
fn resolve(host: &str, port: u16, end: Deadline, stop: &Stop) -> Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let name = host.to_owned();
    let what = format!("{host}:{port}: the name cannot be resolved");
    let ask = move || -> io::Result<Vec<SocketAddr>> {
        Ok((name.as_str(), port).to_socket_addrs()?.collect())
    };
    apart(&what, end, stop, ask)?
        .map_err(|error| Error::new(ErrorKind::Connect, what).with_source(error))
}

/// Tries one address after the other, each within its share of what is left until `end`.
fn first_that_answers<T>(
    host: &str,
    port: u16,
    addresses: &[SocketAddr],
    end: Deadline,
    stop: &Stop,
    mut attempt: impl FnMut(SocketAddr, Duration) -> io::Result<T>,
) -> Result<T> {
    let failed = |what: &str| Error::new(ErrorKind::Connect, format!("{host}:{port}: {what}"));
    let mut last = failed("the name has no address");
    for (index, address) in addresses.iter().enumerate() {
        let share = end.left() / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match attempt(*address, share) {
            Ok(stream) => return Ok(stream),
            Err(error) if stop.is_raised() => {
                return Err(Error::cancelled().with_source(error));
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                last = Error::new(
                    ErrorKind::Timeout,
                    format!("connect: {host}:{port} ({address}): no answer"),
                );
            }
            Err(error) => {
                // Which of its addresses, where the host was given by name.
                let what = match host.parse::<IpAddr>() {
                    Ok(_) => error.to_string(),
                    Err(_) => format!("{address}: {error}"),
                };
                last = failed(&what).with_source(error);
            }
        }
    }
    Err(last)
}

fn attempt(address: SocketAddr, timeout: Duration, stop: &Stop) -> io::Result<TcpStream> {
    let end = Deadline::after(timeout);
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // Only begun, without a wait: what goes on in the background is looked at here, because a wait
    // could not be interrupted by a stop.
    match socket.connect_timeout(&address.into(), Duration::ZERO) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            let mut pause = FIRST_LOOK;
            while socket.peer_addr().is_err() {
                if let Some(error) = socket.take_error()? {
                    return Err(error);
                }
                if stop.is_raised() || end.is_over() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_LOOK);
            }
        }
        Err(error) => return Err(error),
    }
    let stream = TcpStream::from(socket);
    // Commands are single small writes and must leave at once.
    stream.set_nodelay(true)?;
    // Best effort: deadlines do not depend on it.
    let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn connects_and_tells_host_and_port_when_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Stop::default();
        let end = Deadline::after(Duration::from_secs(10));
        Tcp.connect("127.0.0.1", port, end, &stop).unwrap();
        drop(listener);
        let error = Tcp.connect("127.0.0.1", port, end, &stop).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Connect);
        assert!(
            error.to_string().contains(&format!("127.0.0.1:{port}")),
            "{error}"
        );
    }

    #[test]
    fn a_dead_address_costs_its_share_of_the_time_and_the_next_is_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let alive = listener.local_addr().unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let dead = closed.local_addr().unwrap();
        drop(closed);
        let stop = Stop::default();
        let minute = Duration::from_secs(60);
        let end = Deadline::after(minute);
        let mut shares = Vec::new();
        let try_one = |address, share| {
            shares.push(share);
            attempt(address, share, &stop)
        };
        let stream = first_that_answers("host", 143, &[dead, dead, alive], end, &stop, try_one);
        assert_eq!(stream.unwrap().peer_addr().unwrap(), alive);
        // What one has not used is for the others.
        assert!(
            shares[0] <= minute / 3 && shares[1] <= minute / 2 && shares[2] <= minute,
            "{shares:?}"
        );
        assert!(shares.is_sorted(), "{shares:?}");
    }

    #[test]
    fn of_addresses_that_are_all_dead_the_last_is_named() {
        let addresses = ["192.0.2.1:143", "[2001:db8::1]:143"].map(|text| text.parse().unwrap());
        let end = Deadline::after(Duration::from_secs(60));
        let stop = Stop::default();
        let mut kinds = [io::ErrorKind::ConnectionRefused, io::ErrorKind::TimedOut].into_iter();
        let fail = |_, _| -> io::Result<()> { Err(kinds.next().unwrap().into()) };
        let error = first_that_answers("host", 143, &addresses, end, &stop, fail).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Timeout);
        let text = error.to_string();
        assert!(text.contains("host:143 ([2001:db8::1]:143)"), "{text}");
    }
}
