//! A record of the log that is damaged comes again from the server, is checked against the log as it
//! was read before, and is written in its place.

use shared::sync::engine::Mend;
use shared::sync::wire::{Chunk, SyncAnswer, SyncRequest};

use super::StoreError;
use super::database::{ShopDatabase, read_optional, write_log};
use super::records::{Segment, decode, encode, is_packed};
use super::schema;
use super::slices::Slices;

/// A part of the log that came again: its first and last position, and what stands there.
struct Part {
    first: u64,
    last: u64,
    chunks: Vec<Chunk>,
}

impl ShopDatabase {
    /// Reads the stored log from its beginning and has `ask` fetch what is damaged. Gives how many
    /// parts came; nothing is written unless the log with them is what it was.
    pub async fn mend(
        &self,
        ask: impl AsyncFn(SyncRequest) -> Option<SyncAnswer>,
    ) -> Result<u32, StoreError> {
        // What came in chunks carries no checksum, and is believed at first.
        if let Some(parts) = self.missing(&ask, true).await? {
            return self.put_in_place(parts).await;
        }
        match self.missing(&ask, false).await? {
            Some(parts) => self.put_in_place(parts).await,
            None => Err(StoreError::Damaged("segment")),
        }
    }

    /// What is to be put in place for the log to be what it was; `None` if that is not enough.
    async fn missing(
        &self,
        ask: impl AsyncFn(SyncRequest) -> Option<SyncAnswer>,
        believes_chunks: bool,
    ) -> Result<Option<Vec<Part>>, StoreError> {
        let loaded = self.load_after(u64::MAX, u32::MAX).await?;
        let loaded = loaded.ok_or(StoreError::Gone)?;
        let Some(goal) = loaded.cursor else {
            // There is no server that might have it.
            return Err(StoreError::Damaged("tail"));
        };
        let mut mend = Mend::begin(loaded.identity.device, &goal);
        let mut parts = Vec::new();
        let mut slices = Slices::start();
        let mut keys = self.log_keys().await?;
        keys.push(mend.last() as f64 + 1.0);
        for key in keys {
            // Up to the next record that can be read.
            while (mend.next() as f64) < key {
                let first = mend.next();
                let answer = ask(mend.request()).await;
                let came = answer.and_then(|answer| mend.take(answer, key as u64 - 1));
                let Some(chunks) = came else {
                    return Ok(None);
                };
                let last = mend.next() - 1;
                parts.push(Part {
                    first,
                    last,
                    chunks,
                });
            }
            if let Some(record) = self.log_record(key).await?
                && (believes_chunks || is_packed(&record))
                && let Ok(Segment(chunks)) = decode(&record, "segment")
            {
                // Where it does not follow, what does is asked for in front of the next.
                let _ = mend.read(chunks);
            }
            slices.breathe().await;
        }
        Ok(mend.is_sound().then_some(parts))
    }

    /// Writes what came, in one transaction.
    async fn put_in_place(&self, parts: Vec<Part>) -> Result<u32, StoreError> {
        if parts.is_empty() {
            return Ok(0);
        }
        let tx = self
            .db
            .write(&[schema::SEGMENTS, schema::INDEX, schema::META])?;
        let meta = tx.store(schema::META)?;
        for Part {
            first,
            last,
            chunks,
        } in &parts
        {
            for store in [schema::SEGMENTS, schema::INDEX] {
                tx.store(store)?
                    .delete_between(*first as f64, *last as f64)?;
            }
            write_log(&tx, chunks, &encode(chunks))?;
        }
        let before = meta.get(schema::MENDED)?.bytes().await?;
        let before: u32 = read_optional(before, "count")?.unwrap_or(0);
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        meta.put(schema::MENDED, &encode(&before.saturating_add(count)))?;
        tx.commit().await?;
        Ok(count)
    }

    /// How many parts of the log were damaged and came again.
    pub async fn mended(&self) -> Result<u32, StoreError> {
        let tx = self.db.read(&[schema::META])?;
        let count = tx.store(schema::META)?.get(schema::MENDED)?;
        Ok(read_optional(count.bytes().await?, "count")?.unwrap_or(0))
    }

    async fn log_keys(&self) -> Result<Vec<f64>, StoreError> {
        let tx = self.db.read(&[schema::SEGMENTS])?;
        let keys = tx.store(schema::SEGMENTS)?.get_all_keys()?;
        keys.all_numbers().await
    }

    async fn log_record(&self, key: f64) -> Result<Option<Vec<u8>>, StoreError> {
        let tx = self.db.read(&[schema::SEGMENTS])?;
        let record = tx.store(schema::SEGMENTS)?.get(key)?;
        record.bytes().await
    }
}
