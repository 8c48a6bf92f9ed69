//! Reading what concerns one customer, and putting it back into the books.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::Decoder;
use minicbor::data::Type;

use super::index::branch;
use super::{Index, takes_back};
use crate::bytes::Bytes;
use crate::calendar::TimeMs;
use crate::event::{Body, Decoded, Malformed, decode};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId};
use crate::ledger::{Ledger, Receipts, Standing, What};
use crate::sync::segment::{Picked, Seen};
use crate::sync::wire::{Chunk, Verdict};

/// What was read is not what the books sum up: something of it is missing, an entry was brought from
/// an old shop onto pages of different customers, or the books are wrong. The whole log has to be
/// folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the entries that were found do not come to the balance of the page")]
pub struct Differs;

/// Collects what concerns one customer.
#[derive(Debug)]
pub struct Recall {
    pages: BTreeSet<CustomerId>,
    /// The last event of each device that the books sum up: what comes later is in them.
    cut: BTreeMap<DeviceNo, u32>,
    /// The customer's entries that were found.
    entries: BTreeSet<EntryId>,
    /// Everything that may concern the customer, each device's in its order.
    events: BTreeMap<EventId, (Result<Decoded, Malformed>, Standing)>,
    /// When the server took which events.
    received: Vec<(DeviceNo, u32, u32, TimeMs)>,
    /// Which runs of the log were read or passed over: from the first position to the last.
    covered: BTreeMap<u64, u64>,
}

impl Recall {
    /// Begins to look for the entries of a customer. `None` if the books have them, or are such that
    /// nobody may look at them before the whole log is folded.
    pub fn begin(ledger: &Ledger, customer: CustomerId) -> Option<Recall> {
        let summary = ledger.summary.as_ref()?;
        if ledger.knows(customer) || !ledger.is_settled() {
            return None;
        }
        Some(Recall {
            pages: ledger.pages(customer).into_iter().collect(),
            cut: summary.cut.clone(),
            entries: BTreeSet::new(),
            events: BTreeMap::new(),
            received: Vec::new(),
            covered: BTreeMap::new(),
        })
    }

    /// Does the record with this index have to be read, as far as is known? To be asked again when
    /// others were read: an entry may be taken back in a record that does not name its customer.
    pub fn needs(&self, index: &Index) -> bool {
        self.covered.get(&index.first()) != Some(&index.last())
            && index.concerns(&self.pages, &self.entries)
    }

    /// Is an event to be read? More may be than concern the customer: which reversals do, and which
    /// groups, is known later.
    pub fn wants(&self, seen: &Seen<'_>) -> bool {
        let names_page = |id: &EventId| self.pages.contains(&CustomerId(*id));
        !seen.is_alone || seen.kind.is_none_or(takes_back) || seen.names.iter().any(names_page)
    }

    /// The same of a chunk that is not packed: its events as they may concern the customer, without
    /// those that are seen not to at a glance.
    pub fn sift(&self, chunk: Chunk) -> Picked {
        let mut picked = Picked::all(chunk);
        // In a copy's events ids are read as others.
        if picked.chunk.branch_of.is_none() {
            let names = self.pages.iter().map(|page| name(page.0));
            let names: Vec<Vec<u8>> = names.collect();
            picked
                .events
                .retain(|(_, event)| may_concern(&event.0, &names));
        }
        picked
    }

    /// Takes a run of the device's own events, in a shop without a server.
    pub fn take_own(&mut self, device: DeviceNo, first_seq: u32, events: Vec<Bytes>) {
        let run = self.sift(Chunk {
            position: u64::from(first_seq),
            device,
            first_seq,
            count: events.len() as u32,
            received: TimeMs(0),
            verdict: Verdict::Accepted,
            events: Some(events),
            branch_of: None,
        });
        self.take(vec![run]);
        // Nobody has received it.
        self.received.clear();
    }

    /// Takes what was read of a record of the log.
    pub fn take(&mut self, record: Vec<Picked>) {
        for Picked { chunk, events } in record {
            let Chunk {
                device,
                first_seq,
                count,
                received,
                ..
            } = chunk;
            self.received.push((device, first_seq, count, received));
            self.cover(chunk.position, chunk.position + u64::from(count) - 1);
            let cut = self.cut.get(&device).copied().unwrap_or(0);
            let standing = chunk.verdict.standing();
            for (seq, bytes) in events.into_iter().filter(|(seq, _)| *seq <= cut) {
                let event = decode(&bytes.0, branch(&chunk));
                self.add(EventId { device, seq }, event, standing);
            }
        }
    }

