//! How a server is reached: the options and variables that all example programs have in common.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use parallel_mailbox::{Builder, ParallelMailbox, Security};

/// What every program says about it.
pub const HELP: &str = "\
How the server is reached, the same for all example programs:

  IMAP_PASSWORD=PASSWORD       goes with the URL
  --root-certificate FILE      trusts the certificates of this file as well, in PEM or DER, for a server
  IMAP_ROOT_CERTIFICATE=FILE   with a private certificate: that of its issuer, or its own if it has
                               signed itself
  SSL_CERT_FILE=FILE           trusts these instead of the system's, in PEM, where TLS is OpenSSL's or
                               that of rustls
  --danger-plaintext           does without TLS: whoever is on the way can read the password and the
  DANGER_PLAINTEXT=1           mail
";

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub is_plaintext: bool,
    root_certificate: Option<PathBuf>,
}

impl Access {
    /// Takes the options off a command line, wherever they stand, and reads the variables.
    ///
    /// # Errors
    ///
    /// An option lacks its file.
    pub fn of(words: impl IntoIterator<Item = String>) -> Result<(Self, Vec<String>), String> {
        let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
        let mut access = Self {
            is_plaintext: variable("DANGER_PLAINTEXT").is_some_and(|value| value == "1"),
            root_certificate: variable("IMAP_ROOT_CERTIFICATE").map(PathBuf::from),
        };
        let mut others = Vec::new();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--danger-plaintext" => access.is_plaintext = true,
                "--root-certificate" => {
                    let file = words.next().ok_or("--root-certificate needs a file")?;
                    access.root_certificate = Some(file.into());
                }
                _ => others.push(word),
            }
        }
        Ok((access, others))
    }

    /// What the file of certificates has, if there is one.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn certificates(&self) -> Result<Option<Vec<u8>>, String> {
        self.root_certificate.as_deref().map(read).transpose()
    }

    /// The mailbox of a URL such as `imaps://me@imap.example.org/INBOX`, without its password.
    ///
    /// # Errors
    ///
    /// The URL is none, or the file of certificates cannot be read.
    pub fn builder(&self, url: &str) -> Result<Builder, Box<dyn Error + Send + Sync>> {
        let mut builder = ParallelMailbox::from_url(url)?;
        if let Some(certificates) = self.certificates()? {
            builder = builder.root_certificate(&certificates);
        }
        Ok(match self.is_plaintext {
            true => builder.security(Security::DangerPlaintext),
            false => builder,
        })
    }
}

/// The password in `IMAP_PASSWORD`.
///
/// # Errors
///
/// There is none.
pub fn password() -> Result<String, String> {
    env::var("IMAP_PASSWORD")
        .map_err(|_| "set IMAP_PASSWORD to the password that goes with the URL".to_owned())
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file)
        .map_err(|error| format!("cannot read certificates of {}: {error}", file.display()))
}
