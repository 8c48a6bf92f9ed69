//! The database of one shop: typed reading and writing, one transaction for each thing that must
//! happen whole or not at all.

use std::collections::BTreeSet;

use shared::bytes::{Bytes, KeyId};
use shared::history::Index;
use shared::ids::ShopId;
use shared::sync::engine::{Batch, Cursor, Cut};
use shared::sync::erasure::erased_keys;
use shared::sync::log::ChainHead;
use shared::sync::wire::{BranchRequest, Chunk, SealingKey};
use wasm_bindgen::JsValue;

use super::StoreError;
use super::idb::{Database, Open, Store, Transaction};
use super::records::{Identity, MadeKey, Run, Segment, after, decode, encode};
use super::schema;

/// Shorter records of the log are looked into as fast as an index beside them.
const INDEXED_BYTES: usize = 8 * 1024;

/// The open database of a shop.
pub struct ShopDatabase {
    pub(super) db: Database,
}

/// Everything that a start of the app needs, read in one transaction.
pub struct Loaded {
    /// Which shop and device this is.
    pub identity: Identity,
    /// The device's private key, see [`crate::crypto::DeviceKey::load`].
    pub device_key: JsValue,
    /// The end of the device's own chain.
    pub chain: ChainHead,
    /// How far the server's log was read, once there is a server.
    pub cursor: Option<Cursor>,
    /// The keys that seal texts.
    pub keys: Vec<SealingKey>,
    /// The log as the server ordered it, as far as it was asked for; each record is a [`Segment`], decoded as it is folded.
    pub segments: Vec<Vec<u8>>,
    /// The device's own events that no server has confirmed.
    pub tail: Vec<Run>,
}

/// What other tabs have written since.
pub struct News {
    /// Which shop and device this is: a tab may have found a server.
    pub identity: Option<Identity>,
    /// The end of the device's own chain.
    pub chain: ChainHead,
    /// How far the server's log was read, once there is a server.
    pub cursor: Option<Cursor>,
    /// The keys that seal texts; none unless they were asked for.
    pub keys: Vec<SealingKey>,
    /// The log from the asked position on, and perhaps some before it.
    pub segments: Vec<Segment>,
    /// Own events from the asked number on, and perhaps some before it.
    pub tail: Vec<Run>,
}

/// What one command writes.
#[derive(Debug, Clone, Copy)]
pub struct Append<'a> {
    /// The end of the chain that the command was decided on.
    pub expected: ChainHead,
    /// The events in their stored bytes, in sequence.
    pub events: &'a [Bytes],
    /// The keys that they brought.
    pub keys: &'a [SealingKey],
    /// The form whose draft they settle.
    pub draft: Option<&'a str>,
}

/// How an append ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Appended {
    /// All is on the disk. This is the end of the chain now.
    Saved(ChainHead),
    /// Nothing was written: another tab has written since.
    Moved,
}

impl ShopDatabase {
    /// Opens or makes the database of a shop. For `blocked` and `lost` see [`Open`].
    pub async fn open(
        shop: ShopId,
        blocked: impl FnMut() + 'static,
        lost: impl FnMut(StoreError) + 'static,
    ) -> Result<ShopDatabase, StoreError> {
        let db = Database::open(Open {
            name: &schema::database_name(shop),
            version: schema::VERSION,
            upgrade: schema::upgrade,
            blocked: Box::new(blocked),
            lost: Box::new(lost),
        })
        .await?;
        Ok(ShopDatabase { db })
    }

    /// Deletes the database of a shop.
    pub async fn delete(shop: ShopId) -> Result<(), StoreError> {
        Database::delete(&schema::database_name(shop)).await
    }

    /// Reads everything. `None` where a first start was never finished.
    pub async fn load(&self) -> Result<Option<Loaded>, StoreError> {
        self.load_after(0, 0).await
    }

