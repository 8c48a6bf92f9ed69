//! What stands in a record of the log.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use crate::calendar::TimeMs;
use crate::event::{Body, Branch, Decoded, decode};
use crate::ids::{CustomerId, DeviceNo, EntryId};
use crate::ledger::{FOLD_VERSION, What};
use crate::sync::wire::Chunk;

/// What stands in a record of the log, so that whoever looks for something knows where not to look.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Index {
    /// The version of the folds that knew its events. Another one may understand more of them.
    #[n(0)]
    version: u16,
    /// The position of the first event.
    #[n(1)]
    first: u64,
    /// The position of the last event.
    #[n(2)]
    last: u64,
    /// What each device wrote of it.
    #[n(3)]
    lanes: BTreeMap<DeviceNo, Lane>,
    /// The customers whose pages entries name.
    #[n(4)]
    customers: BTreeSet<CustomerId>,
    /// The entries that events take back.
    #[n(5)]
    taken_back: BTreeSet<EntryId>,
    /// A group of events begins before it or ends behind it.
    #[n(6)]
    cuts_group: bool,
}

/// A run of a device's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Lane {
    /// The number of the first.
    #[n(0)]
    pub first_seq: u32,
    /// The number of the last.
    #[n(1)]
    pub last_seq: u32,
    /// The earliest time at which the server took any of them.
    #[n(2)]
    pub received: TimeMs,
}

impl Index {
    /// The index of a record that holds these chunks, each with its events.
    pub fn of(chunks: &[Chunk]) -> Index {
        let end = |chunk: &Chunk| chunk.position + u64::from(chunk.count) - 1;
        let mut index = Index {
            version: FOLD_VERSION,
            first: chunks.first().map_or(0, |chunk| chunk.position),
            last: chunks.last().map_or(0, end),
            lanes: BTreeMap::new(),
            customers: BTreeSet::new(),
            taken_back: BTreeSet::new(),
            cuts_group: false,
        };
        let mut groups: BTreeMap<DeviceNo, (u32, u32)> = BTreeMap::new();
        for chunk in chunks {
            let last_seq = chunk
                .first_seq
                .saturating_add(chunk.count.saturating_sub(1));
            let lane = index.lanes.entry(chunk.device).or_insert(Lane {
                first_seq: chunk.first_seq,
                last_seq,
                received: chunk.received,
            });
            lane.last_seq = last_seq;
            lane.received = lane.received.min(chunk.received);
            let branch = branch(chunk);
            for event in chunk.events.iter().flatten() {
                let Ok(decoded) = decode(&event.0, branch) else {
                    continue;
                };
                if let Some(group) = decoded.envelope().group {
                    let last = group.first + u32::from(group.count) - 1;
                    let (least, greatest) =
                        groups.entry(chunk.device).or_insert((group.first, last));
                    (*least, *greatest) = ((*least).min(group.first), (*greatest).max(last));
                }
                if let Decoded::Known(event) = decoded {
                    index.add(event.body);
                }
            }
        }
        index.cuts_group = groups.iter().any(|(device, (least, greatest))| {
            let lane = &index.lanes[device];
            *least < lane.first_seq || *greatest > lane.last_seq
        });
        index
    }

    fn add(&mut self, body: Body) {
        match body {
            Body::EntryReversed(body) => {
                self.taken_back.insert(body.target);
            }
            Body::EntryCorrected(body) => {
                self.taken_back.insert(body.target);
            }
            other => {
                if let Ok(what) = What::from_body(other) {
                    self.customers
                        .extend(what.customers().into_iter().flatten());
                }
            }
        }
    }

    /// Was it made by a version that understood as much of its events as this one?
    pub const fn is_current(&self) -> bool {
        self.version == FOLD_VERSION
    }

    /// The position of the first event.
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The position of the last event.
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// What each device wrote of it.
    pub const fn lanes(&self) -> &BTreeMap<DeviceNo, Lane> {
        &self.lanes
    }

    /// May there be something of these customers or about these entries in the record?
    pub fn concerns(&self, customers: &BTreeSet<CustomerId>, entries: &BTreeSet<EntryId>) -> bool {
        !self.is_current()
            || self.cuts_group
            || !self.customers.is_disjoint(customers)
            || !self.taken_back.is_disjoint(entries)
    }
}

/// How ids are read in the events of a chunk.
pub(super) fn branch(chunk: &Chunk) -> Option<Branch> {
    chunk.branch_of.map(|of| Branch {
        device: chunk.device,
        of: of.device,
        from_seq: of.from_seq,
    })
}
