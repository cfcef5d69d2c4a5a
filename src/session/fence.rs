//! Stands between the `imap` crate and the server. The crate panics on some octets, takes any
//! line it cannot parse for a BYE, and loses the texts and codes of errors. So it is shown only
//! lines that it is known to understand, rewritten in their plainest form, one per `read`; what
//! matters in the others is noted here.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::credentials::{Redaction, Secret};
use crate::error::{Error, ErrorKind, Result, excerpt};
use crate::transport::{Condition, Fate, Frame, Phase, Status, Wire};

/// What the crate's tags begin with; a number follows that counts its commands.
const CRATE_TAG: char = 'a';

#[derive(Debug)]
pub(super) struct Fence {
    pub(super) wire: Wire,
    pub(super) heard: Heard,
    frame: Frame,
    /// What the crate may read next.
    shown: Vec<u8>,
    shown_to: usize,
    chatter: usize,
    /// Answer the next command here, without the server: a LOGIN, which the crate knows no other
    /// way to skip.
    pretend: bool,
    /// Commands that the crate is going to give once it is logged in, without tags and line ends.
    /// They leave with the login, so that they cost no round trips of their own.
    ahead: Vec<String>,
    /// Of these, what has left and the crate has yet to give.
    sent: Vec<u8>,
    has_sent_ahead: bool,
    /// The number in the crate's last tag.
    last_tag: u64,
    /// While they are on the wire: what the server says may repeat them.
    pub(super) secrets: Option<Redaction>,
}

/// What the server said besides what the crate is shown.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// In capitals. Empty if it has said nothing about them.
    pub(super) capabilities: Vec<String>,
    pub(super) completion: Option<Completion>,
    /// What it said about itself: the text of its greeting, or its answer to ID.
    pub(super) name: String,
    /// The text of its BYE.
    pub(super) bye: Option<String>,
    /// The text of an ALERT, which must be shown to the user (RFC 9051, section 7.1). As it came.
    pub(super) alert: Option<Vec<u8>>,
}

/// The end of the last command.
#[derive(Debug, Clone)]
pub(super) struct Completion {
    pub(super) condition: Condition,
    pub(super) code: Option<String>,
    /// As it came.
    pub(super) text: Vec<u8>,
}

impl Completion {
    fn of(status: &Status<'_>) -> Self {
        Self {
            condition: status.condition,
            code: status.code_word(),
            text: status.text.to_vec(),
        }
    }

    /// As an error of the command that it ends.
    pub(super) fn refused(&self, phase: Phase) -> Error {
        Error::refused(
            self.condition,
            self.code.clone(),
            &self.text,
            phase.to_string(),
        )
    }
}

/// What comes in answer to a command, or to a part of one.
#[derive(Debug)]
pub(super) enum Reply {
    /// The server waits for more; with what it says to that.
    Continue(Vec<u8>),
    Done(Completion),
}

impl Fence {
    pub(super) fn new(wire: Wire) -> Self {
        Self {
            wire,
            heard: Heard::default(),
            frame: Frame::default(),
            shown: Vec::new(),
            shown_to: 0,
            chatter: 0,
            pretend: false,
            ahead: Vec::new(),
            sent: Vec::new(),
            has_sent_ahead: false,
            last_tag: 0,
            secrets: None,
        }
    }

    /// Lets these commands leave together with the last line of the login that comes next. The crate
    /// must give them in this order afterwards.
    pub(super) fn send_ahead(&mut self, commands: Vec<String>) {
        self.ahead = commands;
    }

    /// Sends what is the last, or all, that a login needs, and with it what may leave ahead. The
    /// crate goes on with a login that it only [pretends](Fence::pretend_once), so that it never
    /// sees a secret.
    pub(super) fn send_last_of_login(&mut self, octets: &Secret) -> Result<()> {
        let first_tag = self.last_tag + 2;
        for (command, tag) in std::mem::take(&mut self.ahead).iter().zip(first_tag..) {
            let line = format!("{CRATE_TAG}{tag} {command}\r\n");
            self.sent.extend_from_slice(line.as_bytes());
        }
        self.has_sent_ahead |= !self.sent.is_empty();
        // Together, so that they are one packet.
        let all = Secret::concat(&[octets.expose(), &self.sent]);
        self.wire.write(all.expose())
    }

