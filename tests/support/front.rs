//! A TLS front for a server that has none, such as the in-process one: takes TLS on a port of its
//! own, from the first octet or after STARTTLS, and pipes what is in it to the server's port in
//! plain text.
//!
//! A `TlsStream` cannot be cut into two halves, and one thread that waits for both sides would
//! have to poll. So after the handshake TLS works in memory, behind a lock, and each direction has
//! a thread that blocks on nothing but its own socket.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::mem;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use native_tls::{Identity, TlsAcceptor, TlsStream};

use super::certificate::{Authority, Signed};

/// No test takes so long between two octets.
const PATIENCE: Duration = Duration::from_secs(60);

/// How TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    FirstOctet,
    StartTls,
}

/// Breaks a connection in the manner of somebody who can cut the line and no more: the client
/// gets so many octets of what is in TLS, and then the end of TCP without that of TLS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) after_octets: u64,
    /// Only this connection, counted from 0.
    pub(crate) connection: u64,
}

/// A running front. Dropping it closes its connections and ends its threads.
pub(crate) struct Front {
    port: u16,
    root: String,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    acceptor: TlsAcceptor,
    server_port: u16,
    start: Start,
    cut: Option<Cut>,
    cuts: AtomicU64,
    is_over: AtomicBool,
    /// Both sockets of every connection.
    sockets: Mutex<Vec<TcpStream>>,
}

impl Front {
    /// Stands before the server at this port, with a certificate for `localhost` and 127.0.0.1.
    pub(crate) fn of(server_port: u16, start: Start) -> Self {
        Self::with_cut(server_port, start, None)
    }

