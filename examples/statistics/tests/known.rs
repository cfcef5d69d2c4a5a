//! The program as a process of its own, and its charts, over mailboxes of which all is known.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Output};

use example_statistics::{made_up, read};
#[cfg(unix)]
use example_support::dovecot;
use parallel_mailbox::testing::{Fault, Server, TestMessage};

fn run(folder: &Path, server: Option<(&str, &str)>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-statistics"));
    command.arg(folder);
    if let Some((url, password)) = server {
        command.arg(url);
        command
            .env("IMAP_PASSWORD", password)
            .env("DANGER_PLAINTEXT", "1");
    }
    command.output().unwrap()
}

fn text_of(output: &Output) -> String {
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Three letters of Anna, of which two are a thread, one of Bob in the same, and one of nobody. The
/// first is of a Thursday evening in Berlin, and of Thursday afternoon in UTC.
fn known() -> Vec<TestMessage> {
    [
        "Date: Thu, 29 Feb 2024 23:30:00 +0100\r\nFrom: Anna <anna@example.org>\r\n\
         Message-ID: <1@x>\r\n",
        "Date: Fri, 1 Mar 2024 08:00:00 +0100\r\nFrom: Bob <bob@example.org>\r\n\
         Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n",
        "Date: Fri, 1 Mar 2024 09:59:59 -0500\r\nFrom: Anna <ANNA@example.org>\r\n\
         Message-ID: <3@x>\r\nReferences: <1@x> <2@x>\r\n",
        "Date: Sun, 5 May 2024 10:00:00 +0000\r\nFrom: Anna <anna@example.org>\r\n",
        "Date: nonsense\r\nSubject: nobody\r\n",
    ]
    .into_iter()
    .map(|head| TestMessage::new(format!("{head}\r\ntext\r\n")).internal_date(1_714_903_200))
    .collect()
}

/// What the program prints, without the line that tells of the run.
fn table(text: &str) -> &str {
    let text = text.split_once("\n\n").unwrap().1;
    text.split_once("\nCharts:").unwrap().0
}

#[test]
fn of_a_known_mailbox_all_numbers_are_known() {
    let server = Server::builder().messages(known()).start().unwrap();
    let (statistics, report) = read(&server.client().connect().unwrap()).unwrap();
    assert!(report.is_complete());
    assert_eq!(statistics.messages, 5);
    let senders: Vec<_> = statistics
        .senders
        .iter()
        .map(|(address, sender)| (address.as_str(), sender.name(), sender.messages))
        .collect();
    assert_eq!(
        senders,
        [
            ("anna@example.org", Some("Anna"), 3),
            ("", None, 1),
            ("bob@example.org", Some("Bob"), 1),
        ]
    );
    // By week, since it is so short: that of 26 February, and that of 29 April, with the one that
    // has no date but that of its arrival, 5 May.
    let counts: Vec<_> = statistics
        .volume
        .counts
        .iter()
        .map(|(day, count)| (day.to_string(), *count))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(
        counts,
        [("2024-02-26".to_owned(), 3), ("2024-04-29".to_owned(), 2)]
    );
    assert_eq!(statistics.volume.counts.len(), 10, "also those without any");
    let (thursday, friday, sunday) = (3, 4, 6);
    for (day, hour) in [(thursday, 23), (friday, 8), (friday, 9), (sunday, 10)] {
        assert_eq!(statistics.hours[day][hour], 1, "{day} {hour}");
    }
    assert_eq!(statistics.hours.iter().flatten().sum::<u64>(), 4);
    assert_eq!(statistics.threads, [(1, 2), (3, 1)].into());
    let sizes = known()
        .iter()
        .map(|message| message.raw().len() as u64)
        .sum();
    assert_eq!(statistics.sizes.total, sizes);
}

#[test]
fn it_makes_no_difference_how_many_workers_there_are() {
    let server = Server::builder()
        .messages(made_up::mail(1_500))
        .start()
        .unwrap();
    let of = |workers| {
        let mailbox = server.client().workers(workers).connect().unwrap();
        read(&mailbox).unwrap().0
    };
    let one = of(1);
    assert_eq!(one.messages, 1_500);
    for workers in [2, 8, 8] {
        assert_eq!(of(workers), one);
    }
}

#[test]
#[cfg(unix)]
fn dovecot_has_the_same_table() {
    let Some(dovecot) = dovecot::builder() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let dovecot = dovecot.messages(made_up::mail(2_000)).start();
    let output = run(
        folder.path(),
        Some((&dovecot.url("INBOX"), dovecot.password())),
    );
    let text = text_of(&output);
    println!("{text}");
    let server = Server::builder()
        .messages(made_up::mail(2_000))
        .start()
        .unwrap();
    let output = run(folder.path(), Some((&server.url(), server.password())));
    assert_eq!(table(&text), table(&text_of(&output)));
}

#[test]
fn each_chart_is_a_picture_that_is_not_blank_and_a_drawing_that_is_well_formed() {
    let folder = tempfile::tempdir().unwrap();
    let text = text_of(&run(folder.path(), None));
    let listed = text.split_once("\nCharts:\n").unwrap().1;
    let files: Vec<&Path> = listed.lines().map(|line| Path::new(line.trim())).collect();
    assert_eq!(files.len(), 10);
    for file in files {
        if file.extension().unwrap() == "png" {
            let decoder = png::Decoder::new(BufReader::new(File::open(file).unwrap()));
            let mut reader = decoder.read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size()];
            reader.next_frame(&mut pixels).unwrap();
            let ink = pixels.chunks(3).filter(|pixel| *pixel != [255; 3]).count();
            assert!(ink > 10_000, "{}: {ink}", file.display());
        } else {
            let text = fs::read_to_string(file).unwrap();
            let drawing = roxmltree::Document::parse(&text).unwrap();
            assert_eq!(drawing.root_element().tag_name().name(), "svg");
            let shapes = drawing
                .descendants()
                .filter(|node| node.has_tag_name("rect"));
            assert!(shapes.count() > 5, "{}", file.display());
        }
    }
}

