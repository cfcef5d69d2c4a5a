//! What is done about whatever goes wrong: one table for sessions that are refused or break, for
//! commands that are refused, for messages that do not come. Pure: what happened and its history
//! in, a decision out; without I/O, clock or chance, so that all of it is tested as a table.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::limits::Retry;
use crate::refusal::Refusal;

// ---- sessions ----

/// What a worker does after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advice {
    /// Try again after this time, or, if the server wants to be left in peace, after that.
    Retry(Duration),
    /// Wait until another session ends or the server grants more.
    Queue,
    /// Leave the run to the other workers.
    Leave,
    /// The same would happen to every worker: end the run.
    Stop,
}

/// Finding the one message in a shard that breaks every session takes so many sessions at most:
/// halving 512 nine times, and then some to be sure.
const NARROWING: u32 = 16;

/// Each costs a whole deadline, so fewer are borne: an accident, and two to see whether one
/// message is to blame.
const MAX_TIMEOUTS: u32 = 3;

/// The longest wait after a session broke, since another can be had: that was not the trouble.
const LONGEST_AFTER_LOSS: Duration = Duration::from_secs(1);

/// The failures in a row of one worker, which start over when it delivers a message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Streak {
    refusals: u32,
    losses: u32,
    timeouts: u32,
}

/// What else is known when a session cannot be opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sessions {
    /// Others that are open.
    pub(crate) others: usize,
    /// The mailbox was opened before.
    pub(crate) have_worked: bool,
}

impl Streak {
    /// There was progress: a message was delivered, or one found guilty.
    pub(crate) fn end(&mut self) {
        *self = Self::default();
    }

    /// Something was served that had come before: the server is there. It is no progress, or a run
    /// might go on for ever.
    pub(crate) fn pause(&mut self) {
        self.refusals = 0;
        self.timeouts = 0;
    }

    /// Failures since the last progress.
    pub(crate) fn failures(&self) -> u32 {
        self.refusals + self.losses
    }

    /// A session could not be opened.
    pub(crate) fn not_opened(
        &mut self,
        error: &Error,
        sessions: Sessions,
        retry: &Retry,
    ) -> Advice {
        self.refusals += 1;
        if is_final(error, sessions.have_worked) {
            return Advice::Stop;
        }
        match error.kind() {
            // Not the server's: all are busy with something else.
            ErrorKind::SessionLimit if error.refusal().is_none() => Advice::Leave,
            // What the server has granted to others it will not grant to us by asking more often.
            ErrorKind::SessionLimit if sessions.others > 0 => Advice::Queue,
            // Others have it open as it was.
            ErrorKind::UidValidityChanged { .. } if sessions.others > 0 => Advice::Queue,
            ErrorKind::UidValidityChanged { .. } => Advice::Stop,
            _ => self.again(retry),
        }
    }

    /// Messages were refused, and nothing else was served meanwhile.
    pub(crate) fn refused(&mut self, retry: &Retry) -> Advice {
        self.refusals += 1;
        self.again(retry)
    }

    fn again(&self, retry: &Retry) -> Advice {
        if self.refusals >= retry.attempts {
            return Advice::Leave;
        }
        Advice::Retry(retry.delay(self.refusals + 1))
    }

    /// A session broke.
    pub(crate) fn lost(&mut self, error: &Error, retry: &Retry) -> Advice {
        self.losses += 1;
        match error.refusal() {
            Some(Refusal::UsedUp | Refusal::Credentials) => return Advice::Stop,
            _ if error.is_timeout() => {
                self.timeouts += 1;
                if self.timeouts >= MAX_TIMEOUTS {
                    return Advice::Leave;
                }
            }
            _ => {}
        }
        match self.losses {
            // A mere accident: no wait.
            1 => Advice::Retry(Duration::ZERO),
            losses if losses >= retry.attempts.saturating_add(NARROWING) => Advice::Leave,
            losses => Advice::Retry(retry.delay(losses).min(LONGEST_AFTER_LOSS)),
        }
    }
}

/// Whether trying again, or elsewhere, must lead to the same.
fn is_final(error: &Error, have_worked: bool) -> bool {
    match (error.kind(), error.refusal()) {
        (ErrorKind::Auth | ErrorKind::Tls | ErrorKind::Config | ErrorKind::Cancelled, _) => true,
        (_, Some(Refusal::Final | Refusal::UsedUp | Refusal::Credentials)) => true,
        // Something is wrong with what is asked for, unless it was granted before.
        (_, Some(Refusal::Unknown | Refusal::NotUnderstood)) => !have_worked,
        _ => false,
    }
}

