//! SQLite: two files, so that backups of the log never hold keys. One connection writes, a few
//! others read beside it (WAL).

mod read;
mod segments;
mod write;

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use shared::bytes::{Hash, KeyId};
use shared::ids::{DeviceNo, ShopId};
use shared::sync::wire::{SealingKey, SegmentName};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::{
    Change, ChunkRecord, ClaimCode, PairingRecord, Pending, SegmentRecord, ShopNumber, ShopRecord,
    Store, StoreError, StoredSegment,
};

/// The file that holds the logs.
pub const LOG_FILE: &str = "log.db";

/// The file that holds the keys of personal data.
pub const KEYS_FILE: &str = "keys.db";

/// Older versions can lose pages of the WAL when a checkpoint and a restart of the log coincide.
const MIN_VERSION: [u32; 3] = [3, 51, 3];

/// How long a connection waits for another process, such as `pakka-server claim-code`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that only read, for each file.
const LOG_READERS: u32 = 4;
const KEYS_READERS: u32 = 2;

/// The WAL is brought home when it has this many pages of 4 KiB.
const CHECKPOINT_PAGES: &str = "4000";

/// After that its file is cut back to this many bytes.
const WAL_LIMIT_BYTES: &str = "33554432";

static LOG_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite/log");
static KEYS_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite/keys");

/// The store in two files of SQLite.
pub struct Sqlite {
    log: Database,
    keys: Database,
}

/// One file.
struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Sqlite {
    /// Opens the files in a folder, or makes them.
    ///
    /// # Errors
    ///
    /// The version of SQLite, the files or their contents are not fit for use.
    pub async fn open(folder: &Path) -> Result<Sqlite, StoreError> {
        let store = Sqlite {
            log: Database::open(&folder.join(LOG_FILE), LOG_READERS, &LOG_MIGRATIONS).await?,
            keys: Database::open(&folder.join(KEYS_FILE), KEYS_READERS, &KEYS_MIGRATIONS).await?,
        };
        // The server may have died between the destruction of a key and this.
        write::empty_wal(&mut *store.keys.writer.acquire().await?).await?;
        Ok(store)
    }

    /// Opens the files in a folder for reading only: of a backup, or beside a server. The file of
    /// the keys may be missing.
    ///
    /// # Errors
    ///
    /// There is no log, or it is not a database.
    pub async fn open_to_read(folder: &Path) -> Result<Sqlite, StoreError> {
        let keys = folder.join(KEYS_FILE);
        Ok(Sqlite {
            log: Database::open_to_read(&folder.join(LOG_FILE)).await?,
            keys: match keys.exists() {
                true => Database::open_to_read(&keys).await?,
                false => Database::empty(&KEYS_MIGRATIONS).await?,
            },
        })
    }

    /// What SQLite itself finds wrong with the file of the logs: the damaged pages.
    pub async fn damage(&self) -> Vec<String> {
        read::damage(&self.log.readers).await
    }
}

impl Sqlite {
    /// The number that the mark beside the data left in the file of the logs; 0 for none.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub async fn mark(&self) -> Result<i32, StoreError> {
        Ok(sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(&self.log.readers)
            .await?)
    }

    /// Leaves a number in the file of the logs.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub async fn set_mark(&self, number: i32) -> Result<(), StoreError> {
        let statement = format!("PRAGMA user_version = {number}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&self.log.writer)
            .await?;
        Ok(())
    }
}

/// So many connections. A file does not hang up: to ask each connection before its use whether it
/// still lives costs as much as a short query.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .test_before_acquire(false)
}

