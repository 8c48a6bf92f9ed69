//! What a host does beside the server: verify all that is kept, and write it into a file. Both read
//! only, at rest or beside a server at work.

mod export;
mod report;
mod verify;

use std::io;

use shared::ids::{DeviceNo, ShopId};
use shared::verify::{KnownDevice, Origin, Run, Signer};

pub use export::export;
pub use report::{Report, Subject, Trouble};
pub use verify::{verify_file, verify_folder};

use crate::store::sqlite::Sqlite;
use crate::store::{ChunkRecord, ShopNumber, ShopRecord, Store, StoreError};

/// The most bytes of events that are in memory at one time.
const PAGE_BYTES: u32 = 4 * 1024 * 1024;

/// Nothing could be checked or written at all.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The store cannot be read.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A file cannot be read or written.
    #[error("{file}: {error}")]
    File {
        /// Which.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// The shop that was asked for is not here.
    #[error("the shop {0} is not here")]
    NoSuchShop(ShopId),
    /// There is nothing to verify, or to choose from.
    #[error("there is no shop here")]
    NoShop,
    /// It must be said which.
    #[error("there are several shops here: say which, by --shop {}", list(.0))]
    WhichShop(Vec<ShopId>),
}

fn list(shops: &[ShopId]) -> String {
    let shops: Vec<String> = shops.iter().map(ShopId::to_string).collect();
    shops.join(", --shop ")
}

/// What the log of a shop begins with, as its record says.
fn origin(record: &ShopRecord) -> Option<Origin> {
    let key = |device| Some(record.state.authority.device(device)?.first_key);
    Some(Origin {
        shop: record.shop(),
        server: Some(Signer {
            generation: record.state.log.generation(),
            key: key(DeviceNo::SERVER)?,
        }),
        devices: vec![KnownDevice {
            device: DeviceNo::FOUNDER,
            key: key(DeviceNo::FOUNDER)?,
        }],
    })
}

/// A stored chunk as a run of the log.
fn run(chunk: &ChunkRecord) -> Run {
    Run {
        position: chunk.position,
        device: chunk.device,
        first_seq: chunk.first_seq,
        received: chunk.received,
        verdict: chunk.verdict,
        branch_of: chunk.branch_of,
        end_hash: chunk.end_hash,
        signature: chunk.signature,
    }
}

/// The events of a chunk, in place. `None` where the chunk holds something else, or not as many.
fn events(chunk: &ChunkRecord) -> Option<Vec<&[u8]>> {
    let mut decoder = minicbor::Decoder::new(&chunk.events);
    let count = decoder.array().ok()??;
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(decoder.bytes().ok()?);
    }
    let whole = decoder.position() == chunk.events.len();
    (whole && events.len() == chunk.count as usize).then_some(events)
}

/// The next chunks. Where some cannot be read, as many as can.
async fn page(
    store: &Sqlite,
    shop: ShopNumber,
    after: u64,
) -> Result<Vec<ChunkRecord>, StoreError> {
    let chunks = match store.chunks(shop, after, PAGE_BYTES).await {
        Ok(chunks) => chunks,
        Err(_) => store.chunks(shop, after, 0).await?,
    };
    let is_next = |chunk: &ChunkRecord| chunk.position + u64::from(chunk.count) > after + 1;
    Ok(chunks.into_iter().filter(is_next).collect())
}
