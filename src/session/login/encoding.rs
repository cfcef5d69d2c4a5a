//! Base64 (RFC 4648, section 4) of what must not stay in memory.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::credentials::Secret;

pub(super) fn encode(secret: &Secret) -> Secret {
    // All of it is reserved ahead, so that the string never moves.
    let mut text = String::with_capacity(secret.len().div_ceil(3) * 4);
    STANDARD.encode_string(secret.expose(), &mut text);
    Secret::from(text)
}

/// `None` if it is no Base64.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
