//! The commands that work on the messages of the selected mailbox: FETCH, SEARCH, STORE, EXPUNGE.

use std::num::NonZeroU32;
use std::sync::Arc;

use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::core::{Charset, Vec1};
use imap_codec::imap_types::fetch::MessageDataItem;
use imap_codec::imap_types::flag::StoreResponse;
use imap_codec::imap_types::response::{Code, Data, StatusKind};
use imap_codec::imap_types::sequence::SequenceSet;

use super::commands::Ending;
use super::connection::{Connection, Verdict};
use super::fault::{Action, Moment};
use super::fetch::{Distortion, Plan};
use super::flags::FlagSet;
use super::link::Halt;
use super::mailbox::{Mailbox, Stored, count};
use super::ranges::Ranges;
use super::search;
use super::session::number;

/// How many messages a FETCH looks up under one lock.
const BATCH: usize = 64;

impl Connection {
    /// Carries out a command on messages.
    pub(super) fn on_messages(
        &mut self,
        body: CommandBody<'static>,
        verdict: &Verdict,
    ) -> Result<Ending, Halt> {
        if matches!(body, CommandBody::Search { uid: true, .. }) {
            // A search by UID finds what is there now, and numbers are not in use.
            self.catch_up()?;
        }
        let Some(selected) = &self.selected else {
            return Ok(Ending::bad("Select a mailbox first"));
        };
        let mailbox = Arc::clone(&selected.mailbox);
        if mailbox.is_deleted() {
            return Ok(Ending::no("NONEXISTENT", "Mailbox has been deleted"));
        }
        let read_only = selected.read_only;
        match body {
            CommandBody::Fetch {
                sequence_set,
                macro_or_item_names,
                uid,
            } => {
                let Some(plan) = Plan::new(macro_or_item_names, uid) else {
                    return Ok(Ending::bad("Item not supported"));
                };
                let mut positions = self.positions(&sequence_set, uid);
                if verdict.reversed {
                    positions.reverse();
                }
                self.fetch(&mailbox, &plan, &positions, !read_only && plan.sets_seen())
            }
            CommandBody::Search {
                charset,
                criteria,
                uid,
            } => {
                if !search::knows_charset(charset.as_ref()) {
                    let allowed = ["UTF-8", "US-ASCII"];
                    let allowed = allowed
                        .into_iter()
                        .filter_map(|name| Charset::try_from(name).ok());
                    let code = Code::BadCharset {
                        allowed: allowed.collect(),
                    };
                    return Ok(Ending::bad("Unknown charset")
                        .with_kind(StatusKind::No)
                        .with_code(code));
                }
                let uids = Arc::clone(&selected.uids);
                let found = search::run(&mailbox, &uids, criteria.as_ref());
                let numbers = found.into_iter().filter_map(|position| {
                    if uid {
                        NonZeroU32::new(uids[position])
                    } else {
                        number(position)
                    }
                });
                self.data(Data::Search(numbers.collect()))?;
                Ok(Ending::ok())
            }
            _ if read_only => Ok(Ending::no("CANNOT", "Mailbox is read-only")),
            CommandBody::Store {
                sequence_set,
                kind,
                response,
                flags,
                uid,
            } => {
                let uids = Arc::clone(&selected.uids);
                for position in self.positions(&sequence_set, uid) {
                    let change = |own: &mut FlagSet| own.store(&kind, &flags);
                    let stored = mailbox.change_flags(uids[position], change);
                    if let (Some(stored), StoreResponse::Answer) = (stored, &response) {
                        self.tell_flags(position, uid.then_some(uids[position]), &stored)?;
                    }
                }
                Ok(Ending::ok())
            }
            CommandBody::Expunge => {
                mailbox.remove(Stored::is_deleted);
                Ok(Ending::ok())
            }
            CommandBody::ExpungeUid { sequence_set } => {
                let largest = selected.uids.last().copied().unwrap_or(0);
                let set = Ranges::new(&sequence_set, largest);
                mailbox.remove(|message| message.is_deleted() && set.contains(message.uid));
                Ok(Ending::ok())
            }
            _ => Ok(Ending::bad("Command not supported")),
        }
    }

    fn fetch(
        &mut self,
        mailbox: &Mailbox,
        plan: &Plan,
        positions: &[usize],
        sets_seen: bool,
    ) -> Result<Ending, Halt> {
        let Some(uids) = self
            .selected
            .as_ref()
            .map(|selected| Arc::clone(&selected.uids))
        else {
            return Ok(Ending::bad("Select a mailbox first"));
        };
        for batch in positions.chunks(BATCH) {
            let messages = mailbox.messages(batch.iter().map(|position| uids[*position]));
            for (position, message) in batch.iter().zip(messages) {
                // Expunged meanwhile: left out, as servers do.
                let (Some(mut message), Some(number)) = (message, number(*position)) else {
                    continue;
                };
                let Some(distortion) = self.distort(message.uid)? else {
                    continue;
                };
                let mut changed = false;
                if sets_seen {
                    let seen = |flags: &mut FlagSet| changed = flags.set(FlagSet::SEEN);
                    message.flags = mailbox.change_flags(message.uid, seen).unwrap_or_default();
                }
                plan.answer(&mut self.output, number, &message, changed, &distortion)?;
            }
        }
        Ok(Ending::ok())
    }

    /// Carries out the faults that strike at a message; `None` leaves it out.
    fn distort(&mut self, uid: u32) -> Result<Option<Distortion>, Halt> {
        let mut distortion = Distortion::default();
        if self.faults.is_empty() {
            return Ok(Some(distortion));
        }
        let mut left_out = false;
        for armed in Arc::clone(&self.faults).iter() {
            match armed.strike(self.output.place, Moment::Message(uid), |_| false) {
                Some(Action::Withhold) => left_out = true,
                Some(Action::Answer(answer)) => {
                    left_out |= answer.condition != "OK";
                    self.dictated = Some(answer.clone());
                }
                Some(Action::Nil) => distortion.nil = true,
                Some(Action::Duplicate) => distortion.duplicate = true,
                Some(Action::Replace(octets)) => distortion.replacement = Some(octets.clone()),
                Some(Action::Oversize(octets)) => distortion.oversize = Some(*octets),
                Some(Action::WrongSize(octets)) => distortion.size = Some(*octets),
                Some(action) => self.output.strike(action)?,
                None => {}
            }
        }
        Ok((!left_out).then_some(distortion))
    }

    /// The positions in the view that a set names.
    fn positions(&self, set: &SequenceSet, by_uid: bool) -> Vec<usize> {
        let Some(selected) = &self.selected else {
            return Vec::new();
        };
        if by_uid {
            let largest = selected.uids.last().copied().unwrap_or(0);
            return Ranges::new(set, largest).positions_of_uids(&selected.uids);
        }
        let length = selected.uids.len();
        Ranges::new(set, count(length)).positions_of_sequence_numbers(length)
    }

    fn tell_flags(
        &mut self,
        position: usize,
        uid: Option<u32>,
        flags: &FlagSet,
    ) -> Result<(), Halt> {
        let Some(seq) = number(position) else {
            return Ok(());
        };
        let mut items = vec![MessageDataItem::Flags(flags.to_fetch())];
        items.extend(uid.and_then(NonZeroU32::new).map(MessageDataItem::Uid));
        match Vec1::try_from(items) {
            Ok(items) => self.data(Data::Fetch { seq, items }),
            Err(_) => Ok(()),
        }
    }
}
