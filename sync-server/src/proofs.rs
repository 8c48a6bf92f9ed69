//! Proofs about the logs that are kept here, without hashing a whole log for each.
//!
//! Of a shop whose log was asked about, the hashes of complete *blocks* of the tree are kept in
//! memory, and beside each how the log stood before it. A proof then needs the leaves of two blocks
//! at most, read from the store and hashed anew; the rest are hashes of blocks. The first proof
//! after a start reads the log once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use shared::bytes::Hash;
use shared::ids::{DeviceNo, EventId, ShopId};
use shared::sync::judge::LogState;
use shared::sync::log::Log;
use shared::sync::tree::proof::{
    ConsistencyProof, InclusionProof, Leaf, Subtree, consistency_path, inclusion_path,
};
use shared::sync::wire::Generation;
use tokio::sync::{Mutex as AsyncMutex, Semaphore};

use crate::store::{ShopRecord, Store, StoreError};

/// How high a block is in the tree.
const BLOCK_LEVEL: u32 = 12;

/// Its leaves.
const BLOCK_LEAVES: u64 = 1 << BLOCK_LEVEL;

/// The most bytes of events that are hashed in one go, so that nobody else waits long.
const SLICE_BYTES: u32 = 256 * 1024;

/// The most shops whose blocks are at hand.
const MAX_SHOPS: usize = 64;

/// The most shops whose logs are read for proofs at one time.
const MAX_READERS: usize = 2;

/// Makes proofs.
pub struct Proofs {
    store: Arc<dyn Store>,
    shops: Mutex<HashMap<(ShopId, Generation), Shared>>,
    readers: Semaphore,
}

type Shared = Arc<AsyncMutex<Blocks>>;

/// The complete blocks of a log.
struct Blocks {
    /// The log after the last of them.
    end: Log,
    blocks: Vec<Block>,
}

struct Block {
    hash: Hash,
    /// The log before it.
    before: Log,
}

/// The leaves of some blocks, by the number of the block.
type Leaves = HashMap<u64, Vec<Leaf>>;

impl Proofs {
    /// Nothing is at hand yet.
    pub fn new(store: Arc<dyn Store>) -> Proofs {
        Proofs {
            store,
            shops: Mutex::default(),
            readers: Semaphore::new(MAX_READERS),
        }
    }

