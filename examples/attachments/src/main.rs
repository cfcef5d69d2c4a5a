//! Extracts the attachments of a mailbox into a folder, each content once, and draws a thumbnail and
//! the contours of every picture. Started again, it looks at what is new.
//!
//! ```sh
//! cargo run --release -p example-attachments -- FOLDER imaps://me@imap.example.org/INBOX
//! ```
//!
//! Without a URL it extracts from made-up mail of a server in this process.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use example_attachments::{Found, open, sample};
use example_support::{Access, Anything, help};
use parallel_mailbox::testing::Server;
use parallel_mailbox::{Builder, Query};

const HELP: &str = "\
usage: example-attachments FOLDER [URL]

  FOLDER  gets files/, the attachments; thumbnails/ and contours/, drawn of those that are pictures;
          attachments.tsv, which message had which file; done.txt, the messages looked at
  URL     such as imaps://me@imap.example.org/INBOX; the mailbox is opened read-only. Without a URL:
          made-up mail of a server in this process.
";

fn main() -> ExitCode {
    example_support::run(run)
}

fn run(words: &[&str], access: &Access) -> Result<ExitCode, Anything> {
    match *words {
        [folder] if !folder.starts_with('-') => {
            let server = Server::builder().messages(sample::messages()).start()?;
            extract(server.client(), Path::new(folder))
        }
        [folder, url] => extract(access.client(url)?, Path::new(folder)),
        _ => help(HELP),
    }
}

fn extract(builder: Builder, folder: &Path) -> Result<ExitCode, Anything> {
    let mailbox = builder.connect()?;
    let (extractor, mut list) = open(folder, mailbox.uid_validity())?;
    let new = mailbox.search(Query::all())?.except(list.done());
    println!(
        "{} messages to look at, {} are done",
        new.len(),
        list.done().len()
    );
    let (mut attachments, mut new_files, mut pictures) = (0, 0, 0);
    let report = thread::scope(|scope| {
        // Decoding, drawing and writing all happen on the threads of the pool.
        let mut results = new.imap_unordered_scoped(scope, |message| extractor.extract(&message));
        for result in results.by_ref() {
            match result {
                Ok(found) => {
                    // A disk that is full ends it all.
                    let found: Found = found?;
                    list.add(found.uid, &found.entries)?;
                    attachments += found.entries.len();
                    new_files += found.new_files;
                    pictures += found.pictures;
                    for remark in found.remarks {
                        eprintln!("UID {}: {remark}", found.uid);
                    }
                }
                // One message, or the run; the report has it as well.
                Err(error) => eprintln!("{error}"),
            }
        }
        io::Result::Ok(results.finish())
    })?;
    list.save()?;
    println!("{attachments} attachments, {new_files} new files, {pictures} pictures drawn");
    println!("{report}");
    Ok(ExitCode::from(u8::from(!report.is_complete())))
}
