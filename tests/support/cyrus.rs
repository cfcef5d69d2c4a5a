//! A real Cyrus for one test: its own folder, ports, certificate, users and mailboxes, started as a
//! child process and gone without a trace afterwards. It must never touch the system's own
//! instance, its configuration or its users.
//!
//! Cyrus insists on a user of its own, who is by a setting whoever runs the tests, or `nobody`
//! where that is root. Its messages get in by APPEND, as there is no format on disk to write them
//! in. It logs to the system's log only, so there is nothing of it to show when a test fails.
//!
//! # What Cyrus makes of a message's octets
//!
//! Found out on Cyrus 3.6.1 with a bare client (`tests/cyrus/fixture.rs` checks it again): what it takes it
//! holds and serves octet for octet, and some things it does not take, with a NO to APPEND:
//!
//! - an empty message;
//! - one with a NUL or a bare LF (without a CR before it) in its header;
//! - one whose header has a last line without an end or a line without a colon.
//!
//! NUL and bare LF in a body are taken from a literal of BINARY (RFC 3516), `~{n}`, and NUL comes
//! back as one: the answer to a plain `BODY.PEEK[]` then is `BODY[] ~{n}`. Dovecot turns both into
//! something else; so Cyrus is the one real server here that sends octets of all 256 values. Left to
//! itself it also puts an X for each 8-bit octet of a header; the setting `munge8bit` is off here.

mod configuration;
mod installation;

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use self::configuration::Configuration;
use self::installation::Installation;
use super::certificate::{Certificate, Pems};
use super::identity::Identity;
use super::process_group::{self, ProcessGroup};
use super::raw_client::{RawClient, greets, tcp};
use super::{ports, skip, wait};

/// Set to 1 where Cyrus has to be there, so that no test is skipped in silence.
const REQUIRED: &str = "PARALLEL_MAILBOX_REQUIRE_CYRUS";

/// How long a start may take, on a busy machine. It takes a tenth of a second, and a port that
/// another process has taken meanwhile shows in nothing but silence.
const START: Duration = Duration::from_secs(10);

/// How often to try again with other ports.
const TRIES: u32 = 3;

const USER: &str = "reader";
const PASSWORD: &str = "open-sesame";

/// Options for a Cyrus, or `None` where there is none: then the test returns, and says so.
///
/// # Panics
///
/// Where there is none though `PARALLEL_MAILBOX_REQUIRE_CYRUS` is 1.
#[must_use]
pub(crate) fn cyrus_or_skip() -> Option<Options> {
    if Installation::find().is_some() {
        return Some(Options::new());
    }
    skip::unless_required("Cyrus", REQUIRED);
    None
}

/// How mailboxes are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// `INBOX.a.b`, also known as `user.reader.a.b`: the way of old.
    WithDots,
    /// `INBOX/a/b`, also known as `user/reader/a/b`, by the setting `unixhierarchysep`.
    WithSlashes,
    /// `a/b`, beside INBOX, by `altnamespace` as well: both are defaults since 3.0.
    BesideInbox,
}

/// What to start, by value.
#[must_use]
pub(crate) struct Options {
    inbox: Vec<Vec<u8>>,
    others: Vec<(String, Vec<Vec<u8>>)>,
    names: Names,
    logins_per_user: u32,
    password: &'static str,
}

impl Options {
    /// An empty INBOX, dots between the levels, 50 sessions for the user.
    fn new() -> Self {
        Self {
            inbox: Vec::new(),
            others: Vec::new(),
            names: Names::WithDots,
            logins_per_user: 50,
            password: PASSWORD,
        }
    }

    /// Adds messages to INBOX, unseen. UIDs count from 1 in the order given, without those that
    /// Cyrus refuses.
    pub(crate) fn messages(mut self, messages: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.inbox.extend(messages);
        self
    }

    /// Adds another mailbox with these messages. Its name is given as IMAP has it, in modified
    /// UTF-7.
    pub(crate) fn mailbox(
        mut self,
        name: &str,
        messages: impl IntoIterator<Item = Vec<u8>>,
    ) -> Self {
        let messages = messages.into_iter().collect();
        self.others.push((name.to_owned(), messages));
        self
    }

