//! The sessions of a mailbox: as many as workers at most, opened when needed, kept for the next
//! run.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::governor::Governor;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::refusal::Refusal;
use crate::session::{Opening, Peer, Selected, Session, Settings};
use crate::stop::Stop;
use crate::transport::TICK;

#[derive(Debug)]
pub(crate) struct Sessions {
    settings: Arc<Settings>,
    governor: Governor,
    peer: Arc<Peer>,
    /// Raised when nobody can use a session any more.
    closing: Stop,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    idle: Vec<Session>,
    /// Opened ahead of need, with their last answers unread.
    openings: Vec<Opening>,
    /// Idle, lent out, or being opened.
    open: usize,
    /// Being opened for whoever will need one.
    warming: usize,
    /// At most so many: the workers asked for, or what the server has granted.
    limit: usize,
    selected: Option<Selected>,
    is_closed: bool,
    /// Callers of `check_out` that found nothing.
    waiting: usize,
}

/// What a borrower gets.
#[derive(Debug)]
pub(super) enum Lent {
    Session(Box<Session>),
    /// To be completed by [`Sessions::complete`], sooner or later.
    Opening(Opening),
}

impl Sessions {
    pub(crate) fn new(settings: Settings) -> Self {
        let limit = settings.workers;
        let state = State {
            idle: Vec::new(),
            openings: Vec::new(),
            open: 0,
            warming: 0,
            limit,
            selected: None,
            is_closed: false,
            waiting: 0,
        };
        Self {
            settings: Arc::new(settings),
            governor: Governor::default(),
            peer: Arc::default(),
            closing: Stop::default(),
            state: Mutex::new(state),
            freed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn governor(&self) -> &Governor {
        &self.governor
    }

    /// All workers slow down, and one fewer goes on.
    pub(super) fn throttled(&self, pause: Duration) {
        if self.governor.hold_off(pause) {
            self.settings.emit(&Event::Throttled { pause });
            self.use_one_less();
        }
    }

    /// Makes do with one session less, as long as one is left.
    pub(super) fn use_one_less(&self) {
        let mut state = self.lock();
        state.limit = (state.limit - 1).max(1);
    }

    /// What the last EXAMINE told.
    pub(crate) fn selected(&self) -> Option<Selected> {
        self.lock().selected
    }

    pub(crate) fn limit(&self) -> usize {
        self.lock().limit
    }

    pub(crate) fn open(&self) -> usize {
        self.lock().open
    }

    /// Lends a session: an idle one, a new one, or one that is given back while this waits. The
    /// borrower ends its waits by `stop`.
    pub(crate) fn check_out(&self, stop: &Stop) -> Result<Session> {
        match self.check_out_early(stop)? {
            Lent::Session(session) => Ok(*session),
            Lent::Opening(opening) => self.complete(opening, stop),
        }
    }

    /// As [`check_out`](Sessions::check_out), but a new session may have its answers to the login
    /// unread.
    pub(super) fn check_out_early(&self, stop: &Stop) -> Result<Lent> {
        let end = Instant::now() + self.settings.timeouts.session;
        let mut state = self.lock();
        // Whoever comes goes behind those who wait, or a worker that gave its session up for one
        // of them would take it again.
        let mut has_waited = state.waiting == 0;
        loop {
            if state.is_closed {
                return Err(Error::config("this mailbox was closed; connect again"));
            }
            if stop.is_raised() {
                return Err(Error::cancelled());
            }
            if has_waited {
                if let Some(mut session) = state.idle.pop() {
                    drop(state);
                    session.attach(stop.clone(), true);
                    return Ok(Lent::Session(Box::new(session)));
                }
                if let Some(mut opening) = state.openings.pop() {
                    drop(state);
                    opening.attach(stop.clone());
                    return Ok(Lent::Opening(opening));
                }
                if state.open < state.limit {
                    state.open += 1;
                    drop(state);
                    return self.open_counted(stop);
                }
            }
            if Instant::now() >= end {
                return Err(Error::new(
                    ErrorKind::SessionLimit,
                    format!(
                        "all {} sessions are busy with other runs, for {:?}; finish those, raise \
                         `workers`, or connect once more",
                        state.limit, self.settings.timeouts.session
                    ),
                ));
            }
            state.waiting += 1;
            let woken = self.freed.wait_timeout(state, TICK);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
            state.waiting -= 1;
            has_waited = true;
        }
    }

    /// Opens a session for a place that is counted already.
    fn open_counted(&self, stop: &Stop) -> Result<Lent> {
        match open(&self.settings, &self.peer, stop) {
            Ok(Lent::Session(session)) => {
                let session = self.admit(Ok(*session))?;
                Ok(Lent::Session(Box::new(session)))
            }
            Ok(opening) => Ok(opening),
            Err(error) => Err(self.not_opened(error)),
        }
    }

    /// Whether somebody waits for a session and there is none to be had.
    pub(super) fn is_one_wanted(&self) -> bool {
        let state = self.lock();
        // Those under way are had without anybody's giving one up.
        let spare = state.warming + state.idle.len() + state.openings.len();
        state.waiting > spare && state.open >= state.limit
    }

    /// Opens sessions, on threads of their own, until so many are open: for a run that will need
    /// them and has something else to wait for now. What fails here will fail again for the run,
    /// which then deals with it.
    pub(crate) fn warm_up(self: &Arc<Self>, wanted: usize) {
        let missing = {
            let mut state = self.lock();
            let missing = wanted.min(state.limit).saturating_sub(state.open);
            state.open += missing;
            state.warming += missing;
            missing
        };
        for index in 0..missing {
            let sessions = Arc::downgrade(self);
            let (settings, peer) = (self.settings.clone(), self.peer.clone());
            let stop = self.closing.clone();
            let open = move || {
                let opened = open(&settings, &peer, &stop);
                // Without it, the last handle is gone, and the session with it.
                if let Some(sessions) = sessions.upgrade() {
                    sessions.warmed(opened);
                }
            };
            let name = format!("mailbox-open-{index}");
            if thread::Builder::new().name(name).spawn(open).is_err() {
                let mut state = self.lock();
                state.open -= 1;
                state.warming -= 1;
            }
        }
    }

    fn warmed(&self, opened: Result<Lent>) {
        let result = match opened {
            Ok(Lent::Opening(opening)) => {
                let mut state = self.lock();
                state.warming -= 1;
                if state.is_closed {
                    state.open -= 1;
                } else {
                    state.openings.push(opening);
                }
                drop(state);
                self.freed.notify_one();
                return;
            }
            Ok(Lent::Session(session)) => self.admit(Ok(*session)),
            Err(error) => self.admit(Err(error)),
        };
        self.lock().warming -= 1;
        match result {
            Ok(session) => self.check_in(session),
            Err(error) => self.settings.emit(&Event::SessionRefused {
                error,
                // By the worker that needs it.
                retry_in: Some(Duration::ZERO),
            }),
        }
    }

    /// Makes a session of an opening. If the server takes something for a violation that is none,
    /// it is opened anew, step by step, and without the FETCH commands that were sent.
    pub(super) fn complete(&self, opening: Opening, stop: &Stop) -> Result<Session> {
        let (settings, peer) = (&*self.settings, &*self.peer);
        let went_first = opening.went_first();
        let result = match opening.finish(settings, peer, stop) {
            Err(error) if went_first && *error.kind() == ErrorKind::Protocol => {
                Session::open(settings, peer, stop)
            }
            result => result,
        };
        self.admit(result)
    }

    /// Takes note of how opening a session ended, for a place that is counted already.
    fn admit(&self, result: Result<Session>) -> Result<Session> {
        let result = result.and_then(|session| {
            let found = session.selected();
            let mut state = self.lock();
            match state.selected {
                Some(selected) if selected.uid_validity != found.uid_validity => {
                    let (expected, found) = (selected.uid_validity, found.uid_validity);
                    Err(Error::new(
                        ErrorKind::UidValidityChanged { expected, found },
                        format!(
                            "mailbox {:?} was made anew; connect and search again",
                            self.settings.mailbox
                        ),
                    ))
                }
                _ => {
                    state.selected = Some(found);
                    Ok(session)
                }
            }
        });
        let session = result.map_err(|error| self.not_opened(error))?;
        if !self.settings.are_workers_chosen
            && let Some(most) = self.peer.usual_sessions()
        {
            let mut state = self.lock();
            state.limit = state.limit.min(most);
        }
        self.settings
            .emit(&Event::SessionOpened { open: self.open() });
        Ok(session)
    }

    /// Takes note that a place that was counted is free.
    fn not_opened(&self, error: Error) -> Error {
        let mut state = self.lock();
        state.open -= 1;
        if *error.kind() == ErrorKind::SessionLimit && state.open > 0 {
            state.limit = state.limit.min(state.open);
        }
        drop(state);
        self.freed.notify_one();
        if let Some(hint) = error.refusal().and_then(Refusal::hint) {
            self.throttled(hint);
        }
        error
    }

    /// Takes back a session with nothing in flight.
    pub(crate) fn check_in(&self, mut session: Session) {
        session.rest();
        let mut state = self.lock();
        if state.is_closed || state.open > state.limit {
            state.open -= 1;
            drop(state);
            Session::log_out_all(vec![session]);
        } else {
            state.idle.push(session);
            drop(state);
        }
        self.freed.notify_one();
    }

    /// Takes note that a session is no more. Its connection is closed.
    pub(crate) fn discard(&self, session: Session) {
        drop(session);
        self.lock().open -= 1;
        self.freed.notify_one();
    }

    /// Ends all idle sessions by LOGOUT, and those lent out when they come back.
    pub(crate) fn close(&self) {
        let idle = {
            let mut state = self.lock();
            state.is_closed = true;
            self.closing.raise();
            let idle = std::mem::take(&mut state.idle);
            state.open -= idle.len() + state.openings.len();
            state.openings.clear();
            idle
        };
        self.freed.notify_all();
        Session::log_out_all(idle);
    }
}

/// Opens a session, as far as can be without waiting for the server to answer.
fn open(settings: &Settings, peer: &Peer, stop: &Stop) -> Result<Lent> {
    Ok(match Opening::begin(settings, peer, stop)? {
        Some(opening) => Lent::Opening(opening),
        None => Lent::Session(Box::new(Session::open(settings, peer, stop)?)),
    })
}

impl Drop for Sessions {
    fn drop(&mut self) {
        self.closing.raise();
    }
}
