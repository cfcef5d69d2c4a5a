//! Holds a search for everything against the number of messages that the server says there are. Some
//! servers answer with so many UIDs at most and do not tell (mail-archiver#490, S22.Imap#129). Then it
//! is asked again in other forms, and what is not named in any is told by an error. Mail that arrives
//! or goes meanwhile is no contradiction.

use std::time::Duration;

use super::super::Session;
use super::super::open::ignore_refusal;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::query::Query;
use crate::uid_set::{Cursor, Direction, Uid, UidSet};

/// A way to ask for the UIDs of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Form {
    Search,
    Fetch,
}

/// So many questions are asked at least, and some more for each that a limit would need.
const MOST_WINDOWS: usize = 100;

impl Session {
    /// Returns the UIDs of the whole mailbox without a SEARCH, by `UID FETCH 1:* (UID)`: for servers
    /// on which a search for everything ends the session or finds too little.
    ///
    /// # Errors
    ///
    /// Also if the server names fewer messages than it says there are.
    pub(crate) fn list_all(&mut self, limit: Duration) -> Result<UidSet> {
        let end = Deadline::after(limit);
        self.fence().heard.watch_count();
        let found = match self.fetch_uids("1:*", end) {
            // In an empty mailbox there is no such message.
            Err(error) if is_refused(&error) && self.is_empty() => UidSet::new(),
            result => result?,
        };
        self.complete(found, &[Form::Fetch], end)
    }

    /// Returns the set with what is missing of everything.
    pub(super) fn complete(
        &mut self,
        found: UidSet,
        forms: &[Form],
        end: Deadline,
    ) -> Result<UidSet> {
        if !self.is_short(&found) {
            return Ok(found);
        }
        // It may not have been allowed to say that messages are gone.
        ignore_refusal(self.check(end.left()))?;
        let named = found.len();
        let mut all = found;
        for form in forms {
            if !self.is_short(&all) {
                break;
            }
            match self.by_windows(*form, &mut all, end) {
                Err(error) if is_refused(&error) => {}
                result => result?,
            }
        }
        let told = self.fence().heard.mailbox;
        let least = told.least.unwrap_or(0);
        if all.len() > named {
            let what =
                format!("SEARCH names {named} of {least} messages; asked in parts, the others");
            self.tell(&Event::OddAnswer { what });
        }
        // A number that may be old proves nothing.
        if self.is_short(&all) && told.is_exact {
            return Err(Error::protocol(format!(
                "the server contradicts itself: by EXISTS the mailbox has {least} messages, and it \
                 names {} of them, whether it is asked by SEARCH or by FETCH, and in whatever \
                 parts; a query with any key, such as `Query::since` or `Query::uid`, is not held \
                 against that number, and `uids` reads messages whose UIDs are known",
                all.len()
            )));
        }
        Ok(all)
    }

    fn is_short(&mut self, found: &UidSet) -> bool {
        let least = self.fence().heard.mailbox.least;
        least.is_some_and(|least| found.len() < least as usize)
    }

    /// Asks for windows of UIDs. One whose answer is as long as that for everything may be cut off as
    /// well, and is halved.
    fn by_windows(&mut self, form: Form, all: &mut UidSet, end: Deadline) -> Result<()> {
        let told = self.fence().heard.mailbox;
        let mut cap = all.len();
        let least = told.least.unwrap_or(0) as usize;
        let most = MOST_WINDOWS + 8 * (least / cap.max(1)).min(10 * MOST_WINDOWS);
        let below_next = told
            .uid_next
            .and_then(|next| Uid::new(next.checked_sub(1)?));
        // 4294967295 is no UID: UIDNEXT, a number of 32 bits, is above all.
        let last = below_next.or(Uid::new(u32::MAX - 1)).max(all.last());
        let mut windows = vec![(Uid::MIN, last.unwrap_or(Uid::MAX))];
        for _ in 0..most {
            let Some((first, last)) = windows.pop() else {
                return Ok(());
            };
            let window = UidSet::from_range(first, last);
            let found = self.in_window(form, &window, end)?.intersection(&window);
            if cap == 0 {
                cap = found.len();
            }
            *all = all.union(&found);
            if !self.is_short(all) {
                return Ok(());
            }
            if found.len() >= cap
                && let Some(middle) = Cursor::new(Direction::Ascending)
                    .take(&found, found.len() / 2 + 1)
                    .last()
                && first < last
            {
                let middle = middle.get().clamp(first.get() + 1, last.get());
                if let (Some(left), Some(right)) = (Uid::new(middle - 1), Uid::new(middle)) {
                    windows.extend([(first, left), (right, last)]);
                }
            }
        }
        Ok(())
    }

    fn in_window(&mut self, form: Form, window: &UidSet, end: Deadline) -> Result<UidSet> {
        match form {
            Form::Search => {
                let program = Query::all().uid(window).render()?;
                Ok(self.search_once(&program, end, false)?.uids)
            }
            Form::Fetch => self.fetch_uids(&window.to_string(), end),
        }
    }
}

/// Whether the server has refused the question, and not more than that.
pub(in super::super) fn is_refused(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Server { .. })
}
