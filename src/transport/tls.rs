//! TLS by the platform's library. The only file that names `native_tls`.
//!
//! Every session has a full handshake of its own; none resumes that of another. `native_tls` has
//! no way to it on OpenSSL (rust-native-tls issue 308), and there is little to gain. A full
//! handshake of TLS 1.3 costs the client 0.5 to 0.9 ms of CPU time, a resumed one 0.4 to 0.5 ms:
//! for eight sessions some 3 ms, once. Both take one round trip, and the sessions connect at the
//! same time. Only with a server that speaks no more than TLS 1.2 would each session save a round
//! trip, and 0.5 to 1 ms; for that, the first session's ticket would have to come before the others
//! start. (OpenSSL 3.0, P-256 or RSA 2048, one certificate under a root, server on loopback, AMD
//! EPYC. `tests/tls/cost.rs` says how to measure it again.)
//!
//! Reading the system's certificates costs far more, 36 ms there, so it is done once for all
//! sessions: see [`Roots`].

mod failure;
mod handshake;

use std::fmt;
use std::io::{self, Read, Write};
use std::net::Ipv6Addr;
use std::time::Duration;

use native_tls::{Certificate, HandshakeError, Identity, TlsConnector, TlsStream};

use self::failure::{Flaw, as_alert};
use self::handshake::{Handshake, Retried};
use super::connect::Stream;
use super::trust::{ClientCertificate, Trust};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result, excerpt};
use crate::stop::Stop;

/// Which certificates are trusted, and which is shown. Made once for all sessions, because reading
/// the system's certificates takes tens of milliseconds.
pub(crate) struct Roots {
    connector: TlsConnector,
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots").finish_non_exhaustive()
    }
}

impl Roots {
    /// The system's certificates and the caller's.
    ///
    /// # Errors
    ///
    /// `Config` if one of the caller's cannot be used.
    pub(crate) fn new(trust: &Trust) -> Result<Self> {
        let mut builder = TlsConnector::builder();
        for octets in &trust.roots {
            for certificate in certificates(octets)? {
                builder.add_root_certificate(certificate);
            }
        }
        if let Some(client) = &trust.client {
            builder.identity(identity(client)?);
        }
        builder
            .danger_accept_invalid_certs(trust.is_blind)
            .danger_accept_invalid_hostnames(trust.is_blind);
        let connector = builder.build().map_err(|error| {
            match trust.client {
                // The certificate and the key were understood, each for itself.
                Some(_) => Error::config("the private key is not that of the client certificate"),
                None => Error::new(ErrorKind::Tls, "the TLS library did not start"),
            }
            .with_source(error)
        })?;
        Ok(Self { connector })
    }
}

/// The certificates in a file of either form. One in PEM may have several, with text in between.
fn certificates(octets: &[u8]) -> Result<Vec<Certificate>> {
    let blocks = pem_certificates(octets);
    if blocks.is_empty() {
        let certificate = Certificate::from_der(octets).map_err(|error| {
            Error::config("the root certificate is neither PEM nor DER").with_source(error)
        })?;
        return Ok(vec![certificate]);
    }
    let count = blocks.len();
    let mut certificates = Vec::new();
    for (block, number) in blocks.into_iter().zip(1..) {
        certificates.push(Certificate::from_pem(block).map_err(|error| {
            Error::config(format!(
                "root certificate {number} of {count} in PEM is damaged"
            ))
            .with_source(error)
        })?);
    }
    Ok(certificates)
}

/// Cuts out what stands between the lines that begin and end a certificate (RFC 7468, section 5).
fn pem_certificates(octets: &[u8]) -> Vec<&[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let mut blocks = Vec::new();
    let mut rest = octets;
    while let Some(start) = memchr::memmem::find(rest, BEGIN) {
        let length = memchr::memmem::find(&rest[start..], END)
            // Damaged, which whoever reads it will say.
            .map_or(rest.len() - start, |end| end + END.len());
        blocks.push(&rest[start..start + length]);
        rest = &rest[start + length..];
    }
    blocks
}

/// Never says anything of the private key but what is wrong with it.
fn identity(client: &ClientCertificate) -> Result<Identity> {
    let key = client.private_key_pem.expose().trim_ascii_start();
    // The libraries differ in what else they take.
    if !key.starts_with(b"-----BEGIN PRIVATE KEY-----") {
        return Err(Error::config(
            "the private key of the client certificate is not in PKCS #8 PEM without a password \
             (`BEGIN PRIVATE KEY`); `openssl pkcs8 -topk8 -nocrypt` makes that of others",
        ));
    }
    if pem_certificates(&client.chain_pem).is_empty() {
        return Err(Error::config("the client certificate is not in PEM"));
    }
    Identity::from_pkcs8(&client.chain_pem, key).map_err(|error| {
        Error::config("the client certificate or its private key is damaged").with_source(error)
    })
}

