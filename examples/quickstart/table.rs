//! Counts as text: names, numbers, and a bar for each.

use std::fmt;

use super::printable::{column, printable, shortened, width};

/// How many columns a name takes. The same for all tables, so that they align.
const NAME: usize = 40;

/// How many columns the longest bar takes.
const BAR: u64 = 24;

/// Writes a table: the title, what is counted, and a line for each count.
pub(crate) fn table(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    unit: &str,
    rows: &[(&str, u64)],
) -> fmt::Result {
    writeln!(f, "{title:width$} {unit:>8}", width = NAME + 2)?;
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(0);
    for (name, count) in rows {
        // Rounded up, so that what is there can be seen.
        let bar = "█".repeat((count * BAR).div_ceil(most.max(1)) as usize);
        writeln!(f, "  {} {count:8}  {bar}", fitted(name))?;
    }
    if rows.is_empty() {
        writeln!(f, "  none")?;
    }
    writeln!(f)
}

/// Makes a name safe to print and gives it as many columns as all others have. The ends tell more
/// than the middle: `application/vnd.openxm…ocessingml.document`.
fn fitted(name: &str) -> String {
    let name = printable(name);
    let name = match width(&name) > NAME {
        true => {
            let head = shortened(&name, NAME / 2 + 1);
            let back: String = name.chars().rev().collect();
            let tail = shortened(&back, NAME - width(&head) + 1);
            let tail: String = tail
                .chars()
                .filter(|c| *c != '…')
                .collect::<Vec<_>>()
                .iter()
                .rev()
                .collect();
            head + &tail
        }
        false => name,
    };
    column(&name, NAME)
}
