//! What each command does. Logging in, LIST, and the commands on messages have files of their own;
//! here is the rest, and which goes where.

use std::num::NonZeroU32;

use imap_codec::imap_types::auth::AuthMechanism;
use imap_codec::imap_types::command::{Command, CommandBody};
use imap_codec::imap_types::core::{Tag, Vec1};
use imap_codec::imap_types::extensions::binary::LiteralOrLiteral8;
use imap_codec::imap_types::extensions::compress::CompressionAlgorithm;
use imap_codec::imap_types::flag::{Flag, FlagPerm};
use imap_codec::imap_types::mailbox::Mailbox as WireMailbox;
use imap_codec::imap_types::response::{
    Capability, Code, CodeOther, CommandContinuationRequest, Data, Response, Status, StatusKind,
};
use imap_codec::imap_types::status::{StatusDataItem, StatusDataItemName};

use super::connection::{Connection, Verdict};
use super::link::Halt;
use super::list::Listing;
use super::message::TestMessage;
use super::session::{Selected, State};
use super::utf7;

/// What the tagged answer to a command says.
#[derive(Debug)]
pub(super) struct Ending {
    kind: StatusKind,
    code: Option<Code<'static>>,
    text: String,
}

impl Ending {
    pub(super) fn ok() -> Self {
        Self {
            kind: StatusKind::Ok,
            code: None,
            text: "Done".to_owned(),
        }
    }

    pub(super) fn no(code: &'static str, text: impl Into<String>) -> Self {
        let code = Code::Other(CodeOther::unvalidated(code.as_bytes()));
        Self {
            kind: StatusKind::No,
            code: Some(code),
            text: text.into(),
        }
    }

    pub(super) fn bad(text: &str) -> Self {
        Self {
            kind: StatusKind::Bad,
            code: None,
            text: text.to_owned(),
        }
    }

    pub(super) fn with_code(mut self, code: Code<'static>) -> Self {
        self.code = Some(code);
        self
    }

    pub(super) fn with_kind(mut self, kind: StatusKind) -> Self {
        self.kind = kind;
        self
    }
}

impl Connection {
    /// Carries a command out and answers it.
    pub(super) fn execute(
        &mut self,
        command: Command<'static>,
        verdict: &Verdict,
    ) -> Result<(), Halt> {
        let Command { tag, body } = command;
        if let CommandBody::Idle = body {
            return self.begin_idle(tag);
        }
        let is_logout = matches!(body, CommandBody::Logout);
        // While numbers are in use, the view must not move (RFC 9051, section 7.5.1).
        let may_tell = !matches!(
            body,
            CommandBody::Fetch { uid: false, .. }
                | CommandBody::Store { uid: false, .. }
                | CommandBody::Search { uid: false, .. }
        );
        let ending = match body {
            CommandBody::Fetch { .. }
            | CommandBody::Search { .. }
            | CommandBody::Store { .. }
            | CommandBody::Expunge
            | CommandBody::ExpungeUid { .. } => self.on_messages(body, verdict)?,
            CommandBody::Login { .. } | CommandBody::Authenticate { .. } => self.log_in(body)?,
            body => self.on_mailboxes(body)?,
        };
        if is_logout {
            // Before the client can know: the next one may log in at once.
            self.state = State::NotAuthenticated;
        }
        if may_tell {
            self.catch_up()?;
        }
        self.tagged(tag, ending.kind, ending.code, &ending.text)?;
        if is_logout { Err(Halt::Close) } else { Ok(()) }
    }