/// The wait before a caller's question is asked once more, or `None` if that is of no use. The
/// caller is waiting, so there are few tries and short waits, unless the server itself asks for
/// patience. `attempt` is the number of the try that failed.
pub(crate) fn ask_again(error: &Error, attempt: u32, retry: &Retry) -> Option<Duration> {
    let (attempts, longest) = match error.refusal() {
        Some(Refusal::Passing | Refusal::Throttled(Some(_))) => (retry.attempts, retry.max_delay),
        // Without a time the pauses are the pool's, and get long.
        Some(Refusal::Throttled(None) | Refusal::Limit) => (retry.attempts.min(3), retry.max_delay),
        _ if error.is_retryable() => (retry.attempts.min(3), Duration::from_millis(500)),
        _ => return None,
    };
    (attempt < attempts).then(|| retry.delay(attempt + 1).min(longest))
}

// ---- messages ----

/// How many times a message is asked for before it counts as failed.
pub(crate) const MESSAGE_ATTEMPTS: u32 = 3;

/// How many sessions in a row a message must break to be convicted, if nothing else breaks any.
const DEATHS: u32 = MESSAGE_ATTEMPTS + 1;

/// The same if they fell silent, which costs a deadline each time: the accident that has raised the
/// suspicion, and two that were sound.
const SILENT_DEATHS: u32 = 3;

/// What has gone wrong with the messages of a shard so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Past {
    /// Sessions in a row that broke while these were asked for and brought none of them.
    pub(crate) deaths: u32,
    /// The newest session when these last broke one. Only a session opened later, or one that has
    /// just shown that it is sound, can tell something new about them: when a server goes down, all
    /// sessions break, whatever they ask.
    pub(crate) suspect_since: u64,
    /// Sessions that the run had lost when these came under suspicion, and how many it has lost over
    /// these since.
    pub(crate) losses_before: u64,
    pub(crate) losses: u64,
    /// Complete answers in a row that brought none of them.
    pub(crate) absences: u32,
    /// Refusals of them while others were served.
    pub(crate) refusals: u32,
    /// How often they were asked for in vain.
    pub(crate) tries: u32,
    /// What had been served when they were last refused.
    pub(crate) served_before: u64,
    /// Answers that brought them without any content.
    pub(crate) empties: u32,
    /// Only a session opened after this one can tell whether they have any.
    pub(crate) newer_than: u64,
    /// What was last said about them.
    pub(crate) error: Option<Error>,
}

impl Past {
    /// To be asked for alone, with nothing else in flight, so that it is clear who is to blame.
    pub(crate) fn is_suspect(&self) -> bool {
        self.deaths + self.absences + self.refusals + self.empties > 0
    }

    /// What a part of the messages inherits.
    pub(crate) fn of_part(&self) -> Self {
        Self {
            deaths: self.deaths.min(1),
            absences: self.absences.min(1),
            refusals: self.refusals.min(1),
            ..self.clone()
        }
    }
}

/// What becomes of messages that did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// They are asked for again, together.
    Again,
    /// In two halves, since one of them may be the trouble of all.
    Halves,
    /// In two halves, and no command is that long any more.
    ShorterLines,
    /// The server is asked whether it has them, and then as [`Past::there`] says.
    LookInto,
    /// Given up.
    Fail,
}

/// What a session or a run does about a refused command, besides the fate of its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    GoOn,
    /// Nothing else was served: wait, and see whether the server serves anything.
    Doubt,
    /// All workers hold off.
    SlowDown,
    /// The run is over.
    Stop,
}

/// What is known of a command that was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    /// Messages that did not come.
    pub(crate) missing: usize,
    /// Some came.
    pub(crate) is_partial: bool,
    /// Messages that the run has been served, and controls.
    pub(crate) served: u64,
    /// There is nothing left but these.
    pub(crate) is_last: bool,
}

