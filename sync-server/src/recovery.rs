//! What goes on after an older copy of the logs was put back: for a while, entries are taken back
//! but no new ones are taken, so that the positions of the lost ones stay free for them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use shared::bytes::Fixed;
use shared::ids::{DeviceNo, ShopId};
use shared::sync::authority::Authority;
use shared::sync::judge::LogState;
use shared::sync::restore::{RECOVERY_MS, Recovery, recovery_retry_ms};
use shared::sync::wire::Restoration;

use crate::http::error::{Code, Refusal};

/// The shops that may lack something.
pub struct Recoveries {
    /// Names this run of the server.
    life: Restoration,
    /// When the server started on logs that were put back; `None` when they were not.
    since: Option<Instant>,
    shops: Mutex<HashMap<ShopId, Recovery>>,
}

impl Recoveries {
    /// The server has just started.
    pub fn new(was_put_back: bool) -> Recoveries {
        Recoveries {
            life: Fixed(crate::random()),
            since: was_put_back.then(Instant::now),
            shops: Mutex::default(),
        }
    }

    /// Random bytes that name this run of the server.
    pub const fn life(&self) -> Restoration {
        self.life
    }

    /// The last time that the shop was set back, or got something back.
    pub fn restored(&self, state: &LogState) -> Option<Restoration> {
        self.since.map(|_| self.life).or(state.restored)
    }

    /// May there be more to come?
    pub fn is_over(&self) -> bool {
        self.since
            .is_none_or(|since| elapsed_ms(since) >= RECOVERY_MS)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ShopId, Recovery>> {
        self.shops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A device holds no more of the log than the server.
    pub fn hear(&self, state: &LogState, device: DeviceNo) {
        if self.is_over() {
            return;
        }
        let mut shops = self.lock();
        let recovery = shops.entry(state.log.shop());
        recovery
            .or_insert_with(|| Recovery::begin(state))
            .hear(device);
    }

    /// A part of the log came back.
    pub fn learn(&self, shop: ShopId, before: &Authority, after: &Authority) {
        if let Some(recovery) = self.lock().get_mut(&shop) {
            recovery.learn(before, after);
        }
    }

    /// Whether new entries may be taken.
    ///
    /// # Errors
    ///
    /// Not yet.
    pub fn check(&self, state: &LogState) -> Result<(), Refusal> {
        let Some(since) = self.since else {
            return Ok(());
        };
        let mut shops = self.lock();
        let recovery = shops.entry(state.log.shop());
        let recovery = recovery.or_insert_with(|| Recovery::begin(state));
        let elapsed_ms = elapsed_ms(since);
        if recovery.is_over(elapsed_ms) {
            return Ok(());
        }
        Err(Refusal::after(
            Code::Recovering,
            "an older copy was put back: phones that hold more come first",
            recovery_retry_ms(elapsed_ms),
        ))
    }
}

fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
