//! How hMailServer talks: its sources of 2025-04, and MailKit#371.

use super::super::trouble::Trouble;
use super::manners::{Descending, Expunged, Manners, Order, assumed, seen};

const SOURCE: &str = "source: hmailserver, 2025";
const CAPABILITIES: &str = "IMAP4 IMAP4rev1 CHILDREN IDLE QUOTA SORT ACL NAMESPACE RIGHTS=texk";

pub(super) const HMAILSERVER: Manners = Manners {
    // So it is spelled.
    greeting: seen("recorded: MailKit#371", "IMAPrev1"),
    capabilities: seen("recorded: MailKit#371", CAPABILITIES),
    capabilities_after: seen("recorded: MailKit#371", CAPABILITIES),
    capability_done: seen(SOURCE, "{tag} OK CAPABILITY completed"),
    login_done: assumed("{tag} OK LOGIN completed"),
    login_refused: assumed("{tag} NO Invalid user name or password."),
    noop_done: assumed("{tag} OK NOOP completed"),
    logout: assumed("* BYE Have a nice day\n{tag} OK Logout completed"),
    flags: seen(SOURCE, r"\Answered \Deleted \Draft \Flagged \Seen"),
    select_missing: seen(SOURCE, "{tag} BAD Folder could not be found."),
    search_done: assumed("{tag} OK Search completed"),
    order: seen(
        SOURCE,
        Order::Own(&["UID", "RFC822.SIZE", "FLAGS", "INTERNALDATE", "BODY"]),
    ),
    fetch_done: seen(SOURCE, "{tag} OK UID completed"),
    empty_body: seen(SOURCE, "\"\""),
    descending: seen(SOURCE, Descending::Empty),
    expunged: seen(
        SOURCE,
        // The texts of its default configuration. The file may be gone while the message is not.
        Expunged::Invented(
            "From: Postmaster\r\nSubject: Message undeliverable\r\n\
             Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\n\
             The mail server could not deliver the message to you since the file \
             C:\\hMailServer\\Data\\example.org\\me\\7B\\{7B2A}.eml does not exist on the server.\r\n\
             \r\nThe file may have been deleted by anti virus software running on the server.\r\n\
             \r\nhMailServer\r\n",
        ),
    ),
    // No UIDPLUS.
    append_done: seen(SOURCE, "{tag} OK APPEND completed"),
    list_done: assumed("{tag} OK LIST completed"),
    delimiter: assumed('.'),
    quotes_names: assumed(true),
    status_done: assumed("{tag} OK Status completed"),
    refusals: seen(
        SOURCE,
        // The first line is not a valid one.
        &[(
            Trouble::TooManySessions,
            "LOGIN",
            "* Too many invalid logon attempts.\n{tag} BAD Goodbye\n{close}",
        )],
    ),
    ..Manners::PLAIN
};
