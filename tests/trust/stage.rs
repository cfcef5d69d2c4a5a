//! A server whose every answer a test may give itself, and a run over it that is checked as it goes.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use parallel_mailbox::{
    Builder, Error, Event, Matches, ParallelMailbox, Query, Report, Retry, Security, Timeouts, Uid,
    UidSet,
};

use crate::ledger::adds_up;

/// No run takes a tenth of this. One that hangs would; one that is merely slow does not.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the server does about a command.
pub(crate) enum Say {
    /// What a server in order does.
    Usual,
    /// This, with `TAG` in place of the command's tag.
    This(String),
    /// This, and then the end of the connection.
    Last(String),
}

/// A command, as the server sees it.
pub(crate) struct Scene<'a> {
    pub(crate) stage: &'a Stage,
    /// Without its tag, such as `UID FETCH 1:7 (UID FLAGS)`.
    pub(crate) command: &'a str,
    /// Counts the connections from 1.
    pub(crate) connection: usize,
    /// How many commands of this kind this connection has given before.
    pub(crate) before: usize,
}

type Manner = dyn Fn(&Scene<'_>) -> Say + Send + Sync;

/// A mailbox of small messages with the UIDs from 1 on.
#[derive(Clone)]
pub(crate) struct Stage {
    messages: u32,
    manner: Arc<Manner>,
    port: u16,
    /// Commands without their tags, of all connections.
    log: Arc<Mutex<Vec<(usize, Instant, String)>>>,
    connections: Arc<AtomicUsize>,
}

pub(crate) fn body(uid: u32) -> String {
    format!("Subject: message {uid}\r\n\r\nthe text of {uid}\r\n")
}

/// The answer to a FETCH for one message, as a server in order gives it.
pub(crate) fn fetched(uid: u32, command: &str) -> String {
    let size = if command.contains("RFC822.SIZE") {
        format!(" RFC822.SIZE {}", body(uid).len())
    } else {
        String::new()
    };
    if !command.contains("BODY.PEEK[]") {
        return format!("* {uid} FETCH (UID {uid} FLAGS (){size})\r\n");
    }
    let body = body(uid);
    format!(
        "* {uid} FETCH (UID {uid} FLAGS () INTERNALDATE \"17-Jul-2026 02:44:25 +0000\"{size} BODY[] \
         {{{}}}\r\n{body})\r\n",
        body.len()
    )
}

impl Scene<'_> {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.command.starts_with(name)
    }

    /// Whether bodies are asked for.
    pub(crate) fn is_fetch(&self) -> bool {
        self.is("UID FETCH") && self.command.contains("BODY.PEEK[]")
    }

    /// The UIDs that a FETCH or a SEARCH names and the mailbox has.
    pub(crate) fn uids(&self) -> Vec<u32> {
        let set = self.command.split(' ').find_map(|word| {
            word.chars()
                .all(|c| c.is_ascii_digit() || matches!(c, ',' | ':' | '*'))
                .then(|| word.replace('*', "4294967295"))
        });
        let all = 1..=self.stage.messages;
        match set {
            Some(set) => {
                let set: UidSet = set.parse().unwrap();
                all.filter(|uid| set.contains(Uid::new(*uid).unwrap()))
                    .collect()
            }
            None => all.collect(),
        }
    }

    pub(crate) fn has(&self, uid: u32) -> bool {
        self.uids().contains(&uid)
    }

    /// The usual answer to a FETCH, but for these messages.
    pub(crate) fn fetch_without(&self, left_out: impl Fn(u32) -> bool) -> Say {
        let uids = self.uids().into_iter().filter(|uid| !left_out(*uid));
        let lines: String = uids.map(|uid| fetched(uid, self.command)).collect();
        Say::This(format!("{lines}TAG OK done\r\n"))
    }

    fn usual(&self) -> String {
        let messages = self.stage.messages;
        let lines = if self.is("CAPABILITY") {
            "* CAPABILITY IMAP4rev1\r\n".to_owned()
        } else if self.is("EXAMINE") {
            let next = messages + 1;
            format!(
                "* {messages} EXISTS\r\n* 0 RECENT\r\n* FLAGS ()\r\n* OK [UIDVALIDITY 7] ok\r\n\
                 * OK [UIDNEXT {next}] ok\r\n"
            )
        } else if self.is("UID SEARCH") {
            let uids = self.uids().into_iter();
            let uids: String = uids.map(|uid| format!(" {uid}")).collect();
            format!("* SEARCH{uids}\r\n")
        } else if self.is("UID FETCH") {
            let uids = self.uids().into_iter();
            uids.map(|uid| fetched(uid, self.command)).collect()
        } else if self.is("LOGOUT") {
            "* BYE\r\n".to_owned()
        } else {
            String::new()
        };
        format!("{lines}TAG OK done\r\n")
    }
}

