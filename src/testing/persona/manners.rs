//! How a server talks, as data: every answer, order and limit that servers differ in. A persona is
//! a value of [`Manners`]; the server obeys it and knows no server's name.
//!
//! Answers are lines. `{tag} ` begins the tagged one, `{close}` ends the connection, as `* BYE`
//! does. Other names in braces stand for values; `script` fills them in.

use super::super::trouble::Trouble;

/// One thing that servers differ in.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Fact<T> {
    pub(in super::super) value: T,
    /// Where it was seen; absent where it is not known, and plain IMAP stands in for it.
    source: Option<&'static str>,
}

/// A fact that is known from this source.
pub(super) const fn seen<T>(source: &'static str, value: T) -> Fact<T> {
    Fact {
        value,
        source: Some(source),
    }
}

/// What stands in for a fact that is not known.
pub(super) const fn assumed<T>(value: T) -> Fact<T> {
    Fact {
        value,
        source: None,
    }
}

/// The order of the items in a FETCH response.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Order {
    /// As they were asked for. UID comes so where it was not, and so do the flags where reading
    /// has changed them.
    AsAsked { uid: Place, changed_flags: Place },
    /// In this order, whatever is asked for; `BODY` stands for all bodies.
    Own(&'static [&'static str]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Place {
    /// Flags behind UID.
    First,
    Last,
}

/// How the names of header fields come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum FieldNames {
    AsAsked,
    InCapitals,
    Quoted,
}

/// What becomes of a range whose first number is the larger one.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Descending {
    /// It means the same as the other way round (RFC 9051, section 9, `seq-range`).
    Taken,
    Empty,
    Refused(&'static str),
}

/// What FETCH says of a message that another client has expunged, and this one has not been told.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Expunged {
    LeftOut,
    /// Its attributes, and NIL for each body.
    Nil,
    /// The message, as if it were still there.
    Served,
    /// No flags, the beginning of time, size 0, an empty body.
    Stub,
    /// A message that nobody wrote.
    Invented(&'static str),
}

/// What becomes of a SEARCH with a key that the server cannot deal with.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Fate {
    /// The command is answered with this.
    Refused(&'static str),
    /// The key holds for every message.
    Ignored,
    /// The key holds for none.
    FindsNothing,
}

/// A refusal of the server's own: which command meets it, and the answer. No command where the
/// others of its messages are answered before.
pub(in super::super) type Refusal = (Trouble, &'static str, &'static str);

