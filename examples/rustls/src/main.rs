//! Counts the messages and octets of a mailbox, over rustls.
//!
//! ```sh
//! IMAP_PASSWORD=… cargo run --release -p example-rustls -- imaps://me@imap.example.org/INBOX
//! ```

use example_rustls::Rustls;
use parallel_mailbox::{Fetch, ParallelMailbox, Query};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or(
        "usage: example-rustls URL, such as imaps://me@imap.example.org/INBOX, and IMAP_PASSWORD in \
         the environment",
    )?;
    let mailbox = ParallelMailbox::from_url(&url)?
        .password(std::env::var("IMAP_PASSWORD")?)
        .connector(Rustls::with_system_roots())
        .connect()?;
    let matches = mailbox.search(Query::all())?.fetch(Fetch::metadata());
    let octets = matches.fold(|| 0, |sum, message| sum + message.size(), |a, b| a + b)?;
    println!("{} messages, {octets} octets", matches.len());
    Ok(())
}
