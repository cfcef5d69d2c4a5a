//! How Stalwart talks: its sources of 2026-08.

use super::manners::{Expunged, Manners, Order, Place, assumed, seen};

const SOURCE: &str = "source: stalwartlabs/stalwart, 2026";
const CAPABILITIES: &str = "IMAP4rev2 IMAP4rev1 ENABLE SASL-IR LITERAL+ ID UTF8=ACCEPT JMAPACCESS \
    AUTH=PLAIN AUTH=OAUTHBEARER AUTH=XOAUTH2";

pub(super) const STALWART: Manners = Manners {
    greeting: seen(
        SOURCE,
        "[CAPABILITY {capabilities}] Stalwart IMAP4rev2 at your service.",
    ),
    capabilities: assumed(CAPABILITIES),
    capabilities_after: assumed(
        "IMAP4rev2 IMAP4rev1 ENABLE SASL-IR LITERAL+ ID UTF8=ACCEPT IDLE NAMESPACE CHILDREN \
         MULTIAPPEND BINARY UNSELECT ACL UIDPLUS ESEARCH WITHIN SEARCHRES SORT THREAD=REFERENCES \
         LIST-EXTENDED LIST-STATUS ESORT SORT=DISPLAY SPECIAL-USE CREATE-SPECIAL-USE MOVE \
         CONDSTORE QRESYNC STATUS=SIZE OBJECTID PREVIEW QUOTA",
    ),
    capability_done: assumed("{tag} OK CAPABILITY completed"),
    login_done: assumed("{tag} OK [CAPABILITY {capabilities}] Authentication successful"),
    select_missing: seen(SOURCE, "{tag} NO [NONEXISTENT] Mailbox does not exist."),
    status_missing: seen(SOURCE, "{tag} NO [NONEXISTENT] Mailbox does not exist."),
    // One argument, and a set of UIDs is one.
    max_line: seen(SOURCE, 8_000),
    line_too_long: seen(
        SOURCE,
        "{tag} BAD Argument exceeds maximum length of 8000 bytes.",
    ),
    search_done: assumed("{tag} OK SEARCH completed"),
    esearch: assumed("* ESEARCH (TAG \"{tag}\"){uid}{results}"),
    order: seen(
        SOURCE,
        Order::AsAsked {
            uid: Place::First,
            changed_flags: Place::Last,
        },
    ),
    fetch_done: assumed("{tag} OK FETCH completed"),
    expunged: seen(SOURCE, Expunged::LeftOut),
    list_done: assumed("{tag} OK LIST completed"),
    quotes_names: assumed(true),
    status_done: assumed("{tag} OK STATUS completed"),
    ..Manners::PLAIN
};
