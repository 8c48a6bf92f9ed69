//! What is asked of the files.

use minicbor::Decode;
use shared::bytes::{Fixed, Hash, KeyId};
use shared::calendar::TimeMs;
use shared::event::{PublicKey, Role};
use shared::ids::{DeviceNo, ShopId};
use shared::sync::judge::LogState;
use shared::sync::wire::{BranchOf, SealingKey, TreeHead, Verdict};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};
use tokio::task::spawn_blocking;
use tokio_stream::StreamExt;
use uuid::Uuid;

use super::segments;
use crate::archive::chunks_of;
use crate::store::{
    ChunkRecord, ClaimCode, JoinerRecord, MAX_CHUNKS, PairingRecord, ShopNumber, ShopRecord,
    StoreError,
};

pub(super) async fn shop(
    log: &SqlitePool,
    keys: &SqlitePool,
    shop: ShopId,
) -> Result<Option<ShopRecord>, StoreError> {
    let row = sqlx::query(
        "SELECT number, next_device, state, signed_ms, signature FROM shops WHERE shop = ?",
    )
    .bind(shop.0.as_bytes().as_slice())
    .fetch_optional(log)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let state: LogState = cbor(&row, "state")?;
    Ok(Some(ShopRecord {
        number: ShopNumber(row.try_get("number")?),
        head: TreeHead {
            size: state.log.size(),
            root: state.log.root(),
            at: TimeMs(row.try_get("signed_ms")?),
            signature: fixed(&row, "signature")?,
        },
        state,
        next_device: DeviceNo(row.try_get("next_device")?),
        last_key: last_key(keys, shop).await?,
    }))
}

pub(super) async fn shops(pool: &SqlitePool) -> Result<Vec<ShopId>, StoreError> {
    let rows = sqlx::query("SELECT shop FROM shops ORDER BY number")
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| shop_id(row, "shop")).collect()
}

/// What SQLite itself finds wrong with a file: the damaged pages, the first few of them.
pub(super) async fn damage(pool: &SqlitePool) -> Vec<String> {
    match sqlx::query_scalar("PRAGMA integrity_check(5)")
        .fetch_all(pool)
        .await
    {
        Ok(found) if found == ["ok"] => Vec::new(),
        Ok(found) => found,
        Err(error) => vec![error.to_string()],
    }
}

pub(super) async fn has_shops(pool: &SqlitePool) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM shops)")
        .fetch_one(pool)
        .await?)
}

pub(super) async fn device(
    pool: &SqlitePool,
    token_hash: Hash,
) -> Result<Option<(ShopId, DeviceNo)>, StoreError> {
    let row = sqlx::query(
        "SELECT shops.shop, devices.device FROM devices \
         JOIN shops ON shops.number = devices.shop WHERE token_hash = ?",
    )
    .bind(token_hash.0.as_slice())
    .fetch_optional(pool)
    .await?;
    row.map(|row| Ok((shop_id(&row, "shop")?, DeviceNo(row.try_get("device")?))))
        .transpose()
}

pub(super) async fn claim_code(
    pool: &SqlitePool,
    code_hash: Hash,
) -> Result<Option<ClaimCode>, StoreError> {
    let row = sqlx::query(
        "SELECT shops.shop FROM claim_codes \
         LEFT JOIN shops ON shops.number = claim_codes.shop WHERE code_hash = ?",
    )
    .bind(code_hash.0.as_slice())
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(match row.try_get::<Option<&[u8]>, _>("shop")? {
        None => ClaimCode::Free,
        Some(_) => ClaimCode::UsedBy(shop_id(&row, "shop")?),
    }))
}

pub(super) async fn pairing(
    pool: &SqlitePool,
    hash: Hash,
) -> Result<Option<PairingRecord>, StoreError> {
    let row = sqlx::query(
        "SELECT pairings.*, shops.shop AS shop_id FROM pairings \
         JOIN shops ON shops.number = pairings.shop WHERE secret_hash = ? OR code_hash = ?",
    )
    .bind(hash.0.as_slice())
    .bind(hash.0.as_slice())
    .fetch_optional(pool)
    .await?;
    row.as_ref().map(pairing_record).transpose()
}

