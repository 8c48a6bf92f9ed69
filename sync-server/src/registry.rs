//! The shops as they were last committed, kept at hand: what a reader needs to answer without a
//! look at the disk, and where it hears of the next commit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::ids::ShopId;
use tokio::sync::watch;

use crate::store::{ShopRecord, Store, StoreError};

/// The most shops at hand. Beyond that, those that nobody listens to are put away.
const MAX_SHOPS: usize = 4096;

/// A shop as it was last committed; it says when that changes.
pub type Watched = watch::Receiver<Arc<ShopRecord>>;

/// The shops at hand.
pub struct Registry {
    store: Arc<dyn Store>,
    shops: Mutex<Shops>,
}

#[derive(Default)]
struct Shops {
    at_hand: HashMap<ShopId, watch::Sender<Arc<ShopRecord>>>,
    /// Goes up when shops are put away: what was read from the disk before may be old by now.
    put_away: u64,
}

impl Registry {
    /// Nothing is at hand yet.
    pub fn new(store: Arc<dyn Store>) -> Registry {
        Registry {
            store,
            shops: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shops> {
        self.shops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A shop, from the disk if it has to be.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn get(&self, shop: ShopId) -> Result<Option<Watched>, StoreError> {
        loop {
            let put_away = {
                let shops = self.lock();
                if let Some(sender) = shops.at_hand.get(&shop) {
                    return Ok(Some(sender.subscribe()));
                }
                shops.put_away
            };
            let Some(record) = self.store.shop(shop).await? else {
                return Ok(None);
            };
            let mut shops = self.lock();
            if shops.put_away == put_away {
                let sender = shops
                    .at_hand
                    .entry(shop)
                    // What the writer has put there meanwhile is newer.
                    .or_insert_with(|| watch::Sender::new(Arc::new(record)));
                return Ok(Some(sender.subscribe()));
            }
        }
    }

    /// A shop was committed. Only the writer says so.
    pub fn publish(&self, record: Arc<ShopRecord>) {
        let mut shops = self.lock();
        let shop = record.shop();
        if shops.at_hand.len() >= MAX_SHOPS && !shops.at_hand.contains_key(&shop) {
            shops
                .at_hand
                .retain(|_, sender| sender.receiver_count() > 0);
            shops.put_away += 1;
        }
        match shops.at_hand.get(&shop) {
            Some(sender) => {
                sender.send_replace(record);
            }
            None => {
                shops.at_hand.insert(shop, watch::Sender::new(record));
            }
        }
    }

    /// It is unknown what was committed for these shops: the disk must be asked.
    pub fn forget(&self, forgotten: impl Iterator<Item = ShopId>) {
        let mut shops = self.lock();
        shops.put_away += 1;
        for shop in forgotten {
            shops.at_hand.remove(&shop);
        }
    }

    /// It is unknown what was committed at all.
    pub fn forget_all(&self) {
        let mut shops = self.lock();
        shops.put_away += 1;
        shops.at_hand.clear();
    }
}
