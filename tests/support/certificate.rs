//! Certificates made for one test: a root of its own, and what is signed under it. The keys never
//! leave the test.

use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// What is right or wrong with the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// For `localhost` and 127.0.0.1, in force.
    Valid,
    /// For `localhost` and 127.0.0.1, but its time ended with the year 2020.
    Expired,
    /// In force, but for `elsewhere.example`.
    OtherHost,
}

/// What a server and its clients need of one.
pub(crate) struct Pems {
    /// The root certificate, for the client to trust.
    pub(crate) root: String,
    /// The server's certificate.
    pub(crate) certificate: String,
    /// The server's private key.
    pub(crate) key: String,
}

impl Certificate {
    /// Makes the root, the server's key and its certificate.
    pub(crate) fn make(self) -> Pems {
        let names: &[&str] = match self {
            Self::Valid | Self::Expired => &["localhost", "127.0.0.1"],
            Self::OtherHost => &["elsewhere.example"],
        };
        let root = Authority::new();
        let signed = match self {
            Self::Expired => root.sign(names, expired),
            _ => root.sign(names, |_| {}),
        };
        Pems {
            root: root.pem,
            certificate: signed.pem,
            key: signed.key,
        }
    }
}

/// Changes a certificate to one whose time ended with the year 2020.
pub(crate) fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2020, 12, 31);
}

/// Changes a certificate to one whose time has yet to come.
pub(crate) fn not_yet_valid(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2999, 1, 1);
    params.not_after = date_time_ymd(2999, 12, 31);
}

/// Changes a certificate to one that clients show.
pub(crate) fn for_clients(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
}

/// Somebody who signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub(crate) pem: String,
    /// The same in DER.
    pub(crate) der: Vec<u8>,
}

/// A certificate with its private key, in PEM.
pub(crate) struct Signed {
    pub(crate) pem: String,
    pub(crate) key: String,
}

impl Authority {
    /// One that nobody else has signed, with a name of its own.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self::named(&format!("root {number}"))
    }

    /// One that nobody else has signed.
    pub(crate) fn named(name: &str) -> Self {
        let (key, params) = (new_key(), Self::params(name));
        let certificate = params.self_signed(&key).expect("sign the root");
        Self::of(&certificate, params, key)
    }

    /// One that this one has signed.
    pub(crate) fn intermediate(&self) -> Self {
        let (key, params) = (new_key(), Self::params("intermediate"));
        let certificate = params.signed_by(&key, &self.issuer);
        Self::of(&certificate.expect("sign the certificate"), params, key)
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("parallel-mailbox test {name}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        params
    }

    fn of(certificate: &rcgen::Certificate, params: CertificateParams, key: KeyPair) -> Self {
        Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Signs a certificate for these names and addresses, changed in this way.
    pub(crate) fn sign(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Signed {
        let key = new_key();
        let mut params = leaf(names);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer);
        Signed {
            pem: certificate.expect("sign the certificate").pem(),
            key: key.serialize_pem(),
        }
    }
}

/// A certificate for these names and addresses that is signed by its own key.
pub(crate) fn self_signed(names: &[&str]) -> Signed {
    let key = new_key();
    let certificate = leaf(names).self_signed(&key).expect("sign the certificate");
    Signed {
        pem: certificate.pem(),
        key: key.serialize_pem(),
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("make a key")
}

fn leaf(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("the names are ASCII");
    params
        .distinguished_name
        .push(DnType::CommonName, "parallel-mailbox test server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}