pub(super) async fn pairings(
    pool: &SqlitePool,
    shop: ShopId,
) -> Result<Vec<PairingRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT pairings.*, shops.shop AS shop_id FROM pairings \
         JOIN shops ON shops.number = pairings.shop WHERE shops.shop = ? ORDER BY expires_ms",
    )
    .bind(shop.0.as_bytes().as_slice())
    .fetch_all(pool)
    .await?;
    rows.iter().map(pairing_record).collect()
}

fn pairing_record(row: &SqliteRow) -> Result<PairingRecord, StoreError> {
    let joiner = match row.try_get::<Option<u32>, _>("device")? {
        None => None,
        Some(device) => Some(JoinerRecord {
            device: DeviceNo(device),
            key: cbor::<PublicKey>(row, "device_key")?,
            token_hash: fixed(row, "token_hash")?,
            name: row.try_get("name")?,
        }),
    };
    Ok(PairingRecord {
        secret_hash: fixed(row, "secret_hash")?,
        code_hash: fixed(row, "code_hash")?,
        shop: shop_id(row, "shop_id")?,
        role: cbor::<Role>(row, "role")?,
        expires: TimeMs(row.try_get("expires_ms")?),
        joiner,
    })
}

/// The chunks of a shop: from the rows if they stand there, else from a segment. In this order: what
/// goes from the rows into a segment between two looks is found by the second.
pub(super) async fn chunks(
    pool: &SqlitePool,
    shop: ShopNumber,
    after: u64,
    max_bytes: u32,
) -> Result<Vec<ChunkRecord>, StoreError> {
    let rows = rows(pool, shop, after, max_bytes).await?;
    if rows
        .first()
        .is_some_and(|first| first.position <= after + 1)
    {
        return Ok(rows);
    }
    let Some(stored) = segments::behind(pool, shop, after).await? else {
        return Ok(rows);
    };
    let sealed = spawn_blocking(move || chunks_of(shop, &stored)).await;
    let sealed = sealed.map_err(|_| damaged("bytes"))??;
    let behind = |chunk: &ChunkRecord| chunk.position + u64::from(chunk.count) - 1 > after;
    Ok(bounded(sealed.into_iter().filter(behind), max_bytes))
}

/// As many as fit into these bytes, but one at least.
fn bounded(chunks: impl Iterator<Item = ChunkRecord>, max_bytes: u32) -> Vec<ChunkRecord> {
    let mut bytes = 0;
    let fits = |(index, chunk): &(usize, ChunkRecord)| {
        bytes += chunk.events.len();
        *index == 0 || (bytes <= max_bytes as usize && *index < MAX_CHUNKS)
    };
    let fitting = chunks.enumerate().take_while(fits);
    fitting.map(|(_, chunk)| chunk).collect()
}

async fn rows(
    pool: &SqlitePool,
    shop: ShopNumber,
    after: u64,
    max_bytes: u32,
) -> Result<Vec<ChunkRecord>, StoreError> {
    let mut rows = sqlx::query(
        "SELECT * FROM chunks WHERE shop = ?1 AND position >= coalesce((SELECT max(position) \
         FROM chunks WHERE shop = ?1 AND position <= ?2), 0) AND position + count > ?2 \
         ORDER BY position",
    )
    .bind(shop.0)
    .bind(signed(after.saturating_add(1))?)
    .fetch(pool);
    let mut chunks = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next().await {
        let chunk = chunk_record(&row?)?;
        if chunk.position > after + 1 && chunks.is_empty() {
            return Ok(vec![chunk]);
        }
        bytes += chunk.events.len();
        let is_too_much = bytes > max_bytes as usize || chunks.len() == MAX_CHUNKS;
        if is_too_much && !chunks.is_empty() {
            break;
        }
        chunks.push(chunk);
    }
    Ok(chunks)
}

