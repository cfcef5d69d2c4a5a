//! A real Dovecot for one test: its own folder, ports, certificate and mailboxes, started as a
//! child process and gone without a trace afterwards. It must never touch the system's own
//! instance, its configuration or its users.
//!
//! Dovecot refuses to serve mail as root. So where the tests run as root, as in a container, the
//! whole instance runs as `nobody`; otherwise as the user who runs the tests. Either way it is an
//! ordinary user and the configuration is the same.
//!
//! What Dovecot makes of a message's octets is told in [`super::maildir`].

mod configuration;
mod process;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use self::configuration::{Configuration, Syntax};
use self::process::Failure;
use super::certificate::{Certificate, Pems};
use super::identity::Identity;
use super::maildir::{self, Maildir};
use super::ports;
use super::process_group::{self, ProcessGroup};
use super::skip;

/// Set to 1 where Dovecot has to be there, so that no test is skipped in silence.
const REQUIRED: &str = "PARALLEL_MAILBOX_REQUIRE_DOVECOT";

/// How often to try again when another process took a port between choosing and using it.
const PORT_TRIES: u32 = 8;

/// Options for a Dovecot, or `None` where none is installed: then the test returns, and says so.
///
/// # Panics
///
/// Where none is installed though `PARALLEL_MAILBOX_REQUIRE_DOVECOT` is 1.
#[must_use]
pub(crate) fn dovecot_or_skip() -> Option<Options> {
    if Dovecot::available() {
        return Some(Options::new());
    }
    skip::unless_required("Dovecot", REQUIRED);
    None
}

/// What to start, by value. Messages are written to disk as they are given, so a mailbox may be
/// larger than memory.
#[must_use]
pub(crate) struct Options {
    folder: TempDir,
    mailboxes: Vec<Maildir>,
    uid_validity: u32,
    connections_per_user: u32,
    certificate: Certificate,
    compress: bool,
    client_root: Option<String>,
    extra: String,
}

