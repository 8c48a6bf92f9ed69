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
/// Nothing is said of an entry that the server does not have.
///
/// The evidence is the first such entry of each day, so that a wrong clock makes one task with one
/// piece of evidence a day and not hundreds.
pub(super) fn find(ledger: &Ledger, receipts: &Receipts, found: &mut Vec<Task>) {
    let chains = Chains::new(ledger);
    let mut off: BTreeMap<DeviceNo, BTreeMap<BusinessDay, EventId>> = BTreeMap::new();
    let mut before: Option<(EntryId, &Entry)> = None;
    let mut run: Option<(EventId, TimeMs)> = None;
    for (&id, entry) in &ledger.entries {
        // Entries come in the order of their chains: mostly the run of the one before.
        if run.is_none_or(|(last, _)| last < id.0) {
            let next = receipts.run(id.0.device, id.0.seq);
            let last = |seq| EventId { seq, ..id.0 };
            run = next.map(|(seq, received)| (last(seq), received));
        }
        // What was brought keeps the time of the shop that wrote it.
        let is_brought = entry.what.particulars().origin.is_some();
        let received = run.map(|(_, received)| received).filter(|_| !is_brought);
        let latest = entry.at.plus_ms(CLOCK_TOLERANCE_MS);
        let ahead =
            received.is_some_and(|received| received.plus_ms(CLOCK_TOLERANCE_MS) < entry.at);
        // What the device knew had reached the server before this entry did.
        let may_be_behind = received.is_some_and(|received| received > latest);
        let behind = || {
            let known = chains.knew_of(receipts, id, entry, before);
            let known = known.max(mentioned(receipts, id, entry));
            known.is_some_and(|known| known > latest)
        };
        if ahead || (may_be_behind && behind()) {
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

/// The entries of each device by Lamport clock.
struct Chains<'l> {
    ledger: &'l Ledger,
    by_device: BTreeMap<DeviceNo, Vec<Link>>,
}

struct Link {
    clock: u64,
    seq: u32,
}

impl<'l> Chains<'l> {
    fn new(ledger: &'l Ledger) -> Chains<'l> {
        let mut by_device: BTreeMap<DeviceNo, Vec<Link>> = BTreeMap::new();
        for (id, entry) in &ledger.entries {
            by_device.entry(id.0.device).or_default().push(Link {
                clock: entry.clock,
                seq: id.0.seq,
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
        receipts: &Receipts,
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
        for (&device, lane) in &self.ledger.lanes {
            let chain = self.by_device.get(&device).map_or(&[][..], Vec::as_slice);
            if device != id.0.device && may_have_written(chain, lane.last_seq, seen) {
                let after = chain.partition_point(|link| link.clock <= seen);
                let last = chain.get(after.checked_sub(1)?)?;
                let received = receipts.received(device, last.seq)?;
                earliest = Some(earliest.map_or(received, |time| time.min(received)));
            }
        }
        earliest
    }
}

/// Can a device with these entries have an event with this clock? Not if two neighbours in its
/// chain lie on either side of it, or its last event is before it.
fn may_have_written(chain: &[Link], last_seq: u32, clock: u64) -> bool {
    let (before, after) = chain.split_at(chain.partition_point(|link| link.clock <= clock));
    match (before.last(), after.first()) {
        (Some(last), _) if last.clock == clock => true,
        (last, next) => {
            let next_seq = next.map_or(last_seq.saturating_add(1), |next| next.seq);
            last.map_or(0, |last| last.seq) + 1 != next_seq
        }
    }
}
