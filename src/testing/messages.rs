//! The commands that work on the messages of the selected mailbox: FETCH, SEARCH, STORE, EXPUNGE.

use std::sync::Arc;

use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::core::{Charset, Tag};
use imap_codec::imap_types::flag::{Flag, StoreResponse, StoreType};
use imap_codec::imap_types::search::SearchKey;
use imap_codec::imap_types::sequence::SequenceSet;

use super::commands::{Ending, either};
use super::connection::{Connection, Verdict};
use super::dialect::Extension;
use super::fault::{Action, Moment};
use super::fetch::{Distortion, Plan};
use super::flags::FlagSet;
use super::link::Halt;
use super::mailbox::{Mailbox, Stored, count};
use super::persona::manners::{Descending, Expunged};
use super::ranges::{self, Ranges};
use super::script::Values;
use super::search;
use super::session::{State, number};

/// How many messages a FETCH looks up under one lock.
const BATCH: usize = 64;

impl Connection {
    /// Carries out a command on messages.
    pub(super) fn on_messages(
        &mut self,
        tag: &Tag<'_>,
        body: CommandBody<'static>,
        extension: &Extension,
        verdict: &Verdict,
    ) -> Result<Ending, Halt> {
        if matches!(body, CommandBody::Search { uid: true, .. }) {
            // A search by UID finds what is there now, and numbers are not in use.
            self.catch_up()?;
        }
        let manners = self.manners();
        let Some(selected) = &self.selected else {
            let is_logged_in = matches!(self.state, State::Authenticated { .. });
            return Ok(Ending::of(match is_logged_in {
                true => manners.not_selected.value,
                false => manners.not_logged_in.value,
            }));
        };
        let mailbox = Arc::clone(&selected.mailbox);
        if mailbox.is_deleted() {
            return Ok(Ending::of(manners.mailbox_deleted.value));
        }
        let read_only = selected.read_only;
        match body {
            CommandBody::Fetch {
                sequence_set,
                macro_or_item_names,
                uid,
            } => {
                let Some(plan) = Plan::new(macro_or_item_names, extension, uid, manners) else {
                    return Ok(Ending::of(manners.unknown_item.value));
                };
                self.fetch(&mailbox, &plan, &sequence_set, uid, verdict)
            }
            CommandBody::Search {
                charset,
                criteria,
                uid,
            } => self.search(
                tag,
                &mailbox,
                charset.as_ref(),
                criteria.as_ref(),
                uid,
                extension,
            ),
            _ if read_only => Ok(Ending::of(manners.store_read_only.value)),
            CommandBody::Store {
                sequence_set,
                kind,
                response,
                flags,
                uid,
            } => {
                let uids = Arc::clone(&selected.uids);
                for position in self.positions(&sequence_set, uid) {
                    self.store(
                        &mailbox,
                        uids[position],
                        position,
                        uid,
                        &kind,
                        &response,
                        &flags,
                    )?;
                }
                self.note_own_writing(&mailbox);
                Ok(Ending::of(manners.store_done.value))
            }
            CommandBody::Expunge => {
                mailbox.remove(Stored::is_deleted);
                Ok(Ending::of(manners.expunge_done.value).with(self.values()))
            }
            CommandBody::ExpungeUid { sequence_set } => {
                let largest = selected.uids.last().copied().unwrap_or(0);
                let set = Ranges::new(&sequence_set, largest);
                mailbox.remove(|message| message.is_deleted() && set.contains(message.uid));
                Ok(Ending::of(manners.expunge_done.value).with(self.values()))
            }
            _ => Ok(Ending::of(manners.unsupported.value)),
        }
    }

