//! A fault to inject: what the server does wrong, and where. Only the description is here; how it
//! is carried out belongs to the connection.

use std::ops::{Bound, RangeBounds};
use std::time::Duration;

/// Something for the [`Server`](super::Server) to do wrong, and when.
///
/// A constructor names what happens, the methods after it where; they narrow each other. Without
/// any, what happens to the connection happens as soon as it is made, before the greeting;
/// what happens to an answer happens to every answer. Texts and octets are sent as they stand. Of
/// several faults that say how one command ends, the first does, and the next is for another.
///
/// | what | where it can strike |
/// |---|---|
/// | [`reset`](Self::reset), [`close`](Self::close), [`stall`](Self::stall), [`trickle`](Self::trickle), [`delay`](Self::delay), [`bye`](Self::bye), [`inject`](Self::inject), [`endless`](Self::endless) | everywhere |
/// | [`no`](Self::no), [`bad`](Self::bad), [`ok`](Self::ok), [`lines`](Self::lines) | [`before`](Self::before) a command, at a [`uid`](Self::uid) |
/// | [`reversed`](Self::reversed), [`drop_pipelined`](Self::drop_pipelined) | `before` a command |
/// | [`withhold`](Self::withhold), [`nil`](Self::nil), [`duplicate`](Self::duplicate), [`replace`](Self::replace), [`oversize`](Self::oversize), [`wrong_size`](Self::wrong_size) | at a `uid`, or at every message |
/// | [`preauth`](Self::preauth) | the greeting |
///
/// # Examples
///
/// ```
/// use parallel_mailbox::testing::Fault;
/// use std::time::Duration;
///
/// let faults = [
///     Fault::reset().after_octets(70_000).on_connection(2),
///     Fault::stall().uid(17).times(1),
///     Fault::bye("shutting down").uid(5),
///     Fault::no("UNAVAILABLE", "try again").before("EXAMINE").times(2),
///     Fault::close().after("LOGIN").on_login(3),
///     Fault::no("", "some messages are gone").before("FETCH").uid(9),
///     Fault::trickle(Duration::from_secs(30)).after_octets(1_000).on_connections(2..),
/// ];
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Fault {
    pub(super) action: Action,
    pub(super) connections: Numbers,
    pub(super) logins: Option<Numbers>,
    pub(super) uids: Vec<u32>,
    pub(super) octets: Option<u64>,
    pub(super) command: Option<(Side, String)>,
    pub(super) times: Option<u32>,
}

/// Which side of a command's answer a fault is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// Connections or logins that a fault is meant for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers(Bound<u64>, Bound<u64>);

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Reset,
    Close,
    Stall,
    Trickle(Duration),
    Delay(Duration),
    Bye(String),
    Inject(Vec<u8>),
    Endless(Vec<u8>),
    Answer(Answer),
    Lines(String),
    Reversed,
    DropPipelined,
    Withhold,
    Nil,
    Duplicate,
    Replace(Vec<u8>),
    Oversize(u64),
    WrongSize(u32),
    Preauth,
}

