//! The handle on a mailbox.

use std::fmt;
use std::sync::Arc;

use crate::builder::Builder;
use crate::error::{Error, ErrorKind, Result};
use crate::matches::Matches;
use crate::pool::{Sessions, ask_again};
use crate::query::Query;
use crate::stop::Stop;
use crate::uid_set::{Uid, UidSet};

/// A mailbox that is read over several sessions at once.
///
/// It is a handle: clones share the sessions, and can go to other threads. Sessions are opened
/// when a run needs them, up to the number of [`workers`](Builder::workers), and outlive the run
/// to serve the next. Threads live for one run.
///
/// The mailbox is opened read-only (EXAMINE, RFC 9051, section 6.3.3): nothing that this crate
/// does can change it.
///
/// Runs over clones of one handle share its sessions: a run that finds none free waits for one,
/// at most as long as [`Timeouts::session`](crate::Timeouts::session) says.
#[derive(Clone)]
pub struct ParallelMailbox {
    sessions: Arc<Sessions>,
}

impl ParallelMailbox {
    /// Starts from a host name, such as `imap.example.org`, or an IP address.
    pub fn builder(host: impl Into<String>) -> Builder {
        Builder::new(host.into())
    }

    /// Starts from a URL (RFC 5092), such as `imaps://imap.example.org/INBOX`.
    ///
    /// `imaps://` is TLS from the first octet, `imap://` is STARTTLS, which the server must then
    /// offer. User, port and mailbox may be left out.
    ///
    /// | URL | security | user | host | port | mailbox |
    /// |---|---|---|---|---|---|
    /// | `imaps://imap.example.org` | `Tls` | – | `imap.example.org` | 993 | `INBOX` |
    /// | `imaps://me@imap.example.org/Archive/2026` | `Tls` | `me` | `imap.example.org` | 993 | `Archive/2026` |
    /// | `imap://imap.example.org/Sent%20Mail` | `StartTls` | – | `imap.example.org` | 143 | `Sent Mail` |
    /// | `imaps://me@example.org@imap.example.org:1993/` | `Tls` | `me@example.org` | `imap.example.org` | 1993 | `INBOX` |
    /// | `imaps://me%40example.org@[2001:db8::1]/Entw%C3%BCrfe` | `Tls` | `me@example.org` | `2001:db8::1` | 993 | `Entwürfe` |
    /// | `imaps://me;AUTH=*@[::1]:1143/日本語` | `Tls` | `me` | `::1` | 1143 | `日本語` |
    ///
    /// What is refused, with an error that repeats no part of the URL:
    ///
    /// | URL | because |
    /// |---|---|
    /// | `imaps://me:secret@imap.example.org/` | it has a password, which belongs into [`login`](Builder::login) |
    /// | `imap.example.org/INBOX` | it does not start with `imaps://` or `imap://` |
    /// | `imaps://imap.example.org/INBOX;UID=7` | it names more than a mailbox |
    /// | `imaps://imap.example.org/INBOX?UNSEEN` | it has a search; that is given to [`search`](ParallelMailbox::search) |
    /// | `imaps://me;AUTH=PLAIN@imap.example.org/` | it chooses a mechanism |
    /// | `imaps://imap.example.org:0/` | 0 is no port |
    /// | `imaps://imap.example.org/100%` | a `%` is written `%25` |
    ///
    /// # Errors
    ///
    /// `Config` if that is no such URL.
    pub fn from_url(url: &str) -> Result<Builder> {
        Builder::from_url(url)
    }

    /// Takes sessions of which one at least has been opened.
    pub(crate) fn new(sessions: Arc<Sessions>) -> Self {
        Self { sessions }
    }

