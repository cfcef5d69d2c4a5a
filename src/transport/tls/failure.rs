//! Why TLS failed, in words that say what to do. The libraries tell it by their texts alone, each
//! in its own: OpenSSL's are known here to the word, those of Windows by their numbers (the words
//! are translated), those of macOS as far as they are documented. Only OpenSSL's were tried. What
//! is not known is passed on as the library said it, which is less of an advice and never a wrong
//! one.
//!
//! No text here advises to do without verification.

use std::io;
use std::net::IpAddr;

use crate::error::{Error, ErrorKind};

/// What is wrong. Those of the server's own certificate come from looking at it, the others from
/// an alert that the server sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    WantsClientCertificate,
    RefusesClientCertificate,
    NoCommonVersion,
    NoCommonCipher,
    UnknownServerName,
    Expired,
    NotYetValid,
    SelfSigned,
    UnknownIssuer,
    WrongName,
    TooWeak,
    Revoked,
    NotForServers,
    Forged,
}

use Flaw::{
    Expired, Forged, NoCommonCipher, NoCommonVersion, NotForServers, NotYetValid,
    RefusesClientCertificate, Revoked, SelfSigned, TooWeak, UnknownIssuer, UnknownServerName,
    WantsClientCertificate, WrongName,
};

/// The first whose words are in a text counts: alerts before the rest, since they repeat its words.
const WORDS: &[(Flaw, &[&str])] = &[
    (WantsClientCertificate, &["alert certificate required"]),
    (
        RefusesClientCertificate,
        &[
            "alert bad certificate",
            "alert unsupported certificate",
            "alert certificate revoked",
            "alert certificate expired",
            "alert certificate unknown",
            "alert unknown ca",
            "alert access denied",
        ],
    ),
    (
        NoCommonVersion,
        &[
            "alert protocol version",
            "unsupported protocol",
            "no protocols available",
            // SEC_E_UNSUPPORTED_FUNCTION.
            "os error -2146893054)",
        ],
    ),
    (
        NoCommonCipher,
        // The last: SEC_E_ALGORITHM_MISMATCH.
        &["alert handshake failure", "os error -2146893007)"],
    ),
    (UnknownServerName, &["unrecognized name"]),
    (
        Expired,
        &[
            "certificate has expired",
            "certificate is expired",
            // SEC_E_CERT_EXPIRED and CERT_E_EXPIRED.
            "os error -2146893016)",
            "os error -2146762495)",
        ],
    ),
    (NotYetValid, &["not yet valid"]),
    (
        UnknownIssuer,
        &[
            "certificate in certificate chain",
            "unable to get local issuer certificate",
            "unable to get issuer certificate",
            "unable to verify the first certificate",
            "certificate is not trusted",
            "certificate was not trusted",
            // SEC_E_UNTRUSTED_ROOT, CERT_E_UNTRUSTEDROOT and CERT_E_CHAINING.
            "os error -2146893019)",
            "os error -2146762487)",
            "os error -2146762486)",
        ],
    ),
    (
        SelfSigned,
        &["self-signed certificate", "self signed certificate"],
    ),
    (
        WrongName,
        &[
            "hostname mismatch",
            "ip address mismatch",
            "certificate name does not match",
            // SEC_E_WRONG_PRINCIPAL and CERT_E_CN_NO_MATCH.
            "os error -2146893022)",
            "os error -2146762481)",
        ],
    ),
    (
        TooWeak,
        &[
            "key too weak",
            "digest algorithm too weak",
            "dh key too small",
            "ee key too small",
            "ca md too weak",
        ],
    ),
    // TRUST_E_CERT_SIGNATURE.
    (
        Forged,
        &["certificate signature failure", "os error -2146869244)"],
    ),
    (Revoked, &["certificate revoked", "certificate is revoked"]),
    (
        NotForServers,
        &[
            "unsuitable certificate purpose",
            "unsupported certificate purpose",
        ],
    ),
];

impl Flaw {
    /// Reads it from what the library said.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        WORDS
            .iter()
            .find(|(_, words)| words.iter().any(|words| text.contains(words)))
            .map(|(flaw, _)| *flaw)
    }

    /// Whether the server has found fault with us, and not we with the server.
    fn is_alert(self) -> bool {
        matches!(
            self,
            WantsClientCertificate
                | RefusesClientCertificate
                | NoCommonVersion
                | NoCommonCipher
                | UnknownServerName
        )
    }

    /// What it is and what to do about it. `name` is what the certificate has to be for.
    pub(super) fn explain(self, name: &str) -> String {
        match self {
            WantsClientCertificate => {
                "the server wants a client certificate; set the one that its \
                operator gave you by `Builder::client_certificate`"
                    .to_owned()
            }
            RefusesClientCertificate => "the server refuses the client certificate, or wants one \
                and got none; ask its operator for one and set it by `Builder::client_certificate`"
                .to_owned(),
            NoCommonVersion => "the server speaks no version of TLS that this machine allows; it \
                has to be updated"
                .to_owned(),
            NoCommonCipher => {
                "the server agrees to nothing that this machine offers: it is out of \
                date, or wants a client certificate (`Builder::client_certificate`)"
                    .to_owned()
            }
            UnknownServerName => format!("the server knows no host of the name {name}"),
            Expired => {
                "the server's certificate has expired; its operator has to renew it, unless \
                this machine's clock is wrong"
                    .to_owned()
            }
            NotYetValid => "the server's certificate is not valid yet; look at this machine's \
                clock first"
                .to_owned(),
            SelfSigned => {
                "the server's certificate is self-signed and not among those trusted; if \
                it is the right one, get a copy from its operator and add it by \
                `Builder::root_certificate`"
                    .to_owned()
            }
            UnknownIssuer => "the server's certificate was issued by someone whom this machine \
                does not trust, or its chain has a gap; add the certificate of the issuer by \
                `Builder::root_certificate`"
                .to_owned(),
            WrongName if name.parse::<IpAddr>().is_ok() => format!(
                "the server's certificate is not for the address {name}; connect by a name that is \
                 in the certificate"
            ),
            WrongName => format!(
                "the server's certificate is not for the name {name}; connect by a name that is in \
                 the certificate"
            ),
            Forged => "the server's certificate is not signed by the issuer that it names: it is \
                forged, or the issuer has a new key, whose certificate is to be added by \
                `Builder::root_certificate`"
                .to_owned(),
            TooWeak => "the server's certificate, or that of its issuer, has a key or a signature \
                too weak for this machine; its operator has to renew it"
                .to_owned(),
            Revoked => "the server's certificate has been revoked; its operator has to replace it"
                .to_owned(),
            NotForServers => {
                "the server's certificate is not one for servers; its operator has to \
                replace it"
                    .to_owned()
            }
        }
    }
}

