//! What the example programs share: [`client`], which tells whose mailbox to read, and for their
//! tests [`dovecot`].

#[cfg(all(unix, feature = "dovecot"))]
pub mod dovecot;
#[cfg(all(unix, feature = "dovecot"))]
#[path = "../../../tests/support/mod.rs"]
mod support;

use parallel_mailbox::{Builder, ParallelMailbox, Security};

/// Whatever may go wrong in a program.
pub type Anything = Box<dyn std::error::Error + Send + Sync>;

/// The mailbox of a URL such as `imaps://me@imap.example.org/INBOX`, with the password in
/// `IMAP_PASSWORD`. `DANGER_PLAINTEXT`, set to 1, does without TLS.
///
/// # Errors
///
/// The URL is none, or there is no password.
pub fn client(url: &str) -> Result<Builder, Anything> {
    let builder = ParallelMailbox::from_url(url)?;
    let password = std::env::var("IMAP_PASSWORD")
        .map_err(|_| "set IMAP_PASSWORD to the password that goes with the URL")?;
    let builder = builder.password(password);
    Ok(match std::env::var("DANGER_PLAINTEXT").as_deref() {
        Ok("1") => builder.security(Security::DangerPlaintext),
        _ => builder,
    })
}
