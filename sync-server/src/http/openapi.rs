//! `GET /api/v1/openapi.json`: the addresses, described for programs.

use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{Modify, OpenApi, ToSchema};

use super::error::Code;

/// A body in CBOR. `docs/format.md` describes it byte by byte under the name given with it.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct Cbor(#[allow(dead_code)] Vec<u8>);

/// A refusal, in CBOR where the request was CBOR and in JSON else.
#[derive(ToSchema)]
#[allow(dead_code)]
pub struct Error {
    /// The reason for machines; also in the header `x-pakka-error`.
    #[schema(schema_with = codes)]
    code: String,
    /// The reason for people who read logs.
    message: String,
    /// When it is worth to try again; the header `Retry-After` says it in seconds.
    retry_after_ms: Option<u32>,
    /// The place in the queue that there would have been, from 1, if the queue was full.
    place: Option<u32>,
}

fn codes() -> RefOr<Schema> {
    let codes = Code::ALL.iter().map(|code| code.as_str());
    RefOr::T(Schema::Object(
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(codes))
            .build(),
    ))
}

/// The whole description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Pakka",
        description = "The server that brings the phones of a shop together."
    ),
    paths(
        super::claim::claim,
        super::pairings::offer,
        super::pairings::list,
        super::pairings::withdraw,
        super::pairings::join,
        super::generation::look,
        super::generation::open,
        super::branch::branch,
        super::restore::readmit,
        super::restore::restore,
        super::sync::sync,
        super::hints::hints,
        super::log::log,
        super::segments::list,
        super::segments::get,
        super::proofs::head,
        super::proofs::inclusion,
        super::proofs::consistency,
        super::snapshot::snapshot,
        super::health::healthz,
        openapi,
    ),
    components(schemas(Cbor, Error)),
    modifiers(&Token)
)]
pub struct Description;

/// Every device has a token.
struct Token;

impl Modify for Token {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("256 random bits in base64url without padding")
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// This description
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "host",
    responses((status = OK, description = "The description", content_type = "application/json"))
)]
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}
