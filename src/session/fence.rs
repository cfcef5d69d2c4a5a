//! Stands between the `imap` crate and the server. The crate panics on some bytes, takes any line it
//! cannot parse for a BYE, and loses the texts and codes of errors. So it is shown only the end of
//! each command, rewritten in its plainest form, one line per `read`; what matters in all else is
//! noted here.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::ahead::Ahead;
use super::heard::{Completion, Heard, shown_text};
use crate::credentials::{Redaction, Secret};
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::transport::{Condition, Fate, Frame, Phase, Status, Wire};

/// What the crate's tags begin with; a number follows that counts its commands.
const CRATE_TAG: char = 'a';

/// Of the NOOP that finds out whether commands were lost.
const PROBE_TAG: &[u8] = b"n1";

/// So many lines of no response may come during one command.
const MOST_STRAY_LINES: usize = 32;

#[derive(Debug)]
pub(super) struct Fence {
    pub(super) wire: Wire,
    pub(super) heard: Heard,
    frame: Frame,
    /// What the crate may read next.
    shown: Vec<u8>,
    shown_to: usize,
    chatter: usize,
    /// Lines that are no responses.
    strays: usize,
    /// Answer the next command here, without the server: a LOGIN, which the crate knows no other
    /// way to skip.
    pretend: bool,
    /// Commands that leave with the login.
    pub(super) ahead: Ahead,
    /// A NOOP is under way that was sent after them.
    is_probing: bool,
    /// How long the server may be silent over the command.
    patience: Duration,
    /// The tag that the crate waits for.
    awaited: Vec<u8>,
    /// The number in the crate's last tag.
    last_tag: u64,
    /// While they are on the wire, and what the server says may repeat them.
    pub(super) secrets: Option<Redaction>,
}

/// What comes in answer to a command, or to a part of one.
#[derive(Debug)]
pub(super) enum Reply {
    /// The server waits for more; with what it says to that.
    Continue(Vec<u8>),
    Done(Completion),
}

