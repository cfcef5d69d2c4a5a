//! What a client sees of each persona, line by line, where its server is unlike others. The lines
//! are those of public transcripts, sources and reports; which, is told in the persona's data.

use std::collections::BTreeSet;

use parallel_mailbox::testing::{Fault, Persona, Server, TestMessage, Trouble};

use crate::support::raw_client::RawClient;

fn server(persona: Persona) -> Server {
    Server::builder()
        .persona(persona)
        .message(TestMessage::new("Subject: one\r\n\r\n1\r\n").flag("\\Seen"))
        .message("Subject: two\r\n\r\n2\r\n")
        .message("Subject: three\r\n\r\n")
        .start()
        .unwrap()
}

/// The answer to the last of these commands, lines ended by LF.
fn answer(server: &Server, commands: &[&str]) -> String {
    let mut client = RawClient::connect(server.port());
    let mut last = String::new();
    for command in commands {
        last = String::new();
        for piece in client.command(command) {
            last.push_str(&piece.line);
            last.push('\n');
            if let Some(octets) = piece.literal {
                last.push_str(&String::from_utf8_lossy(&octets));
            }
        }
    }
    last.replace("\r\n", "\n")
}

/// The same, after a login and EXAMINE, which take three commands with ID.
fn examined(server: &Server, command: &str) -> String {
    let commands = ["LOGIN me secret", "ID NIL", "EXAMINE INBOX", command];
    answer(server, &commands)
}

fn login(server: &Server) -> String {
    answer(server, &["LOGIN me secret"])
}

#[test]
fn gmail() {
    let server = server(Persona::Gmail);
    let greeting = RawClient::connect(server.port()).greeting().to_owned();
    assert!(greeting.starts_with("* OK Gimap ready for requests from 127.0.0.1 "));
    let login = login(&server);
    assert!(login.starts_with("* CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST"));
    assert!(
        login.ends_with("\nt1 OK me authenticated (Success)\n"),
        "{login}"
    );
    assert_eq!(
        answer(&server, &["LOGIN me secret", "EXAMINE INBOX"]),
        "* FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen $NotPhishing $Phishing)\n\
         * OK [PERMANENTFLAGS ()] Flags permitted.\n\
         * OK [UIDVALIDITY 1] UIDs valid.\n\
         * 3 EXISTS\n\
         * 0 RECENT\n\
         * OK [UIDNEXT 4] Predicted next UID.\n\
         * OK [HIGHESTMODSEQ 4711]\n\
         t2 OK [READ-ONLY] INBOX selected. (Success)\n"
    );
    let items = "(BODY.PEEK[] FLAGS X-GM-LABELS UID INTERNALDATE RFC822.SIZE X-GM-MSGID)";
    assert_eq!(
        examined(&server, &format!("UID FETCH 1 {items}")),
        "* 1 FETCH (X-GM-MSGID 1152921504606846977 X-GM-LABELS () UID 1 RFC822.SIZE 19 \
         INTERNALDATE \"01-Jan-2026 00:00:00 +0000\" FLAGS (\\Seen) BODY[] {19}\n\
         Subject: one\n\n1\n)\nt4 OK Success\n"
    );
    assert_eq!(
        answer(&server, &["LOGIN me secret", "EXAMINE X"]),
        "t2 NO [NONEXISTENT] Unknown Mailbox: X (now in authenticated state) (Failure)\n"
    );
    assert_eq!(
        answer(&server, &["LOGIN me wrong"]),
        "t1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\n"
    );
    let list = answer(&server, &["LOGIN me secret", "LIST \"\" \"*\""]);
    assert!(list.contains("* LIST (\\HasChildren \\Noselect) \"/\" \"[Gmail]\"\n"));
    assert!(list.contains("* LIST (\\All \\HasNoChildren) \"/\" \"[Gmail]/All Mail\"\n"));
}