/// The name to ask for and to look for in the certificate: no dot behind it (RFC 6066, section 3),
/// no zone behind an address (RFC 6874). An address is not asked for by name, which the libraries
/// see to.
fn name_of(host: &str) -> &str {
    if let Some((address, _)) = host.split_once('%')
        && address.parse::<Ipv6Addr>().is_ok()
    {
        return address;
    }
    host.strip_suffix('.').unwrap_or(host)
}

/// Does the handshake over `stream`. The certificate must be valid for `host`. An answer in plain
/// text means what `if_plain` says.
pub(crate) fn secure(
    roots: &Roots,
    host: &str,
    stream: Box<dyn Stream>,
    end: Deadline,
    stop: &Stop,
    if_plain: &str,
) -> Result<Box<dyn Stream>> {
    let name = name_of(host);
    let watch = Handshake::new(end, stop);
    let error = match shake_hands(&roots.connector, name, stream, &watch)? {
        Ok(mut stream) => {
            stream.get_mut().handshake = None;
            return Ok(Box::new(Secured(stream)));
        }
        Err(error) => error,
    };
    let heard = watch.heard();
    if heard.is_plain() {
        let first = excerpt(&heard.first);
        return Err(Error::new(
            ErrorKind::Tls,
            format!("the server answers the TLS handshake with {first:?}: {if_plain}"),
        )
        .with_source(error));
    }
    if let Some(end) = &heard.end {
        return Err(Error::new(
            ErrorKind::Disconnected,
            format!("{}: {end}", super::Phase::Handshake),
        )
        .with_source(error));
    }
    let said = error.to_string();
    let context = match Flaw::of(&said) {
        Some(flaw) => flaw.explain(name),
        None => format!("the TLS library says: {said}"),
    };
    Err(Error::new(ErrorKind::Tls, context).with_source(error))
}

/// Whether a server that keeps silent answers to TLS. The connection is of no use afterwards.
pub(crate) fn answers_to_tls(
    host: &str,
    stream: Box<dyn Stream>,
    end: Deadline,
    stop: &Stop,
) -> bool {
    // Whose certificate it is does not matter: nothing is ever sent over this connection.
    let trust = Trust {
        is_blind: true,
        ..Trust::default()
    };
    let watch = Handshake::new(end, stop);
    if let Ok(roots) = Roots::new(&trust) {
        let _ = shake_hands(&roots.connector, name_of(host), stream, &watch);
    }
    let heard = watch.heard();
    !heard.first.is_empty() && !heard.is_plain()
}

/// The inner error is the library's.
fn shake_hands(
    connector: &TlsConnector,
    name: &str,
    mut stream: Box<dyn Stream>,
    watch: &Handshake,
) -> Result<Result<TlsStream<Retried>, native_tls::Error>> {
    let wait = watch
        .end
        .left()
        .clamp(Duration::from_millis(1), super::TICK);
    stream.set_timeout(wait).map_err(|error| {
        Error::new(ErrorKind::Connect, "the stream takes no time-out").with_source(error)
    })?;
    let handshake = Some(watch.clone());
    let mut step = connector.connect(name, Retried { stream, handshake });
    loop {
        match step {
            Ok(stream) => return Ok(Ok(stream)),
            Err(HandshakeError::WouldBlock(unfinished)) => {
                if watch.stop.is_raised() {
                    return Err(Error::cancelled());
                }
                if watch.is_over() {
                    return Err(Error::new(
                        ErrorKind::Timeout,
                        format!("{}: the time for it is up", super::Phase::Handshake),
                    ));
                }
                step = unfinished.handshake();
            }
            Err(HandshakeError::Failure(error)) => return Ok(Err(error)),
        }
    }
}

struct Secured(TlsStream<Retried>);

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secured").field(self.0.get_ref()).finish()
    }
}

impl Read for Secured {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.0.read(target).map_err(as_alert)
    }
}

impl Write for Secured {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets).map_err(as_alert)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(as_alert)
    }
}

impl Stream for Secured {
    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.0.get_mut().stream.set_timeout(timeout)
    }

    fn is_secure(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_cut_at_its_certificates() {
        let one = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
        assert_eq!(pem_certificates(one), [&one[..]]);
        let mut bundle = b"# two of them\r\n".to_vec();
        bundle.extend_from_slice(one);
        bundle.extend_from_slice(b"\r\n\r\nsubject=x\r\n");
        bundle.extend_from_slice(one);
        assert_eq!(pem_certificates(&bundle), [&one[..], one]);
        let cut = &one[..30];
        assert_eq!(pem_certificates(cut), [cut]);
        assert!(pem_certificates(b"-----BEGIN PRIVATE KEY-----").is_empty());
    }

    #[test]
    fn the_name_has_neither_a_last_dot_nor_a_zone() {
        for (host, name) in [
            ("imap.example.org.", "imap.example.org"),
            ("imap.example.org", "imap.example.org"),
            ("fe80::1%eth0", "fe80::1"),
            ("a%b", "a%b"),
            ("127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(name_of(host), name);
        }
    }
}
