//! What would break out of a command never gets into one.

use parallel_mailbox::testing::Server;
use parallel_mailbox::{Builder, Error, ErrorKind, ParallelMailbox, Query, Security};

use crate::support::leaks::Leaks;

fn builder(server: &Server) -> Builder {
    server.client()
}

/// Refused for what it is, and without being repeated.
fn assert_refused(error: &Error, what: &str) {
    assert_eq!(error.kind(), &ErrorKind::Config, "{what}: {error}");
    assert!(!format!("{error} {error:?}").contains("LOGOUT"), "{error}");
}

#[test]
fn an_end_of_line_or_a_nul_is_refused_wherever_it_comes_before_anything_is_sent() {
    let leaks = Leaks::watch();
    {
        let server = Server::builder().start().unwrap();
        for octet in ["\r\n", "\r", "\n", "\0"] {
            for text in [
                format!("{octet}b1 LOGOUT"),
                format!("x{octet}b1 LOGOUT"),
                format!("LOGOUT{octet}"),
                octet.to_owned(),
            ] {
                let text = text.as_str();
                let (user, password) = (server.user(), server.password());
                for (what, builder) in [
                    ("user", builder(&server).login(text, password)),
                    ("password", builder(&server).login(user, text)),
                    ("password", builder(&server).password(text)),
                    ("mailbox", builder(&server).mailbox(text)),
                ] {
                    assert_refused(&builder.connect().unwrap_err(), what);
                }
                assert_refused(&Query::raw(text).unwrap_err(), "raw");
                let quoted = format!("SUBJECT \"{text}\"");
                assert_refused(&Query::raw(&quoted).unwrap_err(), "raw");
            }
        }
        for octet in ["%0D%0A", "%0D", "%0A", "%00"] {
            for url in [
                format!("imap://me{octet}LOGOUT@{}/INBOX", server.address()),
                format!("imap://me@{}/INBOX{octet}LOGOUT", server.address()),
            ] {
                let connected = ParallelMailbox::from_url(&url).and_then(|builder| {
                    let builder = builder.security(Security::DangerPlaintext);
                    builder.password(server.password()).connect()
                });
                assert_refused(&connected.unwrap_err(), &url);
            }
        }
        assert_eq!(server.connections().accepted, 0);

        let mailbox = builder(&server).connect().unwrap();
        server.clear_log();
        for octet in ["\r\n", "\r", "\n", "\0"] {
            let text = format!("LOGOUT{octet}b1 LOGOUT");
            for query in [
                Query::all().from(&text),
                Query::all().to(&text),
                Query::all().subject(&text),
                Query::all().body(&text),
                Query::all().text(&text),
                Query::all().header("X-Test", &text),
                Query::all().header(&text, "x"),
                Query::all().keyword(&text),
                Query::all().not(Query::all().subject(&text)),
                Query::all().or(Query::all().subject(&text), Query::all()),
            ] {
                assert_refused(&mailbox.search(query).unwrap_err(), "query");
            }
        }
        assert!(server.log().is_empty(), "{:?}", server.log());
        // The session is as good as before.
        assert!(mailbox.search(Query::all()).unwrap().is_empty());
    }
    leaks.assert_none_left();
}
