//! A server that follows a script, one thread for each connection, and writes down what it is told.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use native_tls::{HandshakeError, TlsAcceptor, TlsStream};
use parallel_mailbox::{Builder, Error, ErrorKind, ParallelMailbox, Retry, Security, Timeouts};

use crate::support::front::read_line;

pub(crate) const USER: &str = "ann-is-private";
pub(crate) const SECRET: &str = "hunter2-is-secret";

/// A client that has not gone away by then never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// What clients said, a line each, whether within TLS or not.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    pub(crate) fn note(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A running server. Dropping it closes its connections and joins its threads.
pub(crate) struct Scripted {
    port: u16,
    heard: Heard,
    accepted: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    sockets: Arc<Mutex<Vec<TcpStream>>>,
    listening: Option<JoinHandle<()>>,
}

/// One connection of a server.
pub(crate) struct Line<S> {
    pub(crate) stream: S,
    heard: Heard,
}

impl Scripted {
    /// Plays this for every connection. A script that ends early, or fails, closes it.
    pub(crate) fn start(
        script: impl Fn(Line<TcpStream>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Heard::default();
        let accepted = Arc::new(AtomicUsize::new(0));
        let is_over = Arc::new(AtomicBool::new(false));
        let sockets = Arc::new(Mutex::new(Vec::new()));
        let listening = thread::spawn({
            let (heard, accepted) = (heard.clone(), accepted.clone());
            let (is_over, sockets) = (is_over.clone(), sockets.clone());
            let script = Arc::new(script);
            move || {
                let mut threads = Vec::new();
                loop {
                    let (stream, _) = listener.accept().unwrap();
                    if is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    accepted.fetch_add(1, Ordering::SeqCst);
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    stream.set_write_timeout(Some(PATIENCE)).unwrap();
                    stream.set_nodelay(true).unwrap();
                    let closing = stream.try_clone().unwrap();
                    sockets.lock().unwrap().push(stream.try_clone().unwrap());
                    let line = Line {
                        stream,
                        heard: heard.clone(),
                    };
                    let script = script.clone();
                    threads.push(thread::spawn(move || {
                        // That the client goes away is what most scripts are about.
                        script(line).ok();
                        closing.shutdown(Shutdown::Both).ok();
                    }));
                }
                for socket in &*sockets.lock().unwrap() {
                    socket.shutdown(Shutdown::Both).ok();
                }
                for thread in threads {
                    thread.join().unwrap();
                }
            }
        });
        Self {
            port,
            heard,
            accepted,
            is_over,
            sockets,
            listening: Some(listening),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lines()
    }

    /// Neither a name nor a password, nor anything that would carry one.
    pub(crate) fn assert_told_nothing(&self) {
        let heard = self.heard();
        let is_harmless = |line: &String| line == "s1 STARTTLS";
        assert!(heard.iter().all(is_harmless), "{heard:?}");
    }

    /// Leads there by the name of `localhost`.
    pub(crate) fn builder(&self, security: Security) -> Builder {
        self.builder_for("localhost", security)
    }

    /// Leads there, whatever the name is.
    pub(crate) fn builder_for(&self, host: &str, security: Security) -> Builder {
        let port = self.port;
        let builder = ParallelMailbox::builder(host).port(port);
        builder
            .connector(|_: &str, port: u16, _: Duration| {
                let stream = TcpStream::connect(("127.0.0.1", port))?;
                Ok(Box::new(stream) as Box<dyn parallel_mailbox::Stream>)
            })
            .security(security)
            .login(USER, SECRET)
            .timeouts(Timeouts::default().connect(PATIENCE))
            .retry(Retry::default().initial_delay(Duration::from_millis(1)))
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        TcpStream::connect(("127.0.0.1", self.port)).ok();
        for socket in &*self.sockets.lock().unwrap() {
            socket.shutdown(Shutdown::Both).ok();
        }
        let ended = self.listening.take().map(JoinHandle::join);
        assert!(
            thread::panicking() || !matches!(ended, Some(Err(_))),
            "the script panicked"
        );
    }
}

impl<S: Read + Write> Line<S> {
    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes())?;
        self.stream.flush()
    }

    /// Waits for a line and writes it down.
    pub(crate) fn hear(&mut self) -> io::Result<String> {
        let line = read_line(&mut self.stream)?;
        self.heard.note(&line);
        Ok(line)
    }

    /// Waits until the client closes the connection. Whatever it sends is not written down.
    pub(crate) fn wait(mut self) -> io::Result<()> {
        io::copy(&mut self.stream, &mut io::sink()).map(drop)
    }

    /// Is a small server of IMAP, after the greeting, with these capabilities and an empty INBOX.
    pub(crate) fn serve(&mut self, capabilities: &str) -> io::Result<()> {
        loop {
            let line = self.hear()?;
            let mut words = line.split(' ');
            let tag = words.next().unwrap_or_default().to_owned();
            match words.next().unwrap_or_default() {
                "CAPABILITY" => self.say(&format!("* CAPABILITY {capabilities}\r\n"))?,
                "AUTHENTICATE" => {
                    self.say("+ \r\n")?;
                    self.hear()?;
                }
                "EXAMINE" => self.say("* 0 EXISTS\r\n* OK [UIDVALIDITY 1] .\r\n")?,
                "LOGOUT" => self.say("* BYE\r\n")?,
                _ => {}
            }
            self.say(&format!("{tag} OK done\r\n"))?;
        }
    }
}

impl Line<TcpStream> {
    /// Greets and takes STARTTLS up to the answer, which is left out.
    pub(crate) fn until_start_tls(&mut self, greeting: &str) -> io::Result<()> {
        self.say(greeting)?;
        assert_eq!(self.hear()?, "s1 STARTTLS");
        Ok(())
    }

    pub(crate) fn secure(self, acceptor: &TlsAcceptor) -> io::Result<Line<TlsStream<TcpStream>>> {
        let stream = acceptor.accept(self.stream).map_err(|error| match error {
            HandshakeError::Failure(error) => io::Error::other(error),
            HandshakeError::WouldBlock(_) => io::ErrorKind::TimedOut.into(),
        })?;
        let heard = self.heard;
        Ok(Line { stream, heard })
    }
}

/// A server of IMAP over TLS from the first octet.
pub(crate) fn tls_server(acceptor: TlsAcceptor) -> Scripted {
    Scripted::start(move |line| {
        let mut line = line.secure(&acceptor)?;
        line.say("* OK ready\r\n")?;
        line.serve("IMAP4rev1")
    })
}

/// Fails unless the error is of this kind, says these words and no secret, and never advises to go
/// without verification.
pub(crate) fn assert_says(error: &Error, kind: &ErrorKind, words: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
    let mut all = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        all.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    for word in [SECRET, USER, "PRIVATE KEY-----", "danger", "Danger"] {
        assert!(!all.contains(word), "{word:?} is in {all}");
    }
}
