//! The control plane: one authenticated connection with the mailbox selected. The only folder
//! that names `imap`, which does the talking up to EXAMINE; SEARCH and FETCH are ours, on the
//! same connection.
//!
//! SEARCH is not left to the `imap` crate, because that would hold the whole answer three times
//! over (as text, as a list, as a hash set), could not send a literal, which text beyond ASCII
//! needs, and could not read an ESEARCH answer.

mod ahead;
mod command;
#[cfg(feature = "compress")]
mod compress;
mod fence;
mod follow_up;
mod gate;
mod greet;
mod heard;
mod literals;
mod login;
mod open;
mod opening;
mod peer;
mod presence;
mod provider;
mod search;
mod settings;
mod token;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::command::run_with;
use self::fence::{Fence, Handle};
use self::gate::Gate;
use self::heard::Told;
use self::literals::Literals;
pub(crate) use self::opening::Opening;
use self::peer::Counted;
pub(crate) use self::peer::Peer;
pub(crate) use self::presence::Presence;
pub use self::settings::{Mechanism, Security};
pub(crate) use self::settings::{Settings, Teller};
use self::token::Tokens;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::event::Event;
use crate::fetch::{Answer, Fetch, Reader};
use crate::pulse::Pulse;
use crate::stop::Stop;
use crate::transport::Phase;
use crate::uid_set::{Uid, UidSet};

/// The tags of our own commands begin with this letter, those of the `imap` crate with an `a`.
const TAG_PREFIX: u8 = b'p';

/// Of the command that ends a session.
const LOGOUT_TAG: &str = "p0";

/// An answer takes one; the others are for packets that have to be sent again.
const ROUND_TRIPS_FOR_A_SIGN: u32 = 4;

/// How long a LOGOUT may take. The session is over either way.
const LOGOUT_PATIENCE: Duration = Duration::from_secs(2);

/// What EXAMINE told about the mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) exists: u32,
    pub(crate) uid_validity: u32,
    /// `None` if the server did not say.
    pub(crate) uid_next: Option<u32>,
}

/// An authenticated connection with the mailbox selected read-only.
#[derive(Debug)]
pub(crate) struct Session {
    control: imap::Session<Handle>,
    /// The same connection as `control` holds. Locked by whichever plane is at work; they take
    /// turns within one thread, so nobody ever waits.
    fence: Arc<Mutex<Fence>>,
    selected: Selected,
    /// The server answers a SEARCH in ranges if asked to (RFC 4731).
    has_esearch: bool,
    literals: Literals,
    /// The server is Gmail, or speaks like it.
    has_gmail: bool,
    /// Counts the sessions of this process.
    id: u64,
    opened: Instant,
    /// When it was last put into the pool, or was opened.
    idle_since: Instant,
    round_trip: Duration,
    commands: u64,
    /// It has been idle in the pool since it was last used.
    is_reused: bool,
    /// Answers to FETCH commands since it was taken from the pool.
    answers: u64,
    /// The mailbox, as it goes over the wire.
    examined: String,
    teller: Teller,
    _counted: Counted,
}

impl Session {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// How long ago the session was opened.
    pub(crate) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// How long the server took for the quickest of the commands that set the session up.
    pub(crate) fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// For how long it has been in the pool, or open.
    pub(crate) fn idle_for(&self) -> Duration {
        self.idle_since.elapsed()
    }

    pub(crate) fn selected(&self) -> Selected {
        self.selected
    }

