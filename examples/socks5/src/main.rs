//! Counts the messages and bytes of a mailbox through a SOCKS5 proxy, such as Tor's.
//!
//! ```sh
//! IMAP_PASSWORD=… cargo run --release -p example-socks5 -- 127.0.0.1:9050 imaps://me@imap.example.org/INBOX
//! ```

#[path = "../../shared/access.rs"]
mod access;

use example_socks5::Socks5;
use parallel_mailbox::{Fetch, Query};

use crate::access::{Access, HELP, password};

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (access, words) = Access::of(std::env::args().skip(1))?;
    let [proxy, url] = &words[..] else {
        return Err(format!("usage: example-socks5 PROXY:PORT URL\n\n{HELP}").into());
    };
    let mailbox = access
        .builder(url)?
        .password(password()?)
        .connector(Socks5::new(proxy))
        .connect()?;
    let matches = mailbox.search(Query::all())?.fetch(Fetch::metadata());
    let bytes = matches.fold(|| 0, |sum, message| sum + message.size(), |a, b| a + b)?;
    println!("{} messages, {bytes} bytes", matches.len());
    Ok(())
}
