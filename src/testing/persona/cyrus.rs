//! How Cyrus talks: 3.6.1 as the tests run it, and the sources of 2026 for what they do not provoke.

use super::super::trouble::Trouble;
use super::manners::{Expunged, Manners, Order, seen};

/// A real one answers so to the script of the tests.
const REAL: &str = "recorded: 3.6.1 of the tests";
const SOURCE: &str = "source: cyrus-imapd, 2026";

const MISSING: &str = "{tag} NO Mailbox does not exist";

pub(super) const CYRUS: Manners = Manners {
    greeting: seen(
        REAL,
        "[CAPABILITY {capabilities}] cyrus Cyrus IMAP 3.6.1 server ready",
    ),
    // Fewer than when it is asked.
    greeted_capabilities: seen(
        REAL,
        "IMAP4rev1 LITERAL+ ID ENABLE STARTTLS AUTH=PLAIN AUTH=LOGIN SASL-IR",
    ),
    capabilities: seen(
        REAL,
        "IMAP4rev1 LITERAL+ ID ENABLE ACL ANNOTATE-EXPERIMENT-1 BINARY CATENATE CHILDREN \
         CONDSTORE CREATE-SPECIAL-USE ESEARCH ESORT LIST-EXTENDED LIST-MYRIGHTS LIST-STATUS \
         MAILBOX-REFERRALS METADATA MOVE MULTIAPPEND NAMESPACE OBJECTID PREVIEW QRESYNC QUOTA \
         RIGHTS=kxten SAVEDATE SEARCH=FUZZY SORT SORT=DISPLAY SPECIAL-USE STATUS=SIZE \
         THREAD=ORDEREDSUBJECT THREAD=REFERENCES UIDPLUS UNSELECT URLAUTH URLAUTH=BINARY WITHIN \
         DIGEST=SHA1 LIST-METADATA NO_ATOMIC_RENAME SCAN SORT=MODSEQ SORT=UID THREAD=REFS \
         X-CREATEDMODSEQ X-REPLICATION X-SIEVE-MAILBOX XLIST XMOVE STARTTLS AUTH=PLAIN AUTH=LOGIN \
         SASL-IR COMPRESS=DEFLATE X-QUOTA=STORAGE X-QUOTA=MESSAGE X-QUOTA=X-ANNOTATION-STORAGE \
         X-QUOTA=X-NUM-FOLDERS IDLE APPENDLIMIT=4294967295",
    ),
    capabilities_after: seen(
        REAL,
        "IMAP4rev1 LITERAL+ ID ENABLE ACL ANNOTATE-EXPERIMENT-1 BINARY CATENATE CHILDREN \
         CONDSTORE CREATE-SPECIAL-USE ESEARCH ESORT LIST-EXTENDED LIST-MYRIGHTS LIST-STATUS \
         MAILBOX-REFERRALS METADATA MOVE MULTIAPPEND NAMESPACE OBJECTID PREVIEW QRESYNC QUOTA \
         RIGHTS=kxten SAVEDATE SEARCH=FUZZY SORT SORT=DISPLAY SPECIAL-USE STATUS=SIZE \
         THREAD=ORDEREDSUBJECT THREAD=REFERENCES UIDPLUS UNSELECT URLAUTH URLAUTH=BINARY WITHIN \
         DIGEST=SHA1 LIST-METADATA NO_ATOMIC_RENAME SCAN SORT=MODSEQ SORT=UID THREAD=REFS \
         X-CREATEDMODSEQ X-REPLICATION X-SIEVE-MAILBOX XLIST XMOVE LOGINDISABLED \
         COMPRESS=DEFLATE X-QUOTA=STORAGE X-QUOTA=MESSAGE X-QUOTA=X-ANNOTATION-STORAGE \
         X-QUOTA=X-NUM-FOLDERS IDLE APPENDLIMIT=4294967295",
    ),
    capability_done: seen(REAL, "{tag} OK Completed"),
    login_done: seen(
        REAL,
        "{tag} OK [CAPABILITY {capabilities}] User logged in SESSIONID=<{session}>",
    ),
    login_refused: seen(REAL, "{tag} NO Login failed: authentication failure"),
    too_many_sessions: seen(
        SOURCE,
        "{tag} NO Too many open connections (10 of 10 for {user})",
    ),
    keeps_behind_authenticate: seen(REAL, false),
    id: seen(
        REAL,
        "* ID (\"name\" \"Cyrus IMAPD\" \"version\" \"3.6.1\" \"vendor\" \"Project Cyrus\" \
         \"support-url\" \"https://www.cyrusimap.org\")\n{tag} OK Completed",
    ),
    not_logged_in: seen(REAL, "{tag} BAD Please login first"),
    not_selected: seen(REAL, "{tag} BAD Please select a mailbox first"),
    bad_command: seen(REAL, "{tag} BAD Unrecognized command"),
    bad_search: seen(REAL, "{tag} BAD Invalid Search criteria"),
    unsupported: seen(REAL, "{tag} BAD Unrecognized command"),
    max_line: seen(SOURCE, 128 * 1024),
    line_too_long: seen(SOURCE, "* BYE [TOOBIG] Word too long"),
    noop_done: seen(REAL, "{tag} OK Completed"),
    check_done: seen(REAL, "{tag} OK Completed"),
    logout: seen(REAL, "* BYE LOGOUT received\n{tag} OK Completed"),
    idle: seen(SOURCE, "+ idling"),
    idle_done: seen(SOURCE, "{tag} OK Completed"),
    flags: seen(REAL, r"\Answered \Flagged \Draft \Deleted \Seen"),
    permanent_flags: seen(REAL, r"\Answered \Flagged \Draft \Deleted \Seen \*"),
    select: seen(
        REAL,
        "* {exists} EXISTS\n\
         * 0 RECENT\n\
         * FLAGS ({flags})\n\
         * OK [PERMANENTFLAGS ({permanent})] Ok\n\
         * OK [UNSEEN {unseen}] Ok\n\
         * OK [UIDVALIDITY {uidvalidity}] Ok\n\
         * OK [UIDNEXT {uidnext}] Ok\n\
         * OK [HIGHESTMODSEQ 4] Ok\n\
         * OK [MAILBOXID (h89wz6t7yyusvwtoo21sewi1)] Ok\n\
         * OK [URLMECH INTERNAL] Ok\n\
         * OK [ANNOTATIONS 65536] Ok\n\
         {tag} OK [{mode}] Completed",
    ),
    closed: seen(REAL, "* OK [CLOSED] Ok"),
    select_missing: seen(REAL, MISSING),
    status_missing: seen(REAL, MISSING),
    close_done: seen(REAL, "{tag} OK Completed"),
    unselect_done: seen(SOURCE, "{tag} OK Completed"),
    unselect_nothing: seen(REAL, "{tag} BAD Please select a mailbox first"),
    search: seen(REAL, "* SEARCH{numbers}"),
    search_empty: seen(REAL, "* SEARCH"),
    search_done: seen(REAL, "{tag} OK Completed ({count} msgs in 0.000 secs)"),
    esearch: seen(REAL, "* ESEARCH (TAG \"{tag}\"){uid}{results}"),
    bad_charset: seen(REAL, "{tag} BAD Unrecognized character set"),
    order: seen(
        REAL,
        Order::Own(&[
            "FLAGS",
            "UID",
            "INTERNALDATE",
            "MODSEQ",
            "RFC822.SIZE",
            "BODY",
        ]),
    ),
    fetch_done: seen(REAL, "{tag} OK Completed (0.000 sec)"),
    empty_body: seen(REAL, "\"\""),
    nul_literal: seen(REAL, "~{"),
    no_such_numbers: seen(REAL, "{tag} NO No matching messages (0.000 sec)"),
    poison_uid: seen(REAL, Some(u32::MAX)),
    expunged: seen(REAL, Expunged::Served),
    expunged_note: seen(SOURCE, ""),
    store_done: seen(REAL, "{tag} OK Completed"),
    store_read_only: seen(REAL, "{tag} NO Permission denied"),
    tells_unchanged_flags: seen(REAL, false),
    new_keyword: seen(
        REAL,
        "* FLAGS ({flags})\n* OK [PERMANENTFLAGS ({permanent})] Ok",
    ),
    expunge_done: seen(REAL, "{tag} OK [HIGHESTMODSEQ 9] Completed"),
    append_done: seen(SOURCE, "{tag} OK [APPENDUID {uidvalidity} {uid}] Completed"),
    append_missing: seen(SOURCE, "{tag} NO [TRYCREATE] Mailbox does not exist"),
    list_done: seen(REAL, "{tag} OK Completed (0.000 secs 1 calls)"),
    delimiter: seen(REAL, '.'),
    attributes: seen(REAL, r"\HasNoChildren"),
    status_done: seen(REAL, "{tag} OK Completed"),
    refusals: seen(
        SOURCE,
        &[(
            Trouble::TooManySessions,
            "LOGIN",
            "{tag} NO Too many open connections (10 of 10 for me)",
        )],
    ),
    ..Manners::PLAIN
};
