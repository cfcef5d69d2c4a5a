//! How Zoho talks. MK is MailKit's test data.

use super::manners::{FieldNames, Manners, Order, Place, assumed, seen};

const MK: &str = "recorded: MailKit; a transcript of 2024";

pub(super) const ZOHO: Manners = Manners {
    greeting: seen(
        MK,
        "svwall.zoho.com IMAP4 Server (Zoho Mail IMAP4rev1 Server version 1.0)",
    ),
    capabilities: assumed(
        "IMAP4rev1 UNSELECT CHILDREN XLIST NAMESPACE IDLE MOVE ID AUTH=PLAIN SASL-IR UIDPLUS \
         ESEARCH LIST-EXTENDED LIST-STATUS WITHIN LITERAL- APPENDLIMIT=41943040 CONDSTORE",
    ),
    capabilities_after: seen(
        MK,
        "IMAP4rev1 UNSELECT CHILDREN XLIST NAMESPACE IDLE MOVE ID UIDPLUS ESEARCH LIST-EXTENDED \
         LIST-STATUS WITHIN LITERAL- APPENDLIMIT=41943040 CONDSTORE",
    ),
    capability_done: assumed("{tag} OK Success"),
    login_done: seen(MK, "* CAPABILITY {capabilities}\n{tag} OK Success"),
    noop_done: assumed("{tag} OK Success"),
    logout: assumed("* BYE Zoho IMAP4 server terminating connection\n{tag} OK Success"),
    select: seen(
        MK,
        "* {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UNSEEN {unseen}] Message {unseen} is first unseen\n\
         * OK [UIDVALIDITY {uidvalidity}] UIDs valid \n\
         * OK [UIDNEXT {uidnext}] Predicted next UID\n\
         * OK [HIGHESTMODSEQ 1456822463264019000]\n\
         * FLAGS ({flags})\n\
         * OK [PERMANENTFLAGS ({permanent})] Limited\n\
         {tag} OK [{mode}] {command} completed",
    ),
    uid_validity: seen(MK, 2),
    search_done: assumed("{tag} OK Success"),
    esearch: assumed("* ESEARCH (TAG \"{tag}\"){uid}{results}"),
    order: seen(
        MK,
        Order::AsAsked {
            uid: Place::Last,
            changed_flags: Place::Last,
        },
    ),
    fetch_done: seen(MK, "{tag} OK Success"),
    // Also those that were asked for as atoms.
    field_names: seen(MK, FieldNames::Quoted),
    store_done: assumed("{tag} OK Success"),
    list_done: seen(MK, "{tag} OK Success"),
    quotes_names: assumed(true),
    status_done: assumed("{tag} OK Success"),
    ..Manners::PLAIN
};
