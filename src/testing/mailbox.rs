//! One mailbox: its messages, ascending by UID, and the numbers that IMAP keeps about it. Shared by
//! all connections; a lock is held for one lookup or one change, never while something is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::flags::FlagSet;
use super::message::TestMessage;

/// A message as the mailbox holds it. A clone shares the octets.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) uid: u32,
    pub(super) raw: Arc<[u8]>,
    pub(super) flags: FlagSet,
    pub(super) internal_date: i64,
    /// Gmail's.
    pub(super) labels: Option<Arc<Vec<String>>>,
}

/// A mailbox.
#[derive(Debug)]
pub(super) struct Mailbox(RwLock<State>);

#[derive(Debug)]
struct State {
    uid_validity: u32,
    uid_next: u32,
    /// Ascending by UID, so that a lookup is a binary search.
    messages: Vec<Stored>,
    /// The UIDs of `messages`. A session's view of the mailbox is a clone of this, which is copied
    /// only when the mailbox changes while a session looks at it.
    uids: Arc<Vec<u32>>,
    /// Messages that were expunged, for servers on which a session that has not been told of it
    /// can still see them.
    expunged: BTreeMap<u32, Stored>,
    /// Keywords that messages have or had.
    keywords: BTreeSet<String>,
    /// How often something was written to it by a client.
    disturbances: u64,
    deleted: bool,
}

/// The numbers that SELECT and STATUS answer with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    pub(super) exists: u32,
    pub(super) unseen: u32,
    pub(super) first_unseen: Option<u32>,
    pub(super) uid_validity: u32,
    pub(super) uid_next: u32,
}

impl Stored {
    /// Whether EXPUNGE removes the message.
    pub(super) fn is_deleted(&self) -> bool {
        self.flags.has(FlagSet::DELETED)
    }
}

impl Mailbox {
    pub(super) fn new(uid_validity: u32) -> Self {
        Self(RwLock::new(State {
            uid_validity,
            uid_next: 1,
            messages: Vec::new(),
            uids: Arc::default(),
            expunged: BTreeMap::new(),
            keywords: BTreeSet::new(),
            disturbances: 0,
            deleted: false,
        }))
    }

    /// Adds a message and answers its UID.
    pub(super) fn append(&self, message: TestMessage) -> u32 {
        let state = &mut *self.write();
        let uid = message.uid.unwrap_or(0).max(state.uid_next);
        state.uid_next = uid.saturating_add(1);
        let TestMessage {
            raw,
            flags,
            internal_date,
            labels,
            ..
        } = message;
        state.keywords.extend(flags.keywords().iter().cloned());
        state.messages.push(Stored {
            uid,
            raw,
            flags,
            internal_date,
            labels,
        });
        Arc::make_mut(&mut state.uids).push(uid);
        uid
    }

    /// Removes the messages for which `is_gone` says so; answers whether there were any.
    pub(super) fn remove(&self, mut is_gone: impl FnMut(&Stored) -> bool) -> bool {
        let state = &mut *self.write();
        let before = state.messages.len();
        let expunged = state.messages.extract_if(.., |message| is_gone(message));
        let expunged = expunged.map(|message| (message.uid, message));
        state.expunged.extend(expunged);
        if state.messages.len() == before {
            return false;
        }
        state.uids = Arc::new(state.messages.iter().map(|message| message.uid).collect());
        true
    }

    /// Changes the flags of one message and answers them, or `None` where the message is gone.
    pub(super) fn change_flags(
        &self,
        uid: u32,
        change: impl FnOnce(&mut FlagSet),
    ) -> Option<FlagSet> {
        let state = &mut *self.write();
        let position = state
            .messages
            .binary_search_by_key(&uid, |message| message.uid)
            .ok()?;
        let flags = &mut state.messages[position].flags;
        change(flags);
        state.keywords.extend(flags.keywords().iter().cloned());
        Some(flags.clone())
    }

    /// A message that has been expunged.
    pub(super) fn expunged(&self, uid: u32) -> Option<Stored> {
        self.read().expunged.get(&uid).cloned()
    }

    /// These flags, and the keywords of the mailbox before `\\*`.
    pub(super) fn flags(&self, flags: &str) -> String {
        let state = self.read();
        let is_new = |keyword: &&String| !flags.split(' ').any(|own| own == *keyword);
        let keywords = state.keywords.iter().filter(is_new);
        let keywords: String = keywords.map(|keyword| format!(" {keyword}")).collect();
        match flags.strip_suffix(" \\*") {
            Some(flags) => format!("{flags}{keywords} \\*"),
            None => format!("{flags}{keywords}"),
        }
    }

    /// Notes that a client has written to it.
    pub(super) fn disturb(&self) {
        self.write().disturbances += 1;
    }

    pub(super) fn disturbances(&self) -> u64 {
        self.read().disturbances
    }

    /// The messages with these UIDs, which ascend or descend; `None` for each that is gone.
    pub(super) fn messages(&self, uids: impl Iterator<Item = u32>) -> Vec<Option<Stored>> {
        let state = self.read();
        // Neighbours in the answer are mostly neighbours in the mailbox: look there before
        // searching, which keeps SEARCH over a million messages linear.
        let mut expected = 0;
        uids.map(|uid| {
            let position = match state.messages.get(expected) {
                Some(message) if message.uid == uid => expected,
                _ => state
                    .messages
                    .binary_search_by_key(&uid, |message| message.uid)
                    .ok()?,
            };
            expected = position + 1;
            Some(state.messages[position].clone())
        })
        .collect()
    }

    pub(super) fn uids(&self) -> Arc<Vec<u32>> {
        Arc::clone(&self.read().uids)
    }

    pub(super) fn numbers(&self) -> Numbers {
        let state = self.read();
        let is_unseen = |message: &&Stored| !message.flags.has(FlagSet::SEEN);
        let first = state
            .messages
            .iter()
            .position(|message| is_unseen(&message));
        Numbers {
            exists: count(state.messages.len()),
            unseen: count(state.messages.iter().filter(is_unseen).count()),
            first_unseen: first.map(|position| count(position + 1)),
            uid_validity: state.uid_validity,
            uid_next: state.uid_next,
        }
    }

    pub(super) fn set_uid_validity(&self, uid_validity: u32) {
        self.write().uid_validity = uid_validity;
    }

    /// Marks the mailbox as deleted, for the sessions that have it selected.
    pub(super) fn delete(&self) {
        self.write().deleted = true;
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.read().deleted
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number of messages as IMAP has it; a mailbox has fewer than 2³² since each has a UID.
pub(super) fn count(messages: usize) -> u32 {
    u32::try_from(messages).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_below_the_next_one_is_replaced() {
        let mailbox = Mailbox::new(1);
        assert_eq!(mailbox.append(TestMessage::new("a").uid(10)), 10);
        assert_eq!(mailbox.append(TestMessage::new("b").uid(3)), 11);
        assert_eq!(mailbox.append("c".into()), 12);
    }

    #[test]
    fn a_view_taken_before_an_expunge_stays_as_it_was() {
        let mailbox = Mailbox::new(1);
        for text in ["a", "b", "c"] {
            mailbox.append(text.into());
        }
        let view = mailbox.uids();
        assert!(mailbox.remove(|message| message.uid == 2));
        assert_eq!(**view, [1, 2, 3]);
        let found = mailbox.messages(view.iter().copied());
        assert_eq!(
            found.iter().map(Option::is_some).collect::<Vec<_>>(),
            [true, false, true]
        );
    }
}
