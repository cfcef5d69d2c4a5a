//! How Dovecot talks: 2.3.19 as the tests run it, and the sources of 2026 for what they do not
//! provoke.

use super::super::trouble::Trouble;
use super::manners::{Expunged, FieldNames, Manners, Order, Place, seen};

/// A real one answers so to the script of the tests.
const REAL: &str = "recorded: 2.3.19 of the tests";
const SOURCE: &str = "source: dovecot, 2026";

const SELECT: &str = "* FLAGS ({flags})\n\
    * OK [PERMANENTFLAGS ({permanent})] Flags permitted.\n\
    * {exists} EXISTS\n\
    * 0 RECENT\n\
    * OK [UNSEEN {unseen}] First unseen.\n\
    * OK [UIDVALIDITY {uidvalidity}] UIDs valid\n\
    * OK [UIDNEXT {uidnext}] Predicted next UID\n\
    {tag} OK [{mode}] Select completed (0.001 + 0.000 secs).";

const EXAMINE: &str = "* FLAGS ({flags})\n\
    * OK [PERMANENTFLAGS ()] Read-only mailbox.\n\
    * {exists} EXISTS\n\
    * 0 RECENT\n\
    * OK [UNSEEN {unseen}] First unseen.\n\
    * OK [UIDVALIDITY {uidvalidity}] UIDs valid\n\
    * OK [UIDNEXT {uidnext}] Predicted next UID\n\
    {tag} OK [{mode}] Examine completed (0.001 + 0.000 secs).";

const MISSING: &str = "{tag} NO Mailbox doesn't exist: {name} (0.001 + 0.000 secs).";