    /// Defaults to those with dots.
    pub(crate) fn names(mut self, names: Names) -> Self {
        self.names = names;
        self
    }

    /// The user's password. Defaults to one of ASCII letters.
    pub(crate) fn password(mut self, password: &'static str) -> Self {
        self.password = password;
        self
    }

    /// How many sessions the user may have (`maxlogins_per_user`); the next is refused with
    /// `NO Too many open connections (3 of 3 for reader)`. Defaults to 50.
    pub(crate) fn logins_per_user(mut self, logins: u32) -> Self {
        self.logins_per_user = logins;
        self
    }

    /// Starts the server, waits until it answers, and gives it the messages.
    ///
    /// # Panics
    ///
    /// Where there is no Cyrus or it does not start.
    pub(crate) fn start(self) -> Cyrus {
        let folder = tempfile::Builder::new()
            .prefix("cyrus-")
            .tempdir()
            .expect("make a folder");
        let identity = Identity::for_the_server();
        let installation = Installation::find().expect("there is a Cyrus");
        let installation = installation.within_reach_of(&identity, folder.path());
        let certificates = Certificate::Valid.make();
        configuration::prepare(folder.path(), &certificates);
        let realm = configuration::server_name(folder.path());
        let users = folder.path().join("sasldb2");
        installation.add_user(&users, &realm, USER, self.password);

        let mut tries = 0;
        let (process, plain_port, tls_port) = loop {
            tries += 1;
            let (plain_port, tls_port) = ports::two_free();
            Configuration {
                folder: folder.path(),
                imapd: &installation.imapd(),
                identity: &identity,
                plain_port,
                tls_port,
                names: self.names,
                logins_per_user: self.logins_per_user,
            }
            .write();
            identity.take_over(folder.path());
            if let Some(process) = run(
                &installation,
                folder.path(),
                &identity,
                plain_port,
                tls_port,
            ) {
                break (process, plain_port, tls_port);
            }
            assert!(
                tries < TRIES,
                "Cyrus did not start: {}",
                String::from_utf8_lossy(
                    &fs::read(folder.path().join("output")).unwrap_or_default()
                )
            );
        };
        let mut cyrus = Cyrus {
            process,
            plain_port,
            tls_port,
            password: self.password,
            certificates,
            refused: Vec::new(),
            folder,
        };
        cyrus.fill(&self.inbox, &self.others);
        cyrus
    }
}

