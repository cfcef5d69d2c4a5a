//! What more sessions bring on a long way: the wall times of the main table, side by side.

use crate::place::Software;
use crate::rivals::Task;
use crate::runs::{self, Row};

const SESSIONS: [usize; 5] = [1, 2, 4, 8, 16];

/// Prints the rows at 50 ms that were measured for all numbers of sessions.
pub(crate) fn table(rows: &[Row]) {
    let far = rows.iter().filter(|row| {
        row.setting.round_trip == 50 && row.setting.task == Task::Count && row.sessions == 1
    });
    let mut is_begun = false;
    for first in far {
        let same = |row: &&Row| row.setting == first.setting && row.run == first.run;
        let walls = SESSIONS.map(|sessions| {
            let mut same = rows.iter().filter(same);
            Some(same.find(|row| row.sessions == sessions)?.cost.wall)
        });
        if walls.contains(&None) {
            continue;
        }
        if !is_begun {
            println!(
                "\n## Scaling\n\n\
                 Wall at a round trip of 50 ms, by sessions.\n\n\
                 | server | messages | by | 1 | 2 | 4 | 8 | 16 |\n\
                 |---|---|---|--:|--:|--:|--:|--:|"
            );
            is_begun = true;
        }
        let cells = walls.map(|wall| format!("{:.0} ms", wall.unwrap_or_default() * 1e3));
        println!(
            "| {} | {} | {} | {} |",
            match first.setting.software {
                Software::Dovecot => "dovecot",
                Software::InProcess => "in-process",
            },
            first.setting.kind.name(),
            runs::name(&first.run),
            cells.join(" | ")
        );
    }
}