    /// That the event at `position` stands in the log of `size` events. `None` where it does not.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn inclusion(
        &self,
        shop: &ShopRecord,
        position: u64,
        size: u64,
    ) -> Result<Option<InclusionProof>, StoreError> {
        let Some(index) = position.checked_sub(1).filter(|_| position <= size) else {
            return Ok(None);
        };
        let (blocks, leaves) = self.look(shop, size, &[index, size]).await?;
        let blocks = blocks.lock().await;
        let known = |subtree| known(&blocks, &leaves, subtree);
        let path = inclusion_path(index, size, &known);
        let inside = (index % BLOCK_LEAVES) as usize;
        let leaf = leaves[&(index / BLOCK_LEAVES)].get(inside).copied();
        Ok(leaf.zip(path).map(|(leaf, path)| InclusionProof {
            leaf,
            position,
            size,
            path,
        }))
    }

    /// That the log of `to` events begins with that of `from` events. `None` where it does not.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn consistency(
        &self,
        shop: &ShopRecord,
        from: u64,
        to: u64,
    ) -> Result<Option<ConsistencyProof>, StoreError> {
        if from > to {
            return Ok(None);
        }
        let (blocks, leaves) = self.look(shop, to, &[from, to]).await?;
        let blocks = blocks.lock().await;
        let path = consistency_path(from, to, &|subtree| known(&blocks, &leaves, subtree));
        Ok(path.map(|path| ConsistencyProof { from, to, path }))
    }

    /// The position of an event in the log of `size` events; `None` where it does not stand there.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn position(
        &self,
        shop: &ShopRecord,
        event: EventId,
        size: u64,
    ) -> Result<Option<u64>, StoreError> {
        let (blocks, _) = self.look(shop, size, &[]).await?;
        let behind = {
            let blocks = blocks.lock().await;
            let is_to_come = |block: &Block| {
                let head = block.before.chain(event.device);
                head.is_none_or(|head| head.seq < event.seq)
            };
            blocks.blocks.partition_point(is_to_come) as u64
        };
        // The last block before which it is to come, or what follows the complete ones.
        for block in behind.saturating_sub(1)..=behind {
            let first = block * BLOCK_LEAVES;
            if first >= size {
                break;
            }
            let (_, leaves) = self.look(shop, size, &[first]).await?;
            let is_it = |leaf: &Leaf| leaf.device == event.device && leaf.seq == event.seq;
            if let Some(index) = leaves[&block].iter().position(is_it) {
                return Ok(Some(first + index as u64 + 1));
            }
        }
        Ok(None)
    }

    /// The chain hash of a device with one of its events; `None` where it does not stand in the log.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn chain_at(
        &self,
        shop: &ShopRecord,
        event: EventId,
    ) -> Result<Option<Hash>, StoreError> {
        let size = shop.head.size;
        let Some(position) = self.position(shop, event, size).await? else {
            return Ok(None);
        };
        let index = position - 1;
        let (_, leaves) = self.look(shop, size, &[index]).await?;
        let leaf = leaves[&(index / BLOCK_LEAVES)].get((index % BLOCK_LEAVES) as usize);
        Ok(leaf.map(|leaf| leaf.chain))
    }

    /// Makes sure that all complete blocks of a log of `size` events are known, and reads the
    /// leaves of the blocks in which these indexes lie.
    async fn look(
        &self,
        shop: &ShopRecord,
        size: u64,
        indexes: &[u64],
    ) -> Result<(Shared, Leaves), StoreError> {
        let turn = self.readers.acquire().await;
        let _turn = turn.map_err(|error| StoreError(error.to_string()))?;
        let shared = self.blocks_of(shop);
        let mut blocks = shared.lock().await;
        while blocks.end.size() + BLOCK_LEAVES <= size {
            let before = blocks.end.clone();
            let (leaves, end) = self.replay(shop, before.clone(), BLOCK_LEAVES).await?;
            let hash = root_of(&leaves)
                .ok_or_else(|| StoreError("the log ends before its head".to_owned()))?;
            blocks.blocks.push(Block { hash, before });
            blocks.end = end;
        }
        let mut found = Leaves::new();
        for block in indexes.iter().map(|index| index / BLOCK_LEAVES) {
            if found.contains_key(&block) {
                continue;
            }
            let before = match blocks.blocks.get(block as usize) {
                Some(block) => block.before.clone(),
                None => blocks.end.clone(),
            };
            let count = BLOCK_LEAVES.min(size.saturating_sub(before.size()));
            let (leaves, _) = self.replay(shop, before, count).await?;
            found.insert(block, leaves);
        }
        drop(blocks);
        Ok((shared, found))
    }

    fn blocks_of(&self, shop: &ShopRecord) -> Shared {
        let mut shops = self.shops.lock().unwrap_or_else(PoisonError::into_inner);
        let log = &shop.state.log;
        let key = (log.shop(), log.generation());
        if shops.len() >= MAX_SHOPS && !shops.contains_key(&key) {
            // Those that nobody works with; they are read again when they are asked about.
            shops.retain(|_, blocks| Arc::strong_count(blocks) > 1);
        }
        let blocks = shops.entry(key).or_insert_with(|| {
            Arc::new(AsyncMutex::new(Blocks {
                end: beginning(&shop.state),
                blocks: Vec::new(),
            }))
        });
        Arc::clone(blocks)
    }

    /// The next `count` leaves after a log, and the log with them.
    async fn replay(
        &self,
        shop: &ShopRecord,
        mut log: Log,
        count: u64,
    ) -> Result<(Vec<Leaf>, Log), StoreError> {
        let until = log.size() + count;
        let mut leaves = Vec::new();
        while log.size() < until {
            let chunks = self
                .store
                .chunks(shop.number, log.size(), SLICE_BYTES)
                .await?;
            let before = log.size();
            for chunk in chunks {
                if log.size() == until {
                    break;
                }
                let damaged = || StoreError(format!("the chunk at {} is damaged", chunk.position));
                let skipped = (log.size() + 1).checked_sub(chunk.position);
                let skipped = skipped.ok_or_else(damaged)? as usize;
                let room = (until - log.size()) as usize;
                let events = chunk.events()?;
                for event in events.iter().skip(skipped).take(room) {
                    let leaf = log.replay(chunk.device, &event.0, chunk.received, chunk.verdict);
                    leaves.push(leaf.map_err(|_| damaged())?);
                }
            }
            if log.size() == before {
                let end = log.size();
                return Err(StoreError(format!(
                    "the log ends at {end}, before its head"
                )));
            }
            // Others may go on between two slices.
            tokio::task::yield_now().await;
        }
        Ok((leaves, log))
    }
}

/// The empty log of a shop, with the chains that begin by themselves.
fn beginning(state: &LogState) -> Log {
    let key = |device| state.authority.device(device).map(|it| it.first_key);
    let (shop, generation) = (state.log.shop(), state.log.generation());
    match (key(DeviceNo::FOUNDER), key(DeviceNo::SERVER)) {
        (Some(founder), Some(server)) => LogState::claimed(shop, generation, founder, server).log,
        _ => Log::new(shop, generation),
    }
}

/// The root over the leaves of a complete block.
fn root_of(leaves: &[Leaf]) -> Option<Hash> {
    let whole = Subtree {
        level: BLOCK_LEVEL,
        index: 0,
    };
    whole.hash(&|subtree| match subtree.level {
        0 => Some(leaves.get(subtree.index as usize)?.hash()),
        _ => None,
    })
}

/// What is known of the tree: the hashes of complete blocks, and some leaves.
fn known(blocks: &Blocks, leaves: &Leaves, subtree: Subtree) -> Option<Hash> {
    match subtree.level {
        BLOCK_LEVEL => Some(blocks.blocks.get(subtree.index as usize)?.hash),
        0 => {
            let block = leaves.get(&(subtree.index / BLOCK_LEAVES))?;
            Some(block.get((subtree.index % BLOCK_LEAVES) as usize)?.hash())
        }
        _ => None,
    }
}
