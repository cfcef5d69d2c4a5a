//! How Yandex talks. MK is MailKit's test data.

use super::super::trouble::Trouble;
use super::manners::{Fate, Manners, Order, Place, assumed, seen};

const MK: &str = "fixture: jstedfast/MailKit, 2024";
const BACKEND: &str = "{tag} NO [UNAVAILABLE] {verb} Backend error. sc={session}";

pub(super) const YANDEX: Manners = Manners {
    greeting: seen(
        "recorded: MailKit; a transcript of 2025",
        "Yandex IMAP4rev1 at imap-ipv6.mail.yandex.net:993 ready to talk with 127.0.0.1:50000, \
         2025-Feb-19 18:04:09, {session}",
    ),
    capabilities: assumed(
        "IMAP4rev1 CHILDREN UNSELECT LITERAL+ NAMESPACE XLIST UIDPLUS ENABLE ID AUTH=PLAIN \
         AUTH=XOAUTH2 IDLE MOVE",
    ),
    capabilities_after: seen(
        MK,
        "IMAP4rev1 CHILDREN UNSELECT LITERAL+ NAMESPACE XLIST UIDPLUS ENABLE ID IDLE MOVE",
    ),
    capability_done: assumed("{tag} OK CAPABILITY Completed."),
    login_done: seen(MK, "* CAPABILITY {capabilities}\n{tag} OK LOGIN Completed."),
    login_refused: seen(
        "recorded: Mailspring#904, #2111",
        "{tag} NO [AUTHENTICATIONFAILED] LOGIN invalid credentials or IMAP is disabled \
         sc={session}",
    ),
    noop_done: assumed("{tag} OK NOOP Completed."),
    logout: assumed("* BYE IMAP4rev1 Server logging out\n{tag} OK LOGOUT Completed."),
    // Without \Flagged, which is permanent.
    flags: seen(MK, r"\Answered \Seen \Draft \Deleted $Forwarded"),
    permanent_flags: seen(
        MK,
        r"\Answered \Seen \Draft \Flagged \Deleted $Forwarded \*",
    ),
    select: seen(
        MK,
        "* FLAGS ({flags})\n\
         * {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UNSEEN {unseen}]\n\
         * OK [PERMANENTFLAGS ({permanent})] Limited\n\
         * OK [UIDNEXT {uidnext}] Ok\n\
         * OK [UIDVALIDITY {uidvalidity}] Ok\n\
         {tag} OK [{mode}] {command} Completed.",
    ),
    search_done: assumed("{tag} OK SEARCH Completed."),
    search_keys: seen(
        "webmail-lite-8#74; FairEmail",
        &[
            ("FROM", Fate::Refused(BACKEND)),
            ("HEADER", Fate::Refused(BACKEND)),
        ],
    ),
    order: seen(
        MK,
        Order::AsAsked {
            uid: Place::First,
            changed_flags: Place::Last,
        },
    ),
    fetch_done: assumed("{tag} OK FETCH Completed."),
    // An item without a value.
    empty_body: seen("fixture: MailKit, and MailKit#1708", ""),
    surprise_flags: seen(MK, " \\Recent encrypted system_hamon"),
    store_done: assumed("{tag} OK STORE Completed."),
    list_done: assumed("{tag} OK LIST Completed."),
    delimiter: seen(MK, '|'),
    quotes_names: assumed(true),
    folders: seen(
        MK,
        &[
            ("Drafts", r"\HasNoChildren \Drafts"),
            ("Sent", r"\HasNoChildren \Sent"),
            ("Spam", r"\HasNoChildren \Junk"),
            ("Trash", r"\HasNoChildren \Trash"),
        ],
    ),
    status_done: assumed("{tag} OK STATUS Completed."),
    refusals: seen(
        "Mailspring#904; MailKit; webmail-lite-8#74",
        &[
            (
                Trouble::Disabled,
                "LOGIN",
                "{tag} NO [AUTHENTICATIONFAILED] LOGIN invalid credentials or IMAP is disabled \
                 sc=8Bk3",
            ),
            (
                Trouble::SessionEnded,
                "FETCH",
                "* BYE Autologout; idle for too long",
            ),
        ],
    ),
    ..Manners::PLAIN
};
