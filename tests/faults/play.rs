//! A run over a server with faults, checked as it goes: each octet against what the server holds,
//! the ledger, how long it took, and that neither thread nor socket is left.

use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use parallel_mailbox::testing::{
    Connections, Fault, LogEntry, Persona, Sample, Server, ServerBuilder,
};
use parallel_mailbox::{
    Builder, Error, ErrorKind, Event, Matches, Query, Report, Result, Retry, Timeouts, Uid, UidSet,
};

use crate::ledger::adds_up;
use crate::support::leaks::Leaks;

/// No run takes a tenth of this. One that hangs would; one that is merely slow does not.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server, and how it is to be read.
pub(crate) struct Play {
    server: Server,
    workers: usize,
    tune: Box<dyn FnOnce(Builder) -> Builder>,
    arrange: Box<dyn FnOnce(Matches) -> Matches>,
    mend: Option<fn(&Server)>,
    // The last to be dropped, or a test that fails would leave its threads to the next.
    leaks: Leaks,
}

/// What a closure sees of the run that it is part of.
pub(crate) struct Scene<'a> {
    pub(crate) server: &'a Server,
    events: &'a Mutex<Vec<Event>>,
}

/// How a run ended.
pub(crate) struct Ending {
    pub(crate) report: Report,
    pub(crate) error: Option<Error>,
    pub(crate) events: Vec<Event>,
    pub(crate) time: Duration,
    /// What the server was sent during the run.
    pub(crate) log: Vec<LogEntry>,
    pub(crate) connections: Connections,
    /// How many workers the next run would have.
    pub(crate) workers: usize,
}

/// A server with so many small messages.
pub(crate) fn play(
    messages: usize,
    workers: usize,
    faults: impl IntoIterator<Item = Fault>,
) -> Play {
    let play = play_on(
        Server::builder()
            .sample(Sample::small(messages))
            .uid_validity(1)
            // The limits of a persona have tests of their own.
            .max_connections(1_000),
        workers,
    );
    for fault in faults {
        play.server.add_fault(fault);
    }
    play
}

/// The persona that the variable `PARALLEL_MAILBOX_PERSONA` names, as in `Persona::Gmail`.
pub(crate) fn persona() -> Option<Persona> {
    let name = env::var("PARALLEL_MAILBOX_PERSONA").ok()?;
    let mut all = Persona::all().iter().copied();
    let found = all.find(|persona| format!("{persona:?}") == name);
    Some(found.unwrap_or_else(|| panic!("there is no Persona::{name}")))
}

/// Whether the server talks like this one, of which something else is true; then the reason is said.
pub(crate) fn is_exempt(own: Persona, reason: &str) -> bool {
    let is_it = persona() == Some(own);
    if is_it {
        eprintln!("{own} is not played, since {reason}");
    }
    is_it
}

/// A server made to measure.
pub(crate) fn play_on(mut server: ServerBuilder, workers: usize) -> Play {
    let leaks = Leaks::watch();
    if let Some(persona) = persona() {
        server = server.persona(persona);
    }
    Play {
        server: server.start().unwrap(),
        workers,
        tune: Box::new(|builder| builder),
        arrange: Box::new(|matches| matches),
        mend: None,
        leaks,
    }
}

/// Few tries and short waits: for what cannot be mended.
pub(crate) fn impatient(builder: Builder) -> Builder {
    let retry = Retry::default()
        .attempts(4)
        .initial_delay(Duration::from_millis(1));
    builder.retry(retry.max_delay(Duration::from_millis(20)))
}

impl Play {
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// Connects in another way.
    pub(crate) fn tune(mut self, tune: impl FnOnce(Builder) -> Builder + 'static) -> Self {
        self.tune = Box::new(tune);
        self
    }

    /// Runs in another way.
    pub(crate) fn arrange(mut self, arrange: impl FnOnce(Matches) -> Matches + 'static) -> Self {
        self.arrange = Box::new(arrange);
        self
    }

    /// Mends the server after a run that ended in an error; another over what it left must then
    /// complete.
    pub(crate) fn resume_after(mut self, mend: fn(&Server)) -> Self {
        self.mend = Some(mend);
        self
    }

    pub(crate) fn run(self) -> Ending {
        self.run_after(|_| {})
    }

    /// Searches, lets something happen to the server, and runs.
    pub(crate) fn run_after(self, happen: impl FnOnce(&Server)) -> Ending {
        self.perform(|_, server| happen(server), |_, _| {})
    }

    /// Searches and runs; then lets something happen to the server and runs once more. The ending
    /// is that of the second run.
    pub(crate) fn run_again_after(self, happen: impl FnOnce(&Server)) -> Ending {
        let between = |matches: &Matches, server: &Server| {
            assert!(matches.for_each(drop).unwrap().is_complete());
            happen(server);
        };
        self.perform(between, |_, _| {})
    }

