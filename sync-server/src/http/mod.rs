//! The server's addresses: one file for each, and what is common to all.

mod app;
mod body;
mod boundary;
mod branch;
mod caller;
mod claim;
pub mod error;
mod generation;
mod health;
mod hints;
mod log;
pub mod openapi;
mod pairings;
mod proofs;
mod restore;
mod segments;
mod snapshot;
mod sync;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{delete, get, post};
use shared::ids::{DeviceNo, ShopId};
use tokio::sync::{Semaphore, watch};

use crate::assets::Assets;
use crate::identity::Identity;
use crate::limits::Limit;
use crate::proofs::Proofs;
use crate::registry::Registry;
use crate::store::Store;
use crate::writer::Writer;
pub use boundary::secure;
use caller::Tokens;
use error::{Code, Refusal};

/// A device may send what is allowed in so many seconds at once, before it has to keep the pace.
const DEVICE_BURST_SECONDS: u32 = 4;

/// Wrong codes that may come from one address at once, and how fast they may follow.
const TRIES_BURST: u32 = 10;
const TRIES_INTERVAL: Duration = Duration::from_secs(6);

/// The same for all addresses together: at this pace a code of 40 random bits that lives five
/// minutes is found once in two million years.
const ALL_TRIES_BURST: u32 = 200;
const ALL_TRIES_INTERVAL: Duration = Duration::from_millis(500);

/// The most devices that listen for hints.
const MAX_LISTENERS: usize = 10_000;

/// Everything that a handler can reach.
pub struct App {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// The shops at hand.
    pub registry: Arc<Registry>,
    /// Who changes anything.
    pub writer: Writer,
    /// The server's key.
    pub identity: Arc<Identity>,
    /// Who proves what is kept.
    pub proofs: Proofs,
    /// The app for phones.
    pub assets: Assets,
    /// Becomes true when the server stops.
    pub stopping: watch::Receiver<bool>,
    tokens: Tokens,
    snapshots: snapshot::Snapshots,
    limits: Limits,
}

struct Limits {
    devices: Limit<(ShopId, DeviceNo)>,
    tries: Limit<IpAddr>,
    all_tries: Limit<()>,
    listeners: Arc<Semaphore>,
}

impl App {
    /// Puts together what handlers need. A device may send `rate` requests in a second.
    pub fn new(
        store: Arc<dyn Store>,
        registry: Arc<Registry>,
        writer: Writer,
        identity: Arc<Identity>,
        assets: Assets,
        stopping: watch::Receiver<bool>,
        rate: NonZeroU32,
    ) -> App {
        let burst = rate.get().saturating_mul(DEVICE_BURST_SECONDS);
        App {
            proofs: Proofs::new(Arc::clone(&store)),
            store,
            registry,
            writer,
            identity,
            assets,
            stopping,
            tokens: Tokens::default(),
            snapshots: snapshot::Snapshots::default(),
            limits: Limits {
                devices: Limit::new(burst, Duration::from_secs(1) / rate.get()),
                tries: Limit::new(TRIES_BURST, TRIES_INTERVAL),
                all_tries: Limit::new(ALL_TRIES_BURST, ALL_TRIES_INTERVAL),
                listeners: Arc::new(Semaphore::new(MAX_LISTENERS)),
            },
        }
    }

    /// Whether this address may still try codes.
    fn check_tries(&self, from: IpAddr) -> Result<(), Refusal> {
        let now = Instant::now();
        let (one, all) = (&self.limits.tries, &self.limits.all_tries);
        one.look(&from, now)
            .and_then(|()| all.look(&(), now))
            .map_err(|wait| later(Code::TooManyTries, "too many wrong codes", wait))
    }

    /// Counts a wrong code.
    fn count_try(&self, from: IpAddr) {
        let now = Instant::now();
        // What is beyond the limits need not be counted: it was not let through.
        let _ = self.limits.tries.take(from, now);
        let _ = self.limits.all_tries.take((), now);
    }
}

/// A refusal until `wait` is over.
fn later(code: Code, message: &str, wait: Duration) -> Refusal {
    let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
    Refusal::after(code, message, wait_ms.max(1))
}

/// All addresses.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/v1/claim", post(claim::claim))
        .route(
            "/api/v1/pairings",
            post(pairings::offer).get(pairings::list),
        )
        .route("/api/v1/pairings/{secret_hash}", delete(pairings::withdraw))
        .route("/api/v1/pairings/join", post(pairings::join))
        .route(
            "/api/v1/generation",
            get(generation::look).post(generation::open),
        )
        .route("/api/v1/branch", post(branch::branch))
        .route("/api/v1/readmit", post(restore::readmit))
        .route("/api/v1/restore", post(restore::restore))
        .route("/api/v1/sync", post(sync::sync))
        .route("/api/v1/hints", get(hints::hints))
        .route("/api/v1/snapshot", get(snapshot::snapshot))
        .route("/api/v1/log", get(log::log))
        .route("/api/v1/segments", get(segments::list))
        .route("/api/v1/segments/{name}", get(segments::get))
        .route("/api/v1/head", get(proofs::head))
        .route("/api/v1/proofs/inclusion", get(proofs::inclusion))
        .route("/api/v1/proofs/consistency", get(proofs::consistency))
        .route("/api/v1/openapi.json", get(openapi::openapi))
        .route("/healthz", get(health::healthz))
        .fallback(app::app)
        .layer(from_fn(boundary::boundary))
        .with_state(app)
}