#[test]
fn exchange() {
    let server = server(Persona::Exchange);
    assert_eq!(login(&server), "t1 OK LOGIN completed.\n");
    assert_eq!(
        answer(&server, &["LOGIN me secret", "EXAMINE INBOX"]),
        "* 3 EXISTS\n\
         * 0 RECENT\n\
         * FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)\n\
         * OK [PERMANENTFLAGS ()] Permanent flags\n\
         * OK [UNSEEN 2] Is the first unseen message\n\
         * OK [UIDVALIDITY 14] UIDVALIDITY value\n\
         * OK [UIDNEXT 4] The next unique identifier value\n\
         t2 OK [READ-ONLY] EXAMINE completed.\n"
    );
    assert_eq!(
        examined(&server, "UID FETCH 1 (RFC822.SIZE)"),
        "* 1 FETCH (RFC822.SIZE 19 UID 1)\nt4 OK FETCH completed.\n"
    );
    assert_eq!(
        examined(&server, "UID SEARCH CHARSET UTF-8 SUBJECT x"),
        "t4 NO [BADCHARSET (US-ASCII)] The specified charset is not supported.\n"
    );
    let commands = ["LOGIN me secret", "SELECT INBOX", "UID FETCH 2 BODY[]"];
    assert_eq!(
        answer(&server, &commands),
        "* 2 FETCH (BODY[] {19}\nSubject: two\n\n2\n UID 2 FLAGS (\\Seen))\n\
         t3 OK FETCH completed.\n"
    );
    let status = answer(&server, &["LOGIN me secret", "STATUS INBOX (MESSAGES)"]);
    assert!(
        status.starts_with("* STATUS Inbox (MESSAGES 3) \n"),
        "{status}"
    );
    for fault in Persona::Exchange.faults(Trouble::Throttled) {
        server.add_fault(fault.times(1));
    }
    let throttled = "BAD Request is throttled. Suggested Backoff Time: 250 milliseconds\n";
    assert_eq!(examined(&server, "FETCH 1 UID"), format!("t4 {throttled}"));
    let mut client = RawClient::connect(server.port());
    for command in ["LOGIN me secret", "EXAMINE INBOX"] {
        client.ok(command);
    }
    assert!(client.command("FETCH 1 UID")[0].line.contains("throttled"));
    assert!(client.ends());
}

#[test]
fn yahoo_has_trailing_spaces_quotes_and_a_cap() {
    let server = Server::builder()
        .persona(Persona::Yahoo)
        .search_cap(2)
        .messages(["Subject: a\r\n\r\nshort", "", "Subject: b\r\n\r\n"])
        .start()
        .unwrap();
    assert_eq!(
        examined(&server, "UID SEARCH ALL"),
        "* SEARCH 2 3 \nt4 OK SEARCH completed\n"
    );
    assert_eq!(
        examined(&server, "UID FETCH 1 (UID FLAGS BODY.PEEK[TEXT])"),
        "* 1 FETCH (FLAGS () UID 1 BODY[TEXT] \"short\")\nt4 OK FETCH completed\n"
    );
    assert_eq!(
        examined(&server, "UID SEARCH HEADER X-A b"),
        "t4 NO [SERVERBUG] UID SEARCH Server error - Please try again later\n"
    );
}

#[test]
fn icloud_says_nothing_where_nothing_is_found() {
    let server = server(Persona::ICloud);
    assert_eq!(
        examined(&server, "UID SEARCH SMALLER 1"),
        "t4 OK SEARCH completed (took 1 ms)\n"
    );
    assert_eq!(
        examined(&server, "UID SEARCH RETURN (ALL) ALL"),
        "* SEARCH 1 2 3\nt4 OK SEARCH completed (took 1 ms)\n"
    );
    assert_eq!(
        examined(&server, "UID FETCH 1 (RFC822)"),
        "* 1 FETCH (UID 1)\nt4 OK FETCH completed (took 1 ms)\n"
    );
}

#[test]
fn the_others_where_they_are_odd() {
    for (persona, command, expected) in [
        (
            Persona::Zimbra,
            "UID FETCH 3 (FLAGS BODY.PEEK[TEXT] UID)",
            "* 3 FETCH (UID 3 BODY[TEXT] \"\" FLAGS ())\nt4 OK FETCH completed\n",
        ),
        (
            Persona::James,
            "UID FETCH 1 (UID RFC822.SIZE FLAGS)",
            "* 1 FETCH (FLAGS (\\Seen) RFC822.SIZE 19 UID 1)\nt4 OK FETCH completed.\n",
        ),
        (
            Persona::Zoho,
            "UID FETCH 1 (FLAGS BODY.PEEK[HEADER.FIELDS (TO)])",
            "* 1 FETCH (FLAGS (\\Seen) BODY[HEADER.FIELDS (\"TO\")] {2}\n\n UID 1)\n\
             t4 OK Success\n",
        ),
        (
            Persona::NetEase,
            "UID FETCH 1 INTERNALDATE",
            "* 1 FETCH (UID 1 INTERNALDATE \"01-Jan-2026 08:00:00 +0800\")\n\
             t4 OK Fetch completed\n",
        ),
        (
            Persona::ProtonBridge,
            "UID FETCH 1:2 BODY.PEEK[TEXT]",
            "* 2 FETCH (BODY[TEXT] {3}\n2\n UID 2)\n* 1 FETCH (BODY[TEXT] {3}\n1\n UID 1)\n\
             t4 OK command completed in 1ms\n",
        ),
        (Persona::Qq, "UID FETCH 3:1 UID", "t4 BAD UID parameters!\n"),
        (
            Persona::Qq,
            "UID SEARCH FROM nobody",
            "* SEARCH 1 2 3\nt4 OK SEARCH Completed\n",
        ),
        (
            Persona::HMailServer,
            "EXAMINE Nowhere",
            "t4 BAD Folder could not be found.\n",
        ),
        (
            Persona::Courier,
            "FETCH 9 UID",
            "* NO Invalid message sequence number: 9\nt4 OK FETCH completed.\n",
        ),
        (
            Persona::Yandex,
            "UID FETCH 3 BODY.PEEK[TEXT]",
            "* 3 FETCH (UID 3 BODY[TEXT] )\nt4 OK FETCH Completed.\n",
        ),
        (
            Persona::DavMail,
            "UID FETCH 1 (FLAGS BODY.PEEK[TEXT])",
            "* 1 FETCH (UID 1 FLAGS (\\Seen)  BODY[TEXT] {3}\n1\n)\n\
             t4 OK UID FETCH completed\n",
        ),
        (
            Persona::Cyrus,
            "UID FETCH 1:2,4294967295 UID",
            "t4 OK Completed (0.000 sec)\n",
        ),
    ] {
        assert_eq!(examined(&server(persona), command), expected, "{persona}");
    }
    let unsafe_login = "t2 NO EXAMINE Unsafe Login. Please contact kefu@188.com for help\n";
    let commands = ["LOGIN me secret", "EXAMINE INBOX"];
    assert_eq!(answer(&server(Persona::NetEase), &commands), unsafe_login);
}

