//! Python's `imaplib` as the client: another implementation of the protocol, another author.

use std::process::Command;

use super::super::{Server, TestMessage};

const SCRIPT: &str = r#"
import imaplib, sys
port = int(sys.argv[1])
client = imaplib.IMAP4("127.0.0.1", port)
assert "LITERAL+" in client.capabilities, client.capabilities
client.login("me", "sec\"ret\\")
assert client.list()[1] == [b'() "/" INBOX'], client.list()
assert client.select("INBOX", readonly=True) == ("OK", [b"3"])
assert client.untagged_responses["UIDVALIDITY"] == [b"9"]
assert client.uid("SEARCH", None, "ALL")[1] == [b"1 2 40"]
assert client.uid("SEARCH", "CHARSET", "UTF-8", "SUBJECT", "two")[1] == [b"2"]
answer = client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[1]
assert [part[1] for part in answer if isinstance(part, tuple)] == [
    b"Subject: one\r\n\r\n1", b"Subject: two\r\n\r\n\0\n", b""], answer
assert imaplib.Internaldate2tuple(answer[0][0]) is not None
assert client.append("INBOX", "\\Seen", None, b"Subject: four\r\n\r\n")[0] == "OK"
assert client.select("INBOX") == ("OK", [b"4"])
assert client.store("4", "+FLAGS", "\\Deleted")[1] == [b"4 (FLAGS (\\Deleted \\Seen))"]
assert client.expunge()[1] == [b"4"]
assert client.close()[0] == "OK"
assert client.status("INBOX", "(MESSAGES)")[1] == [b"INBOX (MESSAGES 3)"]
client.logout()

client = imaplib.IMAP4("127.0.0.1", port)
client.authenticate("PLAIN", lambda _: b"\0me\0sec\"ret\\")
client.logout()
try:
    imaplib.IMAP4("127.0.0.1", port).login("me", "wrong")
except imaplib.IMAP4.error as error:
    assert "AUTHENTICATIONFAILED" in str(error), error
else:
    raise AssertionError("a wrong password was taken")
print("done")
"#;

#[test]
fn speaks_with_imaplib() {
    let server = Server::builder()
        .login("me", "sec\"ret\\")
        .uid_validity(9)
        .message("Subject: one\r\n\r\n1")
        .message(b"Subject: two\r\n\r\n\0\n")
        .message(TestMessage::new("").uid(40))
        .start()
        .unwrap();
    let port = server.port().to_string();
    let Ok(output) = Command::new("python3").args(["-c", SCRIPT, &port]).output() else {
        println!("SKIPPED: there is no python3 to run imaplib with");
        return;
    };
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "done\n",
        "{}\n{:#?}",
        String::from_utf8_lossy(&output.stderr),
        server.log()
    );
}
