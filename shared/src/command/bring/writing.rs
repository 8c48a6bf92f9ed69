//! Things of the old shop as events of the new one.

use super::{Step, There};
use crate::bytes::KeyId;
use crate::calendar::TimeMs;
use crate::command::Decision;
use crate::command::desk::Desk;
use crate::event::{
    Body, CustomerAdded, CustomerArchived, CustomerErased, CustomersMerged, EntryCorrected,
    EntryReversed, Group, Kind, Line, Origin, Particulars, Reason,
};
use crate::ids::{CustomerId, EntryId, EventId};
use crate::ledger::{Reversal, What};
use crate::sync::authority::may_write;
use crate::text::{Field, Text};

/// A batch in the making.
pub(super) struct Writing<'a, 'c> {
    there: There<'a>,
    desk: Desk<'a, 'c>,
    places: Vec<Place>,
}

/// What an event has in its envelope.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// When the old shop wrote it.
    pub at: TimeMs,
    pub group: Option<Group>,
}

impl<'a, 'c> Writing<'a, 'c> {
    pub fn new(there: There<'a>, desk: Desk<'a, 'c>) -> Writing<'a, 'c> {
        Writing {
            there,
            desk,
            places: Vec::new(),
        }
    }

    /// The events, and what their envelopes say.
    pub fn finish(self) -> (Decision, Vec<Place>) {
        (self.desk.into_decision(), self.places)
    }

    /// Brings one thing. False if nothing is to be written for it.
    pub fn step(&mut self, step: Step) -> bool {
        let may_write = may_write(self.desk.role(), step.kind(self.there.old.ledger) as u16);
        if !may_write || self.there.has(step) {
            return false;
        }
        let written = match step {
            Step::Customer(id) => self.customer(id),
            Step::Merge(one, other) => self.merge(one, other),
            Step::Entry(id) => self.entry(id),
            Step::Reversal(target) => self.reversal(target),
        };
        written.is_some()
    }

    fn push(&mut self, body: impl Into<Body>, at: TimeMs) {
        self.desk.push_entry(body.into());
        self.places.push(Place { at, group: None });
    }

    /// The last events since there were `before` belong together.
    fn group_since(&mut self, before: usize, first: EventId) {
        let together = &mut self.places[before..];
        let count = together.len() as u16;
        if count > 1 {
            let first = first.seq;
            for place in together {
                place.group = Some(Group { first, count });
            }
        }
    }

    fn customer(&mut self, id: CustomerId) -> Option<()> {
        let customer = self.there.old.ledger.customers.get(&id)?;
        let added = customer.added.as_ref()?;
        // Whoever was erased stays so: what the old key sealed is never read again.
        let key = match customer.erased {
            true => added.key,
            false => self.desk.new_key(),
        };
        let (origin, new) = (self.there.origin(id.0), self.desk.next_id());
        let mut text = |text: Option<&Text>, field| text.map(|it| self.sealed(it, field, key));
        let body = CustomerAdded {
            name: text(customer.name.get(), Field::Name)?,
            key,
            phone: text(customer.phone.value(), Field::Phone),
            address: text(customer.address.value(), Field::Address),
            note: text(customer.note.value(), Field::Note),
            language: customer.language.value().copied(),
            limit: customer.limit.value().copied(),
            messages: customer.messages.get().copied(),
            origin: Some(origin),
        };
        let before = self.places.len();
        self.push(body, added.at);
        let customer_id = CustomerId(new);
        if customer.archived.get() == Some(&true) {
            let archived = CustomerArchived {
                customer: customer_id,
                archived: true,
            };
            self.push(archived, added.at);
        }
        if customer.erased && may_write(self.desk.role(), Kind::CustomerErased as u16) {
            let erased = CustomerErased {
                customer: customer_id,
                keys: vec![key],
            };
            self.push(erased, added.at);
        }
        self.group_since(before, new);
        self.there.note(origin, new);
        Some(())
    }

    fn merge(&mut self, one: CustomerId, other: CustomerId) -> Option<()> {
        let merged = CustomersMerged {
            customer: self.there.customer(one)?,
            with: self.there.customer(other)?,
        };
        self.push(merged, self.desk.context.now);
        Some(())
    }

    fn reversal(&mut self, target: EntryId) -> Option<()> {
        let old = self.there.old.ledger;
        let all = old.reversals.get(&target)?.iter();
        let (_, reversal) = all.min_by_key(|(id, it)| (it.clock, **id))?;
        let (reason, witness) = self.why(target, reversal)?;
        let reversed = EntryReversed {
            target: self.there.entry(target)?,
            reason,
            witness,
        };
        self.push(reversed, reversal.at);
        Some(())
    }