#[test]
fn what_comes_for_a_message_that_is_gone() {
    for (persona, expected) in [
        (Persona::Stalwart, "t3 OK FETCH completed\n* 1 EXPUNGE\n"),
        (
            Persona::Dovecot,
            "* 1 FETCH (UID 1 RFC822.SIZE 19 BODY[] NIL)\n* 1 EXPUNGE\n\
             t3 OK [EXPUNGEISSUED] Some messages were already expunged.\n",
        ),
        (
            Persona::Zimbra,
            "* 1 FETCH (UID 1 RFC822.SIZE 0 BODY[] \"\")\n* 1 EXPUNGE\nt3 OK FETCH completed\n",
        ),
        (
            Persona::ProtonBridge,
            "* 1 FETCH (RFC822.SIZE 19 BODY[] {19}\nSubject: one\n\n1\n UID 1)\n* 1 EXPUNGE\n\
             t3 OK [EXPUNGEISSUED] command completed in 1ms\n",
        ),
        (
            Persona::Courier,
            "* 1 FETCH (UID 1 RFC822.SIZE 129 BODY[] {129}\n\
             From: System Administrator <root@localhost>\n\
             Subject: message unavailable\n\n\
             This message is no longer available on the server.\n)\n* 1 EXPUNGE\n\
             t3 OK FETCH completed.\n",
        ),
    ] {
        let server = server(persona);
        let mut client = RawClient::connect(server.port());
        client.ok("LOGIN me secret");
        client.ok("EXAMINE INBOX");
        server.expunge("INBOX", 1);
        let mut lines = String::new();
        for piece in client.ok("UID FETCH 1 (RFC822.SIZE BODY.PEEK[])") {
            lines.push_str(&piece.line);
            lines.push('\n');
            let octets = piece.literal.unwrap_or_default();
            lines.push_str(&String::from_utf8_lossy(&octets).replace("\r\n", "\n"));
        }
        let mut expected: Vec<&str> = expected.lines().collect();
        let mut lines: Vec<&str> = lines.lines().collect();
        expected.sort_unstable();
        lines.sort_unstable();
        assert_eq!(lines, expected, "{persona}");
    }
}

/// Each has something that is known, and what it says in trouble ends the command or the connection.
#[test]
fn the_data_is_whole() {
    let names: BTreeSet<&str> = Persona::all()
        .iter()
        .map(|persona| persona.name())
        .collect();
    assert_eq!(names.len(), Persona::all().len());
    let mut count = 0;
    for persona in Persona::all() {
        let attested: Vec<_> = persona.attested().collect();
        let assumed = persona.assumed().count();
        assert!(!attested.is_empty(), "{persona}");
        assert!(attested.iter().all(|(_, source)| !source.is_empty()));
        count = attested.len() + assumed;
        eprintln!("{persona}: {} attested, {assumed} assumed", attested.len());
        for trouble in Trouble::all() {
            for fault in persona.faults(*trouble) {
                let server = server(*persona);
                server.add_fault(fault.uid(1));
                // Whatever is said, the client is not left waiting.
                let mut client = RawClient::connect(server.port());
                client.command("LOGIN me secret");
            }
        }
    }
    assert!(count > 70);
}

/// A fault of lines is what it says, with the tag in its place.
#[test]
fn lines_are_said_as_they_stand() {
    let server = server(Persona::Gmail);
    server.add_fault(
        Fault::lines("* NO [ALERT] soon {tag}\n{tag} NO not now {x}")
            .before("FETCH")
            .times(1),
    );
    assert_eq!(
        examined(&server, "FETCH 1 UID"),
        "* NO [ALERT] soon t4\nt4 NO not now {x}\n"
    );
    server.add_fault(
        Fault::lines("{tag} OK [THROTTLED] slow")
            .before("FETCH")
            .times(1),
    );
    assert_eq!(
        examined(&server, "FETCH 1 UID"),
        "* 1 FETCH (UID 1)\nt4 OK [THROTTLED] slow\n"
    );
}
