//! A TCP proxy that makes the way to a server longer: every octet arrives half a round trip after
//! it was sent, in each direction, in order, at any rate. It also costs the round trip of the TCP
//! handshake, which loopback does not: nothing reaches the server before one and a half round
//! trips after the client asked for the connection. It belongs in a process of its own, or its CPU
//! time would count as the client's.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What may be on its way in one direction of a connection: many times what TCP would allow, but
/// not a whole mailbox for a client that does not read.
const MOST_OCTETS: usize = 64 * 1024 * 1024;

/// What is read at once, at the most.
const PIECE: usize = 256 * 1024;

/// Listens on a port that the system chooses, which is returned. The threads last as long as the
/// process.
pub(crate) fn start(upstream: u16, round_trip: Duration) -> io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    spawn("accept", move || {
        for client in listener.incoming().flatten() {
            spawn("connection", move || {
                // The client sees the end of the connection; nobody else wants to know.
                let _ = connection(client, upstream, round_trip);
            });
        }
    });
    Ok(port)
}

fn connection(client: TcpStream, upstream: u16, round_trip: Duration) -> io::Result<()> {
    let established = Instant::now() + round_trip * 3 / 2;
    client.set_nodelay(true)?;
    let (there, back) = (Arc::<Way>::default(), Arc::<Way>::default());
    let source = client.try_clone()?;
    let way = there.clone();
    spawn("client", move || way.gather(source, round_trip / 2));

    thread::sleep(established.saturating_duration_since(Instant::now()));
    let server = TcpStream::connect(("127.0.0.1", upstream))?;
    server.set_nodelay(true)?;
    let source = server.try_clone()?;
    let way = back.clone();
    spawn("server", move || way.gather(source, round_trip / 2));
    spawn("to-client", move || back.deliver(client));
    there.deliver(server);
    Ok(())
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    let builder = thread::Builder::new().name(format!("proxy-{name}"));
    builder.spawn(work).unwrap();
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Way {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Each piece with the moment when it arrives. An empty one is the end.
    pieces: VecDeque<(Instant, Piece)>,
    /// Buffers of [`PIECE`] octets for the next pieces: new memory for each would cost more than
    /// copying does.
    spare: Vec<Vec<u8>>,
    octets: usize,
    is_dead: bool,
}

#[derive(Debug)]
enum Piece {
    Copied(Vec<u8>),
    /// So much of a buffer that goes back to the others.
    Whole(Vec<u8>, usize),
}

impl Way {
    /// Reads until the end.
    fn gather(&self, mut source: TcpStream, delay: Duration) {
        let mut buffer = vec![0; PIECE];
        loop {
            // A connection that was reset ends like any other.
            let read = source.read(&mut buffer).unwrap_or(0);
            let arrival = Instant::now() + delay;
            let mut state = self.state.lock().unwrap();
            while state.octets > MOST_OCTETS && !state.is_dead {
                state = self.changed.wait(state).unwrap();
            }
            let piece = if read < PIECE / 4 {
                Piece::Copied(buffer[..read].to_vec())
            } else {
                let next = state.spare.pop().unwrap_or_else(|| vec![0; PIECE]);
                Piece::Whole(std::mem::replace(&mut buffer, next), read)
            };
            state.octets += read;
            state.pieces.push_back((arrival, piece));
            self.changed.notify_all();
            if read == 0 || state.is_dead {
                return;
            }
        }
    }

    /// Writes until the end, each piece at its time.
    fn deliver(&self, mut target: TcpStream) {
        let mut state = self.state.lock().unwrap();
        loop {
            let Some((arrival, piece)) = state.pieces.pop_front() else {
                state = self.changed.wait(state).unwrap();
                continue;
            };
            drop(state);
            thread::sleep(arrival.saturating_duration_since(Instant::now()));
            let octets = piece.octets();
            let is_over = octets.is_empty() || target.write_all(octets).is_err();
            state = self.state.lock().unwrap();
            state.octets -= octets.len();
            state.is_dead = is_over;
            if let Piece::Whole(buffer, _) = piece {
                state.spare.push(buffer);
            }
            self.changed.notify_all();
            if is_over {
                // The other side may be gone already.
                let _ = target.shutdown(Shutdown::Write);
                return;
            }
        }
    }
}

impl Piece {
    fn octets(&self) -> &[u8] {
        match self {
            Self::Copied(octets) => octets,
            Self::Whole(buffer, length) => &buffer[..*length],
        }
    }
}
