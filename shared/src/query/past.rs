//! Balances as of a day, as they are known now or as they were known then.
//!
//! Two times belong to every entry: the business date that it is about, and the time at which it
//! was *recorded*. The device's own clock is a claim; it is held between what the device recorded
//! before and the time at which the server had it:
//!
//! `recorded = min(max(at, recorded of the device's entry before), received)`
//!
//! A chain is received in its order ([`Receipts::add`]), so that never decreases along it. What was
//! known at a moment is then, for every device, all up to some number: a cut ([`Known`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::calendar::{BusinessDay, TimeMs};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId};
use crate::ledger::{Balance, Ledger, Posting, Receipts};

/// How much of every device's chain was known at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known(BTreeMap<DeviceNo, u32>);

impl Known {
    /// What had been recorded by `time`, that moment included.
    pub fn at(ledger: &Ledger, receipts: &Receipts, time: TimeMs) -> Known {
        let mut known: BTreeMap<DeviceNo, u32> = BTreeMap::new();
        for (&device, lane) in &ledger.lanes {
            let last = if lane.latest <= time {
                lane.last_seq
            } else {
                // What the server had by then was known, whatever the device's clock said; after
                // that, everything before the first entry that claims a later time.
                let received = receipts.taken_by(device, time);
                let id = |seq| EntryId(EventId { device, seq });
                let after = id(received.saturating_add(1))..=id(u32::MAX);
                let mut after = ledger.entries.range(after);
                let later = after.find(|(_, entry)| entry.at > time);
                later.map_or(lane.last_seq, |(id, _)| id.0.seq - 1)
            };
            known.insert(device, last);
        }
        for reversals in ledger.reversals.values() {
            for (id, reversal) in reversals {
                if reversal.at > time
                    && let Some(last) = known.get_mut(&id.device)
                    && id.seq <= *last
                    && id.seq > receipts.taken_by(id.device, time)
                {
                    *last = id.seq - 1;
                }
            }
        }
        Known(known)
    }

    /// Everything up to these numbers of each device.
    pub fn up_to(cut: impl IntoIterator<Item = (DeviceNo, u32)>) -> Known {
        Known(cut.into_iter().collect())
    }

    /// Was this event known?
    pub fn covers(&self, id: EventId) -> bool {
        self.0.get(&id.device).is_some_and(|&last| id.seq <= last)
    }
}

/// A customer's balance at the end of a business day, as it is known now.
pub fn balance_as_of(ledger: &Ledger, customer: CustomerId, day: BusinessDay) -> Balance {
    sum(ledger, customer, day, |_, posting| posting.counted())
}

/// A customer's balance at the end of a business day, as it was known then: entries and reversals
/// that were recorded later do not count. Pages that were merged are one customer whenever they
/// were merged.
pub fn balance_as_known(
    ledger: &Ledger,
    customer: CustomerId,
    day: BusinessDay,
    known: &Known,
) -> Balance {
    sum(ledger, customer, day, |id, posting| {
        let reversed = posting.reversed && was_reversed(ledger, id, known);
        if known.covers(id.0) && !reversed {
            posting.change
        } else {
            Balance::default()
        }
    })
}

/// Adds up a customer's postings up to a day.
fn sum(
    ledger: &Ledger,
    customer: CustomerId,
    day: BusinessDay,
    counted: impl Fn(EntryId, &Posting) -> Balance,
) -> Balance {
    let mut sum = Balance::default();
    let pages = ledger.pages(customer).into_iter();
    for page in pages.filter_map(|page| ledger.customers.get(&page)) {
        for (&id, posting) in &page.entries {
            if posting.on <= day && !ledger.is_copy(id) {
                sum += counted(id, posting);
            }
        }
    }
    sum
}

/// The balances of all customers at the end of a business day, merged pages together; as they were
/// known then, or as they are known now without `known`.
pub fn balances_as_of(
    ledger: &Ledger,
    day: BusinessDay,
    known: Option<&Known>,
) -> BTreeMap<CustomerId, Balance> {
    let pages = ledger.customers.keys();
    let canonical: BTreeSet<CustomerId> = pages.map(|page| ledger.canonical(*page)).collect();
    let balance = |customer| match known {
        Some(known) => balance_as_known(ledger, customer, day, known),
        None => balance_as_of(ledger, customer, day),
    };
    let customers = canonical.into_iter();
    customers
        .map(|customer| (customer, balance(customer)))
        .collect()
}

fn was_reversed(ledger: &Ledger, entry: EntryId, known: &Known) -> bool {
    let reversals = ledger.reversals.get(&entry);
    reversals.is_some_and(|all| all.keys().any(|&reversal| known.covers(reversal)))
}

/// When an entry was recorded; `None` for an entry that is not there.
pub fn recorded(ledger: &Ledger, receipts: &Receipts, id: EntryId) -> Option<TimeMs> {
    let device = id.0.device;
    let at = ledger.entries.get(&id)?.at;
    let mut claims: BTreeMap<u32, TimeMs> = BTreeMap::from([(id.0.seq, at)]);
    // Whatever the server had by the time that this entry claims cannot have been recorded later,
    // so only what came after that matters.
    let had = receipts.taken_by(device, at);
    let of_device = |seq| EntryId(EventId { device, seq });
    if had < id.0.seq {
        let entries = ledger.entries.range(of_device(had + 1)..id);
        claims.extend(entries.map(|(id, entry)| (id.0.seq, entry.at)));
        let reversals = ledger.reversals.values().flatten();
        claims.extend(
            reversals
                .filter(|(reversal, _)| reversal.device == device)
                .map(|(reversal, reversed)| (reversal.seq, reversed.at))
                .filter(|(seq, _)| (had + 1..id.0.seq).contains(seq)),
        );
    }
    let recorded = claims
        .into_iter()
        .fold(TimeMs(i64::MIN), |recorded, (seq, at)| {
            let recorded = recorded.max(at);
            let received = receipts.received(device, seq);
            received.map_or(recorded, |received| received.min(recorded))
        });
    Some(recorded)
}
