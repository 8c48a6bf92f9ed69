//! The state that commands look at, and how events fold into it.
//!
//! Folding is **order-free**: the same set of events gives the same state, byte for byte, in any
//! order across devices (each device's own in sequence), in any chunks, with any duplicates. Sums
//! add up, sets join, and a fact that is replaced is a [`Register`] that keeps the greatest stamp.
//! So there is no rebase and no second copy of the state.
//!
//! What depends on an order (running balances, oldest-first settling) is no part of the state:
//! queries compute it.

mod brought;
mod count;
mod customer;
mod device;
mod entries;
mod entry;
mod fold;
mod progress;
mod recall;
mod register;
mod shop;
pub(crate) mod stored;
mod summary;

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

pub use brought::Brought;
pub use customer::{Balance, Customer, Posting};
pub use device::{Device, Member};
pub use entries::{Entries, Finder};
pub use entry::{Effect, Entry, What};
pub use fold::{Standing, Step};
pub use progress::{Lane, Receipts};
pub use register::Register;
pub use shop::Shop;
pub use summary::{Earlier, Summary};

use crate::bytes::{Hash, KeyId};
use crate::calendar::TimeMs;
use crate::event::{Event, MessageSent, Reason, Resolution, StatementSent, Subject, TaskKind};
use crate::ids::{CustomerId, DeviceNo, EntryId, EventId, StaffId};
use crate::money::Paise;
use crate::text::Text;

/// The version of the folds. Snapshots of another version are rebuilt.
pub const FOLD_VERSION: u16 = 2;

/// Everything that the events of a shop fold into.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Ledger {
    /// The shop.
    #[n(0)]
    pub shop: Shop,
    /// Its devices.
    #[n(1)]
    pub devices: BTreeMap<DeviceNo, Device>,
    /// Its people.
    #[n(2)]
    pub staff: BTreeMap<StaffId, Member>,
    /// Its customers, each under their own id even when merged.
    #[n(3)]
    pub customers: BTreeMap<CustomerId, Customer>,
    /// All entries, reversed ones too.
    #[n(4)]
    pub entries: Entries<Entry>,
    /// Who took back which entry. Any number of reversals has the effect of one.
    #[n(5)]
    pub reversals: BTreeMap<EntryId, BTreeMap<EventId, Reversal>>,
    /// Merged customers and the canonical one: the least id of those that belong together.
    #[n(6)]
    pub merged: BTreeMap<CustomerId, CustomerId>,
    /// What people decided about review tasks.
    #[n(7)]
    pub resolutions: BTreeMap<TaskKey, BTreeMap<EventId, Resolved>>,
    /// Statements that customers were given.
    #[n(8)]
    pub statements: BTreeMap<EventId, Dated<StatementSent>>,
    /// Messages that customers were sent.
    #[n(9)]
    pub messages: BTreeMap<EventId, Dated<MessageSent>>,
    /// Groups of revoked devices that wait for the owner's decision, by their first event.
    #[n(10)]
    pub held: BTreeMap<EventId, HeldGroup>,
    /// Events that the owner let in.
    #[n(11)]
    pub released: BTreeSet<EventId>,
    /// Events that the owner kept out.
    #[n(12)]
    pub refused: BTreeSet<EventId>,
    /// Keys that were destroyed.
    #[n(13)]
    pub erased_keys: BTreeSet<KeyId>,
    /// How far each device's chain was read.
    #[n(14)]
    pub lanes: BTreeMap<DeviceNo, Lane>,
    /// The greatest Lamport clock of the counted events.
    #[n(15)]
    pub clock: u64,
    /// What stands in the place of earlier entries, in a ledger without history.
    #[n(16)]
    pub summary: Option<Box<Summary>>,
    /// What was brought from other shops.
    #[n(17)]
    pub brought: Brought,
}

/// A task's identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct TaskKey {
    /// The kind of task.
    #[n(0)]
    pub kind: TaskKind,
    /// What it is about.
    #[n(1)]
    pub subject: Subject,
}

