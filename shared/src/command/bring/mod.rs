//! Two shops that both started alone become one: what stands in the old one is written into the new
//! one, each thing as a new event that names its [`Origin`].
//!
//! Nothing is remembered of how far it came. What is in the new shop already is found there by its
//! origin, so a stop at any moment, a lost answer and a second phone of the old shop lead to the same
//! books. What two phones bring without knowing of each other counts once, see
//! [`Brought`](crate::ledger::Brought).
//!
//! A phone brings what its role may write: joining gives nobody a right that typing does not. Days
//! and times stay those of the old shop; names are opened with its keys and sealed with new ones.

mod there;
mod writing;

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use self::there::There;
use self::writing::Writing;
use super::desk::{AccessRejection, Desk};
use super::{Context, Rejection, compose};
use crate::bytes::KeyId;
use crate::event::{Event, Kind, Origin, Role};
use crate::ids::{CustomerId, EntryId, EventId, Stamp};
use crate::ledger::{Ledger, Reversal, What};
use crate::sync::authority::may_write;
use crate::text::{Field, Key, KeyRing};

/// The most things that one batch brings: written in one transaction, and a tap waits no longer.
pub const MAX_BATCH_STEPS: usize = 100;

/// A shop whose books are to be brought: with all of its history.
#[derive(Debug, Clone, Copy)]
pub struct OldShop<'o> {
    /// Its books.
    pub ledger: &'o Ledger,
    /// Its keys. The ring names the shop.
    pub keys: &'o KeyRing,
}

/// What a shop holds, and what of it stays behind because no event carries it into another shop.
/// Its name, address and settings stay behind too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Tally {
    /// Customers.
    #[n(0)]
    pub customers: u32,
    /// Entries, those taken back included.
    #[n(1)]
    pub entries: u32,
    /// People of the staff, who stay behind.
    #[n(2)]
    pub staff: u32,
    /// Notes of messages and statements that were sent, which stay behind.
    #[n(3)]
    pub sent: u32,
    /// Decisions about review tasks, which stay behind.
    #[n(4)]
    pub decisions: u32,
    /// Events that the old shop does not count either, such as those of a newer app.
    #[n(5)]
    pub uncounted: u32,
    /// Customers whose names this phone cannot read. What they owe comes along.
    #[n(6)]
    pub unreadable: u32,
}

/// What of a shop has not come into the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Missing {
    /// Only a manager may write it.
    #[n(0)]
    pub for_manager: u32,
    /// It was not brought yet, or was not let in, or hangs on something that is not here.
    #[n(1)]
    pub other: u32,
}

/// One thing that is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A customer, as the page stands now.
    Customer(CustomerId),
    /// Two pages that are one customer's.
    Merge(CustomerId, CustomerId),
    /// An entry, with the correction that put it in the place of another.
    Entry(EntryId),
    /// An entry was taken back, and not replaced.
    Reversal(EntryId),
}

/// All that is to be brought, each thing behind those that it names.
#[derive(Debug, Clone)]
pub struct Bringing {
    steps: Vec<Step>,
    /// Of what was brought into the old shop itself: where it was first written.
    origins: BTreeMap<EventId, Origin>,
    /// So many steps were gone through.
    done: usize,
}

/// The next events that bring something.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The events, in order; none where everything is there already.
    pub events: Vec<Event>,
    /// New keys, to be stored in the same transaction.
    pub keys: Vec<(KeyId, Key)>,
    /// So many steps are gone through when they are written.
    until: usize,
}

impl OldShop<'_> {
    /// What it holds.
    pub fn tally(&self) -> Tally {
        let ledger = self.ledger;
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let customers = ledger.customers.values();
        let customers = customers.filter(|customer| customer.added.is_some());
        let is_hidden = |name| self.keys.words(name, Field::Name).is_none();
        let hidden = customers.clone().filter(|it| !it.erased);
        let hidden = hidden.filter(|customer| customer.name.get().is_some_and(is_hidden));
        Tally {
            unreadable: count(hidden.count()),
            customers: count(customers.count()),
            entries: count(ledger.entries.len()),
            staff: count(ledger.staff.len()),
            sent: count(ledger.messages.len() + ledger.statements.len()),
            decisions: count(ledger.resolutions.values().map(BTreeMap::len).sum()),
            uncounted: u32::try_from(ledger.uncounted()).unwrap_or(u32::MAX),
        }
    }
}

