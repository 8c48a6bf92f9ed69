//! A ledger without history: what stands in the place of entries that are summed up.
//!
//! A ledger holds every entry, so it is about as long as the log. What lists show and what most
//! commands ask is short: balances, and for each customer the few facts of [`Earlier`]. A ledger
//! without history is folded further like any other, and its balances stay right, with one
//! exception: whoever takes back an entry that is summed up changes a balance of which the ledger no
//! longer knows how, and so may whoever brings the same entries of an old shop once more. Then it is [unsettled](Ledger::is_settled), and nobody is shown it: the whole
//! ledger has to be folded first.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use super::{Ledger, Reversal};
use crate::bytes::Hash;
use crate::calendar::BusinessDay;
use crate::chain::digest;
use crate::event::codec::bytes_of;
use crate::event::shape::{Reader, Shape};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, ShopId};
use crate::money::Paise;

/// The changes of so many days are kept apart for each customer, so that entries which follow on
/// the same days, or are back-dated to them, are put in their place.
const KEPT_DAYS: usize = 2;

/// What a ledger without history holds instead.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Summary {
    /// The last event of each device that is summed up.
    #[n(0)]
    pub cut: BTreeMap<DeviceNo, u32>,
    /// What is known of the earlier entries of each customer, by the canonical page of that time.
    #[n(1)]
    pub customers: BTreeMap<CustomerId, Earlier>,
    /// The reversals that had taken nothing back: their target was held, put aside or unknown.
    #[n(2)]
    pub without_effect: BTreeSet<EventId>,
    /// The shops from which something was brought. What of theirs is here is not said.
    #[n(3)]
    pub joined: BTreeSet<ShopId>,
}

impl Summary {
    fn covers(&self, entry: EntryId) -> bool {
        let cut = self.cut.get(&entry.0.device);
        cut.is_some_and(|&last_seq| entry.0.seq <= last_seq)
    }
}

/// What is known of a customer's entries that are summed up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Earlier {
    /// The business date of the last payment among them.
    #[n(0)]
    pub last_payment: Option<BusinessDay>,
    /// Of what was owed before the kept days: the day from whose end on it was owed.
    #[n(1)]
    pub owed_since: Option<BusinessDay>,
    /// By how much the khata changed on the last days on which it did, the oldest first.
    #[n(2)]
    pub days: Vec<(BusinessDay, Paise)>,
}

impl Earlier {
    /// Of pages that were merged, and of what was written on them later.
    pub fn join(&mut self, other: Earlier) {
        self.last_payment = self.last_payment.max(other.last_payment);
        self.owed_since = [self.owed_since, other.owed_since]
            .into_iter()
            .flatten()
            .min();
        self.days.extend(other.days);
    }

    /// The day from whose end on something was owed without a break, for a khata that all of this
    /// led to: walks back to the day before which nothing was owed.
    pub fn owes_since(&mut self, khata: Paise) -> Option<BusinessDay> {
        if !khata.is_positive() {
            return None;
        }
        self.days.sort_unstable_by_key(|(day, _)| *day);
        let mut before = khata;
        let mut since = None;
        for day in self.days.chunk_by(|one, other| one.0 == other.0).rev() {
            for (on, change) in day {
                since = Some(*on);
                before -= *change;
            }
            if !before.is_positive() {
                return since;
            }
        }
        self.owed_since.or(since)
    }

    /// Sums up the earliest days of a khata, so that only the last ones are left.
    fn sum_up(&mut self, khata: Paise) {
        self.days.sort_unstable_by_key(|(day, _)| *day);
        let days = self.days.chunk_by(|one, other| one.0 == other.0);
        let mut days: Vec<(BusinessDay, Paise)> = days
            .map(|day| (day[0].0, day.iter().map(|(_, change)| *change).sum()))
            .collect();
        let kept = days.split_off(days.len().saturating_sub(KEPT_DAYS));
        let mut before = khata;
        kept.iter().for_each(|(_, change)| before -= *change);
        self.days = days;
        self.owed_since = self.owes_since(before);
        self.days = kept;
    }
}