    /// Searches and runs, and calls `each` for every message.
    pub(crate) fn run_during(self, each: impl Fn(&Scene<'_>, u32) + Sync) -> Ending {
        self.perform(|_, _| {}, each)
    }

    /// Searches and runs, and lets something happen to the server in the midst of it, when so many
    /// messages have been handled.
    pub(crate) fn run_disturbed(self, messages: usize, disturb: impl Fn(&Server) + Sync) -> Ending {
        let count = AtomicUsize::new(0);
        self.run_during(|scene, _| {
            if count.fetch_add(1, Ordering::SeqCst) + 1 == messages {
                disturb(scene.server);
            }
        })
    }

    fn perform(
        self,
        happen: impl FnOnce(&Matches, &Server),
        each: impl Fn(&Scene<'_>, u32) + Sync,
    ) -> Ending {
        let leaks = self.leaks;
        let server = self.server;
        let held: Held = server
            .uids("INBOX")
            .into_iter()
            .map(|uid| (uid, server.raw("INBOX", uid).unwrap()))
            .collect();
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = events.clone();
        let builder = server
            .client()
            .workers(self.workers)
            .timeouts(Timeouts::default().read(Duration::from_millis(400)))
            .retry(Retry::default().initial_delay(Duration::from_millis(5)))
            .on_event(move |event| heard.lock().unwrap().push(event.clone()));
        let mailbox = (self.tune)(builder).connect().unwrap();
        let matches = (self.arrange)(mailbox.search(everything()).unwrap());
        server.clear_log();
        happen(&matches, &server);

        let scene = Scene {
            server: &server,
            events: &events,
        };
        let started = Instant::now();
        let result = read(&matches, &held, |uid| each(&scene, uid));
        let time = started.elapsed();
        assert!(time < PATIENCE, "{time:?}");
        let report = matches.last_report().unwrap();
        let log = server.log();
        let events = events.lock().unwrap().clone();
        if let Some(mend) = self.mend {
            assert!(result.is_err() && !report.unfinished().is_empty());
            mend(&server);
            let rest = mailbox.uids(report.unfinished());
            let rest = read(&rest, &held, |_| {}).unwrap();
            assert_eq!(rest.delivered(), report.unfinished(), "{rest}");
        }
        let ending = Ending {
            report,
            error: result.err(),
            events,
            time,
            log,
            connections: server.connections(),
            workers: mailbox.workers(),
        };
        drop((matches, mailbox));
        server.stop();
        leaks.assert_none_left();
        ending
    }
}

/// The messages of the server by UID.
type Held = BTreeMap<u32, Arc<[u8]>>;

/// Runs, and checks that what comes is what the server holds, comes once, and is in the ledger.
fn read(matches: &Matches, held: &Held, each: impl Fn(u32) + Sync) -> Result<Report> {
    let seen = Mutex::new(BTreeMap::<u32, u32>::new());
    let wrong = Mutex::new(Vec::new());
    let result = matches.for_each(|message| {
        let uid = message.uid().get();
        *seen.lock().unwrap().entry(uid).or_default() += 1;
        if message.raw() != &*held[&uid] {
            // A panic here would be taken for the fault of the message.
            wrong.lock().unwrap().push(uid);
        }
        each(uid);
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "not as on the server: {wrong:?}");
    let report = matches.last_report().unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(
        seen.values().all(|times| *times == 1),
        "seen twice: {seen:?}"
    );
    let seen: UidSet = seen.into_keys().filter_map(Uid::new).collect();
    assert_eq!(&seen, report.delivered(), "{report}");
    assert!(adds_up(&report), "{report}");
    assert_eq!(report.error().is_some(), result.is_err());
    result
}

impl Scene<'_> {
    /// How many events there have been so far that are like this.
    pub(crate) fn count(&self, is_it: impl Fn(&Event) -> bool) -> usize {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| is_it(event)).count()
    }
}

impl Ending {
    pub(crate) fn assert_all_delivered(&self) {
        assert!(self.error.is_none(), "{:?}", self.error);
        assert_eq!(
            self.report.delivered(),
            self.report.matched(),
            "{}: {:?}",
            self.report,
            self.report.failed()
        );
    }

    /// All but this one are delivered, which failed.
    pub(crate) fn assert_failed(&self, uid: u32, kind: &ErrorKind) -> &Error {
        let error = self.assert_one_failed(uid);
        assert_eq!(error.kind(), kind, "{error}");
        error
    }

    /// All but this one are delivered, which was refused with this text.
    pub(crate) fn assert_refused(&self, uid: u32, expected: &str) -> &Error {
        let error = self.assert_one_failed(uid);
        assert!(
            matches!(error.kind(), ErrorKind::Server { text, .. } if text == expected),
            "{error}"
        );
        error
    }

    fn assert_one_failed(&self, uid: u32) -> &Error {
        assert!(self.error.is_none(), "{:?}", self.error);
        let [(failed, error)] = self.report.failed() else {
            panic!("{:?}", self.report)
        };
        assert_eq!(failed.get(), uid, "{error}");
        assert_eq!(error.uid(), Some(*failed));
        assert_eq!(
            self.report.delivered().len(),
            self.report.matched().len() - 1
        );
        error
    }

    /// How many events there were that are like this.
    pub(crate) fn count(&self, is_it: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| is_it(event)).count()
    }

    /// How many times the run sent this command.
    pub(crate) fn sent(&self, command: &str) -> usize {
        let command = format!(" {command} ");
        let lines = self.log.iter().map(|entry| &entry.line);
        lines.filter(|line| line.contains(&command)).count()
    }
}

/// All messages, but the crate cannot know that before the answer: so it opens no session while
/// it waits, and a fault that is set afterwards meets them all.
pub(crate) fn everything() -> Query {
    Query::all().smaller(u64::from(u32::MAX))
}
