//! A server that says what it is told to, with two messages in each mailbox.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use parallel_mailbox::{Builder, ParallelMailbox, Security};

/// Returns what to say to a command instead of the usual, by what this client has said before.
type Answer = dyn Fn(&[String], &str) -> Option<&'static str> + Send + Sync;

pub(crate) struct Scripted {
    greeting: &'static str,
    capabilities: &'static str,
    answer: Arc<Answer>,
    port: u16,
    log: Arc<Mutex<Vec<Heard>>>,
}

/// What one client has said.
#[derive(Debug, Clone, Default)]
struct Heard {
    /// Without tags.
    lines: Vec<String>,
    /// Before it was greeted.
    spoke_first: bool,
}

impl Scripted {
    pub(crate) fn new(greeting: &'static str) -> Self {
        Self {
            greeting,
            capabilities: "IMAP4rev1 ID",
            answer: Arc::new(|_, _| None),
            port: 0,
            log: Arc::default(),
        }
    }

    pub(crate) fn capabilities(mut self, words: &'static str) -> Self {
        self.capabilities = words;
        self
    }

    pub(crate) fn answer(
        mut self,
        answer: impl Fn(&[String], &str) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        self.answer = Arc::new(answer);
        self
    }

    /// Its threads end with the connections, the last with the process.
    pub(crate) fn start(mut self) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        self.port = listener.local_addr().unwrap().port();
        let (greeting, capabilities) = (self.greeting, self.capabilities);
        let (answer, log) = (self.answer.clone(), self.log.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = {
                    let mut log = log.lock().unwrap();
                    log.push(Heard::default());
                    log.len() - 1
                };
                let (answer, log) = (answer.clone(), log.clone());
                thread::spawn(move || {
                    let note = Note { log, number };
                    talk(&stream, greeting, capabilities, &*answer, &note)
                });
            }
        });
        self
    }

    pub(crate) fn client(&self, password: &str) -> Builder {
        ParallelMailbox::builder("127.0.0.1")
            .port(self.port)
            .security(Security::DangerPlaintext)
            .login("me@example.org", password)
    }

    /// What each client has said.
    pub(crate) fn said(&self) -> Vec<Vec<String>> {
        let log = self.log.lock().unwrap();
        log.iter().map(|heard| heard.lines.clone()).collect()
    }

    /// Whether each client said something before it was greeted.
    pub(crate) fn was_spoken_to_first(&self) -> Vec<bool> {
        let log = self.log.lock().unwrap();
        log.iter().map(|heard| heard.spoke_first).collect()
    }
}

/// Where one client's words are written down.
struct Note {
    log: Arc<Mutex<Vec<Heard>>>,
    number: usize,
}

impl Note {
    fn change(&self, change: impl FnOnce(&mut Heard)) {
        change(&mut self.log.lock().unwrap()[self.number]);
    }
}

fn talk(
    mut stream: &TcpStream,
    greeting: &str,
    capabilities: &str,
    answer: &Answer,
    note: &Note,
) -> Option<()> {
    // Long enough for a client that does not wait.
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .ok()?;
    let spoke_first = stream.peek(&mut [0]).is_ok_and(|octets| octets > 0);
    note.change(|heard| heard.spoke_first = spoke_first);
    stream.set_read_timeout(None).ok()?;
    stream
        .write_all(format!("* OK {greeting}\r\n").as_bytes())
        .ok()?;
    let mut said = Vec::new();
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(line)) = lines.next() {
        let (tag, command) = line.split_once(' ')?;
        let text = match answer(&said, command) {
            Some(text) => text.to_owned(),
            None => usual(command, capabilities),
        };
        said.push(command.to_owned());
        note.change(|heard| heard.lines.push(command.to_owned()));
        if command == "AUTHENTICATE PLAIN" {
            stream.write_all(b"+ \r\n").ok()?;
            lines.next()?.ok()?;
        }
        stream
            .write_all(text.replace("{tag}", tag).as_bytes())
            .ok()?;
    }
    Some(())
}

fn usual(command: &str, capabilities: &str) -> String {
    let word = command.trim_start_matches("UID ").split(' ').next();
    let untagged = match word.unwrap_or_default() {
        "CAPABILITY" => format!("* CAPABILITY {capabilities}\r\n"),
        "ID" => "* ID (\"name\" \"scripted\")\r\n".to_owned(),
        "EXAMINE" => "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] .\r\n* OK [UIDNEXT 3] .\r\n".to_owned(),
        "SEARCH" => "* SEARCH 1 2\r\n".to_owned(),
        "FETCH" => {
            let uids = command.split(' ').nth(2).unwrap_or_default();
            let fetched = [1, 2].into_iter().filter(|uid| match uids.split_once(':') {
                Some((first, last)) => *first <= *uid.to_string() && *uid.to_string() <= *last,
                None => uids == uid.to_string(),
            });
            fetched
                .map(|uid| {
                    format!(
                        "* {uid} FETCH (UID {uid} FLAGS () INTERNALDATE \
                         \"17-Jul-1996 02:44:25 -0700\" BODY[] {{3}}\r\nabc)\r\n"
                    )
                })
                .collect()
        }
        "LOGOUT" => "* BYE bye\r\n".to_owned(),
        _ => String::new(),
    };
    format!("{untagged}{{tag}} OK done\r\n")
}