/// Starts the instance configured in `folder`, and waits until it answers.
fn run(
    installation: &Installation,
    folder: &Path,
    identity: &Identity,
    plain_port: u16,
    tls_port: u16,
) -> Option<ProcessGroup> {
    let output = File::create(folder.join("output")).expect("make a file");
    let mut command = installation.command(&installation.master());
    command
        .arg("-D")
        .arg("-C")
        .arg(folder.join("imapd.conf"))
        .arg("-M")
        .arg(folder.join("cyrus.conf"))
        .arg("-p")
        .arg(folder.join("master.pid"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("duplicate a file"))
        .stderr(output);
    identity.apply(&mut command);
    let mut process = ProcessGroup::start(&mut command, "imapd");
    let name = configuration::server_name(folder);
    let mut ended = false;
    let ready = wait::until(START, || {
        ended = process.has_ended();
        ended || greets(plain_port, &name)
    });
    // All listeners are made before any process runs, so this one is not waited for.
    let is_up = ready && !ended && TcpStream::connect(("127.0.0.1", tls_port)).is_ok();
    is_up.then_some(process)
}

/// A running Cyrus. Dropping it ends every process of it and removes its folder.
pub(crate) struct Cyrus {
    // Dropped first, while the folder is still there.
    process: ProcessGroup,
    plain_port: u16,
    tls_port: u16,
    password: &'static str,
    certificates: Pems,
    refused: Vec<(usize, String)>,
    folder: TempDir,
}

impl Cyrus {
    /// The port for plain text and STARTTLS.
    pub(crate) fn plain_port(&self) -> u16 {
        self.plain_port
    }

    /// The port for TLS from the first octet (`imaps`).
    pub(crate) fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The one user who can log in.
    pub(crate) fn user(&self) -> &'static str {
        USER
    }

    /// The user's password.
    pub(crate) fn password(&self) -> &'static str {
        self.password
    }

    /// The folder with all of it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The root certificate under which the server's own is valid.
    pub(crate) fn certificate_pem(&self) -> &[u8] {
        self.certificates.root.as_bytes()
    }

    /// The messages for INBOX that Cyrus did not take: where they stood among those given,
    /// counted from 0, and what it said.
    pub(crate) fn refused(&self) -> &[(usize, String)] {
        &self.refused
    }

    /// A bare client of the user's, logged in.
    pub(crate) fn client(&self) -> RawClient<TcpStream> {
        let mut client = RawClient::over(tcp(self.plain_port));
        let password = self.password;
        // As a literal, or it could have ASCII only.
        client.ok(&format!(
            "LOGIN {USER} {{{}+}}\r\n{password}",
            password.len()
        ));
        client
    }

    /// All processes of this instance. Linux only; empty elsewhere.
    pub(crate) fn process_ids(&self) -> Vec<u32> {
        self.process.members()
    }

    /// The processes of this instance that serve a connection, logged in or not, one for each,
    /// oldest first. Linux only; empty elsewhere.
    pub(crate) fn imapd_process_ids(&self) -> Vec<u32> {
        self.process.sessions()
    }

    /// Kills one of [`imapd_process_ids`](Self::imapd_process_ids) with SIGKILL: its client sees
    /// the connection end in the middle of whatever there was.
    pub(crate) fn kill(&self, process_id: u32) {
        process_group::kill(process_id);
    }

    /// Ends one of [`imapd_process_ids`](Self::imapd_process_ids) with SIGTERM, upon which it
    /// closes the connection without a word.
    pub(crate) fn terminate(&self, process_id: u32) {
        process_group::terminate(process_id);
    }

    /// Has every session told so by a BYE and closed, those of now after their next command and
    /// new ones after their login, until this is [taken back](Self::takes_shutdown_back).
    pub(crate) fn announces_shutdown(&self, text: &str) {
        let file = configuration::shutdown_file(self.folder.path());
        // In one go, or half of the text could be read.
        let new = file.with_extension("new");
        fs::write(&new, format!("{text}\n")).expect("write a file");
        fs::rename(&new, &file).expect("rename a file");
    }

    /// See [`announces_shutdown`](Self::announces_shutdown).
    pub(crate) fn takes_shutdown_back(&self) {
        let file = configuration::shutdown_file(self.folder.path());
        fs::remove_file(file).expect("remove a file");
    }

    fn fill(&mut self, inbox: &[Vec<u8>], others: &[(String, Vec<Vec<u8>>)]) {
        // The first login makes INBOX.
        let mut client = self.client();
        self.refused = append(&mut client, "INBOX", inbox);
        for (name, messages) in others {
            client.ok(&format!("CREATE \"{name}\""));
            let refused = append(&mut client, &format!("\"{name}\""), messages);
            assert!(refused.is_empty(), "{refused:?}");
        }
        client.ok("LOGOUT");
        // Or it would count among the sessions of the test.
        assert!(client.ends());
    }
}

/// Appends messages, and returns those that were not taken.
fn append(
    client: &mut RawClient<TcpStream>,
    mailbox: &str,
    messages: &[Vec<u8>],
) -> Vec<(usize, String)> {
    // All in one command (RFC 3502), which is undone as a whole if one is not taken.
    if messages.is_empty() || client.append(mailbox, messages).starts_with("OK") {
        return Vec::new();
    }
    let mut refused = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let answer = client.append(mailbox, std::slice::from_ref(message));
        if !answer.starts_with("OK") {
            refused.push((index, answer));
        }
    }
    refused
}
