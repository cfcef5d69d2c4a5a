//! Counts the messages and octets of a mailbox behind a command, once for each session.
//!
//! ```sh
//! cargo run --release -p example-command -- ssh me@mail.example.org /usr/lib/dovecot/imap
//! ```

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use example_command::Tunnel;
    use parallel_mailbox::{Fetch, ParallelMailbox, Query};

    let mut words = std::env::args().skip(1);
    let program = words
        .next()
        .ok_or("usage: example-command PROGRAM ARGUMENT…")?;
    // The name is for errors only.
    let mailbox = ParallelMailbox::builder("tunnel")
        .connector(Tunnel::new(program, words))
        .preauthenticated()
        .workers(4)
        .connect()?;
    let matches = mailbox.search(Query::all())?.fetch(Fetch::metadata());
    let octets = matches.fold(|| 0, |sum, message| sum + message.size(), |a, b| a + b)?;
    println!("{} messages, {octets} octets", matches.len());
    Ok(())
}

#[cfg(not(unix))]
fn main() {}
