//! What a connection knows of its client: whether it is logged in, and its view of the mailbox it
//! has selected. The view keeps sequence numbers stable: it changes only where IMAP lets a server
//! tell of it (RFC 9051, section 5.5).

use std::num::NonZeroU32;
use std::sync::Arc;

use super::mailbox::{Mailbox, count};
use super::registry::SessionGuard;

/// How far a client has come.
#[derive(Debug)]
pub(super) enum State {
    NotAuthenticated,
    /// The guard counts the session as long as it lasts. It is absent after PREAUTH, which is no
    /// login and counts against no limit.
    Authenticated {
        _guard: Option<SessionGuard>,
    },
}

/// The selected mailbox as the client knows it.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) read_only: bool,
    /// Position + 1 is the sequence number.
    pub(super) uids: Arc<Vec<u32>>,
    /// How often others had written to the mailbox when it was opened.
    pub(super) disturbances: u64,
    tells_of_new_mail: bool,
}

impl Selected {
    pub(super) fn new(mailbox: Arc<Mailbox>, read_only: bool, tells_of_new_mail: bool) -> Self {
        let uids = mailbox.uids();
        Self {
            disturbances: mailbox.disturbances(),
            mailbox,
            read_only,
            uids,
            tells_of_new_mail,
        }
    }

    /// The position of a UID in the view.
    pub(super) fn position(&self, uid: u32) -> Option<usize> {
        self.uids.binary_search(&uid).ok()
    }

    /// Takes over what has happened to the mailbox, and answers what the client is told of it.
    pub(super) fn catch_up(&mut self) -> Vec<String> {
        let now = self.mailbox.uids();
        if Arc::ptr_eq(&now, &self.uids) {
            return Vec::new();
        }
        let mut told = Vec::new();
        // From the end, so that each number still holds when the client reads it.
        for (position, uid) in self.uids.iter().enumerate().rev() {
            if now.binary_search(uid).is_err() {
                told.push(format!("* {} EXPUNGE", count(position + 1)));
            }
        }
        if now.last() > self.uids.last() && self.tells_of_new_mail {
            told.push(format!("* {} EXISTS", now.len()));
        }
        self.uids = now;
        told
    }
}

/// The sequence number of a position.
pub(super) fn number(position: usize) -> Option<NonZeroU32> {
    NonZeroU32::new(count(position + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_of_expunged_messages_from_the_end_and_of_new_ones() {
        let mailbox = Arc::new(Mailbox::new(1));
        for text in ["a", "b", "c", "d"] {
            mailbox.append(text.into());
        }
        let mut selected = Selected::new(Arc::clone(&mailbox), true, true);
        mailbox.remove(|message| message.uid == 1 || message.uid == 3);
        mailbox.append("e".into());
        assert_eq!(
            selected.catch_up(),
            ["* 3 EXPUNGE", "* 1 EXPUNGE", "* 3 EXISTS"]
        );
        assert!(selected.catch_up().is_empty());
    }
}
