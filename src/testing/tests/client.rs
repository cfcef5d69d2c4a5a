//! A client that knows nothing but lines and literals.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::super::Server;

pub(super) struct Client {
    pub(super) stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects and reads the greeting.
    pub(super) fn connect(server: &Server) -> Self {
        let mut client = Self::connect_only(server);
        assert!(client.line().starts_with("* OK"));
        client
    }

    pub(super) fn connect_only(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Connects, logs in and selects the INBOX with EXAMINE.
    pub(super) fn examining(server: &Server) -> Self {
        let mut client = Self::connect(server);
        client.ok("LOGIN me secret");
        client.ok("EXAMINE INBOX");
        client
    }

    pub(super) fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(octets.as_ref()).unwrap();
    }

    /// Sends a command with the tag `t` and reads up to its tagged answer.
    pub(super) fn command(&mut self, command: &str) -> String {
        self.send(format!("t {command}\r\n"));
        self.answer("t").unwrap()
    }

    /// The same, for a command that succeeds.
    pub(super) fn ok(&mut self, command: &str) -> String {
        let answer = self.command(command);
        assert!(
            answer.lines().last().unwrap().starts_with("t OK"),
            "{command}: {answer}"
        );
        answer
    }

    /// Reads up to the tagged answer, octets that are no UTF-8 replaced.
    pub(super) fn answer(&mut self, tag: &str) -> io::Result<String> {
        let mut answer = Vec::new();
        loop {
            let start = answer.len();
            if self.stream.read_until(b'\n', &mut answer)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = String::from_utf8_lossy(&answer[start..])
                .trim_end()
                .to_owned();
            if let Some(length) = line
                .strip_suffix('}')
                .and_then(|line| line.rsplit('{').next())
            {
                let length: u64 = length.parse().unwrap();
                (&mut self.stream).take(length).read_to_end(&mut answer)?;
            } else if line.starts_with(&format!("{tag} ")) {
                return Ok(String::from_utf8_lossy(&answer).into_owned());
            }
        }
    }

    /// One line, or what there is before the end.
    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line
    }

    /// All octets to the end of the stream, and whether it ended in order.
    pub(super) fn rest(&mut self) -> (Vec<u8>, io::Result<usize>) {
        let mut rest = Vec::new();
        let end = self.stream.read_to_end(&mut rest);
        (rest, end)
    }
}