impl Bringing {
    /// Looks through the old shop.
    pub fn of(old: OldShop<'_>) -> Bringing {
        let ledger = old.ledger;
        let customers = ledger.customers.iter();
        let customers = customers.filter(|(_, customer)| customer.added.is_some());
        let mut steps: Vec<Step> = customers.map(|(&id, _)| Step::Customer(id)).collect();
        let merged = ledger.merged.iter();
        steps.extend(merged.map(|(&page, &with)| Step::Merge(page, with)));
        let mut later: Vec<(Stamp, Step)> = ledger
            .entries
            .iter()
            .map(|(&id, entry)| (entry.stamp(id), Step::Entry(id)))
            .collect();
        later.extend(ledger.reversals.iter().filter_map(|(&target, all)| {
            let is_corrected = |(_, it): (_, &Reversal)| {
                let by = it.replacement.map(|by| ledger.original(by));
                by.is_some_and(|by| ledger.entries.contains_key(&by))
            };
            let plain = ledger.entries.contains_key(&target) && !all.iter().any(is_corrected);
            let stamps = all.iter().map(|(&id, it)| Stamp {
                clock: it.clock,
                id,
            });
            let first = stamps.min().filter(|_| plain)?;
            Some((first, Step::Reversal(target)))
        }));
        // Whoever wrote something had seen what it names, and gave it a later stamp.
        later.sort_unstable_by_key(|(stamp, _)| *stamp);
        steps.extend(later.into_iter().map(|(_, step)| step));
        let brought = [&ledger.brought.customers, &ledger.brought.entries];
        let brought = brought.into_iter().flatten();
        let origins = brought.flat_map(|(&origin, ids)| ids.iter().map(move |&id| (id, origin)));
        Bringing {
            steps,
            origins: origins.collect(),
            done: 0,
        }
    }

    /// How many things were gone through, and how many there are.
    pub const fn progress(&self) -> (usize, usize) {
        (self.done, self.steps.len())
    }

    /// The next events, for at most [`MAX_BATCH_STEPS`] things that are not in the new shop yet.
    /// `context` is that of the new shop, whose books are in `ledger`.
    ///
    /// # Errors
    ///
    /// Who may not write entries brings none. Before all of the new shop's history is here, nobody
    /// knows what of the old one is there already.
    pub fn next(
        &self,
        old: OldShop<'_>,
        ledger: &Ledger,
        context: &Context<'_>,
    ) -> Result<Batch, Rejection> {
        let mut desk = Desk::new(ledger, context);
        desk.admit()?;
        desk.require(Role::Cashier)?;
        if !ledger.is_whole() {
            return Err(AccessRejection::HistoryNotHere.into());
        }
        let mut writing = Writing::new(There::new(self, old, ledger, context.keys.shop()), desk);
        let mut until = self.done;
        let mut left = MAX_BATCH_STEPS;
        for &step in &self.steps[self.done..] {
            if left == 0 {
                break;
            }
            until += 1;
            left -= usize::from(writing.step(step));
        }
        let (decision, places) = writing.finish();
        let keys = decision.keys.clone();
        let mut events = compose(ledger, context, decision);
        for (event, place) in events.iter_mut().zip(places) {
            // Of two clocks the later one is to be doubted.
            event.envelope.at = place.at.min(context.now);
            event.envelope.group = place.group;
        }
        Ok(Batch {
            events,
            keys,
            until,
        })
    }

    /// Takes note that a batch was written.
    pub fn written(&mut self, batch: &Batch) {
        self.done = batch.until;
    }

    /// What of the old shop does not stand in the new one, for a phone of this role.
    pub fn missing(&self, old: OldShop<'_>, ledger: &Ledger, new: &KeyRing, role: Role) -> Missing {
        let there = There::new(self, old, ledger, new.shop());
        let mut missing = Missing::default();
        for &step in self.steps.iter().filter(|&&step| !there.has(step)) {
            let count = match may_write(role, step.kind(old.ledger) as u16) {
                true => &mut missing.other,
                false => &mut missing.for_manager,
            };
            *count += 1;
        }
        missing
    }
}

impl Step {
    /// The kind of the event that does it.
    fn kind(self, old: &Ledger) -> Kind {
        match self {
            Step::Customer(_) => Kind::CustomerAdded,
            Step::Merge(..) => Kind::CustomersMerged,
            Step::Reversal(_) => Kind::EntryReversed,
            Step::Entry(id) => match old.entries.get(&id).map(|entry| &entry.what) {
                Some(What::WriteOff(_)) => Kind::WrittenOff,
                // All others may be written by whoever may write this.
                _ => Kind::CreditGiven,
            },
        }
    }
}