/// A decision about a task.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Resolved {
    /// The Lamport clock, for the order of decisions.
    #[n(0)]
    pub clock: u64,
    /// Who decided.
    #[n(1)]
    pub by: Option<StaffId>,
    /// How.
    #[n(2)]
    pub resolution: Resolution,
    /// The events that are covered.
    #[n(3)]
    pub evidence: BTreeSet<EventId>,
    /// The amount that is covered.
    #[n(4)]
    pub covers: Option<Paise>,
}

/// An event that took an entry back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Reversal {
    /// The Lamport clock.
    #[n(0)]
    pub clock: u64,
    /// What the device's clock said.
    #[n(1)]
    pub at: TimeMs,
    /// Who took it back.
    #[n(2)]
    pub by: Option<StaffId>,
    /// Why.
    #[n(3)]
    pub reason: Reason,
    /// The entry that replaces it, in a correction.
    #[n(4)]
    pub replacement: Option<EntryId>,
    /// Who saw it.
    #[n(5)]
    pub witness: Option<Box<Text>>,
}

/// Something that was sent, with its time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct Dated<T> {
    /// The Lamport clock.
    #[n(0)]
    pub clock: u64,
    /// What the device's clock said.
    #[n(1)]
    pub at: TimeMs,
    /// Who sent it.
    #[n(2)]
    pub by: Option<StaffId>,
    /// What was sent.
    #[n(3)]
    pub what: T,
}

/// Events of one command that wait for the owner's decision, in their stored bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array, context_bound = "crate::ids::IdMap")]
pub struct HeldGroup {
    /// The events, in sequence, as [`crate::event::encode`] writes them with ids as they are read
    /// here.
    #[n(0)]
    pub events: Vec<crate::bytes::Bytes>,
}

impl HeldGroup {
    /// The events.
    pub fn events(&self) -> Vec<Event> {
        let decoded =
            self.events
                .iter()
                .filter_map(|bytes| match crate::event::decode(&bytes.0, None) {
                    Ok(crate::event::Decoded::Known(event)) => Some(event),
                    _ => None,
                });
        decoded.collect()
    }
}

impl Ledger {
    /// The canonical id of a customer: the least of those that were merged with it.
    pub fn canonical(&self, customer: CustomerId) -> CustomerId {
        self.merged.get(&customer).copied().unwrap_or(customer)
    }

    /// All ids of the same customer, the canonical one first.
    pub fn pages(&self, customer: CustomerId) -> Vec<CustomerId> {
        let canonical = self.canonical(customer);
        let others = self
            .merged
            .iter()
            .filter(|&(_, &of)| of == canonical)
            .map(|(&id, _)| id);
        core::iter::once(canonical).chain(others).collect()
    }

    /// What a customer owes and has in advance, over all merged pages.
    pub fn balance(&self, customer: CustomerId) -> Balance {
        let mut sum = Balance::default();
        for page in self.pages(customer) {
            if let Some(customer) = self.customers.get(&page) {
                sum += customer.balance;
            }
        }
        sum
    }

    /// How much a customer may owe: the smallest limit of the customer's own pages, or else the
    /// shop's; `None` without either.
    pub fn credit_limit(&self, customer: CustomerId) -> Option<Paise> {
        let pages = self.pages(customer);
        let own = pages.iter().filter_map(|page| self.customers.get(page));
        let own = own.filter_map(|page| page.limit.value()).min();
        own.or(self.shop.credit_limit.value()).copied()
    }

    /// Has this entry been taken back?
    pub fn is_reversed(&self, entry: EntryId) -> bool {
        self.reversals.contains_key(&entry)
    }

    /// Entries that lie in the log and are not counted: of a newer app, damaged, held, or in a
    /// group that is not whole.
    pub fn uncounted(&self) -> u64 {
        self.lanes.values().map(|lane| lane.uncounted()).sum()
    }

    /// The state as bytes: equal for equal sets of events.
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to memory cannot fail")
    }

    /// SHA-256 of [`Ledger::to_bytes`].
    pub fn checksum(&self) -> Hash {
        crate::chain::digest(&[&self.to_bytes()])
    }
}
