//! What each command does. Logging in, LIST, and the commands on messages have files of their own;
//! here is the rest, and which goes where.

use imap_codec::imap_types::command::{Command, CommandBody};
use imap_codec::imap_types::core::Tag;
use imap_codec::imap_types::extensions::binary::LiteralOrLiteral8;
use imap_codec::imap_types::flag::Flag;
use imap_codec::imap_types::mailbox::Mailbox as WireMailbox;
use imap_codec::imap_types::status::StatusDataItemName;

use super::connection::{Connection, Verdict};
use super::dialect::Extension;
use super::link::Halt;
use super::list::Listing;
use super::mailbox::Numbers;
use super::message::TestMessage;
use super::reader::Problem;
use super::script::Values;
use super::session::{Selected, State};
use super::utf7;

/// The lines that end the answer to a command, and what stands in them.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) lines: &'static str,
    pub(super) values: Values,
}

impl Ending {
    pub(super) fn of(lines: &'static str) -> Self {
        Self {
            lines,
            values: Values::default(),
        }
    }

    pub(super) fn with(mut self, values: Values) -> Self {
        self.values = values;
        self
    }
}

/// The first that is not empty.
pub(super) fn either(lines: &'static str, otherwise: &'static str) -> &'static str {
    if lines.is_empty() { otherwise } else { lines }
}

impl Connection {
    /// Carries a command out and answers it.
    pub(super) fn execute(
        &mut self,
        command: Command<'static>,
        extension: &Extension,
        verdict: &Verdict,
    ) -> Result<(), Halt> {
        let Command { tag, body } = command;
        if let CommandBody::Idle = body {
            return self.begin_idle(tag);
        }
        // While numbers are in use, the view must not move (RFC 9051, section 7.5.1).
        let may_tell = !matches!(
            body,
            CommandBody::Fetch { uid: false, .. }
                | CommandBody::Store { uid: false, .. }
                | CommandBody::Search { uid: false, .. }
        );
        let name = body.name();
        let verb = match body {
            CommandBody::Fetch { uid: true, .. }
            | CommandBody::Store { uid: true, .. }
            | CommandBody::Search { uid: true, .. } => format!("UID {name}"),
            _ => name.to_owned(),
        };
        let ending = match body {
            CommandBody::Fetch { .. }
            | CommandBody::Search { .. }
            | CommandBody::Store { .. }
            | CommandBody::Expunge
            | CommandBody::ExpungeUid { .. } => self.on_messages(&tag, body, extension, verdict)?,
            CommandBody::Login { .. } | CommandBody::Authenticate { .. } => self.log_in(body)?,
            body => self.on_mailboxes(body)?,
        };
        if name == "LOGOUT" {
            // Before the client can know: the next one may log in at once.
            self.state = State::NotAuthenticated;
        }
        if may_tell {
            self.catch_up()?;
        }
        let Ending { lines, values } = ending;
        let capitalised = format!("{}{}", &name[..1], name[1..].to_ascii_lowercase());
        let values = values
            .with("command", name)
            .with("Command", capitalised)
            .with("verb", verb);
        self.finish(&tag, &Ending { lines, values })
    }