    fn on_mailboxes(&mut self, body: CommandBody<'static>) -> Result<Ending, Halt> {
        match body {
            CommandBody::Capability => self.capability(),
            CommandBody::Noop | CommandBody::Check => Ok(Ending::ok()),
            CommandBody::Logout => {
                if let Ok(bye) = Status::bye(None, "Goodbye") {
                    self.put(Response::Status(bye))?;
                }
                Ok(Ending::ok())
            }
            CommandBody::Id { .. } => {
                self.data(Data::Id { parameters: None })?;
                Ok(Ending::ok())
            }
            _ if matches!(self.state, State::NotAuthenticated) => Ok(Ending::bad("Log in first")),
            CommandBody::Select { mailbox } => self.select(&mailbox, false),
            CommandBody::Examine { mailbox } => self.select(&mailbox, true),
            CommandBody::List {
                mailbox_wildcard, ..
            } => self.list(&mailbox_wildcard, Listing::List),
            CommandBody::Lsub {
                mailbox_wildcard, ..
            } => self.list(&mailbox_wildcard, Listing::Subscribed),
            CommandBody::Status {
                mailbox,
                item_names,
            } => self.tell_status(mailbox, &item_names),
            CommandBody::Append {
                mailbox,
                flags,
                date,
                message,
            } => {
                let message = match message {
                    LiteralOrLiteral8::Literal(literal) => literal.into_inner(),
                    LiteralOrLiteral8::Literal8(literal) => literal.data,
                };
                let mut message = TestMessage::from(message.into_owned());
                message.flags = flags.iter().map(Flag::to_string).collect();
                if let Some(date) = date {
                    message.internal_date = date.as_ref().timestamp();
                }
                Ok(self.append(&mailbox, message))
            }
            CommandBody::Enable { .. } => {
                self.data(Data::Enabled {
                    capabilities: Vec::new(),
                })?;
                Ok(Ending::ok())
            }
            CommandBody::Compress { .. } if self.shared.settings.compress => {
                Ok(if self.begin_compression() {
                    Ending::ok()
                } else {
                    Ending::no("COMPRESSIONACTIVE", "Compressed already")
                })
            }
            CommandBody::Close => {
                if let Some(selected) = self.selected.take().filter(|own| !own.read_only) {
                    selected.mailbox.remove(|message| message.is_deleted());
                }
                Ok(Ending::ok())
            }
            CommandBody::Unselect => {
                self.selected = None;
                Ok(Ending::ok())
            }
            _ => Ok(Ending::bad("Command not supported")),
        }
    }

    fn capability(&mut self) -> Result<Ending, Halt> {
        let mut capabilities = Vec1::from(Capability::Imap4Rev1).into_inner();
        capabilities.extend([
            Capability::LiteralPlus,
            Capability::Id,
            Capability::Enable,
            Capability::Idle,
            Capability::Unselect,
            Capability::UidPlus,
        ]);
        let settings = &self.shared.settings;
        let is_logged_in = matches!(self.state, State::Authenticated { .. });
        if settings.sasl_ir {
            capabilities.push(Capability::SaslIr);
        }
        if settings.login_disabled && !is_logged_in {
            capabilities.push(Capability::LoginDisabled);
        }
        let mechanisms = settings.mechanisms.iter().cloned();
        capabilities.extend(
            mechanisms
                .filter_map(|name| AuthMechanism::try_from(name).ok())
                .map(Capability::Auth),
        );
        if is_logged_in && settings.compress {
            capabilities.push(Capability::Compress {
                algorithm: CompressionAlgorithm::Deflate,
            });
        }
        let further = self.shared.settings.capabilities.clone();
        capabilities.extend(
            further
                .into_iter()
                .filter_map(|word| Capability::try_from(word).ok()),
        );
        if let Ok(data) = Data::capability(capabilities) {
            self.data(data)?;
        }
        Ok(Ending::ok())
    }

