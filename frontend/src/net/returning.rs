//! What this phone holds of what the server lost.

use shared::sync::restore::readmit_message;
use shared::sync::wire::{Challenge, Chunk, ReadmitRequest, SealingKey};

use crate::store::live::Live;
use crate::store::records::encode;

/// The log as it is stored, from behind a position on. What cannot be read is left out: the engine
/// sees that it is not whole.
pub(super) async fn recall(live: &Live, after: u64) -> Vec<Chunk> {
    let news = live.db.news(u32::MAX, after.saturating_add(1), false).await;
    let segments = news.map(|news| news.segments).unwrap_or_default();
    segments.into_iter().flat_map(|segment| segment.0).collect()
}

/// Every key that this phone holds.
pub(super) async fn keys(live: &Live) -> Vec<SealingKey> {
    let news = live.db.news(u32::MAX, u64::MAX, true).await;
    let mut keys = news.map(|news| news.keys).unwrap_or_default();
    keys.retain(|key| key.key.is_some());
    keys
}

/// The request to be let in again, signed by this phone.
pub(super) async fn readmission(live: &Live, challenge: &Challenge) -> Option<Vec<u8>> {
    let identity = live.peek(|books| books.identity.clone());
    let token = identity.server?.token;
    let message = readmit_message(identity.shop, identity.device, &token, challenge);
    Some(encode(&ReadmitRequest {
        shop: identity.shop,
        device: identity.device,
        token,
        signature: live.key.sign(&message).await.ok()?,
    }))
}
