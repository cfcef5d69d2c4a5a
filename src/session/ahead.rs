//! The commands that leave together with a login, before the `imap` crate gives them: what of them has
//! left and is still to be given, what is still to be answered, and what was lost on the way. Sends and
//! reads nothing.

use std::collections::VecDeque;
use std::time::Duration;

use crate::error::{Error, Result};

#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// To leave with the login, without tags and line ends.
    pub(super) commands: Vec<String>,
    /// Of those that have left, what the crate has yet to give.
    sent: Vec<u8>,
    /// Those that have left and have no answer yet.
    unanswered: VecDeque<String>,
    /// Some have left.
    pub(super) has_left: bool,
    /// They left before the login was answered.
    went_behind_login: bool,
    /// How long their answers are waited for before it is asked what became of them.
    patience: Option<Duration>,
    /// They were lost, and sent again.
    pub(super) were_lost: bool,
}

impl Ahead {
    /// Takes the commands as they leave, with this tag in front of the first.
    pub(super) fn leave(&mut self, prefix: char, first_tag: u64, is_behind_login: bool) -> &[u8] {
        for (command, tag) in std::mem::take(&mut self.commands).iter().zip(first_tag..) {
            let line = format!("{prefix}{tag} {command}\r\n");
            self.sent.extend_from_slice(line.as_bytes());
            self.unanswered.push_back(line);
        }
        self.has_left |= !self.sent.is_empty();
        self.went_behind_login |= !self.sent.is_empty() && is_behind_login;
        &self.sent
    }

    /// Takes what the crate gives. Returns whether it has left already.
    pub(super) fn has_left_already(&mut self, bytes: &[u8]) -> Result<bool> {
        if self.sent.is_empty() {
            return Ok(false);
        }
        let Some(rest) = self.sent.strip_prefix(bytes) else {
            return Err(Error::protocol(
                "a command that was sent ahead is another now",
            ));
        };
        self.sent = rest.to_vec();
        Ok(true)
    }

    /// From now on their answers are waited for so long before it is asked what became of them.
    pub(super) fn look_after(&mut self, patience: Duration) {
        self.patience = self.went_behind_login.then_some(patience);
    }

    /// How long to wait for the next answer before that is asked, if it is to be asked at all.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.patience.filter(|_| !self.unanswered.is_empty())
    }

    /// It is asked, once.
    pub(super) fn asks(&mut self) {
        self.patience = None;
    }

    /// The first of them has its answer.
    pub(super) fn was_answered(&mut self) {
        self.unanswered.pop_front();
    }

    /// What was sent after them has its answer, and servers answer in order. Returns the command that
    /// is waited for, if it is lost; the crate gives the others when it is their turn.
    pub(super) fn lost(&mut self) -> Option<String> {
        let first = self.unanswered.pop_front()?;
        self.were_lost = true;
        self.sent.clear();
        self.unanswered.clear();
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left() -> Ahead {
        let mut ahead = Ahead {
            commands: vec!["CAPABILITY".to_owned(), "EXAMINE x".to_owned()],
            ..Ahead::default()
        };
        assert_eq!(
            ahead.leave('a', 2, true),
            b"a2 CAPABILITY\r\na3 EXAMINE x\r\n"
        );
        ahead
    }

    #[test]
    fn what_has_left_is_not_sent_again_when_the_crate_gives_it() {
        let mut ahead = left();
        assert!(ahead.has_left_already(b"a2 CAPABILITY\r\n").unwrap());
        assert!(ahead.has_left_already(b"a4 NOOP\r\n").is_err());
        assert!(ahead.has_left_already(b"a3 EXAMINE x\r\n").unwrap());
        assert!(!ahead.has_left_already(b"a4 NOOP\r\n").unwrap());
        ahead.was_answered();
        ahead.was_answered();
        assert_eq!(ahead.lost(), None);
    }

    #[test]
    fn what_was_lost_leaves_again_the_first_at_once_and_the_others_when_they_are_given() {
        let mut ahead = left();
        assert!(ahead.has_left_already(b"a2 CAPABILITY\r\n").unwrap());
        assert_eq!(ahead.lost().as_deref(), Some("a2 CAPABILITY\r\n"));
        assert!(ahead.were_lost);
        assert!(!ahead.has_left_already(b"a3 EXAMINE x\r\n").unwrap());
    }

    #[test]
    fn answers_are_looked_after_only_where_the_commands_went_behind_the_login() {
        let second = Duration::from_secs(1);
        let mut ahead = left();
        ahead.look_after(second);
        assert_eq!(ahead.patience(), Some(second));
        ahead.asks();
        assert_eq!(ahead.patience(), None);
        let mut ahead = Ahead {
            commands: vec!["EXAMINE x".to_owned()],
            ..Ahead::default()
        };
        ahead.leave('a', 2, false);
        ahead.look_after(second);
        assert_eq!(ahead.patience(), None);
    }
}
