//! No file descriptor and no thread to be had. Limits hold for a whole process, so each of these
//! tests starts its own program once more, as a child that does the reading within them.
//!
//! Threads are made scarce by the address space, since the limit on their number
//! (`RLIMIT_NPROC`) does not bind the superuser.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fs};

use parallel_mailbox::testing::{Sample, Server};
use parallel_mailbox::{
    ErrorKind, Event, Matches, ParallelMailbox, Report, Result, Retry, Security,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::play::{PATIENCE, everything};
use crate::support::leaks::Leaks;
use crate::support::wait::until;

/// The port of the server, in the environment of a child.
const PORT: &str = "PARALLEL_MAILBOX_TEST_PORT";

const MESSAGES: usize = 400;

fn sample() -> Sample {
    Sample::small(MESSAGES)
}

/// The port that the child reads from; `None` in the parent, who has then seen the child succeed
/// in the test of this name.
fn in_child(test: &str, stack_octets: u64) -> Option<u16> {
    if let Ok(port) = env::var(PORT) {
        return Some(port.parse().unwrap());
    }
    let leaks = Leaks::watch();
    {
        let server = Server::builder().sample(sample()).start().unwrap();
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(PORT, server.port().to_string())
            // What Rust gives a thread that is started without a word about its stack.
            .env("RUST_MIN_STACK", stack_octets.to_string())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("1 passed"), "{said}");
    }
    leaks.assert_none_left();
    None
}

/// Sets a limit of this process, or lifts it as far as is allowed.
fn limit(resource: Resource, limit: Option<u64>) {
    let maximum = getrlimit(resource).maximum;
    let current = limit.or(maximum);
    setrlimit(resource, Rlimit { current, maximum }).unwrap();
}

/// How many workers there are now.
fn workers() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("mailbox-")).count()
}

fn mailbox(port: u16, events: &Arc<Mutex<Vec<Event>>>) -> Result<ParallelMailbox> {
    let events = events.clone();
    ParallelMailbox::builder("127.0.0.1")
        .port(port)
        .security(Security::DangerPlaintext)
        .login("me", "secret")
        .workers(8)
        .retry(Retry::default().initial_delay(Duration::from_millis(5)))
        .on_event(move |event| events.lock().unwrap().push(event.clone()))
        .connect()
}

/// Runs to the end, and checks that each message comes once and as it was made. `each` is called
/// for every message.
fn read_all(matches: &Matches, each: impl Fn() + Sync) -> Report {
    let held: BTreeMap<u32, _> = (1..).zip(sample()).collect();
    let seen = Mutex::new(BTreeMap::<u32, u32>::new());
    let report = matches.for_each(|message| {
        let uid = message.uid().get();
        let is_right = message.raw() == held[&uid].raw();
        *seen.lock().unwrap().entry(uid).or_default() += if is_right { 1 } else { 1_000 };
        each();
    });
    let report = report.unwrap();
    assert!(report.is_complete(), "{report}");
    let seen = seen.into_inner().unwrap();
    assert!(
        seen.into_iter()
            .eq((1..=MESSAGES as u32).map(|uid| (uid, 1)))
    );
    report
}

#[test]
fn without_file_descriptors_the_run_goes_on_with_fewer_sessions() {
    let test = "scarcity::without_file_descriptors_the_run_goes_on_with_fewer_sessions";
    let Some(port) = in_child(test, 2 << 20) else {
        return;
    };
    // From here on in the child.
    let leaks = Leaks::watch();
    let events = Arc::<Mutex<Vec<Event>>>::default();
    let room_for = |more| {
        limit(Resource::Nofile, None);
        let listing = fs::read_dir("/proc/self/fd").unwrap();
        let mut paths: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
        // Without that of the listing itself.
        paths.retain(|path| fs::read_link(path).is_ok());
        let is_free = |number: &u64| !paths.iter().any(|path| path.ends_with(number.to_string()));
        // A new descriptor takes the lowest number that is free.
        limit(Resource::Nofile, (0..).filter(is_free).nth(more));
    };
    room_for(0);
    let error = mailbox(port, &events).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Connect, "{error}");
    assert!(error.to_string().contains(&port.to_string()), "{error}");
    room_for(3);
    let mailbox = mailbox(port, &events).unwrap();
    let matches = mailbox.search(everything()).unwrap();
    events.lock().unwrap().clear();
    let is_refused = || {
        let is_it = |event: &Event| match event {
            Event::SessionRefused { error, .. } => *error.kind() == ErrorKind::Connect,
            _ => false,
        };
        events.lock().unwrap().iter().any(is_it)
    };
    let report = read_all(&matches, || assert!(until(PATIENCE, is_refused)));
    assert!(report.sessions() <= 3, "{report}");
    drop((matches, mailbox));
    limit(Resource::Nofile, None);
    leaks.assert_none_left();
}

#[test]
fn without_threads_the_run_goes_on_with_fewer_workers() {
    // So large that room for heap and code is nothing beside it.
    const STACK: u64 = 256 << 20;
    let test = "scarcity::without_threads_the_run_goes_on_with_fewer_workers";
    let Some(port) = in_child(test, STACK) else {
        return;
    };
    // From here on in the child.
    let leaks = Leaks::watch();
    let room_for = |threads| {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let mut lines = status.lines();
        let size = lines.find_map(|line| line.strip_prefix("VmSize:")).unwrap();
        let kibibytes: u64 = size.trim().trim_end_matches(" kB").parse().unwrap();
        let octets = kibibytes * 1024 + threads * STACK + STACK / 2;
        limit(Resource::As, Some(octets));
    };
    let mailbox = mailbox(port, &Arc::default()).unwrap();
    let matches = mailbox.search(everything()).unwrap();
    room_for(2);
    let most = AtomicUsize::new(0);
    let report = read_all(&matches, || {
        most.fetch_max(workers(), Ordering::SeqCst);
    });
    assert!((1..=2).contains(&most.into_inner()));
    assert!((1..=2).contains(&report.sessions()), "{report}");

    room_for(0);
    let error = matches.for_each(drop).unwrap_err();
    assert!(error.to_string().contains("thread"), "{error}");
    assert_eq!(matches.last_report().unwrap().unfinished().len(), MESSAGES);
    drop((matches, mailbox));
    leaks.assert_none_left();
}
