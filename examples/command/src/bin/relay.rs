//! Stands in for `ssh` in the tests: leads from its input and output to a port of this machine, and
//! ends when either side does.

use std::io;
use std::net::TcpStream;
use std::process::exit;
use std::thread;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|word| word.parse().ok());
    let port: u16 = port.ok_or(io::ErrorKind::InvalidInput)?;
    let server = TcpStream::connect(("127.0.0.1", port))?;
    let mut from_server = server.try_clone()?;
    thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut io::stdout());
        exit(0);
    });
    io::copy(&mut io::stdin().lock(), &mut &server)?;
    exit(0)
}
