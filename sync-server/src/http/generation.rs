//! `/api/v1/generation`: an owner sees how far the server's log reaches, and lets it go on in another
//! life when a loss cannot be made good any more.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use shared::event::{GenerationOpened, Role};
use shared::sync::wire::RestoreAnswer;

use super::App;
use super::body::{Cbor, answer};
use super::caller::Caller;
use super::error::{Code, Refusal};
use crate::store::ShopRecord;

/// How far the log reaches, for an owner
#[utoipa::path(
    get,
    path = "/api/v1/generation",
    tag = "log",
    responses(
        (status = OK, description = "`RestoreAnswer`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn look(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    caller.require(Role::Owner)?;
    let record = Arc::clone(&caller.watched.borrow());
    Ok(answer(&stands(&app, &record), &headers).await)
}

/// An owner lets the log go on in another life
#[utoipa::path(
    post,
    path = "/api/v1/generation",
    tag = "log",
    request_body(content = crate::http::openapi::Cbor, content_type = "application/cbor", description = "`GenerationOpened`"),
    responses(
        (status = OK, description = "`RestoreAnswer`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn open(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Cbor(opened): Cbor<GenerationOpened>,
) -> Result<Response, Refusal> {
    caller.require(Role::Owner)?;
    if opened.device != caller.device {
        return Err(Refusal::new(Code::Forbidden, "it is another device's word"));
    }
    let record = app.writer.open(caller.shop, opened).await?;
    Ok(answer(&stands(&app, &record), &headers).await)
}

fn stands(app: &App, record: &ShopRecord) -> RestoreAnswer {
    RestoreAnswer {
        log: Some(record.state.log.clone()),
        challenge: app.writer.recoveries().life(),
        opened: record.state.opened.clone(),
        agreed: None,
        server: Some(app.identity.public()),
    }
}
