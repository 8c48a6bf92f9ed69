//! What this phone holds of what the server lost, and the owner's word that its log goes on without.

use gloo_net::http::Method;
use shared::bytes::Fixed;
use shared::sync::branch::branch_message;
use shared::sync::generation::{consent, consent_message, lacking};
use shared::sync::restore::readmit_message;
use shared::sync::wire::{
    BranchRequest, Challenge, Chunk, Fork, ReadmitRequest, RestoreAnswer, SealingKey,
};

use super::http::{AskError, body};
use super::pairing::{ASK_WAIT_MS, PairingError, server};
use crate::crypto::{self, Custody, DeviceKey, random};
use crate::store::StoreError;
use crate::store::books::Books;
use crate::store::live::Live;
use crate::store::records::encode;
use crate::store::shop::Shop;

/// What a server shows to an owner.
const GENERATION: &str = "/api/v1/generation";

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

/// How far the server's log reaches, as an owner has seen it.
pub struct Seen {
    answer: RestoreAnswer,
    /// How many entries on this phone it lacks.
    pub lacking: u64,
}

/// Asks the server how far its log reaches. For owners only.
pub async fn look(shop: Shop) -> Result<Seen, PairingError> {
    let answer: RestoreAnswer = server(shop)?
        .ask(Method::GET, GENERATION, None, ASK_WAIT_MS)
        .await?;
    let lacking = shop.peek(|books| {
        let (mine, theirs) = (books.log()?, answer.log.as_ref()?);
        Some(lacking(theirs, mine, books.device(), books.chain()))
    });
    Ok(Seen {
        lacking: lacking.ok_or(AskError::NotTheServer)?,
        answer,
    })
}

/// The owner's word: the server's log goes on as it was seen. Phones bring what it lacks.
pub async fn let_go_on(shop: Shop, seen: &Seen) -> Result<(), PairingError> {
    let live = shop.live();
    let identity = live.peek(|books| books.identity.clone());
    let stands = seen.answer.log.as_ref().zip(seen.answer.server);
    let (theirs, key) = stands.ok_or(AskError::NotTheServer)?;
    let mut opened = consent(theirs, key, Fixed(crypto::random()), identity.device);
    let message = consent_message(identity.shop, &opened);
    let signature = live.key.sign(&message).await;
    opened.signature = signature.map_err(|_| StoreError::Damaged("device key"))?;
    let _: RestoreAnswer = server(shop)?
        .ask(Method::POST, GENERATION, body(&opened), ASK_WAIT_MS)
        .await?;
    shop.sync_now();
    Ok(())
}

/// What a copy asks its server with, to be a device of its own: kept before it is sent, so that it is
/// the same each time.
pub(super) async fn claim(live: &Live, fork: Fork) -> Option<Vec<u8>> {
    let known = live.db.claim().await.ok()?;
    if let Some(known) = known.filter(|known| known.fork == fork) {
        return Some(encode(&known));
    }
    let (shop, software) = live.peek(|books| (books.identity.shop, books.identity.key.software));
    let custody = match software {
        true => Custody::Software,
        false => Custody::Browser,
    };
    let made = DeviceKey::make(custody).await.ok()?;
    let (key, token) = (made.public(), Fixed(random()));
    let message = branch_message(shop, &fork, &key, &token);
    let claim = BranchRequest {
        shop,
        fork,
        key,
        token,
        signature: live.key.sign(&message).await.ok()?,
    };
    live.db.keep_claim(&claim, made.stored()).await.ok()?;
    Some(encode(&claim))
}

/// The same, for a copy that has its number and has not read yet that it is a device: the server may
/// have lost it.
pub(super) async fn claim_again(live: &Live) -> Option<Vec<u8>> {
    let unread = live.peek(Books::is_unread_branch);
    let claim = live.db.claim().await.ok()?;
    claim.filter(|_| unread).map(|claim| encode(&claim))
}
