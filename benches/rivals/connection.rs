//! A plain or encrypted connection for those rivals that bring none of their own.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use native_tls::{Certificate, TlsConnector, TlsStream};

use super::{HOST, Target};

/// How to connect to a target: made once for all sessions, because reading the system's
/// certificates takes tens of milliseconds.
pub(crate) struct Connector {
    port: u16,
    tls: Option<TlsConnector>,
}

#[derive(Debug)]
pub(crate) enum Connection {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connector {
    pub(crate) fn new(target: &Target) -> Self {
        let tls = target.root.as_ref().map(|root| {
            let root = std::fs::read(root).unwrap();
            TlsConnector::builder()
                .add_root_certificate(Certificate::from_pem(&root).unwrap())
                .build()
                .unwrap()
        });
        Self {
            port: target.port,
            tls,
        }
    }

    pub(crate) fn connect(&self) -> Connection {
        let stream = TcpStream::connect((HOST, self.port)).unwrap();
        stream.set_nodelay(true).unwrap();
        match &self.tls {
            Some(tls) => Connection::Tls(Box::new(tls.connect(HOST, stream).unwrap())),
            None => Connection::Plain(stream),
        }
    }
}

impl Read for Connection {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(target),
            Self::Tls(stream) => stream.read(target),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(octets),
            Self::Tls(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
