//! Made-up letters with moods: five senders in six months, the same every time. What they quote and
//! what they sign with has the opposite mood, so that a program that counts it comes out wrong.

use parallel_mailbox::mail_parser::DateTime;
use parallel_mailbox::testing::TestMessage;

/// Of each sender.
const LETTERS_A_MONTH: usize = 6;

struct Sender {
    name: &'static str,
    is_html: bool,
    /// From January to June: of six letters, how many are glad and how many are sad.
    moods: [(usize, usize); 6],
}

const SENDERS: [Sender; 5] = [
    // The servers break down, and are mended.
    Sender {
        name: "Anna",
        is_html: false,
        moods: [(0, 5), (0, 6), (1, 4), (3, 2), (5, 0), (6, 0)],
    },
    // Always of good cheer.
    Sender {
        name: "Ben",
        is_html: false,
        moods: [(3, 0), (3, 1), (5, 0), (5, 0), (4, 0), (5, 0)],
    },
    // A customer whose invoice is wrong in April, and who has her money back in June.
    Sender {
        name: "Clara",
        is_html: true,
        moods: [(1, 2), (1, 3), (4, 0), (0, 6), (0, 4), (4, 0)],
    },
    // Writes reports, and no more.
    Sender {
        name: "David",
        is_html: false,
        moods: [(0, 0); 6],
    },
    // Up and down.
    Sender {
        name: "Emma",
        is_html: true,
        moods: [(1, 4), (2, 3), (3, 2), (2, 4), (3, 2), (5, 0)],
    },
];

/// What each month is about.
const TOPICS: [[&str; 3]; 6] = [
    [
        "The disks of the server were exchanged at night.",
        "The backup of the server runs on Sunday.",
        "Each server has two disks.",
    ],
    [
        "The migration of the database goes into its second week.",
        "A copy of the database is on the old machine.",
        "The migration ends on a Friday.",
    ],
    [
        "The trade fair in Vienna opens at nine.",
        "Our booth at the fair is next to the entrance.",
        "The train to Vienna leaves from platform two.",
    ],
    [
        "The invoice has a stamp and a date.",
        "The amount of the invoice is in the second column.",
        "The accountant has a copy of the invoice.",
    ],
    [
        "The garden behind the office has a gate.",
        "There are roses and tomatoes in the garden.",
        "Tomatoes are watered in the morning.",
    ],
    [
        "The contract runs until autumn.",
        "The lawyer has the contract on her desk.",
        "A lawyer and a clerk read each paragraph.",
    ],
];

const GLAD: [&str; 4] = [
    "I am very happy with this, and it is a great success!",
    "Thank you, that was a wonderful and kind surprise.",
    "Everybody loves it, and so do I.",
    "What a beautiful result, excellent work!",
];

const SAD: [&str; 4] = [
    "I am angry and disappointed, this is a terrible mess.",
    "It failed again, and it is awful.",
    "I hate to say it, but this is the worst problem so far!",
    "We are sad and worried, and the damage is horrible.",
];

/// A hundred and eighty letters, month by month. UIDs count from 1.
pub fn letters() -> Vec<TestMessage> {
    let mut letters = Vec::new();
    for (month, topics) in TOPICS.iter().enumerate() {
        for number in 0..LETTERS_A_MONTH {
            for sender in &SENDERS {
                letters.push(letter(sender, month, number, topics));
            }
        }
    }
    letters
}

fn letter(sender: &Sender, month: usize, number: usize, topics: &[&str; 3]) -> TestMessage {
    let (glad, sad) = sender.moods[month];
    let mut sentences = vec![topics[number % 3], topics[(number + 1) % 3]];
    let (mood, opposite) = if number < glad {
        (Some(GLAD[(number + month) % 4]), SAD[number % 4])
    } else if number < glad + sad {
        (Some(SAD[(number + month) % 4]), GLAD[number % 4])
    } else {
        (None, SAD[number % 4])
    };
    sentences.extend(mood);
    let (name, address) = (sender.name, sender.name.to_lowercase());
    let (kind, text) = if sender.is_html {
        let text = sentences.join("<br>\r\n");
        let html = format!(
            "<html><head><title>{opposite}</title></head><body>\
             <p class=\"{opposite}\">{text}</p>\r\n\
             <blockquote type=\"cite\"><p>{opposite}</p></blockquote></body></html>\r\n"
        );
        ("html", html)
    } else {
        let text = sentences.join("\r\n");
        let text = format!(
            "{text}\r\n\r\nOn Monday somebody wrote:\r\n> {opposite}\r\n\
             -- \r\n{name}. {opposite}\r\n"
        );
        ("plain", text)
    };
    let date = format!(
        "{} {} 2026 12:00:00 +0000",
        1 + 4 * number,
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun"][month],
    );
    let arrived = DateTime::parse_rfc822(&date).map_or(0, |date| date.to_timestamp());
    TestMessage::new(format!(
        "From: {name} <{address}@example.org>\r\nTo: me@example.org\r\nSubject: News\r\n\
         Date: {date}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/{kind}; charset=utf-8\r\n\r\n{text}",
    ))
    .internal_date(arrived)
}