#[test]
fn one_message_and_names_in_any_script_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "王小明",
        "محمد عبد الله",
        "👩\u{200d}🔬 Ada",
        "สมชาย ใจดี",
        "<b> & Co",
    ];
    for count in [1, names.len()] {
        let letters = names[..count].iter().zip(1..).map(|(name, number)| {
            let address = ["person@example.org", "คน@ตัวอย่าง.ไทย"][number % 2];
            let head = format!("From: \"{name}\" <{number}{address}>\r\n");
            TestMessage::new(format!(
                "{head}Date: Thu, 29 Feb 2024 23:30:00 +0100\r\n\r\n"
            ))
        });
        let server = Server::builder().messages(letters).start().unwrap();
        let output = run(folder.path(), Some((&server.url(), server.password())));
        let text = text_of(&output);
        let drawing = fs::read_to_string(folder.path().join("senders.svg")).unwrap();
        let drawing = roxmltree::Document::parse(&drawing).unwrap();
        let texts: Vec<String> = drawing
            .descendants()
            .filter_map(|node| node.text())
            .map(|text| text.trim().to_owned())
            .collect();
        for name in &names[..count] {
            assert!(text.contains(name), "{name}: {text}");
            assert!(texts.iter().any(|text| text == name), "{name}: {texts:?}");
        }
        let noun = if count == 1 {
            "1 message"
        } else {
            "5 messages"
        };
        assert!(
            texts.contains(&format!("All senders of {noun}")),
            "{texts:?}"
        );
    }
}

#[test]
fn a_letter_of_several_authors_is_one_of_each() {
    let letters = [
        &b"From: Ann <ann@x.org>, \"B, Bob\" <bob@x.org>, ANN@x.org\r\n\r\n"[..],
        b"From: J\xfcrgen <juergen@x.org>\r\n\r\n",
        b"Subject: nobody\r\n\r\n",
    ];
    let letters = letters.map(TestMessage::new);
    let server = Server::builder().messages(letters).start().unwrap();
    let (statistics, _) = read(&server.client().connect().unwrap()).unwrap();
    assert_eq!(statistics.messages, 3);
    let senders: Vec<_> = statistics
        .senders
        .iter()
        .map(|(address, sender)| (address.as_str(), sender.name(), sender.messages))
        .collect();
    let expected = [
        ("", None, 1),
        ("ann@x.org", Some("Ann"), 1),
        ("bob@x.org", Some("B, Bob"), 1),
        ("juergen@x.org", Some("Jürgen"), 1),
    ];
    assert_eq!(senders, expected);
}

#[test]
fn an_empty_mailbox_and_messages_that_cannot_be_had_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let empty = Server::builder().start().unwrap();
    let output = run(folder.path(), Some((&empty.url(), empty.password())));
    assert!(text_of(&output).contains("no messages"));
    let server = Server::builder()
        .messages(known())
        .fault(Fault::nil().uid(2))
        .start()
        .unwrap();
    let output = run(folder.path(), Some((&server.url(), server.password())));
    assert_eq!(output.status.code(), Some(1), "not all of it");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        complaint.contains("left out: message with UID 2"),
        "{complaint}"
    );
}