/// Takes what a connection failed with for an alert of the server that came after the handshake, if
/// it is one. With TLS 1.3 those about the client's certificate do: only then has the server seen
/// it.
pub(super) fn as_alert(error: io::Error) -> io::Error {
    if matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    ) {
        return error;
    }
    match Flaw::of(&error.to_string()) {
        Some(flaw) if flaw.is_alert() => {
            let words = flaw.explain("that was asked for");
            io::Error::other(Error::new(ErrorKind::Tls, words).with_source(error))
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What OpenSSL 1.1.1, 3.0 and 3.2, SChannel and Secure Transport say.
    const SAID: &[(&str, Flaw)] = &[
        ("(certificate has expired)", Expired),
        ("(certificate is not yet valid)", NotYetValid),
        ("(self signed certificate)", SelfSigned),
        ("(self-signed certificate)", SelfSigned),
        (
            "(self signed certificate in certificate chain)",
            UnknownIssuer,
        ),
        (
            "(self-signed certificate in certificate chain)",
            UnknownIssuer,
        ),
        ("(unable to get local issuer certificate)", UnknownIssuer),
        ("(unable to get issuer certificate)", UnknownIssuer),
        ("(unable to verify the first certificate)", UnknownIssuer),
        ("(Hostname mismatch)", WrongName),
        ("(hostname mismatch)", WrongName),
        ("(IP address mismatch)", WrongName),
        ("(EE certificate key too weak)", TooWeak),
        ("(CA certificate key too weak)", TooWeak),
        ("(CA signature digest algorithm too weak)", TooWeak),
        ("error:0A00018A:SSL routines::dh key too small", TooWeak),
        ("(certificate revoked)", Revoked),
        ("(certificate signature failure)", Forged),
        ("(unsupported certificate purpose)", NotForServers),
        ("(unsuitable certificate purpose)", NotForServers),
        (
            "error:0A00045C:SSL routines::tlsv13 alert certificate required",
            WantsClientCertificate,
        ),
        (
            "error:0A000418:SSL routines::tlsv1 alert unknown ca",
            RefusesClientCertificate,
        ),
        (
            "error:0A000412:SSL routines::ssl/tls alert bad certificate",
            RefusesClientCertificate,
        ),
        (
            "error:0A000415:SSL routines::sslv3 alert certificate expired",
            RefusesClientCertificate,
        ),
        (
            "error:0A00042E:SSL routines::tlsv1 alert protocol version",
            NoCommonVersion,
        ),
        (
            "error:0A000410:SSL routines::sslv3 alert handshake failure",
            NoCommonCipher,
        ),
        (
            "error:0A000458:SSL routines::tlsv1 unrecognized name",
            UnknownServerName,
        ),
        (
            "Das empfangene Zertifikat ist abgelaufen. (os error -2146893016)",
            Expired,
        ),
        ("… (os error -2146762487)", UnknownIssuer),
        ("… (os error -2146762481)", WrongName),
        ("“expired.example” certificate is expired", Expired),
        ("“mail.example” certificate is not trusted", UnknownIssuer),
        (
            "“mail.example” certificate name does not match input",
            WrongName,
        ),
    ];

    #[test]
    fn the_texts_of_the_libraries_are_understood() {
        for (text, flaw) in SAID {
            assert_eq!(Flaw::of(text), Some(*flaw), "{text}");
        }
        assert_eq!(Flaw::of("something new (os error -2146893)"), None);
    }

    #[test]
    fn nothing_advises_to_do_without_verification() {
        for (_, flaw) in SAID {
            let text = flaw.explain("imap.example.org");
            for word in ["danger", "invalid", "Plaintext"] {
                assert!(!text.contains(word), "{text}");
            }
        }
    }

    #[test]
    fn a_wrong_name_tells_a_name_from_an_address() {
        assert!(
            WrongName
                .explain("10.0.0.1")
                .contains("the address 10.0.0.1")
        );
        assert!(WrongName.explain("::1").contains("the address ::1"));
        let text = WrongName.explain("imap.example.org");
        assert!(text.contains("the name imap.example.org"), "{text}");
    }

    #[test]
    fn only_what_the_server_sent_is_taken_for_an_alert() {
        let error = as_alert(io::Error::other("tlsv13 alert certificate required"));
        assert!(error.to_string().contains("client_certificate"), "{error}");
        for error in [
            io::Error::other("unexpected eof while reading"),
            io::ErrorKind::WouldBlock.into(),
            io::ErrorKind::ConnectionReset.into(),
        ] {
            let text = error.to_string();
            assert_eq!(as_alert(error).to_string(), text);
        }
    }
}