pub(super) const DOVECOT: Manners = Manners {
    greeting: seen(REAL, "[CAPABILITY {capabilities}] Dovecot ready."),
    capabilities: seen(
        REAL,
        "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS AUTH=PLAIN AUTH=LOGIN",
    ),
    capabilities_after: seen(
        REAL,
        "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY THREAD=REFERENCES \
         THREAD=REFS THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT CHILDREN \
         NAMESPACE UIDPLUS LIST-EXTENDED I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES \
         WITHIN CONTEXT=SEARCH LIST-STATUS BINARY MOVE SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW \
         STATUS=SIZE SAVEDATE LITERAL+ NOTIFY",
    ),
    capability_done: seen(REAL, "{tag} OK Capability completed (0.001 + 0.000 secs)."),
    capability_done_before_login: seen(
        REAL,
        "{tag} OK Pre-login capabilities listed, post-login capabilities have more.",
    ),
    login_done: seen(REAL, "* CAPABILITY {capabilities}\n{tag} OK Logged in"),
    login_refused: seen(
        REAL,
        "{tag} NO [AUTHENTICATIONFAILED] Authentication failed.",
    ),
    too_many_sessions: seen(
        "recorded: node-imap#606",
        "{tag} NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded \
         (mail_max_userip_connections=10)",
    ),
    max_sessions: seen("its default", Some(10)),
    id: seen(
        REAL,
        "* ID (\"name\" \"Dovecot\")\n{tag} OK ID completed (0.001 + 0.000 secs).",
    ),
    not_logged_in: seen(REAL, "{tag} BAD Error in IMAP command received by server."),
    bad_command_before_login: seen(REAL, "{tag} BAD Error in IMAP command received by server."),
    not_selected: seen(REAL, "{tag} BAD No mailbox selected (0.001 + 0.000 secs)."),
    bad_command: seen(
        REAL,
        "{tag} BAD Error in IMAP command {command}: Unknown command (0.001 + 0.000 secs).",
    ),
    bad_search: seen(
        REAL,
        "{tag} BAD Error in IMAP command {command}: Unknown argument {word} (0.001 + 0.000 secs).",
    ),
    max_bad_commands: seen(SOURCE, 20),
    too_many_bad_commands: seen(SOURCE, "* BYE Too many invalid IMAP commands."),
    max_line: seen(SOURCE, 64 * 1024),
    line_too_long: seen(
        SOURCE,
        "{tag} BAD Error in IMAP command: Too long argument. (0.001 + 0.000 secs).",
    ),
    noop_done: seen(REAL, "{tag} OK NOOP completed (0.001 + 0.000 secs)."),
    noop_done_before_login: seen(REAL, "{tag} OK NOOP completed."),
    check_done: seen(REAL, "{tag} OK Check completed (0.001 + 0.000 secs)."),
    logout: seen(
        REAL,
        "* BYE Logging out\n{tag} OK Logout completed (0.001 + 0.000 secs).",
    ),
    idle: seen(SOURCE, "+ idling"),
    idle_done: seen(SOURCE, "{tag} OK Idle completed (0.001 + 0.000 secs)."),
    flags: seen(REAL, r"\Answered \Flagged \Deleted \Seen \Draft"),
    permanent_flags: seen(REAL, r"\Answered \Flagged \Deleted \Seen \Draft \*"),
    select: seen(REAL, SELECT),
    examine: seen(REAL, EXAMINE),
    closed: seen(REAL, "* OK [CLOSED] Previous mailbox closed."),
    select_missing: seen(REAL, MISSING),
    status_missing: seen(REAL, MISSING),
    close_done: seen(REAL, "{tag} OK Close completed (0.001 + 0.000 secs)."),
    unselect_done: seen(SOURCE, "{tag} OK Unselect completed (0.001 + 0.000 secs)."),
    unselect_nothing: seen(REAL, "{tag} BAD No mailbox selected (0.001 + 0.000 secs)."),
    search: seen(REAL, "* SEARCH{numbers}"),
    search_empty: seen(REAL, "* SEARCH"),
    search_done: seen(REAL, "{tag} OK Search completed (0.001 + 0.000 secs)."),
    esearch: seen(REAL, "* ESEARCH (TAG \"{tag}\"){uid}{results}"),
    bad_charset: seen(
        REAL,
        "{tag} NO [BADCHARSET] Unknown charset (0.001 + 0.000 secs).",
    ),
    order: seen(
        REAL,
        Order::AsAsked {
            uid: Place::First,
            changed_flags: Place::First,
        },
    ),
    fetch_done: seen(REAL, "{tag} OK Fetch completed (0.001 + 0.000 secs)."),
    empty_body: seen(REAL, "{0}\r\n"),
    field_names: seen(REAL, FieldNames::InCapitals),
    number_too_high: seen(
        REAL,
        "{tag} BAD Error in IMAP command FETCH: Invalid messageset (0.001 + 0.000 secs).",
    ),
    expunged: seen(SOURCE, Expunged::Nil),
    expunged_done: seen(
        SOURCE,
        "{tag} OK [EXPUNGEISSUED] Some messages were already expunged.",
    ),
    store_done: seen(REAL, "{tag} OK Store completed (0.001 + 0.000 secs)."),
    store_read_only: seen(
        REAL,
        "{tag} OK Store ignored with read-only mailbox (0.001 + 0.000 secs).",
    ),
    tells_unchanged_flags: seen(REAL, false),
    new_keyword: seen(
        REAL,
        "* FLAGS ({flags})\n* OK [PERMANENTFLAGS ({permanent})] Flags permitted.",
    ),
    expunge_done: seen(REAL, "{tag} OK Expunge completed (0.001 + 0.000 secs)."),
    append_done: seen(
        SOURCE,
        "{tag} OK [APPENDUID {uidvalidity} {uid}] Append completed (0.001 + 0.000 secs).",
    ),
    append_missing: seen(
        SOURCE,
        "{tag} NO [TRYCREATE] Mailbox doesn't exist: {name} (0.001 + 0.000 secs).",
    ),
    list_done: seen(REAL, "{tag} OK {Command} completed (0.001 + 0.000 secs)."),
    attributes: seen(REAL, r"\HasNoChildren"),
    status_done: seen(REAL, "{tag} OK Status completed (0.001 + 0.000 secs)."),
    refusals: seen(
        "recorded: node-imap#606; source: dovecot, 2026",
        &[
            (
                Trouble::TooManySessions,
                "LOGIN",
                "{tag} NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded \
                 (mail_max_userip_connections=10)",
            ),
            (
                Trouble::Unavailable,
                "FETCH",
                "{tag} NO [SERVERBUG] Internal error occurred. Refer to server log for more \
                 information.",
            ),
            (
                Trouble::Poisoned,
                "FETCH",
                "{tag} NO [SERVERBUG] Internal error occurred. Refer to server log for more \
                 information.",
            ),
            (
                Trouble::SessionEnded,
                "FETCH",
                "* BYE Disconnected for inactivity.",
            ),
        ],
    ),
    ..Manners::PLAIN
};