impl Options {
    /// An empty INBOX, UIDVALIDITY 1234567, 50 connections, a valid certificate.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dovecot-")
            .tempdir()
            .expect("make a folder");
        let inbox = Maildir::create(&maildir_of(folder.path()));
        Self {
            folder,
            mailboxes: vec![inbox],
            uid_validity: 1_234_567,
            connections_per_user: 50,
            certificate: Certificate::Valid,
            compress: false,
            client_root: None,
            extra: String::new(),
        }
    }

    /// Adds messages to INBOX, unseen. UIDs count from 1 in the order given.
    pub(crate) fn messages(self, messages: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.messages_with_flags(messages.into_iter().map(|message| (message, "")))
    }

    /// Adds messages with their flags, in Maildir's letters (`"S"` is `\Seen`), to INBOX.
    pub(crate) fn messages_with_flags<'flags>(
        mut self,
        messages: impl IntoIterator<Item = (Vec<u8>, &'flags str)>,
    ) -> Self {
        for (message, flags) in messages {
            self.mailboxes[0].add(&message, flags);
        }
        self
    }

    /// Adds another mailbox, such as `Entwürfe` or `Lists/Rust`, with these messages.
    pub(crate) fn mailbox(
        mut self,
        name: &str,
        messages: impl IntoIterator<Item = Vec<u8>>,
    ) -> Self {
        // Maildir++ keeps all mailboxes in one folder, with dots between the levels.
        let folder = maildir_of(self.folder.path()).join(format!(".{}", name.replace('/', ".")));
        let mut mailbox = Maildir::create(&folder);
        for message in messages {
            mailbox.add(&message, "");
        }
        self.mailboxes.push(mailbox);
        self
    }

    /// The UIDVALIDITY of INBOX; other mailboxes count up from there. Defaults to 1234567.
    pub(crate) fn uid_validity(mut self, uid_validity: u32) -> Self {
        self.uid_validity = uid_validity;
        self
    }

    /// How many sessions one user may have from one address (`mail_max_userip_connections`); the
    /// next is refused with `NO [LIMIT] Maximum number of connections …`. Defaults to 50.
    pub(crate) fn connections_per_user(mut self, connections: u32) -> Self {
        self.connections_per_user = connections;
        self
    }

    /// The server's certificate. Defaults to a valid one for `localhost` and 127.0.0.1.
    pub(crate) fn certificate(mut self, certificate: Certificate) -> Self {
        self.certificate = certificate;
        self
    }

    /// Speaks COMPRESS=DEFLATE. Wants the plugin `imap_zlib`, which comes with `dovecot-core` on
    /// Debian. Defaults to no.
    pub(crate) fn compress(mut self) -> Self {
        self.compress = true;
        self
    }

    /// Lets in only who shows a certificate that was signed under this root, in PEM. Defaults to
    /// asking for none.
    pub(crate) fn client_root(mut self, pem: &str) -> Self {
        self.client_root = Some(pem.to_owned());
        self
    }

    /// Adds lines to the end of the configuration; mind that 2.3 and 2.4 differ in syntax.
    pub(crate) fn extra_configuration(mut self, lines: &str) -> Self {
        self.extra.push_str(lines);
        self.extra.push('\n');
        self
    }

    /// Has an INBOX that is this file, in the form of an mbox, in place of everything else.
    pub(crate) fn mbox(self, file: &Path) -> Self {
        let folder = self.folder.path().join("mbox");
        fs::create_dir(&folder).expect("make a folder");
        fs::copy(file, folder.join("inbox")).expect("copy an mbox");
        let place = folder.display();
        // The last one of a setting counts. That of 2.4 is written after its manual, not tried.
        let lines = match Syntax::of(&process::program().expect("Dovecot is installed")) {
            Syntax::Old => format!("mail_location = mbox:{place}:INBOX={place}/inbox"),
            Syntax::New => {
                format!("mail_driver = mbox\nmail_path = {place}\nmail_inbox_path = {place}/inbox")
            }
        };
        self.extra_configuration(&lines)
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Panics
    ///
    /// Where Dovecot is not installed or does not start; the message has its log.
    pub(crate) fn start(self) -> Dovecot {
        let Self {
            folder,
            mailboxes,
            uid_validity,
            connections_per_user,
            certificate,
            compress,
            client_root,
            extra,
        } = self;
        for (uid_validity, mailbox) in (uid_validity..).zip(&mailboxes) {
            mailbox.write_uid_list(uid_validity);
        }
        let certificates = certificate.make();
        let identity = Identity::for_the_server();
        let program = process::program().expect("Dovecot is installed");
        let syntax = Syntax::of(&program);

        for part in ["run", "state", "home", "index"] {
            fs::create_dir_all(folder.path().join(part)).expect("make a folder");
        }
        write(folder.path(), "certificate.pem", &certificates.certificate);
        write(folder.path(), "key.pem", &certificates.key);
        if let Some(pem) = &client_root {
            write(folder.path(), "client-root.pem", pem);
        }

        let mut tries = 0;
        loop {
            tries += 1;
            let (plain_port, tls_port) = ports::two_free();
            let configuration = Configuration {
                folder: folder.path(),
                identity: &identity,
                plain_port,
                tls_port,
                connections_per_user,
                compress,
                wants_client_certificates: client_root.is_some(),
                extra: &extra,
            };
            write(folder.path(), "dovecot.conf", &configuration.text(syntax));
            identity.take_over(folder.path());
            match process::start(&program, folder.path(), &identity, plain_port, tls_port) {
                Ok(process) => {
                    return Dovecot {
                        process: Some(process),
                        program,
                        identity,
                        plain_port,
                        tls_port,
                        certificates,
                        mailboxes,
                        folder,
                    };
                }
                Err(Failure::PortTaken) if tries < PORT_TRIES => {}
                Err(failure) => {
                    panic!(
                        "Dovecot did not start: {failure:?}\n{}",
                        log_of(folder.path())
                    )
                }
            }
        }
    }
}

/// A running Dovecot. Dropping it ends every process of it and removes its folder.
pub(crate) struct Dovecot {
    // Dropped first, while the folder is still there.
    process: Option<ProcessGroup>,
    program: PathBuf,
    identity: Identity,
    plain_port: u16,
    tls_port: u16,
    certificates: Pems,
    mailboxes: Vec<Maildir>,
    folder: TempDir,
}

impl Dovecot {
    /// Whether a Dovecot is installed.
    pub(crate) fn available() -> bool {
        process::program().is_some()
    }

    /// Starts one with these messages in INBOX and everything else as by default.
    pub(crate) fn start(messages: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Options::new().messages(messages).start()
    }

    /// Always the loopback address; `localhost` is in the certificate, too.
    pub(crate) fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The port for plain text and STARTTLS.
    pub(crate) fn plain_port(&self) -> u16 {
        self.plain_port
    }

