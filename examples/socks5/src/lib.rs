//! Connections through a SOCKS5 proxy (RFC 1928). The proxy looks the host up, so that no name of a
//! mail server is asked for on the way, as with Tor.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use parallel_mailbox::{Connect, Stream};

/// A proxy, and who may use it.
#[derive(Clone)]
pub struct Socks5 {
    address: String,
    login: Option<(String, String)>,
}

impl Socks5 {
    /// A proxy at an address such as `127.0.0.1:1080`.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            login: None,
        }
    }

    /// Shows the proxy user and password (RFC 1929), of at most 255 octets each.
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.login = Some((user.into(), password.into()));
        self
    }

    fn talk(&self, stream: &mut TcpStream, host: &str, port: u16) -> io::Result<()> {
        let wanted = if self.login.is_some() { 2 } else { 0 };
        stream.write_all(&[5, 1, wanted])?;
        match (read(stream)?, &self.login) {
            ([5, 0], None) => {}
            ([5, 2], Some((user, password))) => {
                let mut line = vec![1];
                push_short(&mut line, user)?;
                push_short(&mut line, password)?;
                stream.write_all(&line)?;
                let [_, status] = read(stream)?;
                if status != 0 {
                    return Err(io::Error::other("the proxy refuses user or password"));
                }
            }
            ([5, _], _) => return Err(io::Error::other("the proxy wants another way to sign in")),
            _ => return Err(io::Error::other("this is no SOCKS5 proxy")),
        }
        // CONNECT to a name, whatever it is: the proxy also takes addresses in this form.
        let mut request = vec![5, 1, 0, 3];
        push_short(&mut request, host)?;
        request.extend(port.to_be_bytes());
        stream.write_all(&request)?;
        let [_, reply, _, kind] = read(stream)?;
        if reply != 0 {
            return Err(io::Error::other(format!("the proxy: {}", explain(reply))));
        }
        // The address that the proxy has on the other side, of no use here.
        let length = match kind {
            1 => 4,
            4 => 16,
            _ => usize::from(read::<1>(stream)?[0]),
        };
        stream.read_exact(&mut vec![0; length + 2])
    }
}

impl Connect for Socks5 {
    fn connect(&self, host: &str, port: u16, timeout: Duration) -> io::Result<Box<dyn Stream>> {
        let end = Instant::now() + timeout;
        let mut addresses = self.address.to_socket_addrs()?;
        let address = addresses.next().ok_or(io::ErrorKind::NotFound)?;
        let mut stream = TcpStream::connect_timeout(&address, timeout)
            .map_err(|error| io::Error::new(error.kind(), format!("the proxy: {error}")))?;
        stream.set_nodelay(true)?;
        let left = end.saturating_duration_since(Instant::now());
        stream.set_timeout(left.max(Duration::from_millis(1)))?;
        self.talk(&mut stream, host, port)
            .map_err(|error| match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                    io::Error::new(io::ErrorKind::TimedOut, "the proxy does not answer")
                }
                io::ErrorKind::UnexpectedEof => {
                    io::Error::new(error.kind(), "the proxy closed the connection")
                }
                _ => error,
            })?;
        // The crate sets its own deadlines, and does TLS on top.
        Ok(Box::new(stream))
    }
}

impl fmt::Debug for Socks5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the password.
        f.debug_struct("Socks5")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

fn read<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut octets = [0; N];
    stream.read_exact(&mut octets)?;
    Ok(octets)
}

fn push_short(line: &mut Vec<u8>, text: &str) -> io::Result<()> {
    let length = u8::try_from(text.len())
        .map_err(|_| io::Error::other("SOCKS5 has room for 255 octets only"))?;
    line.push(length);
    line.extend(text.as_bytes());
    Ok(())
}

/// RFC 1928, section 6.
fn explain(reply: u8) -> &'static str {
    match reply {
        1 => "it failed",
        2 => "its rules do not allow this connection",
        3 => "the network cannot be reached",
        4 => "the host cannot be reached",
        5 => "the host refuses the connection",
        6 => "the way is too long",
        7 => "it knows no CONNECT",
        8 => "it takes no host names",
        _ => "it fails for a reason that it has no word for",
    }
}
