//! Two shops that both started alone, and one brought into the other.

use uuid::Uuid;

use super::Given;
use crate::command::{Batch, Bringing, OldShop, Rejection};
use crate::event::Event;
use crate::ids::ShopId;
use crate::ledger::Standing;
use crate::text::KeyRing;

/// Another shop than the one of all tests.
pub const OTHER_SHOP: ShopId = ShopId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002));

impl Given {
    /// The same phone before anything happened, for a shop of another id.
    pub fn of_shop(mut self, shop: ShopId) -> Given {
        self.keys = KeyRing::new(shop);
        self
    }

    /// These books, as they are brought into another shop.
    pub const fn as_old(&self) -> OldShop<'_> {
        OldShop {
            ledger: &self.ledger,
            keys: &self.keys,
        }
    }

    /// What this device brings next from an old shop.
    pub fn next_of(&self, old: &Given, bringing: &Bringing) -> Result<Batch, Rejection> {
        bringing.next(old.as_old(), &self.ledger, &self.context())
    }

    /// A batch is written.
    pub fn with_batch(mut self, batch: &Batch) -> Given {
        for (id, key) in &batch.keys {
            self.keys.add(*id, key.clone());
        }
        self.fold(batch.events.clone(), Standing::Counted);
        self
    }

    /// This device brings everything of an old shop. Panics if it would be refused.
    pub fn bringing(mut self, old: &Given) -> Given {
        let mut bringing = Bringing::of(old.as_old());
        loop {
            let batch = match self.next_of(old, &bringing) {
                Ok(batch) => batch,
                Err(refusal) => panic!("bringing was refused: {refusal}"),
            };
            bringing.written(&batch);
            self = self.with_batch(&batch);
            let (done, all) = bringing.progress();
            if done == all {
                return self;
            }
        }
    }

    /// What other phones wrote comes here, with their keys.
    pub fn hearing(mut self, events: &[Event], keys: &KeyRing) -> Given {
        for (id, key) in keys.held() {
            self.keys.add(*id, key.clone());
        }
        self.fold(events.to_vec(), Standing::Counted);
        self
    }
}
