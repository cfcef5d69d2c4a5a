//! The text and the attachments of messages as users of the crate see them.

#![allow(clippy::unwrap_used)]

use parallel_mailbox::testing::Server;
use parallel_mailbox::{Fetch, Query};

const LETTER: &str = "From: ann@example.org\r\nSubject: both\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <table><tr><td>Gr\u{fc}\u{df}e</td><td>4711</td></tr></table>\r\n\
    --b\r\nContent-Type: application/pdf\r\n\
    Content-Disposition: attachment; filename=\"../../etc/pass\u{202e}wd.pdf\"\r\n\
    Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQ=\r\n";

#[test]
fn text_and_attachments_are_plain_values() {
    let server = Server::builder().messages([LETTER]).start().unwrap();
    let mailbox = server.client().connect().unwrap();
    let matches = mailbox.search(Query::all()).unwrap();
    let read = |fetch| {
        let read = matches.clone().fetch(fetch);
        read.map(|message| (message.text(), message.attachments(), message.damage()))
            .unwrap()
            .remove(0)
    };
    let (text, attachments, damage) = read(Fetch::full());
    assert_eq!(text, "Gr\u{fc}\u{df}e\t4711\n");
    let [pdf] = &attachments[..] else {
        panic!("{attachments:?}");
    };
    assert_eq!((pdf.name(), pdf.number()), ("pass_wd.pdf", "2"));
    assert_eq!(pdf.sent_name(), Some("../../etc/pass\u{202e}wd.pdf"));
    assert_eq!(
        (pdf.content_type(), pdf.bytes()),
        ("application/pdf", &b"%PDF-1.4"[..])
    );
    assert_eq!((pdf.text(), pdf.damage()), (None, None));
    assert!(
        !format!("{pdf:?}").contains("PDF-1.4"),
        "bytes are private: {pdf:?}"
    );
    let damage: Vec<String> = damage.iter().map(ToString::to_string).collect();
    assert_eq!(
        damage,
        ["part 2: the closing boundary is missing, so it may be cut off"]
    );
    // What was not fetched is not there, and nothing is made up.
    let (text, attachments, _) = read(Fetch::headers());
    assert!(text.is_empty() && attachments.is_empty());
    let (text, attachments, damage) = read(Fetch::metadata());
    assert!(text.is_empty() && attachments.is_empty() && damage.is_empty());
}
