//! The reading half of a connection: cuts what arrives into commands and notes when each was
//! complete. It never writes; where the client waits for a continuation, it tells the writing half,
//! so that latency and faults hold for that as well.

use std::io::{ErrorKind, Read};
use std::sync::mpsc::{SendError, SyncSender};
use std::time::Instant;

use imap_codec::decode::{CommandDecodeError, Decoder};
use imap_codec::imap_types::IntoStatic;
use imap_codec::imap_types::auth::AuthenticateData;
use imap_codec::imap_types::command::{Command, CommandBody};
use imap_codec::imap_types::core::{LiteralMode, Tag};
use imap_codec::{AuthenticateDataCodec, CommandCodec, IdleDoneCodec};

use super::deflate::Inflater;
use super::dialect::{self, Extension};
use super::dialogue::{Dialogue, dialogue};
use super::link::Link;
use super::log::Log;
use super::persona::manners::Manners;
use super::shared::Shared;

/// The largest literal that a command may carry, in octets.
const LITERAL_LIMIT: u32 = 64 * 1024 * 1024;

/// What a client sent.
#[derive(Debug)]
pub(super) enum Event {
    /// A command; AUTHENTICATE with the dialogue that follows it.
    Command(Box<Command<'static>>, Extension, Option<Dialogue>),
    /// The client waits for a continuation.
    Continue,
    /// Something that is no command; the tag where there was one.
    Bad(Option<Tag<'static>>, Problem),
    IdleDone,
}

/// Why something is no command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    LineTooLong,
    LiteralTooLong,
    /// What follows IDLE is not DONE.
    NotDone,
    /// In capitals, the first word after the tag, and the last of the line.
    NotUnderstood {
        command: String,
        word: String,
    },
}

/// An event, and when its last octet was here.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) event: Event,
    pub(super) at: Instant,
}

/// The reading half of a connection.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    link: &'a Link,
    log: &'a Log,
    connection: u64,
    max_line: usize,
    manners: &'static Manners,
    arrivals: SyncSender<Arrival>,
    buffer: Vec<u8>,
    /// How much of `buffer` has been used.
    used: usize,
    /// When the last octet in `buffer` was here.
    at: Instant,
    inflater: Option<Inflater<'a>>,
}

/// Why reading ended: the client or the server is gone, or the writing half has.
#[derive(Debug)]
struct End;

impl From<SendError<Arrival>> for End {
    fn from(_: SendError<Arrival>) -> Self {
        Self
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        link: &'a Link,
        shared: &'a Shared,
        connection: u64,
        arrivals: SyncSender<Arrival>,
    ) -> Self {
        let (buffer, at) = (Vec::new(), Instant::now());
        Self {
            link,
            log: &shared.log,
            connection,
            max_line: shared.max_line(),
            manners: shared.settings.manners,
            arrivals,
            buffer,
            used: 0,
            at,
            inflater: None,
        }
    }

    /// Reads until the connection ends.
    pub(super) fn run(mut self) {
        while self.read_command().is_ok() {}
    }

    fn read_command(&mut self) -> Result<(), End> {
        let mut command = Vec::new();
        let mut literals = 0;
        loop {
            if self.read_line(&mut command, literals)?.is_too_long() {
                self.log.add(self.connection, &command, self.at);
                return self.send(Event::Bad(tag_of(&command), Problem::LineTooLong));
            }
            let (known, extension) = dialect::read(&command, self.manners);
            let decoded = match CommandCodec::default().decode(&known) {
                Ok((_, decoded)) => Ok(decoded.into_static()),
                Err(CommandDecodeError::LiteralFound { tag, length, mode }) => {
                    Err(Some((tag.into_static(), length, mode)))
                }
                Err(CommandDecodeError::Incomplete | CommandDecodeError::Failed) => Err(None),
            };
            drop(known);
            let (tag, length, mode) = match decoded {
                Ok(decoded) => {
                    self.log.add(self.connection, &command, self.at);
                    return self.finish(decoded, extension);
                }
                Err(Some(literal)) => literal,
                Err(None) => return self.refuse(&command),
            };
            if mode == LiteralMode::Sync && length > LITERAL_LIMIT {
                return self.send(Event::Bad(Some(tag), Problem::LiteralTooLong));
            }
            if mode == LiteralMode::Sync {
                self.send(Event::Continue)?;
            }
            let keep = length <= LITERAL_LIMIT;
            self.read_literal(&mut command, length, keep)?;
            if !keep {
                let mut rest = Vec::new();
                self.read_line(&mut rest, 0)?;
                return self.send(Event::Bad(Some(tag), Problem::LiteralTooLong));
            }
            literals += length as usize;
        }
    }

