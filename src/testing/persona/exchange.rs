//! How Exchange talks: in Microsoft's own machines, and on an operator's. What is not told of the
//! latter is as in the former, where it was seen.

use super::super::trouble::Trouble;
use super::manners::{Manners, Order, Place, Refusal, assumed, seen};

const THROTTLED: &str = "{tag} BAD Request is throttled. Suggested Backoff Time: 250 milliseconds";
const THROTTLED_AND_CLOSED: &str = "{tag} BAD Request is throttled. Suggested Backoff Time: 250 milliseconds\n\
     * BYE Connection closed. 14";
const NOT_CONNECTED: &str = "{tag} BAD User is authenticated but not connected.";

const REFUSALS: &[Refusal] = &[
    (Trouble::Throttled, "FETCH", THROTTLED),
    (Trouble::Throttled, "FETCH", THROTTLED_AND_CLOSED),
    (
        Trouble::Throttled,
        "SEARCH",
        "{tag} NO Request is throttled. Suggested Backoff Time: 250 milliseconds",
    ),
    (
        Trouble::Unavailable,
        "FETCH",
        "{tag} NO Server Unavailable. 15",
    ),
    (Trouble::Disabled, "EXAMINE", NOT_CONNECTED),
    (
        Trouble::SessionEnded,
        "FETCH",
        "* BYE Session invalidated - AccessTokenExpired",
    ),
];

const SELECT: &str = "* {exists} EXISTS\n\
    * 0 RECENT\n\
    * FLAGS ({flags})\n\
    * OK [PERMANENTFLAGS ({permanent})] Permanent flags\n\
    * OK [UNSEEN {unseen}] Is the first unseen message\n\
    * OK [UIDVALIDITY {uidvalidity}] UIDVALIDITY value\n\
    * OK [UIDNEXT {uidnext}] The next unique identifier value\n\
    {tag} OK [{mode}] {command} completed.";

const FLAGS: &str = r"\Seen \Answered \Flagged \Deleted \Draft $MDNSent";