    fn add(&mut self, id: EventId, event: Result<Decoded, Malformed>, standing: Standing) {
        let is_alone = match &event {
            Ok(decoded) => decoded.envelope().group.is_none(),
            Err(_) => false,
        };
        let concerns = match &event {
            Ok(Decoded::Known(event)) => match &event.body {
                Body::EntryReversed(_) | Body::EntryCorrected(_) => true,
                body => pages(body).any(|page| self.pages.contains(&page)),
            },
            _ => false,
        };
        if concerns {
            self.entries.insert(EntryId(id));
        }
        if concerns || !is_alone {
            self.events.insert(id, (event, standing));
        }
    }

    /// Passes over a record that it does not need.
    pub fn pass(&mut self, index: &Index) {
        self.cover(index.first(), index.last());
        let lanes = index.lanes().iter().map(|(&device, lane)| {
            let count = lane.last_seq - lane.first_seq + 1;
            (device, lane.first_seq, count, lane.received)
        });
        self.received.extend(lanes);
    }

    fn cover(&mut self, first: u64, last: u64) {
        self.covered.insert(first, last);
    }

    /// How many events it holds.
    pub fn events(&self) -> usize {
        self.events.len()
    }

    /// Puts the customer's entries back into the books, where the log up to the position `until` was
    /// looked through. Nothing is changed if that does not come to what the books say.
    ///
    /// # Errors
    ///
    /// The books stay without these entries.
    pub fn put_back(
        self,
        ledger: &mut Ledger,
        receipts: &mut Receipts,
        until: u64,
    ) -> Result<(), Differs> {
        let mut next = 1;
        for (&first, &last) in &self.covered {
            if first > next {
                break;
            }
            next = next.max(last + 1);
        }
        let summary = ledger.summary.as_ref();
        if next <= until || summary.is_none_or(|summary| summary.cut != self.cut) {
            return Err(Differs);
        }
        ledger.put_back(&self.pages, self.events)?;
        for (device, first_seq, count, received) in self.received {
            receipts.add(device, first_seq, count, received);
        }
        Ok(())
    }
}

/// The pages that an entry names.
fn pages(body: &Body) -> impl Iterator<Item = CustomerId> + use<> {
    // Only entries are kept, so few bodies are copied.
    let what = What::from_body(body.clone()).ok();
    what.map(|what| what.customers())
        .into_iter()
        .flatten()
        .flatten()
}

/// The bytes with which an event names something.
fn name(id: EventId) -> Vec<u8> {
    minicbor::to_vec(id).expect("writing to memory cannot fail")
}

/// Could an event in these bytes concern whoever is named so? No more is read than its envelope.
fn may_concern(bytes: &[u8], names: &[Vec<u8>]) -> bool {
    let is_named = |name: &Vec<u8>| bytes.windows(name.len()).any(|part| part == name);
    match glance(bytes) {
        Some((is_alone, kind)) => !is_alone || takes_back(kind) || names.iter().any(is_named),
        None => true,
    }
}

/// Does the event stand alone, and of which kind is it?
fn glance(bytes: &[u8]) -> Option<(bool, u16)> {
    let mut decoder = Decoder::new(bytes);
    decoder.array().ok()?;
    let skip =
        |decoder: &mut Decoder<'_>, count: usize| (0..count).try_for_each(|_| decoder.skip().ok());
    skip(&mut decoder, BEFORE_GROUP)?;
    let is_alone = decoder.datatype().ok()? == Type::Null;
    skip(&mut decoder, BEFORE_KIND - BEFORE_GROUP)?;
    Some((is_alone, decoder.u16().ok()?))
}

/// So many elements of an event stand before its group, and before its kind.
const BEFORE_GROUP: usize = 5;
const BEFORE_KIND: usize = 9;

impl Picked {
    /// All events of a chunk.
    pub fn all(mut chunk: Chunk) -> Picked {
        let events = chunk.events.take().unwrap_or_default();
        let seqs = (0..chunk.count).map(|index| chunk.first_seq.wrapping_add(index));
        Picked {
            events: seqs.zip(events).collect(),
            chunk,
        }
    }
}
