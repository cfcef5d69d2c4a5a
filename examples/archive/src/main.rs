//! Archives a mailbox into a Maildir, with a manifest that proves it complete. Killed and started
//! again, it finishes; started again later, it fetches what is new.
//!
//! ```sh
//! cargo run --release -p example-archive -- save FOLDER imaps://me@imap.example.org/INBOX
//! cargo run --release -p example-archive -- verify FOLDER
//! ```
//!
//! Without a URL it archives made-up mail of a server in this process.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use example_archive::{Archive, mbox, verify};
use example_support::{Access, Anything, help};
use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{Builder, Query};

const HELP: &str = "\
usage: example-archive save FOLDER [URL]     fetches what the folder does not have yet
       example-archive verify FOLDER         compares all files with the manifest
       example-archive mbox FOLDER FILE      writes one file of all messages

  URL     such as imaps://me@imap.example.org/INBOX; the mailbox is opened read-only. Without a URL:
          made-up mail of a server in this process.
";

fn main() -> ExitCode {
    example_support::run(run)
}

fn run(words: &[&str], access: &Access) -> Result<ExitCode, Anything> {
    match *words {
        ["save", folder, ref url @ ..] => {
            let server;
            let builder = match url {
                [] => {
                    server = Server::builder().sample(Sample::small(2_000)).start()?;
                    server.client()
                }
                [url] => access.client(url)?,
                _ => return help(HELP),
            };
            save(builder, Path::new(folder))
        }
        ["verify", folder] => {
            let (messages, wrong) = verify(Path::new(folder))?;
            for (uid, what) in &wrong {
                println!("UID {uid}: {what}");
            }
            println!("{messages} messages, {} wrong", wrong.len());
            Ok(ExitCode::from(u8::from(!wrong.is_empty())))
        }
        ["mbox", folder, file] => {
            let messages = mbox::write(Path::new(folder), &PathBuf::from(file))?;
            println!("{messages} messages in {file}");
            Ok(ExitCode::SUCCESS)
        }
        _ => help(HELP),
    }
}

fn save(builder: Builder, folder: &Path) -> Result<ExitCode, Anything> {
    let mailbox = builder.connect()?;
    let archive = Archive::open(folder, mailbox.uid_validity())?;
    let new = mailbox.search(Query::all())?.except(&archive.uids());
    println!(
        "{} messages to fetch, {} are here",
        new.len(),
        archive.uids().len()
    );
    let report = thread::scope(|scope| {
        let mut results = new.imap_unordered_scoped(scope, |message| archive.add(&message));
        for result in results.by_ref() {
            match result {
                // A disk that is full ends it all.
                Ok(saved) => saved?,
                // One message, or the run; the report has it as well.
                Err(error) => eprintln!("{error}"),
            }
        }
        io::Result::Ok(results.finish())
    })?;
    println!("{report}");
    Ok(ExitCode::from(u8::from(!report.is_complete())))
}
