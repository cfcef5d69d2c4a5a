//! How NetEase's services talk: 163, 126, yeah and 188, on Coremail.

use super::super::trouble::Trouble;
use super::manners::{Manners, Order, assumed, seen};

const TRANSCRIPT: &str = "recorded: a transcript of 2016 to 2019";
const CAPABILITIES: &str = "IMAP4rev1 XLIST SPECIAL-USE ID LITERAL+ STARTTLS XAPPLEPUSHSERVICE UIDPLUS X-CM-EXT-1 \
     APPENDLIMIT=71680000 SASL-IR AUTH=XOAUTH2";

pub(super) const NET_EASE: Manners = Manners {
    greeting: seen(
        TRANSCRIPT,
        "Coremail System IMap Server Ready(163com[10774b260cc7a37d26d71b52404dcf5c])",
    ),
    // No AUTH=PLAIN, yet LOGIN works.
    capabilities: seen("recorded: 2026", CAPABILITIES),
    capabilities_after: seen("recorded: 2026", CAPABILITIES),
    capability_done: assumed("{tag} OK CAPABILITY completed"),
    login_done: seen(TRANSCRIPT, "{tag} OK LOGIN completed"),
    login_refused: seen(
        "recorded: 2026",
        "{tag} NO LOGIN Login error or password error",
    ),
    id: seen(
        "recorded: imap-backup#217",
        "* ID (\"name\" \"Coremail Imap\" \"vendor\" \"Mailtech\" \"TransID\" \"{session}\")\n\
         {tag} OK ID completed",
    ),
    id_wanted: seen(
        "recorded: imap-backup#217, himalaya#651, and ten more",
        "{tag} NO {command} Unsafe Login. Please contact kefu@188.com for help",
    ),
    noop_done: assumed("{tag} OK NOOP completed"),
    logout: assumed("* BYE IMAP4rev1 Server logging out\n{tag} OK LOGOUT completed"),
    // Neither UIDNEXT nor UNSEEN.
    select: seen(
        "recorded: chatmail/core#5043",
        "* {exists} EXISTS\n\
         * 0 RECENT\n\
         * OK [UIDVALIDITY {uidvalidity}] UIDs valid\n\
         * FLAGS ({flags})\n\
         * OK [PERMANENTFLAGS ({permanent})] Limited\n\
         {tag} OK [{mode}] {command} completed",
    ),
    uid_validity: seen(TRANSCRIPT, 1),
    search_done: assumed("{tag} OK SEARCH completed"),
    order: seen(
        "recorded: FETCH FULL of a transcript; where UID and bodies come is not known",
        Order::Own(&["UID", "INTERNALDATE", "FLAGS", "BODY", "RFC822.SIZE"]),
    ),
    fetch_done: seen(TRANSCRIPT, "{tag} OK Fetch completed"),
    zone_minutes: seen(TRANSCRIPT, 480),
    store_done: assumed("{tag} OK Store completed"),
    list_done: assumed("{tag} OK LIST Completed"),
    quotes_names: seen("recorded: chatmail/core#5043", true),
    status_lacks: seen("recorded: chatmail/core#5043", &["UIDNEXT"]),
    status_done: assumed("{tag} OK STATUS completed"),
    refusals: seen(
        "recorded: 2026",
        &[(
            Trouble::PasswordNotTaken,
            "LOGIN",
            "{tag} NO LOGIN Login error or password error",
        )],
    ),
    ..Manners::PLAIN
};