impl Past {
    /// The command that asked for them was refused.
    pub(crate) fn refused(&mut self, refusal: Refusal, command: Answered) -> (Fate, Mood) {
        match refusal {
            Refusal::Throttled(_) | Refusal::Limit | Refusal::SessionLimit => {
                return (Fate::Again, Mood::SlowDown);
            }
            Refusal::UsedUp | Refusal::Credentials => return (Fate::Again, Mood::Stop),
            Refusal::NotUnderstood if command.missing > 1 && !command.is_partial => {
                return (Fate::ShorterLines, Mood::GoOn);
            }
            _ => {}
        }
        self.tries += 1;
        // Refusals while nothing is served say something about the server, not about these.
        let are_others_served = command.is_partial || command.served > self.served_before;
        let is_first = self.refusals == 0;
        self.served_before = command.served;
        self.refusals += u32::from(are_others_served || is_first);
        let mood = match are_others_served && refusal != Refusal::Passing {
            true => Mood::GoOn,
            false => Mood::Doubt,
        };
        let fate = match refusal {
            _ if command.is_partial => Fate::Again,
            // It may be that some are gone.
            _ if refusal != Refusal::Passing && !is_first => Fate::LookInto,
            _ if command.is_last && command.missing > 1 => Fate::Halves,
            _ if is_first || !are_others_served => Fate::Again,
            _ if command.missing > 1 => Fate::Halves,
            _ if self.refusals >= MESSAGE_ATTEMPTS => Fate::Fail,
            _ => Fate::Again,
        };
        (fate, mood)
    }

    /// The command that asked for them was answered without them.
    pub(crate) fn left_out(&mut self, command: Answered) -> Fate {
        // As long as something comes, the rest may come as well.
        self.absences = match command.is_partial {
            true => 0,
            false => self.absences + 1,
        };
        match self.absences {
            0 | 1 => Fate::Again,
            _ => Fate::LookInto,
        }
    }

    /// The server has them.
    pub(crate) fn there(&self, missing: usize) -> Fate {
        if missing > 1 {
            return Fate::Halves;
        }
        // A body of NIL is an answer, and will not be another the third time.
        let is_answer = self
            .error
            .as_ref()
            .is_some_and(|error| *error.kind() == ErrorKind::NoBody);
        let most = match is_answer {
            true => MESSAGE_ATTEMPTS - 1,
            false => MESSAGE_ATTEMPTS,
        };
        match self.refusals.max(self.absences) >= most {
            true => Fate::Fail,
            false => Fate::Again,
        }
    }

    /// They came without any content, from a server that tells this size for each. Of a message
    /// that is there and has a size of 0, nothing more will come: `LookInto`.
    pub(crate) fn came_empty(&mut self, told: Option<u64>) -> Fate {
        self.empties += 1;
        match told {
            _ if self.empties == 1 => Fate::Again,
            Some(0) => Fate::LookInto,
            _ if self.empties < MESSAGE_ATTEMPTS => Fate::Again,
            _ => Fate::Fail,
        }
    }

    /// A session broke that was asked for them. `lost` are the sessions that the run has lost, this
    /// one included.
    pub(crate) fn broke(&mut self, error: &Error, session: Broken, lost: u64) {
        self.tries += 1;
        self.losses += 1;
        let may_tell = session.was_sound || session.id > self.suspect_since;
        match self.deaths {
            _ if session.had_progress => self.deaths = 1,
            _ if !may_tell => return,
            0 => self.deaths = 1,
            // Whatever else came over it was no proof that it was sound.
            _ if !session.was_sound => {}
            _ => self.deaths += 1,
        }
        if self.deaths == 1 {
            self.losses_before = lost;
            self.losses = 0;
        }
        self.suspect_since = session.newest;
        self.error = Some(error.clone());
    }

    /// Whether a message on its own is what breaks sessions. It must break more of them than
    /// break for other reasons.
    pub(crate) fn is_guilty(&self, error: &Error, was_silent_before: bool, lost: u64) -> bool {
        let by_others = lost
            .saturating_sub(self.losses_before)
            .saturating_sub(self.losses);
        let enough = match was_silent_before && error.is_timeout() {
            true => SILENT_DEATHS,
            false => DEATHS,
        };
        u64::from(self.deaths) >= u64::from(enough) + by_others
    }

    /// How a shard that breaks sessions is asked for next.
    pub(crate) fn is_to_be_narrowed(&self) -> bool {
        // Silence costs a deadline each time, so it is looked into at once.
        let fell_silent = self.error.as_ref().is_some_and(Error::is_timeout);
        self.deaths >= 2 || self.deaths > 0 && fell_silent
    }
}

/// A session that is no more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Broken {
    pub(crate) id: u64,
    /// The newest session of all.
    pub(crate) newest: u64,
    /// It brought some of the messages.
    pub(crate) had_progress: bool,
    /// Just before it was asked for them, it answered something else.
    pub(crate) was_sound: bool,
}

#[cfg(test)]
mod tests;
