//! The fixture itself, looked at with a client that has nothing in common with the crate.

use crate::start;
use crate::support::cyrus::cyrus_or_skip;
use crate::support::nasty;

/// What `support::cyrus` says of octets.
#[test]
fn holds_what_it_takes_octet_for_octet_and_says_what_it_does_not_take() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let (names, messages): (Vec<_>, Vec<_>) = nasty::all().into_iter().unzip();
    let cyrus = options.messages(messages.clone()).start();
    let refused: Vec<_> = cyrus
        .refused()
        .iter()
        .map(|(index, answer)| (names[*index], answer.as_str()))
        .collect();
    let header = "NO Message contains invalid header";
    let null = "NO Message contains NUL characters";
    let bare = "NO Message contains bare newlines";
    assert_eq!(
        refused,
        [
            ("empty", "NO Zero-length message literal"),
            ("only LF", bare),
            ("only NUL", null),
            ("header without end of line", header),
            ("neither header nor colon", header),
            ("every octet without header", bare),
            ("NUL in header", null),
            ("bare LF throughout", bare),
            ("mbox separator", bare),
        ]
    );
    let is_held = |index: &usize| cyrus.refused().iter().all(|(refused, _)| refused != index);
    let held = (0..names.len()).filter(is_held);
    let mut client = cyrus.client();
    client.ok("EXAMINE INBOX");
    for (uid, index) in (1..).zip(held) {
        let (name, message) = (names[index], &messages[index]);
        let answer = client.ok(&format!("UID FETCH {uid} (RFC822.SIZE BODY.PEEK[])"));
        let piece = &answer[0];
        assert_eq!(
            piece.number_after("RFC822.SIZE"),
            Some(message.len() as u32)
        );
        // Not assert_eq!, which would print 25 MB.
        assert!(piece.literal.as_ref() == Some(message), "{name}");
        // Only NUL makes it the literal of BINARY, and to a client that never asked for BINARY.
        let is_binary = piece.line.contains(" ~{");
        assert_eq!(is_binary, message.contains(&0), "{name}: {}", piece.line);
    }
}

/// The same, where a test panics.
#[test]
fn the_fixture_leaves_neither_process_nor_file() {
    let Some(options) = cyrus_or_skip() else {
        return;
    };
    let cyrus = start(options, 3);
    let mut client = cyrus.client();
    let folder = cyrus.folder().to_owned();
    let processes = cyrus.process_ids();
    let sessions = cyrus.imapd_process_ids();
    if cfg!(target_os = "linux") {
        assert_eq!((processes.len(), sessions.len()), (2, 1));
    }
    let panicked = std::thread::spawn(move || {
        let _cyrus = cyrus;
        panic!("as a test that fails");
    });
    panicked.join().unwrap_err();
    assert!(client.ends());
    assert!(!folder.exists());
    for process in processes {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // One that ended may stay listed until its parent takes notice.
        let runs = stat
            .rsplit_once(')')
            .is_some_and(|(_, rest)| !rest.starts_with(" Z"));
        assert!(!runs, "{stat}");
    }
}