    fn fetch(
        &mut self,
        mailbox: &Mailbox,
        plan: &Plan,
        set: &SequenceSet,
        by_uid: bool,
        verdict: &Verdict,
    ) -> Result<Ending, Halt> {
        let manners = self.manners();
        let Some(selected) = &self.selected else {
            return Ok(Ending::of(manners.not_selected.value));
        };
        let uids = Arc::clone(&selected.uids);
        let sets_seen = !selected.read_only && plan.sets_seen();
        let is_blind = manners.goes_blind.value && selected.disturbances != mailbox.disturbances();
        let mut positions = self.positions(set, by_uid);
        if ranges::descends(set) {
            match manners.descending.value {
                Descending::Taken => {}
                Descending::Empty => positions.clear(),
                Descending::Refused(lines) => return Ok(Ending::of(lines)),
            }
        }
        let largest = ranges::largest(set);
        if by_uid
            && manners
                .poison_uid
                .value
                .is_some_and(|poison| largest >= poison)
        {
            positions.clear();
        }
        let is_too_high = !by_uid && largest as usize > uids.len();
        let too_high = manners.number_too_high.value;
        if is_too_high && !too_high.is_empty() && !too_high.contains("{tag} OK") {
            return Ok(Ending::of(too_high));
        }
        if !by_uid && positions.is_empty() && !manners.no_such_numbers.value.is_empty() {
            return Ok(Ending::of(manners.no_such_numbers.value));
        }
        let is_long = positions.len() > manners.in_order_up_to.value;
        if verdict.reversed || (is_long && plan.has_bodies()) {
            positions.reverse();
        }
        let mut ghosts = 0;
        for batch in positions.chunks(BATCH) {
            let messages = mailbox.messages(batch.iter().map(|position| uids[*position]));
            for (position, message) in batch.iter().zip(messages) {
                let uid = uids[*position];
                let is_ghost = message.is_none();
                let Some(mut message) =
                    message.or_else(|| ghost(mailbox, uid, manners.expunged.value))
                else {
                    ghosts += 1;
                    self.tell_of_ghost(*position)?;
                    continue;
                };
                let Some(mut distortion) = self.distort(uid)? else {
                    continue;
                };
                if is_ghost {
                    ghosts += 1;
                    distortion.nil |= matches!(manners.expunged.value, Expunged::Nil);
                    self.tell_of_ghost(*position)?;
                }
                distortion.blind = is_blind;
                let mut changed = false;
                if sets_seen && !is_ghost {
                    let seen = |flags: &mut FlagSet| changed = flags.set(FlagSet::SEEN);
                    message.flags = mailbox.change_flags(uid, seen).unwrap_or_default();
                }
                distortion.flags_changed = changed;
                if let Some(number) = number(*position) {
                    plan.answer(&mut self.output, number, &message, &distortion)?;
                }
            }
        }
        let done = match (ghosts, is_too_high) {
            (1.., _) => either(manners.expunged_done.value, manners.fetch_done.value),
            (_, true) => either(too_high, manners.fetch_done.value),
            _ => manners.fetch_done.value,
        };
        Ok(Ending::of(done).with(self.values().with("number", largest)))
    }

    fn tell_of_ghost(&mut self, position: usize) -> Result<(), Halt> {
        let note = self.manners().expunged_note.value;
        let values = Values::default().with("number", position + 1);
        match values.fill(note) {
            Some(line) if !line.is_empty() => self.put_line(&line),
            _ => Ok(()),
        }
    }

