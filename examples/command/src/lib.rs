//! A command's input and output as the connection, such as `ssh host /usr/lib/dovecot/imap`: the
//! tunnel knows who we are, so the server needs no password.

#![cfg(unix)]

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use parallel_mailbox::{Connect, Stream};

/// A command that is run once for each session.
#[derive(Debug, Clone)]
pub struct Tunnel {
    program: String,
    arguments: Vec<String>,
}

impl Tunnel {
    /// Runs this program, with these arguments, without a shell.
    pub fn new<I, S>(program: impl Into<String>, arguments: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
        }
    }
}

impl Connect for Tunnel {
    fn connect(&self, _: &str, _: u16, _: Duration) -> io::Result<Box<dyn Stream>> {
        // Pipes have no time-outs, and all deadlines rest on those. A pair of sockets has.
        let (ours, theirs) = UnixStream::pair()?;
        let input = OwnedFd::from(theirs.try_clone()?);
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::from(input))
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.program)))?;
        Ok(Box::new(Running {
            stream: ours,
            child,
        }))
    }
}

/// A command that is running. It ends with its connection.
#[derive(Debug)]
struct Running {
    stream: UnixStream,
    child: Child,
}

impl Read for Running {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.stream.read(target)
    }
}

impl Write for Running {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.stream.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Running {
    fn set_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        self.stream.set_timeout(timeout)
    }

    /// What the command does is its own affair: a tunnel protects itself.
    fn is_secure(&self) -> bool {
        true
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself. Without the wait it would stay as a zombie.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
