//! Octets that are wiped from memory when they are dropped, and never printed. The only file that
//! names `zeroize`.
//!
//! What the operating system, a TLS library or the caller keeps of them is out of reach.

use std::fmt;

use zeroize::Zeroizing;

/// A password, a token, or a command that holds one.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends, without leaving a copy behind where the octets have to move.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        let needed = self.0.len() + octets.len();
        if needed > self.0.capacity() {
            let mut roomy = Zeroizing::new(Vec::with_capacity(2 * needed));
            roomy.extend_from_slice(&self.0);
            // The former is wiped as it goes.
            self.0 = roomy;
        }
        self.0.extend_from_slice(octets);
    }

    /// The parts, one after the other.
    pub(crate) fn concat(parts: &[&[u8]]) -> Self {
        let length = parts.iter().map(|part| part.len()).sum();
        let mut all = Self(Zeroizing::new(Vec::with_capacity(length)));
        for part in parts {
            all.push(part);
        }
        all
    }
}

impl From<String> for Secret {
    /// Takes the string's memory over, so that there is no copy to forget.
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text.into_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_is_not_printed() {
        let mut secret = Secret::from("hunter".to_owned());
        secret.push(b"2");
        secret.push(&[b'x'; 1000]);
        assert_eq!(secret.len(), 1007);
        assert!(secret.expose().starts_with(b"hunter2xx"));
        assert_eq!(
            format!("{secret:?} {:?}", Some(&secret)),
            "Secret(..) Some(Secret(..))"
        );
    }
}
