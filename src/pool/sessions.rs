//! The sessions of a mailbox: as many as workers at most, opened when needed, kept for the next
//! run. Each is lent as a [`Lease`], which gives its place back however it ends. Whoever finds none
//! waits in line.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::lease::{Lease, Lent, Place, Setup};
use super::pace::Pace;
use crate::counter::Counter;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::refusal::Refusal;
use crate::session::{Opening, Peer, Selected, Session, Settings};
use crate::stop::Stop;
use crate::transport::TICK;

/// After so long without use, a session is asked whether it is alive before it is lent. A network
/// that forgets connections does so after minutes.
const LONG_IDLE: Duration = Duration::from_secs(30);

/// How long it may take over the answer.
const CHECK_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Sessions {
    settings: Arc<Settings>,
    peer: Arc<Peer>,
    /// The server loses commands that it is sent while it answers another.
    is_serial: AtomicBool,
    users: Counter,
    /// Those who wait in line.
    waiting: AtomicUsize,
    state: Mutex<State>,
    /// Told when a place may have become free.
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    idle: Vec<Session>,
    /// Idle, lent out, or being opened.
    open: usize,
    pace: Pace,
    selected: Option<Selected>,
    is_closed: bool,
    line: VecDeque<Waiter>,
    tickets: u64,
    /// How many sessions each user has.
    lent: BTreeMap<u64, usize>,
    /// Sessions whose workers wait for another, from within the caller's closure.
    stranded: usize,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    user: u64,
}

thread_local! {
    /// The sessions of which a worker on this thread holds one while the caller's closure runs.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// How long somebody waits for a session, and which will do.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    /// Who it is. A run's workers are one user.
    pub(super) user: u64,
    pub(super) stop: &'a Stop,
    /// It must have been opened after this one.
    pub(super) newer_than: u64,
    /// Whether there is still a use for a session that has to be opened.
    pub(super) is_needed: &'a dyn Fn() -> bool,
    /// Whether this user has other sessions, and so goes on meanwhile.
    pub(super) has_others: &'a dyn Fn() -> bool,
}

