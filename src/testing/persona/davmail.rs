//! How DavMail talks, a gateway to Exchange: its sources of 2026-08.

use super::super::trouble::Trouble;
use super::manners::{Fate, Manners, Order, Place, assumed, seen};

const SOURCE: &str = "source: mguessan/davmail, 2026";

const CAPABILITIES: &str = "IMAP4REV1 AUTH=LOGIN IDLE MOVE SPECIAL-USE UIDPLUS";

pub(super) const DAVMAIL: Manners = Manners {
    greeting: seen(
        SOURCE,
        "[CAPABILITY {capabilities}] IMAP4rev1 DavMail 6.3.0 server ready",
    ),
    capabilities: seen(SOURCE, CAPABILITIES),
    capabilities_after: seen(SOURCE, CAPABILITIES),
    capability_done: assumed("{tag} OK CAPABILITY completed"),
    login_done: seen(SOURCE, "{tag} OK Authenticated"),
    login_refused: seen(SOURCE, "{tag} NO LOGIN failed"),
    keeps_behind_login: seen(SOURCE, true),
    not_logged_in: seen(SOURCE, "{tag} BAD command authentication required"),
    not_selected: assumed("{tag} NO no mailbox selected"),
    bad_command: assumed("{tag} BAD command unknown"),
    bad_search: seen(
        SOURCE,
        "{tag} BAD unable to handle request: unsupported key {word}\n{close}",
    ),
    noop_done: assumed("{tag} OK NOOP completed"),
    logout: assumed("* BYE Closing connection\n{tag} OK LOGOUT completed"),
    // Codes without texts.
    select: seen(
        SOURCE,
        "* {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UIDVALIDITY {uidvalidity}]\n\
         * OK [UIDNEXT {uidnext}]\n\
         * FLAGS ({flags})\n\
         * OK [PERMANENTFLAGS ({permanent})]\n\
         {tag} OK [{mode}] {command} completed",
    ),
    select_missing: seen(SOURCE, "{tag} NO Not found"),
    status_missing: seen(SOURCE, "{tag} NO Not found"),
    // For every folder.
    uid_validity: seen(SOURCE, 1),
    search_empty: seen(SOURCE, "* SEARCH"),
    search_done: assumed("{tag} OK SEARCH completed"),
    search_keys: seen(
        "source: davmail; NOT of some keys is not understood",
        &[(
            "BCC",
            Fate::Refused("{tag} BAD unable to handle request: unsupported key BCC\n{close}"),
        )],
    ),
    charsets: seen(SOURCE, &["UTF-8", "ASCII", "US-ASCII"]),
    bad_charset: seen(
        SOURCE,
        "{tag} BAD unable to handle request: unsupported charset\n{close}",
    ),
    order: seen(
        SOURCE,
        Order::AsAsked {
            uid: Place::First,
            changed_flags: Place::Last,
        },
    ),
    fetch_done: seen(SOURCE, "{tag} OK UID FETCH completed"),
    // Spaces while a large message loads; two at once were seen as well (davmail#454).
    before_body: seen("source: davmail, enableKeepAlive; davmail#454", "  "),
    append_done: seen(SOURCE, "{tag} OK [APPENDUID 1 {uid}] APPEND completed"),
    list_done: assumed("{tag} OK LIST completed"),
    quotes_names: assumed(true),
    status_done: assumed("{tag} OK STATUS completed"),
    refusals: seen(
        SOURCE,
        &[(Trouble::SessionEnded, "FETCH", "* BYE Closing connection")],
    ),
    ..Manners::PLAIN
};
