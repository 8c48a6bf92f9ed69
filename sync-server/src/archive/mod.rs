//! Old parts of the logs become segments: a fifth of the bytes, never changed again, and kept by
//! whoever fetches them.
//!
//! A part is sealed in three steps, and the log can be read as well between any two: the segment is
//! stored; it is read back from the disk and compared with the chunks event by event; only then are
//! the chunks deleted. A server that dies in between goes on with the step that is next.

mod pack;

use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::sync::segment::{ChainEnd, Segment};
use shared::sync::wire::{Chunk, SegmentName};
use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::store::{
    Change, ChunkRecord, SegmentRecord, ShopNumber, ShopRecord, Store, StoreError, StoredSegment,
};
use crate::writer::Writer;

pub use pack::{expand, unpack};
use pack::{hash, pack};

/// A part of a log is sealed when it has so many events.
pub const SEGMENT_EVENTS: u64 = 4096;

/// Or so many bytes of them.
const SEGMENT_BYTES: usize = 2 * 1024 * 1024;

/// The youngest events of a log are left as they are: phones that are a little behind want them.
pub const UNSEALED_EVENTS: u64 = 1024;

/// How often the archive looks for something to seal.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// After a slice of work it rests so many times as long as that took: whoever pushes goes first.
const REST_FACTOR: u32 = 4;

/// How many bytes of chunks are read at once.
const READ_BYTES: u32 = 512 * 1024;

/// Seals what is old.
#[derive(Clone)]
pub struct Archive {
    store: Arc<dyn Store>,
    writer: Writer,
    /// One step at a time, whoever asks for it.
    turn: Arc<Mutex<()>>,
}

/// Something could not be sealed. It stays as it is and is tried again.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer did not take it.
    #[error("the writer: {0}")]
    Writer(String),
    /// What is stored does not come back.
    #[error("{0}")]
    Damaged(String),
}

impl Archive {
    /// An archive over a store. What it decides is written by the one writer.
    pub fn new(store: Arc<dyn Store>, writer: Writer) -> Archive {
        Archive {
            store,
            writer,
            turn: Arc::default(),
        }
    }

    /// Seals what becomes old until the server stops.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut rest = LOOK_INTERVAL;
        loop {
            tokio::select! {
                () = sleep(rest) => {}
                // An error says that the server is gone.
                _ = stopping.wait_for(|stops| *stops) => return,
            }
            let begun = Instant::now();
            rest = match self.seal_next().await {
                Ok(true) => begun.elapsed() * REST_FACTOR,
                Ok(false) => LOOK_INTERVAL,
                Err(error) => {
                    tracing::error!(%error, "a part of a log could not be sealed");
                    LOOK_INTERVAL
                }
            };
        }
    }

    /// Seals all that is old enough now; gives the number of steps.
    ///
    /// # Errors
    ///
    /// Something could not be sealed; the log is as it was.
    pub async fn seal_all(&self) -> Result<u32, SealError> {
        let mut steps = 0;
        while self.seal_next().await? {
            steps += 1;
        }
        Ok(steps)
    }

    /// Does one step for one shop. False when nothing is old enough.
    ///
    /// # Errors
    ///
    /// The log is as it was before.
    pub async fn seal_next(&self) -> Result<bool, SealError> {
        let _turn = self.turn.lock().await;
        if let Some((shop, record)) = self.store.unverified_segment().await? {
            self.verify(shop, record.name).await?;
            return Ok(true);
        }
        let old = SEGMENT_EVENTS + UNSEALED_EVENTS;
        let Some(shop) = self.store.shop_to_seal(old).await? else {
            return Ok(false);
        };
        let Some(shop) = self.store.shop(shop).await? else {
            return Ok(false);
        };
        let after = self.store.sealed_end(shop.number).await?;
        let until = shop.head.size.saturating_sub(UNSEALED_EVENTS);
        let chunks = self.oldest(shop.number, after, until).await?;
        if chunks.is_empty() {
            return Ok(false);
        }
        let segment = segment(&shop, &chunks)?;
        let name = SegmentName {
            first: segment.first(),
            last: segment.last(),
        };
        let packed = spawn_blocking(move || pack(&segment)).await;
        let bytes = packed
            .map_err(|_| SealError::Damaged("a fault ended the packing of a segment".to_owned()))?
            .map_err(|unfit| SealError::Damaged(unfit.to_string()))?;
        let stored = Change::SegmentStored {
            shop: shop.number,
            segment: StoredSegment {
                record: SegmentRecord {
                    name,
                    hash: hash(&bytes),
                    length_bytes: bytes.len() as u64,
                },
                bytes,
            },
        };
        self.write(stored).await?;
        Ok(true)
    }

    /// Reads a segment back, compares it with the chunks, and lets it take their place.
    async fn verify(&self, shop: ShopNumber, name: SegmentName) -> Result<(), SealError> {
        let stored = self.store.segment(shop, name).await?;
        let sealed = match stored {
            Some(stored) => spawn_blocking(move || unpack(&stored)).await.ok(),
            None => None,
        };
        let chunks = self.between(shop, name).await?;
        let is_same = match sealed {
            Some(Ok(segment)) => segment.chunks == plain(&chunks)?,
            _ => false,
        };
        if !is_same {
            self.write(Change::SegmentDropped { shop, name }).await?;
            let damaged = format!("segment {name} came back otherwise than it was written");
            return Err(SealError::Damaged(damaged));
        }
        self.write(Change::SegmentVerified {
            shop,
            name,
            chunks: chunks.len() as u64,
        })
        .await
    }

    async fn write(&self, change: Change) -> Result<(), SealError> {
        let written = self.writer.archive(change).await;
        written.map_err(|refusal| SealError::Writer(refusal.message))
    }

    /// The oldest chunks behind a position that make a segment; none if there are too few. A push
    /// is never cut, so that the signature at the end of a segment is that of its last event.
    async fn oldest(
        &self,
        shop: ShopNumber,
        after: u64,
        until: u64,
    ) -> Result<Vec<ChunkRecord>, SealError> {
        let mut chunks: Vec<ChunkRecord> = Vec::new();
        let (mut end, mut bytes) = (after, 0);
        loop {
            let found = self.store.chunks(shop, end, READ_BYTES).await?;
            if found.is_empty() {
                return Ok(Vec::new());
            }
            for chunk in found {
                let is_enough = end - after >= SEGMENT_EVENTS || bytes >= SEGMENT_BYTES;
                let last = chunks.last();
                let is_cut = last.is_some_and(|last| {
                    last.device == chunk.device && last.signature == chunk.signature
                });
                if is_enough && !is_cut {
                    return Ok(chunks);
                }
                end = chunk.position + u64::from(chunk.count) - 1;
                if end > until {
                    return Ok(Vec::new());
                }
                bytes += chunk.events.len();
                chunks.push(chunk);
            }
        }
    }

    /// The chunks of a segment, as they are stored beside it.
    async fn between(
        &self,
        shop: ShopNumber,
        name: SegmentName,
    ) -> Result<Vec<ChunkRecord>, SealError> {
        let mut chunks: Vec<ChunkRecord> = Vec::new();
        let mut end = name.first - 1;
        while end < name.last {
            let found = self.store.chunks(shop, end, READ_BYTES).await?;
            let before = end;
            for chunk in found
                .into_iter()
                .filter(|chunk| chunk.position <= name.last)
            {
                end = chunk.position + u64::from(chunk.count) - 1;
                chunks.push(chunk);
            }
            if end == before {
                break;
            }
        }
        Ok(chunks)
    }
}

