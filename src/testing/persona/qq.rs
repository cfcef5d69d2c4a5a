//! How QQ Mail talks, which is exmail.qq.com as well.

use super::super::trouble::Trouble;
use super::manners::{Descending, Fate, Manners, assumed, seen};

const TRANSCRIPT: &str = "recorded: a transcript of 2023, MailKit#1241";

/// For a wrong password, no authorisation code, IMAP off and too many logins alike.
const REFUSED: &str = "{tag} NO Login fail. Account is abnormal, service is not open, password is \
    incorrect, login frequency limited, or system is busy. More information at \
    https://help.mail.qq.com/detail/108/1023";

pub(super) const QQ: Manners = Manners {
    greeting: seen(
        TRANSCRIPT,
        "[CAPABILITY {capabilities}] QQMail XMIMAP4Server ready",
    ),
    capabilities: seen(
        TRANSCRIPT,
        "IMAP4 IMAP4rev1 ID AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 NAMESPACE",
    ),
    capabilities_after: seen(
        TRANSCRIPT,
        "IMAP4 IMAP4rev1 XLIST MOVE IDLE XAPPLEPUSHSERVICE NAMESPACE CHILDREN ID UIDPLUS",
    ),
    capability_done: assumed("{tag} OK CAPABILITY Completed"),
    login_done: seen(TRANSCRIPT, "{tag} OK Success login ok"),
    login_refused: seen("cursor-auto-free#294, 2025", REFUSED),
    noop_done: assumed("{tag} OK NOOP Completed"),
    logout: assumed("* BYE LOGOUT received\n{tag} OK LOGOUT Completed"),
    select: seen(
        TRANSCRIPT,
        "* {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UNSEEN {unseen}]\n\
         * OK [UIDVALIDITY {uidvalidity}] UID validity status\n\
         * OK [UIDNEXT {uidnext}] Predicted next UID\n\
         * FLAGS ({flags})\n\
         * OK [PERMANENTFLAGS ({permanent})] Permanent flags\n\
         {tag} OK [{mode}] {command} complete",
    ),
    // 6 EXISTS, then SEARCH ALL names seven.
    tells_of_new_mail: seen(TRANSCRIPT, false),
    search_done: assumed("{tag} OK SEARCH Completed"),
    // Refused until 2015 or so, since then accepted and ignored.
    search_keys: seen(
        "MailKit#1143; node-imap#686; dsh-email#15",
        &[
            ("FROM", Fate::Ignored),
            ("TO", Fate::Ignored),
            ("SUBJECT", Fate::Ignored),
            ("HEADER", Fate::Ignored),
        ],
    ),
    fetch_done: assumed("{tag} OK FETCH Completed"),
    descending: seen(
        "recorded: Wino-Mail#575",
        Descending::Refused("{tag} BAD UID parameters!"),
    ),
    number_too_high: assumed("{tag} BAD Sequence set is inavlid!"),
    list_done: assumed("{tag} OK LIST Completed"),
    quotes_names: assumed(true),
    status_done: assumed("{tag} OK STATUS Completed"),
    refusals: seen(
        "cursor-auto-free#294, 2025",
        &[
            (Trouble::PasswordNotTaken, "LOGIN", REFUSED),
            (Trouble::Disabled, "LOGIN", REFUSED),
            (Trouble::TooManySessions, "LOGIN", REFUSED),
        ],
    ),
    ..Manners::PLAIN
};
