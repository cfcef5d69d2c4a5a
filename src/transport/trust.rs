//! Whom TLS is to trust and as whom it is to introduce itself, as the caller said it. Nothing is
//! looked into here; that is done once, when a mailbox is connected.

use std::fmt;

use crate::credentials::Secret;

/// The caller's settings for TLS.
#[derive(Clone, Default)]
pub(crate) struct Trust {
    /// Each a certificate in DER, or one or more in PEM.
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) client: Option<ClientCertificate>,
    /// Nothing about the server's certificate is looked at.
    pub(crate) is_blind: bool,
}

/// What a server that asks who we are is shown.
#[derive(Clone)]
// Without TLS nobody asks.
#[cfg_attr(not(feature = "native-tls"), allow(dead_code))]
pub(crate) struct ClientCertificate {
    pub(crate) chain_pem: Vec<u8>,
    pub(crate) private_key_pem: Secret,
}

impl Trust {
    /// Whether the caller set anything.
    pub(crate) fn is_default(&self) -> bool {
        self.roots.is_empty() && self.client.is_none() && !self.is_blind
    }
}

/// Without the private key.
impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("roots", &self.roots.len())
            .field("client", &self.client.as_ref().map(|_| "…"))
            .field("is_blind", &self.is_blind)
            .finish()
    }
}