    fn on_mailboxes(&mut self, body: CommandBody<'static>) -> Result<Ending, Halt> {
        let manners = self.manners();
        let is_logged_in = matches!(self.state, State::Authenticated { .. });
        match body {
            CommandBody::Capability => {
                self.put_line(&format!("* CAPABILITY {}", self.capabilities()))?;
                let done = manners.capability_done.value;
                let lines = match is_logged_in {
                    true => done,
                    false => either(manners.capability_done_before_login.value, done),
                };
                Ok(Ending::of(lines).with(self.values()))
            }
            CommandBody::Noop if !is_logged_in => {
                let done = manners.noop_done.value;
                Ok(Ending::of(either(
                    manners.noop_done_before_login.value,
                    done,
                )))
            }
            CommandBody::Noop => Ok(Ending::of(manners.noop_done.value)),
            CommandBody::Logout => Ok(Ending::of(manners.logout.value)),
            CommandBody::Id { .. } => {
                self.is_known = true;
                Ok(Ending::of(manners.id.value).with(self.values()))
            }
            _ if !is_logged_in => Ok(Ending::of(manners.not_logged_in.value)),
            CommandBody::Check => Ok(Ending::of(manners.check_done.value)),
            CommandBody::Select { .. } | CommandBody::Examine { .. }
                if !manners.id_wanted.value.is_empty() && !self.is_known =>
            {
                Ok(Ending::of(manners.id_wanted.value))
            }
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
            } => self.tell_status(&mailbox, &item_names),
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
            CommandBody::Enable { .. } => Ok(Ending::of(manners.enable.value)),
            CommandBody::Compress { .. } if self.shared.can_compress() => {
                Ok(Ending::of(if self.begin_compression() {
                    "{tag} OK Done"
                } else {
                    "{tag} NO [COMPRESSIONACTIVE] Compressed already"
                }))
            }
            CommandBody::Close => {
                if let Some(selected) = self.selected.take().filter(|own| !own.read_only) {
                    selected.mailbox.remove(|message| message.is_deleted());
                }
                Ok(Ending::of(manners.close_done.value))
            }
            CommandBody::Unselect => match self.selected.take() {
                None if !manners.unselect_nothing.value.is_empty() => {
                    Ok(Ending::of(manners.unselect_nothing.value))
                }
                _ => Ok(Ending::of(manners.unselect_done.value)),
            },
            _ => Ok(Ending::of(manners.unsupported.value)),
        }
    }

    /// Answers what is no command.
    pub(super) fn refuse(
        &mut self,
        tag: Option<Tag<'static>>,
        problem: Problem,
    ) -> Result<(), Halt> {
        let manners = self.manners();
        let is_logged_in = matches!(self.state, State::Authenticated { .. });
        let bad = manners.bad_command.value;
        let ending = match problem {
            Problem::LineTooLong => Ending::of(manners.line_too_long.value),
            Problem::LiteralTooLong => Ending::of("{tag} BAD Literal too long"),
            Problem::NotDone => Ending::of("{tag} BAD DONE expected"),
            Problem::NotUnderstood { command, word } => {
                let lines = match command.as_str() {
                    _ if !is_logged_in => either(manners.bad_command_before_login.value, bad),
                    "SEARCH" => either(manners.bad_search.value, bad),
                    _ => bad,
                };
                let values = Values::default();
                Ending::of(lines).with(values.with("command", command).with("word", word))
            }
        };
        match tag {
            Some(tag) => self.finish(&tag, &ending),
            None => self.put_line("* BAD Command not understood"),
        }
    }

    /// What CAPABILITY says at this moment.
    pub(super) fn capabilities(&self) -> String {
        let is_logged_in = matches!(self.state, State::Authenticated { .. });
        self.shared.capabilities(is_logged_in)
    }

    fn select(&mut self, name: &WireMailbox<'_>, read_only: bool) -> Result<Ending, Halt> {
        let manners = self.manners();
        // A SELECT that fails leaves no mailbox selected (RFC 9051, section 6.3.2).
        if self.selected.take().is_some() && !manners.closed.value.is_empty() {
            self.put_line(manners.closed.value)?;
        }
        let Some(mailbox) = local_name(name).and_then(|name| self.shared.mailbox(&name)) else {
            return Ok(self.missing(manners.select_missing.value, name));
        };
        if !read_only {
            mailbox.disturb();
        }
        let selected = Selected::new(mailbox, read_only, manners.tells_of_new_mail.value);
        let numbers = selected.mailbox.numbers();
        let values = self.values_of(&numbers);
        let flags = selected.mailbox.flags(manners.flags.value);
        let permanent = match read_only {
            true => String::new(),
            false => selected.mailbox.flags(manners.permanent_flags.value),
        };
        self.selected = Some(selected);
        let values = values
            .with("flags", flags)
            .with("permanent", permanent)
            .with("mode", if read_only { "READ-ONLY" } else { "READ-WRITE" });
        let lines = match read_only {
            true => either(manners.examine.value, manners.select.value),
            false => manners.select.value,
        };
        Ok(Ending::of(lines).with(values))
    }

    fn values_of(&self, numbers: &Numbers) -> Values {
        self.values()
            .with("exists", numbers.exists)
            .with_any("unseen", numbers.first_unseen)
            .with("uidvalidity", numbers.uid_validity)
            .with("uidnext", numbers.uid_next)
    }

    /// Ends a command that names a mailbox that is not there.
    fn missing(&self, lines: &'static str, name: &WireMailbox<'_>) -> Ending {
        let name = local_name(name).unwrap_or_default();
        Ending::of(lines).with(self.values().with("name", utf7::encode(&name)))
    }

    fn tell_status(
        &mut self,
        name: &WireMailbox<'static>,
        items: &[StatusDataItemName],
    ) -> Result<Ending, Halt> {
        let manners = self.manners();
        let Some(mailbox) = local_name(name).and_then(|name| self.shared.mailbox(&name)) else {
            return Ok(self.missing(manners.status_missing.value, name));
        };
        let numbers = mailbox.numbers();
        let items: Vec<String> = items
            .iter()
            .filter_map(|item| {
                let (item, number) = match item {
                    StatusDataItemName::Messages => ("MESSAGES", numbers.exists),
                    StatusDataItemName::Recent => ("RECENT", 0),
                    StatusDataItemName::Unseen => ("UNSEEN", numbers.unseen),
                    StatusDataItemName::UidNext => ("UIDNEXT", numbers.uid_next),
                    StatusDataItemName::UidValidity => ("UIDVALIDITY", numbers.uid_validity),
                    _ => return None,
                };
                let is_there = !manners.status_lacks.value.contains(&item);
                is_there.then(|| format!("{item} {number}"))
            })
            .collect();
        let name = local_name(name).unwrap_or_default();
        let values = Values::default()
            .with("name", self.spelled(&name))
            .with("items", items.join(" "));
        if let Some(line) = values.fill(manners.status.value) {
            self.put_line(&line)?;
        }
        Ok(Ending::of(manners.status_done.value))
    }

    fn append(&self, name: &WireMailbox<'_>, message: TestMessage) -> Ending {
        let manners = self.manners();
        let Some(mailbox) = local_name(name).and_then(|name| self.shared.mailbox(&name)) else {
            return self.missing(manners.append_missing.value, name);
        };
        let uid = mailbox.append(message);
        let values = self.values_of(&mailbox.numbers()).with("uid", uid);
        Ending::of(manners.append_done.value).with(values)
    }

    /// Tells the client what has happened to the mailbox it has selected.
    pub(super) fn catch_up(&mut self) -> Result<(), Halt> {
        let told = self
            .selected
            .as_mut()
            .map(Selected::catch_up)
            .unwrap_or_default();
        told.into_iter().try_for_each(|line| self.put_line(&line))
    }

    fn begin_idle(&mut self, tag: Tag<'static>) -> Result<(), Halt> {
        self.idle = Some(tag);
        self.put_line(self.manners().idle.value)
    }

    /// Ends IDLE; what has happened meanwhile is told only now.
    pub(super) fn end_idle(&mut self) -> Result<(), Halt> {
        self.catch_up()?;
        match self.idle.take() {
            Some(tag) => self.finish(&tag, &Ending::of(self.manners().idle_done.value)),
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
