//! How many instructions a job takes in the client, kernel excluded, as callgrind counts them: the
//! same on a busy machine. What the start costs is subtracted: a job over one message for each
//! session.

use std::process::Stdio;

use crate::bench_support::kind::Kind;
use crate::filter::Filter;
use crate::helper::word_after;
use crate::job::{Cost, Job};
use crate::place::{Mailbox, Places, Software, Way};
use crate::rivals::{Target, Task};

const SESSIONS: usize = 4;

/// Measures and prints.
pub(crate) fn table(filter: &Filter, places: &mut Places) {
    let valgrind = std::process::Command::new("valgrind")
        .arg("--version")
        .output();
    let Ok(valgrind) = valgrind else {
        println!("\nSKIPPED: valgrind is not installed, no instructions are counted");
        return;
    };
    println!(
        "\n## Instructions\n\n\
         In the client process, kernel excluded, {SESSIONS} sessions, in-process server, counted by \
         {}'s callgrind; the start is subtracted.\n\n\
         | messages | task | by | instructions | of raw | per message | per MB |\n\
         |---|---|---|--:|--:|--:|--:|",
        String::from_utf8_lossy(&valgrind.stdout).trim()
    );
    for (kind, task, task_name) in [
        (Kind::Mixed, Task::Count, "count"),
        (Kind::Small, Task::Count, "count"),
        (Kind::Small, Task::Parse, "parse"),
    ] {
        if !filter.wants(&["in-process", kind.name(), "0", "plain", task_name, "x4"]) {
            continue;
        }
        let mut raw = None;
        for run in ["raw", "for_each"] {
            let job = Job {
                task,
                ..Job::new(run, SESSIONS)
            };
            let mut measure = |mailbox: Mailbox| {
                let target = places.find(Software::InProcess, mailbox, Way::Plain, 0);
                count(&job, &target.unwrap())
            };
            let (before, _) = measure(Mailbox::new(kind, SESSIONS));
            let mailbox = Mailbox::usual(kind);
            let (all, octets) = measure(mailbox);
            let own = (all - before) as f64;
            println!(
                "| {} | {task_name} | {} | {:.1} million | {:.2} | {:.0} | {:.0} |",
                kind.name(),
                crate::runs::name(run),
                own / 1e6,
                own / *raw.get_or_insert(own),
                own / mailbox.messages as f64,
                own / (octets / 1e6),
            );
        }
        places.free();
    }
}

/// The instructions of a job, and the octets that it read.
fn count(job: &Job, target: &Target) -> (u64, f64) {
    const CALLGRIND: [&str; 3] = [
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
    ];
    let output = job
        .command_under(target, &CALLGRIND)
        // Callgrind counts `rep movsb` once for each octet, the CPU moves 32 at a time. So the C
        // library is asked not to use it.
        .env(
            "GLIBC_TUNABLES",
            "glibc.cpu.x86_rep_movsb_threshold=1000000000:\
             glibc.cpu.x86_rep_stosb_threshold=1000000000",
        )
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    // `==123== Collected : 45`, with the process's number before it.
    let collected = errors
        .lines()
        .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    let result = word_after(&output.stdout[..], "result ");
    let octets = result.and_then(|result| Some(Cost::of(&result)?.done.octets as f64));
    let (Some(collected), Some(octets)) = (collected, octets) else {
        panic!("{job:?} under callgrind: {errors}");
    };
    (collected, octets)
}
