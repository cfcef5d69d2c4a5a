//! How Gmail talks. Wire notes of 2026 and older recordings; MK is MailKit's test data.

use super::super::trouble::Trouble;
use super::manners::{Manners, Order, assumed, seen};

const NOTES: &str = "recorded: public wire notes of Gmail, 2026";
const MK: &str = "fixture: jstedfast/MailKit";

pub(super) const GMAIL: Manners = Manners {
    greeting: seen(
        "recorded: several transcripts",
        "Gimap ready for requests from 127.0.0.1 {session}",
    ),
    capabilities: seen(
        NOTES,
        "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 XYZZY SASL-IR \
         AUTH=XOAUTH2 AUTH=PLAIN AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER",
    ),
    capabilities_after: seen(
        NOTES,
        "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS \
         COMPRESS=DEFLATE ENABLE MOVE CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS \
         LITERAL- SPECIAL-USE APPENDLIMIT=35651584",
    ),
    capability_done: seen(NOTES, "{tag} OK Thats all she wrote! {session}"),
    login_done: seen(
        "recorded: several transcripts",
        "* CAPABILITY {capabilities}\n{tag} OK {user} authenticated (Success)",
    ),
    login_refused: seen(
        "recorded: a public transcript",
        "{tag} NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
    ),
    too_many_sessions: seen(
        "reports",
        "{tag} NO [ALERT] Too many simultaneous connections. (Failure)",
    ),
    max_sessions: seen("documented by Google", Some(15)),
    token_complaint: seen(
        "recorded: a public transcript",
        r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#,
    ),
    id: seen(
        "fixture: ruby/net-imap",
        "* ID (\"name\" \"GImap\" \"vendor\" \"Google, Inc.\" \"support-url\" NIL)\n\
         {tag} OK Success",
    ),
    bad_command: seen(NOTES, "{tag} BAD Could not parse command"),
    unsupported: assumed("{tag} BAD Could not parse command"),
    go_ahead: seen(NOTES, "+ go ahead"),
    noop_done: assumed("{tag} OK Success"),
    check_done: assumed("{tag} OK Success"),
    logout: seen(
        "recorded: several transcripts",
        "* BYE LOGOUT Requested\n{tag} OK 73 good day (Success)",
    ),
    enable: seen(NOTES, "* ENABLED UTF8=ACCEPT\n{tag} OK Success"),
    idle: seen("recorded: home-assistant#93092", "+ idling"),
    idle_done: seen(
        "recorded: home-assistant#93092",
        "{tag} OK IDLE terminated (Success)",
    ),
    flags: seen(
        "recorded: several transcripts",
        r"\Answered \Flagged \Draft \Deleted \Seen $NotPhishing $Phishing",
    ),
    permanent_flags: seen(
        "recorded: several transcripts",
        r"\Answered \Flagged \Draft \Deleted \Seen $NotPhishing $Phishing \*",
    ),
    select: seen(
        "recorded: several transcripts; HIGHESTMODSEQ without text: modern-email/defects#28",
        "* FLAGS ({flags})\n\
         * OK [PERMANENTFLAGS ({permanent})] Flags permitted.\n\
         * OK [UIDVALIDITY {uidvalidity}] UIDs valid.\n\
         * {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UIDNEXT {uidnext}] Predicted next UID.\n\
         * OK [HIGHESTMODSEQ 4711]\n\
         {tag} OK [{mode}] INBOX selected. (Success)",
    ),
    select_missing: seen(
        "recorded: several transcripts",
        "{tag} NO [NONEXISTENT] Unknown Mailbox: {name} (now in authenticated state) (Failure)",
    ),
    status_missing: seen(
        "recorded: several transcripts",
        "{tag} NO [NONEXISTENT] Unknown Mailbox: {name} (Failure)",
    ),
    uid_validity: seen("recorded: INBOX has 1 for most accounts", 1),
    close_done: assumed("{tag} OK Returned to authenticated state. (Success)"),
    unselect_done: assumed("{tag} OK Returned to authenticated state. (Success)"),
    search_empty: seen("recorded: several transcripts", "* SEARCH"),
    search_done: seen(
        "recorded: several transcripts",
        "{tag} OK SEARCH completed (Success)",
    ),
    esearch: seen(MK, "* ESEARCH (TAG \"{tag}\"){uid}{results}"),
    // Whatever is asked for: node-imap#852 (2021), 651 answers of another transcript (2011).
    order: seen(
        "recorded: node-imap#852, and a transcript of 2011",
        Order::Own(&[
            "X-GM-THRID",
            "X-GM-MSGID",
            "X-GM-LABELS",
            "UID",
            "RFC822.SIZE",
            "MODSEQ",
            "INTERNALDATE",
            "FLAGS",
            "ENVELOPE",
            "BODY",
        ]),
    ),
    fetch_done: seen("recorded: several transcripts", "{tag} OK Success"),
    store_done: seen("recorded: several transcripts", "{tag} OK Success"),
    tells_unchanged_flags: seen(NOTES, false),
    expunge_done: assumed("{tag} OK Success"),
    append_done: seen(MK, "{tag} OK [APPENDUID {uidvalidity} {uid}] (Success)"),
    list_done: assumed("{tag} OK Success"),
    status_done: assumed("{tag} OK Success"),
    quotes_names: seen("recorded: several transcripts", true),
    attributes: seen("recorded: several transcripts", r"\HasNoChildren"),
    folders: seen(
        "recorded: several transcripts",
        &[
            ("[Gmail]", r"\HasChildren \Noselect"),
            ("[Gmail]/All Mail", r"\All \HasNoChildren"),
            ("[Gmail]/Drafts", r"\Drafts \HasNoChildren"),
            ("[Gmail]/Sent Mail", r"\HasNoChildren \Sent"),
            ("[Gmail]/Spam", r"\HasNoChildren \Junk"),
            ("[Gmail]/Starred", r"\Flagged \HasNoChildren"),
            ("[Gmail]/Trash", r"\HasNoChildren \Trash"),
        ],
    ),
    refusals: seen(
        "node-imap#546, #715, #852; offlineimap#682; gmvault; yugo#38; imapsync FAQ",
        &[
            (Trouble::Throttled, "FETCH", "{tag} OK Success [THROTTLED]"),
            (
                Trouble::Unavailable,
                "FETCH",
                "{tag} NO System Error (Failure)",
            ),
            (
                Trouble::Unavailable,
                "EXAMINE",
                "{tag} NO System Error (Failure)",
            ),
            (
                Trouble::Poisoned,
                "",
                "{tag} NO Some messages could not be FETCHed (Failure)",
            ),
            (
                Trouble::TooManySessions,
                "LOGIN",
                "{tag} NO [ALERT] Too many simultaneous connections. (Failure)",
            ),
            (
                Trouble::UsedUp,
                "FETCH",
                "* BYE [OVERQUOTA] Account exceeded command or bandwidth limits.",
            ),
            (
                Trouble::PasswordNotTaken,
                "LOGIN",
                "{tag} NO [ALERT] Application-specific password required: \
                 https://support.google.com/accounts/answer/185833 (Failure)",
            ),
            (
                Trouble::PasswordNotTaken,
                "LOGIN",
                "* NO [WEBALERT https://accounts.google.com/signin/continue] Web login required.\n\
                 {tag} NO [ALERT] Please log in via your web browser: \
                 https://support.google.com/mail/accounts/answer/78754 (Failure)",
            ),
            (
                Trouble::Disabled,
                "LOGIN",
                "{tag} NO [ALERT] IMAP access is disabled for your domain. (Failure)",
            ),
            (
                Trouble::SessionEnded,
                "FETCH",
                "* BYE Session expired, please login again.",
            ),
        ],
    ),
    ..Manners::PLAIN
};