    /// Reads everything but the log up to `position` and own events up to `seq`. Records are packed
    /// now and then, so the first ones may begin before.
    pub async fn load_after(&self, position: u64, seq: u32) -> Result<Option<Loaded>, StoreError> {
        let stores = [schema::META, schema::KEYS, schema::SEGMENTS, schema::TAIL];
        let tx = self.db.read(&stores)?;
        let meta = tx.store(schema::META)?;
        let identity = meta.get(schema::IDENTITY)?;
        let device_key = meta.get(schema::DEVICE_KEY)?;
        let chain = meta.get(schema::CHAIN)?;
        let cursor = meta.get(schema::CURSOR)?;
        let keys = tx.store(schema::KEYS)?.get_all()?;
        let cursor: Option<Cursor> = read_optional(cursor.bytes().await?, "cursor")?;
        let is_more = cursor
            .as_ref()
            .is_some_and(|cursor| cursor.log.size() > position);
        let segments = match is_more {
            true => covering(&tx.store(schema::SEGMENTS)?, position as f64 + 1.0).await?,
            false => Vec::new(),
        };
        let tail = covering(&tx.store(schema::TAIL)?, f64::from(seq) + 1.0).await?;
        let identity = read_optional(identity.bytes().await?, "identity")?;
        let Some(identity) = identity else {
            return Ok(None);
        };
        let loaded = Loaded {
            identity,
            device_key: device_key.value().await?,
            chain: read_chain(chain.bytes().await?)?,
            cursor,
            keys: decode_all(keys.all_bytes().await?, "key")?,
            segments,
            tail: decode_all(tail, "tail")?,
        };
        Ok(Some(loaded))
    }

    /// Reads some records of the log, from the one on that covers what is behind `position`.
    pub async fn log_after(&self, position: u64, most: u32) -> Result<Vec<Vec<u8>>, StoreError> {
        let tx = self.db.read(&[schema::SEGMENTS])?;
        let segments = tx.store(schema::SEGMENTS)?;
        let next = position as f64 + 1.0;
        let first = segments.last_key_up_to(next)?.last_key().await?;
        let records = segments.get_some_from(first.unwrap_or(0.0), most)?;
        records.all_bytes().await
    }

    /// Reads what other tabs may have written: own events from `seq` on, the log from `position`
    /// on. Records are packed now and then, so the first ones may begin before.
    pub async fn news(&self, seq: u32, position: u64, keys: bool) -> Result<News, StoreError> {
        let stores = [schema::META, schema::KEYS, schema::SEGMENTS, schema::TAIL];
        let tx = self.db.read(&stores)?;
        let meta = tx.store(schema::META)?;
        let identity = meta.get(schema::IDENTITY)?;
        let chain = meta.get(schema::CHAIN)?;
        let cursor = meta.get(schema::CURSOR)?;
        let keys = match keys {
            true => Some(tx.store(schema::KEYS)?.get_all()?),
            false => None,
        };
        let segments = covering(&tx.store(schema::SEGMENTS)?, position as f64).await?;
        let tail = covering(&tx.store(schema::TAIL)?, f64::from(seq)).await?;
        let news = News {
            identity: read_optional(identity.bytes().await?, "identity")?,
            chain: read_chain(chain.bytes().await?)?,
            cursor: read_optional(cursor.bytes().await?, "cursor")?,
            keys: match keys {
                Some(keys) => decode_all(keys.all_bytes().await?, "key")?,
                None => Vec::new(),
            },
            segments: decode_all(segments, "segment")?,
            tail: decode_all(tail, "tail")?,
        };
        Ok(news)
    }

    /// Writes what a command yielded, in one transaction: either all of it is on the disk when this
    /// returns, or nothing was written.
    pub async fn append(&self, append: Append<'_>) -> Result<Appended, StoreError> {
        let tx = self.start_append(append.draft.is_some())?;
        let expected = encode(&append.expected);
        let stored = tx.store(schema::META)?.get(schema::CHAIN)?;
        let chain = write_own(&tx, &append)?;
        if let Some(form) = append.draft {
            tx.store(schema::DRAFTS)?.delete(form)?;
        }
        if stored.bytes().await? != Some(expected) {
            tx.abort();
            return Ok(Appended::Moved);
        }
        tx.commit().await?;
        Ok(Appended::Saved(chain))
    }

