//! How Apache James talks: its sources of 2026-08.

use super::manners::{Manners, Order, assumed, seen};

const SOURCE: &str = "source: apache/james-project, 2026";
const CAPABILITIES: &str = "IMAP4rev1 LITERAL+ CHILDREN WITHIN UIDPLUS UNSELECT MOVE ESEARCH \
    SEARCHRES CONDSTORE ENABLE ID IDLE NAMESPACE QRESYNC OBJECTID SASL-IR AUTH=PLAIN";

pub(super) const JAMES: Manners = Manners {
    greeting: assumed("JAMES IMAP4rev1 Server 127.0.0.1 is ready."),
    capabilities: assumed(CAPABILITIES),
    capabilities_after: assumed(CAPABILITIES),
    capability_done: assumed("{tag} OK CAPABILITY completed."),
    login_done: assumed("{tag} OK LOGIN completed."),
    login_refused: assumed("{tag} NO LOGIN failed. Invalid login/password."),
    noop_done: assumed("{tag} OK NOOP completed."),
    logout: assumed("* BYE IMAP4rev1 Server logging out\n{tag} OK LOGOUT completed."),
    select: seen(
        SOURCE,
        "* OK [MAILBOXID (00000000-0000-0000-0000-000000000001)] Ok\n\
         * FLAGS ({flags})\n\
         * {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UIDVALIDITY {uidvalidity}] UIDs valid\n\
         * OK [UNSEEN {unseen}] MailboxMessage {unseen} is first unseen\n\
         * OK [PERMANENTFLAGS ({permanent})] Limited\n\
         * OK [HIGHESTMODSEQ 4711] Highest\n\
         * OK [UIDNEXT {uidnext}] Predicted next UID\n\
         {tag} OK [{mode}] {command} completed.",
    ),
    select_missing: seen(SOURCE, "{tag} NO {command} failed. No such mailbox."),
    search_done: assumed("{tag} OK SEARCH completed."),
    esearch: assumed("* ESEARCH (TAG \"{tag}\"){uid}{results}"),
    order: seen(
        SOURCE,
        Order::Own(&[
            "MODSEQ",
            "FLAGS",
            "INTERNALDATE",
            "RFC822.SIZE",
            "UID",
            "BODY",
        ]),
    ),
    fetch_done: assumed("{tag} OK FETCH completed."),
    list_done: assumed("{tag} OK LIST completed."),
    delimiter: assumed('.'),
    quotes_names: assumed(true),
    status_done: assumed("{tag} OK STATUS completed."),
    ..Manners::PLAIN
};
