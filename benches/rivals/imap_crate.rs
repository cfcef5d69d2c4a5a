//! The same job by the `imap` crate: N threads with a session each, `uid_fetch` in chunks of 100.

use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Target;

const CHUNK: usize = 100;

/// Returns the octets of all bodies.
pub(crate) fn read(target: Target<'_>, sessions: usize) -> u64 {
    let next = AtomicUsize::new(1);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..sessions)
            .map(|_| scope.spawn(|| session(target, &next)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    })
}

fn session(target: Target<'_>, next: &AtomicUsize) -> u64 {
    let stream = TcpStream::connect(("127.0.0.1", target.port)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut client = imap::Client::new(stream);
    client.read_greeting().unwrap();
    let mut session = client
        .login(target.user, target.password)
        .map_err(|(error, _)| error)
        .unwrap();
    session.examine("INBOX").unwrap();
    let mut octets = 0;
    loop {
        let first = next.fetch_add(CHUNK, Ordering::Relaxed);
        if first > target.messages {
            return octets;
        }
        let last = (first + CHUNK - 1).min(target.messages);
        let set = format!("{first}:{last}");
        let messages = session
            .uid_fetch(set, "(UID FLAGS INTERNALDATE BODY.PEEK[])")
            .unwrap();
        octets += messages
            .iter()
            .map(|message| message.body().map_or(0, <[u8]>::len) as u64)
            .sum::<u64>();
    }
}
