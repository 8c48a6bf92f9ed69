//! Writes what is kept of a shop into one file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use shared::export::{Header, Writer};
use shared::ids::{DeviceNo, ShopId};
use shared::sync::wire::{MAX_KEYS, SealingKey};

use super::{AuditError, events, origin, page, run};
use crate::store::sqlite::Sqlite;
use crate::store::{ShopRecord, Store, StoreError};

/// Nobody else on this machine may read a file that holds keys.
const PRIVATE: u32 = 0o600;

/// Writes a shop into a file, whole or not at all. Returns how many events are in it. `progress`
/// hears how many of how many.
///
/// # Errors
///
/// The store cannot be read, the file cannot be written, or it is not clear which shop.
pub async fn export(
    folder: &Path,
    shop: Option<ShopId>,
    with_keys: bool,
    file: &Path,
    progress: impl Fn(u64, u64),
) -> Result<u64, AuditError> {
    let store = Sqlite::open_to_read(folder).await?;
    let shop = which(&store, shop).await?;
    let record = store
        .shop(shop)
        .await?
        .ok_or(AuditError::NoSuchShop(shop))?;
    let wrong = |error| AuditError::File {
        file: file.display().to_string(),
        error,
    };
    let mut temporary = file.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = Path::new(&temporary);
    let mut out = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE)
        .open(temporary)
        .map_err(wrong)?;
    let written = write(&store, &record, with_keys, &mut out, &progress).await;
    let finished = match written {
        Ok(()) => finish(&out, temporary, file).map_err(wrong),
        Err(error) => Err(error),
    };
    if finished.is_err() {
        // What is half written is of no use.
        let _ = fs::remove_file(temporary);
    }
    store.close().await;
    finished.map(|()| record.head.size)
}

async fn which(store: &Sqlite, shop: Option<ShopId>) -> Result<ShopId, AuditError> {
    let shops = store.shops().await?;
    match (shop, shops.as_slice()) {
        (Some(shop), _) => Ok(shop),
        (None, []) => Err(AuditError::NoShop),
        (None, [shop]) => Ok(*shop),
        (None, _) => Err(AuditError::WhichShop(shops)),
    }
}

fn finish(out: &File, temporary: &Path, file: &Path) -> io::Result<()> {
    out.sync_all()?;
    fs::rename(temporary, file)
}

async fn write(
    store: &Sqlite,
    record: &ShopRecord,
    with_keys: bool,
    out: &mut File,
    progress: &impl Fn(u64, u64),
) -> Result<(), AuditError> {
    let damaged = |what: String| AuditError::Store(StoreError(what));
    let failed = |error| AuditError::File {
        file: "the export".to_owned(),
        error,
    };
    let origin =
        origin(record).ok_or_else(|| damaged("the shop's record is damaged".to_owned()))?;
    let mut writer = Writer::new(&Header {
        origin,
        device: DeviceNo::SERVER,
    });
    writer.head(&record.head);
    let (mut after, size) = (0, record.head.size);
    while after < size {
        let before = after;
        for chunk in page(store, record.number, after).await? {
            let end = chunk.position + u64::from(chunk.count) - 1;
            // What was taken since is not under the head.
            if end > size {
                break;
            }
            let events = events(&chunk);
            let events = events.ok_or_else(|| {
                damaged(format!(
                    "what is stored at position {} is damaged",
                    chunk.position
                ))
            })?;
            writer.run(&run(&chunk), &events);
            after = end;
        }
        if after == before {
            return Err(damaged(format!(
                "the log ends at position {after}, before its head"
            )));
        }
        out.write_all(&writer.take()).map_err(failed)?;
        progress(after, size);
    }
    if with_keys {
        let mut last = 0;
        loop {
            let keys = store.keys(record.shop(), last, MAX_KEYS).await?;
            let Some((number, _)) = keys.last() else {
                break;
            };
            last = *number;
            let keys: Vec<SealingKey> = keys.into_iter().map(|(_, key)| key).collect();
            writer.keys(&keys);
        }
    }
    out.write_all(&writer.finish()).map_err(failed)
}
