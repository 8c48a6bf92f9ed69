//! What was brought from another shop, each thing once.
//!
//! Two phones of one old shop may bring the same entry into the new one, neither knowing of the
//! other. An [`Origin`] is an identity: of several entries with the same origin the one with the
//! least id counts, the others are copies that do nothing, and whoever takes back one takes back
//! all. Customers with the same origin are one customer. Both hold whatever the order of arrival.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use super::count::pages;
use super::{Customer, Entry, Ledger, Posting, What};
use crate::event::Origin;
use crate::ids::{CustomerId, EntryId, EventId, ShopId};

/// Where things were first written that other shops brought.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Brought {
    /// The customers that were added with an origin.
    #[n(0)]
    pub customers: BTreeMap<Origin, BTreeSet<EventId>>,
    /// The entries with an origin, the one that counts first.
    #[n(1)]
    pub entries: BTreeMap<Origin, BTreeSet<EventId>>,
    /// Those of them that do not count because another does.
    #[n(2)]
    pub copies: BTreeMap<EntryId, Origin>,
}

impl Brought {
    /// The shops that things were brought from.
    pub fn shops(&self) -> BTreeSet<ShopId> {
        let origins = self.customers.keys().chain(self.entries.keys());
        origins.map(|origin| origin.shop).collect()
    }
}

impl Ledger {
    /// The entry that counts: the same, unless it is a copy of one that was brought twice.
    pub fn original(&self, entry: EntryId) -> EntryId {
        let origin = self.brought.copies.get(&entry);
        let same = origin.and_then(|origin| self.brought.entries.get(origin));
        let counts = same.and_then(BTreeSet::first);
        counts.map_or(entry, |&id| EntryId(id))
    }

    /// Was this entry brought twice, and counts another in its place?
    pub fn is_copy(&self, entry: EntryId) -> bool {
        self.brought.copies.contains_key(&entry)
    }

    /// Takes note of an entry that was brought. False if it is a copy, which is dealt with here.
    pub(super) fn is_first(&mut self, origin: Origin, id: EntryId, entry: &Entry) -> bool {
        let same = self.brought.entries.entry(origin).or_default();
        let counts = same.first().map(|&counts| EntryId(counts));
        same.insert(id.0);
        match counts {
            None => true,
            Some(counts) if counts < id => {
                self.brought.copies.insert(id, origin);
                self.post(id, entry, true);
                for (by, reversal) in self.reversals.remove(&id).unwrap_or_default() {
                    self.reverse(by, counts, reversal);
                }
                false
            }
            Some(copy) => {
                self.brought.copies.insert(copy, origin);
                if let Some(entry) = self.entries.remove(&copy) {
                    take_out(&mut self.customers, copy, &entry.what);
                }
                if let Some(reversals) = self.reversals.remove(&copy) {
                    self.reversals.entry(id).or_default().extend(reversals);
                }
                true
            }
        }
    }

    /// Takes note of a customer who was brought.
    pub(super) fn meet(&mut self, origin: Origin, id: EventId) {
        let same = self.brought.customers.entry(origin).or_default();
        let before = same.first().copied();
        same.insert(id);
        if let Some(before) = before {
            self.merge(CustomerId(before), CustomerId(id));
        }
    }

    /// Puts an entry on the pages that it names.
    pub(super) fn post(&mut self, id: EntryId, entry: &Entry, reversed: bool) {
        for customer in pages(&entry.what) {
            let posting = Posting {
                on: entry.what.particulars().on,
                change: entry.what.change(customer),
                pays: entry.what.pays(),
                reversed,
            };
            let page = self.customers.entry(customer).or_default();
            page.balance += posting.counted();
            page.taken_back += u32::from(reversed);
            page.last_written = page.last_written.max(Some(entry.at));
            page.entries.insert(id, posting);
        }
    }
}

/// From now on an entry does nothing on the pages that it names.
pub(super) fn take_out(customers: &mut BTreeMap<CustomerId, Customer>, id: EntryId, what: &What) {
    for customer in pages(what) {
        let page = customers.entry(customer).or_default();
        // Books without history may know an entry and not every page that it stands on.
        if let Some(posting) = page.entries.get_mut(&id) {
            if posting.reversed {
                continue;
            }
            posting.reversed = true;
        }
        page.balance -= what.change(customer);
        page.taken_back += 1;
    }
}
