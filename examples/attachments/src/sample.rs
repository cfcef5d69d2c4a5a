//! Made-up mail: pictures that the program draws itself, sent by several people, some of them twice;
//! and what people send who mean no good.

use image::ImageFormat::{Gif, Jpeg, Png};
use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;
use parallel_mailbox::testing::TestMessage;

use crate::drawing::{board, file, landscape, rings};

/// Names under which a text of its own each is sent, in quotes or percent-encoded (RFC 2231).
pub const HOSTILE: [&str; 20] = [
    "\"../../etc/passwd\"",
    "\"/etc/passwd\"",
    "\"..\\\\..\\\\Windows\\\\win.ini\"",
    "\"attachments.tsv\"",
    "\"CON\"",
    "\"nul.txt\"",
    "\"LPT1.tar.gz\"",
    "\".bashrc\"",
    "\"..\"",
    "\"\"",
    "\"-rf\"",
    "\"what?<now>|*:.txt\"",
    "\"invoice.pdf. . .\"",
    "\"INVOICE.PDF\"",
    "*utf-8''a%00b.txt",
    "*utf-8''line%0D%0Aend%09tab.txt",
    "*utf-8''%1B%5B2J%1B%5Dclear.txt",
    "*utf-8''photo%E2%80%AEgpj.exe",
    "*utf-8''%E2%80%8B.%20",
    "*utf-8''..%2F..%2F%00%2Fafter.txt",
];

const ANNA: (&str, &str) = ("Anna Berg", "anna@berg.example");
const BJOERN: (&str, &str) = ("Björn Åström", "bjorn@travel.example");
const CHIOMA: (&str, &str) = ("Chioma Okafor", "chioma@club.example");
const MALLORY: (&str, &str) = ("Mallory", "mallory@nowhere.example");

/// All messages, the same ones every time.
#[must_use]
pub fn messages() -> Vec<TestMessage> {
    let morning = file(&landscape(1_600, 1_000, 0.30), Jpeg);
    let evening = file(&landscape(1_600, 1_000, 0.42), Jpeg);
    let tall = file(&landscape(700, 1_400, 0.2), Png);
    let rings_png = file(&rings(512), Png);
    let board_gif = file(&board(400, 300), Gif);
    let logo = file(&rings(64), Png);
    let table = b"Stra\xdfe;H\xf6he\r\nM\xfchlweg;12\r\n".to_vec();

    let mut all = vec![
        plain(ANNA, "No attachment", "Only text."),
        mixed(
            ANNA,
            "The lake",
            vec![part("image/jpeg", "\"lake.jpg\"", &morning)],
        ),
        mixed(
            BJOERN,
            "Fwd: The lake",
            vec![part("image/jpeg", "\"IMG_0001.JPG\"", &morning)],
        ),
        mixed(
            CHIOMA,
            "the lake, once more",
            vec![part("image/jpeg", "\"lake.jpg\"", &morning)],
        ),
        // Another picture of the same name.
        mixed(
            BJOERN,
            "The lake at night",
            vec![part("image/jpeg", "\"lake.jpg\"", &evening)],
        ),
        mixed(
            CHIOMA,
            "Übersicht und Bilder",
            vec![
                part("image/png", "*utf-8''R%C3%BCckseite.png", &tall),
                part("image/gif", "\"board.gif\"", &board_gif),
                part(
                    "text/csv; charset=iso-8859-1",
                    "*utf-8''%C3%9Cbersicht.csv",
                    &table,
                ),
            ],
        ),
        mixed(
            ANNA,
            "Rings",
            vec![part(
                "application/octet-stream",
                "\"rings.dat\"",
                &rings_png,
            )],
        ),
        forwarded(BJOERN, &rings_png),
    ];
    for sender in [ANNA, BJOERN, CHIOMA] {
        all.push(with_logo(sender, &logo));
    }
    for (number, name) in (1..).zip(HOSTILE) {
        let text = format!("Text number {number}.\r\n");
        all.push(mixed(
            MALLORY,
            "for you",
            vec![part("text/plain", name, text.as_bytes())],
        ));
    }
    let long = format!("\"{}.pdf\"", "x".repeat(300));
    all.push(mixed(
        MALLORY,
        "long",
        vec![part("application/pdf", &long, b"%PDF-1.7\n")],
    ));
    for (name, octets) in broken() {
        all.push(mixed(
            MALLORY,
            "broken",
            vec![part("image/png", name, &octets)],
        ));
    }
    all
}