    /// The durability that appends get from this browser; `strict`, or it is a fault.
    pub fn append_durability(&self) -> Result<Option<String>, StoreError> {
        Ok(self.start_append(false)?.durability())
    }

    fn start_append(&self, draft: bool) -> Result<Transaction, StoreError> {
        // A store that is not in the list does not wait for other transactions on it.
        let stores = [schema::META, schema::TAIL, schema::KEYS, schema::DRAFTS];
        self.db.write(if draft { &stores } else { &stores[..3] })
    }

    /// Tries whether the browser keeps a private key, and keeps it: written, and what a new
    /// transaction reads.
    pub async fn keep_device_key(&self, key: &JsValue) -> Result<JsValue, StoreError> {
        let tx = self.db.write(&[schema::META])?;
        tx.store(schema::META)?.put_value(schema::DEVICE_KEY, key)?;
        tx.commit().await?;
        let tx = self.db.read(&[schema::META])?;
        let kept = tx.store(schema::META)?.get(schema::DEVICE_KEY)?;
        kept.value().await
    }

    /// Writes who this is together with the first events: the shop is here from now on. A device
    /// that joined has no events yet, and a cursor instead.
    pub async fn found(
        &self,
        identity: &Identity,
        cursor: Option<&Cursor>,
        append: Append<'_>,
    ) -> Result<ChainHead, StoreError> {
        let tx = self.start_append(false)?;
        let meta = tx.store(schema::META)?;
        meta.put(schema::IDENTITY, &encode(identity))?;
        if let Some(cursor) = cursor {
            meta.put(schema::CURSOR, &encode(cursor))?;
        }
        let chain = write_own(&tx, &append)?;
        tx.commit().await?;
        Ok(chain)
    }

    /// Writes what the server has told of itself. The log is read from its beginning, so earlier
    /// snapshots lead nowhere.
    pub async fn set_server(&self, identity: &Identity, cursor: &Cursor) -> Result<(), StoreError> {
        let tx = self.db.write(&[schema::META, schema::SNAPSHOT])?;
        let meta = tx.store(schema::META)?;
        meta.put(schema::IDENTITY, &encode(identity))?;
        meta.put(schema::CURSOR, &encode(cursor))?;
        tx.store(schema::SNAPSHOT)?.delete_up_to(f64::INFINITY)?;
        tx.commit().await
    }

    /// Writes a part of the server's log that was read and checked, in one transaction. Own events
    /// that stand in it leave the tail, and keys that it destroys leave with it; those that were
    /// `erased` before never come back.
    pub async fn persist(&self, batch: &Batch, erased: &BTreeSet<KeyId>) -> Result<(), StoreError> {
        let stores = [
            schema::META,
            schema::TAIL,
            schema::KEYS,
            schema::SEGMENTS,
            schema::INDEX,
            schema::SNAPSHOT,
        ];
        // Snapshots are of another log only where the log was cut.
        let used = stores.len() - usize::from(batch.cut.is_none());
        let tx = self.db.write(&stores[..used])?;
        if let Some(cut) = &batch.cut {
            cut_log(&tx, cut, batch).await?;
        }
        let tail = tx.store(schema::TAIL)?;
        let meta = tx.store(schema::META)?;
        let chain = meta.get(schema::CHAIN)?;
        let confirmed = tail.get_all_up_to(f64::from(batch.confirmed_seq))?;
        match &batch.segment {
            Some(segment) => write_log(&tx, &batch.chunks, segment)?,
            None => write_log(&tx, &batch.chunks, &encode(&batch.chunks))?,
        }
        let chunks = batch.chunks.iter();
        let destroyed: BTreeSet<KeyId> = chunks
            .flat_map(|chunk| {
                erased_keys(chunk.verdict, chunk.events.as_deref().unwrap_or_default())
            })
            .collect();
        let is_gone = |id: &KeyId| erased.contains(id) || destroyed.contains(id);
        let wanted = |key: &&SealingKey| key.key.is_none() || !is_gone(&key.id);
        write_keys(&tx, batch.keys.iter().filter(wanted))?;
        destroy(&tx, &destroyed)?;
        meta.put(schema::CURSOR, &encode(&batch.cursor))?;
        tail.delete_up_to(f64::from(batch.confirmed_seq))?;
        if let Some(restored) = &batch.restored {
            // The storage was set back; the chain goes on where the log says, unless it has gone
            // on here already.
            meta.put(schema::CHAIN, &encode(&restored.to))?;
            if read_chain(chain.bytes().await?)? != restored.from {
                return Err(StoreError::Damaged("chain"));
            }
        }
        if batch.branch.is_some() {
            let identity = meta.get(schema::IDENTITY)?;
            let claim = meta.get(schema::CLAIM)?;
            let key = meta.get(schema::CLAIM_KEY)?;
            let identity = read_optional::<Identity>(identity.bytes().await?, "identity")?;
            let claim = read_optional::<BranchRequest>(claim.bytes().await?, "claim")?;
            let claim = claim.filter(|claim| Some(claim.fork) == batch.branch);
            let (Some(mut identity), Some(claim)) = (identity, claim) else {
                tx.abort();
                return Err(StoreError::Damaged("claim"));
            };
            identity.become_branch(&claim);
            meta.put_value(schema::DEVICE_KEY, &key.value().await?)?;
            meta.put(schema::IDENTITY, &encode(&identity))?;
        }
        for run in decode_all::<Run>(confirmed.all_bytes().await?, "tail")? {
            if let Some(rest) = run.behind(batch.confirmed_seq) {
                tail.put(f64::from(rest.first_seq), &encode(&rest))?;
            }
        }
        tx.commit().await
    }