impl Sessions {
    pub(crate) fn new(settings: Settings) -> Self {
        let state = State {
            idle: Vec::new(),
            open: 0,
            pace: Pace::new(settings.workers),
            selected: None,
            is_closed: false,
            line: VecDeque::new(),
            tickets: 0,
            lent: BTreeMap::new(),
            stranded: 0,
        };
        Self {
            settings: Arc::new(settings),
            peer: Arc::default(),
            is_serial: AtomicBool::new(false),
            users: Counter::default(),
            waiting: AtomicUsize::new(0),
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

    /// A number for somebody who borrows sessions.
    pub(crate) fn new_user(&self) -> u64 {
        self.users.next()
    }

    /// What the last EXAMINE told.
    pub(crate) fn selected(&self) -> Option<Selected> {
        self.lock().selected
    }

    /// How many sessions there may be now.
    pub(crate) fn limit(&self) -> usize {
        self.lock().pace.limit(Instant::now())
    }

    pub(super) fn open(&self) -> usize {
        self.lock().open
    }

    // ---- what the server bears ----

    pub(super) fn use_one_command_at_a_time(&self) {
        self.is_serial.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_serial(&self) -> bool {
        self.is_serial.load(Ordering::Relaxed)
    }

    /// The server asks to slow down: all workers do, and one fewer goes on for a while.
    /// Returns whether this is news.
    pub(crate) fn throttled(&self, hint: Option<Duration>) -> bool {
        let longest = self.settings.retry.max_delay;
        let pause = self.lock().pace.throttled(hint, longest, Instant::now());
        if let Some(pause) = pause {
            self.settings.emit(&Event::Throttled { pause });
        }
        pause.is_some()
    }

    /// Takes note of what an error says about how much the server bears.
    pub(crate) fn learn(&self, error: &Error) {
        match error.refusal() {
            Some(Refusal::Throttled(hint)) => {
                self.throttled(hint);
            }
            Some(Refusal::Limit) => {
                self.throttled(None);
            }
            Some(Refusal::SessionLimit) => {
                let mut state = self.lock();
                let others = state.open.saturating_sub(1);
                state.pace.refused(others, Instant::now());
            }
            _ => {}
        }
    }

    /// How long the server is to be left in peace from now on.
    pub(super) fn pause_left(&self) -> Duration {
        self.lock().pace.pause_left(Instant::now())
    }

    // ---- lending ----

    /// Lends a session to a caller who waits for it: an idle one, a new one, or one that is given
    /// back meanwhile.
    pub(crate) fn check_out(self: &Arc<Self>, stop: &Stop) -> Result<Lease> {
        let wish = Wish {
            user: self.new_user(),
            stop,
            newer_than: 0,
            is_needed: &|| true,
            has_others: &|| false,
        };
        match self.lend(&wish)? {
            Some(Lent::Session(lease)) => Ok(*lease),
            Some(Lent::Setup(setup)) => self.complete(setup, stop),
            // It is needed.
            None => Err(Error::cancelled()),
        }
    }

    /// Lends a session, or one whose answers to the login are yet unread. `None` if it would have to
    /// be opened and is not needed any more.
    pub(super) fn lend(self: &Arc<Self>, wish: &Wish<'_>) -> Result<Option<Lent>> {
        loop {
            let (place, idle) = self.wait_for_place(wish)?;
            let Some(mut session) = idle else {
                return match (wish.is_needed)() {
                    true => self.set_up(place, wish.stop).map(Some),
                    false => Ok(None),
                };
            };
            // What has died of old age costs nobody a try.
            if self.is_fit(&mut session, wish.stop)? {
                return Ok(Some(Lent::Session(Box::new(Lease::new(session, place)))));
            }
        }
    }

    fn is_fit(&self, session: &mut Session, stop: &Stop) -> Result<bool> {
        session.attach(stop.clone(), true);
        let timeouts = &self.settings.timeouts;
        let idle = session.idle_for();
        if idle >= timeouts.idle || session.age() >= timeouts.lifetime {
            return Ok(false);
        }
        if idle < LONG_IDLE {
            return Ok(true);
        }
        match session.check(CHECK_PATIENCE) {
            Ok(()) => Ok(true),
            Err(error) if *error.kind() == ErrorKind::Cancelled => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Waits in line for a place, perhaps with an idle session in it.
    fn wait_for_place(self: &Arc<Self>, wish: &Wish<'_>) -> Result<(Place, Option<Session>)> {
        let end = Instant::now().checked_add(self.settings.timeouts.session);
        let is_stranded = HELD.get() == self.address();
        let mut state = self.lock();
        state.tickets += 1;
        let ticket = state.tickets;
        let user = wish.user;
        state.line.push_back(Waiter { ticket, user });
        self.waiting.fetch_add(1, Ordering::SeqCst);
        state.stranded += usize::from(is_stranded);
        let result = loop {
            if state.is_closed {
                let text = "this mailbox was closed; connect again";
                break Err(Error::config(text));
            }
            if wish.stop.is_raised() {
                break Err(Error::cancelled());
            }
            if state.is_next(ticket)
                && let Some(idle) = state.free_place(wish.newer_than)
            {
                *state.lent.entry(user).or_default() += 1;
                break Ok((Place::new(self.clone(), user), idle));
            }
            if is_stranded && state.stranded + state.idle.len() >= state.open {
                break Err(stranded(state.open));
            }
            if end.is_some_and(|end| Instant::now() >= end) && !(wish.has_others)() {
                break Err(self.all_busy(state.pace.limit(Instant::now())));
            }
            let woken = self.freed.wait_timeout(state, TICK);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.line.retain(|waiter| waiter.ticket != ticket);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        state.stranded -= usize::from(is_stranded);
        drop(state);
        // There may be a place for the next as well.
        self.freed.notify_all();
        result
    }

    fn all_busy(&self, limit: usize) -> Error {
        let time = self.settings.timeouts.session;
        Error::new(
            ErrorKind::SessionLimit,
            format!(
                "all {limit} sessions are busy with other runs, for {time:?}; finish those, raise \
                 `workers`, or connect once more"
            ),
        )
    }

    /// Whether somebody else waits for a session who has fewer than this user.
    pub(super) fn is_one_wanted(&self, user: u64) -> bool {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let mut state = self.lock();
        if !state.idle.is_empty() || state.open < state.pace.limit(Instant::now()) {
            return false;
        }
        let mine = state.lent_to(user);
        let mut waiters = state.line.iter();
        waiters.any(|waiter| {
            let theirs = state.lent_to(waiter.user);
            waiter.user != user && (theirs == 0 || theirs + 1 < mine)
        })
    }

    /// Runs the caller's closure on a worker's thread. If the closure asks for a session itself
    /// while all are held in this way, it is told so instead of waiting for ever.
    pub(super) fn holding<T>(&self, closure: impl FnOnce() -> T) -> T {
        let before = HELD.replace(self.address());
        let value = closure();
        HELD.set(before);
        value
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    // ---- opening ----

    /// Opens a session in this place, as far as can be without waiting for the server to answer.
    fn set_up(&self, mut place: Place, stop: &Stop) -> Result<Lent> {
        self.wait_out_the_pause(stop)?;
        let (settings, peer) = (&*self.settings, &*self.peer);
        let opening = Opening::begin(settings, peer, stop);
        let session = match opening.map_err(|error| self.not_opened(error, &mut place))? {
            Some(opening) => return Ok(Lent::Setup(Setup { opening, place })),
            None => Session::open(settings, peer, stop),
        };
        let lease = self.admit(session, place)?;
        Ok(Lent::Session(Box::new(lease)))
    }

    /// Makes a session of one that is being set up. If the server takes something for a violation
    /// that is none, it is opened anew, step by step, and without the FETCH commands that were
    /// sent.
    pub(super) fn complete(&self, setup: Setup, stop: &Stop) -> Result<Lease> {
        let (settings, peer) = (&*self.settings, &*self.peer);
        let Setup { opening, place } = setup;
        let went_first = opening.went_first();
        let result = match opening.finish(settings, peer, stop) {
            Err(error) if went_first && *error.kind() == ErrorKind::Protocol => {
                Session::open(settings, peer, stop)
            }
            result => result,
        };
        self.admit(result, place)
    }

    /// Nobody signs in while the server wants to be left in peace.
    fn wait_out_the_pause(&self, stop: &Stop) -> Result<()> {
        loop {
            if stop.is_raised() {
                return Err(Error::cancelled());
            }
            let left = self.pause_left();
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(TICK));
        }
    }

    /// Takes note of how opening a session ended.
    fn admit(&self, result: Result<Session>, mut place: Place) -> Result<Lease> {
        let session = result
            .and_then(|session| self.check_identity(session))
            .map_err(|error| self.not_opened(error, &mut place))?;
        if !self.settings.are_workers_chosen
            && let Some(most) = self.peer.usual_sessions()
        {
            self.lock().pace.bound(most);
        }
        self.settings
            .emit(&Event::SessionOpened { open: self.open() });
        Ok(Lease::new(session, place))
    }

    /// Whether it is the mailbox that the others have open.
    fn check_identity(&self, session: Session) -> Result<Session> {
        let found = session.selected();
        let mut state = self.lock();
        match state.selected {
            Some(selected) if selected.uid_validity != found.uid_validity => {
                let (expected, found) = (selected.uid_validity, found.uid_validity);
                Err(Error::new(
                    ErrorKind::UidValidityChanged { expected, found },
                    format!(
                        "mailbox {:?} was deleted and recreated, or its server gives it another \
                         UIDVALIDITY each time it is opened, as some do until a mailbox has been \
                         opened for writing once; connect and search again, in the second case \
                         with `workers(1)`",
                        self.settings.mailbox
                    ),
                ))
            }
            _ => {
                state.selected = Some(found);
                Ok(session)
            }
        }
    }

    fn not_opened(&self, error: Error, place: &mut Place) -> Error {
        match error.refusal() {
            Some(Refusal::SessionLimit) => place.refuse(),
            _ if matches!(error.kind(), ErrorKind::UidValidityChanged { .. }) => place.refuse(),
            _ => self.learn(&error),
        }
        error
    }

    // ---- for leases ----

    /// A session in good order is free.
    pub(super) fn take_back(&self, mut session: Session, user: u64) {
        session.rest();
        let mut state = self.lock();
        state.returned(user);
        if state.is_closed || state.open > state.pace.limit(Instant::now()) {
            state.open -= 1;
            drop(state);
            self.freed.notify_all();
            Session::log_out_all(vec![session]);
            return;
        }
        state.idle.push(session);
        drop(state);
        self.freed.notify_all();
    }

    /// A place is free, with no session in it, perhaps because the server did not grant it.
    pub(super) fn free(&self, user: u64, is_refused: bool) {
        let mut state = self.lock();
        state.returned(user);
        state.open -= 1;
        if is_refused {
            let others = state.open;
            state.pace.refused(others, Instant::now());
        }
        drop(state);
        self.freed.notify_all();
    }

    /// Ends all idle sessions by LOGOUT, and those lent out when they come back.
    pub(crate) fn close(&self) {
        let idle = {
            let mut state = self.lock();
            state.is_closed = true;
            let idle = std::mem::take(&mut state.idle);
            state.open -= idle.len();
            idle
        };
        self.freed.notify_all();
        Session::log_out_all(idle);
    }
}

impl State {
    fn lent_to(&self, user: u64) -> usize {
        self.lent.get(&user).copied().unwrap_or_default()
    }

    fn returned(&mut self, user: u64) {
        if let Some(lent) = self.lent.get_mut(&user) {
            *lent -= 1;
            if *lent == 0 {
                self.lent.remove(&user);
            }
        }
    }

    /// Whose turn it is: who has the fewest sessions, and of these who came first.
    fn is_next(&self, ticket: u64) -> bool {
        let next = self
            .line
            .iter()
            .min_by_key(|waiter| (self.lent_to(waiter.user), waiter.ticket));
        next.is_some_and(|next| next.ticket == ticket)
    }

    /// Takes a place if there is one, with the session in it if that is new enough.
    fn free_place(&mut self, newer_than: u64) -> Option<Option<Session>> {
        // The last that came back is the likeliest to be alive.
        let fitting = self.idle.iter().rposition(|idle| idle.id() > newer_than);
        if let Some(at) = fitting {
            return Some(Some(self.idle.remove(at)));
        }
        if self.open < self.pace.limit(Instant::now()) {
            self.open += 1;
            return Some(None);
        }
        // In place of one that is too old for this.
        self.idle.pop().map(|_| None)
    }
}

fn stranded(open: usize) -> Error {
    Error::new(
        ErrorKind::SessionLimit,
        format!(
            "this is called from a closure of a run, and all {open} sessions of the mailbox are \
             held by workers that wait in the same way; call it outside of the closure, raise \
             `workers`, or connect once more and use that handle in the closure"
        ),
    )
}
