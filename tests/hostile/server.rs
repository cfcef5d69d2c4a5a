//! A server that follows a script of a few lines until the moment comes to attack. It shares no
//! code with the in-process server, which would not say most of this.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// No attack takes longer: the client under test has much shorter deadlines.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where a server attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Greeting,
    Capability,
    Login,
    Examine,
    Search,
    /// At every FETCH that asks for message 2.
    Fetch,
}

/// What it does then, with the connection and the command's tag. Afterwards the script goes on,
/// unless that was an error.
pub(crate) type Attack = Arc<dyn Fn(&mut TcpStream, &str) -> io::Result<()> + Send + Sync>;

/// Sends these octets again and again, until the client has enough.
pub(crate) fn endless(piece: impl Into<Vec<u8>>) -> Attack {
    then_endless("", piece)
}

/// Sends the head once, and the piece until the client has enough.
pub(crate) fn then_endless(head: impl Into<Vec<u8>>, piece: impl Into<Vec<u8>>) -> Attack {
    let (head, piece) = (head.into(), piece.into());
    // Small pieces together, or the system calls would take all the time.
    let many = piece.repeat((64 * 1024 / piece.len()).max(1));
    Arc::new(move |stream, _| {
        stream.write_all(&head)?;
        loop {
            stream.write_all(&many)?;
        }
    })
}

/// Sends the octets once, and goes on as if nothing were.
pub(crate) fn once(octets: impl Into<Vec<u8>>) -> Attack {
    let octets = octets.into();
    Arc::new(move |stream, _| stream.write_all(&octets))
}

/// Sends the octets and then nothing, without closing.
pub(crate) fn then_silence(octets: impl Into<Vec<u8>>) -> Attack {
    let octets = octets.into();
    Arc::new(move |stream, _| {
        stream.write_all(&octets)?;
        // Until the client closes.
        io::copy(stream, &mut io::sink())?;
        Err(io::ErrorKind::UnexpectedEof.into())
    })
}

/// Sends the head, so many octets, and the tail.
pub(crate) fn flood(head: &str, octets: u64, tail: &str) -> Attack {
    let (head, tail) = (head.to_owned(), tail.to_owned());
    Arc::new(move |stream, _| {
        stream.write_all(head.as_bytes())?;
        let block = [b'x'; 64 * 1024];
        let mut missing = octets;
        while missing > 0 {
            let count = missing.min(block.len() as u64);
            stream.write_all(&block[..count as usize])?;
            missing -= count;
        }
        stream.write_all(tail.as_bytes())
    })
}

/// Sends the head, and then an octet now and then.
pub(crate) fn trickle(head: &str) -> Attack {
    let head = head.to_owned();
    Arc::new(move |stream, _| {
        stream.write_all(head.as_bytes())?;
        loop {
            stream.write_all(b"x")?;
            // The attack itself, not a wait for anything.
            thread::sleep(Duration::from_millis(100));
        }
    })
}

/// A server on a port of its own. Dropping it closes its connections and joins its threads.
pub(crate) struct Server {
    port: u16,
    is_over: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts one with three messages, which attacks at this moment of every connection.
    pub(crate) fn start(moment: Moment, attack: Attack) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = socket.local_addr().expect("it is bound").port();
        let is_over = Arc::new(AtomicBool::new(false));
        let streams = Arc::new(Mutex::new(Vec::new()));
        let listener = {
            let (is_over, streams) = (is_over.clone(), streams.clone());
            thread::spawn(move || listen(&socket, &is_over, &streams, moment, &attack))
        };
        Self {
            port,
            is_over,
            streams,
            listener: Some(listener),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener; it sees that all is over.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        for stream in self.streams.lock().expect("nobody panics").iter() {
            stream.shutdown(Shutdown::Both).ok();
        }
        if let Some(listener) = self.listener.take() {
            listener.join().expect("nobody panics");
        }
    }
}

fn listen(
    socket: &TcpListener,
    is_over: &AtomicBool,
    streams: &Mutex<Vec<TcpStream>>,
    moment: Moment,
    attack: &Attack,
) {
    thread::scope(|scope| {
        for stream in socket.incoming().map_while(Result::ok) {
            let mut streams = streams.lock().expect("nobody panics");
            // Under the lock, so that whoever ends it all either is seen here or sees the stream.
            if is_over.load(Ordering::SeqCst) {
                return;
            }
            streams.push(stream.try_clone().expect("a second handle"));
            let attack = attack.clone();
            scope.spawn(move || {
                stream.set_write_timeout(Some(PATIENCE)).ok();
                // How a client leaves is its own affair.
                let _ = converse(stream, moment, &attack);
            });
        }
    });
}

fn converse(mut stream: TcpStream, moment: Moment, attack: &Attack) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    if moment == Moment::Greeting {
        attack(&mut stream, "*")?;
    }
    stream.write_all(b"* OK ready\r\n")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let (Some(&tag), Some(&command)) = (words.first(), words.get(1)) else {
            return Ok(());
        };
        let sub_command = words.get(2).copied().unwrap_or_default();
        let here = match (command, sub_command) {
            ("CAPABILITY", _) => Some(Moment::Capability),
            ("LOGIN", _) => Some(Moment::Login),
            ("EXAMINE", _) => Some(Moment::Examine),
            ("UID", "SEARCH") => Some(Moment::Search),
            ("UID", "FETCH") => Some(Moment::Fetch),
            _ => None,
        };
        let uids = match here {
            Some(Moment::Fetch) => asked_for(words.get(3).copied().unwrap_or_default()),
            _ => Vec::new(),
        };
        let is_attacked = here == Some(moment) && (moment != Moment::Fetch || uids.contains(&2));
        let mut answer = String::new();
        for uid in uids.iter().filter(|uid| **uid != 2 || !is_attacked) {
            let raw = raw(*uid);
            let octets = raw.len();
            answer += &format!(
                "* {uid} FETCH (UID {uid} FLAGS () RFC822.SIZE {octets} BODY[] {{{octets}}}\r\n\
                 {raw})\r\n"
            );
        }
        stream.write_all(answer.as_bytes())?;
        if is_attacked {
            attack(&mut stream, tag)?;
        }
        stream.write_all(match here {
            Some(Moment::Capability) => b"* CAPABILITY IMAP4rev1\r\n",
            Some(Moment::Examine) => {
                b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] .\r\n* OK [UIDNEXT 4] .\r\n"
            }
            Some(Moment::Search) if !is_attacked => b"* SEARCH 1 2 3\r\n",
            _ => b"",
        })?;
        stream.write_all(format!("{tag} OK done\r\n").as_bytes())?;
    }
}

/// The octets of a message, which the client knows as well.
pub(crate) fn raw(uid: u32) -> String {
    format!("Subject: {uid}\r\n\r\nNumber {uid}\r\n")
}

/// The UIDs of a set, of the few that there are.
fn asked_for(set: &str) -> Vec<u32> {
    let ends = |range: &str| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        Some((first.parse::<u32>().ok()?, last.parse::<u32>().ok()?))
    };
    let ranges = set.split(',').filter_map(ends);
    ranges
        .flat_map(|(first, last)| first..=last)
        .filter(|uid| (1..=3).contains(uid))
        .collect()
}
