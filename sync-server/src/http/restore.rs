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
use shared::sync::restore::{NotTaken, check_head, is_its_own};
use shared::sync::wire::{
    MAX_ENCODED_REQUEST_BYTES, ReadmitRequest, RestoreAnswer, RestoreRequest,
};

use super::App;
use super::body::{Cbor, answer, decode, read};
use super::error::{Code, Refusal};
use crate::identity::is_signed_by;

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
    let log = match request.head {
        None => None,
        Some(_) => Some(take_back(&app, request).await.inspect_err(|refusal| {
            if refusal.code == Code::BadSignature {
                app.count_try(from.ip());
            }
        })?),
    };
    let challenge = app.writer.recoveries().life();
    Ok(answer(&RestoreAnswer { log, challenge }, &headers).await)
}

async fn take_back(app: &App, request: RestoreRequest) -> Result<shared::sync::log::Log, Refusal> {
    let shop = request.shop;
    let known = app.registry.get(shop).await?.ok_or(NotTaken::NotSigned)?;
    let record = Arc::clone(&known.borrow());
    let server = app.identity.public();
    let head = check_head(&record.state.log, &server, &request, is_signed_by)?;
    let Some(part) = request.part else {
        return Ok(record.state.log.clone());
    };
    let taken = app.writer.restore(shop, head, decode(&part.0)?).await?;
    Ok(taken.state.log)
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
    };
    Ok(answer(&answered, &headers).await)
}
