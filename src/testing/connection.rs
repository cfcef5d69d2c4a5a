//! One connection, from greeting to end: executes the commands that its reader hands over, in
//! order, each not before its latency has passed, and carries out the faults.

use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use imap_codec::imap_types::command::{Command, CommandBody};
use imap_codec::imap_types::core::Tag;

use super::armed::{Armed, Place};
use super::commands::Ending;
use super::dialect::Extension;
use super::dialogue::Dialogue;
use super::fault::{Action, Moment};
use super::link::{Halt, Link};
use super::output::Output;
use super::persona::manners::Manners;
use super::ranges::Ranges;
use super::reader::{Arrival, Event, Reader};
use super::script::{self, Line, Values};
use super::session::{Selected, State};
use super::shared::Shared;

/// How many pipelined commands are taken in ahead of execution; beyond, TCP holds them back.
const AHEAD: usize = 1_024;

/// How long a connection that the server has closed waits for the client to close as well. Without
/// it, unread commands would turn the close into a reset, and the last answer could be lost.
const LINGER: Duration = Duration::from_secs(1);

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) output: Output,
    pub(super) state: State,
    pub(super) selected: Option<Selected>,
    pub(super) faults: Arc<Vec<Arc<Armed>>>,
    /// The lines with which a fault has said that this command is to end.
    pub(super) dictated: Option<String>,
    /// The client has said who it is (ID).
    pub(super) is_known: bool,
    /// How many commands in a row were bad.
    bad_commands: u32,
    /// The tag of IDLE while it lasts.
    pub(super) idle: Option<Tag<'static>>,
    /// What follows AUTHENTICATE, while it lasts.
    pub(super) dialogue: Option<Dialogue>,
    link: Arc<Link>,
    /// Commands that arrived up to then are dropped: a fault.
    deaf_until: Option<Instant>,
}

/// What becomes of a command.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    refused: bool,
    pub(super) reversed: bool,
    deaf: bool,
}

/// Serves a connection until it ends.
pub(super) fn serve(shared: &Arc<Shared>, link: Arc<Link>, number: u64) -> io::Result<()> {
    let (sender, arrivals) = sync_channel(AHEAD);
    thread::scope(move |scope| {
        let reader_link = Arc::clone(&link);
        let reading = thread::Builder::new().name(format!("test-server-reader-{number}"));
        reading.spawn_scoped(scope, move || {
            Reader::new(&reader_link, shared, number, sender).run();
        })?;
        let _end = EndOnPanic(&link);
        let halt = Connection::new(shared, &link, number).run(&arrivals);
        end(&link, &arrivals, halt);
        // The scope waits for the reader, which may be waiting for room in the channel.
        drop(arrivals);
        Ok(())
    })
}

/// Ends the connection when its thread panics: the scope would wait for its reader, and the client
/// for an answer.
struct EndOnPanic<'a>(&'a Link);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}

/// Ends the connection in the way that `halt` says, and its reader with it.
fn end(link: &Link, arrivals: &Receiver<Arrival>, halt: Halt) {
    match halt {
        Halt::Reset => return link.reset(),
        Halt::Stall => while arrivals.recv().is_ok() {},
        Halt::Close => {
            // An error means that the client was first.
            let _ = link.stream.shutdown(Shutdown::Write);
            let deadline = Instant::now() + LINGER;
            let left = || deadline.saturating_duration_since(Instant::now());
            while arrivals.recv_timeout(left()).is_ok() {}
        }
        Halt::Gone => {}
    }
    link.end();
}

impl Connection {
    fn new(shared: &Arc<Shared>, link: &Arc<Link>, number: u64) -> Self {
        let faults = shared.faults.snapshot();
        let place = Place {
            connection: number,
            login: None,
        };
        let pace = shared.settings.octets_per_second;
        Self {
            shared: Arc::clone(shared),
            output: Output::new(
                Arc::clone(link),
                place,
                &faults,
                pace,
                shared.uplink.clone(),
            ),
            state: State::NotAuthenticated,
            selected: None,
            faults,
            dictated: None,
            is_known: false,
            bad_commands: 0,
            idle: None,
            dialogue: None,
            link: Arc::clone(link),
            deaf_until: None,
        }
    }

    fn run(mut self, arrivals: &Receiver<Arrival>) -> Halt {
        let halt = self.converse(arrivals);
        if halt == Halt::Close {
            // The client may be gone; then there is nobody to tell.
            let _ = self.output.flush();
        }
        halt
    }

