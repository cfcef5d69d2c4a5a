//! The accept thread: takes connections in, gives each a thread, and joins them all before it ends.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::connection;
use super::link::Link;
use super::shared::Shared;

/// How often a blocked read looks whether the connection has ended, where that does not wake it.
const READ_TIMEOUT: Duration = Duration::from_millis(100);

/// The accept thread of a server.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Listens on a port of the loopback interface that the system chooses.
    pub(super) fn start(shared: Arc<Shared>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let accepting = thread::Builder::new().name("test-server-accept".to_owned());
        let thread = accepting.spawn(move || accept(&listener, &shared))?;
        Ok(Self {
            address,
            thread: Some(thread),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the accept thread, once the registry has been told to stop.
    pub(super) fn join(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        while !thread.is_finished() {
            // `accept` returns only when somebody connects. Repeated, since a connection may fail
            // for want of a file descriptor.
            let _ = TcpStream::connect_timeout(&self.address, READ_TIMEOUT);
            thread::park_timeout(Duration::from_millis(1));
        }
        // A panic on that thread has been printed; a second one in a destructor would abort.
        let _ = thread.join();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for stream in listener.incoming() {
        if shared.registry.is_stopping() {
            break;
        }
        let Ok(stream) = stream else {
            // Out of file descriptors, most likely: give others the time to close some.
            thread::park_timeout(Duration::from_millis(10));
            continue;
        };
        let (finished, running) = threads.into_iter().partition(JoinHandle::is_finished);
        threads = running;
        join(finished);
        threads.extend(open(stream, shared));
    }
    join(threads);
}

/// Starts the thread of a connection; `None` where the server refuses it or the system fails.
fn open(stream: TcpStream, shared: &Arc<Shared>) -> Option<JoinHandle<()>> {
    // Without these, a connection is slower to answer or to end; it works all the same.
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(READ_TIMEOUT));
    let link = Arc::new(Link::new(stream));
    let Some(number) = shared.registry.admit(&link) else {
        link.reset();
        return None;
    };
    let serving = thread::Builder::new().name(format!("test-server-{number}"));
    let admission = Admission {
        shared: Arc::clone(shared),
        number,
    };
    let spawned = serving.spawn(move || {
        // Without a thread for its reader the connection is closed, as a server short of them does.
        let _ = connection::serve(&admission.shared, link, number);
    });
    spawned.ok()
}

/// The place of a connection in the registry, as long as its thread lasts.
struct Admission {
    shared: Arc<Shared>,
    number: u64,
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.shared.registry.release(self.number);
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        // As above: a panic has been printed.
        let _ = thread.join();
    }
}
