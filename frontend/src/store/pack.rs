//! Many small records into few large ones: a start of the app then reads many times faster.
//!
//! Each command and each answer of the server is written as one small record, because that is what
//! one transaction has to hold. Now and then, behind the screen, neighbours are put together.

use shared::sync::wire::Chunk;

use super::StoreError;
use super::database::{ShopDatabase, write_log};
use super::idb::Transaction;
use super::records::{Run, Segment, decode, encode, is_packed};
use super::schema;

/// A packed record is filled up to this many bytes.
const FULL_BYTES: usize = 256 * 1024;

/// Records below this size are worth packing.
pub(super) const SMALL_BYTES: usize = 32 * 1024;

/// With this many small records a store is packed.
const MANY: usize = 256;

/// The most records that one transaction packs, so that no entry waits long for its turn.
const MAX_RECORDS: usize = 512;

/// The length of a record of the log, as far as packing is concerned: a segment is left as it is.
pub(super) fn length_of(record: &[u8]) -> usize {
    match is_packed(record) {
        true => SMALL_BYTES,
        false => record.len(),
    }
}

/// Would packing a store with records of these sizes help?
pub(super) fn is_worth_it(lengths: impl Iterator<Item = usize>) -> bool {
    lengths.filter(|&length| length < SMALL_BYTES).count() >= MANY
}

impl ShopDatabase {
    /// Packs some of the own events that wait for the server. False when nothing is left to do.
    pub(super) async fn pack_tail(&self) -> Result<bool, StoreError> {
        let join = |into: &mut Run, next: Run| {
            if into.last_seq() + 1 != next.first_seq {
                return Err(StoreError::Damaged("tail"));
            }
            into.events.extend(next.events);
            into.keys.extend(next.keys);
            Ok(())
        };
        let write = |tx: &Transaction, run: &Run| {
            let tail = tx.store(schema::TAIL)?;
            tail.put(f64::from(run.first_seq), &encode(run))
        };
        self.pack(&[schema::TAIL], "tail", join, write).await
    }

    /// Packs some of the server's log. False when nothing is left to do.
    pub(super) async fn pack_segments(&self) -> Result<bool, StoreError> {
        let end = |chunk: &Chunk| chunk.position + u64::from(chunk.count);
        let join = |into: &mut Segment, next: Segment| {
            if into.0.last().map(end) != next.0.first().map(|chunk| chunk.position) {
                return Err(StoreError::Damaged("segment"));
            }
            into.0.extend(next.0);
            Ok(())
        };
        let write = |tx: &Transaction, log: &Segment| write_log(tx, &log.0, &encode(log));
        let stores = [schema::SEGMENTS, schema::INDEX];
        self.pack(&stores, "segment", join, write).await
    }

    /// Puts neighbours together in one transaction. What is read inside it is what is replaced, so
    /// other tabs may write before and after.
    async fn pack<T>(
        &self,
        stores: &[&str],
        what: &'static str,
        join: impl Fn(&mut T, T) -> Result<(), StoreError>,
        write: impl Fn(&Transaction, &T) -> Result<(), StoreError>,
    ) -> Result<bool, StoreError>
    where
        T: for<'b> minicbor::Decode<'b, ()>,
    {
        let tx = self.raw().write(stores)?;
        let records = tx.store(stores[0])?;
        let keys = records.get_all_keys()?;
        let values = records.get_all()?;
        let keys = keys.all_numbers().await?;
        let values = values.all_bytes().await?;
        let lengths: Vec<usize> = values.iter().map(|bytes| length_of(bytes)).collect();
        let groups = groups(&lengths);
        let some = !groups.is_empty();
        for group in groups {
            let mut packed: Option<T> = None;
            for bytes in &values[group.clone()] {
                let next = decode(bytes, what)?;
                match &mut packed {
                    Some(packed) => join(packed, next)?,
                    None => packed = Some(next),
                }
            }
            for &key in &keys[group] {
                stores
                    .iter()
                    .try_for_each(|store| tx.store(store)?.delete(key))?;
            }
            if let Some(packed) = &packed {
                write(&tx, packed)?;
            }
        }
        tx.commit().await?;
        Ok(some)
    }
}

/// Neighbours that become one record each: small ones, up to a full one.
fn groups(lengths: &[usize]) -> Vec<core::ops::Range<usize>> {
    let mut groups = Vec::new();
    let mut start = 0;
    let mut left = MAX_RECORDS;
    while start < lengths.len() && left > 1 {
        let mut end = start;
        let mut bytes = 0;
        while end < lengths.len()
            && end - start < left
            && lengths[end] < SMALL_BYTES
            && bytes + lengths[end] <= FULL_BYTES
        {
            bytes += lengths[end];
            end += 1;
        }
        if end > start + 1 {
            groups.push(start..end);
            left -= end - start;
        }
        start = end.max(start + 1);
    }
    groups
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn small_neighbours_are_put_together_and_large_ones_left_alone() {
        let large = FULL_BYTES;
        assert_eq!(groups(&[10, 20, large, 30, large, 40, 50]), [0..2, 5..7]);
        assert!(groups(&[]).is_empty());
        assert!(groups(&[10]).is_empty());
    }

    #[test]
    fn a_packed_record_is_no_longer_than_full() {
        let length = SMALL_BYTES - 1;
        for group in groups(&[length; 100]) {
            assert!(group.len() * length <= FULL_BYTES, "{group:?}");
        }
    }

    #[test]
    fn one_transaction_packs_some_and_leaves_the_rest_to_the_next() {
        let packed = groups(&[10; 10 * MAX_RECORDS]);
        assert_eq!(
            packed.iter().map(|group| group.len()).sum::<usize>(),
            MAX_RECORDS
        );
    }

    #[test]
    fn few_small_records_are_left_as_they_are() {
        assert!(!is_worth_it([10; MANY - 1].into_iter()));
        assert!(is_worth_it([10; MANY].into_iter()));
        assert!(!is_worth_it([FULL_BYTES; 10 * MANY].into_iter()));
    }
}