/// Pictures that cannot be decoded.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let mut torn = file(&landscape(300, 200, 0.3), Png);
    torn.truncate(torn.len() / 2);
    // It says that it is 65,535 pixels wide and high.
    let mut bomb = file(&board(16, 16), Gif);
    if let Some(size) = bomb.get_mut(6..10) {
        size.fill(0xFF);
    }
    vec![
        ("\"torn.png\"", torn),
        ("\"bomb.gif\"", bomb),
        ("\"magic.png\"", b"\x89PNG\r\n\x1a\n".to_vec()),
        ("\"empty.png\"", Vec::new()),
    ]
}

fn letter(sender: (&'static str, &'static str), subject: &'static str) -> MessageBuilder<'static> {
    MessageBuilder::new()
        .from(sender)
        .to(("Me", "me@mailbox.example"))
        .subject(subject)
        .date(1_767_225_600_i64)
        .message_id("made-up@mailbox.example")
}

fn written(builder: MessageBuilder<'_>) -> TestMessage {
    // Writing into memory does not fail.
    TestMessage::new(builder.write_to_vec().unwrap_or_default())
}

fn plain(
    sender: (&'static str, &'static str),
    subject: &'static str,
    text: &'static str,
) -> TestMessage {
    written(letter(sender, subject).text_body(text))
}

fn mixed(
    sender: (&'static str, &'static str),
    subject: &'static str,
    mut parts: Vec<MimePart<'static>>,
) -> TestMessage {
    parts.insert(
        0,
        MimePart::new("text/plain", "See what comes with this.\r\n"),
    );
    written(letter(sender, subject).body(MimePart::new(multipart("mixed", subject), parts)))
}

/// With a boundary of its own, as one that is made up would be another every time.
fn multipart(kind: &'static str, subject: &str) -> ContentType<'static> {
    let letters: String = subject
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    ContentType::new(format!("multipart/{kind}")).attribute("boundary", format!("of-{letters}"))
}

/// The picture belongs to the text and has no name.
fn with_logo(sender: (&'static str, &'static str), logo: &[u8]) -> TestMessage {
    let html = "<p>Greetings</p><img src=\"cid:logo\">";
    let picture = MimePart::new("image/png", logo.to_vec())
        .inline()
        .cid("logo");
    let parts = vec![MimePart::new("text/html", html), picture];
    written(letter(sender, "Greetings").body(MimePart::new(multipart("related", "logo"), parts)))
}

/// A message in a message, with a picture that another message has as well.
fn forwarded(sender: (&'static str, &'static str), picture: &[u8]) -> TestMessage {
    let inner = mixed(
        ANNA,
        "Rings",
        vec![part("image/png", "\"rings.png\"", picture)],
    );
    // As it is: a message in a message must not be encoded (RFC 2046, section 5.2.1).
    let inner = MimePart::new(
        "message/rfc822",
        String::from_utf8_lossy(inner.raw()).into_owned(),
    )
    .transfer_encoding("7bit");
    mixed(sender, "Fwd: Rings", vec![inner])
}

fn part(mime_type: &'static str, name: &str, octets: &[u8]) -> MimePart<'static> {
    let name = match name.strip_prefix('*') {
        Some(encoded) => format!("filename*={encoded}"),
        None => format!("filename={name}"),
    };
    MimePart::new(mime_type, octets.to_vec()).header(
        "Content-Disposition",
        Raw::new(format!("attachment; {name}")),
    )
}
