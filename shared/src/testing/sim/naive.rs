//! The log and the books once more, in the simplest way that can be thought of: to compare with.

use std::collections::{BTreeMap, BTreeSet};

use crate::bytes::Hash;
use crate::chain;
use crate::event::{
    Body, Branch, Decoded, Event, Group, Origin, PublicKey, Refund, TenderBy, decode,
};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId};
use crate::ledger::{Ledger, What};
use crate::sync::tree::{leaf_hash, node_hash};
use crate::sync::wire::{Chunk, Verdict};
use crate::testing::device::SHOP;

/// Every level of a Merkle tree, whole.
#[derive(Default)]
struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            self.levels[level].push(node);
            let row = &self.levels[level];
            match row.as_slice() {
                [.., left, right] if row.len().is_multiple_of(2) => node = node_hash(left, right),
                _ => return,
            }
        }
    }

    /// The last nodes that have no partner, joined from the smallest to the largest.
    fn root(&self) -> Hash {
        let odd = self
            .levels
            .iter()
            .filter(|row| !row.len().is_multiple_of(2));
        let peaks = odd.filter_map(|row| row.last()).copied();
        peaks
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(|| chain::digest(&[]))
    }
}

/// The log as it should be, one chunk after the other.
#[derive(Default)]
pub(super) struct NaiveLog {
    pub size: u64,
    /// How many of the server's chunks were looked at.
    pub chunks: usize,
    tree: Tree,
    heads: BTreeMap<DeviceNo, (u32, Hash)>,
    /// What devices wrote, by the chain hash with it: no storage writes the same twice.
    pub written: BTreeMap<Hash, (EventId, Verdict)>,
    /// The root at the end of each chunk.
    roots: BTreeMap<u64, Hash>,
    received: Option<crate::calendar::TimeMs>,
}

impl NaiveLog {
    /// A device may appear.
    pub fn begin(&mut self, device: DeviceNo, key: &PublicKey) {
        let genesis = chain::genesis(SHOP, key);
        self.heads.entry(device).or_insert((0, genesis));
    }

    /// Checks that a chunk is the next, and takes it.
    pub fn push(&mut self, chunk: &Chunk) {
        assert_eq!(chunk.position, self.size + 1, "positions are dense");
        assert!(
            self.received.is_none_or(|last| last <= chunk.received),
            "times in the log never go back"
        );
        self.received = Some(chunk.received);
        let device = chunk.device;
        let events = chunk.events.as_deref().unwrap_or_default();
        assert_eq!(events.len(), chunk.count as usize, "a chunk is whole");
        for (bytes, seq) in events.iter().zip(chunk.first_seq..) {
            let head = self.heads.get_mut(&device).expect("an enrolled device");
            assert_eq!(seq, head.0 + 1, "device {} is dense and once", device.0);
            *head = (seq, chain::next(&head.1, &bytes.0));
            let id = EventId { device, seq };
            let twice = self.written.insert(head.1, (id, chunk.verdict));
            assert_eq!(twice, None, "{id} is in the log twice");
            let leaf = leaf_hash(device, seq, &head.1, chunk.received, chunk.verdict);
            self.tree.push(leaf);
            self.size += 1;
            let Ok(Decoded::Known(Event { body, .. })) = decode(&bytes.0, None) else {
                continue;
            };
            match body {
                _ if chunk.verdict != Verdict::Accepted => {}
                Body::DeviceEnrolled(body) => self.begin(body.device, &body.key),
                Body::BranchRegistered(body) => {
                    let head = (body.from_seq - 1, body.previous);
                    self.heads.entry(body.device).or_insert(head);
                }
                _ => {}
            }
        }
        self.chunks += 1;
        self.roots.insert(self.size, self.tree.root());
    }

    /// The root of the whole log, or of its beginning.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        match size {
            0 => Some(chain::digest(&[])),
            _ => self.roots.get(&size).copied(),
        }
    }

    /// How far a device's chain reaches.
    pub fn seq_of(&self, device: DeviceNo) -> u32 {
        self.heads.get(&device).map_or(0, |head| head.0)
    }
}

/// What a customer owes and has in advance, in paise.
type Sums = BTreeMap<CustomerId, (i64, i64)>;

/// The balances of all pages: sums over the log, and nothing else.
pub(super) fn balances(chunks: &[Chunk]) -> Sums {
    let counted = counted(chunks);
    let reversed: BTreeSet<EntryId> = counted
        .iter()
        .filter_map(|event| match &event.body {
            Body::EntryReversed(body) => Some(body.target),
            Body::EntryCorrected(body) => Some(body.target),
            _ => None,
        })
        .collect();
    // What was brought from another shop more than once is one entry: its first.
    let mut brought: BTreeMap<Origin, BTreeSet<EntryId>> = BTreeMap::new();
    for event in &counted {
        if let Some(origin) = origin(&event.body) {
            let same = brought.entry(origin).or_default();
            same.insert(EntryId(event.envelope.id));
        }
    }
    let mut sums = Sums::new();
    for event in &counted {
        let id = EntryId(event.envelope.id);
        let alone = BTreeSet::from([id]);
        let same = origin(&event.body).map_or(&alone, |origin| &brought[&origin]);
        if same.first() != Some(&id) || !same.is_disjoint(&reversed) {
            continue;
        }
        for (customer, khata, advance) in changes(&event.body) {
            let sum = sums.entry(customer).or_default();
            *sum = (sum.0.wrapping_add(khata), sum.1.wrapping_add(advance));
        }
    }
    sums
}