    fn fence(&self) -> MutexGuard<'_, Fence> {
        lock(&self.fence)
    }

    /// Hands the session to a new user, who ends its waits by `stop`.
    pub(crate) fn attach(&mut self, stop: Stop, is_reused: bool) {
        self.fence().wire.set_stop(stop);
        self.is_reused = is_reused;
        self.answers = 0;
    }

    /// Takes note that the session is idle from now on.
    pub(crate) fn rest(&mut self) {
        self.attach(Stop::default(), true);
        self.idle_since = Instant::now();
    }

    /// From now on, answers to FETCH are a sign of life for all sessions with this pulse.
    pub(crate) fn set_pulse(&mut self, pulse: Pulse) {
        self.fence().wire.set_pulse(pulse);
    }

    /// Whether FETCH commands were sent with the login.
    pub(crate) fn has_commands(&self) -> bool {
        self.commands > 0
    }

    /// Whether the session has answered since [`attach`](Session::attach).
    pub(crate) fn has_answered(&self) -> bool {
        self.answers > 0
    }

    /// Whether the session, if it is broken now, was so before it was taken from the pool. That
    /// says nothing about what was asked of it.
    pub(crate) fn was_stale(&self) -> bool {
        self.is_reused && !self.has_answered()
    }

    fn tag(&mut self) -> u64 {
        self.commands += 1;
        self.commands
    }

    /// Sends a FETCH for these UIDs and returns its tag, without waiting for the answer.
    pub(crate) fn send_fetch(&mut self, uids: &UidSet, fetch: Fetch) -> Result<u64> {
        let tag = self.tag();
        let prefix = char::from(TAG_PREFIX);
        let command = format!(
            "{prefix}{tag} UID FETCH {uids} {}\r\n",
            fetch.items(self.has_gmail)
        );
        self.fence().wire.write(command.as_bytes())?;
        Ok(tag)
    }

    /// Starts the clock for the answers to come. To be called when nothing was in flight before.
    pub(crate) fn expect_answers(&mut self) {
        self.fence().wire.begin(Phase::Fetch);
    }

    /// As [`expect_answers`](Session::expect_answers), but if nothing comes for so long, over
    /// this session nor over another of the same run, that is enough.
    pub(crate) fn expect_a_sign_of_life(&mut self, patience: Duration) {
        let round_trips = self.round_trip.saturating_mul(ROUND_TRIPS_FOR_A_SIGN);
        let patience = patience.saturating_add(round_trips);
        let mut fence = self.fence();
        fence.wire.begin(Phase::Fetch);
        fence.wire.probe(patience);
    }

    /// Reads the next response to the FETCH commands sent.
    pub(crate) fn next_answer<'r>(
        &mut self,
        reader: &'r mut Reader,
        admit: impl FnMut(Option<Uid>, u64) -> Result<bool>,
    ) -> Result<Answer<'r>> {
        let mut fence = lock(&self.fence);
        // News that comes among the answers is not looked at.
        fence.heard.doubt_count();
        let answer = reader.next(&mut fence.wire, TAG_PREFIX, admit)?;
        self.answers += u64::from(!matches!(
            answer,
            Answer::Unrelated | Answer::Unasked | Answer::Bye { .. }
        ));
        Ok(answer)
    }

    /// Asks the server whether it is there, by a command that does nothing.
    pub(crate) fn check(&mut self, patience: Duration) -> Result<()> {
        run_with(&self.fence, Phase::Noop, patience, || self.control.noop())
    }

    /// Says goodbye to all of these, for at most two seconds together, and closes the connections.
    pub(crate) fn log_out_all(mut sessions: Vec<Self>) {
        let end = Deadline::after(LOGOUT_PATIENCE);
        // Whatever comes of it: the connections are closed next.
        let goodbye = format!("{LOGOUT_TAG} LOGOUT\r\n");
        for session in &mut sessions {
            let mut fence = session.fence();
            fence.wire.set_stop(Stop::default());
            fence.begin_until(Phase::Logout, end);
            let _ = fence.wire.write(goodbye.as_bytes());
        }
        for session in &sessions {
            let _ = session.fence().read_answers(LOGOUT_TAG, |_| Ok(false));
        }
    }

    /// Opens the mailbox once more, for what the server says about it now.
    fn examine_again(&mut self, end: Deadline) -> Result<Told> {
        self.fence().heard.mailbox = Told::default();
        let ask = || self.control.examine(&self.examined);
        run_with(&self.fence, Phase::Examine, end.left(), ask)?;
        Ok(self.fence().heard.mailbox)
    }

    fn tell(&self, event: &Event) {
        self.teller.tell(event);
    }
}

fn lock(fence: &Mutex<Fence>) -> MutexGuard<'_, Fence> {
    // A panic under this lock came from the `imap` crate and was caught; the session is dropped
    // after it.
    fence.lock().unwrap_or_else(PoisonError::into_inner)
}