fn chunk_record(row: &SqliteRow) -> Result<ChunkRecord, StoreError> {
    let verdict = row.try_get("verdict")?;
    let branch_of = match row.try_get::<Option<u32>, _>("branch_of")? {
        None => None,
        Some(device) => Some(BranchOf {
            device: DeviceNo(device),
            from_seq: row.try_get("branch_from")?,
        }),
    };
    Ok(ChunkRecord {
        shop: ShopNumber(row.try_get("shop")?),
        position: unsigned(row, "position")?,
        count: row.try_get("count")?,
        device: DeviceNo(row.try_get("device")?),
        first_seq: row.try_get("first_seq")?,
        received: TimeMs(row.try_get("received_ms")?),
        verdict: Verdict::from_byte(verdict).ok_or_else(|| damaged("verdict"))?,
        branch_of,
        end_hash: Some(fixed(row, "end_hash")?),
        signature: match row.try_get::<&[u8], _>("signature")? {
            [] => None,
            _ => Some(fixed(row, "signature")?),
        },
        events: row.try_get("events")?,
    })
}

pub(super) async fn keys(
    pool: &SqlitePool,
    shop: ShopId,
    after: u64,
    limit: usize,
) -> Result<Vec<(u64, SealingKey)>, StoreError> {
    let rows = sqlx::query(
        "SELECT number, id, key FROM keys WHERE shop = ? AND number > ? ORDER BY number LIMIT ?",
    )
    .bind(shop.0.as_bytes().as_slice())
    .bind(signed(after)?)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    let keys = rows
        .iter()
        .map(|row| Ok((unsigned(row, "number")?, sealing_key(row)?)));
    keys.collect()
}

pub(super) async fn keys_named(
    pool: &SqlitePool,
    shop: ShopId,
    names: &[KeyId],
) -> Result<Vec<SealingKey>, StoreError> {
    let mut query: QueryBuilder<Sqlite> =
        QueryBuilder::new("SELECT id, key FROM keys WHERE shop = ");
    query
        .push_bind(shop.0.as_bytes().as_slice())
        .push(" AND id IN (");
    let mut list = query.separated(", ");
    for name in names {
        list.push_bind(name.0.as_slice());
    }
    query.push(")");
    let rows = query.build().fetch_all(pool).await?;
    rows.iter().map(sealing_key).collect()
}

fn sealing_key(row: &SqliteRow) -> Result<SealingKey, StoreError> {
    let key = match row.try_get::<Option<&[u8]>, _>("key")? {
        None => None,
        Some(_) => Some(fixed(row, "key")?),
    };
    let id = fixed(row, "id")?;
    Ok(SealingKey { id, key })
}

async fn last_key(pool: &SqlitePool, shop: ShopId) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT coalesce(max(number), 0) AS number FROM keys WHERE shop = ?")
        .bind(shop.0.as_bytes().as_slice())
        .fetch_one(pool)
        .await?;
    unsigned(&row, "number")
}

pub(super) fn damaged(column: &str) -> StoreError {
    StoreError(format!("the column {column} holds something impossible"))
}

pub(super) fn fixed<const N: usize>(row: &SqliteRow, column: &str) -> Result<Fixed<N>, StoreError> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map(Fixed).map_err(|_| damaged(column))
}

pub(super) fn shop_id(row: &SqliteRow, column: &str) -> Result<ShopId, StoreError> {
    Uuid::from_slice(row.try_get(column)?)
        .map(ShopId)
        .map_err(|_| damaged(column))
}

pub(super) fn unsigned(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| damaged(column))
}

/// SQLite's integers are signed; no number that Pakka counts comes near the limit.
pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError(format!("{number} is beyond what is kept")))
}

fn cbor<T: for<'b> Decode<'b, ()>>(row: &SqliteRow, column: &str) -> Result<T, StoreError> {
    minicbor::decode(row.try_get(column)?).map_err(|_| damaged(column))
}
