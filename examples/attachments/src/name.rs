//! File names made of what senders write: never a path, never a name that a system, a shell or a
//! reader takes for something else.

use std::iter;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// In octets. File systems take 255; what is drawn of a file gets a longer name than it.
const LONGEST: usize = 100;

/// More after the last dot is no extension.
const LONGEST_EXTENSION: usize = 16;

/// What Windows takes for a device, with any extension.
const DEVICES: [&str; 7] = ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];

/// The name of a file for what was sent under a name, which may be anything, and has a type such as
/// `image/png`.
#[must_use]
pub fn safe(sent: &str, mime_type: &str) -> String {
    // As for a browser: folders are the reader's affair.
    let last = sent.rsplit(['/', '\\']).find(|part| !part.is_empty());
    let harmless: String = last.unwrap_or_default().nfc().map(harmless).collect();
    // Windows drops dots and spaces at the end; dots at the beginning hide a file, a hyphen there is
    // taken for an option.
    let name = harmless
        .trim_start_matches(['.', ' ', '-'])
        .trim_end_matches(['.', ' ']);
    let (stem, extension) = split(name);
    let room = LONGEST - extension.len();
    let end = (0..=stem.len().min(room))
        .rev()
        .find(|end| stem.is_char_boundary(*end));
    let stem = stem[..end.unwrap_or(0)].trim_end_matches(['.', ' ']);
    match format!("{stem}{extension}") {
        name if name.trim_matches(['.', ' ', '_']).is_empty() => {
            format!("attachment.{}", extension_of(mime_type))
        }
        name if is_device(&name) => format!("_{name}"),
        name => name,
    }
}

/// The names that a file of this content may get, as there may be others of the name: the name
/// itself, then with more and more of the digest.
pub(crate) fn candidates(name: &str, digest: &str) -> impl Iterator<Item = String> {
    let (stem, extension) = split(name);
    let lengths = (8..=digest.len()).step_by(8);
    let distinguished =
        lengths.map(move |length| format!("{stem}-{}{extension}", &digest[..length]));
    iter::once(name.to_owned()).chain(distinguished)
}

/// Text that a sender wrote, on one line and with nothing in it that acts on a terminal.
#[must_use]
pub fn printable(sent: &str) -> String {
    let mut text = String::with_capacity(sent.len());
    for character in sent.chars() {
        if character == '\\' || is_invisible(character) {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

fn harmless(character: char) -> char {
    match character {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
        _ if character.is_whitespace() => ' ',
        _ if is_invisible(character) => '_',
        _ => character,
    }
}

/// Control characters, marks that change the direction of writing, and whatever has no meaning.
fn is_invisible(character: char) -> bool {
    character.general_category_group() == GeneralCategoryGroup::Other
        || matches!(character, '\u{2028}' | '\u{2029}')
}

/// The second part begins with a dot, or is empty.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= LONGEST_EXTENSION => name.split_at(dot),
        _ => (name, ""),
    }
}

fn is_device(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_lowercase();
    let is_port = |stem: &str| {
        let number = stem
            .strip_prefix("com")
            .or_else(|| stem.strip_prefix("lpt"));
        let mut characters = number.unwrap_or_default().chars();
        let first = characters.next();
        // Windows takes superscripts for digits here.
        first.is_some_and(|first| first.is_ascii_digit() || "¹²³".contains(first))
            && characters.next().is_none()
    };
    DEVICES.contains(&stem.as_str()) || is_port(&stem)
}

fn extension_of(mime_type: &str) -> &'static str {
    match mime_type {
        "application/pdf" => "pdf",
        "image/gif" => "gif",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "message/rfc822" => "eml",
        "text/calendar" => "ics",
        "text/html" => "html",
        "text/plain" => "txt",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_sender_writes_a_file_name_comes_out_of_it() {
        for (sent, name) in [
            ("holiday.jpg", "holiday.jpg"),
            ("Übersicht 2026.csv", "Übersicht 2026.csv"),
            ("U\u{308}bersicht.csv", "Übersicht.csv"),
            ("../../etc/passwd", "passwd"),
            ("/etc/passwd", "passwd"),
            ("..\\..\\autoexec.bat", "autoexec.bat"),
            ("C:\\x\\y.txt", "y.txt"),
            ("C:y.txt", "C_y.txt"),
            ("y.txt:stream", "y.txt_stream"),
            ("folder/", "folder"),
            ("a\0b\r\n\tc.txt", "a_b   c.txt"),
            ("\u{1b}[2Jx.txt", "_[2Jx.txt"),
            ("photo\u{202e}gpj.exe", "photo_gpj.exe"),
            ("a\u{200b}b\u{e0041}.txt", "a_b_.txt"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("Lpt1 .tar.gz", "_Lpt1 .tar.gz"),
            ("com¹", "_com¹"),
            ("COM10", "COM10"),
            (".bashrc", "bashrc"),
            ("...", "attachment.png"),
            ("", "attachment.png"),
            ("  . . ", "attachment.png"),
            ("\u{202e}\0", "attachment.png"),
            ("name. . .", "name"),
            ("-rf", "rf"),
            ("-.profile", "profile"),
            ("~", "~"),
        ] {
            assert_eq!(safe(sent, "image/png"), name, "{sent:?}");
        }
    }

    #[test]
    fn a_name_stays_short_and_keeps_its_extension() {
        for sent in [
            "x".repeat(300) + ".pdf",
            "ü".repeat(300) + ".pdf",
            "🦀 ".repeat(80) + ".pdf",
        ] {
            let name = safe(&sent, "");
            assert!(name.len() <= LONGEST && name.ends_with(".pdf"), "{name}");
            let last = candidates(&name, &"0".repeat(64)).last().unwrap();
            assert!(last.len() + ".png".len() < 255);
        }
        assert_eq!(
            safe(&("x.".to_owned() + &"y".repeat(300)), "").len(),
            LONGEST
        );
        assert_eq!(safe(&"a ".repeat(200), "").len(), LONGEST - 1);
    }

    #[test]
    fn a_name_that_is_taken_gets_a_part_of_the_digest() {
        let names: Vec<_> = candidates("a.tar.gz", "0123456789abcdef").collect();
        assert_eq!(
            names,
            ["a.tar.gz", "a.tar-01234567.gz", "a.tar-0123456789abcdef.gz"]
        );
    }

    #[test]
    fn what_is_printed_has_nothing_that_acts() {
        assert_eq!(printable("a\tb\u{202e}\0ü\\"), "a\\tb\\u{202e}\\u{0}ü\\\\");
    }
}