impl Stage {
    /// Its threads end with the connections, the last with the process.
    pub(crate) fn new(
        messages: u32,
        manner: impl Fn(&Scene<'_>) -> Say + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let stage = Self {
            messages,
            manner: Arc::new(manner),
            port: listener.local_addr().unwrap().port(),
            log: Arc::default(),
            connections: Arc::default(),
        };
        let served = stage.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let stage = served.clone();
                let number = stage.connections.fetch_add(1, Ordering::SeqCst) + 1;
                thread::spawn(move || stage.talk(&stream, number));
            }
        });
        stage
    }

    fn talk(&self, mut stream: &TcpStream, connection: usize) -> Option<()> {
        stream.write_all(b"* OK ready\r\n").ok()?;
        let mut reader = BufReader::new(stream);
        let mut said: Vec<String> = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let (tag, command) = line.trim_end().split_once(' ')?;
            let kind = |command: &str| command.split(' ').take(2).collect::<Vec<_>>().join(" ");
            let before = said.iter().filter(|one| kind(one) == kind(command)).count();
            let now = Instant::now();
            let entry = (connection, now, command.to_owned());
            self.log.lock().unwrap().push(entry);
            let scene = Scene {
                stage: self,
                command,
                connection,
                before,
            };
            let (text, is_last) = match (self.manner)(&scene) {
                Say::Usual => (scene.usual(), command == "LOGOUT"),
                Say::This(text) => (text, false),
                Say::Last(text) => (text, true),
            };
            stream.write_all(text.replace("TAG", tag).as_bytes()).ok()?;
            if is_last {
                return None;
            }
            said.push(command.to_owned());
        }
    }

    pub(crate) fn client(&self) -> Builder {
        ParallelMailbox::builder("127.0.0.1")
            .port(self.port)
            .security(Security::DangerPlaintext)
            .login("me", "a password")
            .timeouts(Timeouts::default().read(Duration::from_secs(3)))
            .retry(Retry::default().initial_delay(Duration::from_millis(20)))
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What all connections have said, without tags, in the order in which it came.
    pub(crate) fn log(&self) -> Vec<(usize, Instant, String)> {
        self.log.lock().unwrap().clone()
    }

    /// How often a command was given that begins so.
    pub(crate) fn count(&self, name: &str) -> usize {
        let log = self.log();
        log.iter()
            .filter(|(_, _, line)| line.starts_with(name))
            .count()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Connects with so many workers, searches for all and runs.
    pub(crate) fn run(&self, workers: usize) -> Ending {
        self.run_with(workers, |builder| builder, |matches| matches)
    }

    pub(crate) fn run_with(
        &self,
        workers: usize,
        tune: impl FnOnce(Builder) -> Builder,
        arrange: impl FnOnce(Matches) -> Matches,
    ) -> Ending {
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = events.clone();
        let builder = self
            .client()
            .workers(workers)
            .on_event(move |event| heard.lock().unwrap().push(event.clone()));
        let mailbox = tune(builder).connect().unwrap();
        let matches = arrange(mailbox.search(Query::all()).unwrap());
        let mut ending = read(&matches);
        ending.events = events.lock().unwrap().clone();
        ending
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) report: Report,
    pub(crate) error: Option<Error>,
    pub(crate) events: Vec<Event>,
}

/// Runs, and checks that what comes is what the server holds, comes once, and is in the ledger.
pub(crate) fn read(matches: &Matches) -> Ending {
    let seen = Mutex::new(Vec::new());
    let began = Instant::now();
    let result = matches.for_each(|message| {
        let uid = message.uid().get();
        let is_right = message.raw() == body(uid).as_bytes();
        seen.lock().unwrap().push((uid, is_right));
    });
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    let report = matches.last_report().unwrap();
    let seen = seen.into_inner().unwrap();
    let wrong: Vec<_> = seen.iter().filter(|(_, is_right)| !is_right).collect();
    assert!(wrong.is_empty(), "not as on the server: {wrong:?}");
    let uids: UidSet = seen.iter().filter_map(|(uid, _)| Uid::new(*uid)).collect();
    assert_eq!(uids.len(), seen.len(), "something came twice");
    assert_eq!(&uids, report.delivered(), "{report}");
    assert!(adds_up(&report), "{report}");
    assert_eq!(report.error().is_some(), result.is_err());
    assert!(
        report.unfinished().is_empty() || result.is_err(),
        "unfinished without an error: {report}"
    );
    Ending {
        report,
        error: result.err(),
        events: Vec::new(),
    }
}

impl Ending {
    pub(crate) fn assert_all_delivered(&self) {
        assert!(self.error.is_none(), "{:?}", self.error);
        let report = &self.report;
        assert_eq!(
            report.delivered(),
            report.matched(),
            "{report}: {:?}",
            report.failed()
        );
    }

    /// All are delivered but these, which failed.
    pub(crate) fn assert_failed(&self, uids: &str) {
        assert!(self.error.is_none(), "{:?}", self.error);
        let report = &self.report;
        assert_eq!(
            report.failed_uids().to_string(),
            uids,
            "{report}: {:?}",
            report.failed()
        );
        let rest = report.matched().difference(&report.failed_uids());
        assert_eq!(report.delivered(), &rest, "{report}");
    }

    /// All are delivered but these, which are gone.
    pub(crate) fn assert_gone(&self, uids: &str) {
        assert!(self.error.is_none(), "{:?}", self.error);
        let report = &self.report;
        assert_eq!(
            report.gone().to_string(),
            uids,
            "{report}: {:?}",
            report.failed()
        );
        let rest = report.matched().difference(report.gone());
        assert_eq!(report.delivered(), &rest, "{report}: {:?}", report.failed());
    }
}
