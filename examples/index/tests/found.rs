//! The program as a process of its own: what it finds, what it fetches, and that it can be killed.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[path = "../../../tests/support/wait.rs"]
mod wait;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use example_index::Finder;
#[cfg(unix)]
use example_support::dovecot;
use example_support::odd_mail;
use parallel_mailbox::testing::{Sample, Server, TestMessage};

const PATIENCE: Duration = Duration::from_secs(120);

const MESSAGES: usize = 5_000;

fn run(words: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_example-index"))
        .args(words)
        .output()
        .unwrap();
    print(&output);
    output
}

fn print(output: &Output) {
    eprintln!("{}", String::from_utf8_lossy(&output.stdout));
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
}

fn add(url: &str, password: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-index"));
    command.arg("add").arg(folder).arg(url);
    command
        .env("IMAP_PASSWORD", password)
        .env("DANGER_PLAINTEXT", "1");
    command
}

fn add_all(server: &Server, folder: &Path) -> Output {
    let output = add(&server.url(), server.password(), folder)
        .output()
        .unwrap();
    print(&output);
    output
}

fn find(folder: &Path, query: &str) -> String {
    let output = run(&["find", folder.to_str().unwrap(), query]);
    assert!(output.status.success(), "{query}");
    String::from_utf8(output.stdout).unwrap()
}

/// UIDs in ascending order; a message that is in the index twice is here twice.
fn indexed(folder: &Path) -> Vec<u32> {
    let uids = Finder::open(folder)
        .ok()
        .and_then(|finder| finder.uids().ok());
    let mut uids: Vec<u32> = uids
        .unwrap_or_default()
        .iter()
        .map(|uid| uid.get())
        .collect();
    uids.sort_unstable();
    uids
}

fn letters() -> Vec<TestMessage> {
    let letters: [&[u8]; 7] = [
        b"From: Anna Berg <anna@berg.example>\r\nTo: me@mailbox.example\r\n\
          Subject: The lighthouse\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\n\
          Nothing of it in the text.\r\n",
        b"From: bob@x.example\r\nSubject: hello\r\n\r\n\
          We climbed up to the lighthouse at dusk.\r\nThe kettle was on.\r\n",
        b"From: =?iso-8859-1?Q?Bj=F6rn_=C5str=F6m?= <bjorn@travel.example>\r\n\
          Subject: =?utf-8?B?R3LDvMOfZSBhdXMgS8O2bG4=?=\r\n\
          Content-Type: text/plain; charset=iso-8859-1\r\n\
          Content-Transfer-Encoding: quoted-printable\r\n\r\n\
          Sch=F6ne Stra=DFe am M=FChlweg\r\n",
        b"From: carla@y.example\r\nSubject: numbers\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
          --b\r\nContent-Type: text/plain\r\n\r\nattached\r\n\
          --b\r\nContent-Type: application/pdf\r\n\
          Content-Disposition: attachment; filename*=utf-8''Jahresu%CC%88bersicht-2026.pdf\r\n\r\n\
          %PDF\r\n--b--\r\n",
        b"From: dan@z.example\r\nSubject: news\r\nContent-Type: text/html\r\n\r\n\
          <html><style>p { color: crimson }</style><p>A <b>walrus</b> &amp; a \
          <a href=\"http://hidden.example/\">penguin</a></p></html>\r\n",
        // Koi8-R.
        b"From: eva@z.example\r\nSubject: =?koi8-r?B?8NLJ18XU?=\r\n\r\nhello\r\n",
        b"no header at all",
    ];
    letters.into_iter().map(TestMessage::new).collect()
}

