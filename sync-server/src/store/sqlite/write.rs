//! What is written to the files, always in one transaction that has the lock from its beginning: a
//! transaction that reads first and writes later can fail half-way.

use minicbor::Encode;
use shared::bytes::{Fixed, KeyId};
use shared::ids::ShopId;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqlitePool;
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection};

use super::read::signed;
use super::segments;
use crate::store::{Change, ChunkRecord, JoinerRecord, PairingRecord, ShopRecord, StoreError};

/// SQLite takes 32,766 parameters in one statement.
const ROWS_PER_STATEMENT: usize = 1000;

/// Writes the changes of the file of keys.
pub(super) async fn keys(pool: &SqlitePool, changes: &[Change]) -> Result<(), StoreError> {
    if !changes.iter().any(is_of_keys) {
        return Ok(());
    }
    let mut connection = pool.acquire().await?;
    let written = set_keys(&mut connection, changes).await;
    forget_broken(connection, written)
}

/// Writes all other changes, to the file of the log.
pub(super) async fn log(pool: &SqlitePool, changes: &[Change]) -> Result<(), StoreError> {
    if changes.iter().all(is_of_keys) {
        return Ok(());
    }
    let mut connection = pool.acquire().await?;
    let written = write_log(&mut connection, changes).await;
    forget_broken(connection, written)
}

/// A connection on which something failed, such as a full disk, may be left in the middle of a
/// transaction: the next change gets a new one.
fn forget_broken(
    mut connection: PoolConnection<Sqlite>,
    written: Result<(), StoreError>,
) -> Result<(), StoreError> {
    if written.is_err() {
        connection.close_on_drop();
    }
    written
}

async fn set_keys(connection: &mut SqliteConnection, changes: &[Change]) -> Result<(), StoreError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let keys: Vec<(&ShopId, i64, &KeyId, &Option<Fixed<32>>)> = changes
        .iter()
        .filter_map(|change| match change {
            Change::KeySet {
                shop,
                number,
                id,
                key,
            } => Some(signed(*number).map(|number| (shop, number, id, key))),
            _ => None,
        })
        .collect::<Result<_, _>>()?;
    for keys in keys.chunks(ROWS_PER_STATEMENT) {
        let mut insert: QueryBuilder<Sqlite> =
            QueryBuilder::new("INSERT INTO keys (shop, number, id, key) ");
        insert.push_values(keys, |mut row, (shop, number, id, key)| {
            row.push_bind(bytes(shop).to_vec())
                .push_bind(*number)
                .push_bind(id.0.to_vec())
                .push_bind(key.map(|key| key.0.to_vec()));
        });
        insert.push(
            " ON CONFLICT (shop, id) DO UPDATE SET number = excluded.number, key = excluded.key",
        );
        insert.build().execute(&mut *transaction).await?;
    }
    let destroys = keys.iter().any(|(_, _, _, key)| key.is_none());
    transaction.commit().await?;
    if destroys {
        empty_wal(connection).await?;
    }
    Ok(())
}

/// Brings the WAL home and cuts it off: the bytes of a destroyed key must not lie on in it.
///
/// A reader that is in the middle of something is waited for; one that takes longer than a
/// connection waits leaves them there until the next destruction or start, which is logged.
pub(super) async fn empty_wal(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let is_busy: bool = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(connection)
        .await?;
    if is_busy {
        tracing::warn!("the WAL could not be emptied: destroyed keys lie in it until the next try");
    }
    Ok(())
}

fn is_of_keys(change: &Change) -> bool {
    matches!(change, Change::KeySet { .. })
}

