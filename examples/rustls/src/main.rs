//! Counts the messages and bytes of a mailbox, over rustls.
//!
//! ```sh
//! IMAP_PASSWORD=… cargo run --release -p example-rustls -- imaps://me@imap.example.org/INBOX
//! ```

#[path = "../../shared/access.rs"]
mod access;

use example_rustls::Rustls;
use parallel_mailbox::{Fetch, Query};

use crate::access::{Access, HELP, password};

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (access, words) = Access::of(std::env::args().skip(1))?;
    let [url] = &words[..] else {
        return Err(format!("usage: example-rustls URL\n\n{HELP}").into());
    };
    let mut builder = access.builder(url)?.password(password()?);
    if !access.is_plaintext {
        builder = builder.connector(match access.certificates()? {
            Some(certificates) => Rustls::with_roots(&certificates)?,
            None => Rustls::with_system_roots(),
        });
    }
    let mailbox = builder.connect()?;
    let matches = mailbox.search(Query::all())?.fetch(Fetch::metadata());
    let bytes = matches.fold(|| 0, |sum, message| sum + message.size(), |a, b| a + b)?;
    println!("{} messages, {bytes} bytes", matches.len());
    Ok(())
}
