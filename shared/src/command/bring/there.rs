//! What of the old shop is in the new one, and under which id.

use std::collections::BTreeMap;

use super::{Bringing, OldShop, Step};
use crate::event::Origin;
use crate::ids::{CustomerId, EntryId, EventId, ShopId};
use crate::ledger::Ledger;

/// Looks things of the old shop up in the new one.
pub(super) struct There<'a> {
    pub old: OldShop<'a>,
    pub ledger: &'a Ledger,
    shop: ShopId,
    bringing: &'a Bringing,
    /// What the batch in the making brings.
    new: BTreeMap<Origin, EventId>,
}

impl<'a> There<'a> {
    pub fn new(
        bringing: &'a Bringing,
        old: OldShop<'a>,
        ledger: &'a Ledger,
        shop: ShopId,
    ) -> There<'a> {
        There {
            old,
            ledger,
            shop,
            bringing,
            new: BTreeMap::new(),
        }
    }

    /// Where something of the old shop was first written.
    pub fn origin(&self, id: EventId) -> Origin {
        let known = self.bringing.origins.get(&id);
        known.copied().unwrap_or(Origin {
            shop: self.old.keys.shop(),
            device: id.device.0,
            seq: id.seq,
        })
    }

    /// From now on it is there under this id.
    pub fn note(&mut self, origin: Origin, id: EventId) {
        self.new.insert(origin, id);
    }

    /// A customer of the old shop.
    pub fn customer(&self, id: CustomerId) -> Option<CustomerId> {
        let origin = self.origin(id.0);
        let native = CustomerId(EventId::new(origin.device, origin.seq));
        if origin.shop == self.shop && self.ledger.customers.contains_key(&native) {
            return Some(native);
        }
        let brought = self.ledger.brought.customers.get(&origin);
        let brought = brought.and_then(|ids| ids.first());
        brought.or(self.new.get(&origin)).copied().map(CustomerId)
    }

    /// An entry of the old shop.
    pub fn entry(&self, id: EntryId) -> Option<EntryId> {
        let origin = self.origin(self.old.ledger.original(id).0);
        let native = EntryId(EventId::new(origin.device, origin.seq));
        if origin.shop == self.shop && self.ledger.entries.contains_key(&native) {
            return Some(native);
        }
        let brought = self.ledger.brought.entries.get(&origin);
        let brought = brought.and_then(|ids| ids.first());
        brought.or(self.new.get(&origin)).copied().map(EntryId)
    }

    /// Is it done already, or is there nothing to do it to?
    pub fn has(&self, step: Step) -> bool {
        match step {
            Step::Customer(id) => self.customer(id).is_some(),
            Step::Merge(one, other) => match (self.customer(one), self.customer(other)) {
                (Some(one), Some(other)) => {
                    self.ledger.canonical(one) == self.ledger.canonical(other)
                }
                _ => true,
            },
            Step::Entry(id) => self.entry(id).is_some(),
            Step::Reversal(target) => {
                let target = self.entry(target);
                target.is_none_or(|target| self.ledger.is_reversed(target))
            }
        }
    }
}
