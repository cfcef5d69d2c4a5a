//! How a server behind imapproxy or perdition talks: as any, but what arrives while the connection
//! is handed over, behind LOGIN, is lost.

use super::manners::{Manners, assumed, seen};

const SEEN: &str = "seen with imapproxy and perdition of Debian";
const CAPABILITIES: &str = "IMAP4 IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT \
    THREAD=REFERENCES SORT QUOTA IDLE";

pub(super) const LOGIN_PROXY: Manners = Manners {
    greeting: seen(
        "recorded: emailjs-imap-client#119",
        "[CAPABILITY {capabilities}] perdition ready on localhost 0002eb6b",
    ),
    // Its own list, not that of the server behind it.
    capabilities: seen("recorded: emailjs-imap-client#119", CAPABILITIES),
    capabilities_after: assumed(CAPABILITIES),
    keeps_behind_login: seen(SEEN, false),
    keeps_behind_authenticate: assumed(false),
    ..Manners::PLAIN
};