fn check_letters(folder: &Path) {
    for (query, uids) in [
        // In the subject first.
        ("lighthouse", vec![1, 2]),
        ("kettle", vec![2]),
        ("the kettle", vec![2]),
        ("\"was on\"", vec![2]),
        ("\"on was\"", vec![]),
        ("lighthouse -kettle", vec![1]),
        ("subject:lighthouse", vec![1]),
        ("from:anna", vec![1]),
        ("anna@berg.example", vec![1]),
        ("Björn", vec![3]),
        ("BJÖRN grüße", vec![3]),
        ("Bjo\u{308}rn", vec![3]),
        ("bjorn strasse muhlweg", vec![3]),
        ("Straße Köln", vec![3]),
        ("Jahresübersicht", vec![4]),
        ("attachments:2026", vec![4]),
        ("walrus penguin", vec![5]),
        ("crimson", vec![]),
        ("hidden", vec![]),
        ("привет", vec![6]),
        (
            "date:[2026-01-01T09:00:00Z TO 2026-01-01T11:00:00Z] anna",
            vec![1],
        ),
    ] {
        let text = find(folder, query);
        let lines = text.lines().filter_map(|line| line.strip_prefix("UID "));
        let found: Vec<u32> = lines
            .map(|line| line.split(' ').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(found, uids, "{query}");
        let count = if uids.len() == 1 {
            "1 message\n".to_owned()
        } else {
            format!("{} messages\n", uids.len())
        };
        assert!(text.starts_with(&count), "{query}: {text}");
    }
    let text = find(folder, "dusk");
    assert!(text.contains("at **dusk**."), "{text}");
    let text = find(folder, "mühlweg");
    assert!(
        text.contains("  Grüße aus Köln\n") && text.contains("am **Mühlweg**"),
        "{text}"
    );
    assert!(
        text.contains("Björn Åström <bjorn@travel.example>"),
        "{text}"
    );
    let text = find(folder, "jahresübersicht");
    assert!(text.contains("**Jahresübersicht**-2026.pdf"), "{text}");
    let output = run(&["show", folder.to_str().unwrap(), "3"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("Subject: Grüße aus Köln\n") && text.contains("Schöne Straße"),
        "{text}"
    );
}

#[test]
fn finds_words_of_subjects_texts_and_attachments_in_any_charset() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::builder().messages(letters()).start().unwrap();
    assert!(add_all(&server, folder.path()).status.success());
    check_letters(folder.path());
    assert_eq!(
        indexed(folder.path()).len(),
        7,
        "also the one that is no message"
    );
}

#[test]
#[cfg(unix)]
fn finds_the_same_in_what_dovecot_has() {
    let Some(dovecot) = dovecot::builder() else {
        return;
    };
    let dovecot = dovecot.messages(letters()).start();
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let output = add(&dovecot.url("INBOX"), dovecot.password(), folder.path())
            .output()
            .unwrap();
        print(&output);
        assert!(output.status.success());
    }
    check_letters(folder.path());
}

#[test]
fn indexes_made_up_mail_without_a_url() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        run(&["add", folder.path().to_str().unwrap()])
            .status
            .success()
    );
    assert!(find(folder.path(), "invoice").contains("UID "));
    assert!(
        run(&["add", folder.path().to_str().unwrap()])
            .status
            .success()
    );
    assert_eq!(indexed(folder.path()).len(), 2_000);
}