    /// What this copy asks its server with, to be a device of its own.
    pub async fn claim(&self) -> Result<Option<BranchRequest>, StoreError> {
        let tx = self.db.read(&[schema::META])?;
        let claim = tx.store(schema::META)?.get(schema::CLAIM)?;
        read_optional(claim.bytes().await?, "claim")
    }

    /// Keeps that, with the private key that goes with it.
    pub async fn keep_claim(&self, claim: &BranchRequest, key: &JsValue) -> Result<(), StoreError> {
        let tx = self.db.write(&[schema::META])?;
        let meta = tx.store(schema::META)?;
        meta.put(schema::CLAIM, &encode(claim))?;
        meta.put_value(schema::CLAIM_KEY, key)?;
        tx.commit().await
    }

    /// Destroys keys that are still here though their customer was erased.
    pub async fn destroy_keys(&self, keys: &BTreeSet<KeyId>) -> Result<(), StoreError> {
        let tx = self.db.write(&[schema::KEYS])?;
        destroy(&tx, keys)?;
        tx.commit().await
    }

    /// The database itself.
    pub(super) const fn raw(&self) -> &Database {
        &self.db
    }

    /// Keeps what is being typed, over an earlier draft of the same form.
    pub async fn save_draft(&self, form: &str, draft: &[u8]) -> Result<(), StoreError> {
        let tx = self.db.write(&[schema::DRAFTS])?;
        tx.store(schema::DRAFTS)?.put(form, draft)?;
        tx.commit().await
    }

    /// What was being typed into a form.
    pub async fn draft(&self, form: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let tx = self.db.read(&[schema::DRAFTS])?;
        let draft = tx.store(schema::DRAFTS)?.get(form)?;
        draft.bytes().await
    }
}

/// Issues the writes of a record of the log, and of what stands in it if that is worth knowing.
pub(super) fn write_log(
    tx: &Transaction,
    chunks: &[Chunk],
    record: &[u8],
) -> Result<(), StoreError> {
    let Some(first) = chunks.first() else {
        return Ok(());
    };
    let key = first.position as f64;
    tx.store(schema::SEGMENTS)?.put(key, record)?;
    if record.len() >= INDEXED_BYTES {
        let index = encode(&Index::of(chunks));
        tx.store(schema::INDEX)?.put(key, &index)?;
    }
    Ok(())
}

