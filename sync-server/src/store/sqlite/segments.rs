//! Sealed parts of the logs.

use shared::ids::ShopId;
use shared::sync::wire::SegmentName;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};

use super::read::{fixed, shop_id, signed, unsigned};
use crate::store::{SegmentRecord, ShopNumber, StoreError, StoredSegment};

pub(super) async fn list(
    pool: &SqlitePool,
    shop: ShopNumber,
    after: u64,
    limit: usize,
) -> Result<Vec<SegmentRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT first, last, hash, length(bytes) AS length FROM segments \
         WHERE shop = ? AND last > ? AND verified = 1 ORDER BY last LIMIT ?",
    )
    .bind(shop.0)
    .bind(signed(after)?)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    rows.iter().map(record).collect()
}

pub(super) async fn get(
    pool: &SqlitePool,
    shop: ShopNumber,
    name: SegmentName,
) -> Result<Option<StoredSegment>, StoreError> {
    let row = sqlx::query(
        "SELECT first, last, hash, length(bytes) AS length, bytes FROM segments \
         WHERE shop = ? AND last = ? AND first = ?",
    )
    .bind(shop.0)
    .bind(signed(name.last)?)
    .bind(signed(name.first)?)
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(stored).transpose()
}

/// The first segment that holds anything behind a position.
pub(super) async fn behind(
    pool: &SqlitePool,
    shop: ShopNumber,
    after: u64,
) -> Result<Option<StoredSegment>, StoreError> {
    let row = sqlx::query(
        "SELECT first, last, hash, length(bytes) AS length, bytes FROM segments \
         WHERE shop = ? AND last > ? AND verified = 1 ORDER BY last LIMIT 1",
    )
    .bind(shop.0)
    .bind(signed(after)?)
    .fetch_optional(pool)
    .await;
    let row = match row {
        // A backup from before there were segments, opened to be read only.
        Err(sqlx::Error::Database(error)) if error.message().contains("no such table") => None,
        row => row?,
    };
    row.as_ref().map(stored).transpose()
}

pub(super) async fn end(pool: &SqlitePool, shop: ShopNumber) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "SELECT coalesce(max(last), 0) AS last FROM segments WHERE shop = ? AND verified = 1",
    )
    .bind(shop.0)
    .fetch_one(pool)
    .await?;
    unsigned(&row, "last")
}

pub(super) async fn unverified(
    pool: &SqlitePool,
) -> Result<Option<(ShopNumber, SegmentRecord)>, StoreError> {
    let row = sqlx::query(
        "SELECT shop, first, last, hash, length(bytes) AS length FROM segments \
         WHERE verified = 0 LIMIT 1",
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((ShopNumber(row.try_get("shop")?), record(&row)?)))
}

/// Chunks that are sealed are gone, so the index of the others tells enough.
pub(super) async fn shop_to_seal(
    pool: &SqlitePool,
    events: u64,
) -> Result<Option<ShopId>, StoreError> {
    let row = sqlx::query(
        "SELECT shops.shop AS shop_id FROM chunks JOIN shops ON shops.number = chunks.shop \
         GROUP BY chunks.shop HAVING max(position) - min(position) >= ? LIMIT 1",
    )
    .bind(signed(events)?)
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(|row| shop_id(row, "shop_id")).transpose()
}

pub(super) async fn store(
    connection: &mut SqliteConnection,
    shop: ShopNumber,
    segment: &StoredSegment,
) -> Result<(), StoreError> {
    let record = &segment.record;
    sqlx::query(
        "INSERT INTO segments (shop, first, last, verified, hash, bytes) VALUES (?, ?, ?, 0, ?, ?)",
    )
    .bind(shop.0)
    .bind(signed(record.name.first)?)
    .bind(signed(record.name.last)?)
    .bind(record.hash.0.as_slice())
    .bind(segment.bytes.as_slice())
    .execute(connection)
    .await?;
    Ok(())
}

/// Lets a segment take the place of its chunks.
pub(super) async fn take_place(
    connection: &mut SqliteConnection,
    shop: ShopNumber,
    name: SegmentName,
    chunks: u64,
) -> Result<(), StoreError> {
    let (first, last) = (signed(name.first)?, signed(name.last)?);
    let marked = sqlx::query(
        "UPDATE segments SET verified = 1 WHERE shop = ? AND first = ? AND last = ? AND verified = 0",
    )
    .bind(shop.0)
    .bind(first)
    .bind(last)
    .execute(&mut *connection)
    .await?;
    let deleted = sqlx::query("DELETE FROM chunks WHERE shop = ? AND position BETWEEN ? AND ?")
        .bind(shop.0)
        .bind(first)
        .bind(last)
        .execute(connection)
        .await?;
    if (marked.rows_affected(), deleted.rows_affected()) != (1, chunks) {
        let found = deleted.rows_affected();
        return Err(StoreError(format!(
            "segment {name} was to take the place of {chunks} chunks, not of {found}"
        )));
    }
    Ok(())
}

pub(super) async fn drop(
    connection: &mut SqliteConnection,
    shop: ShopNumber,
    name: SegmentName,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM segments WHERE shop = ? AND first = ? AND last = ? AND verified = 0")
        .bind(shop.0)
        .bind(signed(name.first)?)
        .bind(signed(name.last)?)
        .execute(connection)
        .await?;
    Ok(())
}

fn record(row: &SqliteRow) -> Result<SegmentRecord, StoreError> {
    Ok(SegmentRecord {
        name: SegmentName {
            first: unsigned(row, "first")?,
            last: unsigned(row, "last")?,
        },
        hash: fixed(row, "hash")?,
        length_bytes: unsigned(row, "length")?,
    })
}

fn stored(row: &SqliteRow) -> Result<StoredSegment, StoreError> {
    Ok(StoredSegment {
        record: record(row)?,
        bytes: row.try_get("bytes")?,
    })
}
