//! A server whose part a test plays: it says what a script says, and where the script has nothing to
//! say, what any server would about a mailbox with these UIDs. It shares no code with the in-process
//! server.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What is done at a line of a client's.
pub(crate) enum Turn {
    Usual,
    /// Each `{tag}` stands for the command's tag.
    Say(String),
    /// What has come behind the line is thrown away first, as by a process that hands the connection
    /// over to another.
    LoseAndSay(String),
    /// The last that is said before the connection is closed.
    Last(String),
}

pub(crate) fn say(text: impl Into<String>) -> Turn {
    Turn::Say(text.into())
}

/// Nothing, though an answer is waited for.
pub(crate) fn silence() -> Turn {
    say("")
}

/// A client, as the script sees it.
pub(crate) struct Client<'a> {
    /// Counted from 1.
    pub(crate) number: usize,
    /// Its lines so far, without tags.
    pub(crate) said: &'a [String],
    /// The mailbox.
    pub(crate) uids: &'a [u32],
}

impl Client<'_> {
    /// How often it has said something that begins so.
    pub(crate) fn times(&self, command: &str) -> usize {
        self.said
            .iter()
            .filter(|line| line.starts_with(command))
            .count()
    }
}

/// Called with the greeting's place, which is an empty line, and with each command without its tag.
type Script = dyn Fn(&Client<'_>, &str) -> Turn + Send + Sync;

/// A running server. Its threads end with the connections, the last with the process.
pub(crate) struct Played {
    pub(crate) port: u16,
    log: Arc<Mutex<Vec<Vec<String>>>>,
    open: Arc<AtomicUsize>,
}

impl Played {
    /// Serves a mailbox with these UIDs.
    pub(crate) fn start(
        uids: impl IntoIterator<Item = u32>,
        script: impl Fn(&Client<'_>, &str) -> Turn + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (log, open) = (
            Arc::<Mutex<Vec<_>>>::default(),
            Arc::<AtomicUsize>::default(),
        );
        let played = Self {
            port,
            log: log.clone(),
            open: open.clone(),
        };
        let (script, uids): (Arc<Script>, Arc<[u32]>) =
            (Arc::new(script), uids.into_iter().collect());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = {
                    let mut log = log.lock().unwrap();
                    log.push(Vec::new());
                    log.len()
                };
                let (script, uids) = (script.clone(), uids.clone());
                let (log, open) = (log.clone(), open.clone());
                thread::spawn(move || {
                    open.fetch_add(1, Ordering::SeqCst);
                    talk(&stream, number, &uids, &*script, &log);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        played
    }

    /// What each client has said.
    pub(crate) fn said(&self) -> Vec<Vec<String>> {
        self.log.lock().unwrap().clone()
    }

    /// How often anybody has said something that begins so.
    pub(crate) fn times(&self, command: &str) -> usize {
        let said = self.said().concat();
        said.iter().filter(|line| line.starts_with(command)).count()
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

fn talk(
    mut stream: &TcpStream,
    number: usize,
    uids: &[u32],
    script: &Script,
    log: &Mutex<Vec<Vec<String>>>,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    loop {
        let (tag, command) = line.trim_end().split_once(' ').unwrap_or_default();
        let said = log.lock().unwrap()[number - 1].clone();
        let client = Client {
            number,
            said: &said,
            uids,
        };
        let turn = script(&client, command);
        if !line.is_empty() {
            log.lock().unwrap()[number - 1].push(command.to_owned());
        }
        let is_last = matches!(turn, Turn::Last(_));
        let text = match turn {
            Turn::Usual => usual(command, uids),
            Turn::Say(text) | Turn::Last(text) => text,
            Turn::LoseAndSay(text) => {
                let count = reader.buffer().len();
                reader.consume(count);
                text
            }
        };
        let text = text.replace("{tag}", tag);
        stream.write_all(text.as_bytes()).ok()?;
        if is_last {
            return None;
        }
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
    }
}

/// The UIDs of a sequence set that are among these.
pub(crate) fn among(set: &str, uids: &[u32]) -> Vec<u32> {
    let number = |text: &str| match text {
        "*" => uids.last().copied().unwrap_or(0),
        text => text.parse().unwrap(),
    };
    let is_in = |uid: u32| {
        set.split(',').any(|range| {
            let (first, last) = range.split_once(':').unwrap_or((range, range));
            (number(first)..=number(last)).contains(&uid)
        })
    };
    uids.iter().copied().filter(|uid| is_in(*uid)).collect()
}

/// `* SEARCH` with these.
pub(crate) fn search_line(uids: &[u32]) -> String {
    let numbers: String = uids.iter().map(|uid| format!(" {uid}")).collect();
    format!("* SEARCH{numbers}\r\n")
}

/// What a server says that has nothing peculiar.
pub(crate) fn usual(command: &str, uids: &[u32]) -> String {
    let words: Vec<&str> = command.split(' ').collect();
    let untagged = match words[..] {
        [""] => return "* OK [CAPABILITY IMAP4rev1 ID] ready\r\n".to_owned(),
        ["CAPABILITY"] => "* CAPABILITY IMAP4rev1 ID\r\n".to_owned(),
        ["EXAMINE", ..] => format!(
            "* {} EXISTS\r\n* OK [UIDVALIDITY 7] .\r\n* OK [UIDNEXT {}] .\r\n",
            uids.len(),
            uids.last().map_or(1, |last| last + 1)
        ),
        ["UID", "SEARCH", .., "UID", set] => search_line(&among(set, uids)),
        ["UID", "SEARCH", ..] => search_line(uids),
        ["UID", "FETCH", set, "(UID)"] => among(set, uids)
            .iter()
            .map(|uid| format!("* {uid} FETCH (UID {uid})\r\n"))
            .collect(),
        ["UID", "FETCH", set, ..] => among(set, uids).iter().map(|uid| message(*uid)).collect(),
        ["LOGOUT"] => "* BYE bye\r\n".to_owned(),
        _ => String::new(),
    };
    format!("{untagged}{{tag}} OK done\r\n")
}

fn message(uid: u32) -> String {
    format!(
        "* {uid} FETCH (UID {uid} FLAGS () INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[] \
         {{3}}\r\nabc)\r\n"
    )
}