/// The chunks as a segment has them.
fn plain(chunks: &[ChunkRecord]) -> Result<Vec<Chunk>, StoreError> {
    let plain = chunks.iter().map(|chunk| {
        Ok(Chunk {
            position: chunk.position,
            device: chunk.device,
            first_seq: chunk.first_seq,
            count: chunk.count,
            received: chunk.received,
            verdict: chunk.verdict,
            events: Some(chunk.events()?),
            branch_of: chunk.branch_of,
        })
    });
    plain.collect()
}

/// A segment of a shop's chunks.
fn segment(shop: &ShopRecord, chunks: &[ChunkRecord]) -> Result<Segment, StoreError> {
    let mut ends: Vec<ChainEnd> = Vec::new();
    // From the end: the first that is met of a device is its last.
    for chunk in chunks.iter().rev() {
        let is_known = ends.iter().any(|end| end.device == chunk.device);
        if let (false, Some(hash)) = (is_known, chunk.end_hash) {
            ends.push(ChainEnd {
                device: chunk.device,
                seq: chunk.first_seq - 1 + chunk.count,
                hash,
                signature: chunk.signature,
            });
        }
    }
    ends.sort_by_key(|end| end.device);
    Ok(Segment {
        shop: shop.shop(),
        generation: shop.state.log.generation(),
        chunks: plain(chunks)?,
        ends,
    })
}

/// The chunks of a stored segment, as the store gives chunks. Hashes and signatures are known where
/// a device's part in the segment ends.
///
/// # Errors
///
/// The segment is damaged.
pub fn chunks_of(shop: ShopNumber, stored: &StoredSegment) -> Result<Vec<ChunkRecord>, StoreError> {
    let segment = unpack(stored)?;
    let ends = segment.ends;
    let records = segment.chunks.into_iter().map(|chunk| {
        let seq = chunk.first_seq - 1 + chunk.count;
        let end = ends
            .iter()
            .find(|end| (end.device, end.seq) == (chunk.device, seq));
        ChunkRecord {
            shop,
            position: chunk.position,
            count: chunk.count,
            device: chunk.device,
            first_seq: chunk.first_seq,
            received: chunk.received,
            verdict: chunk.verdict,
            branch_of: chunk.branch_of,
            end_hash: end.map(|end| end.hash),
            signature: end.and_then(|end| end.signature),
            events: minicbor::to_vec(chunk.events.unwrap_or_default())
                .expect("a vector takes all that is written"),
        }
    });
    Ok(records.collect())
}
