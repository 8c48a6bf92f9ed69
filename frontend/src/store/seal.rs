//! What came in chunks becomes segments, behind the screen: less than half of the bytes, and with a
//! checksum.

use shared::sync::segment::{Segment as Packed, write};
use shared::sync::wire::Chunk;

use super::StoreError;
use super::database::{ShopDatabase, read_optional, write_log};
use super::live::Live;
use super::pack::SMALL_BYTES;
use super::records::{Segment, decode, encode, is_packed};
use super::schema;
use super::slices::pause_ms;

/// So many events become one segment: the work of a moment on a slow phone.
const SEGMENT_EVENTS: usize = 512;

/// The time between two of them, in which taps are heard and what is more urgent is done.
const REST_MS: i32 = 100;

impl Live {
    /// Seals what there is to seal, a record at a time. What was not reached is gone on with at the
    /// next start.
    pub(super) async fn seal(&self) {
        while self.seal_next().await == Ok(true) {}
    }

    /// Seals the next record. False if there is none: the log is sealed up to its end, or to records
    /// that are still so short that they will be put together first.
    async fn seal_next(&self) -> Result<bool, StoreError> {
        let log = self.peek(|books| {
            let log = &books.cursor.as_ref()?.log;
            Some((log.shop(), log.generation()))
        });
        let Some((shop, generation)) = log else {
            return Ok(false);
        };
        let Some((key, record)) = self.db.next_to_seal().await? else {
            return Ok(false);
        };
        if is_packed(&record) {
            return self.db.put_sealed(key, &record, &[]).await;
        }
        if record.len() < SMALL_BYTES {
            return Ok(false);
        }
        let mut sealed = Vec::new();
        for chunks in runs(decode::<Segment>(&record, "segment")?.0) {
            let segment = Packed {
                shop,
                generation,
                chunks,
                ends: Vec::new(),
            };
            // The writer reads it back before it gives it away.
            let bytes = write(&segment).unwrap_or_else(|_| encode(&segment.chunks));
            sealed.push((segment.chunks, bytes));
            pause_ms(REST_MS).await;
        }
        self.db.put_sealed(key, &record, &sealed).await
    }
}

/// Chunks in runs of so many events that each becomes a segment.
fn runs(chunks: Vec<Chunk>) -> Vec<Vec<Chunk>> {
    let mut runs: Vec<Vec<Chunk>> = Vec::new();
    let mut events = SEGMENT_EVENTS;
    for chunk in chunks {
        if events >= SEGMENT_EVENTS {
            runs.push(Vec::new());
            events = 0;
        }
        events += chunk.count as usize;
        if let Some(run) = runs.last_mut() {
            run.push(chunk);
        }
    }
    runs
}

impl ShopDatabase {
    /// The first record of the log behind what is sealed.
    async fn next_to_seal(&self) -> Result<Option<(f64, Vec<u8>)>, StoreError> {
        let tx = self.db.read(&[schema::META, schema::SEGMENTS])?;
        let sealed = tx.store(schema::META)?.get(schema::SEALED)?;
        let keys = tx.store(schema::SEGMENTS)?.get_all_keys()?;
        let sealed: u64 = read_optional(sealed.bytes().await?, "count")?.unwrap_or(0);
        let keys = keys.all_numbers().await?;
        let Some(key) = keys.into_iter().find(|key| *key > sealed as f64) else {
            return Ok(None);
        };
        let record = tx.store(schema::SEGMENTS)?.get(key)?;
        Ok(record.bytes().await?.map(|record| (key, record)))
    }

    /// Puts segments in the place of a record, unless another tab has changed it. In one
    /// transaction: the chunks go when the segments are there.
    async fn put_sealed(
        &self,
        key: f64,
        record: &[u8],
        sealed: &[(Vec<Chunk>, Vec<u8>)],
    ) -> Result<bool, StoreError> {
        let stores = [schema::SEGMENTS, schema::INDEX, schema::META];
        let tx = self.db.write(&stores)?;
        let segments = tx.store(schema::SEGMENTS)?;
        let is_same = segments.get(key)?.bytes().await?.as_deref() == Some(record);
        if !is_same {
            return Ok(false);
        }
        for (chunks, bytes) in sealed {
            write_log(&tx, chunks, bytes)?;
        }
        let last = sealed.last().and_then(|(chunks, _)| chunks.first());
        let last = last.map_or(key as u64, |chunk| chunk.position);
        tx.store(schema::META)?
            .put(schema::SEALED, &encode(&last))?;
        tx.commit().await?;
        Ok(true)
    }
}
