//! An IMAP client as bare as can be: it sends lines and cuts answers at literals. It checks what a
//! server really sends, so it shares no code with the crate and understands next to nothing.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// No answer from a server on loopback takes longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// One piece of an answer: a line, with the literal that it announced, if it did.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The line without its CRLF; octets that are not UTF-8 are replaced.
    pub(crate) line: String,
    /// The octets of the literal at the end of the line.
    pub(crate) literal: Option<Vec<u8>>,
}

impl Piece {
    /// The number that follows `word` in the line, as in `UID 7` or `RFC822.SIZE 300`.
    pub(crate) fn number_after(&self, word: &str) -> Option<u32> {
        let mut words = self.line.split([' ', '(', ')', '[', ']']);
        words.find(|candidate| *candidate == word)?;
        words.next()?.parse().ok()
    }
}

/// A connection, after the greeting.
pub(crate) struct RawClient<S: Read + Write> {
    stream: BufReader<S>,
    commands: u32,
    greeting: String,
}

impl RawClient<TcpStream> {
    /// Connects in plain text and reads the greeting.
    pub(crate) fn connect(port: u16) -> Self {
        Self::over(tcp(port))
    }
}

impl<S: Read + Write> RawClient<S> {
    /// Takes a stream, encrypted or not, on which the greeting comes next.
    pub(crate) fn over(stream: S) -> Self {
        let stream = BufReader::new(stream);
        let mut client = Self {
            stream,
            commands: 0,
            greeting: String::new(),
        };
        client.greeting = client.piece().line;
        client
    }

    /// The server's first line.
    pub(crate) fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Sends a command and returns all of its answer, the tagged line last.
    pub(crate) fn command(&mut self, command: &str) -> Vec<Piece> {
        self.send(command.as_bytes())
    }

    fn send(&mut self, command: &[u8]) -> Vec<Piece> {
        self.commands += 1;
        let tag = format!("t{}", self.commands);
        let line = [tag.as_bytes(), b" ", command, b"\r\n"].concat();
        self.stream
            .get_mut()
            .write_all(&line)
            .expect("send a command");
        self.stream.get_mut().flush().expect("send a command");
        let mut answer = Vec::new();
        loop {
            let piece = self.piece();
            let last = piece.line.starts_with(&format!("{tag} "));
            answer.push(piece);
            if last {
                return answer;
            }
        }
    }

    /// Sends a command that must be answered with OK.
    pub(crate) fn ok(&mut self, command: &str) -> Vec<Piece> {
        let answer = self.command(command);
        let last = &answer.last().expect("an answer has a tagged line").line;
        assert!(
            last.split(' ').nth(1) == Some("OK"),
            "{command} was answered with {last}"
        );
        answer
    }

    /// Appends messages by one command (RFC 3502), in literals that may hold any octet (RFC 3516)
    /// and that no answer is waited for (RFC 7888): a server has to have all three. Returns the
    /// tagged line without its tag.
    pub(crate) fn append(&mut self, mailbox: &str, messages: &[Vec<u8>]) -> String {
        let mut command = format!("APPEND {mailbox}").into_bytes();
        for message in messages {
            write!(command, " ~{{{}+}}\r\n", message.len()).expect("memory takes all");
            command.extend_from_slice(message);
        }
        let last = self.send(&command).pop().expect("a tagged line").line;
        let (_, answer) = last.split_once(' ').expect("a tag and more");
        answer.to_owned()
    }

    /// Whether the server closes the connection, now or soon; what it says before is passed over.
    pub(crate) fn ends(&mut self) -> bool {
        let mut rest = Vec::new();
        // A process that is killed may leave a reset behind instead of an end. Both are no timeout.
        self.stream.read_to_end(&mut rest).map_or_else(
            |error| !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            |_| true,
        )
    }

    fn piece(&mut self) -> Piece {
        let mut line = Vec::new();
        self.stream
            .read_until(b'\n', &mut line)
            .expect("read a line");
        let line = String::from_utf8_lossy(&line);
        let line = line
            .strip_suffix("\r\n")
            .expect("the server ends its lines, and stays")
            .to_owned();
        let announced = line
            .strip_suffix('}')
            .and_then(|rest| rest.rsplit_once('{'))
            .and_then(|(_, octets)| octets.parse().ok());
        let literal = announced.map(|octets: usize| {
            let mut literal = vec![0; octets];
            self.stream
                .read_exact(&mut literal)
                .expect("read a literal");
            literal
        });
        Piece { line, literal }
    }
}

/// A connection to a port of this machine whose reads and writes end.
pub(crate) fn tcp(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("connect");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time of more than zero");
    stream
        .set_write_timeout(Some(PATIENCE))
        .expect("a time of more than zero");
    stream
}

/// Whether the server with these words in its greeting is there, and not another that took its port.
pub(crate) fn greets(port: u16, words: &str) -> bool {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let mut line = Vec::new();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .is_ok()
        && BufReader::new(stream).read_until(b'\n', &mut line).is_ok()
        && String::from_utf8_lossy(&line).contains(words)
}
