//! A session that is lent, and the place that it takes among those that the server grants. Both go
//! back when they are dropped, whatever happens to their borrower.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::sessions::Sessions;
use crate::session::{Opening, Session};

/// Room for one session. Free again when it is dropped.
pub(super) struct Place {
    sessions: Arc<Sessions>,
    user: u64,
    is_taken: bool,
    /// The server did not grant it.
    is_refused: bool,
}

/// A session that is lent. Its connection is closed when it is dropped;
/// [`give_back`](Lease::give_back) keeps it for the next.
#[derive(Debug)]
pub(crate) struct Lease {
    // Before its place, so that this is not taken for free while the connection is still open.
    session: Session,
    place: Place,
}

/// A session of which the answers to the login are unread.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) opening: Opening,
    pub(super) place: Place,
}

/// What a borrower gets.
#[derive(Debug)]
pub(super) enum Lent {
    Session(Box<Lease>),
    /// To be completed by [`Sessions::complete`].
    Setup(Setup),
}

impl Place {
    pub(super) fn new(sessions: Arc<Sessions>, user: u64) -> Self {
        Self {
            sessions,
            user,
            is_taken: true,
            is_refused: false,
        }
    }

    /// The server does not grant this one beside the others. That is known to the pool at the moment
    /// at which the place is free, or it would be tried again.
    pub(super) fn refuse(&mut self) {
        self.is_refused = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_taken {
            self.sessions.free(self.user, self.is_refused);
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Lease {
    pub(super) fn new(session: Session, place: Place) -> Self {
        Self { session, place }
    }

    /// Keeps the session, with nothing in flight, for whoever needs one next.
    pub(crate) fn give_back(self) {
        let Self { session, mut place } = self;
        place.is_taken = false;
        place.sessions.take_back(session, place.user);
    }
}

impl Deref for Lease {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}