    /// Whether commands have left that the crate had yet to give.
    pub(super) fn has_sent_ahead(&self) -> bool {
        self.has_sent_ahead
    }

    /// After a login behind which nothing could be sent: what need not wait for more than its
    /// answer leaves together.
    pub(super) fn send_after_login(&mut self) -> Result<()> {
        match self.ahead.is_empty() {
            true => Ok(()),
            false => self.send_last_of_login(&Secret::default()),
        }
    }

    /// Takes what the crate gives: to the wire, unless it has left already.
    fn give(&mut self, octets: &[u8]) -> Result<()> {
        if !self.sent.is_empty() {
            let Some(rest) = self.sent.strip_prefix(octets) else {
                return Err(Error::protocol(
                    "a command that was sent ahead is another now",
                ));
            };
            self.sent = rest.to_vec();
            return Ok(());
        }
        self.last_tag = tag_number(octets).unwrap_or(self.last_tag);
        self.wire.write(octets)
    }

    /// Starts a command, bearing silence for so long and never longer than usual.
    pub(super) fn begin_with(&mut self, phase: Phase, patience: Duration) {
        self.wire.begin_with(phase, patience);
        self.reset();
    }

    pub(super) fn begin_until(&mut self, phase: Phase, end: Instant) {
        self.wire
            .begin_until(phase, end.saturating_duration_since(Instant::now()));
        self.reset();
    }

    fn reset(&mut self) {
        self.heard.completion = None;
        self.heard.alert = None;
        self.chatter = 0;
    }

    pub(super) fn pretend_once(&mut self) {
        self.pretend = true;
    }

    /// Reads one line that is no literal's business, such as a greeting.
    pub(super) fn read_response(&mut self) -> Result<&[u8]> {
        self.frame.read(&mut self.wire, |_, _| Ok(Fate::Discard))?;
        Ok(&self.frame.line)
    }

    /// Reads up to what answers a command of ours: the server asks for more, or is done.
    pub(super) fn read_reply(&mut self, tag: &str) -> Result<Reply> {
        loop {
            self.read_counted()?;
            let line = &self.frame.line;
            if let Some(text) = line.strip_prefix(b"+") {
                return Ok(Reply::Continue(text.trim_ascii().to_vec()));
            }
            if let Some(rest) = line.strip_prefix(b"* ") {
                self.heard.note(rest, self.secrets.as_ref());
            } else if let Some(status) = line
                .strip_prefix(tag.as_bytes())
                .and_then(|rest| rest.strip_prefix(b" "))
                .and_then(Status::parse)
            {
                self.heard.note_capabilities(status.code);
                return Ok(Reply::Done(Completion::of(&status)));
            } else {
                return Err(self.not_a_response());
            }
        }
    }

    /// Reads the next response, unless there have been too many that answer nothing.
    fn read_counted(&mut self) -> Result<()> {
        self.frame.read(&mut self.wire, |_, _| Ok(Fate::Discard))?;
        self.chatter += 1;
        let most = self.wire.limits().untagged_responses;
        if self.chatter > most {
            return Err(Error::protocol(format!(
                "{}: more than {most} lines that answer nothing",
                self.wire.phase()
            )));
        }
        Ok(())
    }

    fn not_a_response(&self) -> Error {
        Error::protocol(format!(
            "{}: not an IMAP response: {}",
            self.wire.phase(),
            shown_text(&self.frame.line, self.secrets.as_ref())
        ))
    }