macro_rules! manners {
    ($($(#[$doc:meta])* $name:ident: $kind:ty = $plain:expr;)+) => {
        /// How a server talks.
        #[derive(Debug)]
        pub(in super::super) struct Manners {
            $($(#[$doc])* pub(in super::super) $name: Fact<$kind>,)+
        }

        impl Manners {
            /// Plain IMAP: what is not known of a server is as here.
            pub(in super::super) const PLAIN: Self = Self {
                $($name: assumed($plain),)+
            };

            /// All facts by name, and where each is known from.
            pub(super) fn facts(&self) -> Vec<(&'static str, Option<&'static str>)> {
                vec![$((stringify!($name), self.$name.source),)+]
            }
        }
    };
}

manners! {
    /// What follows `* OK `.
    greeting: &'static str = "parallel-mailbox test server ready";
    /// Those that the greeting names, if it names any; empty where they are the same as later.
    greeted_capabilities: &'static str = "";
    /// What CAPABILITY says before the login; empty for what this server can do.
    capabilities: &'static str = "";
    /// And after it.
    capabilities_after: &'static str = "";
    capability_done: &'static str = "{tag} OK Done";
    /// Empty where it is the same.
    capability_done_before_login: &'static str = "";
    login_done: &'static str = "{tag} OK Done";
    /// Empty where it is the same.
    authenticate_done: &'static str = "";
    login_refused: &'static str = "{tag} NO [AUTHENTICATIONFAILED] Authentication failed";
    too_many_sessions: &'static str = "{tag} NO [LIMIT] {limit}";
    max_sessions: Option<usize> = None;
    /// A connection too many is closed without a greeting.
    closes_on_too_many: bool = false;
    /// Why a token is refused (RFC 7628, section 3.2.2); empty where the server does not say.
    token_complaint: &'static str =
        r#"{"status":"invalid_token","schemes":"bearer","scope":"https://mail.example.org/"}"#;
    /// Commands that arrive before the answer to LOGIN are carried out.
    keeps_behind_login: bool = true;
    keeps_behind_authenticate: bool = true;
    id: &'static str = "* ID NIL\n{tag} OK Done";
    /// To SELECT and EXAMINE without ID; empty where none is wanted.
    id_wanted: &'static str = "";
    not_logged_in: &'static str = "{tag} BAD Log in first";
    not_selected: &'static str = "{tag} BAD Select a mailbox first";
    bad_command: &'static str = "{tag} BAD Command not understood";
    /// Empty where it is the same.
    bad_command_before_login: &'static str = "";
    /// Empty where it is the same.
    bad_search: &'static str = "";
    unsupported: &'static str = "{tag} BAD Command not supported";
    /// After so many in a row the server has had enough.
    max_bad_commands: u32 = u32::MAX;
    too_many_bad_commands: &'static str = "* BYE Too many bad commands";
    max_line: usize = 64 * 1024;
    line_too_long: &'static str = "{tag} BAD Command line too long";
    go_ahead: &'static str = "+ OK";
    noop_done: &'static str = "{tag} OK Done";
    /// Empty where it is the same.
    noop_done_before_login: &'static str = "";
    check_done: &'static str = "{tag} OK Done";
    logout: &'static str = "* BYE Goodbye\n{tag} OK Done";
    enable: &'static str = "* ENABLED\n{tag} OK Done";
    idle: &'static str = "+ idling";
    idle_done: &'static str = "{tag} OK Done";

    /// What stands between the parentheses of FLAGS.
    flags: &'static str = r"\Answered \Flagged \Deleted \Seen \Draft";
    permanent_flags: &'static str = r"\Answered \Flagged \Deleted \Seen \Draft \*";
    select: &'static str = "* FLAGS ({flags})\n\
        * OK [PERMANENTFLAGS ({permanent})] Flags that are kept\n\
        * {exists} EXISTS\n\
        * 0 RECENT\n\
        * OK [UNSEEN {unseen}] First unseen\n\
        * OK [UIDVALIDITY {uidvalidity}] UIDs valid\n\
        * OK [UIDNEXT {uidnext}] Predicted next UID\n\
        {tag} OK [{mode}] Done";
    /// Empty where it is the same, READ-ONLY and without permanent flags.
    examine: &'static str = "";
    /// Before it, where another mailbox was selected.
    closed: &'static str = "";
    select_missing: &'static str = "{tag} NO [NONEXISTENT] No such mailbox";
    mailbox_deleted: &'static str = "{tag} NO [NONEXISTENT] Mailbox has been deleted";
    uid_validity: u32 = 1;
    close_done: &'static str = "{tag} OK Done";
    unselect_done: &'static str = "{tag} OK Done";
    /// Empty where it is done all the same.
    unselect_nothing: &'static str = "";
    /// Messages that arrive are told of (EXISTS).
    tells_of_new_mail: bool = true;

    search: &'static str = "* SEARCH{numbers}";
    /// Empty where there is no such line.
    search_empty: &'static str = "* SEARCH";
    search_done: &'static str = "{tag} OK Done";
    /// To SEARCH RETURN (RFC 4731); empty where it is not understood. It may be that of SEARCH.
    esearch: &'static str = "";
    /// No more than the newest so many are found.
    search_cap: usize = usize::MAX;
    search_keys: &'static [(&'static str, Fate)] = &[];
    charsets: &'static [&'static str] = &["UTF-8", "US-ASCII"];
    bad_charset: &'static str = "{tag} NO [BADCHARSET (UTF-8 US-ASCII)] Unknown charset";

    order: Order = Order::Own(&["UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY"]);
    fetch_done: &'static str = "{tag} OK Done";
    /// Before a body that is not the first item.
    before_body: &'static str = " ";
    /// Sections of fewer octets come in quotes, where those can hold them.
    quoted_below: usize = 0;
    empty_body: &'static str = "{0}\r\n";
    /// What a literal with a NUL begins with.
    nul_literal: &'static str = "{";
    field_names: FieldNames = FieldNames::AsAsked;
    /// Items that are asked for in vain.
    ignored_items: &'static [&'static str] = &[];
    unknown_item: &'static str = "{tag} BAD Item not supported";
    /// East of Greenwich, for INTERNALDATE.
    zone_minutes: i32 = 0;
    /// Octets by which RFC822.SIZE is too large.
    size_surplus: u32 = 0;
    /// From here on RFC822.SIZE is written as 1.2345e+06.
    float_size_from: usize = usize::MAX;
    /// Flags that come with those that reading has changed.
    surprise_flags: &'static str = "";
    /// With more messages than this, those of one FETCH do not come in order.
    in_order_up_to: usize = usize::MAX;
    /// To a FETCH with a sequence number beyond the last; empty where it is passed over.
    number_too_high: &'static str = "";
    /// To a FETCH by sequence numbers that finds nothing; empty where it is OK.
    no_such_numbers: &'static str = "";
    descending: Descending = Descending::Taken;
    /// A set of UIDs that names this one or a larger one finds nothing at all.
    poison_uid: Option<u32> = None;
    expunged: Expunged = Expunged::LeftOut;
    /// An untagged line for each such message.
    expunged_note: &'static str = "";
    /// The end of a FETCH with such a message; empty where it is the usual one.
    expunged_done: &'static str = "";
    /// When another client writes to the mailbox, every body is empty until it is opened again.
    goes_blind: bool = false;

    store_done: &'static str = "{tag} OK Done";
    store_read_only: &'static str = "{tag} NO [CANNOT] Mailbox is read-only";
    /// Flags that STORE leaves as they were are answered as well.
    tells_unchanged_flags: bool = true;
    /// How often a change of flags is told.
    flag_echoes: u32 = 1;
    /// Lines that tell of a keyword that the mailbox did not have.
    new_keyword: &'static str = "";
    expunge_done: &'static str = "{tag} OK Done";
    append_done: &'static str = "{tag} OK [APPENDUID {uidvalidity} {uid}] Done";
    append_missing: &'static str = "{tag} NO [TRYCREATE] No such mailbox";

    list: &'static str = "* {listing} ({attributes}) \"{delimiter}\" {name}";
    list_done: &'static str = "{tag} OK Done";
    delimiter: char = '/';
    /// Also names that need no quotes have them.
    quotes_names: bool = false;
    /// How LIST and STATUS spell it.
    inbox: &'static str = "INBOX";
    /// Attributes of mailboxes that are not in `folders`.
    attributes: &'static str = "";
    /// Mailboxes of the server's own, with their attributes.
    folders: &'static [(&'static str, &'static str)] = &[];
    status: &'static str = "* STATUS {name} ({items})";
    status_done: &'static str = "{tag} OK Done";
    status_missing: &'static str = "{tag} NO [NONEXISTENT] No such mailbox";
    /// Items that STATUS passes over.
    status_lacks: &'static [&'static str] = &[];

    /// Refusals of the server's own.
    refusals: &'static [Refusal] = &[];
}
