//! Who asks: the shop and the device come from the token and from nowhere else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use shared::bytes::{Fixed, Hash};
use shared::event::Role;
use shared::ids::{DeviceNo, ShopId};

use super::error::{Code, Refusal};
use super::{App, later};
use crate::registry::Watched;
use crate::store::{ShopRecord, Store, StoreError};
use crate::writer::token_hash;

/// The most tokens at hand.
const MAX_TOKENS: usize = 50_000;

/// Whose tokens have been seen. A token means the same device for ever, so that nothing here is
/// ever out of date; what the device may do is asked each time.
#[derive(Default)]
pub struct Tokens(Mutex<HashMap<Hash, (ShopId, DeviceNo)>>);

impl Tokens {
    async fn find(
        &self,
        store: &Arc<dyn Store>,
        hash: Hash,
    ) -> Result<Option<(ShopId, DeviceNo)>, StoreError> {
        if let Some(known) = self.lock().get(&hash) {
            return Ok(Some(*known));
        }
        let found = store.device(hash).await?;
        if let Some(found) = found {
            let mut known = self.lock();
            if known.len() >= MAX_TOKENS {
                known.clear();
            }
            known.insert(hash, found);
        }
        Ok(found)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, (ShopId, DeviceNo)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A device with a valid token. A revoked one too: it may still hand in what it wrote.
pub struct Caller {
    /// The shop.
    pub shop: ShopId,
    /// Its number.
    pub device: DeviceNo,
    /// The shop as it is committed.
    pub watched: Watched,
}

impl Caller {
    /// The most that the device may do now; `None` for one that may do nothing any more.
    pub fn role(&self) -> Option<Role> {
        role(&self.watched.borrow(), self.device)
    }

    /// The role, if it is at least this one.
    pub fn require(&self, least: Role) -> Result<Role, Refusal> {
        let role = self
            .role()
            .ok_or_else(|| Refusal::new(Code::Revoked, "the device was revoked"))?;
        if role < least {
            return Err(Refusal::new(
                Code::Forbidden,
                "the device's role does not allow this",
            ));
        }
        Ok(role)
    }
}

/// The role of a device that was not revoked.
pub fn role(record: &ShopRecord, device: DeviceNo) -> Option<Role> {
    let device = record.state.authority.device(device)?;
    (!device.revoked).then_some(device.role)
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Caller, Refusal> {
        let no_token = || Refusal::new(Code::NoToken, "send Authorization: Bearer <token>");
        let value = parts.headers.get(AUTHORIZATION).ok_or_else(no_token)?;
        let value = value.to_str().map_err(|_| no_token())?;
        let token = value.strip_prefix("Bearer ").ok_or_else(no_token)?;
        let unknown = || Refusal::new(Code::UnknownToken, "the server does not know this token");
        let mut bytes = [0; 32];
        let length = BASE64_URL_SAFE_NO_PAD
            .decode_slice(token.trim(), &mut bytes)
            .map_err(|_| unknown())?;
        if length != bytes.len() {
            return Err(unknown());
        }
        let (shop, device) = app
            .tokens
            .find(&app.store, token_hash(&Fixed(bytes)))
            .await?
            .ok_or_else(unknown)?;
        app.limits
            .devices
            .take((shop, device), Instant::now())
            .map_err(|wait| later(Code::TooManyRequests, "more requests than allowed", wait))?;
        let watched = app.registry.get(shop).await?.ok_or_else(unknown)?;
        Ok(Caller {
            shop,
            device,
            watched,
        })
    }
}
