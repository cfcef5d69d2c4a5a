//! Makes a full-text index of a mailbox, and searches it. Killed and started again, it finishes;
//! started again later, it fetches what is new and takes out what is gone.
//!
//! ```sh
//! cargo run --release -p example-index -- add FOLDER imaps://me@imap.example.org/INBOX
//! cargo run --release -p example-index -- find FOLDER invoice from:anna
//! ```
//!
//! Without a URL it indexes made-up mail of a server in this process.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use example_index::printable::{Mark, snippet};
use example_index::{Finder, Writer};
use example_support::{Access, Anything, help, printable, printable_lines};
use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{Builder, Query, Uid};

const HELP: &str = "\
usage: example-index add FOLDER [URL]      adds what the index does not have, takes out what is gone
       example-index find FOLDER QUERY…    prints the best hits
       example-index show FOLDER UID       prints what the index has of a message

  URL     such as imaps://me@imap.example.org/INBOX; the mailbox is opened read-only. Without a URL:
          made-up mail of a server in this process.
  QUERY   words, \"a phrase\", one OR the other, -without, (groups); from: to: subject: text:
          attachments: before a word; date:[2026-01-01T00:00:00Z TO 2026-02-01T00:00:00Z].
          A word with marks in it, such as O'Brien, is a phrase. In scripts without spaces a word is
          found wherever its characters stand in a row.
";

/// What breaks off costs at most so many messages; a commit takes about a tenth of a second.
const COMMIT_EVERY: usize = 1_000;

const HITS: usize = 10;

fn main() -> ExitCode {
    example_support::run(run)
}

fn run(words: &[&str], access: &Access) -> Result<ExitCode, Anything> {
    match *words {
        ["add", folder] => {
            let server = Server::builder().sample(Sample::small(2_000)).start()?;
            add(server.client(), Path::new(folder))
        }
        ["add", folder, url] => add(access.client(url)?, Path::new(folder)),
        ["find", folder, ref query @ ..] if !query.is_empty() => {
            find(Path::new(folder), &query.join(" "))
        }
        ["show", folder, uid] => show(Path::new(folder), uid),
        _ => help(HELP),
    }
}

fn add(builder: Builder, folder: &Path) -> Result<ExitCode, Anything> {
    let mailbox = builder.connect()?;
    let writer = Writer::open(folder, mailbox.mailbox(), mailbox.uid_validity())?;
    let before = writer.uids()?;
    let all = mailbox.search(Query::all())?;
    let gone = before.difference(all.uids());
    let new = all.except(&before);
    println!(
        "{} new messages, {} are indexed, {} of them gone",
        new.len(),
        before.len(),
        gone.len()
    );
    writer.remove(&gone);
    let report = thread::scope(|scope| {
        // Parsing and finding words happens on the threads of the pool.
        let mut results = new.imap_unordered_scoped(scope, |message| writer.add(&message));
        let mut added = 0;
        for result in results.by_ref() {
            match result {
                // A disk that is full ends it all.
                Ok(result) => result?,
                // One message, or the run; the report has it as well.
                Err(error) => eprintln!("{error}"),
            }
            added += 1;
            if added % COMMIT_EVERY == 0 {
                writer.commit()?;
            }
        }
        tantivy::Result::Ok(results.finish())
    })?;
    writer.finish()?;
    println!("{report}");
    Ok(ExitCode::from(u8::from(!report.is_complete())))
}

fn find(folder: &Path, query: &str) -> Result<ExitCode, Anything> {
    let (count, hits) = Finder::open(folder)?.find(query, HITS)?;
    let mut out = io::stdout().lock();
    let mark = if out.is_terminal() {
        Mark::Bold
    } else {
        Mark::Stars
    };
    match count {
        1 => writeln!(out, "1 message")?,
        _ if count > hits.len() => writeln!(out, "{count} messages, the best {}:", hits.len())?,
        _ => writeln!(out, "{count} messages")?,
    }
    for hit in hits {
        writeln!(
            out,
            "\nUID {}  {}  {}",
            hit.uid,
            hit.date,
            printable(&hit.from)
        )?;
        writeln!(out, "  {}", printable(&hit.subject))?;
        writeln!(out, "  {}", snippet(&hit.snippet, mark))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(folder: &Path, uid: &str) -> Result<ExitCode, Anything> {
    let number = uid
        .parse()
        .ok()
        .and_then(Uid::new)
        .ok_or_else(|| format!("{uid:?} is no UID"))?;
    let message = Finder::open(folder)?.message(number)?;
    let message = message.ok_or_else(|| format!("the index has no message with UID {uid}"))?;
    println!("Date: {}", message.date);
    for (name, text) in [
        ("From", message.from),
        ("To", message.to),
        ("Subject", message.subject),
        ("Attachments", message.attachments),
    ] {
        println!("{name}: {}", printable(&text));
    }
    println!("\n{}", printable_lines(&message.text));
    Ok(ExitCode::SUCCESS)
}
