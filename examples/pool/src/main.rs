//! The program of `pool.py` with this crate: so many bytes from each sender.

use std::collections::BTreeMap;
use std::process::ExitCode;

use example_support::{Access, Anything, Letter, help, run};
use parallel_mailbox::{Message, Query};

fn work(message: Message) -> (String, usize) {
    (Letter::of(&message).sender().address, message.raw().len())
}

fn main() -> ExitCode {
    run(|words, access| match *words {
        [url, workers] => add_up(access, url, workers.parse()?),
        _ => help("usage: example-pool URL WORKERS\n"),
    })
}

fn add_up(access: &Access, url: &str, workers: usize) -> Result<ExitCode, Anything> {
    let mailbox = access.client(url)?.workers(workers).connect()?;
    let mut sizes = BTreeMap::<_, usize>::new();
    let mut results = mailbox.search(Query::all())?.imap_unordered(work);
    for result in results.by_ref() {
        let (sender, size) = result?;
        *sizes.entry(sender).or_default() += size;
    }
    eprintln!("{}", results.finish());
    for (sender, size) in sizes {
        println!("{size} {sender}");
    }
    Ok(ExitCode::SUCCESS)
}
