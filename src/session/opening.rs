//! A session that is opened with everything sent at once: login, EXAMINE, and the first FETCH. Only to
//! a server to which other sessions have been opened, step by step, and that can bear it.

use std::sync::{Arc, Mutex};

use super::fence::{Fence, Handle};
use super::follow_up::FollowUp;
use super::greet::{Greeting, greet, reach, read_greeting};
use super::login::{conceal, hear_login, login_line, pretend_to_log_in};
use super::open::{AHEAD_PATIENCE, GMAIL, SignedIn, check_verdict, in_place, is_broken};
use super::{Peer, Session, Settings, TAG_PREFIX, lock};
use crate::Security;
use crate::credentials::Secret;
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::fetch::Fetch;
use crate::stop::Stop;
use crate::transport::Phase;
use crate::uid_set::UidSet;

/// A server reads what comes behind a login into a buffer that may be small (Dovecot's has 4,096
/// octets), so only a short FETCH goes there.
const MAX_EARLY_FETCH: usize = 1000;

/// A connection on which everything has been said that makes it a session, and no answer has been
/// read.
#[derive(Debug)]
pub(crate) struct Opening {
    fence: Arc<Mutex<Fence>>,
    /// Whether the greeting has been read.
    is_greeted: bool,
    /// What has been sent behind the login.
    follow_up: FollowUp,
    has_gmail: bool,
    /// FETCH commands that have left.
    commands: u64,
}

impl Opening {
    /// Connects and sends login and EXAMINE, before the greeting is read if the server can bear
    /// that. `None` if it is not known to bear any of it: then a session has to be opened step by
    /// step. A raised `stop` ends it at once with `Cancelled`.
    pub(crate) fn begin(settings: &Settings, peer: &Peer, stop: &Stop) -> Result<Option<Self>> {
        check_verdict(settings, peer)?;
        let capabilities = peer.before_login();
        // COMPRESS needs an answer before anything else is sent.
        let is_possible = peer.gate.is_trusted()
            && peer.takes_commands_ahead.has_worked()
            && !settings.compresses()
            && !capabilities.is_empty();
        let Some(line) = is_possible
            .then(|| login_line(settings, &capabilities))
            .flatten()
        else {
            return Ok(None);
        };
        Self::connect(settings, peer, stop, &line).map_err(|error| in_place(settings, error))
    }

    fn connect(
        settings: &Settings,
        peer: &Peer,
        stop: &Stop,
        line: &Secret,
    ) -> Result<Option<Self>> {
        let end = Deadline::after(settings.timeouts.connect);
        let reached = reach(settings, peer, stop, end)?;
        let goes_first = (reached.is_secure || settings.security != Security::StartTls)
            && peer.may_log_in_first();
        let mut fence = match goes_first {
            true => reached.fence,
            false => match greet(reached, settings, peer, stop, end)? {
                (fence, Greeting::Login) => fence,
                // This time it is. Whatever the reason, one step after the other will tell.
                (_, Greeting::PreAuthenticated) => return Ok(None),
            },
        };
        // Of the greeting: the login's answer may tell others.
        fence.heard.capabilities.clear();
        let follow_up = FollowUp::of(settings, peer);
        fence.begin_with(Phase::Login, settings.timeouts.read);
        fence.ahead.commands = follow_up.commands();
        conceal(settings, &mut fence);
        if let Err(error) = fence.send_last_of_login(line) {
            if goes_first {
                // The server may have said why, and closed.
                peer.takes_login_first.give_up();
                return Ok(None);
            }
            return Err(error);
        }
        Ok(Some(Self {
            fence: Arc::new(Mutex::new(fence)),
            is_greeted: !goes_first,
            follow_up,
            has_gmail: peer.offers(GMAIL),
            commands: 0,
        }))
    }

    /// Whether the login has left before the greeting was read.
    pub(crate) fn went_first(&self) -> bool {
        !self.is_greeted
    }

    /// Sends a FETCH for these UIDs behind the login and returns its tag, or `None` if it is too
    /// long to go there. Nothing is fetched from another mailbox than the one that EXAMINE names;
    /// which that is, the answer to EXAMINE tells before the first message.
    pub(crate) fn send_fetch(&mut self, uids: &UidSet, fetch: Fetch) -> Result<Option<u64>> {
        let prefix = char::from(TAG_PREFIX);
        let tag = self.commands + 1;
        let command = format!(
            "{prefix}{tag} UID FETCH {uids} {}\r\n",
            fetch.items(self.has_gmail)
        );
        if command.len() > MAX_EARLY_FETCH {
            return Ok(None);
        }
        lock(&self.fence).wire.write(command.as_bytes())?;
        self.commands = tag;
        Ok(Some(tag))
    }

    /// Reads the answers.
    ///
    /// # Errors
    ///
    /// Also if the server cannot bear what was sent. It is not sent so early again then.
    pub(crate) fn finish(self, settings: &Settings, peer: &Peer, stop: &Stop) -> Result<Session> {
        let went_first = self.went_first();
        let result = self.read_answers(settings, peer, stop);
        if went_first {
            match &result {
                Ok(_) => peer.takes_login_first.worked(),
                // Perhaps over that. Nor may a server be heard that says goodbye instead of a
                // greeting: to what it has not read, it answers with a reset (RFC 9293, section
                // 3.10.7.1).
                Err(error) if is_broken(error) => peer.takes_login_first.give_up(),
                Err(_) => {}
            }
        }
        result.map_err(|error| in_place(settings, error))
    }

    fn read_answers(self, settings: &Settings, peer: &Peer, stop: &Stop) -> Result<Session> {
        let Self {
            fence,
            is_greeted,
            follow_up,
            commands,
            has_gmail: _,
        } = self;
        if !is_greeted {
            let mut fence = lock(&fence);
            let patience = match peer.takes_login_first.has_worked() {
                true => settings.timeouts.read,
                false => AHEAD_PATIENCE,
            };
            fence.begin_with(Phase::Greeting, patience);
            let greeting = read_greeting(&mut fence).map_err(|error| fence.explain(error))?;
            fence.heard.capabilities.clear();
            if greeting == Greeting::PreAuthenticated {
                return Err(Error::protocol(
                    "the server greets with PREAUTH, and did not the last time",
                ));
            }
        }
        peer.gate.pass(stop, || hear_login(settings, &fence))?;
        let client = imap::Client::new(Handle(fence.clone()));
        let control = pretend_to_log_in(client, &fence)?;
        let mut session = SignedIn {
            settings,
            peer,
            control,
            fence,
            goes_ahead: true,
            follow_up,
        }
        .select()?;
        session.commands = commands;
        Ok(session)
    }
}