/// Issues the writes of own events, keys and the chain's new end.
fn write_own(tx: &Transaction, append: &Append<'_>) -> Result<ChainHead, StoreError> {
    let chain = after(append.expected, append.events);
    if !append.events.is_empty() {
        let run = Run {
            first_seq: append.expected.seq + 1,
            events: append.events.to_vec(),
            keys: append
                .keys
                .iter()
                .map(|key| MadeKey {
                    seq: append.expected.seq + 1,
                    id: key.id,
                })
                .collect(),
        };
        tx.store(schema::TAIL)?
            .put(f64::from(run.first_seq), &encode(&run))?;
    }
    write_keys(tx, append.keys)?;
    tx.store(schema::META)?
        .put(schema::CHAIN, &encode(&chain))?;
    Ok(chain)
}

/// Issues the writes of sealing keys.
pub(super) fn write_keys<'k>(
    tx: &Transaction,
    keys: impl IntoIterator<Item = &'k SealingKey>,
) -> Result<(), StoreError> {
    keys.into_iter().try_for_each(|key| {
        let store = tx.store(schema::KEYS)?;
        store.put(key.id.to_string(), &encode(key))
    })
}

/// Takes away what is stored of the log behind a position. Own events go back to the tail, and what
/// nobody can hand in is kept aside.
async fn cut_log(tx: &Transaction, cut: &Cut, batch: &Batch) -> Result<(), StoreError> {
    let segments = tx.store(schema::SEGMENTS)?;
    let behind = cut.position as f64 + 1.0;
    let first = segments.last_key_up_to(behind)?.last_key().await?;
    let first = first.unwrap_or(behind);
    let records = segments.get_all_from(first)?.all_bytes().await?;
    segments.delete_between(first, f64::INFINITY)?;
    tx.store(schema::INDEX)?
        .delete_between(first, f64::INFINITY)?;
    if let Some(record) = records.first() {
        let mut kept: Segment = decode(record, "segment")?;
        kept.0.retain(|chunk| chunk.position <= cut.position);
        write_log(tx, &kept.0, &encode(&kept.0))?;
    }
    tx.store(schema::SNAPSHOT)?.delete_up_to(f64::INFINITY)?;
    if !cut.own.is_empty() {
        let run = Run {
            first_seq: batch.confirmed_seq + 1,
            events: cut.own.clone(),
            keys: Vec::new(),
        };
        tx.store(schema::TAIL)?
            .put(f64::from(run.first_seq), &encode(&run))?;
    }
    if !cut.unproved.is_empty() {
        let name = format!("{} {}", schema::ASIDE, batch.cursor.log.generation());
        tx.store(schema::META)?.put(name, &encode(&cut.unproved))?;
    }
    Ok(())
}

/// Issues the writes that put a tombstone in the place of each key.
fn destroy(tx: &Transaction, keys: &BTreeSet<KeyId>) -> Result<(), StoreError> {
    let tombstones: Vec<SealingKey> = keys
        .iter()
        .map(|&id| SealingKey { id, key: None })
        .collect();
    write_keys(tx, &tombstones)
}

pub(super) fn read_optional<T>(
    bytes: Option<Vec<u8>>,
    what: &'static str,
) -> Result<Option<T>, StoreError>
where
    T: for<'b> minicbor::Decode<'b, ()>,
{
    bytes.map(|bytes| decode(&bytes, what)).transpose()
}

fn read_chain(bytes: Option<Vec<u8>>) -> Result<ChainHead, StoreError> {
    decode(&bytes.ok_or(StoreError::Damaged("chain"))?, "chain")
}

fn decode_all<T>(records: Vec<Vec<u8>>, what: &'static str) -> Result<Vec<T>, StoreError>
where
    T: for<'b> minicbor::Decode<'b, ()>,
{
    records.iter().map(|bytes| decode(bytes, what)).collect()
}

/// The records from the one that covers `number` on, where keys are the first number of each.
pub(super) async fn covering(store: &Store, number: f64) -> Result<Vec<Vec<u8>>, StoreError> {
    let first = store.last_key_up_to(number)?.last_key().await?;
    let records = store.get_all_from(first.unwrap_or(0.0))?;
    records.all_bytes().await
}