    fn search(
        &mut self,
        tag: &Tag<'_>,
        mailbox: &Mailbox,
        charset: Option<&Charset<'_>>,
        keys: &[SearchKey<'_>],
        by_uid: bool,
        extension: &Extension,
    ) -> Result<Ending, Halt> {
        let manners = self.manners();
        if !search::knows_charset(manners, charset) {
            return Ok(Ending::of(manners.bad_charset.value));
        }
        if let Some(lines) = search::refusal(manners, keys) {
            return Ok(Ending::of(lines).with(self.values()));
        }
        let Some(selected) = &self.selected else {
            return Ok(Ending::of(manners.not_selected.value));
        };
        let uids = Arc::clone(&selected.uids);
        let mut found = search::run(mailbox, &uids, keys, manners);
        let surplus = found.len().saturating_sub(self.shared.search_cap());
        found.drain(..surplus);
        let numbers: Vec<u32> = found
            .into_iter()
            .map(|position| {
                if by_uid {
                    uids[position]
                } else {
                    count(position + 1)
                }
            })
            .collect();
        let list: String = numbers.iter().map(|number| format!(" {number}")).collect();
        let form = match &extension.search_return {
            Some(_) if !manners.esearch.value.contains("{numbers}") => manners.esearch.value,
            _ if numbers.is_empty() => manners.search_empty.value,
            _ => manners.search.value,
        };
        let options = extension.search_return.as_deref().unwrap_or_default();
        let values = self
            .values()
            .with("tag", tag.inner())
            .with("uid", if by_uid { " UID" } else { "" })
            .with("results", search::results(&numbers, options))
            .with("numbers", list)
            .with("count", numbers.len());
        if let Some(line) = values.fill(form)
            && !line.is_empty()
        {
            self.put_line(&line)?;
        }
        Ok(Ending::of(manners.search_done.value).with(values))
    }

    #[allow(clippy::too_many_arguments)]
    fn store(
        &mut self,
        mailbox: &Mailbox,
        uid: u32,
        position: usize,
        by_uid: bool,
        kind: &StoreType,
        response: &StoreResponse,
        flags: &[Flag<'_>],
    ) -> Result<(), Halt> {
        let manners = self.manners();
        let known = mailbox.flags(manners.flags.value);
        let mut changed = false;
        let stored = mailbox.change_flags(uid, |own: &mut FlagSet| {
            let before = own.clone();
            own.store(kind, flags);
            changed = before != *own;
        });
        let (Some(_), StoreResponse::Answer) = (stored, response) else {
            return Ok(());
        };
        let flags = mailbox.flags(manners.flags.value);
        if flags != known && !manners.new_keyword.value.is_empty() {
            let permanent = mailbox.flags(manners.permanent_flags.value);
            let values = Values::default()
                .with("flags", flags)
                .with("permanent", permanent);
            for line in manners.new_keyword.value.lines() {
                if let Some(line) = values.fill(line) {
                    self.put_line(&line)?;
                }
            }
        }
        if !changed && !manners.tells_unchanged_flags.value {
            return Ok(());
        }
        let plan = Plan::of_flags(by_uid, manners);
        let message = mailbox.messages([uid].into_iter()).pop().flatten();
        if let (Some(message), Some(number)) = (message, number(position)) {
            for _ in 0..manners.flag_echoes.value {
                plan.answer(&mut self.output, number, &message, &Distortion::default())?;
            }
        }
        Ok(())
    }

    /// What this session writes does not disturb itself, only the others.
    fn note_own_writing(&mut self, mailbox: &Mailbox) {
        mailbox.disturb();
        if let Some(selected) = &mut self.selected {
            selected.disturbances = mailbox.disturbances();
        }
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
                Some(action @ (Action::Answer(_) | Action::Lines(_))) => {
                    self.dictated = action.dictation();
                    left_out |= self.is_refusal_dictated();
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
}

/// What is left of a message that is gone, where the server's manners leave anything.
fn ghost(mailbox: &Mailbox, uid: u32, manner: Expunged) -> Option<Stored> {
    let gone = mailbox.expunged(uid)?;
    match manner {
        Expunged::LeftOut => None,
        Expunged::Nil | Expunged::Served => Some(gone),
        Expunged::Stub => Some(Stored {
            raw: Arc::default(),
            flags: FlagSet::default(),
            internal_date: 0,
            ..gone
        }),
        Expunged::Invented(text) => Some(Stored {
            raw: text.as_bytes().into(),
            ..gone
        }),
    }
}
