//! TLS by rustls instead of the platform's library. All sessions share one configuration, and with
//! it the tickets by which a later session resumes the handshake of an earlier one.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parallel_mailbox::{Connect, Stream};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Connects by TCP and does the handshake.
#[derive(Debug, Clone)]
pub struct Rustls {
    config: Arc<ClientConfig>,
}

impl Rustls {
    /// Trusts the certificates of the system, or those of the file that `SSL_CERT_FILE` names.
    pub fn with_system_roots() -> Self {
        Self::new(system_roots())
    }

    /// Trusts these certificates as well, in PEM or DER form.
    pub fn with_roots(pem_or_der: &[u8]) -> io::Result<Self> {
        let mut roots = system_roots();
        let mut certificates: Vec<_> = CertificateDer::pem_slice_iter(pem_or_der)
            .collect::<Result<_, _>>()
            .map_err(io::Error::other)?;
        if certificates.is_empty() {
            certificates.push(CertificateDer::from(pem_or_der.to_vec()));
        }
        for certificate in certificates {
            roots.add(certificate).map_err(io::Error::other)?;
        }
        Ok(Self::new(roots))
    }

    fn new(roots: RootCertStore) -> Self {
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            config: Arc::new(config),
        }
    }
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

impl Connect for Rustls {
    fn connect(&self, host: &str, port: u16, timeout: Duration) -> io::Result<Box<dyn Stream>> {
        let end = Instant::now() + timeout;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let mut session =
            ClientConnection::new(self.config.clone(), name).map_err(io::Error::other)?;
        let mut tcp = connect(host, port, timeout)?;
        // Here, so that what is wrong with a certificate is told as an error of the connection.
        while session.is_handshaking() {
            let left = end.saturating_duration_since(Instant::now());
            tcp.set_timeout(left.max(Duration::from_millis(1)))?;
            session.complete_io(&mut tcp)?;
        }
        Ok(Box::new(Secured(StreamOwned::new(session, tcp))))
    }
}

/// Tries all addresses of the host.
fn connect(host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(tcp) => {
                tcp.set_nodelay(true)?;
                return Ok(tcp);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

struct Secured(StreamOwned<ClientConnection, TcpStream>);

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secured").field(&self.0.sock).finish()
    }
}

impl Read for Secured {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.0.read(target)
    }
}

impl Write for Secured {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Stream for Secured {
    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.0.sock.set_timeout(timeout)
    }

    /// The crate adds no TLS of its own.
    fn is_secure(&self) -> bool {
        true
    }
}
