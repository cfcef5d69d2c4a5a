//! What clients say that the codec does not read: SEARCH RETURN (RFC 4731), and Gmail's own items
//! and key. It is taken out of a command before the codec sees it, and kept beside the command.

use std::borrow::Cow;

use memchr::memmem;

use super::persona::manners::Manners;

/// Gmail's items of FETCH.
const GMAIL_ITEMS: [&str; 3] = ["X-GM-THRID", "X-GM-MSGID", "X-GM-LABELS"];

/// What was taken out of a command.
#[derive(Debug, Default)]
pub(super) struct Extension {
    /// The options of SEARCH RETURN, in capitals.
    pub(super) search_return: Option<Vec<String>>,
    /// Items of FETCH.
    pub(super) items: Vec<&'static str>,
}

/// What an extension is taken out of, and what is: as far as the server knows it.
pub(super) fn read<'a>(command: &'a [u8], manners: &Manners) -> (Cow<'a, [u8]>, Extension) {
    let mut extension = Extension::default();
    let mut rest = Cow::Borrowed(command);
    let head = command
        .split(|octet| *octet == b'\n')
        .next()
        .unwrap_or(command);
    let knows_gmail = manners.capabilities_after.value.contains("X-GM-EXT-1");
    if !manners.esearch.value.is_empty()
        && let Some(start) = find(head, b" SEARCH RETURN (")
        && let Some(length) = memchr::memchr(b')', &head[start..])
    {
        let options = start + b" SEARCH RETURN (".len();
        let words = String::from_utf8_lossy(&head[options..start + length]).to_ascii_uppercase();
        extension.search_return = Some(words.split_whitespace().map(str::to_owned).collect());
        let from = start + b" SEARCH".len();
        rest.to_mut().drain(from..=start + length);
    }
    if knows_gmail && find(head, b" SEARCH ").is_some() {
        const KEY: &[u8] = b" X-GM-RAW ";
        if let Some(at) = memmem::find(&rest, KEY) {
            rest.to_mut().splice(at..at + KEY.len(), *b" TEXT ");
        }
    }
    if knows_gmail && find(head, b" FETCH ").is_some() {
        for item in GMAIL_ITEMS {
            let words = [format!(" {item}"), format!("{item} "), item.to_owned()];
            for word in words {
                if let Some(at) = memmem::find(&rest, word.as_bytes()) {
                    rest.to_mut().drain(at..at + word.len());
                    extension.items.push(item);
                    break;
                }
            }
        }
        if let Some(at) = memmem::find(&rest, b"()") {
            rest.to_mut().splice(at..at + 2, *b"UID");
        }
    }
    (rest, extension)
}

/// Where the word is in a command line, in whatever case.
fn find(line: &[u8], word: &[u8]) -> Option<usize> {
    memmem::find(&line.to_ascii_uppercase(), word)
}

#[cfg(test)]
mod tests {
    use super::super::persona::Persona;
    use super::*;

    #[test]
    fn takes_out_what_the_codec_does_not_know() {
        let manners = Persona::Gmail.manners();
        let command = b"a uid search return (ALL) X-GM-RAW \"has:x\"\r\n";
        let (rest, extension) = read(command, manners);
        assert_eq!(*rest, *b"a uid search TEXT \"has:x\"\r\n");
        assert_eq!(extension.search_return.unwrap(), ["ALL"]);
        let command = b"a UID FETCH 1 (UID X-GM-MSGID X-GM-LABELS BODY.PEEK[])\r\n";
        let (rest, extension) = read(command, manners);
        assert_eq!(*rest, *b"a UID FETCH 1 (UID BODY.PEEK[])\r\n");
        assert_eq!(extension.items, ["X-GM-MSGID", "X-GM-LABELS"]);
        let command = b"a FETCH 1 (X-GM-MSGID)\r\n";
        assert_eq!(*read(command, manners).0, *b"a FETCH 1 UID\r\n");
    }

    #[test]
    fn leaves_what_a_server_does_not_know() {
        let command = b"a UID SEARCH RETURN (ALL) ALL\r\n";
        let (rest, extension) = read(command, &Manners::PLAIN);
        assert_eq!(*rest, *command);
        assert!(extension.search_return.is_none());
    }
}
