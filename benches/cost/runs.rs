//! The main table: one job, by the raw reader, by the `imap` crate and by this crate, in the places
//! that people have mailboxes in.

use crate::bench_support::kind::Kind;
use crate::filter::Filter;
use crate::job::{Cost, Job};
use crate::place::{Mailbox, Places, Software, Way};
use crate::rivals::Task;
use crate::rounds;

/// Where a job is done, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) software: Software,
    pub(crate) kind: Kind,
    pub(crate) round_trip: u64,
    pub(crate) way: Way,
    pub(crate) task: Task,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) setting: Setting,
    pub(crate) sessions: usize,
    pub(crate) run: String,
    pub(crate) cost: Cost,
}

/// A setting with as many sessions as are of interest there.
struct Block {
    setting: Setting,
    sessions: &'static [usize],
    /// Where `map`, `imap` and `imap_unordered` are measured beside `for_each`.
    all_runs: &'static [usize],
    /// Where the `imap` crate is measured: it takes long.
    imap_crate: &'static [usize],
    rounds: usize,
}

const ALL: &[usize] = &[1, 2, 4, 8, 16];
const USUAL: &[usize] = &[4, 8];

/// All blocks, in the order of the table.
fn blocks() -> Vec<Block> {
    use Software::{Dovecot, InProcess};
    let mut blocks = Vec::new();
    let mut add = |software, round_trip, way, task, block: Block| {
        for kind in Kind::ALL {
            let setting = Setting {
                software,
                kind,
                round_trip,
                way,
                task,
            };
            blocks.push(Block { setting, ..block });
        }
    };
    let block = |sessions, all_runs, imap_crate, rounds| Block {
        setting: Setting {
            software: Dovecot,
            kind: Kind::Mixed,
            round_trip: 0,
            way: Way::Plain,
            task: Task::Count,
        },
        sessions,
        all_runs,
        imap_crate,
        rounds,
    };
    add(
        Dovecot,
        0,
        Way::Plain,
        Task::Count,
        block(ALL, USUAL, USUAL, 5),
    );
    add(
        Dovecot,
        0,
        Way::Tls,
        Task::Count,
        block(USUAL, &[], &[4], 5),
    );
    add(
        Dovecot,
        0,
        Way::Plain,
        Task::Parse,
        block(USUAL, &[], &[], 5),
    );
    add(
        Dovecot,
        10,
        Way::Plain,
        Task::Count,
        block(&[8], &[], &[], 3),
    );
    add(
        Dovecot,
        50,
        Way::Plain,
        Task::Count,
        block(ALL, &[8], &[8], 3),
    );
    add(Dovecot, 50, Way::Tls, Task::Count, block(&[8], &[], &[], 3));
    add(
        Dovecot,
        100,
        Way::Plain,
        Task::Count,
        block(&[8], &[], &[], 3),
    );
    add(
        InProcess,
        0,
        Way::Plain,
        Task::Count,
        block(ALL, USUAL, &[4], 5),
    );
    add(
        InProcess,
        50,
        Way::Plain,
        Task::Count,
        block(ALL, &[], &[], 3),
    );
    blocks
}

impl Setting {
    fn words(&self) -> [&'static str; 6] {
        [
            "runs",
            match self.software {
                Software::Dovecot => "dovecot",
                Software::InProcess => "in-process",
            },
            self.kind.name(),
            match self.round_trip {
                0 => "0",
                10 => "10",
                50 => "50",
                _ => "100",
            },
            if self.way == Way::Tls { "tls" } else { "plain" },
            self.task.name(),
        ]
    }
}

impl Block {
    fn jobs(&self, sessions: usize) -> Vec<Job> {
        let mut runs = vec!["raw", "for_each"];
        if self.all_runs.contains(&sessions) {
            runs.extend(["map", "imap", "imap_unordered"]);
        }
        if self.imap_crate.contains(&sessions) {
            runs.push("imap-crate");
        }
        let job = |run: &&str| Job {
            task: self.setting.task,
            ..Job::new(run, sessions)
        };
        runs.iter().map(job).collect()
    }
}

/// How many rows are from rounds that differ too much.
pub(crate) fn restless(rows: &[Row]) -> usize {
    let rows = rows.iter();
    rows.filter(|row| row.cost.spread > rounds::RESTLESS)
        .count()
}

/// Measures and prints.
pub(crate) fn table(filter: &Filter, places: &mut Places) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut last_words = None;
    for block in blocks() {
        let words = block.setting.words();
        for &sessions in block.sessions {
            let times = format!("x{sessions}");
            if !filter.wants(&[&words[..], &[&times]].concat()) {
                continue;
            }
            let Setting {
                software,
                kind,
                round_trip,
                way,
                ..
            } = block.setting;
            if last_words != Some(words) {
                places.free();
            }
            let Some(target) = places.find(software, Mailbox::usual(kind), way, round_trip) else {
                continue;
            };
            if rows.is_empty() {
                heading();
            }
            last_words = Some(words);
            let jobs = block.jobs(sessions);
            let costs = rounds::calm_medians(&target, &jobs, block.rounds);
            let group: Vec<Row> = jobs
                .iter()
                .zip(costs)
                .map(|(job, cost)| Row {
                    setting: block.setting,
                    sessions,
                    run: job.run.clone(),
                    cost,
                })
                .collect();
            print(&group);
            rows.extend(group);
        }
    }
    places.free();
    rows
}

fn heading() {
    println!(
        "\n## The same job, by others and by this crate\n\n\
         | server | round trip | | messages | task | sessions | by | wall | of raw | CPU | of raw \
         | of `imap` crate | peak |\n\
         |---|--:|---|---|---|--:|---|--:|--:|--:|--:|--:|--:|"
    );
}

fn print(group: &[Row]) {
    let find = |run: &str| group.iter().find(|row| row.run == run);
    let raw = find("raw").map(|row| row.cost);
    let imap_crate = find("imap-crate").map(|row| row.cost);
    for row in group {
        let [_, software, kind, round_trip, way, task] = row.setting.words();
        let Cost {
            wall,
            cpu,
            peak_megabytes,
            ..
        } = row.cost;
        let ratio = |own: f64, other: Option<f64>| {
            other.map_or("–".to_owned(), |other| format!("{:.2}", own / other))
        };
        println!(
            "| {software} | {round_trip} ms | {way} | {kind} | {task} | {} | {} | {:.0} ms | {} \
             | {:.1} ms | {} | {} | {peak_megabytes:.1} MB |",
            row.sessions,
            name(&row.run),
            wall * 1e3,
            ratio(wall, raw.map(|raw| raw.wall)),
            cpu * 1e3,
            ratio(cpu, raw.map(|raw| raw.cpu)),
            ratio(cpu, imap_crate.map(|other| other.cpu)),
        );
    }
}

/// As the tables call who does it.
pub(crate) fn name(run: &str) -> String {
    match run {
        "raw" => "raw reader".to_owned(),
        "raw-in-order" => "raw reader, in order".to_owned(),
        "imap-crate" => "`imap` crate".to_owned(),
        run => format!("**`{run}`**"),
    }
}