impl Database {
    async fn open(
        file: &Path,
        readers: u32,
        migrations: &'static Migrator,
    ) -> Result<Database, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            // What is deleted is overwritten: a destroyed key is gone from the file.
            .pragma("secure_delete", "ON")
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .pragma("journal_size_limit", WAL_LIMIT_BYTES);
        let writer = pool(1).connect_with(options.clone()).await?;
        check_version(&writer).await?;
        migrations
            .run(&writer)
            .await
            .map_err(|error| StoreError(format!("{}: {error}", file.display())))?;
        let readers = pool(readers)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Database { writer, readers })
    }

    async fn open_to_read(file: &Path) -> Result<Database, StoreError> {
        let wrong = |error: sqlx::Error| StoreError(format!("{}: {error}", file.display()));
        let options = SqliteConnectOptions::new()
            .filename(file)
            .read_only(true)
            .busy_timeout(BUSY_TIMEOUT);
        let open = async |options: SqliteConnectOptions| {
            let pool = pool(1).connect_with(options).await?;
            sqlx::query("SELECT 1 FROM sqlite_schema")
                .fetch_optional(&pool)
                .await?;
            Ok(pool)
        };
        let readers = match open(options.clone()).await {
            Ok(pool) => pool,
            // On a medium that cannot be written, SQLite cannot put a WAL beside the file.
            Err(error) => open(options.immutable(true))
                .await
                .map_err(|_| wrong(error))?,
        };
        check_version(&readers).await?;
        Ok(Database {
            writer: readers.clone(),
            readers,
        })
    }

    /// A database in memory with nothing in it.
    async fn empty(migrations: &'static Migrator) -> Result<Database, StoreError> {
        let readers = pool(1)
            .connect_with(SqliteConnectOptions::new().in_memory(true))
            .await?;
        migrations
            .run(&readers)
            .await
            .map_err(|error| StoreError(error.to_string()))?;
        Ok(Database {
            writer: readers.clone(),
            readers,
        })
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

async fn check_version(pool: &SqlitePool) -> Result<(), StoreError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(pool)
        .await?;
    let parts: Vec<u32> = version
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect();
    if parts.as_slice() < MIN_VERSION.as_slice() {
        let [major, minor, patch] = MIN_VERSION;
        return Err(StoreError(format!(
            "SQLite {version} can lose committed pages; at least {major}.{minor}.{patch} is needed"
        )));
    }
    Ok(())
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        StoreError(error.to_string())
    }
}

impl Store for Sqlite {
    fn shop(&self, shop: ShopId) -> Pending<'_, Option<ShopRecord>> {
        Box::pin(read::shop(&self.log.readers, &self.keys.readers, shop))
    }

    fn shops(&self) -> Pending<'_, Vec<ShopId>> {
        Box::pin(read::shops(&self.log.readers))
    }

    fn has_shops(&self) -> Pending<'_, bool> {
        Box::pin(read::has_shops(&self.log.readers))
    }

    fn device(&self, token_hash: Hash) -> Pending<'_, Option<(ShopId, DeviceNo)>> {
        Box::pin(read::device(&self.log.readers, token_hash))
    }

    fn claim_code(&self, code_hash: Hash) -> Pending<'_, Option<ClaimCode>> {
        Box::pin(read::claim_code(&self.log.readers, code_hash))
    }

    fn pairing(&self, hash: Hash) -> Pending<'_, Option<PairingRecord>> {
        Box::pin(read::pairing(&self.log.readers, hash))
    }

    fn pairings(&self, shop: ShopId) -> Pending<'_, Vec<PairingRecord>> {
        Box::pin(read::pairings(&self.log.readers, shop))
    }

    fn chunks(
        &self,
        shop: ShopNumber,
        after: u64,
        max_bytes: u32,
    ) -> Pending<'_, Vec<ChunkRecord>> {
        Box::pin(read::chunks(&self.log.readers, shop, after, max_bytes))
    }

    fn segments(
        &self,
        shop: ShopNumber,
        after: u64,
        limit: usize,
    ) -> Pending<'_, Vec<SegmentRecord>> {
        Box::pin(segments::list(&self.log.readers, shop, after, limit))
    }

    fn segment(&self, shop: ShopNumber, name: SegmentName) -> Pending<'_, Option<StoredSegment>> {
        Box::pin(segments::get(&self.log.readers, shop, name))
    }

    fn sealed_end(&self, shop: ShopNumber) -> Pending<'_, u64> {
        Box::pin(segments::end(&self.log.readers, shop))
    }

    fn unverified_segment(&self) -> Pending<'_, Option<(ShopNumber, SegmentRecord)>> {
        Box::pin(segments::unverified(&self.log.readers))
    }

    fn shop_to_seal(&self, events: u64) -> Pending<'_, Option<ShopId>> {
        Box::pin(segments::shop_to_seal(&self.log.readers, events))
    }

    fn keys(&self, shop: ShopId, after: u64, limit: usize) -> Pending<'_, Vec<(u64, SealingKey)>> {
        Box::pin(read::keys(&self.keys.readers, shop, after, limit))
    }

    fn keys_named<'a>(&'a self, shop: ShopId, names: &'a [KeyId]) -> Pending<'a, Vec<SealingKey>> {
        Box::pin(read::keys_named(&self.keys.readers, shop, names))
    }

    fn commit<'a>(&'a self, changes: &'a [Change]) -> Pending<'a, ()> {
        Box::pin(async move {
            write::keys(&self.keys.writer, changes).await?;
            write::log(&self.log.writer, changes).await
        })
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            self.log.close().await;
            self.keys.close().await;
        })
    }
}