    /// Asks the server which messages match, now, and returns their UIDs. Mail that arrives later
    /// is not part of it.
    ///
    /// It takes one session. The others are opened by the run that needs them, each in two round
    /// trips after TCP and TLS are set up: for the greeting, and for login, EXAMINE and the first
    /// messages together. Servers that are known to bear it (Dovecot, Cyrus) are not waited for
    /// with that until they have greeted. One that breaks a session over it is waited for from then
    /// on.
    ///
    /// ```no_run
    /// # use parallel_mailbox::{ParallelMailbox, Query};
    /// # let mailbox = ParallelMailbox::builder("imap.example.org").login("me", "secret").connect()?;
    /// let matches = mailbox.search(Query::all().unseen().since(2026, 1, 31))?;
    /// println!("{} messages", matches.len());
    /// # Ok::<(), parallel_mailbox::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Config` if the query holds something that cannot be sent; `Server` if the server refuses
    /// the query, and if that is for a passing reason, after as many tries as
    /// [`Retry`](crate::Retry) says; `Cancelled` if the
    /// [canceller](Builder::canceller) was used; otherwise what keeps a session from being
    /// had. A server that asks for patience gets it.
    pub fn search(&self, query: impl Into<Query>) -> Result<Matches> {
        let program = query.into().render()?;
        let settings = self.sessions.settings();
        let stop = Stop::under(&settings.stop);
        let mut attempt = 1;
        let mut has_ended_session = false;
        loop {
            let mut lease = self.sessions.check_out(&stop)?;
            let limit = settings.timeouts.search;
            // There are servers that end the session at a search for everything, and only then.
            let found = match has_ended_session && program.is_everything() {
                true => lease.list_all(limit),
                false => lease.search(&program, limit),
            };
            let error = match found {
                Ok(uids) => {
                    lease.give_back();
                    return Ok(Matches::found(self.sessions.clone(), uids));
                }
                Err(error) => error,
            };
            self.sessions.learn(&error);
            // What has died in the pool costs no try.
            let was_stale = lease.was_stale() && !is_answer(&error);
            has_ended_session |= *error.kind() == ErrorKind::Disconnected && !was_stale;
            // A search that took too long will do so again.
            let wait = match error.kind() {
                ErrorKind::Timeout => None,
                _ => ask_again(&error, attempt, &settings.retry),
            };
            match is_answer(&error) {
                true => lease.give_back(),
                false => drop(lease),
            }
            if was_stale {
                continue;
            }
            let Some(wait) = wait else {
                let error = match has_ended_session {
                    true => error.followed_by(
                        "; the server ends the session at this search: another query may fare \
                         better, and `uids` reads messages without a search",
                    ),
                    false => error,
                };
                return Err(error.with_attempts(attempt));
            };
            attempt += 1;
            if is_answer(&error) {
                stop.sleep(wait);
            }
        }
    }

    /// Returns these messages as if a search had found them, without asking the server. Those
    /// that do not exist will be [`gone`](crate::Report::gone).
    pub fn uids(&self, uids: impl Into<UidSet>) -> Matches {
        Matches::named(self.sessions.clone(), uids.into())
    }

    /// Returns the name of the mailbox.
    #[must_use]
    pub fn mailbox(&self) -> &str {
        &self.sessions.settings().mailbox
    }

    /// Returns how many messages the mailbox had when a session was last opened.
    #[must_use]
    pub fn exists(&self) -> u32 {
        self.sessions
            .selected()
            .map_or(0, |selected| selected.exists)
    }

    /// Returns the UIDVALIDITY (RFC 9051, section 2.3.1.1), never 0. UIDs that were kept from
    /// another time are of use only if it is the same as then.
    #[must_use]
    pub fn uid_validity(&self) -> u32 {
        // Connecting has opened a session, so there is always one.
        self.sessions
            .selected()
            .map_or(0, |selected| selected.uid_validity)
    }

    /// Returns the UID that the next new message was going to get when a session was last opened,
    /// or `None` if the server does not tell.
    #[must_use]
    pub fn uid_next(&self) -> Option<Uid> {
        self.sessions
            .selected()
            .and_then(|selected| Uid::new(selected.uid_next?))
    }

    /// Returns how many sessions there may be now: the number asked for, or less if the server has
    /// refused so many or has asked to slow down. It grows back while the server is calm.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.sessions.limit()
    }

    /// Ends the sessions with LOGOUT. Sessions of runs that are under way end when those do.
    ///
    /// Without it, the connections are closed when the last handle is dropped, which servers take
    /// as well. Afterwards the handle and its clones are of no use.
    pub fn close(&self) {
        self.sessions.close();
    }
}

/// Whether an error leaves its session in order.
fn is_answer(error: &Error) -> bool {
    error.refusal().is_some() && *error.kind() != ErrorKind::Disconnected
        || *error.kind() == ErrorKind::Config
}

impl fmt::Debug for ParallelMailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParallelMailbox")
            .field("settings", self.sessions.settings())
            .finish()
    }
}
