//! `/api/v1/branch`: a copy of a device's storage that wrote on becomes a device of its own.
//!
//! It goes without a token: the key of the copied device vouches for the copy.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use shared::ids::EventId;
use shared::sync::branch::{Around, NotABranch, check_signed, number_of};
use shared::sync::wire::{BranchAnswer, BranchRequest};

use super::App;
use super::body::{Cbor, answer};
use super::error::Refusal;
use crate::identity::is_signed_by;

/// A copy of a device goes on as a device of its own
#[utoipa::path(
    post,
    path = "/api/v1/branch",
    tag = "devices",
    request_body(content = crate::http::openapi::Cbor, content_type = "application/cbor", description = "`BranchRequest`"),
    responses(
        (status = OK, description = "`BranchAnswer`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    )
)]
pub async fn branch(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Cbor(request): Cbor<BranchRequest>,
) -> Result<Response, Refusal> {
    app.check_tries(from.ip())?;
    let not_signed = |reason: NotABranch| {
        app.count_try(from.ip());
        Refusal::from(reason)
    };
    let known = app.registry.get(request.shop).await?;
    let known = known.ok_or_else(|| not_signed(NotABranch::NotSigned))?;
    let record = Arc::clone(&known.borrow());
    let state = &record.state;
    if state.authority.device(request.fork.of).is_none() {
        // After a loss its enrolment may come back yet.
        app.writer.recoveries().check(state)?;
    }
    check_signed(state, &request, is_signed_by).map_err(not_signed)?;
    let places = Around::places(&request.fork);
    let mut hashes = [None; 2];
    for (hash, seq) in hashes.iter_mut().zip(places) {
        let event = EventId {
            device: request.fork.of,
            seq,
        };
        *hash = app.proofs.chain_at(&record, event).await?;
    }
    let around = Around::of(state, &request.fork, hashes);
    let device = number_of(&request.fork);
    app.writer.branch(request, around).await?;
    Ok(answer(&BranchAnswer { device }, &headers).await)
}