#[test]
fn a_query_that_cannot_be_understood_gets_a_clear_answer() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::builder().messages(letters()).start().unwrap();
    let path = folder.path().to_str().unwrap();
    let output = run(&["find", path, "x"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no index in"));
    assert!(add_all(&server, folder.path()).status.success());
    for query in [
        "(a",
        "date:yesterday",
        "a AND",
        "\"open",
        "-a",
        "[",
        "a:b:c",
        "date:[2026",
    ] {
        let output = run(&["find", path, query]);
        let text = String::from_utf8_lossy(&output.stderr);
        // Some are not nice, but mean something.
        let is_clear = text.contains("this query cannot be understood: ")
            || text.contains("there is no word in this query");
        assert!(output.status.success() || is_clear, "{query}: {text}");
        assert!(!text.contains("panicked"), "{query}: {text}");
    }
    for query in [
        "colour:red",
        "O'Brien",
        "don't",
        "[EXTERNAL] Re: yes (no",
        "zzz AND",
    ] {
        assert!(
            find(folder.path(), query).starts_with("0 messages"),
            "{query}"
        );
    }
    assert!(find(folder.path(), "zzz").starts_with("0 messages"));
}

/// Words of the odd letters, and in which they are.
#[test]
fn finds_what_a_person_reads_in_odd_letters() {
    let folder = tempfile::tempdir().unwrap();
    let letters = odd_mail::letters().unwrap();
    let mut names: Vec<&str> = letters.iter().map(|(name, _)| name.as_str()).collect();
    let more: [(&str, &[u8]); 4] = [
        (
            "mixed-names",
            b"From: Pat O'Brien <pat@obrien.example>\r\nSubject: [EXTERNAL] don't\r\n\r\nQ&A\r\n",
        ),
        (
            "invitation",
            b"From: a@x\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VEVENT\r\n\
              SUMMARY:Quarterly townh\r\n all meeting\r\nEND:VEVENT\r\n",
        ),
        (
            "korean",
            "From: a@x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n회의는 내일입니다\r\n"
                .as_bytes(),
        ),
        (
            "charset",
            "From: a@x\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n请查收附件中的发票\r\n"
                .as_bytes(),
        ),
    ];
    names.extend(more.iter().map(|(name, _)| *name));
    let messages = letters.iter().map(|(_, letter)| letter.clone());
    let messages = messages.chain(more.iter().map(|(_, raw)| TestMessage::new(*raw)));
    let server = Server::builder().messages(messages).start().unwrap();
    assert!(add_all(&server, folder.path()).status.success());
    let finder = Finder::open(folder.path()).unwrap();
    for (query, expected) in [
        (
            "Rechnung 4711 Betrag Apfel Birne Sonntag Montag Titel Text",
            vec!["x07"],
        ),
        ("afterword beforeword", vec!["x05"]),
        ("headword", vec!["x06"]),
        ("emptyplainword", vec!["x10"]),
        ("Marillenknödel", vec!["x03"]),
        ("Grüße Wirtshaus", vec!["x14"]),
        ("Zwetschgendatschi", vec!["x01"]),
        ("\"Quarterly figures, line 11\"", vec!["x01"]),
        ("\"These are the notes\"", vec!["x01"]),
        ("attachments:list.csv", vec!["x01", "x23"]),
        ("\"See the list\" subject:Fwd", vec!["x01", "x23"]),
        ("会議", vec!["t12", "x18"]),
        ("東京本社", vec!["t12", "x18"]),
        ("附件", vec!["charset", "t12", "x18"]),
        ("合同", vec!["t12", "x18"]),
        ("京都", vec![]),
        ("空港", vec!["t12"]),
        ("ประชุม", vec![]),
        ("วันศุกร์", vec!["t12"]),
        ("회의", vec!["korean"]),
        ("Jürgen Müller", vec!["t04"]),
        ("subject:Köln", vec!["t04"]),
        ("O'Brien", vec!["mixed-names"]),
        ("don't [EXTERNAL]", vec!["mixed-names"]),
        ("from:O’Brien", vec!["mixed-names"]),
        ("townhall", vec!["invitation"]),
        ("attachments:Отчёт", vec!["x20"]),
        ("Cat.txt -word", vec!["s08"]),
    ] {
        let (count, hits) = finder.find(query, 100).unwrap();
        let mut found: Vec<&str> = hits.iter().map(|hit| names[hit.uid as usize - 1]).collect();
        found.sort_unstable();
        let begins = |(name, expected): (&&str, &&str)| name.starts_with(*expected);
        assert!(
            count == expected.len() && found.iter().zip(&expected).all(begins),
            "{query}: {found:?}"
        );
    }
    assert!(find(folder.path(), "会議").contains("**会議**"));
}

#[test]
fn a_later_run_fetches_only_what_is_new_and_takes_out_what_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::builder().sample(Sample::tiny(50)).start().unwrap();
    assert!(add_all(&server, folder.path()).status.success());
    for number in 0..3 {
        server.append("INBOX", format!("Subject: zebra {number}\r\n\r\nnew\r\n"));
    }
    assert!(server.expunge("INBOX", 7) && server.expunge("INBOX", 50));
    server.clear_log();
    assert!(add_all(&server, folder.path()).status.success());
    let log = server.log();
    let fetched: Vec<_> = log
        .iter()
        .filter(|entry| entry.line.contains(" UID FETCH "))
        .collect();
    assert!(!fetched.is_empty());
    for entry in fetched {
        assert!(
            entry.line.contains(" UID FETCH 5"),
            "only from 51: {}",
            entry.line
        );
        assert!(!entry.line.contains(" UID FETCH 50"), "{}", entry.line);
    }
    assert!(find(folder.path(), "zebra").starts_with("3 messages"));
    let expected: Vec<u32> = (1..=53).filter(|uid| ![7, 50].contains(uid)).collect();
    assert_eq!(indexed(folder.path()), expected);
}

