//! What may be printed of texts that strangers wrote: nothing that acts on a terminal, turns the
//! direction of writing or is not seen.

/// The text on one line, without what must not be printed.
#[must_use]
pub fn printable(text: &str) -> String {
    let text: String = text.chars().filter_map(shown).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same with its lines.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line: String = line.chars().filter_map(shown).collect();
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The text on one line, with `\u{…}` in place of what must not be printed, so that all of it can be
/// had back.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\\' || !is_harmless(&character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// A text of at most so many columns; what is cut off is told by an ellipsis.
#[must_use]
pub fn shortened(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut short = String::new();
    for character in text.chars() {
        if width(&short) + columns_of(character) + 1 > columns {
            break;
        }
        short.push(character);
    }
    short.truncate(short.trim_end_matches(['\u{200d}', ' ']).len());
    short.push('…');
    short
}

/// A text with spaces after it, or shortened, so that it has so many columns.
#[must_use]
pub fn column(text: &str, columns: usize) -> String {
    let mut text = shortened(text, columns);
    let room = columns - width(&text).min(columns);
    text.extend(std::iter::repeat_n(' ', room));
    text
}

/// How many columns of a terminal a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Two for the characters of East Asia and for emoji, none for marks that are put onto others.
fn columns_of(character: char) -> usize {
    match character {
        '\u{300}'..='\u{36f}'
        | '\u{483}'..='\u{489}'
        | '\u{591}'..='\u{5bd}'
        | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}'
        | '\u{e31}'
        | '\u{e34}'..='\u{e3a}'
        | '\u{e47}'..='\u{e4e}'
        | '\u{200c}'
        | '\u{200d}'
        | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// A space in place of what parts words, and nothing in place of the rest.
fn shown(character: char) -> Option<char> {
    match character {
        _ if is_harmless(&character) => Some(character),
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(' '),
        _ => None,
    }
}

/// Whether a character may be printed. The two joiners may: Persian, the scripts of India and many
/// emoji are written with them.
#[must_use]
pub fn is_harmless(character: &char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_left_out() {
        assert_eq!(
            printable("\u{1b}[2Ja\u{202e}b\u{9b}ü\r\n c\u{85}d"),
            "[2Jabü c d"
        );
        assert_eq!(
            printable("👩\u{200d}🔬 می\u{200c}خواهم"),
            "👩\u{200d}🔬 می\u{200c}خواهم"
        );
        assert_eq!(printable_lines("a\u{1b}\tb \r\n\r\nc"), "a b\n\nc");
        assert_eq!(escaped("a\tb\u{202e}\0ü\\"), "a\\tb\\u{202e}\\u{0}ü\\\\");
    }

    #[test]
    fn what_is_shown_in_columns_has_them_in_every_script() {
        for text in [
            "Anna",
            "王小明",
            "👩\u{200d}🔬 Ada",
            "สมชาย ใจดี",
            "한국어 이름",
            &"x".repeat(50),
        ] {
            assert_eq!(width(&column(text, 20)), 20, "{text}");
            assert!(width(&shortened(text, 7)) <= 7, "{text}");
        }
        assert_eq!(shortened("王小明先生", 7), "王小明…");
    }
}
