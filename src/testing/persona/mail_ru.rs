//! How mail.ru talks.

use super::manners::{Manners, assumed, seen};

const CAPABILITIES: &str = "IMAP4rev1 ID XLIST UIDPLUS UNSELECT MOVE LIST-STATUS AUTH=PLAIN \
    AUTH=XOAUTH2";

pub(super) const MAIL_RU: Manners = Manners {
    greeting: seen("recorded: MailKit#345, 2016", "Welcome"),
    capabilities: seen("recorded: MailKit#345, 2016", CAPABILITIES),
    capabilities_after: assumed("IMAP4rev1 ID XLIST UIDPLUS UNSELECT MOVE LIST-STATUS"),
    capability_done: assumed("{tag} OK CAPABILITY completed"),
    login_done: seen(
        "probably: mail-api#214",
        "* CAPABILITY {capabilities}\n{tag} OK Authentication successful",
    ),
    login_refused: seen(
        "recorded: MailKit#345, 2016",
        "{tag} NO [AUTHENTICATIONFAILED] Authentication failed",
    ),
    noop_done: assumed("{tag} OK NOOP completed"),
    logout: assumed("* BYE Logging out\n{tag} OK LOGOUT completed"),
    // Codes without texts, no UNSEEN.
    select: seen(
        "recorded: himalaya#649, 2026",
        "* FLAGS ({flags})\n\
         * {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UIDVALIDITY {uidvalidity}]\n\
         * OK [UIDNEXT {uidnext}]\n\
         * OK [PERMANENTFLAGS ({permanent})]\n\
         {tag} OK [{mode}] {command} completed",
    ),
    search_done: assumed("{tag} OK SEARCH completed"),
    fetch_done: assumed("{tag} OK FETCH completed"),
    // As in its BODYSTRUCTURE.
    float_size_from: seen("MailKit#1838, #1840; Wino-Mail#469", 1_000_000),
    list_done: assumed("{tag} OK LIST completed"),
    status_done: assumed("{tag} OK STATUS completed"),
    ..Manners::PLAIN
};
