//! A script of commands, and what a server answers to each: with a client that has nothing in
//! common with the crate, so that it can hold one server against another.

use std::fmt::Write;

use crate::support::raw_client::RawClient;

/// `{user}` and `{password}` stand for those of the server.
pub(crate) const SCRIPT: &[&str] = &[
    "CAPABILITY",
    "NOOP",
    "EXAMINE INBOX",
    "LOGIN {user} wrong",
    "LOGIN {user} {password}",
    "CAPABILITY",
    "NOOP",
    "ID NIL",
    "LIST \"\" \"\"",
    "LIST \"\" \"*\"",
    "LIST \"\" \"%\"",
    "LIST \"\" \"Nowhere\"",
    "LSUB \"\" \"Nowhere\"",
    "STATUS INBOX (MESSAGES)",
    "STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)",
    "STATUS Nowhere (MESSAGES)",
    "EXAMINE Nowhere",
    "SELECT Nowhere",
    "FETCH 1 UID",
    "EXAMINE INBOX",
    "UID SEARCH ALL",
    "UID SEARCH RETURN (ALL) ALL",
    "UID SEARCH RETURN () ALL",
    "UID SEARCH RETURN (COUNT) UNSEEN",
    "UID SEARCH RETURN (MIN MAX) ALL",
    "UID SEARCH SUBJECT \"nothing of the kind\"",
    "UID SEARCH RETURN (ALL) SUBJECT \"nothing of the kind\"",
    "SEARCH UNSEEN",
    "SEARCH CHARSET UTF-8 SUBJECT letter",
    "SEARCH CHARSET X-NOBODY SUBJECT letter",
    "SEARCH FROBNICATE",
    "UID SEARCH UID 4294967295",
    "UID FETCH 1 (UID FLAGS)",
    "UID FETCH 1:3 (FLAGS INTERNALDATE RFC822.SIZE)",
    "FETCH 1 (RFC822.SIZE FLAGS)",
    "FETCH 1:2 (UID)",
    "UID FETCH 1 BODY.PEEK[]",
    "UID FETCH 1 (UID FLAGS INTERNALDATE BODY.PEEK[])",
    "UID FETCH 2 (RFC822.SIZE BODY.PEEK[HEADER])",
    "UID FETCH 2 (BODY.PEEK[HEADER.FIELDS (Subject FROM)])",
    "UID FETCH 2 BODY.PEEK[HEADER.FIELDS.NOT (Subject)]",
    "UID FETCH 2 BODY.PEEK[TEXT]",
    "UID FETCH 1 BODY.PEEK[]<0.20>",
    "UID FETCH 1 BODY.PEEK[]<100000.20>",
    "UID FETCH 1 RFC822.HEADER",
    "UID FETCH 500 (FLAGS)",
    "FETCH 500 (FLAGS)",
    "UID FETCH 3:1 UID",
    "UID FETCH 500:* UID",
    "FETCH * UID",
    "UID FETCH 1:2,4294967295 UID",
    "FETCH 1 FAST",
    "UID STORE 1 +FLAGS (\\Seen)",
    "CHECK",
    "SELECT INBOX",
    "UID STORE 1 +FLAGS (\\Seen)",
    "UID STORE 1 +FLAGS (\\Seen)",
    "STORE 2 FLAGS (\\Flagged Work)",
    "STORE 2 +FLAGS.SILENT (\\Deleted)",
    "UID FETCH 3 BODY[TEXT]",
    "EXPUNGE",
    "NOOP",
    "FROBNICATE",
    "CLOSE",
    "UNSELECT",
    "LOGOUT",
];

/// What a server answers to each command of the script, its greeting first.
pub(crate) fn with(port: u16, user: &str, password: &str) -> Vec<(&'static str, String)> {
    let mut client = RawClient::connect(port);
    let mut dialogue = vec![("", client.greeting().to_owned())];
    for command in SCRIPT {
        let line = command
            .replace("{user}", user)
            .replace("{password}", password);
        let mut answer = String::new();
        let pieces = client.command(&line);
        let last = pieces.len() - 1;
        for (index, piece) in pieces.iter().enumerate() {
            let line = if index == last {
                // The tag is the client's own.
                piece.line.split_once(' ').unwrap().1
            } else {
                &piece.line
            };
            answer.push_str(line);
            match &piece.literal {
                Some(octets) => {
                    let _ = write!(answer, "\n{}", String::from_utf8_lossy(octets));
                }
                None if index < last => answer.push('\n'),
                None => {}
            }
        }
        dialogue.push((command, answer));
    }
    dialogue
}
