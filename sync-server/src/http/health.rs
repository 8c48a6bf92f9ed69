//! `GET /healthz`: whether the server can do its work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::App;
use super::error::{Code, Refusal};

/// How the server is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
    /// The version of the server.
    version: &'static str,
}

/// Whether the server can do its work
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "host",
    responses(
        (status = OK, description = "It can", body = Health),
        (status = "5XX", description = "It cannot", body = crate::http::openapi::Error)
    )
)]
pub async fn healthz(State(app): State<Arc<App>>) -> Result<Json<Health>, Refusal> {
    app.store.has_shops().await?;
    if *app.stopping.borrow() {
        return Err(Refusal::new(Code::Stopping, "the server is stopping"));
    }
    Ok(Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    }))
}
