//! How Courier talks: its sources of 2026, and public transcripts.

use super::manners::{Expunged, Manners, Order, Place, assumed, seen};

const SOURCE: &str = "source: courier-imap, 2026";
const TRANSCRIPT: &str = "recorded: imapfilter#19, nextcloud/mail#50";

const CAPABILITIES: &str = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT \
    THREAD=REFERENCES SORT QUOTA IDLE AUTH=PLAIN ACL ACL2=UNION";

pub(super) const COURIER: Manners = Manners {
    greeting: seen(
        TRANSCRIPT,
        "[CAPABILITY {capabilities}] Courier-IMAP ready. Copyright 1998-2018 Double Precision, \
         Inc.  See COPYING for distribution information.",
    ),
    capabilities: seen(TRANSCRIPT, CAPABILITIES),
    capabilities_after: seen(TRANSCRIPT, CAPABILITIES),
    capability_done: seen(TRANSCRIPT, "{tag} OK CAPABILITY completed"),
    login_done: seen(TRANSCRIPT, "{tag} OK LOGIN Ok."),
    login_refused: seen(SOURCE, "{tag} NO Login failed."),
    max_sessions: seen("its default for one address", Some(4)),
    closes_on_too_many: seen("seen with 5.2 of Debian", true),
    // Another process takes over.
    keeps_behind_login: seen("source, and seen with 5.2 of Debian", false),
    keeps_behind_authenticate: assumed(false),
    max_line: seen(SOURCE, 16 * 1024),
    line_too_long: seen(
        SOURCE,
        "* NO [ALERT] IMAP command too long.\n{tag} NO Error in IMAP command received by server.",
    ),
    bad_command: assumed("{tag} NO Error in IMAP command received by server."),
    not_logged_in: assumed("{tag} NO Error in IMAP command received by server."),
    not_selected: assumed("{tag} NO Error in IMAP command received by server."),
    noop_done: seen(TRANSCRIPT, "{tag} OK NOOP completed"),
    check_done: assumed("{tag} OK CHECK completed"),
    logout: assumed("* BYE Courier-IMAP server shutting down\n{tag} OK LOGOUT completed"),
    flags: seen(
        TRANSCRIPT,
        r"\Draft \Answered \Flagged \Deleted \Seen \Recent",
    ),
    permanent_flags: seen(TRANSCRIPT, r"\* \Draft \Answered \Flagged \Deleted \Seen"),
    select: seen(
        "source: courier-imap, 2026; neither UIDNEXT nor UNSEEN",
        "* FLAGS ({flags})\n\
         * OK [PERMANENTFLAGS ({permanent})] Limited\n\
         * {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UIDVALIDITY {uidvalidity}] Ok\n\
         * OK [MYRIGHTS \"acdilrsw\"] ACL\n\
         {tag} OK [{mode}] Ok",
    ),
    select_missing: seen(
        SOURCE,
        "{tag} NO Mailbox does not exist, or must be subscribed to.",
    ),
    status_missing: seen(
        SOURCE,
        "{tag} NO Mailbox does not exist, or must be subscribed to.",
    ),
    search_done: assumed("{tag} OK SEARCH done."),
    order: seen(
        SOURCE,
        Order::AsAsked {
            uid: Place::First,
            changed_flags: Place::Last,
        },
    ),
    fetch_done: assumed("{tag} OK FETCH completed."),
    number_too_high: seen(
        SOURCE,
        "* NO Invalid message sequence number: {number}\n{tag} OK FETCH completed.",
    ),
    expunged: seen(
        SOURCE,
        Expunged::Invented(
            "From: System Administrator <root@localhost>\r\n\
             Subject: message unavailable\r\n\r\n\
             This message is no longer available on the server.\r\n",
        ),
    ),
    store_done: assumed("{tag} OK STORE completed."),
    list_done: seen(TRANSCRIPT, "{tag} OK {command} completed"),
    delimiter: seen(TRANSCRIPT, '.'),
    quotes_names: seen(TRANSCRIPT, true),
    attributes: seen(TRANSCRIPT, r"\HasNoChildren"),
    folders: seen(
        TRANSCRIPT,
        &[
            ("INBOX", r"\Unmarked \HasChildren"),
            ("INBOX.Drafts", r"\HasNoChildren"),
            ("INBOX.Sent", r"\HasNoChildren"),
            ("INBOX.Trash", r"\HasNoChildren"),
        ],
    ),
    status_done: seen(TRANSCRIPT, "{tag} OK STATUS Completed."),
    ..Manners::PLAIN
};