    /// Reads the next response and decides what the crate sees of it; perhaps nothing.
    fn show_next(&mut self) -> Result<()> {
        self.shown.clear();
        self.shown_to = 0;
        self.read_counted()?;
        let line = &self.frame.line;
        if line.starts_with(b"+") {
            self.shown.extend_from_slice(line);
        } else if let Some(rest) = line.strip_prefix(b"* ") {
            self.heard.note(rest, self.secrets.as_ref());
            show_untagged(rest, &mut self.shown);
        } else if let Some(space) = memchr::memchr(b' ', line)
            && let Some(status) = Status::parse(&line[space + 1..])
        {
            self.heard.note_capabilities(status.code);
            let read_only = status.code_word().as_deref() == Some("READ-ONLY");
            self.shown.extend_from_slice(&line[..space]);
            self.shown.extend_from_slice(match status.condition {
                Condition::Ok if read_only => b" OK [READ-ONLY] .\r\n".as_slice(),
                Condition::Ok => b" OK .\r\n",
                Condition::Bad => b" BAD .\r\n",
                _ => b" NO .\r\n",
            });
            self.heard.completion = Some(Completion::of(&status));
        } else {
            return Err(self.not_a_response());
        }
        Ok(())
    }
}

impl Heard {
    /// Takes what matters from an untagged line without its `* `.
    pub(super) fn note(&mut self, rest: &[u8], secrets: Option<&Redaction>) {
        if let Some(words) = strip_word(rest, b"CAPABILITY ") {
            self.set_capabilities(words);
        } else if let Some(words) = strip_word(rest, b"ID ") {
            self.name = excerpt(words);
        } else if let Some(status) = Status::parse(rest) {
            self.note_capabilities(status.code);
            if status.condition == Condition::Bye {
                self.bye = Some(shown_text(status.text, secrets));
            }
            if status.code_word().as_deref() == Some("ALERT") {
                self.alert = Some(status.text.to_vec());
            }
        }
    }

    pub(super) fn note_capabilities(&mut self, code: Option<&[u8]>) {
        if let Some(words) = code.and_then(|code| strip_word(code, b"CAPABILITY ")) {
            self.set_capabilities(words);
        }
    }

    fn set_capabilities(&mut self, words: &[u8]) {
        let words = String::from_utf8_lossy(words).to_ascii_uppercase();
        self.capabilities = words.split_ascii_whitespace().map(str::to_owned).collect();
    }
}

/// The number in a command's tag.
fn tag_number(command: &[u8]) -> Option<u64> {
    let rest = command.strip_prefix(&[CRATE_TAG as u8])?;
    let space = memchr::memchr(b' ', rest)?;
    str::from_utf8(&rest[..space]).ok()?.parse().ok()
}

fn strip_word<'a>(line: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = line.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

/// What the server said, fit for printing: without the secrets that it may repeat.
pub(super) fn shown_text(text: &[u8], secrets: Option<&Redaction>) -> String {
    match secrets {
        Some(secrets) => excerpt(&secrets.redact(text)),
        None => excerpt(text),
    }
}

/// Adds to the error of a connection that closed what the server said before.
pub(super) fn with_goodbye(error: Error, phase: Phase, bye: Option<&str>) -> Error {
    match bye {
        Some(bye) if *error.kind() == ErrorKind::Disconnected => {
            error.in_context(format_args!("{phase}: the server said goodbye: {bye}"))
        }
        _ => error,
    }
}

/// Of untagged data the crate needs only the number of messages and two codes of EXAMINE.
fn show_untagged(rest: &[u8], shown: &mut Vec<u8>) {
    let digits = rest
        .iter()
        .take_while(|octet| octet.is_ascii_digit())
        .count();
    if digits > 0
        && rest[digits..]
            .trim_ascii_end()
            .eq_ignore_ascii_case(b" EXISTS")
    {
        shown.extend_from_slice(b"* ");
        shown.extend_from_slice(&rest[..digits]);
        shown.extend_from_slice(b" EXISTS\r\n");
        return;
    }
    let Some(Status {
        condition: Condition::Ok,
        code: Some(code),
        ..
    }) = Status::parse(rest)
    else {
        return;
    };
    for word in [&b"UIDVALIDITY "[..], b"UIDNEXT "] {
        if let Some(number) = strip_word(code, word)
            && number.len() <= 10
            && number.iter().all(u8::is_ascii_digit)
        {
            shown.extend_from_slice(b"* OK [");
            shown.extend_from_slice(word);
            shown.extend_from_slice(number);
            shown.extend_from_slice(b"] .\r\n");
        }
    }
}

