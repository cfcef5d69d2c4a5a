//! How iCloud talks.

use super::super::trouble::Trouble;
use super::manners::{Fate, Manners, assumed, seen};

pub(super) const ICLOUD: Manners = Manners {
    greeting: seen(
        "fixture: jstedfast/MailKit, 2025",
        "[CAPABILITY {capabilities}] (2428B47-8e5e6a56) p00-iscream-{session}",
    ),
    capabilities: seen(
        "fixture: jstedfast/MailKit, 2025",
        "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN AUTH=PLAIN AUTH=ATOKEN2 \
         AUTH=XOAUTH2",
    ),
    capabilities_after: seen(
        "fixture: jstedfast/MailKit, 2025; recorded: nextcloud/mail#3401",
        "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 CONDSTORE ENABLE QRESYNC QUOTA XAPPLELITERAL \
         NAMESPACE UIDPLUS CHILDREN BINARY UNSELECT SORT CATENATE URLAUTH LANGUAGE ESEARCH ESORT \
         THREAD=ORDEREDSUBJECT THREAD=REFERENCES CONTEXT=SEARCH CONTEXT=SORT WITHIN SASL-IR \
         SEARCHRES METADATA ID XMSEARCH X-SUN-SORT ANNOTATE-EXPERIMENT-1 X-UNAUTHENTICATE \
         X-SUN-IMAP XUM1 MULTISEARCH IDLE X-APPLE-REMOTE-LINKS LIST-STATUS",
    ),
    capability_done: seen("fixture: jstedfast/MailKit, 2025", "{tag} OK Completed"),
    login_done: seen(
        "fixture: jstedfast/MailKit, 2025",
        "{tag} OK user {user} authenticated",
    ),
    // The connection ends with the next command.
    login_refused: seen(
        "recorded: imapfilter#125",
        "{tag} NO [AUTHENTICATIONFAILED] Authentication failed\n{close}",
    ),
    noop_done: assumed("{tag} OK NOOP completed (took 0 ms)"),
    logout: assumed("* BYE Logging out\n{tag} OK LOGOUT completed (took 0 ms)"),
    enable: seen("recorded: nextcloud/mail#3401", "{tag} OK ENABLE completed"),
    select_missing: seen(
        "SwiftMail#30",
        "{tag} NO [NONEXISTENT] Mailbox does not exist (took 1 ms)",
    ),
    status_missing: seen(
        "SwiftMail#30",
        "{tag} NO [NONEXISTENT] Mailbox does not exist (took 1 ms)",
    ),
    search_empty: seen("recorded: home-assistant#132042, mcp-email-server#237", ""),
    search_done: seen(
        "recorded: home-assistant#132042",
        "{tag} OK SEARCH completed (took 1 ms)",
    ),
    // RETURN is announced, and answered as if it were not there.
    esearch: seen(
        "recorded: MailKit#863; horde/Imap_Client#17",
        "* SEARCH{numbers}",
    ),
    search_keys: seen(
        "lswith/imap-mcp#7",
        &[
            ("FROM", Fate::FindsNothing),
            ("TO", Fate::FindsNothing),
            ("CC", Fate::FindsNothing),
            ("BCC", Fate::FindsNothing),
            ("SUBJECT", Fate::FindsNothing),
            ("HEADER", Fate::FindsNothing),
            ("BODY", Fate::FindsNothing),
            ("TEXT", Fate::FindsNothing),
        ],
    ),
    fetch_done: assumed("{tag} OK FETCH completed (took 1 ms)"),
    ignored_items: seen("recorded: zammad#4589; mail-mcp#22", &["RFC822"]),
    flag_echoes: seen("recorded: home-assistant#132042", 3),
    store_done: assumed("{tag} OK STORE completed (took 1 ms)"),
    expunge_done: assumed("{tag} OK EXPUNGE completed (took 1 ms)"),
    list_done: assumed("{tag} OK LIST completed (took 1 ms)"),
    quotes_names: seen("recorded: home-assistant#132042", true),
    folders: seen(
        "recorded: home-assistant#132042; SwiftMail#30",
        &[
            ("INBOX", r"\Noinferiors"),
            ("Deleted Messages", ""),
            ("Drafts", ""),
            ("Junk", ""),
            ("Sent Messages", ""),
        ],
    ),
    status_done: assumed("{tag} OK STATUS completed (took 1 ms)"),
    refusals: seen(
        "mail-archiver#414",
        &[(
            Trouble::Unavailable,
            "FETCH",
            "{tag} NO Service temporarily unavailable",
        )],
    ),
    ..Manners::PLAIN
};
