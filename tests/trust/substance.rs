//! Bodies that nobody wrote are no messages.

use std::sync::Mutex;

use parallel_mailbox::{ErrorKind, Fetch, Query};

use crate::stage::{Say, Scene, Stage, body, fetched};

fn empty(uid: u32, size: &str) -> String {
    format!(
        "* {uid} FETCH (UID {uid} FLAGS (\\Recent) INTERNALDATE \"17-Jul-2026 02:44:25 +0000\"{size} BODY[] \"\")\r\n"
    )
}

/// The answer to a FETCH in which some messages are as this says.
fn answer(scene: &Scene<'_>, mut odd: impl FnMut(u32) -> Option<String>) -> Say {
    let lines: String = scene
        .uids()
        .into_iter()
        .map(|uid| odd(uid).unwrap_or_else(|| fetched(uid, scene.command)))
        .collect();
    Say::This(format!("{lines}TAG OK done\r\n"))
}

/// GNU imap4d, when another client opens the mailbox: every body is empty, over this session.
#[test]
fn empty_bodies_over_one_session_are_asked_for_over_another() {
    let stage = Stage::new(60, |scene| {
        match scene.is_fetch() && scene.connection <= 2 {
            true => answer(scene, |uid| Some(empty(uid, ""))),
            false => Say::Usual,
        }
    });
    for workers in [1, 2] {
        let ending = stage.run(workers);
        ending.assert_all_delivered();
        assert!(ending.report.octets() > 0);
    }
}

#[test]
fn an_empty_body_is_looked_at_once_more_with_its_size() {
    let seen = Mutex::new(Vec::new());
    let stage = Stage::new(20, move |scene| {
        if !scene.is_fetch() {
            return Say::Usual;
        }
        let mut seen = seen.lock().unwrap();
        answer(scene, |uid| {
            if uid != 7 || seen.contains(&uid) {
                return None;
            }
            seen.push(uid);
            Some(empty(uid, ""))
        })
    });
    stage.run(2).assert_all_delivered();
    assert!(stage.count("UID FETCH 7 (UID FLAGS INTERNALDATE RFC822.SIZE") == 1);
}

#[test]
fn a_body_that_stays_empty_though_it_has_a_size_has_failed() {
    let stage = Stage::new(20, |scene| match scene.is_fetch() {
        true => answer(scene, |uid| {
            let size = match scene.command.contains("RFC822.SIZE") {
                true => " RFC822.SIZE 4286",
                false => "",
            };
            (uid == 7).then(|| empty(uid, size))
        }),
        false => Say::Usual,
    });
    let ending = stage.run(2);
    ending.assert_failed("7");
    let (_, error) = &ending.report.failed()[0];
    assert_eq!(error.kind(), &ErrorKind::NoBody);
    assert!(error.to_string().contains("4286"), "{error}");
}

/// Zimbra answers for a message that is gone with a stub of size 0.
#[test]
fn an_empty_body_of_size_0_is_gone_if_it_is_gone_and_a_message_otherwise() {
    for is_gone in [true, false] {
        let stage = Stage::new(20, move |scene| {
            if scene.is_fetch() {
                return answer(scene, |uid| {
                    (uid == 7).then(|| empty(uid, " RFC822.SIZE 0"))
                });
            }
            if is_gone && scene.is("UID FETCH") {
                return scene.fetch_without(|uid| uid == 7);
            }
            if is_gone && scene.is("UID SEARCH UID") {
                return Say::This("* SEARCH\r\nTAG OK done\r\n".to_owned());
            }
            Say::Usual
        });
        let mailbox = stage.client().workers(2).connect().unwrap();
        let matches = mailbox.search(Query::all()).unwrap();
        let lengths: Vec<usize> = matches.map(|message| message.raw().len()).unwrap();
        let report = matches.last_report().unwrap();
        assert_eq!(report.gone().to_string(), if is_gone { "7" } else { "" });
        assert_eq!(lengths.len(), if is_gone { 19 } else { 20 });
        assert!(is_gone || lengths[6] == 0);
    }
}

const COURIER: &str = "From: System Administrator <root@localhost>\r\n\
    Subject: message unavailable\r\n\r\n\
    This message is no longer available on the server.\r\n";

fn literal(uid: u32, text: &str) -> String {
    format!(
        "* {uid} FETCH (UID {uid} FLAGS () BODY[] {{{}}}\r\n{text})\r\n",
        text.len()
    )
}

/// Courier, for a message that another session has expunged.
#[test]
fn a_text_of_the_server_s_own_is_no_message() {
    for is_gone in [true, false] {
        let stage = Stage::new(20, move |scene| {
            if scene.is_fetch() {
                return answer(scene, |uid| (uid == 7).then(|| literal(uid, COURIER)));
            }
            if is_gone && scene.is("UID FETCH") {
                return scene.fetch_without(|uid| uid == 7);
            }
            if is_gone && scene.is("UID SEARCH UID") {
                return Say::This("* SEARCH\r\nTAG OK done\r\n".to_owned());
            }
            Say::Usual
        });
        let ending = stage.run(2);
        match is_gone {
            true => ending.assert_gone("7"),
            false => ending.assert_failed("7"),
        }
    }
}

#[test]
fn an_empty_header_is_looked_at_like_an_empty_body() {
    let stage = Stage::new(20, |scene| {
        if !scene.command.contains("BODY.PEEK[HEADER]") {
            return Say::Usual;
        }
        let lines: String = scene
            .uids()
            .into_iter()
            .map(|uid| {
                let (header, _) = body(uid).split_once("\r\n\r\n").map(|(h, b)| (format!("{h}\r\n\r\n"), b.len())).unwrap();
                let header = if uid == 7 && scene.connection == 1 { String::new() } else { header };
                format!("* {uid} FETCH (UID {uid} FLAGS () RFC822.SIZE 50 BODY[HEADER] {{{}}}\r\n{header})\r\n", header.len())
            })
            .collect();
        Say::This(format!("{lines}TAG OK done\r\n"))
    });
    let mailbox = stage.client().workers(1).connect().unwrap();
    let matches = mailbox
        .search(Query::all())
        .unwrap()
        .fetch(Fetch::headers());
    let headers = matches.map(|message| message.raw().to_vec()).unwrap();
    assert!(
        headers
            .iter()
            .all(|header| header.starts_with(b"Subject: message "))
    );
    assert_eq!(headers.len(), 20);
}