/// The crate's end of the connection.
#[derive(Debug, Clone)]
pub(super) struct Handle(pub(super) Arc<Mutex<Fence>>);

impl Read for Handle {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let mut fence = super::lock(&self.0);
        while fence.shown_to == fence.shown.len() {
            fence.show_next().map_err(io::Error::other)?;
        }
        let rest = &fence.shown[fence.shown_to..];
        let count = rest.len().min(target.len());
        target[..count].copy_from_slice(&rest[..count]);
        fence.shown_to += count;
        Ok(count)
    }
}

impl Write for Handle {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut fence = super::lock(&self.0);
        if fence.pretend {
            fence.pretend = false;
            let tag = octets
                .split(|octet| *octet == b' ')
                .next()
                .unwrap_or_default()
                .to_vec();
            fence.shown = tag;
            fence.shown.extend_from_slice(b" OK .\r\n");
            fence.shown_to = 0;
        } else {
            fence.give(octets).map_err(io::Error::other)?;
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::tests::wire;

    fn shown(octets: &[u8]) -> (String, Fence) {
        let mut handle = Handle(Arc::new(Mutex::new(Fence::new(wire(octets, 7)))));
        let mut shown = Vec::new();
        let mut target = [0; 1000];
        while let Ok(count) = handle.read(&mut target) {
            shown.extend_from_slice(&target[..count]);
        }
        let fence = Arc::into_inner(handle.0).unwrap().into_inner().unwrap();
        (String::from_utf8(shown).unwrap(), fence)
    }

    #[test]
    fn the_crate_sees_only_what_it_understands() {
        let octets = b"* FLAGS (\\Seen \xff)\r\n* 23 EXISTS\r\n* NO watch out\r\n* BYE not yet\r\n\
            * OK [UIDVALIDITY 7] h\xc3\xa4\r\n* OK [UIDNEXT 99999999999] odd\r\n* OK [NEW ((] x\r\n\
            * LIST () {3}\r\n\"\r\n x\r\na2 OK [READ-ONLY] done \xff\r\n";
        let (shown, fence) = shown(octets);
        assert_eq!(
            shown,
            "* 23 EXISTS\r\n* OK [UIDVALIDITY 7] .\r\na2 OK [READ-ONLY] .\r\n"
        );
        assert_eq!(fence.heard.bye.as_deref(), Some("not yet"));
        let completion = fence.heard.completion.unwrap();
        assert_eq!(completion.code.as_deref(), Some("READ-ONLY"));
    }

    #[test]
    fn one_read_never_goes_past_a_line() {
        let fence = Fence::new(wire(&b"a1 OK one\r\na2 OK two\r\n"[..], 100));
        let mut handle = Handle(Arc::new(Mutex::new(fence)));
        let mut target = [0; 1000];
        assert_eq!(handle.read(&mut target).unwrap(), b"a1 OK .\r\n".len());
    }

    #[test]
    fn notes_capabilities_wherever_they_are_said() {
        let (_, fence) = shown(b"* CAPABILITY IMAP4rev1 esearch\r\na1 OK done\r\n");
        assert!(fence.heard.capabilities.contains(&"ESEARCH".to_owned()));
        let (_, fence) = shown(b"a1 OK [CAPABILITY IMAP4rev1 IDLE] done\r\n");
        assert!(fence.heard.capabilities.contains(&"IDLE".to_owned()));
    }

    #[test]
    fn endless_chatter_is_a_protocol_error() {
        let fence = Fence::new(wire(b"* OK still here\r\n".repeat(100_001), 4096));
        let error = Handle(Arc::new(Mutex::new(fence)))
            .read(&mut [0; 10])
            .unwrap_err();
        assert!(error.to_string().contains("answer nothing"), "{error}");
    }
}