    /// Sends a command on, with what belongs to it and follows in lines of its own.
    fn finish(&mut self, command: Command<'static>, extension: Extension) -> Result<(), End> {
        let is_idle = matches!(command.body, CommandBody::Idle);
        if let CommandBody::Authenticate { .. } = command.body {
            let (dialogue, listening) = dialogue();
            self.send(Event::Command(Box::new(command), extension, Some(dialogue)))?;
            while listening.is_wanted() {
                let mut line = Vec::new();
                self.read_line(&mut line, 0)?;
                let octets = match AuthenticateDataCodec::default().decode(&line) {
                    Ok((_, AuthenticateData::Continue(data))) => Some(data.declassify().to_vec()),
                    Ok((_, AuthenticateData::Cancel)) | Err(_) => None,
                };
                listening.answer(octets, self.at);
            }
            return Ok(());
        }
        self.send(Event::Command(Box::new(command), extension, None))?;
        if is_idle {
            let mut line = Vec::new();
            self.read_line(&mut line, 0)?;
            return self.send(match IdleDoneCodec::default().decode(&line) {
                Ok(_) => Event::IdleDone,
                Err(_) => Event::Bad(None, Problem::NotDone),
            });
        }
        Ok(())
    }

    /// Answers what is no command. A non-synchronising literal at its end comes all the same (RFC
    /// 7888, section 4) and must not be taken for the next command.
    fn refuse(&mut self, command: &[u8]) -> Result<(), End> {
        self.log.add(self.connection, command, self.at);
        let line = command.trim_ascii_end();
        let announced = line.strip_suffix(b"+}").and_then(|line| {
            let digits = line.rsplit(|octet| *octet == b'{').next()?;
            str::from_utf8(digits).ok()?.parse::<u32>().ok()
        });
        if let Some(length) = announced {
            self.read_literal(&mut Vec::new(), length, false)?;
            self.read_line(&mut Vec::new(), 0)?;
        }
        let text = String::from_utf8_lossy(line).to_ascii_uppercase();
        let mut words = text
            .split_whitespace()
            .skip(1)
            .filter(|word| *word != "UID");
        let command_word = words.next().unwrap_or_default().to_owned();
        let problem = Problem::NotUnderstood {
            word: words.last().unwrap_or_default().to_owned(),
            command: command_word,
        };
        self.send(Event::Bad(tag_of(command), problem))
    }

    fn send(&self, event: Event) -> Result<(), End> {
        Ok(self.arrivals.send(Arrival { event, at: self.at })?)
    }

    /// Reads to the end of the line and adds it to `command`, of which so many octets are literals.
    fn read_line(&mut self, command: &mut Vec<u8>, literals: usize) -> Result<Line, End> {
        let mut line = Line::Whole;
        loop {
            let ready = &self.buffer[self.used..];
            let end = ready.iter().position(|octet| *octet == b'\n');
            let taken = end.map_or(ready.len(), |end| end + 1);
            let room = self.max_line.saturating_sub(command.len() - literals);
            if taken > room {
                line = Line::TooLong;
            }
            command.extend_from_slice(&ready[..taken.min(room)]);
            self.used += taken;
            if end.is_some() {
                return Ok(line);
            }
            self.fill()?;
        }
    }

    fn read_literal(&mut self, command: &mut Vec<u8>, length: u32, keep: bool) -> Result<(), End> {
        let mut left = length as usize;
        while left > 0 {
            if self.used == self.buffer.len() {
                self.fill()?;
            }
            let ready = &self.buffer[self.used..];
            let taken = &ready[..ready.len().min(left)];
            if keep {
                command.extend_from_slice(taken);
            }
            left -= taken.len();
            self.used += taken.len();
        }
        Ok(())
    }

    /// Takes in what has arrived, in place of what is used up.
    fn fill(&mut self) -> Result<(), End> {
        self.used = 0;
        self.buffer.resize(16 * 1024, 0);
        let read = loop {
            let read = match &mut self.inflater {
                Some(inflater) => inflater.read(&mut self.buffer),
                None => (&self.link.stream).read(&mut self.buffer),
            };
            match read {
                Ok(0) => break Err(End),
                // Compression began while this waited.
                Ok(read) if self.inflater.is_none() && self.link.is_deflated() => {
                    let octets = self.buffer[..read].to_vec();
                    self.inflater = Some(Inflater::new(octets, &self.link.stream));
                }
                Ok(read) => break Ok(read),
                // The time-out is there to notice the end also where it does not wake a read.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) && !self.link.has_ended() => {}
                Err(_) => break Err(End),
            }
        };
        self.buffer.truncate(*read.as_ref().unwrap_or(&0));
        self.at = Instant::now();
        read.map(|_| ())
    }
}

/// Whether a line was within the limit.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Whole,
    TooLong,
}

impl Line {
    fn is_too_long(&self) -> bool {
        *self == Self::TooLong
    }
}

/// The tag of what may be no command otherwise.
fn tag_of(command: &[u8]) -> Option<Tag<'static>> {
    let first = command.split(|octet| octet.is_ascii_whitespace()).next()?;
    Tag::try_from(first).ok().map(IntoStatic::into_static)
}
