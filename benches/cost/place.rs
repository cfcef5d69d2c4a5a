//! The servers, none in the process of a job: Dovecot where it is installed, and the in-process
//! server in a process of its own. Dovecot is reached directly or through the delaying proxy, the
//! in-process server has a latency of its own.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use parallel_mailbox::testing::{Server, TestMessage};
use tempfile::NamedTempFile;

use crate::bench_support::kind::Kind;
use crate::bench_support::proxy;
use crate::helper::{self, Helper};
use crate::rivals::Target;
use crate::support::dovecot::{Dovecot, dovecot_or_skip};
use crate::words::Words;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Software {
    Dovecot,
    InProcess,
}

/// What is in the INBOX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Mailbox {
    pub(crate) kind: Kind,
    pub(crate) messages: usize,
    /// So many are different; they repeat, and in memory they share their octets.
    pub(crate) distinct: usize,
    /// From one UID to the next. Only a job that asks for no UIDs copes with more than 1.
    pub(crate) step: u32,
}

/// How a server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    Plain,
    Tls,
    /// Through the proxy, also where there is nothing to delay.
    Proxy,
}

/// Servers and proxies, each started when it is first asked for.
#[derive(Default)]
pub(crate) struct Places {
    dovecots: HashMap<Mailbox, Option<(Dovecot, NamedTempFile)>>,
    servers: HashMap<(Mailbox, u64), (Helper, u16)>,
    proxies: HashMap<(u16, u64), (Helper, u16)>,
}

impl Mailbox {
    /// The mailbox of this kind that most figures are about.
    pub(crate) fn usual(kind: Kind) -> Self {
        Self::new(kind, kind.messages())
    }

    pub(crate) fn new(kind: Kind, messages: usize) -> Self {
        Self {
            kind,
            messages,
            distinct: messages,
            step: 1,
        }
    }

    pub(crate) fn repeating(self, distinct: usize) -> Self {
        Self { distinct, ..self }
    }

    pub(crate) fn with_step(self, step: u32) -> Self {
        Self { step, ..self }
    }
}

impl Places {
    /// Where to find this mailbox; `None` where Dovecot is wanted and not installed.
    pub(crate) fn find(
        &mut self,
        software: Software,
        mailbox: Mailbox,
        way: Way,
        round_trip: u64,
    ) -> Option<Target> {
        if software == Software::InProcess {
            let (_, port) = self
                .servers
                .entry((mailbox, round_trip))
                .or_insert_with(|| start_server(mailbox, round_trip));
            return Some(Target {
                port: *port,
                user: "me".to_owned(),
                password: "secret".to_owned(),
                messages: mailbox.messages,
                octets_each: mailbox.kind.octets_each(),
                root: None,
            });
        }
        let dovecot = self.dovecots.entry(mailbox);
        let (dovecot, root) = dovecot.or_insert_with(|| start_dovecot(mailbox)).as_ref()?;
        let is_tls = way == Way::Tls;
        let mut port = if is_tls {
            dovecot.tls_port()
        } else {
            dovecot.plain_port()
        };
        if round_trip > 0 || way == Way::Proxy {
            let proxy = self.proxies.entry((port, round_trip));
            port = proxy.or_insert_with(|| start_proxy(port, round_trip)).1;
        }
        Some(Target {
            port,
            user: dovecot.user().to_owned(),
            password: dovecot.password().to_owned(),
            messages: mailbox.messages,
            octets_each: mailbox.kind.octets_each(),
            root: is_tls.then(|| root.path().to_owned()),
        })
    }

    /// Ends the in-process servers, which hold their mailboxes in memory.
    pub(crate) fn free(&mut self) {
        self.servers.clear();
    }
}

fn start_dovecot(mailbox: Mailbox) -> Option<(Dovecot, NamedTempFile)> {
    let messages = mailbox.kind.sample(mailbox.messages).into_iter();
    let dovecot = dovecot_or_skip()?
        .messages(messages.map(|message| message.raw().to_vec()))
        .start();
    let mut root = NamedTempFile::new().unwrap();
    root.write_all(dovecot.certificate_pem()).unwrap();
    Some((dovecot, root))
}

fn start_server(mailbox: Mailbox, round_trip: u64) -> (Helper, u16) {
    let Mailbox {
        kind,
        messages,
        distinct,
        step,
    } = mailbox;
    let line = format!(
        "serve kind={} messages={messages} distinct={distinct} step={step} \
         round_trip={round_trip}",
        kind.name()
    );
    start_helper(&line)
}

fn start_proxy(upstream: u16, round_trip: u64) -> (Helper, u16) {
    start_helper(&format!(
        "delay upstream={upstream} round_trip={round_trip}"
    ))
}

fn start_helper(line: &str) -> (Helper, u16) {
    let arguments: Vec<_> = line.split(' ').map(str::to_owned).collect();
    let (helper, port) = Helper::start(&arguments, "port ");
    (helper, port.parse().unwrap())
}

/// In the process of a server: serves as long as the table needs it.
pub(crate) fn serve(arguments: &[String]) {
    let words = Words::new(arguments);
    let kind = match words.text("kind") {
        Some("small") => Kind::Small,
        _ => Kind::Mixed,
    };
    let messages: usize = words.want("messages");
    let distinct = words.value("distinct").unwrap_or(messages);
    let step: usize = words.value("step").unwrap_or(1);
    let sample: Vec<TestMessage> = kind.sample(distinct).into_iter().collect();
    let uids = (1..).step_by(step).take(messages);
    let messages = uids.zip(sample.iter().cycle());
    let round_trip = words.value("round_trip").unwrap_or(0);
    let server = Server::builder()
        .messages(messages.map(|(uid, message)| message.clone().uid(uid)))
        .latency(Duration::from_millis(round_trip))
        .start()
        .unwrap();
    helper::stay(&format!("port {}", server.port()));
}

/// In the process of a proxy: passes on as long as the table needs it.
pub(crate) fn delay(arguments: &[String]) {
    let words = Words::new(arguments);
    let round_trip = Duration::from_millis(words.value("round_trip").unwrap_or(0));
    let port = proxy::start(words.want("upstream"), round_trip).unwrap();
    helper::stay(&format!("port {port}"));
}
