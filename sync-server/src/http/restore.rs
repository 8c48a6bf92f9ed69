//! `/api/v1/restore` and `/api/v1/readmit`: a server that was set back to an older copy gets back
//! what phones hold, and lets in again those that it has forgotten.
//!
//! Both go without a token. What is given back is proved by the server's own signature, and a
//! device proves itself by its key.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use shared::sync::restore::{NotTaken, check_head, is_its_own, is_of_a_stranger};
use shared::sync::wire::{
    MAX_ENCODED_REQUEST_BYTES, MAX_MARKS, Mark, ReadmitRequest, RestoreAnswer, RestoreRequest,
};

use super::App;
use super::body::{Cbor, answer, decode, read};
use super::error::{Code, Refusal};
use crate::identity::is_signed_by;
use crate::store::ShopRecord;

/// A device gives back what the server lost
#[utoipa::path(
    post,
    path = "/api/v1/restore",
    tag = "log",
    request_body(content = crate::http::openapi::Cbor, content_type = "application/cbor", description = "`RestoreRequest`"),
    responses(
        (status = OK, description = "`RestoreAnswer`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    )
)]
pub async fn restore(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, Refusal> {
    app.check_tries(from.ip())?;
    let headers = request.headers().clone();
    let bytes = read(request, MAX_ENCODED_REQUEST_BYTES).await?;
    let request: RestoreRequest = decode(&bytes)?;
    drop(bytes);
    let challenge = app.writer.recoveries().life();
    let mut returned = RestoreAnswer {
        log: None,
        challenge,
        opened: None,
        agreed: None,
        server: None,
    };
    let known = match app.registry.get(request.shop).await? {
        Some(known) => Arc::clone(&known.borrow()),
        None if request.head.is_none() => return Ok(answer(&returned, &headers).await),
        None => return Err(NotTaken::NotSigned.into()),
    };
    let is_another_life = request.generation != known.state.log.generation();
    if is_another_life {
        returned.opened = known.state.opened.clone();
    }
    if request.head.is_some() || request.marks.is_some() {
        let head = check_head(
            &known.state.log,
            &app.identity.public(),
            &request,
            is_signed_by,
        );
        if head.is_err() {
            // Guesses, or a phone that knows another server's key: it may ask, not give.
            app.count_try(from.ip());
        }
        if let (Some(marks), true) = (&request.marks, is_another_life) {
            returned.agreed = Some(agreed(&app, &known, marks).await?);
        }
        returned.log = match (head, request.part) {
            (Ok(_), None) => Some(known.state.log.clone()),
            (Ok(head), Some(part)) => {
                let (shop, generation) = (request.shop, request.generation);
                let part = decode(&part.0)?;
                let taken = app.writer.restore(shop, generation, head, part).await?;
                Some(taken.state.log)
            }
            (Err(_), None) if request.marks.is_some() && is_another_life => None,
            (Err(reason), _) => return Err(reason.into()),
        };
    }
    Ok(answer(&returned, &headers).await)
}

/// The largest of the marks at which the server's log stood the same.
async fn agreed(app: &App, known: &ShopRecord, marks: &[Mark]) -> Result<u64, Refusal> {
    let head = known.head;
    for mark in marks.iter().take(MAX_MARKS) {
        let proof = app.proofs.consistency(known, mark.size, head.size).await?;
        if proof.is_some_and(|proof| proof.proves(&mark.root, &head.root)) {
            return Ok(mark.size);
        }
    }
    Ok(0)
}

/// A device whose token was forgotten is let in again
#[utoipa::path(
    post,
    path = "/api/v1/readmit",
    tag = "devices",
    request_body(content = crate::http::openapi::Cbor, content_type = "application/cbor", description = "`ReadmitRequest`"),
    responses(
        (status = OK, description = "`RestoreAnswer`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    )
)]
pub async fn readmit(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Cbor(request): Cbor<ReadmitRequest>,
) -> Result<Response, Refusal> {
    app.check_tries(from.ip())?;
    let unknown = || {
        app.count_try(from.ip());
        Refusal::new(Code::UnknownToken, "no device of this log has this key")
    };
    let known = app.registry.get(request.shop).await?.ok_or_else(unknown)?;
    let record = Arc::clone(&known.borrow());
    if is_of_a_stranger(&record.state, &request) {
        app.writer.recoveries().check(&record.state)?;
    }
    if !is_its_own(
        &record.state,
        &request,
        &app.writer.recoveries().life(),
        is_signed_by,
    ) {
        return Err(unknown());
    }
    let ReadmitRequest {
        shop,
        device,
        token,
        ..
    } = request;
    app.writer.readmit(shop, device, token).await?;
    let answered = RestoreAnswer {
        log: None,
        challenge: app.writer.recoveries().life(),
        opened: None,
        agreed: None,
        server: None,
    };
    Ok(answer(&answered, &headers).await)
}
