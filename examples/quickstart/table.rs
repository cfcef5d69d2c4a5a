//! Counts as text: names, numbers, and a bar for each.

use std::fmt;

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
        writeln!(f, "  {:NAME$} {count:8}  {bar}", printable(name))?;
    }
    if rows.is_empty() {
        writeln!(f, "  none")?;
    }
    writeln!(f)
}

/// Makes a name safe to print and short enough. Names come from strangers and may hold anything:
/// what moves the cursor or turns the direction of writing is left out.
fn printable(name: &str) -> String {
    let is_harmless = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200b}'..='\u{202f}' | '\u{2060}'..='\u{206f}')
    };
    let characters: Vec<char> = name.chars().filter(is_harmless).collect();
    if characters.len() <= NAME {
        return characters.into_iter().collect();
    }
    // The ends tell more than the middle: `application/vnd.openxm…ocessingml.document`.
    let head = &characters[..NAME / 2];
    let tail = &characters[characters.len() - (NAME - 1 - head.len())..];
    head.iter().chain(&['…']).chain(tail).collect()
}
