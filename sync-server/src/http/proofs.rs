//! `GET /api/v1/head`, `/api/v1/proofs/inclusion`, `/api/v1/proofs/consistency`: what a phone needs
//! to hold the server to its word.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use shared::event::Role;
use shared::ids::{DeviceNo, EventId};
use shared::sync::tree::proof::CurrentHead;

use super::App;
use super::body::answer;
use super::caller::Caller;
use super::error::{Code, Refusal};
use crate::store::ShopRecord;

/// The log as a whole, signed
#[utoipa::path(
    get,
    path = "/api/v1/head",
    tag = "proofs",
    responses(
        (status = OK, description = "`CurrentHead`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn head(caller: Caller, headers: HeaderMap) -> Result<Response, Refusal> {
    let record = known(&caller)?;
    let current = CurrentHead {
        generation: record.state.log.generation(),
        head: record.head,
    };
    Ok(answer(&current, &headers).await)
}

/// Which event, and under which head.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct Inclusion {
    /// Its position; or else device and seq.
    position: Option<u64>,
    /// The device that wrote it.
    device: Option<u32>,
    /// Its number in the device's chain.
    seq: Option<u32>,
    /// The size of the log under whose head it stands; without it the log as it is.
    size: Option<u64>,
}

/// That an event stands in the log
#[utoipa::path(
    get,
    path = "/api/v1/proofs/inclusion",
    tag = "proofs",
    params(Inclusion),
    responses(
        (status = OK, description = "`InclusionProof`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn inclusion(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(asked): Query<Inclusion>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let record = known(&caller)?;
    let size = size(asked.size, &record)?;
    let position = match (asked.position, asked.device.zip(asked.seq)) {
        (Some(position), None) => Some(position),
        (None, Some((device, seq))) => {
            let device = DeviceNo(device);
            let event = EventId { device, seq };
            app.proofs.position(&record, event, size).await?
        }
        _ => return Err(wrong("name a position, or device and seq")),
    };
    let proof = match position {
        Some(position) => app.proofs.inclusion(&record, position, size).await?,
        None => None,
    };
    let proof =
        proof.ok_or_else(|| not_there("the event does not stand in the log of that size"))?;
    Ok(answer(&proof, &headers).await)
}

/// Between which sizes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct Consistency {
    /// The size before.
    from: u64,
    /// The size after; without it the log as it is.
    to: Option<u64>,
}

/// That the log was only appended to
#[utoipa::path(
    get,
    path = "/api/v1/proofs/consistency",
    tag = "proofs",
    params(Consistency),
    responses(
        (status = OK, description = "`ConsistencyProof`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn consistency(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(asked): Query<Consistency>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let record = known(&caller)?;
    let to = size(asked.to, &record)?;
    let proof = app.proofs.consistency(&record, asked.from, to).await?;
    let proof = proof.ok_or_else(|| wrong("the size before is greater than the size after"))?;
    Ok(answer(&proof, &headers).await)
}

/// The shop of a device that may know of it.
fn known(caller: &Caller) -> Result<Arc<ShopRecord>, Refusal> {
    caller.require(Role::Display)?;
    Ok(Arc::clone(&caller.watched.borrow()))
}

fn size(asked: Option<u64>, record: &ShopRecord) -> Result<u64, Refusal> {
    let size = asked.unwrap_or(record.head.size);
    if size > record.head.size {
        return Err(wrong("the log is not that long"));
    }
    Ok(size)
}

fn wrong(message: &str) -> Refusal {
    Refusal::new(Code::BadParameter, message)
}

fn not_there(message: &str) -> Refusal {
    Refusal::new(Code::NotFound, message)
}
