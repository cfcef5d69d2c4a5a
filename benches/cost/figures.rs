//! The figures that the crate has set itself to reach, and what was measured: the end of the
//! report, and the shortest form of it.

use crate::bench_support::kind::Kind;
use crate::place::{Software, Way};
use crate::rivals::Task;
use crate::runs::{Row, Setting};

/// One figure with its bound.
#[derive(Debug)]
pub(crate) struct Figure {
    what: String,
    /// What was measured, each value with the place where it was.
    values: Vec<(String, f64)>,
    at_most: f64,
    unit: &'static str,
}

impl Figure {
    pub(crate) fn new(
        what: &str,
        at_most: f64,
        unit: &'static str,
        values: Vec<(String, f64)>,
    ) -> Self {
        Self {
            what: what.to_owned(),
            values,
            at_most,
            unit,
        }
    }
}

/// The figures that the main table has: from Dovecot, or from the in-process server where there is
/// no other, which does much less than a real server and so is a harder comparison.
pub(crate) fn of_runs(rows: &[Row]) -> Vec<Figure> {
    let is_dovecot = |row: &Row| row.setting.software == Software::Dovecot;
    let near = Setting {
        software: match rows.iter().any(is_dovecot) {
            true => Software::Dovecot,
            false => Software::InProcess,
        },
        kind: Kind::Mixed,
        round_trip: 0,
        way: Way::Plain,
        task: Task::Count,
    };
    let wall = |row: &Row| row.cost.wall;
    let cpu = |row: &Row| row.cost.cpu;
    let far = Setting {
        round_trip: 50,
        ..near
    };
    let parsing = Setting {
        task: Task::Parse,
        ..near
    };
    let eight = |values: Vec<Row>| values.into_iter().filter(|row| row.sessions == 8).collect();
    let peaks = own(rows, near).into_iter();
    let peaks = peaks.filter(|row| row.sessions == 8 && row.setting.kind == Kind::Mixed);
    vec![
        Figure::new(
            "wall of raw, round trip 0",
            1.15,
            "",
            ratios(rows, own(rows, near), "raw", wall),
        ),
        Figure::new(
            "wall of raw, round trip 50 ms, 8 sessions, set-up included",
            1.15,
            "",
            ratios(rows, eight(own(rows, far)), "raw", wall),
        ),
        Figure::new(
            "CPU of the `imap` crate",
            0.1,
            "",
            ratios(rows, own(rows, near), "imap-crate", cpu),
        ),
        Figure::new(
            "CPU of raw",
            2.0,
            "",
            ratios(rows, own(rows, near), "raw", cpu),
        ),
        Figure::new(
            "peak memory, 8 sessions, mixed",
            32.0,
            " MB",
            peaks
                .map(|row| (place(&row), row.cost.peak_megabytes))
                .collect(),
        ),
        Figure::new(
            "wall with MIME parsing, of raw reader and parser",
            1.15,
            "",
            ratios(rows, own(rows, parsing), "raw", wall),
        ),
    ]
}

/// The rows of `for_each` with this setting and any kind of messages.
fn own(rows: &[Row], setting: Setting) -> Vec<Row> {
    let is_one = |row: &&Row| {
        let of_same_kind = Setting {
            kind: row.setting.kind,
            ..setting
        };
        row.run == "for_each" && row.setting == of_same_kind
    };
    rows.iter().filter(is_one).cloned().collect()
}

fn ratios(rows: &[Row], own: Vec<Row>, other: &str, figure: fn(&Row) -> f64) -> Vec<(String, f64)> {
    let ratio = |row: Row| {
        let other = rows.iter().find(|candidate| {
            candidate.run == other
                && candidate.setting == row.setting
                && candidate.sessions == row.sessions
        })?;
        Some((place(&row), figure(&row) / figure(other)))
    };
    own.into_iter().filter_map(ratio).collect()
}

fn place(row: &Row) -> String {
    format!("{} ×{}", row.setting.kind.name(), row.sessions)
}

/// Prints those of which anything was measured.
pub(crate) fn print(figures: &[Figure]) {
    if figures.iter().all(|figure| figure.values.is_empty()) {
        return;
    }
    println!("\n## Figures to reach\n\n| what | at most | measured | reached |\n|---|--:|---|---|");
    for Figure {
        what,
        values,
        at_most,
        unit,
    } in figures
    {
        if values.is_empty() {
            continue;
        }
        let digits = if *at_most < 1.0 {
            3
        } else if unit.is_empty() {
            2
        } else {
            1
        };
        let shown: Vec<_> = values
            .iter()
            .map(|(place, value)| format!("{place}: {value:.digits$}"))
            .collect();
        let reached = values.iter().filter(|(_, value)| value <= at_most).count();
        let verdict = match reached {
            0 => "no".to_owned(),
            all if all == values.len() => "yes".to_owned(),
            some => format!("{some} of {}", values.len()),
        };
        println!(
            "| {what} | {at_most}{unit} | {} | {verdict} |",
            shown.join(", ")
        );
    }
}
