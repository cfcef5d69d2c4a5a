//! The example `record`, killed again and again at whatever point it has reached: in the end every
//! message is in its file, and none twice.
#![cfg(unix)]
// The lints spare tests, but not the functions that only tests call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

#[path = "chaos/random.rs"]
mod random;
mod support;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use parallel_mailbox::testing::{Sample, Server};
use random::Random;
use support::wait;

const MESSAGES: usize = 600;

/// So often it is killed at most; then it may finish.
const KILLS: usize = 25;

/// No child takes a tenth of this for what it is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn records_every_message_once_however_often_it_is_killed() {
    let server = Server::builder()
        .sample(Sample::tiny(MESSAGES))
        .start()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("done.txt");
    let mut random = Random::new(9);
    let mut killed_in_mid_run = 0;
    for round in 0.. {
        let before = lines(&record);
        let mut child = start(&server, &record);
        if round < KILLS {
            // At a random line or, in the first rounds, a random moment of setting up.
            let more = random.within(0..60) as usize;
            let reached = || lines(&record) >= before + more;
            let mut has_ended = false;
            if more < 10 {
                thread::sleep(Duration::from_millis(more as u64));
            } else {
                let is_there = wait::until(PATIENCE, || {
                    has_ended = has_ended || child.try_wait().unwrap().is_some();
                    has_ended || reached()
                });
                assert!(is_there, "round {round} is stuck at {}", lines(&record));
            }
            child.kill().unwrap();
        }
        let status = child.wait().unwrap();
        if status.success() {
            break;
        }
        assert!(status.code().is_none(), "round {round} ended with {status}");
        let after = lines(&record);
        assert!(after >= before, "{before} lines became {after}");
        killed_in_mid_run += usize::from(after > before);
        // What a crash of the system can leave: a line that begins like another.
        if random.one_in(2) {
            let mut file = OpenOptions::new().append(true).create(true).open(&record);
            let torn = random.one_of(&["1", "12 4", "599 ", "uid"]);
            file.as_mut().unwrap().write_all(torn.as_bytes()).unwrap();
        }
    }
    eprintln!("killed {killed_in_mid_run} times in the middle of the run");
    assert!(killed_in_mid_run >= 3, "{killed_in_mid_run}");

    let text = fs::read_to_string(&record).unwrap();
    let mut recorded = BTreeMap::new();
    for line in text.lines().skip(1) {
        let (uid, octets) = line.split_once(' ').expect(line);
        let (uid, octets): (u32, usize) = (uid.parse().unwrap(), octets.parse().unwrap());
        assert_eq!(recorded.insert(uid, octets), None, "{uid} is there twice");
    }
    let expected: BTreeMap<u32, usize> = server
        .uids("INBOX")
        .into_iter()
        .map(|uid| (uid, server.raw("INBOX", uid).unwrap().len()))
        .collect();
    assert_eq!(recorded, expected);
}

fn start(server: &Server, record: &Path) -> Child {
    Command::new(example("record"))
        .arg(server.url())
        .arg(record)
        .arg("--danger-plaintext")
        .env("IMAP_PASSWORD", server.password())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// How many lines are whole. A record that is not there yet has none.
fn lines(record: &Path) -> usize {
    let text = fs::read(record).unwrap_or_default();
    text.iter().filter(|octet| **octet == b'\n').count()
}

/// The example beside this test's own program: `…/debug/deps/killed-1a2b` and
/// `…/debug/examples/record`. A plain `cargo test` has built it; `cargo test --test killed` has not.
fn example(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let program = folder.join("examples").join(name);
    assert!(
        program.exists(),
        "the example is not built: cargo build --examples, with --release if this is"
    );
    program
}