    fn select(&mut self, name: &WireMailbox<'_>, read_only: bool) -> Result<Ending, Halt> {
        // A SELECT that fails leaves no mailbox selected (RFC 9051, section 6.3.2).
        self.selected = None;
        let Some(mailbox) = local_name(name).and_then(|name| self.shared.mailbox(&name)) else {
            return Ok(Ending::no("NONEXISTENT", "No such mailbox"));
        };
        let selected = Selected::new(mailbox, read_only);
        let numbers = selected.mailbox.numbers();
        let system = [
            Flag::Answered,
            Flag::Flagged,
            Flag::Deleted,
            Flag::Seen,
            Flag::Draft,
        ];
        self.data(Data::Flags(system.to_vec()))?;
        let permanent = if read_only {
            Vec::new()
        } else {
            system
                .into_iter()
                .map(FlagPerm::Flag)
                .chain([FlagPerm::Asterisk])
                .collect()
        };
        self.untagged(Code::PermanentFlags(permanent), "Flags that are kept")?;
        self.data(Data::Exists(numbers.exists))?;
        self.data(Data::Recent(0))?;
        if let Some(first) = numbers.first_unseen.and_then(NonZeroU32::new) {
            self.untagged(Code::Unseen(first), "First unseen")?;
        }
        if let Some(uid_validity) = NonZeroU32::new(numbers.uid_validity) {
            self.untagged(Code::UidValidity(uid_validity), "UIDs valid")?;
        }
        if let Some(uid_next) = NonZeroU32::new(numbers.uid_next) {
            self.untagged(Code::UidNext(uid_next), "Predicted next UID")?;
        }
        self.selected = Some(selected);
        let code = if read_only {
            Code::ReadOnly
        } else {
            Code::ReadWrite
        };
        Ok(Ending::ok().with_code(code))
    }

    fn tell_status(
        &mut self,
        name: WireMailbox<'static>,
        items: &[StatusDataItemName],
    ) -> Result<Ending, Halt> {
        let Some(mailbox) = local_name(&name).and_then(|name| self.shared.mailbox(&name)) else {
            return Ok(Ending::no("NONEXISTENT", "No such mailbox"));
        };
        let numbers = mailbox.numbers();
        let one_or_more = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let items: Vec<_> = items
            .iter()
            .filter_map(|item| match item {
                StatusDataItemName::Messages => Some(StatusDataItem::Messages(numbers.exists)),
                StatusDataItemName::Recent => Some(StatusDataItem::Recent(0)),
                StatusDataItemName::Unseen => Some(StatusDataItem::Unseen(numbers.unseen)),
                StatusDataItemName::UidNext => {
                    Some(StatusDataItem::UidNext(one_or_more(numbers.uid_next)))
                }
                StatusDataItemName::UidValidity => Some(StatusDataItem::UidValidity(one_or_more(
                    numbers.uid_validity,
                ))),
                _ => None,
            })
            .collect();
        self.data(Data::Status {
            mailbox: name,
            items: items.into(),
        })?;
        Ok(Ending::ok())
    }

    fn append(&self, name: &WireMailbox<'_>, message: TestMessage) -> Ending {
        let Some(mailbox) = local_name(name).and_then(|name| self.shared.mailbox(&name)) else {
            return Ending::no("TRYCREATE", "No such mailbox");
        };
        let uid = NonZeroU32::new(mailbox.append(message));
        match (NonZeroU32::new(mailbox.numbers().uid_validity), uid) {
            (Some(uid_validity), Some(uid)) => {
                Ending::ok().with_code(Code::AppendUid { uid_validity, uid })
            }
            _ => Ending::ok(),
        }
    }

    /// Tells the client what has happened to the mailbox it has selected.
    pub(super) fn catch_up(&mut self) -> Result<(), Halt> {
        let told = self
            .selected
            .as_mut()
            .map(Selected::catch_up)
            .unwrap_or_default();
        told.into_iter().try_for_each(|data| self.data(data))
    }

    fn begin_idle(&mut self, tag: Tag<'static>) -> Result<(), Halt> {
        self.idle = Some(tag);
        match CommandContinuationRequest::basic(None, "idling") {
            Ok(request) => self.put(Response::CommandContinuationRequest(request)),
            Err(_) => Ok(()),
        }
    }

    /// Ends IDLE; what has happened meanwhile is told only now.
    pub(super) fn end_idle(&mut self) -> Result<(), Halt> {
        self.catch_up()?;
        match self.idle.take() {
            Some(tag) => self.tagged(tag, StatusKind::Ok, None, "Done"),
            None => Ok(()),
        }
    }
}

/// The UTF-8 name for a name on the wire.
fn local_name(name: &WireMailbox<'_>) -> Option<String> {
    match name {
        WireMailbox::Inbox => Some("INBOX".to_owned()),
        WireMailbox::Other(other) => utf7::decode(str::from_utf8(other.as_ref()).ok()?),
    }
}
