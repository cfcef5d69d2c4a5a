//! How GNU Mailutils' imap4d talks. What is attested here was seen with 3.15 of Debian.

use super::manners::{Expunged, Manners, assumed, seen};

const SEEN: &str = "seen with 3.15 of Debian";

pub(super) const IMAP4D: Manners = Manners {
    greeting: assumed("IMAP4rev1"),
    capabilities: assumed("IMAP4rev1 NAMESPACE ID IDLE LITERAL+ UNSELECT AUTH=PLAIN"),
    capabilities_after: assumed("IMAP4rev1 NAMESPACE ID IDLE LITERAL+ UNSELECT"),
    capability_done: assumed("{tag} OK CAPABILITY Completed"),
    login_done: assumed("{tag} OK LOGIN Completed"),
    login_refused: assumed("{tag} NO LOGIN User name or passwd rejected"),
    noop_done: assumed("{tag} OK NOOP Completed"),
    logout: assumed("* BYE Session terminating.\n{tag} OK LOGOUT Completed"),
    search_done: assumed("{tag} OK SEARCH Completed"),
    fetch_done: assumed("{tag} OK FETCH Completed"),
    empty_body: seen(SEEN, "\"\""),
    // For all messages, when another client opens the mailbox or sets flags, though they are there.
    goes_blind: seen(SEEN, true),
    expunged: assumed(Expunged::LeftOut),
    store_done: assumed("{tag} OK STORE Completed"),
    list_done: assumed("{tag} OK LIST Completed"),
    status_done: assumed("{tag} OK STATUS Completed"),
    ..Manners::PLAIN
};
