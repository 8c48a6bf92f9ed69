//! `/api/v1/pairings`: how one more phone joins a shop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use shared::bytes::Hash;
use shared::chain::digest;
use shared::event::Role;
use shared::sync::wire::{JoinAnswer, JoinRequest, Joined, Joiner, Pairing, PairingOffer};
use tokio::time::Instant;

use super::App;
use super::body::{Cbor, answer};
use super::caller::Caller;
use super::error::{Code, Refusal};
use crate::store::PairingRecord;
use crate::writer::{is_over, token_hash};

/// The longest that a joining phone may wait for an answer.
const MAX_WAIT_MS: u32 = 25_000;

/// The longest secret or code, in bytes.
const MAX_SECRET_BYTES: usize = 64;

/// Lets one more phone join
#[utoipa::path(
    post,
    path = "/api/v1/pairings",
    tag = "devices",
    request_body(content = crate::http::openapi::Cbor, content_type = "application/cbor", description = "`PairingOffer`"),
    responses(
        (status = OK, description = "`Pairing`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn offer(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Cbor(offer): Cbor<PairingOffer>,
) -> Result<Response, Refusal> {
    let role = caller.require(Role::Manager)?;
    if offer.role > role {
        return Err(Refusal::new(
            Code::Forbidden,
            "nobody gives more than they have",
        ));
    }
    let pairing = app.writer.offer(caller.shop, offer).await?;
    Ok(answer(&Pairing::from(pairing), &headers).await)
}

/// The pairings under way
#[utoipa::path(
    get,
    path = "/api/v1/pairings",
    tag = "devices",
    responses(
        (status = OK, description = "`[Pairing]`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    caller.require(Role::Manager)?;
    let now = crate::now();
    let pairings = app.store.pairings(caller.shop).await?;
    let open: Vec<Pairing> = pairings
        .into_iter()
        .filter(|pairing| !is_over(pairing, now))
        .map(Pairing::from)
        .collect();
    Ok(answer(&open, &headers).await)
}

/// Ends a pairing
#[utoipa::path(
    delete,
    path = "/api/v1/pairings/{secret_hash}",
    tag = "devices",
    params(("secret_hash" = String, Path, description = "64 hexadecimal digits")),
    responses(
        (status = OK, description = "An empty array", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn withdraw(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(secret_hash): Path<String>,
) -> Result<Response, Refusal> {
    caller.require(Role::Manager)?;
    let secret_hash = parse_hash(&secret_hash)
        .ok_or_else(|| Refusal::new(Code::BadParameter, "a hash has 64 hexadecimal digits"))?;
    app.writer.withdraw(caller.shop, secret_hash).await?;
    Ok(answer(&(), &headers).await)
}

/// A phone asks to join; the secret is what lets it in
#[utoipa::path(
    post,
    path = "/api/v1/pairings/join",
    tag = "devices",
    request_body(content = crate::http::openapi::Cbor, content_type = "application/cbor", description = "`JoinRequest`"),
    responses(
        (status = OK, description = "`JoinAnswer`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    )
)]
pub async fn join(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Cbor(request): Cbor<JoinRequest>,
) -> Result<Response, Refusal> {
    let deadline = Instant::now() + Duration::from_millis(request.wait_ms.min(MAX_WAIT_MS).into());
    app.check_tries(from.ip())?;
    if request.secret.0.len() > MAX_SECRET_BYTES {
        return Err(Refusal::new(Code::Malformed, "the secret is too long"));
    }
    let answered = match wait_for_owner(&app, &request, deadline).await {
        // A pairing is gone when the owner has confirmed it, too.
        Err(refusal) if refusal.code == Code::UnknownPairing => {
            let joined = joined(&app, &request).await?;
            joined.map(JoinAnswer::Joined).ok_or(refusal)
        }
        other => other,
    };
    if answered
        .as_ref()
        .is_err_and(|refusal| refusal.code == Code::UnknownPairing)
    {
        app.count_try(from.ip());
    }
    Ok(answer(&answered?, &headers).await)
}

async fn wait_for_owner(
    app: &App,
    request: &JoinRequest,
    deadline: Instant,
) -> Result<JoinAnswer, Refusal> {
    let pairing = digest(&[&request.secret.0]);
    let unknown = || Refusal::new(Code::UnknownPairing, "no such pairing, or it has lapsed");
    let known = app.store.pairing(pairing).await?.ok_or_else(unknown)?;
    let mut watched = app.registry.get(known.shop).await?.ok_or_else(unknown)?;
    let mut stopping = app.stopping.clone();
    app.writer.join(pairing, request.clone()).await?;
    loop {
        watched.mark_unchanged();
        app.store.pairing(pairing).await?.ok_or_else(unknown)?;
        let is_over = tokio::select! {
            changed = watched.changed() => changed.is_err(),
            _ = stopping.wait_for(|is_stopping| *is_stopping) => true,
            () = tokio::time::sleep_until(deadline) => true,
        };
        if is_over {
            return Ok(JoinAnswer::Waiting);
        }
    }
}

impl From<PairingRecord> for Pairing {
    fn from(record: PairingRecord) -> Pairing {
        Pairing {
            secret_hash: record.secret_hash,
            expires: record.expires,
            role: record.role,
            joiner: record.joiner.map(|joiner| Joiner {
                device: joiner.device,
                key: joiner.key,
                name: joiner.name,
            }),
        }
    }
}

/// What a phone needs to know once the owner has confirmed it.
async fn joined(app: &App, request: &JoinRequest) -> Result<Option<Joined>, Refusal> {
    let Some((shop, device)) = app.store.device(token_hash(&request.token)).await? else {
        return Ok(None);
    };
    let watched = app.registry.get(shop).await?;
    let record = watched
        .as_ref()
        .map(|watched| Arc::clone(&watched.borrow()));
    let known = record
        .as_ref()
        .and_then(|record| Some((record, record.state.authority.device(device)?)));
    match known {
        Some((record, known)) if known.first_key == request.key => Ok(Some(Joined {
            shop,
            device,
            role: known.role,
            server_key: app.identity.public(),
            generation: record.state.log.generation(),
        })),
        _ => Err(Refusal::new(
            Code::PairingTaken,
            "the token is another phone's",
        )),
    }
}

/// A hash in an address: 64 hexadecimal digits.
fn parse_hash(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != 2 * hash.0.len() {
        return None;
    }
    for (byte, digits) in hash.0.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(hash)
}