async fn write_log(
    connection: &mut SqliteConnection,
    changes: &[Change],
) -> Result<(), StoreError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for change in changes {
        apply(&mut transaction, change).await?;
    }
    let chunks: Vec<&ChunkRecord> = changes
        .iter()
        .filter_map(|change| match change {
            Change::ChunkAppended(chunk) => Some(chunk),
            _ => None,
        })
        .collect();
    for chunks in chunks.chunks(ROWS_PER_STATEMENT) {
        append(&mut transaction, chunks).await?;
    }
    let shops: Vec<(&ShopRecord, u64)> = changes
        .iter()
        .filter_map(|change| match change {
            Change::ShopSaved {
                record,
                expected_size,
            } => Some((record, *expected_size)),
            _ => None,
        })
        .collect();
    for shops in shops.chunks(ROWS_PER_STATEMENT) {
        save_shops(&mut transaction, shops).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn apply(connection: &mut SqliteConnection, change: &Change) -> Result<(), StoreError> {
    match change {
        Change::CodeIssued { hash, at } => {
            sqlx::query(
                "INSERT INTO claim_codes (code_hash, created_ms) VALUES (?, ?) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(hash.0.as_slice())
            .bind(at.0)
            .execute(connection)
            .await?;
        }
        Change::CodeUsed { hash, shop } => {
            sqlx::query(
                "UPDATE claim_codes SET shop = (SELECT number FROM shops WHERE shop = ?) \
                 WHERE code_hash = ?",
            )
            .bind(bytes(shop))
            .bind(hash.0.as_slice())
            .execute(connection)
            .await?;
        }
        Change::ShopOpened(record) => open_shop(connection, record).await?,
        Change::DeviceAdmitted {
            token_hash,
            shop,
            device,
        } => {
            sqlx::query(
                // A device that is let in again has another token perhaps.
                "INSERT OR REPLACE INTO devices (token_hash, shop, device) \
                 VALUES (?, (SELECT number FROM shops WHERE shop = ?), ?)",
            )
            .bind(token_hash.0.as_slice())
            .bind(bytes(shop))
            .bind(device.0)
            .execute(connection)
            .await?;
        }
        Change::PairingOffered(pairing) => offer(connection, pairing).await?,
        Change::PairingJoined {
            secret_hash,
            joiner,
        } => join(connection, &secret_hash.0, joiner).await?,
        Change::PairingRemoved { secret_hash } => {
            sqlx::query("DELETE FROM pairings WHERE secret_hash = ?")
                .bind(secret_hash.0.as_slice())
                .execute(connection)
                .await?;
        }
        Change::SegmentStored { shop, segment } => {
            segments::store(connection, *shop, segment).await?;
        }
        Change::SegmentVerified { shop, name, chunks } => {
            segments::take_place(connection, *shop, *name, *chunks).await?;
        }
        Change::SegmentDropped { shop, name } => segments::drop(connection, *shop, *name).await?,
        // Chunks and shops are written together, keys to a file of their own.
        Change::ChunkAppended(_) | Change::ShopSaved { .. } | Change::KeySet { .. } => {}
    }
    Ok(())
}

async fn open_shop(
    connection: &mut SqliteConnection,
    record: &ShopRecord,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO shops (shop, next_device, state, signed_ms, signature, size) \
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(bytes(&record.shop()))
    .bind(record.next_device.0)
    .bind(cbor(&record.state)?)
    .bind(record.head.at.0)
    .bind(record.head.signature.0.as_slice())
    .bind(signed(record.head.size)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// All shops that changed in one statement: a statement each costs two changes of threads each.
async fn save_shops(
    connection: &mut SqliteConnection,
    saves: &[(&ShopRecord, u64)],
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(saves.len());
    for (record, expected_size) in saves {
        let sizes = (signed(record.head.size)?, signed(*expected_size)?);
        rows.push((record, cbor(&record.state)?, sizes));
    }
    let mut update: QueryBuilder<Sqlite> = QueryBuilder::new(
        "WITH saved (number, next_device, state, signed_ms, signature, size, expected) AS (",
    );
    update.push_values(rows, |mut row, (record, state, (size, expected))| {
        row.push_bind(record.number.0)
            .push_bind(record.next_device.0)
            .push_bind(state)
            .push_bind(record.head.at.0)
            .push_bind(record.head.signature.0.to_vec())
            .push_bind(size)
            .push_bind(expected);
    });
    update.push(
        ") UPDATE shops SET next_device = saved.next_device, state = saved.state, \
         signed_ms = saved.signed_ms, signature = saved.signature, size = saved.size \
         FROM saved WHERE shops.number = saved.number AND shops.size = saved.expected",
    );
    let saved = update.build().execute(connection).await?;
    if saved.rows_affected() == saves.len() as u64 {
        Ok(())
    } else {
        Err(StoreError(
            "the log has moved since this was decided".to_owned(),
        ))
    }
}

async fn offer(
    connection: &mut SqliteConnection,
    pairing: &PairingRecord,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO pairings (secret_hash, code_hash, shop, role, expires_ms) \
         VALUES (?, ?, (SELECT number FROM shops WHERE shop = ?), ?, ?)",
    )
    .bind(pairing.secret_hash.0.as_slice())
    .bind(pairing.code_hash.0.as_slice())
    .bind(bytes(&pairing.shop))
    .bind(cbor(&pairing.role)?)
    .bind(pairing.expires.0)
    .execute(connection)
    .await?;
    Ok(())
}

async fn join(
    connection: &mut SqliteConnection,
    secret_hash: &[u8],
    joiner: &JoinerRecord,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE pairings SET device = ?, device_key = ?, token_hash = ?, name = ? \
         WHERE secret_hash = ?",
    )
    .bind(joiner.device.0)
    .bind(cbor(&joiner.key)?)
    .bind(joiner.token_hash.0.as_slice())
    .bind(joiner.name.as_str())
    .bind(secret_hash)
    .execute(connection)
    .await?;
    Ok(())
}

async fn append(
    connection: &mut SqliteConnection,
    chunks: &[&ChunkRecord],
) -> Result<(), StoreError> {
    let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new(
        "INSERT INTO chunks (shop, position, count, device, first_seq, received_ms, verdict, \
         branch_of, branch_from, end_hash, signature, events) ",
    );
    let positions: Vec<i64> = chunks
        .iter()
        .map(|chunk| signed(chunk.position))
        .collect::<Result<_, _>>()?;
    insert.push_values(
        chunks.iter().zip(positions),
        |mut row, (chunk, position)| {
            row.push_bind(chunk.shop.0)
                .push_bind(position)
                .push_bind(chunk.count)
                .push_bind(chunk.device.0)
                .push_bind(chunk.first_seq)
                .push_bind(chunk.received.0)
                .push_bind(chunk.verdict.byte())
                .push_bind(chunk.branch_of.map(|branch| branch.device.0))
                .push_bind(chunk.branch_of.map(|branch| branch.from_seq))
                .push_bind(chunk.end_hash.map(|hash| hash.0.to_vec()))
                // Empty where there is none: the column has always been there for every row.
                .push_bind(chunk.signature.map_or_else(Vec::new, |it| it.0.to_vec()))
                .push_bind(chunk.events.clone());
        },
    );
    insert.build().execute(connection).await?;
    Ok(())
}

fn bytes(shop: &ShopId) -> &[u8] {
    shop.0.as_bytes()
}

fn cbor<T: Encode<()>>(value: &T) -> Result<Vec<u8>, StoreError> {
    minicbor::to_vec(value).map_err(|error| StoreError(error.to_string()))
}
