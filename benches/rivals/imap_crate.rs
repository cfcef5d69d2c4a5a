//! The job by the `imap` crate: N threads with a session each, `uid_fetch` in chunks of 100.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use parallel_mailbox::mail_parser::MessageParser;

use super::connection::Connector;
use super::{Done, Job, Target};

const CHUNK: usize = 100;

pub(crate) fn read(target: &Target, job: Job<'_>) -> Done {
    let next = AtomicUsize::new(1);
    let connector = Connector::new(target);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..job.sessions)
            .map(|_| scope.spawn(|| session(target, job, &connector, &next)))
            .collect();
        let threads = threads.into_iter();
        threads.map(|thread| thread.join().unwrap()).sum()
    })
}

fn session(target: &Target, job: Job<'_>, connector: &Connector, next: &AtomicUsize) -> Done {
    let mut client = imap::Client::new(connector.connect());
    client.read_greeting().unwrap();
    let mut session = client
        .login(&target.user, &target.password)
        .map_err(|(error, _)| error)
        .unwrap();
    session.examine("INBOX").unwrap();
    let parser = MessageParser::default();
    let mut done = Done::default();
    loop {
        let first = next.fetch_add(CHUNK, Ordering::Relaxed);
        if first > target.messages {
            return done;
        }
        let last = (first + CHUNK - 1).min(target.messages);
        let set = format!("{first}:{last}");
        let messages = session.uid_fetch(set, job.extent.items()).unwrap();
        for message in messages.iter() {
            let body = message.body().or(message.header()).unwrap_or_default();
            done.messages += 1;
            done.octets += body.len() as u64;
            done.parts += job.task.work(body, &parser);
            job.arrived();
        }
    }
}
