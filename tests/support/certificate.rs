//! Certificates made for one test: a root of its own, and the server's certificate under it. The
//! keys never leave the fixture's folder.

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
        let root_key = KeyPair::generate().expect("make a key");
        let mut root = CertificateParams::default();
        root.distinguished_name
            .push(DnType::CommonName, "parallel-mailbox test root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let root_certificate = root.self_signed(&root_key).expect("sign the root");

        let names: &[&str] = match self {
            Self::Valid | Self::Expired => &["localhost", "127.0.0.1"],
            Self::OtherHost => &["elsewhere.example"],
        };
        let key = KeyPair::generate().expect("make a key");
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut server = CertificateParams::new(names).expect("the names are ASCII");
        server
            .distinguished_name
            .push(DnType::CommonName, "parallel-mailbox test server");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if self == Self::Expired {
            server.not_before = date_time_ymd(2020, 1, 1);
            server.not_after = date_time_ymd(2020, 12, 31);
        }
        let issuer = Issuer::new(root, root_key);
        let certificate = server
            .signed_by(&key, &issuer)
            .expect("sign the certificate");
        Pems {
            root: root_certificate.pem(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}
