//! The caller's side: closures that take their time, workers that are lost, runs over little.

use std::collections::BTreeSet;
use std::sync::mpsc::channel;
use std::time::Duration;

use parallel_mailbox::testing::{Fault, Sample, Server};
use parallel_mailbox::{ParallelMailbox, Query, Retry, Security, Uid};

use crate::support::leaks::Leaks;

#[test]
fn what_is_ready_behind_a_hole_comes_before_the_error_that_left_it() {
    let _leaks = Leaks::watch();
    let server = Server::builder().sample(Sample::tiny(200)).start().unwrap();
    let mailbox = ParallelMailbox::builder("127.0.0.1")
        .port(server.port())
        .security(Security::DangerPlaintext)
        .login(server.user(), server.password())
        .workers(2)
        .retry(
            Retry::default()
                .attempts(1)
                .initial_delay(Duration::from_millis(1)),
        )
        .connect()
        .unwrap();
    let matches = mailbox.search(Query::all()).unwrap().shard_size(20);
    // The first message is never had, the others are; then the server is gone.
    server.add_fault(Fault::close().uid(1));
    let (sender, receiver) = channel();
    let results = matches.imap(move |message| {
        sender.send(message.uid()).unwrap();
        message.uid()
    });
    let seen: BTreeSet<Uid> = receiver.iter().take(60).collect();
    server.stop();
    let items: Vec<_> = results.collect();
    let (values, errors): (Vec<_>, Vec<_>) = items.into_iter().partition(Result::is_ok);
    let values: Vec<Uid> = values.into_iter().map(Result::unwrap).collect();
    assert!(values.is_sorted(), "still in order");
    assert!(
        seen.iter().all(|uid| values.contains(uid)),
        "nothing that was ready is lost"
    );
    assert!(!values.contains(&Uid::MIN) || errors.is_empty());
}
