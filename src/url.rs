//! stub
pub(crate) enum Scheme {
    Imaps,
    #[allow(dead_code)]
    Imap,
}
pub(crate) struct MailboxUrl {
    pub(crate) security: Scheme,
    pub(crate) user: Option<String>,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) mailbox: Option<String>,
}
impl MailboxUrl {
    pub(crate) fn parse(u: &str) -> crate::error::Result<Self> {
        Ok(Self {
            security: Scheme::Imaps,
            user: None,
            host: u.into(),
            port: None,
            mailbox: None,
        })
    }
}