    /// The same, but one connection breaks.
    pub(crate) fn with_cut(server_port: u16, start: Start, cut: Option<Cut>) -> Self {
        let authority = Authority::new();
        let shared = Arc::new(Shared {
            acceptor: acceptor(&authority.sign(&["localhost", "127.0.0.1"], |_| {})),
            server_port,
            start,
            cut,
            cuts: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            sockets: Mutex::default(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let listening = spawn("front-listen", {
            let shared = shared.clone();
            move || listen(&listener, &shared)
        });
        Self {
            port,
            root: authority.pem,
            shared,
            listening: Some(listening),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The root certificate under which the front's own is valid.
    pub(crate) fn root_pem(&self) -> &[u8] {
        self.root.as_bytes()
    }

    /// How many connections it has cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener, which looks at the flag.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
        for socket in &*self.shared.sockets.lock().unwrap() {
            close(socket);
        }
        let ended = self.listening.take().map(JoinHandle::join);
        assert!(
            thread::panicking() || !matches!(ended, Some(Err(_))),
            "the front panicked"
        );
    }
}

/// Takes TLS with this certificate.
pub(crate) fn acceptor(signed: &Signed) -> TlsAcceptor {
    let identity = Identity::from_pkcs8(signed.pem.as_bytes(), signed.key.as_bytes());
    TlsAcceptor::new(identity.expect("the pair is good")).expect("the pair is good")
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(work).expect("start a thread")
}

fn close(socket: &TcpStream) {
    // It may be closed already.
    socket.shutdown(Shutdown::Both).ok();
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    for number in 0.. {
        let (client, _) = listener.accept().expect("accept a connection");
        if shared.is_over.load(Ordering::SeqCst) {
            break;
        }
        let shared = shared.clone();
        // A client that goes away is no failure of the front.
        threads.push(spawn("front-up", move || {
            serve(client, number, &shared).ok();
        }));
    }
    // Those that began while the front was dropped are not among the sockets that were closed.
    for socket in &*shared.sockets.lock().unwrap() {
        close(socket);
    }
    for thread in threads {
        thread.join().expect("a thread of the front panicked");
    }
}

fn serve(mut client: TcpStream, number: u64, shared: &Shared) -> io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", shared.server_port))?;
    for socket in [&client, &server] {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        shared.sockets.lock().unwrap().push(socket.try_clone()?);
    }
    let is_on = shared.start == Start::FirstOctet || start_tls(&mut client, &mut server)?;
    let result = match is_on {
        true => secure(&client, &server, number, shared),
        false => Ok(()),
    };
    close(&client);
    close(&server);
    result
}

/// Speaks for the server until the client has asked for TLS. Returns whether it has.
fn start_tls(client: &mut TcpStream, server: &mut TcpStream) -> io::Result<bool> {
    let greeting = read_line(server)?;
    // A list of capabilities in it is what holds within TLS.
    let word = greeting.split(' ').nth(1).unwrap_or_default();
    write!(client, "* {word} ready for STARTTLS\r\n")?;
    loop {
        let line = read_line(client)?;
        let mut words = line.split_ascii_whitespace();
        let (tag, command) = (words.next().unwrap_or("*"), words.next());
        match command.unwrap_or_default().to_ascii_uppercase().as_str() {
            "CAPABILITY" => write!(
                client,
                "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n{tag} OK done\r\n"
            )?,
            "STARTTLS" => {
                write!(client, "{tag} OK begin\r\n")?;
                return Ok(true);
            }
            "LOGOUT" => {
                write!(client, "* BYE until then\r\n{tag} OK done\r\n")?;
                return Ok(false);
            }
            _ => write!(client, "{tag} BAD not before STARTTLS\r\n")?,
        }
    }
}

/// Reads to the end of a line and no further: what follows may be TLS.
pub(crate) fn read_line(stream: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    let mut octet = [0];
    while !line.ends_with(b"\n") {
        stream.read_exact(&mut octet)?;
        line.extend_from_slice(&octet);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// What TLS reads and writes: the socket during the handshake, and memory afterwards.
#[derive(Debug, Default)]
struct Side {
    socket: Option<TcpStream>,
    incoming: VecDeque<u8>,
    has_ended: bool,
    outgoing: Vec<u8>,
}

impl Read for Side {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        match &mut self.socket {
            Some(socket) => socket.read(target),
            None if self.incoming.is_empty() && !self.has_ended => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            None => self.incoming.read(target),
        }
    }
}

impl Write for Side {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match &mut self.socket {
            Some(socket) => socket.write(octets),
            None => self.outgoing.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// TLS in memory, and the socket to the client. Locked in this order: `to_client`, `tls`; the
/// latter never while a socket is waited for.
struct Tunnel {
    to_client: Mutex<TcpStream>,
    tls: Mutex<TlsStream<Side>>,
}

impl Tunnel {
    /// Does something with TLS, and sends the client what comes of it.
    fn with<T>(&self, work: impl FnOnce(&mut TlsStream<Side>) -> io::Result<T>) -> io::Result<T> {
        let mut to_client = self.to_client.lock().unwrap();
        let (result, outgoing) = {
            let mut tls = self.tls.lock().unwrap();
            let result = work(&mut tls);
            (result, mem::take(&mut tls.get_mut().outgoing))
        };
        to_client.write_all(&outgoing)?;
        result
    }

    /// What is in TLS of these octets from the client; nothing after the end.
    fn open(&self, octets: &[u8]) -> io::Result<Vec<u8>> {
        let mut tls = self.tls.lock().unwrap();
        tls.get_mut().incoming.extend(octets);
        tls.get_mut().has_ended |= octets.is_empty();
        let mut plain = Vec::new();
        match tls.read_to_end(&mut plain) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(plain),
            result => result.map(|_| plain),
        }
    }
}

fn secure(client: &TcpStream, server: &TcpStream, number: u64, shared: &Shared) -> io::Result<()> {
    let side = Side {
        socket: Some(client.try_clone()?),
        ..Side::default()
    };
    let mut tls = shared.acceptor.accept(side).map_err(io::Error::other)?;
    tls.get_mut().socket = None;
    let tunnel = Tunnel {
        to_client: Mutex::new(client.try_clone()?),
        tls: Mutex::new(tls),
    };
    thread::scope(|scope| {
        let down = thread::Builder::new().name("front-down".to_owned());
        let down = down.spawn_scoped(scope, || {
            carry_down(server, &tunnel, number, shared).ok();
            close(client);
        })?;
        let result = carry_up(client, server, &tunnel);
        close(server);
        down.join().expect("a thread of the front panicked");
        result
    })
}

fn carry_up(mut client: &TcpStream, mut server: &TcpStream, tunnel: &Tunnel) -> io::Result<()> {
    let mut octets = vec![0; 32 * 1024];
    loop {
        let count = client.read(&mut octets)?;
        let plain = tunnel.open(&octets[..count])?;
        server.write_all(&plain)?;
        if count == 0 {
            return Ok(());
        }
    }
}

fn carry_down(
    mut server: &TcpStream,
    tunnel: &Tunnel,
    number: u64,
    shared: &Shared,
) -> io::Result<()> {
    let mut octets = vec![0; 32 * 1024];
    let cut = shared.cut.filter(|cut| cut.connection == number);
    let mut left = cut.map_or(u64::MAX, |cut| cut.after_octets);
    loop {
        let count = server.read(&mut octets)?;
        if count == 0 {
            return tunnel.with(TlsStream::shutdown);
        }
        let count = usize::try_from(left).map_or(count, |left| left.min(count));
        tunnel.with(|tls| tls.write_all(&octets[..count]))?;
        left -= count as u64;
        if left == 0 {
            shared.cuts.fetch_add(1, Ordering::SeqCst);
            return Ok(());
        }
    }
}