    /// Greets and answers; ends only with a reason to.
    fn converse(&mut self, arrivals: &Receiver<Arrival>) -> Halt {
        let opened = self
            .wait_for_latency(Instant::now())
            .and_then(|()| self.greet());
        if let Err(halt) = opened {
            return halt;
        }
        // The channel closes when the client has, after its last command.
        while let Ok(arrival) = arrivals.recv() {
            if let Err(halt) = self.answer(arrival) {
                return halt;
            }
        }
        Halt::Close
    }

    pub(super) fn wait_for_latency(&self, arrived: Instant) -> Result<(), Halt> {
        if self.shared.settings.latency.is_zero() {
            return Ok(());
        }
        self.link.wait_until(arrived + self.shared.settings.latency)
    }

    fn greet(&mut self) -> Result<(), Halt> {
        let mut condition = "OK";
        for armed in Arc::clone(&self.faults).iter() {
            match armed.strike(self.output.place, Moment::Greeting, |_| false) {
                Some(Action::Preauth) => {
                    condition = "PREAUTH";
                    self.state = State::Authenticated { _guard: None };
                }
                Some(action) => self.output.strike(action)?,
                None => {}
            }
        }
        if self.manners().closes_on_too_many.value
            && let Some(most) = self.shared.max_sessions()
            && self.shared.registry.connections().open > most
        {
            return Err(Halt::Close);
        }
        let greeting = format!("* {condition} {}", self.manners().greeting.value);
        let greeted = self.shared.greeted_capabilities();
        if let Some(line) = self.values().with("capabilities", greeted).fill(&greeting) {
            self.put_line(&line)?;
        }
        self.output.flush()
    }

    fn answer(&mut self, arrival: Arrival) -> Result<(), Halt> {
        if self.deaf_until.is_some_and(|until| arrival.at <= until) {
            return Ok(());
        }
        self.wait_for_latency(arrival.at)?;
        match arrival.event {
            Event::Command(command, extension, dialogue) => {
                self.dialogue = dialogue;
                let obeyed = self.obey(*command, &extension);
                // What the client sends next are commands again.
                self.dialogue = None;
                obeyed?;
            }
            Event::Continue => self.put_line(self.manners().go_ahead.value)?,
            Event::Bad(tag, problem) => self.refuse(tag, problem)?,
            Event::IdleDone => self.end_idle()?,
        }
        self.output.flush()
    }

    /// Executes a command between the faults before and after it.
    fn obey(&mut self, command: Command<'static>, extension: &Extension) -> Result<(), Halt> {
        self.faults = self.shared.faults.snapshot();
        self.dictated = None;
        let name = command.body.name();
        if matches!(
            command.body,
            CommandBody::Login { .. } | CommandBody::Authenticate { .. }
        ) {
            self.output.place.login = Some(self.shared.registry.count_login());
        }
        let verdict = self.judge(&command)?;
        if verdict.refused {
            // The fault speaks in place of the command.
            self.finish(&command.tag, &Ending::of("{tag} BAD refused"))?;
        } else {
            self.execute(command, extension, &verdict)?;
        }
        for armed in Arc::clone(&self.faults).iter() {
            if let Some(action) = armed.strike(self.output.place, Moment::After(name), |_| false) {
                self.output.strike(action)?;
            }
        }
        // Before the last octets leave: what the client sends when it has them is no pipelining.
        self.deaf_until = verdict.deaf.then(Instant::now);
        self.output.flush()
    }

    /// Carries out the faults that strike before a command.
    fn judge(&mut self, command: &Command<'static>) -> Result<Verdict, Halt> {
        let is_logged_in = matches!(self.state, State::Authenticated { .. });
        let mut verdict = Verdict {
            deaf: match command.body {
                CommandBody::Login { .. } => !self.manners().keeps_behind_login.value,
                CommandBody::Authenticate { .. } => !self.manners().keeps_behind_authenticate.value,
                _ => false,
            } && !is_logged_in,
            ..Verdict::default()
        };
        let name = command.body.name();
        for armed in Arc::clone(&self.faults).iter() {
            // A command ends once: another such fault is for the next one.
            if armed.dictates() && self.dictated.is_some() {
                continue;
            }
            let asked = |uid| self.asks_for(&command.body, uid);
            let action = armed.strike(self.output.place, Moment::Before(name), asked);
            match action {
                Some(action @ (Action::Answer(_) | Action::Lines(_))) => {
                    self.dictated = action.dictation();
                    verdict.refused |= self.is_refusal_dictated();
                }
                Some(Action::Reversed) => verdict.reversed = true,
                Some(Action::DropPipelined) => verdict.deaf = true,
                Some(action) => self.output.strike(action)?,
                None => {}
            }
        }
        Ok(verdict)
    }

