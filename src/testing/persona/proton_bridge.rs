//! How Proton Mail Bridge 3 talks: the sources of gluon (2024-10) and bridge (2025-06).

use super::super::trouble::Trouble;
use super::manners::{Expunged, Manners, Order, Place, assumed, seen};

const SOURCE: &str = "source: ProtonMail/gluon, 2024";

const CAPABILITIES: &str = "IMAP4rev1 IDLE UNSELECT UIDPLUS MOVE ID STARTTLS";

pub(super) const PROTON_BRIDGE: Manners = Manners {
    greeting: seen(
        SOURCE,
        "[CAPABILITY {capabilities}] Proton Mail Bridge 03.21.02 - gluon session ID 1",
    ),
    capabilities: seen(SOURCE, CAPABILITIES),
    capabilities_after: seen(SOURCE, CAPABILITIES),
    capability_done: assumed("{tag} OK CAPABILITY"),
    login_done: seen(SOURCE, "{tag} OK [CAPABILITY {capabilities}] Logged in"),
    login_refused: seen(SOURCE, "{tag} NO no such user"),
    keeps_behind_login: seen(SOURCE, true),
    not_logged_in: assumed("{tag} NO not authenticated"),
    not_selected: assumed("{tag} NO session is not selected"),
    // Without a word.
    max_bad_commands: seen(SOURCE, 20),
    too_many_bad_commands: seen(SOURCE, "{close}"),
    select: seen(
        SOURCE,
        "* FLAGS ({flags})\n\
         * {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UNSEEN {unseen}] Unseen messages\n\
         * OK [PERMANENTFLAGS ({permanent})] Flags permitted\n\
         * OK [UIDNEXT {uidnext}] Predicted next UID\n\
         * OK [UIDVALIDITY {uidvalidity}] UIDs valid\n\
         {tag} OK [{mode}] SELECT",
    ),
    // The codes have no texts.
    examine: seen(
        SOURCE,
        "* FLAGS ({flags})\n\
         * {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UNSEEN {unseen}]\n\
         * OK [PERMANENTFLAGS ()]\n\
         * OK [UIDNEXT {uidnext}]\n\
         * OK [UIDVALIDITY {uidvalidity}]\n\
         {tag} OK [{mode}] EXAMINE",
    ),
    select_missing: seen(SOURCE, "{tag} NO no such mailbox"),
    status_missing: seen(SOURCE, "{tag} NO no such mailbox"),
    append_missing: seen(SOURCE, "{tag} NO [TRYCREATE] no such mailbox"),
    // Seconds since February 2023.
    uid_validity: seen(SOURCE, 57_889_898),
    search_empty: seen(SOURCE, "* SEARCH"),
    search_done: assumed("{tag} OK command completed in 1ms"),
    bad_charset: seen(SOURCE, "{tag} NO [BADCHARSET]"),
    order: seen(
        "mcp-email-server#112",
        Order::AsAsked {
            uid: Place::Last,
            changed_flags: Place::Last,
        },
    ),
    fetch_done: assumed("{tag} OK command completed in 1ms"),
    number_too_high: seen(SOURCE, "{tag} BAD no such message"),
    // In parallel: more than one message with bodies.
    in_order_up_to: seen(SOURCE, 1),
    expunged: seen(SOURCE, Expunged::Served),
    expunged_done: seen(SOURCE, "{tag} OK [EXPUNGEISSUED] command completed in 1ms"),
    refusals: seen(
        "source: ProtonMail/gluon, 2024; gluon#478",
        &[
            (Trouble::Poisoned, "FETCH", "{tag} NO no such message"),
            (
                Trouble::SessionEnded,
                "FETCH",
                "* BYE IMAP session state is inconsistent, please re-login.",
            ),
            (
                Trouble::TooManySessions,
                "LOGIN",
                "{tag} NO too many login attempts",
            ),
        ],
    ),
    ..Manners::PLAIN
};
