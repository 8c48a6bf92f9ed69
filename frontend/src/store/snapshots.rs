//! The last two snapshots: a cache, in a store of its own, so that no entry waits for it.

use std::rc::Rc;

use shared::bytes::Fixed;
use shared::snapshot::Snapshot;
use shared::sync::engine::Cursor;
use shared::sync::log::Log;
use shared::sync::wire::SealingKey;
use wasm_bindgen_futures::spawn_local;

use super::StoreError;
use super::books::Books;
use super::database::{ShopDatabase, read_optional, write_keys};
use super::live::Live;
use super::records::encode;
use super::schema;
use super::slices::pause;

/// So many are kept: should the newest be damaged, the one before it is still a short way to go.
const KEPT: usize = 2;

/// A snapshot is written when so many events came since the last one. When the app goes out of
/// sight one is written for fewer, so most starts have next to nothing to fold.
const EVENTS_PER_SNAPSHOT: u64 = 1_000;

impl ShopDatabase {
    /// The snapshots, in their bytes, each with its number, the newest first.
    pub async fn snapshots(&self) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let tx = self.db.read(&[schema::SNAPSHOT])?;
        let store = tx.store(schema::SNAPSHOT)?;
        let numbers = store.get_all_keys()?;
        let kept = store.get_all()?;
        let numbers = numbers.all_numbers().await?;
        let kept = kept.all_bytes().await?;
        let numbers = numbers.into_iter().map(|number| number as u64);
        Ok(numbers.zip(kept).rev().collect())
    }

    /// Keeps a snapshot, and of the others the newest one.
    pub async fn keep_snapshot(&self, number: u64, snapshot: &[u8]) -> Result<(), StoreError> {
        let tx = self.db.write(&[schema::SNAPSHOT])?;
        let store = tx.store(schema::SNAPSHOT)?;
        store.put(number as f64, snapshot)?;
        let numbers = store.get_all_keys()?.all_numbers().await?;
        for &old in numbers.iter().rev().skip(KEPT) {
            store.delete(old)?;
        }
        tx.commit().await
    }

    /// Keeps what a new device has taken from the server: a snapshot, the keys that open its names,
    /// and the cursor that says which keys those are.
    pub async fn take_snapshot(
        &self,
        number: u64,
        snapshot: &[u8],
        keys: &[SealingKey],
        cursor: &Cursor,
    ) -> Result<(), StoreError> {
        let stores = [schema::SNAPSHOT, schema::KEYS, schema::META];
        let tx = self.db.write(&stores)?;
        tx.store(schema::SNAPSHOT)?.put(number as f64, snapshot)?;
        write_keys(&tx, keys)?;
        tx.store(schema::META)?
            .put(schema::CURSOR, &encode(cursor))?;
        tx.commit().await
    }

    /// Throws all snapshots away because one was wrong, and counts that.
    pub async fn drop_wrong_snapshots(&self) -> Result<(), StoreError> {
        let tx = self.db.write(&[schema::SNAPSHOT, schema::META])?;
        let meta = tx.store(schema::META)?;
        tx.store(schema::SNAPSHOT)?.delete_up_to(f64::INFINITY)?;
        let before = meta.get(schema::WRONG_SNAPSHOTS)?.bytes().await?;
        let before: u32 = read_optional(before, "count")?.unwrap_or(0);
        meta.put(schema::WRONG_SNAPSHOTS, &encode(&before.saturating_add(1)))?;
        tx.commit().await
    }

    /// How often a snapshot was wrong.
    pub async fn wrong_snapshots(&self) -> Result<u32, StoreError> {
        let tx = self.db.read(&[schema::META])?;
        let count = tx.store(schema::META)?.get(schema::WRONG_SNAPSHOTS)?;
        Ok(read_optional(count.bytes().await?, "count")?.unwrap_or(0))
    }
}

impl Live {
    /// Writes a snapshot behind the screen, if many events came since the last one.
    pub(super) fn keep_snapshot(self: &Rc<Live>) {
        self.keep_snapshot_after(EVENTS_PER_SNAPSHOT);
    }

    /// Writes one if at least so many events came. Only of whole books in which every event is in
    /// the server's log, if there is a server: so what is not accepted never stands in one.
    pub(super) fn keep_snapshot_after(self: &Rc<Live>, events: u64) {
        let due = self.last_snapshot.get() + events;
        if self.peek(number_of) < due {
            return;
        }
        let live = self.clone();
        spawn_local(async move {
            pause().await;
            if let Some((number, snapshot)) = live.peek(snapshot_of)
                && number >= due
            {
                live.last_snapshot.set(number);
                // A cache: without room for it the next start takes longer.
                let _ = live.db.keep_snapshot(number, &snapshot).await;
            }
        });
    }
}

fn snapshot_of(books: &Books) -> Option<(u64, Vec<u8>)> {
    let log = match &books.cursor {
        Some(cursor) => cursor.log.clone(),
        None => {
            let mut log = Log::new(books.identity.shop, Fixed::default());
            log.begin(books.device(), books.chain);
            log
        }
    };
    let is_confirmed = books.cursor.is_none() || books.unconfirmed() == 0;
    if !is_confirmed || log.size() != books.position {
        return None;
    }
    let snapshot = Snapshot::of(&books.ledger, &log)?;
    Some((number_of(books), snapshot.to_bytes()))
}

/// Rises with every event.
fn number_of(books: &Books) -> u64 {
    books.position.max(u64::from(books.last_seq()))
}