    /// Whether a command names this UID, in a set of UIDs or of sequence numbers.
    fn asks_for(&self, body: &CommandBody<'_>, uid: u32) -> bool {
        let (CommandBody::Fetch {
            sequence_set,
            uid: by_uid,
            ..
        }
        | CommandBody::Store {
            sequence_set,
            uid: by_uid,
            ..
        }) = body
        else {
            return false;
        };
        let Some(selected) = &self.selected else {
            return false;
        };
        if *by_uid {
            let largest = selected.uids.last().copied().unwrap_or(0);
            return Ranges::new(sequence_set, largest).contains(uid);
        }
        let length = super::mailbox::count(selected.uids.len());
        let position = selected.position(uid).and_then(super::session::number);
        position.is_some_and(|number| Ranges::new(sequence_set, length).contains(number.get()))
    }

    /// Compresses both ways after the answer; says whether that is new.
    pub(super) fn begin_compression(&mut self) -> bool {
        let is_new = self.output.compress_after_flush();
        self.link.expect_deflated();
        is_new
    }

    /// Whether a fault dictates another ending than OK.
    pub(super) fn is_refusal_dictated(&self) -> bool {
        let lines = self.dictated.as_ref();
        lines.is_some_and(|lines| !lines.lines().any(|line| line.starts_with("{tag} OK")))
    }

    pub(super) fn manners(&self) -> &'static Manners {
        self.shared.settings.manners
    }

    /// What may stand in any line.
    pub(super) fn values(&self) -> Values {
        let place = self.output.place;
        Values::default()
            .with("capabilities", self.capabilities())
            .with("user", &self.shared.settings.user)
            .with("limit", self.shared.limit_text())
            .with("session", format_args!("s{:09}", place.connection))
    }

    /// Sends a line, with its end.
    pub(super) fn put_line(&mut self, line: &str) -> Result<(), Halt> {
        self.output.put(line.as_bytes())?;
        self.output.put(b"\r\n")
    }

    /// Ends the answer to a command; with what a fault dictates, where one does.
    pub(super) fn finish(&mut self, tag: &Tag<'_>, ending: &Ending) -> Result<(), Halt> {
        let dictated = self.dictated.take();
        let values = ending.values.clone().with("tag", tag.inner());
        let mut closes = false;
        for line in script::lines(ending.lines) {
            match line {
                Line::Tagged(text) => {
                    if let Some(dictated) = &dictated {
                        closes |= self.dictate(tag, dictated)?;
                        continue;
                    }
                    if text.starts_with("BAD") {
                        self.bad_commands += 1;
                    } else {
                        self.bad_commands = 0;
                    }
                    if let Some(text) = values.fill(text) {
                        self.put_line(&format!("{} {text}", tag.inner()))?;
                    }
                }
                Line::Untagged(line) => {
                    if let Some(line) = values.fill(line) {
                        self.put_line(&line)?;
                    }
                }
                Line::Bye(line) => {
                    closes = true;
                    if let Some(line) = values.fill(line) {
                        self.put_line(&line)?;
                    }
                }
                Line::Close => closes = true,
            }
        }
        if self.bad_commands >= self.manners().max_bad_commands.value {
            self.bad_commands = 0;
            return self.finish(tag, &Ending::of(self.manners().too_many_bad_commands.value));
        }
        if closes { Err(Halt::Close) } else { Ok(()) }
    }

    /// Says what a fault dictates, and whether the connection ends with it.
    fn dictate(&mut self, tag: &Tag<'_>, lines: &str) -> Result<bool, Halt> {
        let mut closes = false;
        for line in lines.lines() {
            if line == "{close}" {
                return Ok(true);
            }
            closes |= line.starts_with("* BYE");
            self.put_line(&line.replacen("{tag}", tag.inner(), 1))?;
        }
        Ok(closes)
    }
}
