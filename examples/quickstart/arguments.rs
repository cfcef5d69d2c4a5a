//! The command line.

const HELP: &str = "\
Counts senders, months and attachments of a mailbox, over one session and over several.

usage: quickstart [options] [URL]

  URL              such as imaps://me@imap.example.org/INBOX; without it, an embedded server
                   with made-up mail. The password comes from IMAP_PASSWORD or a prompt.
  --workers N      how many sessions in the second round (8)
  --messages N     how many messages: the newest of the mailbox, or so many made-up ones (3000)
  --help           this text
";

#[derive(Debug, Clone)]
pub(crate) struct Arguments {
    pub(crate) url: Option<String>,
    pub(crate) workers: usize,
    pub(crate) messages: Option<usize>,
}

impl Arguments {
    /// `None` if only the help was asked for.
    pub(crate) fn parse(
        mut words: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, Box<dyn std::error::Error>> {
        let mut arguments = Self {
            url: None,
            workers: 8,
            messages: None,
        };
        while let Some(word) = words.next() {
            let mut number = || {
                let number = words.next().and_then(|number| number.parse().ok());
                number
                    .filter(|number| *number > 0)
                    .ok_or(format!("{word} needs a number above 0"))
            };
            match word.as_str() {
                "--workers" => arguments.workers = number()?,
                "--messages" => arguments.messages = Some(number()?),
                "--help" | "-h" => {
                    print!("{HELP}");
                    return Ok(None);
                }
                url if url.contains("://") => arguments.url = Some(word),
                _ => return Err(format!("unknown argument {word:?}; see --help").into()),
            }
        }
        Ok(Some(arguments))
    }
}
