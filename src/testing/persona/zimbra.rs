//! How Zimbra talks, itself and not the nginx that is usually in front of it: its sources of
//! 2024-10.

use super::manners::{Expunged, Manners, Order, assumed, seen};

const SOURCE: &str = "source: Zimbra/zm-mailbox, 2024";

pub(super) const ZIMBRA: Manners = Manners {
    greeting: assumed("127.0.0.1 Zimbra IMAP4rev1 server ready"),
    capabilities: assumed(
        "ACL BINARY CATENATE CHILDREN CONDSTORE ENABLE ESEARCH ESORT I18NLEVEL=1 ID IDLE \
         IMAP4rev1 LIST-EXTENDED LIST-STATUS LITERAL+ LOGIN-REFERRALS MULTIAPPEND NAMESPACE \
         QRESYNC QUOTA RIGHTS=ektx SASL-IR SEARCHRES SORT THREAD=ORDEREDSUBJECT UIDPLUS UNSELECT \
         WITHIN XLIST AUTH=PLAIN",
    ),
    // No MOVE.
    capabilities_after: seen(
        SOURCE,
        "ACL BINARY CATENATE CHILDREN CONDSTORE ENABLE ESEARCH ESORT I18NLEVEL=1 ID IDLE \
         IMAP4rev1 LIST-EXTENDED LIST-STATUS LITERAL+ LOGIN-REFERRALS MULTIAPPEND NAMESPACE \
         QRESYNC QUOTA RIGHTS=ektx SASL-IR SEARCHRES SORT THREAD=ORDEREDSUBJECT UIDPLUS UNSELECT \
         WITHIN XLIST",
    ),
    capability_done: assumed("{tag} OK CAPABILITY completed"),
    login_done: assumed("{tag} OK [CAPABILITY {capabilities}] LOGIN completed"),
    login_refused: seen(SOURCE, "{tag} NO LOGIN failed"),
    max_line: seen(SOURCE, 10 * 1024),
    noop_done: assumed("{tag} OK NOOP completed"),
    logout: assumed(
        "* BYE 127.0.0.1 Zimbra IMAP4rev1 server closing connection\n\
         {tag} OK LOGOUT completed",
    ),
    select: seen(
        SOURCE,
        "* {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UNSEEN {unseen}] mailbox contains unseen messages\n\
         * OK [UIDVALIDITY {uidvalidity}] UIDs are valid for this mailbox\n\
         * OK [UIDNEXT {uidnext}] next expected UID\n\
         * FLAGS ({flags})\n\
         * OK [PERMANENTFLAGS ({permanent})] junk-related flags are not permanent\n\
         * OK [HIGHESTMODSEQ 4711] modseq tracked on this mailbox\n\
         {tag} OK [{mode}] {command} completed",
    ),
    select_missing: seen(SOURCE, "{tag} NO SELECT failed"),
    search_done: assumed("{tag} OK SEARCH completed"),
    esearch: assumed("* ESEARCH (TAG \"{tag}\"){uid}{results}"),
    order: seen(
        SOURCE,
        Order::Own(&["UID", "INTERNALDATE", "RFC822.SIZE", "BODY", "FLAGS"]),
    ),
    fetch_done: assumed("{tag} OK FETCH completed"),
    empty_body: seen(SOURCE, "\"\""),
    // INTERNALDATE of 1970, size 0, BODY[] "".
    expunged: seen(SOURCE, Expunged::Stub),
    list_done: assumed("{tag} OK LIST completed"),
    quotes_names: assumed(true),
    status_done: assumed("{tag} OK STATUS completed"),
    ..Manners::PLAIN
};
