//! One file of all messages, after RFC 4155 and in the form mboxrd: a line that begins with any
//! number of `>` and `From ` gets one `>` more, so that the messages can be had back. Lines end with
//! LF there; a CR that is not of a line's end stays.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use parallel_mailbox::mail_parser::DateTime;

use crate::manifest::{Entry, Manifest};

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Writes the messages of an archive in the order of their UIDs; returns how many there are. The
/// file has its name only when it is whole.
pub fn write(folder: &Path, mbox: &Path) -> io::Result<usize> {
    let manifest = Manifest::read(&folder.join("manifest.txt"))?;
    let mut entries: Vec<_> = manifest.entries().collect();
    entries.sort_unstable_by_key(|entry| entry.uid);
    let temporary = mbox.with_extension("unfinished");
    let mut file = BufWriter::new(File::create(&temporary)?);
    for entry in &entries {
        let raw = fs::read(folder.join("cur").join(&entry.file))?;
        write_message(&mut file, entry, &raw)?;
    }
    file.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?;
    fs::rename(temporary, mbox)?;
    Ok(entries.len())
}

fn write_message(file: &mut impl Write, entry: &Entry, raw: &[u8]) -> io::Result<()> {
    let sender = envelope_sender(raw).unwrap_or("MAILER-DAEMON");
    writeln!(file, "From {sender} {}", asctime(entry.date.as_deref()))?;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let text = match line {
            [text @ .., b'\r', b'\n'] | [text @ .., b'\n'] => text,
            // Without an end, so a CR here is one of the message.
            text => text,
        };
        let quotes = text.iter().take_while(|byte| **byte == b'>').count();
        if text[quotes..].starts_with(b"From ") {
            file.write_all(b">")?;
        }
        file.write_all(text)?;
        file.write_all(b"\n")?;
    }
    file.write_all(b"\n")
}

/// The address of `Return-Path`, where the server has put it.
fn envelope_sender(raw: &[u8]) -> Option<&str> {
    let lines = raw.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let mut header = lines.take_while(|line| !line.is_empty());
    let value = header.find_map(|line| {
        let (name, value) = line.split_at_checked("Return-Path:".len())?;
        name.eq_ignore_ascii_case(b"Return-Path:").then_some(value)
    })?;
    let address = str::from_utf8(value.trim_ascii()).ok()?;
    let address = address.strip_prefix('<')?.strip_suffix('>')?;
    let is_one_word = address.bytes().all(|byte| byte.is_ascii_graphic());
    (is_one_word && address.contains('@')).then_some(address)
}

/// Such as `Thu Jan  1 00:00:00 1970`, in UTC (RFC 4155, appendix A). A message of which the server
/// gave no date has that of the beginning.
fn asctime(date: Option<&str>) -> String {
    let date = date
        .and_then(DateTime::parse_rfc3339)
        .filter(DateTime::is_valid);
    let date = DateTime::from_timestamp(date.map_or(0, |date| date.to_timestamp()));
    let name = |names: &[&'static str], number: u8| names.get(usize::from(number)).copied();
    format!(
        "{} {} {:2} {:02}:{:02}:{:02} {:04}",
        name(&WEEKDAYS, date.day_of_week()).unwrap_or("Thu"),
        name(&MONTHS, date.month.saturating_sub(1)).unwrap_or("Jan"),
        date.day,
        date.hour,
        date.minute,
        date.second,
        date.year,
    )
}

#[cfg(test)]
mod tests {
    use parallel_mailbox::Uid;

    use super::*;

    fn written(date: Option<&str>, raw: &str) -> String {
        let entry = Entry {
            uid: Uid::new(1).unwrap(),
            octets: raw.len() as u64,
            sha256: String::new(),
            date: date.map(str::to_owned),
            flags: String::new(),
            file: String::new(),
        };
        let mut file = Vec::new();
        write_message(&mut file, &entry, raw.as_bytes()).unwrap();
        String::from_utf8(file).unwrap()
    }

    #[test]
    fn the_first_line_is_that_of_rfc_4155() {
        let date = Some("2026-04-06T23:30:05-02:00");
        assert_eq!(
            written(date, "Return-Path: <ann@example.org>\r\n\r\nhi\r\n"),
            "From ann@example.org Tue Apr  7 01:30:05 2026\nReturn-Path: <ann@example.org>\n\nhi\n\n"
        );
        let begins = |raw: &str| written(None, raw).lines().next().unwrap().to_owned();
        for raw in [
            "",
            "return-path: <>\n",
            "Return-Path: <a b@c>\n",
            "A: b\n\nReturn-Path: <a@b>\n",
        ] {
            assert_eq!(begins(raw), "From MAILER-DAEMON Thu Jan  1 00:00:00 1970");
        }
    }

    #[test]
    fn a_cr_that_ends_no_line_is_one_of_the_message() {
        let body = |raw: &str| written(None, raw).split_once('\n').unwrap().1.to_owned();
        assert_eq!(body("A: b\r\n\r\nend\r"), "A: b\n\nend\r\n\n");
        assert_eq!(body("A: b\r\r\n\na\rb"), "A: b\r\n\na\rb\n\n");
        assert_eq!(
            body("From a\n>>From b\n From c\nFromage\n"),
            ">From a\n>>>From b\n From c\nFromage\n\n"
        );
    }
}
