//! Every other address: the app for phones.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::body::{Encoding, encoding};
use crate::assets::Asset;

/// The name says what is inside: a year is for ever (RFC 9111 has no longer word for it).
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Ask each time; the answer is mostly 304.
const ASK_EACH_TIME: &str = "no-cache";

pub async fn app(
    State(app): State<Arc<App>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let is_api = uri.path() == "/api" || uri.path().starts_with("/api/");
    match app.assets.at(uri.path()) {
        Some(_) if is_api => StatusCode::NOT_FOUND.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
        Some(_) if method != Method::GET && method != Method::HEAD => {
            StatusCode::METHOD_NOT_ALLOWED.into_response()
        }
        Some(asset) => serve(asset, &headers),
    }
}

fn serve(asset: &Asset, asked: &HeaderMap) -> Response {
    let text = |name| {
        asked
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let accepts = text(header::ACCEPT_ENCODING).unwrap_or_default();
    let brotli = asset
        .brotli
        .as_ref()
        .filter(|_| encoding(accepts) == Some(Encoding::Brotli));
    // Other bytes, other tag.
    let etag = match brotli {
        Some(_) => format!("{}-br\"", asset.etag.trim_end_matches('"')),
        None => asset.etag.clone(),
    };
    let is_known = text(header::IF_NONE_MATCH).is_some_and(|tags| {
        tags.split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == etag)
    });
    let body = match (is_known, brotli) {
        (true, _) => Body::empty(),
        (false, Some(bytes)) => Body::from(bytes.clone()),
        (false, None) => Body::from(asset.bytes.clone()),
    };
    let mut response = Response::new(body);
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let cache = if asset.is_immutable {
        FOR_EVER
    } else {
        ASK_EACH_TIME
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(asset.media_type),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if brotli.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}