impl Ledger {
    /// Are all entries in it?
    pub const fn is_whole(&self) -> bool {
        self.summary.is_none()
    }

    /// Are its balances right? Not those of a ledger without history in which somebody has taken
    /// back an entry that is summed up, or has brought more from a shop from which some of what is
    /// summed up was brought: it may be the same.
    pub fn is_settled(&self) -> bool {
        self.summary.as_ref().is_none_or(|summary| {
            let brought_anew = self.brought.shops();
            summary.joined.is_disjoint(&brought_anew)
                && self.reversals.iter().all(|(target, reversals)| {
                    !summary.covers(*target)
                        || self.entries.contains_key(target)
                        || reversals
                            .keys()
                            .all(|id| summary.without_effect.contains(id))
                })
        })
    }

    /// What is known of a customer's entries over these pages, the canonical one first.
    pub fn earlier(&self, pages: &[CustomerId]) -> Earlier {
        let mut earlier = Earlier::default();
        for page in pages {
            let summed_up = self.summary.as_ref();
            if let Some(summed_up) = summed_up.and_then(|summary| summary.customers.get(page)) {
                earlier.join(summed_up.clone());
            }
            let Some(page) = self.customers.get(page) else {
                continue;
            };
            for posting in page.entries.values().filter(|posting| !posting.reversed) {
                if posting.pays {
                    earlier.last_payment = earlier.last_payment.max(Some(posting.on));
                }
                if posting.change.khata != Paise::ZERO {
                    earlier.days.push((posting.on, posting.change.khata));
                }
            }
        }
        earlier
    }

    /// SHA-256 of what the books come to: the bytes of those without history. Whoever has folded
    /// the same events has the same.
    pub fn summed_up_checksum(&self) -> Hash {
        digest(&[&self.summed_up_bytes()])
    }

    /// The same books without their history; `None` if it is not in them.
    ///
    /// Kept is what lists and the day's commands need. Gone are entries, who took back which, what
    /// was decided about review tasks, statements and messages.
    pub fn without_history(&self) -> Option<Ledger> {
        // Read from what would be stored: there is one place that says what is kept.
        let bytes = self.is_whole().then(|| self.summed_up_bytes())?;
        Some(Ledger::read(&mut Reader::new(&bytes, &())))
    }

    fn summed_up_bytes(&self) -> Vec<u8> {
        bytes_of(|encoder, ids| super::stored::write(self, encoder, ids))
    }

    /// What stands in the place of the entries: of whole books too.
    pub(super) fn sum_up(&self) -> Cow<'_, Summary> {
        if let Some(summary) = &self.summary {
            return Cow::Borrowed(summary);
        }
        let mut groups: BTreeMap<CustomerId, Vec<CustomerId>> = BTreeMap::new();
        for &page in self.customers.keys() {
            groups.entry(self.canonical(page)).or_default().push(page);
        }
        let customers = groups.into_iter().map(|(id, pages)| {
            let mut earlier = self.earlier(&pages);
            earlier.sum_up(self.balance(id).khata);
            (id, earlier)
        });
        let cut = self.lanes.iter().map(|(&no, lane)| (no, lane.last_seq));
        let without_effect = self.waiting_reversals().flat_map(|(_, by)| by.keys());
        Cow::Owned(Summary {
            cut: cut.collect(),
            customers: customers.collect(),
            without_effect: without_effect.copied().collect(),
            joined: self.brought.shops(),
        })
    }

    /// The reversals that are kept: of entries that are not here, and so are not summed up either.
    pub(super) fn waiting_reversals(
        &self,
    ) -> impl Iterator<Item = (&EntryId, &BTreeMap<EventId, Reversal>)> {
        let whole = self.is_whole();
        let reversals = self.reversals.iter();
        reversals.filter(move |(target, _)| !whole || !self.entries.contains_key(target))
    }
}
