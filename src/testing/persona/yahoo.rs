//! How Yahoo and AOL talk.

use super::super::trouble::Trouble;
use super::manners::{Fate, Manners, Order, assumed, seen};

const MK: &str = "fixture: jstedfast/MailKit, 2020";

pub(super) const YAHOO: Manners = Manners {
    greeting: seen(MK, "[CAPABILITY {capabilities}] IMAP4rev1 Hello"),
    capabilities: seen(
        MK,
        "IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER ID MOVE NAMESPACE \
         XYMHIGHESTMODSEQ UIDPLUS LITERAL+ CHILDREN X-MSG-EXT OBJECTID",
    ),
    capabilities_after: seen(
        "recorded: FairEmail, MailKit",
        "IMAP4rev1 ID MOVE NAMESPACE XYMHIGHESTMODSEQ UIDPLUS LITERAL+ CHILDREN X-MSG-EXT \
         UNSELECT OBJECTID",
    ),
    capability_done: assumed("{tag} OK CAPABILITY completed"),
    login_done: seen("recorded: imapflow#75", "{tag} OK LOGIN completed"),
    authenticate_done: assumed("{tag} OK AUTHENTICATE completed"),
    login_refused: seen(
        "a public transcript",
        "{tag} NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials",
    ),
    noop_done: assumed("{tag} OK NOOP completed"),
    logout: assumed("* BYE IMAP4rev1 Server logging out\n{tag} OK LOGOUT completed"),
    flags: seen(
        MK,
        r"\Answered \Deleted \Draft \Flagged \Seen $Forwarded $Junk $NotJunk",
    ),
    permanent_flags: seen(
        MK,
        r"\Answered \Deleted \Draft \Flagged \Seen $Forwarded $Junk $NotJunk",
    ),
    select: seen(
        MK,
        "* {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UIDVALIDITY {uidvalidity}] UIDs valid\n\
         * OK [UIDNEXT {uidnext}] Predicted next UID\n\
         * FLAGS ({flags})\n\
         * OK [PERMANENTFLAGS ({permanent})] Permanent flags\n\
         * OK [HIGHESTMODSEQ 99]\n\
         * OK [MAILBOXID (27)] Ok\n\
         {tag} OK [{mode}] {command} completed; now in selected state",
    ),
    examine: seen(
        MK,
        "* {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UIDVALIDITY {uidvalidity}] UIDs valid\n\
         * OK [UIDNEXT {uidnext}] Predicted next UID\n\
         * FLAGS ({flags})\n\
         * OK [PERMANENTFLAGS ()] No permanent flags permitted\n\
         * OK [HIGHESTMODSEQ 99]\n\
         * OK [MAILBOXID (27)] Ok\n\
         {tag} OK [{mode}] {command} completed; now in selected state",
    ),
    select_missing: seen(
        "recorded: mailcore2#1282, 2016",
        "{tag} BAD [TRYCREATE] {command} error - Folder does not exist or server encountered an \
         error",
    ),
    uid_validity: seen("recorded: 1 in 2016", 1),
    // The space at the end.
    search: seen("fixture: ruby/net-imap", "* SEARCH{numbers} "),
    search_empty: assumed("* SEARCH "),
    search_done: seen("fixture: ruby/net-imap", "{tag} OK SEARCH completed"),
    search_cap: seen("reports; FairEmail: the newest 10,000 messages", 10_000),
    search_keys: seen(
        "recorded: node-imap#737 (HEADER); documented: angus-mail (NOT)",
        &[
            (
                "HEADER",
                Fate::Refused("{tag} NO [SERVERBUG] {verb} Server error - Please try again later"),
            ),
            ("NOT", Fate::Ignored),
        ],
    ),
    order: seen(
        "recorded: MailKit#358, 2016, the request unseen",
        Order::Own(&["FLAGS", "UID", "INTERNALDATE", "RFC822.SIZE", "BODY"]),
    ),
    fetch_done: assumed("{tag} OK FETCH completed"),
    quoted_below: seen("node-imap#327; imapflow", 1_024),
    store_done: assumed("{tag} OK STORE completed"),
    list_done: assumed("{tag} OK LIST completed"),
    inbox: seen("recorded: owncloud/mail#1333", "Inbox"),
    quotes_names: seen("recorded: owncloud/mail#1333", true),
    attributes: seen("recorded: owncloud/mail#1333", r"\HasNoChildren"),
    folders: seen(
        "recorded: owncloud/mail#1333",
        &[
            ("INBOX", r"\Inbox \HasNoChildren"),
            ("Bulk", r"\Junk \HasNoChildren"),
            ("Draft", r"\Drafts \HasNoChildren"),
            ("Sent", r"\Sent \HasNoChildren"),
            ("Trash", r"\Trash \HasNoChildren"),
        ],
    ),
    status_done: assumed("{tag} OK STATUS completed"),
    refusals: seen(
        "imap_tools#229; node-imap#340; imap-backup#218; dovecot's imapc",
        &[
            (
                Trouble::Throttled,
                "FETCH",
                "{tag} NO [LIMIT] UID FETCH Rate limit hit.",
            ),
            (
                Trouble::Throttled,
                "FETCH",
                "{tag} NO [LIMIT] UID FETCH Rate limit hit.\n* BYE Rate limit hit.",
            ),
            (
                Trouble::Unavailable,
                "FETCH",
                "{tag} NO [UNAVAILABLE] UID FETCH Service is temporarily not available",
            ),
            (
                Trouble::Poisoned,
                "FETCH",
                "{tag} NO [UNAVAILABLE] UID FETCH Server error - Please try again later",
            ),
            (
                Trouble::Poisoned,
                "FETCH",
                "{tag} NO [SERVERBUG] UID FETCH Server error - Please try again later",
            ),
        ],
    ),
    ..Manners::PLAIN
};