#[test]
fn a_mailbox_made_anew_is_not_mixed_with_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    for (uid_validity, is_fine) in [(7, true), (8, false)] {
        let server = Server::builder()
            .sample(Sample::tiny(5))
            .uid_validity(uid_validity);
        let output = add_all(&server.start().unwrap(), folder.path());
        assert_eq!(output.status.success(), is_fine);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(is_fine || text.contains("another folder"), "{text}");
    }
    assert_eq!(indexed(folder.path()).len(), 5);
}

#[test]
fn two_runs_at_once_do_not_get_into_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let _writer = example_index::Writer::open(folder.path(), "INBOX", 1).unwrap();
    let server = Server::builder().sample(Sample::tiny(5)).start().unwrap();
    let output = add_all(&server, folder.path());
    assert!(String::from_utf8_lossy(&output.stderr).contains("another run is at work"));
}

#[test]
fn killed_again_and_again_it_has_every_message_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::builder()
        .sample(Sample::small(MESSAGES))
        .start()
        .unwrap();
    kill(&server.url(), server.password(), folder.path());
    assert_eq!(indexed(folder.path()), server.uids("INBOX"));
}

#[test]
#[cfg(unix)]
fn killed_again_and_again_it_has_every_message_of_dovecot_once() {
    let Some(dovecot) = dovecot::builder() else {
        return;
    };
    let dovecot = dovecot.messages(Sample::small(MESSAGES)).start();
    let folder = tempfile::tempdir().unwrap();
    kill(&dovecot.url("INBOX"), dovecot.password(), folder.path());
    assert_eq!(
        indexed(folder.path()),
        (1..=MESSAGES as u32).collect::<Vec<_>>()
    );
}

#[derive(Debug, Clone, Copy)]
enum Moment {
    Beginning,
    Committed,
    Committing,
}

fn kill(url: &str, password: &str, folder: &Path) {
    let mut kills = Vec::new();
    for moment in [
        Moment::Beginning,
        Moment::Committed,
        Moment::Committing,
        Moment::Committed,
    ] {
        let before = indexed(folder).len();
        let mut fewest = usize::MAX;
        let mut child = add(url, password, folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let has_come = || {
            let files = std::fs::read_dir(folder).map_or(0, Iterator::count);
            fewest = fewest.min(files);
            match moment {
                Moment::Beginning => files > 0,
                // Besides those of locks there are new ones only when words are written.
                Moment::Committing => files > fewest + 3,
                Moment::Committed => indexed(folder).len() > before,
            }
        };
        assert!(wait::until(PATIENCE, has_come), "{moment:?}");
        // SIGKILL: it gets no chance to clear up.
        child.kill().unwrap();
        child.wait().unwrap();
        kills.push(indexed(folder).len());
    }
    eprintln!("indexed when it was killed: {kills:?}");
    assert!(kills.iter().all(|indexed| *indexed < MESSAGES));
    let output = add(url, password, folder).output().unwrap();
    print(&output);
    assert!(output.status.success());
}
