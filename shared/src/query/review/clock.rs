//! Clocks that are off.

use std::collections::{BTreeMap, BTreeSet};

use super::Task;
use crate::calendar::{BusinessDay, TimeMs};
use crate::event::{Subject, TaskKind};
use crate::ids::{DeviceNo, EntryId, EventId};
use crate::ledger::{Entry, Ledger, Receipts, What};

/// A clock may be off by this much: ten minutes.
pub const CLOCK_TOLERANCE_MS: i64 = 10 * 60 * 1000;

/// Finds devices whose clock is off: ahead, if an entry claims to be later than the server took it;
/// behind, if an entry claims to be earlier than the server took something that its device knew.
///
/// The evidence is the first such entry of each day, so that a wrong clock makes one task with one
/// piece of evidence a day and not hundreds.
pub(super) fn find(ledger: &Ledger, receipts: &Receipts, found: &mut Vec<Task>) {
    let chains = Chains::new(ledger, receipts);
    let mut off: BTreeMap<DeviceNo, BTreeMap<BusinessDay, EventId>> = BTreeMap::new();
    let mut before: Option<(EntryId, &Entry)> = None;
    for (&id, entry) in &ledger.entries {
        let received = receipts.received(id.0.device, id.0.seq);
        let latest = entry.at.plus_ms(CLOCK_TOLERANCE_MS);
        let ahead =
            received.is_some_and(|received| received.plus_ms(CLOCK_TOLERANCE_MS) < entry.at);
        let behind = || {
            let known = chains
                .knew_of(id, entry, before)
                .max(mentioned(receipts, id, entry));
            known.is_some_and(|known| known > latest)
        };
        if ahead || behind() {
            let day = received.unwrap_or(entry.at).day();
            let days = off.entry(id.0.device).or_default();
            days.entry(day).or_insert(id.0);
        }
        before = Some((id, entry));
    }
    found.extend(off.into_iter().map(|(device, days)| Task {
        kind: TaskKind::ClockOff,
        subject: Subject::Device(device),
        evidence: days.into_values().collect::<BTreeSet<EventId>>(),
        amount: None,
    }));
}

/// When the server took the latest of what an entry names and another device wrote: its customers,
/// what was returned, what it replaces.
fn mentioned(receipts: &Receipts, id: EntryId, entry: &Entry) -> Option<TimeMs> {
    let customers = entry.what.customers().into_iter().flatten();
    let of = match &entry.what {
        What::Return(entry) => entry.of,
        What::AdvanceUse(entry) => entry.against,
        _ => None,
    };
    let entries = [of, entry.what.particulars().replaces];
    let entries = entries.into_iter().flatten().map(|entry| entry.0);
    let others = customers.map(|customer| customer.0).chain(entries);
    others
        .filter(|other| other.device != id.0.device)
        .filter_map(|other| receipts.received(other.device, other.seq))
        .max()
}

/// The entries of each device by Lamport clock, with the times at which the server took them.
struct Chains<'l> {
    ledger: &'l Ledger,
    by_device: BTreeMap<DeviceNo, Vec<Link>>,
}

struct Link {
    clock: u64,
    seq: u32,
    received: Option<TimeMs>,
}

impl<'l> Chains<'l> {
    fn new(ledger: &'l Ledger, receipts: &Receipts) -> Chains<'l> {
        let mut by_device: BTreeMap<DeviceNo, Vec<Link>> = BTreeMap::new();
        for (id, entry) in &ledger.entries {
            by_device.entry(id.0.device).or_default().push(Link {
                clock: entry.clock,
                seq: id.0.seq,
                received: receipts.received(id.0.device, id.0.seq),
            });
        }
        Chains { ledger, by_device }
    }

    /// A time at which the server had, at the earliest, taken what the device knew when it wrote
    /// this entry; `None` if nothing can be said.
    ///
    /// The clock of an entry is one more than the greatest that its device knew. If the device's
    /// own event before is older than that, some other device wrote the clock in between, and the
    /// server passed it on. Which one is not known, so the earliest that it can have been counts.
    fn knew_of(
        &self,
        id: EntryId,
        entry: &Entry,
        before: Option<(EntryId, &Entry)>,
    ) -> Option<TimeMs> {
        let (own, own_entry) = before?;
        let seen = entry.clock.checked_sub(1)?;
        let follows = own.0.device == id.0.device && own.0.seq + 1 == id.0.seq;
        if !follows || own_entry.clock >= seen {
            return None;
        }
        let mut earliest: Option<TimeMs> = None;
        for (device, chain) in &self.by_device {
            if *device != id.0.device && self.may_have_written(*device, chain, seen) {
                let last = chain
                    .partition_point(|link| link.clock <= seen)
                    .checked_sub(1);
                let received = last.and_then(|last| chain[last].received)?;
                earliest = Some(earliest.map_or(received, |time| time.min(received)));
            }
        }
        earliest
    }

    /// Can this device have an event with this clock? Not if two neighbours in its chain lie on
    /// either side of it, or its last event is before it.
    fn may_have_written(&self, device: DeviceNo, chain: &[Link], clock: u64) -> bool {
        let after = chain.partition_point(|link| link.clock <= clock);
        let last_seq = self
            .ledger
            .lanes
            .get(&device)
            .map_or(0, |lane| lane.last_seq);
        match (
            after.checked_sub(1).and_then(|last| chain.get(last)),
            chain.get(after),
        ) {
            (Some(last), _) if last.clock == clock => true,
            (Some(last), Some(next)) => last.seq + 1 != next.seq,
            (Some(last), None) => last.seq != last_seq,
            (None, Some(next)) => next.seq != 1,
            (None, None) => true,
        }
    }
}
