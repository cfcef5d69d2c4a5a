//! Names of files made of what senders write: never a path, never a name that a system, a shell or a
//! reader takes for something else. No file is looked at.

/// In bytes. File systems take 255, and programs add to a name.
const LONGEST: usize = 100;

/// More after the last dot is no extension.
const LONGEST_EXTENSION: usize = 16;

/// What Windows takes for a device, with any extension.
const DEVICES: [&str; 7] = ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];

/// The name for what was sent under a name, which may be anything, and has a type such as
/// `image/png`.
pub(crate) fn safe(sent: &str, content_type: &str) -> String {
    // As for a browser: folders are the reader's affair.
    let last = sent.rsplit(['/', '\\']).find(|part| !part.is_empty());
    let harmless: String = last.unwrap_or_default().chars().map(harmless).collect();
    // Windows drops dots and spaces at the end; dots at the beginning hide a file, a hyphen there is
    // taken for an option.
    let name = harmless
        .trim_start_matches(['.', ' ', '-'])
        .trim_end_matches(['.', ' ']);
    let (stem, extension) = split(name);
    let mut ends = (0..=stem.len().min(LONGEST - extension.len())).rev();
    let end = ends.find(|end| stem.is_char_boundary(*end));
    let stem = &stem[..end.unwrap_or(0)];
    match format!("{}{extension}", stem.trim_end_matches(['.', ' '])) {
        name if name.trim_matches(['.', ' ', '_']).is_empty() => {
            format!("attachment.{}", extension_of(content_type))
        }
        name if is_device(&name) => format!("_{name}"),
        name => name,
    }
}

fn harmless(character: char) -> char {
    match character {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
        _ if character.is_whitespace() => ' ',
        _ if is_invisible(character) => '_',
        _ => character,
    }
}

/// What acts on a terminal, changes the direction of writing, or is not seen. The two joiners stay:
/// Persian, the scripts of India and many emoji are written with them.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}'
                | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}'
        )
        || u32::from(character) & 0xfffe == 0xfffe
}

/// The second part begins with a dot, or is empty.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= LONGEST_EXTENSION => name.split_at(dot),
        _ => (name, ""),
    }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.trim_end().to_lowercase();
    let port = stem
        .strip_prefix("com")
        .or_else(|| stem.strip_prefix("lpt"));
    let mut characters = port.unwrap_or_default().chars();
    // Windows takes superscripts for digits here.
    let is_digit = |character: char| character.is_ascii_digit() || "¹²³".contains(character);
    DEVICES.contains(&stem.as_str())
        || characters.next().is_some_and(is_digit) && characters.next().is_none()
}

fn extension_of(content_type: &str) -> &'static str {
    match content_type {
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "image/gif" => "gif",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "message/rfc822" | "message/global" => "eml",
        "text/calendar" => "ics",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/plain" | "message/delivery-status" => "txt",
        "text/vcard" | "text/x-vcard" => "vcf",
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
            ("👩\u{200d}🔬.jpg", "👩\u{200d}🔬.jpg"),
            ("\u{feff}a\u{ad}\u{ffff}.txt", "_a__.txt"),
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
        }
        assert_eq!(
            safe(&("x.".to_owned() + &"y".repeat(300)), "").len(),
            LONGEST
        );
        assert_eq!(safe(&"a ".repeat(200), "").len(), LONGEST - 1);
    }

    #[test]
    fn no_character_of_a_name_acts_on_anything() {
        for character in '\0'..=char::MAX {
            let name = safe(&format!("a{character}b"), "");
            let is_safe = |c: char| !c.is_control() && !"/\\<>:\"|?*\u{202e}".contains(c);
            assert!(name.chars().all(is_safe), "{name:?}");
        }
    }
}
