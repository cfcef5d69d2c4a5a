//! No credentials at all: the greeting must be PREAUTH.

use parallel_mailbox::testing::{Fault, Sample, Server};
use parallel_mailbox::{ErrorKind, ParallelMailbox, Query, Security};

use crate::builder;

#[test]
fn a_server_that_knows_who_this_is_wants_no_credentials() {
    let server = Server::builder().sample(Sample::tiny(100));
    let server = server.fault(Fault::preauth()).start().unwrap();
    let mailbox = builder(&server)
        .preauthenticated()
        .workers(3)
        .connect()
        .unwrap();
    let report = mailbox.search(Query::all()).unwrap().for_each(drop);
    assert_eq!(report.unwrap().delivered().len(), 100);
    let log = server.log();
    assert!(
        log.iter()
            .all(|entry| !entry.line.contains("LOGIN") && !entry.line.contains("AUTHENTICATE"))
    );
}

#[test]
fn a_server_that_wants_a_login_is_told_of_once_and_sent_nothing() {
    let server = Server::builder().start().unwrap();
    let error = builder(&server).preauthenticated().connect().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
    let text = error.to_string();
    assert!(
        text.contains("PREAUTH") && text.contains("`login`"),
        "{text}"
    );
    assert!(server.log().is_empty());
    assert_eq!(server.connections().accepted, 1);
}

#[test]
fn a_preauth_from_afar_is_not_believed_without_credentials_either() {
    let server = Server::builder().fault(Fault::preauth()).start().unwrap();
    let address = server.address();
    let error = ParallelMailbox::builder("imap.example.org")
        .security(Security::DangerPlaintext)
        .connector(move |_: &str, _, _| {
            let stream = std::net::TcpStream::connect(address)?;
            Ok(Box::new(stream) as Box<dyn parallel_mailbox::Stream>)
        })
        .preauthenticated()
        .connect()
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Auth, "{error}");
    assert!(server.log().is_empty());
}

#[test]
fn the_last_way_to_sign_in_that_is_set_counts() {
    let server = Server::builder().start().unwrap();
    let (user, password) = (server.user(), server.password());
    let login_last = builder(&server).preauthenticated().login(user, password);
    assert!(login_last.connect().is_ok());
    let nothing_last = builder(&server).login(user, password).preauthenticated();
    assert_eq!(nothing_last.connect().unwrap_err().kind(), &ErrorKind::Auth);
}

#[test]
fn without_credentials_the_error_names_all_ways_to_sign_in() {
    let error = ParallelMailbox::builder("127.0.0.1").connect().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Config);
    for way in ["`login`", "`password`", "`preauthenticated`"] {
        assert!(error.to_string().contains(way), "{error}");
    }
}
