//! Counts the messages and octets of a mailbox through a SOCKS5 proxy, such as Tor's.
//!
//! ```sh
//! IMAP_PASSWORD=… cargo run --release -p example-socks5 -- 127.0.0.1:9050 imaps://me@imap.example.org/INBOX
//! ```

use example_socks5::Socks5;
use parallel_mailbox::{Fetch, ParallelMailbox, Query};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(proxy), Some(url)) = (words.next(), words.next()) else {
        return Err(
            "usage: example-socks5 PROXY:PORT URL, and IMAP_PASSWORD in the environment".into(),
        );
    };
    let mailbox = ParallelMailbox::from_url(&url)?
        .password(std::env::var("IMAP_PASSWORD")?)
        .connector(Socks5::new(proxy))
        .connect()?;
    let matches = mailbox.search(Query::all())?.fetch(Fetch::metadata());
    let octets = matches.fold(|| 0, |sum, message| sum + message.size(), |a, b| a + b)?;
    println!("{} messages, {octets} octets", matches.len());
    Ok(())
}
