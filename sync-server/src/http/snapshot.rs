//! `GET /api/v1/snapshot`: the state of the shop for a device that is new, so that it works at once
//! and reads the log behind the screen.
//!
//! A snapshot is made when it is asked for, of the log as it stands: one that is minutes old would
//! show balances that are. A hundred thousand events take a tenth of a second, on a thread where no
//! upload waits for it, and one shop at a time. The last ones stay in memory: they are a cache, and a
//! server that lost or restored its log cannot serve one that is not of this log.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use shared::bytes::{Bytes, Hash};
use shared::event::{self, Role};
use shared::ids::ShopId;
use shared::ledger::Ledger;
use shared::snapshot::Snapshot;
use shared::sync::wire::{MAX_ANSWER_BYTES, MAX_KEYS, SnapshotAnswer, TreeHead};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::App;
use super::body::answer_short;
use super::caller::Caller;
use super::error::{Code, Refusal};
use crate::store::{ChunkRecord, ShopRecord};

/// So many snapshots stay in memory; a shop of three hundred customers has one of 100 kB.
const MAX_KEPT: usize = 64;

/// How long a device waits for its turn before it is sent away. It reads the log then.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// When it is worth to ask again.
const RETRY_MS: u32 = 10_000;

/// The snapshots that were made.
pub struct Snapshots {
    kept: Mutex<HashMap<ShopId, Arc<Kept>>>,
    turn: Semaphore,
}

struct Kept {
    head: TreeHead,
    bytes: Vec<u8>,
}

impl Default for Snapshots {
    fn default() -> Snapshots {
        Snapshots {
            kept: Mutex::default(),
            turn: Semaphore::new(1),
        }
    }
}

impl Snapshots {
    fn find(&self, shop: ShopId, root: Hash) -> Option<Arc<Kept>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(&shop)?;
        (found.head.root == root).then(|| Arc::clone(found))
    }

    fn keep(&self, shop: ShopId, made: &Arc<Kept>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(shop, Arc::clone(made));
    }
}

/// The state of the shop at the end of its log, for a device that is new
#[utoipa::path(
    get,
    path = "/api/v1/snapshot",
    tag = "log",
    responses(
        (status = OK, description = "SnapshotAnswer", content_type = "application/cbor", body = crate::http::openapi::Cbor),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn snapshot(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let role = caller.require(Role::Display)?;
    let record = Arc::clone(&caller.watched.borrow());
    let made = match app.snapshots.find(caller.shop, record.head.root) {
        Some(made) => made,
        None => make(&app, &record).await?,
    };
    let keys = match role > Role::Display {
        true => app.store.keys(caller.shop, 0, MAX_KEYS).await?,
        false => Vec::new(),
    };
    let found = SnapshotAnswer {
        snapshot: Bytes(made.bytes.clone()),
        head: made.head,
        keys_last: keys.last().map_or(0, |(number, _)| *number),
        keys: keys.into_iter().map(|(_, key)| key).collect(),
    };
    Ok(answer_short(&found, &headers).await)
}

async fn make(app: &App, record: &Arc<ShopRecord>) -> Result<Arc<Kept>, Refusal> {
    let busy = || Refusal::after(Code::Busy, "other snapshots are being made", RETRY_MS);
    let turn = timeout(TURN_TIMEOUT, app.snapshots.turn.acquire()).await;
    let _turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
    if let Some(made) = app.snapshots.find(record.shop(), record.head.root) {
        return Ok(made);
    }
    let mut ledger = Ledger::default();
    let mut position = 0;
    while position < record.head.size {
        let chunks = app
            .store
            .chunks(record.number, position, MAX_ANSWER_BYTES)
            .await?;
        let last = chunks.last();
        let reached = last.map_or(position, |chunk| {
            chunk.position + u64::from(chunk.count) - 1
        });
        if reached <= position {
            return Err(Refusal::new(Code::NotFound, "the log is not whole"));
        }
        position = reached;
        let record = Arc::clone(record);
        ledger = aside(move || fold(ledger, &record, &chunks)).await??;
    }
    let log = Arc::clone(record);
    let bytes = aside(move || {
        let snapshot = Snapshot::of(&ledger, &log.state.log);
        snapshot.map(|snapshot| snapshot.to_bytes())
    });
    let bytes = bytes.await?;
    let bytes = bytes.ok_or_else(|| Refusal::new(Code::NotFound, "no snapshot can be made"))?;
    let made = Arc::new(Kept {
        head: record.head,
        bytes,
    });
    app.snapshots.keep(record.shop(), &made);
    Ok(made)
}

/// Does long work where nobody waits for the thread.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    let done = spawn_blocking(work).await;
    done.map_err(|error| {
        tracing::error!(%error, "a snapshot could not be made");
        Refusal::new(Code::NotFound, "no snapshot can be made")
    })
}

fn fold(
    mut ledger: Ledger,
    record: &ShopRecord,
    chunks: &[ChunkRecord],
) -> Result<Ledger, Refusal> {
    for chunk in chunks {
        let branch = record.state.authority.branch(chunk.device);
        for (index, bytes) in (0..).zip(chunk.events()?) {
            // What was committed since is not covered by the head.
            if chunk.position + u64::from(index) > record.head.size {
                return Ok(ledger);
            }
            let event = event::decode(&bytes.0, branch);
            let seq = chunk.first_seq + index;
            // A gap leaves a state that does not fit its log: then there is no snapshot.
            let _ = ledger.fold(chunk.device, seq, event, chunk.verdict.standing());
        }
    }
    Ok(ledger)
}