    fn entry(&mut self, id: EntryId) -> Option<()> {
        let old = self.there.old.ledger;
        let entry = old.entries.get(&id)?;
        let replaced = entry.what.particulars().replaces;
        // What it replaces may be missing here, for want of a role: then it stands by itself.
        let target = replaced.and_then(|replaced| self.there.entry(replaced));
        let body = self.what(&entry.what, self.there.origin(id.0), target)?;
        let first = self.desk.next_id();
        let before = self.places.len();
        let correction = replaced.zip(target).and_then(|(replaced, target)| {
            let replaced = old.original(replaced);
            let mut all = old.reversals.get(&replaced)?.values();
            let is_this = |it: &&Reversal| it.replacement.map(|by| old.original(by)) == Some(id);
            let reversal = all.find(is_this)?;
            let (reason, witness) = self.why(replaced, reversal)?;
            let corrected = EntryCorrected {
                target,
                replacement: EntryId(EventId {
                    seq: first.seq + 1,
                    ..first
                }),
                reason,
                witness,
            };
            Some((corrected, reversal.at))
        });
        if let Some((corrected, at)) = correction {
            self.push(corrected, at);
        }
        let new = self.desk.next_id();
        self.desk.replacing = target;
        self.push(body, entry.at);
        self.desk.replacing = None;
        self.group_since(before, first);
        self.there.note(self.there.origin(id.0), new);
        Some(())
    }

    /// Why an entry was taken back, and who saw it, sealed anew.
    fn why(&mut self, target: EntryId, reversal: &Reversal) -> Option<(Reason, Option<Box<Text>>)> {
        let key = self.key_for(&self.there.old.ledger.entries.get(&target)?.what)?;
        let reason = self.reason(&reversal.reason, key);
        let witness = self.boxed(reversal.witness.as_deref(), Field::Name, key);
        Some((reason, witness))
    }

    fn reason(&mut self, reason: &Reason, key: KeyId) -> Reason {
        Reason {
            code: reason.code,
            note: self.boxed(reason.note.as_deref(), Field::Note, key),
        }
    }

    fn boxed(&mut self, text: Option<&Text>, field: Field, key: KeyId) -> Option<Box<Text>> {
        text.map(|text| Box::new(self.sealed(text, field, key)))
    }

    /// A text sealed for the new shop. What nobody can read stays as it was, unreadable.
    fn sealed(&mut self, text: &Text, field: Field, key: KeyId) -> Text {
        let words = self.there.old.keys.words(text, field);
        let sealed = words.and_then(|words| self.desk.seal(&words, field, key).ok());
        sealed.unwrap_or_else(|| text.clone())
    }

    /// The key in the new shop of whom an entry of the old one names first, or the new shop's.
    fn key_for(&self, what: &What) -> Option<KeyId> {
        let [customer, _] = what.customers();
        match customer {
            Some(customer) => self.desk.key_of_customer(self.there.customer(customer)?),
            None => self.desk.shop_key().ok(),
        }
    }

    /// An entry of the old shop with the ids and seals of the new one. `None` if it names a customer
    /// who is not here.
    fn what(&mut self, what: &What, origin: Origin, replaces: Option<EntryId>) -> Option<Body> {
        let key = self.key_for(what)?;
        let old = what.particulars();
        let particulars = Particulars {
            on: old.on,
            note: self.boxed(old.note.as_deref(), Field::Note, key),
            witness: self.boxed(old.witness.as_deref(), Field::Name, key),
            replaces,
            origin: Some(Box::new(origin)),
            attachments: old.attachments.clone(),
        };
        let [one, other] = what.customers();
        let here = |id: Option<CustomerId>| match id.map(|id| self.there.customer(id)) {
            Some(None) => None,
            found => Some(found.flatten()),
        };
        let (one, other) = (here(one)?, here(other)?);
        let reason = match what {
            What::WriteOff(it) => Some(self.reason(&it.reason, key)),
            _ => None,
        };
        let entry = |id: Option<EntryId>| id.and_then(|id| self.there.entry(id));
        Some(match what.clone() {
            What::Credit(mut it) => {
                (it.particulars, it.customer) = (particulars, one?);
                it.lines.iter_mut().flatten().for_each(without_item);
                it.into()
            }
            What::Payment(mut it) => {
                (it.particulars, it.customer) = (particulars, one?);
                let mut parts = it.allocations.take().unwrap_or_default();
                parts.retain_mut(|part| {
                    let here = entry(Some(part.entry));
                    part.entry = here.unwrap_or(part.entry);
                    here.is_some()
                });
                it.allocations = (!parts.is_empty()).then_some(parts);
                it.into()
            }
            What::Return(mut it) => {
                (it.particulars, it.customer) = (particulars, one);
                it.of = entry(it.of);
                let lines = it.lines.iter_mut().flatten();
                lines.for_each(|line| without_item(&mut line.line));
                it.into()
            }
            What::Deposit(mut it) => {
                (it.particulars, it.customer) = (particulars, one?);
                it.into()
            }
            What::Withdrawal(mut it) => {
                (it.particulars, it.customer) = (particulars, one?);
                it.into()
            }
            What::AdvanceUse(mut it) => {
                (it.particulars, it.customer) = (particulars, one?);
                it.against = entry(it.against);
                it.into()
            }
            What::Transfer(mut it) => {
                (it.particulars, it.from, it.to) = (particulars, one?, other?);
                it.into()
            }
            What::WriteOff(mut it) => {
                (it.particulars, it.customer, it.reason) = (particulars, one?, reason?);
                it.into()
            }
            What::Sale(mut it) => {
                (it.particulars, it.customer) = (particulars, one);
                it.lines.iter_mut().flatten().for_each(without_item);
                it.order = None;
                (*it).into()
            }
        })
    }
}

/// Goods are named on the line; the list that they stand in is the old shop's.
fn without_item(line: &mut Line) {
    line.item = None;
}
