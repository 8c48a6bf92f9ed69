//! `POST /api/v1/claim`: an owner takes this server for a shop.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use shared::sync::wire::ClaimRequest;

use super::App;
use super::body::{Cbor, answer};
use super::error::{Code, Refusal};

/// An owner takes this server for a shop
#[utoipa::path(
    post,
    path = "/api/v1/claim",
    tag = "devices",
    request_body(content = crate::http::openapi::Cbor, content_type = "application/cbor", description = "`ClaimRequest`"),
    responses(
        (status = OK, description = "`ClaimAnswer`", body = crate::http::openapi::Cbor, content_type = "application/cbor"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    )
)]
pub async fn claim(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Cbor(request): Cbor<ClaimRequest>,
) -> Result<Response, Refusal> {
    app.check_tries(from.ip())?;
    match app.writer.claim(request).await {
        Ok(claimed) => Ok(answer(&claimed, &headers).await),
        Err(refusal) => {
            if matches!(refusal.code, Code::UnknownCode | Code::UsedCode) {
                app.count_try(from.ip());
            }
            Err(refusal)
        }
    }
}