pub(super) const ONLINE: Manners = Manners {
    // What stands in brackets is no code but a host's name.
    greeting: seen(
        "recorded: several transcripts",
        "The Microsoft Exchange IMAP4 service is ready. [RQBYAEMASABBAE4ARwBFAA==]",
    ),
    capabilities: seen(
        "recorded: MailKit#849, node-imap#867, omamail#90",
        "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE \
         NAMESPACE LITERAL+",
    ),
    capabilities_after: seen(
        "recorded: MailKit#849, node-imap#867",
        "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT \
         CLIENTACCESSRULES CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE \
         NAMESPACE LITERAL+",
    ),
    capability_done: assumed("{tag} OK CAPABILITY completed."),
    login_done: seen("recorded: several transcripts", "{tag} OK LOGIN completed."),
    authenticate_done: seen(
        "recorded: several transcripts",
        "{tag} OK AUTHENTICATE completed.",
    ),
    login_refused: seen("recorded: several transcripts", "{tag} NO LOGIN failed."),
    max_sessions: seen("documented by Microsoft", Some(20)),
    token_complaint: seen("documented: Microsoft's sample", ""),
    keeps_behind_login: seen("recorded on premises: hm-edu/harica#27", true),
    id: assumed(
        "* ID (\"name\" \"Microsoft.Exchange.Imap4.Imap4Server\" \"version\" \"15.20\")\n\
         {tag} OK ID completed",
    ),
    not_logged_in: seen(
        "recorded: a transcript of 2013",
        "{tag} BAD Command received in Invalid state.",
    ),
    not_selected: assumed("{tag} BAD Command received in Invalid state."),
    bad_command: seen(
        "recorded: nextcloud/mail#6038",
        "{tag} BAD Command Error. 10",
    ),
    unsupported: assumed("{tag} BAD Command Error. 10"),
    max_bad_commands: seen("imapsync FAQ: about ten", 10),
    too_many_bad_commands: seen("imapsync#198", "* BYE Connection closed. 14"),
    max_line: seen("nextcloud/mail#6038: 40 KB are too many", 40_000),
    line_too_long: seen("nextcloud/mail#6038", "{tag} BAD Command Error. 10"),
    go_ahead: seen(
        "recorded: go-imap#150",
        "+ Ready for additional command text.",
    ),
    noop_done: assumed("{tag} OK NOOP completed."),
    check_done: assumed("{tag} OK CHECK completed."),
    logout: assumed(
        "* BYE Microsoft Exchange Server IMAP4 server signing off.\n{tag} OK LOGOUT completed.",
    ),
    idle: seen(
        "recorded: Webklex/php-imap#258",
        "+ IDLE accepted, awaiting DONE command.",
    ),
    idle_done: seen("recorded: Webklex/php-imap#258", "{tag} OK IDLE completed."),
    flags: seen("recorded: mailcore2#780, MailKit#1449", FLAGS),
    permanent_flags: seen("recorded: mailcore2#780, MailKit#1449", FLAGS),
    select: seen("recorded: mailcore2#780, MailKit#1449", SELECT),
    select_missing: seen(
        "recorded: rainloop-webmail#1777",
        "{tag} NO {name} doesn't exist.",
    ),
    status_missing: assumed("{tag} NO {name} doesn't exist."),
    uid_validity: seen("recorded: INBOX very often has 14", 14),
    close_done: assumed("{tag} OK CLOSE completed."),
    unselect_done: assumed("{tag} OK UNSELECT completed."),
    search_empty: seen("recorded: several transcripts", "* SEARCH"),
    search_done: seen(
        "recorded: several transcripts",
        "{tag} OK SEARCH completed.",
    ),
    charsets: seen("recorded: go-imap#150, MailKit#16", &["US-ASCII"]),
    bad_charset: seen(
        "recorded: go-imap#150, MailKit#16",
        "{tag} NO [BADCHARSET (US-ASCII)] The specified charset is not supported.",
    ),
    order: seen(
        "recorded: imap-client#205, django-mailbox#232",
        Order::AsAsked {
            uid: Place::Last,
            changed_flags: Place::Last,
        },
    ),
    fetch_done: seen("recorded: several transcripts", "{tag} OK FETCH completed."),
    number_too_high: seen(
        "node-imap#762",
        "{tag} NO The specified message set is invalid.",
    ),
    store_done: seen("recorded: mailcore2#780", "{tag} OK STORE completed."),
    store_read_only: seen(
        "recorded: mailcore2#780",
        "{tag} NO Command received in Invalid state.",
    ),
    expunge_done: assumed("{tag} OK EXPUNGE completed."),
    append_done: assumed("{tag} OK [APPENDUID {uidvalidity} {uid}] APPEND completed."),
    list_done: assumed("{tag} OK LIST completed."),
    inbox: seen("recorded: MailKit#1282", "Inbox"),
    attributes: seen("recorded: MailKit#1282", r"\HasNoChildren"),
    folders: seen(
        "recorded: MailKit#1282",
        &[
            ("INBOX", r"\Marked \HasNoChildren"),
            ("Deleted", r"\Marked \HasNoChildren \Trash"),
            ("Drafts", r"\HasNoChildren \Drafts"),
            ("Junk", r"\HasNoChildren \Junk"),
            ("Sent", r"\HasNoChildren \Sent"),
        ],
    ),
    // The space at the end.
    status: seen("imap-proto#152", "* STATUS {name} ({items}) "),
    status_done: assumed("{tag} OK STATUS completed."),
    refusals: seen(
        "email-oauth2-proxy#191; imapsync#198, #212; imap_tools#135; aioimaplib#83; MailKit#1494; \
         FairEmail",
        REFUSALS,
    ),
    ..Manners::PLAIN
};

pub(super) const ON_PREMISES: Manners = Manners {
    greeting: seen(
        "recorded: a transcript of 2013, flourish-classes#145",
        "The Microsoft Exchange IMAP4 service is ready.",
    ),
    capabilities: seen(
        "recorded: a transcript of 2013",
        "IMAP4 IMAP4rev1 AUTH=PLAIN UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
    ),
    capabilities_after: assumed(
        "IMAP4 IMAP4rev1 AUTH=PLAIN UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
    ),
    max_sessions: seen("documented by Microsoft: the default", Some(16)),
    // Estimates, unless EnableExactRFC822Size is on.
    size_surplus: seen("hearsay, and the setting's documentation", 23),
    refusals: seen(
        "email-oauth2-proxy#191; imapsync#198; MailKit#1494; net-imap transcripts",
        &[
            (Trouble::Throttled, "FETCH", THROTTLED),
            (Trouble::Throttled, "FETCH", THROTTLED_AND_CLOSED),
            (
                Trouble::Unavailable,
                "FETCH",
                "{tag} NO Server Unavailable. 15",
            ),
            (
                Trouble::Disabled,
                "EXAMINE",
                "{tag} BAD User is authenticated but not connected.\n* BYE Connection closed. 14",
            ),
        ],
    ),
    ..ONLINE
};
