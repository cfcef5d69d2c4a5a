//! Which servers the test server can pass for. Each has a file of data; nothing here or elsewhere
//! asks which server it is.

mod courier;
mod cyrus;
mod davmail;
mod dovecot;
mod exchange;
mod gmail;
mod hmailserver;
mod icloud;
mod imap4d;
mod james;
mod login_proxy;
mod mail_ru;
pub(super) mod manners;
mod net_ease;
mod proton_bridge;
mod qq;
mod stalwart;
mod yahoo;
mod yandex;
mod zimbra;
mod zoho;

use std::fmt;

use self::manners::Manners;
use super::fault::Fault;
use super::trouble::Trouble;

macro_rules! personas {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $manners:path;)+) => {
        /// A server that the test [`Server`](super::Server) talks like: its greeting, the order and
        /// form of its answers, its refusals in its own words, its limits.
        ///
        /// What is [attested](Self::attested) comes from recordings, sources and reports, each
        /// named; where nothing is known, the server speaks plain IMAP, and says so in
        /// [`assumed`](Self::assumed). A persona announces what its server announces, also where
        /// the test server cannot do it; only STARTTLS and COMPRESS are announced only where it can.
        ///
        /// # Examples
        ///
        /// ```
        /// use parallel_mailbox::testing::{Persona, Server, Trouble};
        ///
        /// # fn main() -> std::io::Result<()> {
        /// let server = Server::builder()
        ///     .persona(Persona::Exchange)
        ///     .message("Subject: hello\r\n\r\nworld\r\n")
        ///     .start()?;
        /// for fault in Persona::Exchange.faults(Trouble::Throttled) {
        ///     server.add_fault(fault.times(1));
        /// }
        /// # Ok(())
        /// # }
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Persona {
            $($(#[$doc])* $variant,)+
        }

        impl Persona {
            /// All of them.
            #[must_use]
            pub const fn all() -> &'static [Self] {
                &[$(Self::$variant,)+]
            }

            /// The server's name, as people write it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            pub(super) const fn manners(self) -> &'static Manners {
                match self {
                    $(Self::$variant => &$manners,)+
                }
            }
        }
    };
}

personas! {
    /// Gmail: items of FETCH in its own order, all bodies last.
    Gmail, "Gmail", gmail::GMAIL;
    /// Exchange Online and Outlook.com: throttling as BAD, special-use names last.
    Exchange, "Exchange Online", exchange::ONLINE;
    /// Exchange on an operator's own machines.
    ExchangeOnPremises, "Exchange on premises", exchange::ON_PREMISES;
    /// Yahoo and AOL: the newest 10,000 messages of a mailbox.
    Yahoo, "Yahoo", yahoo::YAHOO;
    /// iCloud: no SEARCH line where nothing is found.
    ICloud, "iCloud", icloud::ICLOUD;
    /// Dovecot 2.3.
    Dovecot, "Dovecot", dovecot::DOVECOT;
    /// Cyrus 3.6: refusals without codes.
    Cyrus, "Cyrus", cyrus::CYRUS;
    /// Courier: an invented message in place of one that is gone.
    Courier, "Courier", courier::COURIER;
    /// GNU Mailutils' imap4d: empty bodies when another client writes.
    Imap4d, "GNU imap4d", imap4d::IMAP4D;
    /// Proton Mail Bridge: answers out of order.
    ProtonBridge, "Proton Bridge", proton_bridge::PROTON_BRIDGE;
    /// DavMail, a gateway to Exchange: a refused SEARCH ends the session.
    DavMail, "DavMail", davmail::DAVMAIL;
    /// QQ Mail: searches by text find everything.
    Qq, "QQ", qq::QQ;
    /// NetEase's 163, 126, yeah and 188: no EXAMINE without ID.
    NetEase, "163", net_ease::NET_EASE;
    /// Yandex: changed flags come after the body.
    Yandex, "Yandex", yandex::YANDEX;
    /// mail.ru.
    MailRu, "mail.ru", mail_ru::MAIL_RU;
    /// Zoho: UID last.
    Zoho, "Zoho", zoho::ZOHO;
    /// Zimbra: a stub in place of a message that is gone.
    Zimbra, "Zimbra", zimbra::ZIMBRA;
    /// hMailServer: BAD for a mailbox that does not exist.
    HMailServer, "hMailServer", hmailserver::HMAILSERVER;
    /// Stalwart.
    Stalwart, "Stalwart", stalwart::STALWART;
    /// Apache James: UID after the size.
    James, "James", james::JAMES;
    /// A proxy that hands the connection over after LOGIN, as imapproxy and perdition do; what
    /// arrives meanwhile is lost.
    LoginProxy, "login proxy", login_proxy::LOGIN_PROXY;
}

impl Persona {
    /// What is known of the server: the name of each fact, and where it is known from.
    pub fn attested(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let facts = self.manners().facts().into_iter();
        facts.filter_map(|(name, source)| Some((name, source?)))
    }

    /// What is not known of the server, so that plain IMAP stands in for it.
    pub fn assumed(self) -> impl Iterator<Item = &'static str> {
        let facts = self.manners().facts().into_iter();
        facts.filter_map(|(name, source)| source.is_none().then_some(name))
    }

    /// What the server is known to say in this trouble, in each of the forms that are known, before
    /// the command that gets to hear it; of [`Trouble::Poisoned`], at the message that
    /// [`Fault::uid`] names. None where nothing is known.
    ///
    /// A fault strikes each time unless it is told otherwise: see [`Fault::times`].
    #[must_use]
    pub fn faults(self, trouble: Trouble) -> Vec<Fault> {
        let refusals = self.manners().refusals.value.iter();
        refusals
            .filter(|(own, ..)| *own == trouble)
            .map(|(_, command, lines)| match *command {
                "" => Fault::lines(*lines),
                command => Fault::lines(*lines).before(command),
            })
            .collect()
    }
}

impl fmt::Display for Persona {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
