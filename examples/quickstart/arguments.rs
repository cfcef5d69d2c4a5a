//! The command line.

use crate::access;

const HELP: &str = "\
Counts senders, months and attachments of a mailbox, over one session and over several.

usage: quickstart [options] [URL]

  URL              such as imaps://me@imap.example.org/INBOX; without it, an embedded server
                   with made-up mail. An @ in the user name is written %40. The mailbox is opened
                   read-only. The password comes from IMAP_PASSWORD or a prompt.
  --workers N      how many sessions in the second run, up to 256 (8)
  --limit N        only the newest N messages (all)
  --messages N     how many made-up messages, without a URL (2000)
  --help           this text
";

/// The most sessions that the crate takes: said here before a run, not after the first.
const MAX_WORKERS: usize = 256;

#[derive(Debug, Clone)]
pub(crate) struct Arguments {
    pub(crate) url: Option<String>,
    pub(crate) workers: usize,
    pub(crate) limit: Option<usize>,
    pub(crate) messages: usize,
}

impl Arguments {
    /// `None` if only the help was asked for.
    pub(crate) fn parse(
        mut words: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, Box<dyn std::error::Error + Send + Sync>> {
        let mut url = None;
        let mut workers = 8;
        let mut limit = None;
        let mut messages = None;
        while let Some(word) = words.next() {
            let mut number = || {
                let number = words.next().and_then(|number| number.parse().ok());
                number
                    .filter(|number| *number > 0)
                    .ok_or(format!("{word} needs a number above 0"))
            };
            match word.as_str() {
                "--workers" => workers = number()?,
                "--limit" => limit = Some(number()?),
                "--messages" => messages = Some(number()?),
                "--help" | "-h" => {
                    print!("{HELP}\n{}", access::HELP);
                    return Ok(None);
                }
                option if option.starts_with('-') => {
                    return Err(format!("unknown option {word:?}; see --help").into());
                }
                _ if url.is_some() => return Err("more than one URL; see --help".into()),
                _ => url = Some(word),
            }
        }
        if workers > MAX_WORKERS {
            return Err(format!("--workers takes {MAX_WORKERS} at most").into());
        }
        if url.is_some() && messages.is_some() {
            return Err("--messages is for made-up mail; with a URL it is --limit".into());
        }
        Ok(Some(Self {
            url,
            workers,
            limit,
            messages: messages.unwrap_or(2_000),
        }))
    }
}