/// Compares the balances of a ledger with those sums.
pub(super) fn check_balances(ledger: &Ledger, sums: &Sums) {
    for (id, customer) in &ledger.customers {
        let balance = (customer.balance.khata.0, customer.balance.advance.0);
        let expected = sums.get(id).copied().unwrap_or_default();
        assert_eq!(balance, expected, "the balance of {id}");
    }
    for id in sums.keys() {
        assert!(ledger.customers.contains_key(id), "{id} has a page");
    }
}

/// An event of the log with what decides whether it counts.
struct Logged {
    event: Option<Event>,
    group: Option<Group>,
    verdict: Verdict,
}

/// The events that count: accepted or released, in groups that are whole.
fn counted(chunks: &[Chunk]) -> Vec<Event> {
    let mut log: BTreeMap<EventId, Logged> = BTreeMap::new();
    for chunk in chunks {
        let branch = chunk.branch_of.map(|of| Branch {
            device: chunk.device,
            of: of.device,
            from_seq: of.from_seq,
        });
        for (bytes, seq) in chunk.events.iter().flatten().zip(chunk.first_seq..) {
            let (event, group) = match decode(&bytes.0, branch) {
                Ok(Decoded::Known(event)) => (Some(event.clone()), event.envelope.group),
                Ok(Decoded::Unknown(unknown)) => (None, unknown.envelope.group),
                Err(_) => (None, None),
            };
            let place = EventId {
                device: chunk.device,
                seq,
            };
            let verdict = chunk.verdict;
            log.insert(
                place,
                Logged {
                    event,
                    group,
                    verdict,
                },
            );
        }
    }
    // The members of each group, a single event being a group of one.
    let mut groups: BTreeMap<EventId, Vec<&Logged>> = BTreeMap::new();
    for (place, logged) in &log {
        let first = logged.group.map_or(place.seq, |group| group.first);
        let first = EventId {
            seq: first,
            ..*place
        };
        groups.entry(first).or_default().push(logged);
    }
    let whole: Vec<Vec<&Logged>> = groups
        .into_values()
        .filter(|members| {
            let count = members[0].group.map_or(1, |group| usize::from(group.count));
            let taken = |it: &&Logged| {
                let sound = matches!(it.verdict, Verdict::Accepted | Verdict::Held);
                it.event.is_some() && sound && it.group == members[0].group
            };
            members.len() == count && members.iter().all(taken)
        })
        .collect();
    let is_held = |members: &[&Logged]| members.iter().any(|it| it.verdict == Verdict::Held);
    // What a released event releases counts as well.
    let mut released: BTreeSet<EventId> = BTreeSet::new();
    loop {
        let counts = whole.iter().filter(|members| {
            let mut ids = members.iter().filter_map(|it| it.event.as_ref());
            !is_held(members) || ids.any(|event| released.contains(&event.envelope.id))
        });
        let events = counts.flatten().filter_map(|it| it.event.clone());
        let events: Vec<Event> = events.collect();
        let before = released.len();
        for event in &events {
            if let Body::HeldReleased(body) = &event.body {
                released.extend(&body.events);
            }
        }
        if released.len() == before {
            return events;
        }
    }
}

/// Where an entry was first written, if another shop brought it.
fn origin(body: &Body) -> Option<Origin> {
    let what = What::from_body(body.clone()).ok()?;
    what.particulars().origin.as_deref().copied()
}

/// By how much an entry changes khata and advance of its customers.
fn changes(body: &Body) -> Vec<(CustomerId, i64, i64)> {
    match body {
        Body::CreditGiven(it) => vec![(it.customer, it.amount.0, 0)],
        Body::PaymentReceived(it) => vec![(it.customer, -it.amount.0, 0)],
        Body::WrittenOff(it) => vec![(it.customer, -it.amount.0, 0)],
        Body::AdvanceDeposited(it) => vec![(it.customer, 0, it.amount.0)],
        Body::AdvanceWithdrawn(it) => vec![(it.customer, 0, -it.amount.0)],
        Body::AdvanceUsed(it) => vec![(it.customer, -it.amount.0, -it.amount.0)],
        Body::AmountTransferred(it) => vec![(it.from, -it.amount.0, 0), (it.to, it.amount.0, 0)],
        Body::GoodsReturned(it) => match (it.customer, &it.refund) {
            (Some(customer), Refund::Khata) => vec![(customer, -it.amount.0, 0)],
            _ => Vec::new(),
        },
        Body::SaleRecorded(it) => {
            let Some(customer) = it.customer else {
                return Vec::new();
            };
            let tenders = it.tenders.iter().map(|tender| match tender.by {
                TenderBy::Khata => (customer, tender.amount.0, 0),
                TenderBy::Advance => (customer, 0, -tender.amount.0),
                TenderBy::Money(_) => (customer, 0, 0),
            });
            tenders.collect()
        }
        _ => Vec::new(),
    }
}
