//! A connection whose incoming octets are counted: under compression, those on the wire.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parallel_mailbox::{Builder, Stream};

/// Counts what comes in.
#[derive(Debug)]
struct Counted(TcpStream, Arc<AtomicU64>);

impl Read for Counted {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(target)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Write for Counted {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Stream for Counted {
    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.0.set_timeout(timeout)
    }
}

/// Lets the octets that arrive over the mailbox's connections be counted.
pub(crate) fn counted(builder: Builder) -> (Builder, Arc<AtomicU64>) {
    let octets = Arc::new(AtomicU64::new(0));
    let counter = octets.clone();
    let builder = builder.connector(move |host: &str, port: u16, _| {
        let stream = TcpStream::connect((host, port))?;
        // Commands are single small writes.
        stream.set_nodelay(true)?;
        Ok(Box::new(Counted(stream, counter.clone())) as Box<dyn Stream>)
    });
    (builder, octets)
}