/// A tagged answer in place of the true one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) condition: &'static str,
    pub(super) code: String,
    pub(super) text: String,
}

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment<'a> {
    Greeting,
    Before(&'a str),
    After(&'a str),
    Message(u32),
}

impl Fault {
    /// Resets the connection (RST): what is on the way to the client may be lost.
    pub fn reset() -> Self {
        Self::new(Action::Reset)
    }

    /// Closes the connection (FIN): the client gets all that was sent, then the end of the stream.
    pub fn close() -> Self {
        Self::new(Action::Close)
    }

    /// Sends nothing any more and leaves the connection open.
    pub fn stall() -> Self {
        Self::new(Action::Stall)
    }

    /// Sends one octet per interval from here on.
    pub fn trickle(interval: Duration) -> Self {
        Self::new(Action::Trickle(interval))
    }

    /// Waits once, then goes on.
    pub fn delay(wait: Duration) -> Self {
        Self::new(Action::Delay(wait))
    }

    /// Sends `* BYE` with this text, then closes. As a greeting it takes the greeting's place.
    pub fn bye(text: impl Into<String>) -> Self {
        Self::new(Action::Bye(text.into()))
    }

    /// Sends these octets, then goes on: untagged chatter, or what is no IMAP at all. Lines want
    /// their CR LF.
    pub fn inject(octets: impl Into<Vec<u8>>) -> Self {
        Self::new(Action::Inject(octets.into()))
    }

    /// Sends these octets over and over until the connection ends: an endless line, or with CR LF
    /// endless chatter.
    pub fn endless(octets: impl Into<Vec<u8>>) -> Self {
        Self::new(Action::Endless(octets.into()))
    }

    /// Answers `NO [code] text`; no code where `code` is empty.
    ///
    /// Before a command, it is not carried out. At a UID of a FETCH, the other messages are
    /// answered and that one is not.
    pub fn no(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::answer("NO", code.into(), text.into())
    }

    /// Answers `BAD text`; else as [`no`](Self::no).
    pub fn bad(text: impl Into<String>) -> Self {
        Self::answer("BAD", String::new(), text.into())
    }

    /// Carries the command out, but answers `OK [code] text`.
    pub fn ok(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::answer("OK", code.into(), text.into())
    }

    /// Answers with these lines, in which `{tag}` stands for the command's tag. If there is a
    /// tagged OK, the command is carried out before it; else it is not. After `* BYE`, or where a
    /// line is `{close}`, the connection ends.
    ///
    /// ```
    /// use parallel_mailbox::testing::Fault;
    ///
    /// let fault = Fault::lines("{tag} BAD Request is throttled.\n* BYE Connection closed. 14")
    ///     .before("FETCH")
    ///     .times(1);
    /// ```
    pub fn lines(lines: impl Into<String>) -> Self {
        Self::new(Action::Lines(lines.into()))
    }

    /// Answers a FETCH in descending order.
    pub fn reversed() -> Self {
        Self::new(Action::Reversed)
    }

    /// Drops the commands that arrive while this one is answered, as servers do that cannot
    /// pipeline.
    pub fn drop_pipelined() -> Self {
        Self::new(Action::DropPipelined)
    }

    /// Leaves the message out of the answer, though it exists.
    pub fn withhold() -> Self {
        Self::new(Action::Withhold)
    }

    /// Answers `NIL` for every body of the message.
    pub fn nil() -> Self {
        Self::new(Action::Nil)
    }

    /// Answers the message twice.
    pub fn duplicate() -> Self {
        Self::new(Action::Duplicate)
    }

    /// Sends these octets in place of the FETCH response of the message.
    pub fn replace(octets: impl Into<Vec<u8>>) -> Self {
        Self::new(Action::Replace(octets.into()))
    }

    /// Announces a body of so many octets, and sends as many; the message's own come first.
    ///
    /// With 4 GB and more the body is as good as endless.
    pub fn oversize(octets: u64) -> Self {
        Self::new(Action::Oversize(octets))
    }

    /// Answers RFC822.SIZE with this number of octets, whatever the size is.
    pub fn wrong_size(octets: u32) -> Self {
        Self::new(Action::WrongSize(octets))
    }

    /// Greets with PREAUTH: the session is logged in from the start.
    pub fn preauth() -> Self {
        Self::new(Action::Preauth)
    }

    /// Strikes on this connection only, counted from 1 in the order of acceptance. Defaults to all.
    pub fn on_connection(self, number: u64) -> Self {
        self.on_connections(number..=number)
    }

    /// Strikes on these connections only: `2..` spares the first. Defaults to all.
    pub fn on_connections(mut self, numbers: impl RangeBounds<u64>) -> Self {
        self.connections = Numbers::new(&numbers);
        self
    }

    /// Strikes on the connection that made the login attempt with this number only, counted from 1
    /// over all connections; where nothing else says when, after the attempt. Defaults to all.
    pub fn on_login(self, number: u64) -> Self {
        self.on_logins(number..=number)
    }

    /// Strikes on the connections that made these login attempts only; else as
    /// [`on_login`](Self::on_login).
    pub fn on_logins(mut self, numbers: impl RangeBounds<u64>) -> Self {
        self.logins = Some(Numbers::new(&numbers));
        self
    }

    /// Strikes when this message is about to be answered in a FETCH; together with
    /// [`before`](Self::before), when a command asks for it. May be called for several UIDs.
    pub fn uid(mut self, uid: u32) -> Self {
        self.uids.push(uid);
        self
    }

    /// Strikes once the server has sent exactly so many octets on the connection, the greeting
    /// included, wherever that is; where they are compressed, it counts what comes out. Holds for connections made after the fault was set.
    pub fn after_octets(mut self, octets: u64) -> Self {
        self.octets = Some(octets);
        self
    }

    /// Strikes before this command is carried out: `"LOGIN"`, `"FETCH"`, without `UID`.
    ///
    /// AUTHENTICATE has its own name.
    pub fn before(mut self, command: &str) -> Self {
        self.command = Some((Side::Before, command.to_owned()));
        self
    }

    /// Strikes after this command has been answered.
    pub fn after(mut self, command: &str) -> Self {
        self.command = Some((Side::After, command.to_owned()));
        self
    }

    /// Strikes so many times in all, then no more. Defaults to no limit.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    fn new(action: Action) -> Self {
        Self {
            action,
            connections: Numbers::ALL,
            logins: None,
            uids: Vec::new(),
            octets: None,
            command: None,
            times: None,
        }
    }

    fn answer(condition: &'static str, code: String, text: String) -> Self {
        Self::new(Action::Answer(Answer {
            condition,
            code,
            text,
        }))
    }

    /// Whether the fault strikes at this moment, the connection and the limit aside. `asked` says
    /// whether the command at hand asks for a UID.
    pub(super) fn is_at(&self, moment: Moment<'_>, asked: impl Fn(u32) -> bool) -> bool {
        if self.octets.is_some() {
            return false;
        }
        if let Some((side, name)) = &self.command {
            let is_side = match moment {
                Moment::Before(command) => {
                    *side == Side::Before && command.eq_ignore_ascii_case(name)
                }
                Moment::After(command) => {
                    *side == Side::After && command.eq_ignore_ascii_case(name)
                }
                Moment::Greeting | Moment::Message(_) => false,
            };
            return is_side && (self.uids.is_empty() || self.uids.iter().any(|uid| asked(*uid)));
        }
        if !self.uids.is_empty() {
            return matches!(moment, Moment::Message(uid) if self.uids.contains(&uid));
        }
        match self.action {
            Action::Withhold
            | Action::Nil
            | Action::Duplicate
            | Action::Replace(_)
            | Action::Oversize(_)
            | Action::WrongSize(_) => matches!(moment, Moment::Message(_)),
            Action::Answer(_) | Action::Lines(_) | Action::Reversed | Action::DropPipelined => {
                matches!(moment, Moment::Before(_))
            }
            _ if self.logins.is_some() => {
                matches!(moment, Moment::After("LOGIN" | "AUTHENTICATE"))
            }
            _ => moment == Moment::Greeting,
        }
    }
}

impl Numbers {
    const ALL: Self = Self(Bound::Unbounded, Bound::Unbounded);

    fn new(range: &impl RangeBounds<u64>) -> Self {
        Self(range.start_bound().cloned(), range.end_bound().cloned())
    }

    pub(super) fn contain(&self, number: u64) -> bool {
        (self.0, self.1).contains(&number)
    }
}

impl Action {
    /// The lines that end the answer to a command, if that is what the fault is about.
    pub(super) fn dictation(&self) -> Option<String> {
        match self {
            Self::Lines(lines) => Some(lines.clone()),
            Self::Answer(answer) => {
                let line = answer.line("{tag}");
                Some(String::from_utf8_lossy(&line).into_owned())
            }
            _ => None,
        }
    }
}

impl Answer {
    /// The answer as a line. Not by the codec, which refuses what a fault may want to say.
    pub(super) fn line(&self, tag: &str) -> Vec<u8> {
        let Self {
            condition,
            code,
            text,
        } = self;
        if code.is_empty() {
            format!("{tag} {condition} {text}\r\n").into_bytes()
        } else {
            format!("{tag} {condition} [{code}] {text}\r\n").into_bytes()
        }
    }
}
