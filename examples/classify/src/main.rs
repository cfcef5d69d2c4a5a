//! Learns to tell spam from ham, says how well it does, and judges a mailbox. Nothing is moved or
//! marked: all mailboxes are opened read-only.
//!
//! ```sh
//! cargo run --release -p example-classify -- train MODEL imaps://me@imap.example.org/INBOX \
//!     imaps://me@imap.example.org/Junk
//! cargo run --release -p example-classify -- judge MODEL imaps://me@imap.example.org/New
//! ```
//!
//! Without URLs it works on made-up mail of a server in this process.

use std::io::{self, Write};
use std::panic::resume_unwind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use example_classify::split::split;
use example_classify::{Evaluation, Example, Letter, Model, made_up};
use example_support::{Access, Anything, help, printable, shortened};
use parallel_mailbox::testing::Server;
use parallel_mailbox::{Builder, Query, Report};

const HELP: &str = "\
usage: example-classify train MODEL [HAM SPAM]   learns from two mailboxes, and writes a file
       example-classify judge MODEL [URL]        tells what in a mailbox is taken for spam

  HAM SPAM, URL   such as imaps://me@imap.example.org/INBOX, with one password for both; mailboxes are
                  opened read-only. Without URLs: made-up mail of a server in this process.
";

/// Two mailboxes are read at once, and together they stay within what servers allow.
const WORKERS: usize = 4;

fn main() -> ExitCode {
    example_support::run(run)
}

fn run(words: &[&str], access: &Access) -> Result<ExitCode, Anything> {
    match *words {
        ["train", model] => {
            let made_up::Sorted { ham, spam } = made_up::sorted();
            let server = Server::builder()
                .mailbox("Ham", ham)
                .mailbox("Spam", spam)
                .start()?;
            let client = |mailbox| server.client().mailbox(mailbox);
            train(Path::new(model), client("Ham"), client("Spam"))
        }
        ["train", model, ham, spam] => {
            train(Path::new(model), access.client(ham)?, access.client(spam)?)
        }
        ["judge", model] => {
            let server = Server::builder()
                .messages(made_up::unsorted().mail)
                .start()?;
            judge(Path::new(model), server.client())
        }
        ["judge", model, url] => judge(Path::new(model), access.client(url)?),
        _ => help(HELP),
    }
}

fn train(path: &Path, ham: Builder, spam: Builder) -> Result<ExitCode, Anything> {
    Model::check_place(path)?;
    let (ham, spam) = thread::scope(|scope| {
        let spam = scope.spawn(|| letters(spam));
        let ham = letters(ham);
        (
            ham,
            spam.join().unwrap_or_else(|panic| resume_unwind(panic)),
        )
    });
    let (ham, spam) = (ham?, spam?);
    println!("ham:  {}\nspam: {}", ham.1, spam.1);

    let label = |is_spam| move |letter| Example { letter, is_spam };
    let ham = ham.0.into_iter().map(label(false));
    let (known, held_out) = split(ham.chain(spam.0.into_iter().map(label(true))).collect());
    println!(
        "{} letters to learn from, {} held out\n",
        known.len(),
        held_out.len()
    );
    let model = Model::train(&known)?;
    println!("{}\n", Evaluation::new(&model, &known, &held_out));
    model.save(path)?;
    println!("saved as {}", path.display());
    Ok(ExitCode::SUCCESS)
}

/// All letters of a mailbox. A message that fails is told and left out; a run that fails is an
/// error.
fn letters(builder: Builder) -> Result<(Vec<Letter>, Report), Anything> {
    let mailbox = builder.workers(WORKERS).connect()?;
    let mut results = mailbox
        .search(Query::all())?
        .imap(|message| Letter::of(&message));
    let mut letters = Vec::new();
    for result in results.by_ref() {
        match result {
            Ok(letter) => letters.push(letter),
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => eprintln!("left out: {error}"),
        }
    }
    Ok((letters, results.finish()))
}

fn judge(path: &Path, builder: Builder) -> Result<ExitCode, Anything> {
    let model = Arc::new(Model::load(path)?);
    let mailbox = builder.connect()?;
    let mut results = mailbox
        .search(Query::all())?
        .imap_unordered(move |message| {
            let letter = Letter::of(&message);
            (model.score(&letter), letter)
        });
    let mut out = io::stdout().lock();
    writeln!(out, "{:>8} {:>7}  subject", "UID", "score")?;
    let mut spam = 0;
    for result in results.by_ref() {
        match result {
            Ok((score, letter)) if score > 0.0 => {
                spam += 1;
                writeln!(
                    out,
                    "{:>8} {score:>7.1}  {}",
                    letter.uid,
                    short(&letter.subject)
                )?;
            }
            Ok(_ham) => {}
            Err(error) => eprintln!("not judged: {error}"),
        }
    }
    let report = results.finish();
    writeln!(
        out,
        "{} judged, {spam} of them taken for spam",
        report.delivered().len()
    )?;
    writeln!(out, "{report}")?;
    Ok(ExitCode::from(u8::from(!report.is_complete())))
}

fn short(subject: &str) -> String {
    shortened(&printable(subject), 60)
}