/// What a line is.
enum Line {
    /// Blank, stray, or the end of another command.
    Nothing,
    Continue,
    Untagged,
    /// It ends the command.
    End(Completion),
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
            strays: 0,
            pretend: false,
            ahead: Ahead::default(),
            is_probing: false,
            patience: Duration::MAX,
            awaited: Vec::new(),
            last_tag: 0,
            secrets: None,
        }
    }

    /// Sends what is the last, or all, that a login needs, and with it what may leave ahead, which the
    /// crate must give in that order afterwards. It goes on with a login that it only
    /// [pretends](Fence::pretend_once), so that it never sees a secret.
    pub(super) fn send_last_of_login(&mut self, bytes: &Secret) -> Result<()> {
        let (first_tag, is_behind) = (self.last_tag + 2, !bytes.is_empty());
        let ahead = self.ahead.leave(CRATE_TAG, first_tag, is_behind);
        // Together, so that they are one packet.
        let all = Secret::concat(&[bytes.expose(), ahead]);
        self.wire.write(all.expose())
    }

    /// After a login behind which nothing could be sent: what need not wait for more than its
    /// answer leaves together.
    pub(super) fn send_after_login(&mut self) -> Result<()> {
        match self.ahead.commands.is_empty() {
            true => Ok(()),
            false => self.send_last_of_login(&Secret::default()),
        }
    }

    /// After the login's OK, if nothing comes for so long: asks whether what was sent behind the login
    /// has arrived at all. Proxies hand the connection over to another process then, and some lose what
    /// has come by that time. Servers answer in order, so if a NOOP that is sent now has its answer
    /// before those commands have theirs, they are lost, and are sent again; none of them does harm
    /// twice.
    fn look_after(&mut self, patience: Duration) -> Result<()> {
        let phase = self.wire.phase();
        self.wire.begin_with(phase, patience);
        match self.wire.available() {
            Err(error) if error.is_timeout() => {
                self.ahead.asks();
                self.is_probing = true;
                let command = [PROBE_TAG, b" NOOP\r\n"].concat();
                self.wire.write(&command)?;
            }
            result => {
                result?;
            }
        }
        self.wire.begin_with(phase, self.patience);
        Ok(())
    }

    /// Takes what the crate gives: to the wire, unless it has left already.
    fn give(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(number) = tag_number(bytes) {
            self.awaited = format!("{CRATE_TAG}{number}").into_bytes();
            self.last_tag = number;
        }
        match self.ahead.has_left_already(bytes)? {
            true => Ok(()),
            false => self.wire.write(bytes),
        }
    }

    /// Starts a command, bearing silence for so long and never longer than usual.
    pub(super) fn begin_with(&mut self, phase: Phase, patience: Duration) {
        self.wire.begin_with(phase, patience);
        self.patience = patience;
        self.reset();
    }

    pub(super) fn begin_until(&mut self, phase: Phase, end: Deadline) {
        self.wire.begin_until(phase, end);
        self.reset();
    }

    /// Starts a command whose answer costs the server next to nothing: there is no reason for it to be
    /// silent for long.
    pub(super) fn begin_within(&mut self, phase: Phase, end: Deadline) {
        self.wire.begin_within(phase, end);
        self.reset();
    }

    fn reset(&mut self) {
        self.heard.completion = None;
        self.chatter = 0;
        self.strays = 0;
    }

    pub(super) fn pretend_once(&mut self) {
        self.pretend = true;
    }

    /// Adds to an error what the server said before.
    pub(super) fn explain(&self, error: Error) -> Error {
        let phase = self.wire.phase();
        self.heard.explain(error, phase, self.secrets.as_ref())
    }

    /// Reads one response that is not blank.
    pub(super) fn read_response(&mut self) -> Result<&[u8]> {
        self.read_counted()?;
        while is_blank(&self.frame.line) {
            self.read_counted()?;
        }
        Ok(&self.frame.line)
    }

    /// Reads up to what answers a command of ours: the server asks for more, or is done.
    pub(super) fn read_reply(&mut self, tag: &str) -> Result<Reply> {
        loop {
            match self.read_line(tag.as_bytes())? {
                Line::Continue => {
                    let text = self.frame.line[1..].trim_ascii().to_vec();
                    return Ok(Reply::Continue(text));
                }
                Line::End(completion) => return Ok(Reply::Done(completion)),
                Line::Untagged | Line::Nothing => {}
            }
        }
    }

    /// As [`read_reply`](Fence::read_reply), for a command whose answers `take` wants to see, without
    /// their `* `. What it makes something of does not count as chatter.
    pub(super) fn read_answers(
        &mut self,
        tag: &str,
        mut take: impl FnMut(&[u8]) -> Result<bool>,
    ) -> Result<Completion> {
        loop {
            match self.read_line(tag.as_bytes())? {
                Line::Untagged => {
                    if take(&self.frame.line[2..])? {
                        self.chatter = 0;
                    }
                }
                Line::End(completion) => return Ok(completion),
                Line::Continue | Line::Nothing => {}
            }
        }
    }

    /// Takes a line that was read elsewhere, as [`read_reply`](Fence::read_reply) would. Returns the
    /// end of the command, if it is that.
    pub(super) fn take_line(&mut self, line: Vec<u8>, tag: &str) -> Result<Option<Completion>> {
        self.frame.line = line;
        self.count()?;
        match self.sort_line(tag.as_bytes())? {
            Line::End(completion) => Ok(Some(completion)),
            _ => Ok(None),
        }
    }

    fn read_line(&mut self, tag: &[u8]) -> Result<Line> {
        self.read_counted()?;
        self.sort_line(tag)
    }

    /// Tells what the last line is, and notes what it says beside an answer.
    fn sort_line(&mut self, tag: &[u8]) -> Result<Line> {
        let line = &self.frame.line;
        if is_blank(line) {
            return Ok(Line::Nothing);
        }
        if line.starts_with(b"+") {
            return Ok(Line::Continue);
        }
        let secrets = self.secrets.as_ref();
        let line = match swallowed(line, tag) {
            Some(at) => &line[at..],
            None => line.as_slice(),
        };
        if let Some(rest) = line.strip_prefix(b"* ") {
            self.heard.note(rest, secrets);
            return Ok(Line::Untagged);
        }
        let tagged = memchr::memchr(b' ', line)
            .and_then(|space| Some((&line[..space], Status::parse(&line[space + 1..])?)));
        let Some((found, status)) = tagged else {
            self.strays += 1;
            // What has the command's own tag answers it.
            let is_answer = line
                .strip_prefix(tag)
                .is_some_and(|rest| rest.starts_with(b" "));
            if is_answer || self.strays > MOST_STRAY_LINES {
                return Err(Error::protocol(format!(
                    "{}: not an IMAP response: {}",
                    self.wire.phase(),
                    shown_text(line, secrets)
                )));
            }
            self.heard.note_words(line, secrets);
            return Ok(Line::Nothing);
        };
        if found == tag {
            self.heard.note_status(&status, secrets);
            return Ok(Line::End(Completion::of(&status)));
        }
        // The end of another command: proxies let answers through that are not for this client.
        if found == PROBE_TAG && self.is_probing {
            self.is_probing = false;
            if let Some(command) = self.ahead.lost() {
                self.wire.write(command.as_bytes())?;
            }
        }
        Ok(Line::Nothing)
    }

    /// Reads the next response, unless there have been too many that answer nothing.
    fn read_counted(&mut self) -> Result<()> {
        self.frame.read(&mut self.wire, |_, _| Ok(Fate::Discard))?;
        self.count()
    }

    /// A response has been read.
    pub(super) fn count(&mut self) -> Result<()> {
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

    /// Reads the next response and decides what the crate sees of it; perhaps nothing.
    fn show_next(&mut self) -> Result<()> {
        self.shown.clear();
        self.shown_to = 0;
        if let Some(patience) = self.ahead.patience() {
            self.look_after(patience)?;
        }
        let awaited = std::mem::take(&mut self.awaited);
        let line = self.read_line(&awaited);
        if let Ok(Line::End(completion)) = &line {
            self.shown.extend_from_slice(&awaited);
            self.shown.extend_from_slice(match completion.condition {
                Condition::Ok => b" OK .\r\n".as_slice(),
                Condition::Bad => b" BAD .\r\n",
                _ => b" NO .\r\n",
            });
            self.ahead.was_answered();
            self.heard.completion = Some(completion.clone());
        }
        self.awaited = awaited;
        line.map(|_| ())
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

/// Where the end of a command begins in a numbered response that has no end of its own: what DavMail
/// sends when it cannot load a message.
fn swallowed(line: &[u8], tag: &[u8]) -> Option<usize> {
    let line = line.trim_ascii_end();
    let is_numbered = line.starts_with(b"* ") && line.get(2).is_some_and(u8::is_ascii_digit);
    if tag.is_empty() || !is_numbered || line.ends_with(b")") {
        return None;
    }
    let at = memchr::memmem::rfind(line, tag)?;
    let status = line[at + tag.len()..].strip_prefix(b" ")?;
    Status::parse(status).map(|_| at)
}

/// The number in a command's tag.
fn tag_number(command: &[u8]) -> Option<u64> {
    let rest = command.strip_prefix(&[CRATE_TAG as u8])?;
    let space = memchr::memchr(b' ', rest)?;
    str::from_utf8(&rest[..space]).ok()?.parse().ok()
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
        let mut fence = Fence::new(wire(octets, 7));
        fence.awaited = b"a2".to_vec();
        let mut handle = Handle(Arc::new(Mutex::new(fence)));
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
            * OK [UIDVALIDITY 7] h\xc3\xa4\r\n\r\nServer Unavailable.\r\na1 NO of another\r\n\
            + what\r\n* LIST () {3}\r\n\"\r\n x\r\na2 OK [READ-ONLY] done \xff\r\n";
        let (shown, fence) = shown(octets);
        assert_eq!(shown, "a2 OK .\r\n");
        assert_eq!(fence.heard.mailbox.exists, Some(23));
        assert_eq!(fence.heard.mailbox.uid_validity, Some(7));
        let completion = fence.heard.completion.unwrap();
        assert_eq!(completion.code.as_deref(), Some("READ-ONLY"));
    }

    #[test]
    fn one_read_never_goes_past_a_line() {
        let mut fence = Fence::new(wire(&b"a1 OK one\r\na2 OK two\r\n"[..], 100));
        fence.awaited = b"a1".to_vec();
        let mut handle = Handle(Arc::new(Mutex::new(fence)));
        let mut target = [0; 1000];
        assert_eq!(handle.read(&mut target).unwrap(), b"a1 OK .\r\n".len());
    }

    #[test]
    fn commands_that_were_lost_behind_a_login_are_sent_again() {
        let mut fence = Fence::new(wire(&b"n1 OK\r\na2 OK\r\n"[..], 100));
        fence.ahead.commands = vec!["CAPABILITY".to_owned(), "EXAMINE x".to_owned()];
        let login = Secret::from("l1 LOGIN a b\r\n".to_owned());
        fence.send_last_of_login(&login).unwrap();
        fence.is_probing = true;
        fence.give(b"a2 CAPABILITY\r\n").unwrap();
        while fence.shown.is_empty() {
            fence.show_next().unwrap();
        }
        assert!(fence.ahead.were_lost);
        assert_eq!(fence.shown, b"a2 OK .\r\n");
    }

    #[test]
    fn endless_chatter_is_a_protocol_error() {
        for (line, says) in [
            (&b"* OK still here\r\n"[..], "answer nothing"),
            (b"\r\n", "answer nothing"),
            (b"a1 OK another\r\n", "answer nothing"),
            (b"HTTP/1.1 400 Bad Request\r\n", "not an IMAP response"),
        ] {
            let fence = Fence::new(wire(line.repeat(100_001), 4096));
            let error = Handle(Arc::new(Mutex::new(fence)))
                .read(&mut [0; 10])
                .unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}
