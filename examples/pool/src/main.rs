//! The program of `pool.py` with this crate: so many octets from each sender.

use std::collections::BTreeMap;

use example_support::{Anything, client};
use parallel_mailbox::{Message, Query};

fn work(message: Message) -> (String, usize) {
    let headers = message.parse_headers();
    let sender = headers
        .as_ref()
        .and_then(|headers| headers.from()?.first()?.address());
    (sender.unwrap_or_default().to_owned(), message.raw().len())
}

fn main() -> Result<(), Anything> {
    let words: Vec<String> = std::env::args().collect();
    let [_, url, workers] = &words[..] else {
        return Err("usage: example-pool URL WORKERS; see example-archive about the URL".into());
    };
    let mailbox = client(url)?.workers(workers.parse()?).connect()?;
    let mut octets = BTreeMap::<_, usize>::new();
    let mut results = mailbox.search(Query::all())?.imap_unordered(work);
    for result in results.by_ref() {
        let (sender, length) = result?;
        *octets.entry(sender).or_default() += length;
    }
    eprintln!("{}", results.finish());
    for (sender, octets) in octets {
        println!("{octets} {sender}");
    }
    Ok(())
}