    /// The port for TLS from the first octet (`imaps`).
    pub(crate) fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// A user who can log in. In fact any name can, with the same password and mailboxes.
    pub(crate) fn user(&self) -> &'static str {
        "reader"
    }

    /// The password of every user.
    pub(crate) fn password(&self) -> &'static str {
        configuration::PASSWORD
    }

    /// The root certificate under which the server's own is valid.
    pub(crate) fn certificate_pem(&self) -> &[u8] {
        self.certificates.root.as_bytes()
    }

    /// The folder of INBOX; other mailboxes are in it, with a dot before their names.
    pub(crate) fn maildir(&self) -> PathBuf {
        maildir_of(self.folder.path())
    }

    /// What the server has written to its log and its standard error, for failure messages.
    pub(crate) fn log(&self) -> String {
        log_of(self.folder.path())
    }

    /// The process that leads all others, or `None` while stopped.
    pub(crate) fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(ProcessGroup::id)
    }

    /// All processes of this instance; empty while stopped. Linux only; empty elsewhere.
    pub(crate) fn process_ids(&self) -> Vec<u32> {
        self.process
            .as_ref()
            .map_or_else(Vec::new, ProcessGroup::members)
    }

    /// The processes of this instance that serve a session, one for each, oldest first. One that
    /// has only connected and not logged in has none yet. Linux only; empty elsewhere.
    pub(crate) fn imap_process_ids(&self) -> Vec<u32> {
        self.process
            .as_ref()
            .map_or_else(Vec::new, ProcessGroup::sessions)
    }

    /// Kills one of [`imap_process_ids`](Self::imap_process_ids) with SIGKILL: its client sees the
    /// connection end in the middle of whatever there was.
    pub(crate) fn kill(&self, process_id: u32) {
        process_group::kill(process_id);
    }

    /// Ends one of [`imap_process_ids`](Self::imap_process_ids) with SIGTERM, upon which Dovecot
    /// says BYE and closes the connection, as it does with one that was idle for too long.
    pub(crate) fn terminate(&self, process_id: u32) {
        process_group::terminate(process_id);
    }

    /// Removes a message of INBOX behind the server's back, as another program could.
    ///
    /// # Panics
    ///
    /// Where there is none with this UID.
    pub(crate) fn remove_file_of(&self, uid: u32) {
        let file = maildir::file_of(&self.maildir(), uid);
        let file = file.unwrap_or_else(|| panic!("no message with UID {uid}"));
        fs::remove_file(file).expect("remove a message");
    }

    /// Ends the server, all sessions with it; the mailboxes stay.
    pub(crate) fn stop(&mut self) {
        self.process = None;
    }

    /// Starts the server again, on the same ports.
    ///
    /// # Panics
    ///
    /// Where it runs already, or does not start: another process may have taken a port.
    pub(crate) fn start_again(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let folder = self.folder.path();
        let process = process::start(
            &self.program,
            folder,
            &self.identity,
            self.plain_port,
            self.tls_port,
        );
        let process = process.unwrap_or_else(|failure| {
            panic!("Dovecot did not start again: {failure:?}\n{}", self.log())
        });
        self.process = Some(process);
    }

    /// Gives INBOX another UIDVALIDITY, with the messages and UIDs of the beginning, as if it had
    /// been made anew. Only while stopped.
    ///
    /// # Panics
    ///
    /// Where the server runs.
    pub(crate) fn change_uid_validity(&mut self, uid_validity: u32) {
        assert!(self.process.is_none(), "stop it first");
        // The index has the old one and would win.
        fs::remove_dir_all(self.folder.path().join("index")).expect("remove the index");
        self.mailboxes[0].write_uid_list(uid_validity);
        fs::create_dir(self.folder.path().join("index")).expect("make a folder");
        self.identity.take_over(self.folder.path());
    }
}

fn maildir_of(folder: &Path) -> PathBuf {
    folder.join("mail")
}

fn log_of(folder: &Path) -> String {
    ["log", "output"]
        .map(|file| fs::read(folder.join(file)).unwrap_or_default())
        .map(|octets| String::from_utf8_lossy(&octets).into_owned())
        .concat()
}

fn write(folder: &Path, file: &str, text: &str) {
    fs::write(folder.join(file), text).expect("write a file");
}
