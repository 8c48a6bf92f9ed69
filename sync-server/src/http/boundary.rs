//! What every request and answer passes: refusals get their shape, answers their headers, and the
//! log its one line, without tokens and without anything about people.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared::sync::wire::MEDIA_TYPE;

use super::error::{Code, ERROR_HEADER, Refusal};

/// No script, style, picture or connection from anywhere else; WebAssembly; no inline code.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; \
    worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The camera scans QR codes; nothing else of the phone is asked for.
const PERMISSIONS_POLICY: &str = "accelerometer=(), browsing-topics=(), camera=(self), \
    display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), \
    payment=(), usb=()";

/// Wraps every route.
pub async fn boundary(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let is_api = request.uri().path().starts_with("/api/");
    let wants_cbor = wants_cbor(request.headers());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("app", MatchedPath::as_str)
        .to_owned();

    let mut response = next.run(request).await;
    if is_api {
        response = with_reason(response);
    }
    let refusal = response.extensions_mut().remove::<Refusal>();
    let code = refusal.as_ref().map_or("", |refusal| refusal.code.as_str());
    let status = response.status();
    let took_us = start.elapsed().as_micros() as u64;
    if status.is_server_error() {
        tracing::warn!(%method, route, status = status.as_u16(), code, took_us, "request");
    } else {
        tracing::debug!(%method, route, status = status.as_u16(), code, took_us, "request");
    }
    if let Some(refusal) = refusal {
        response = render(&refusal, wants_cbor);
    }
    if is_api {
        let kept = HeaderValue::from_static("no-store");
        let headers = response.headers_mut();
        // Unless the route knows better, as that of segments does.
        headers.entry(header::CACHE_CONTROL).or_insert(kept);
    }
    secure(response.headers_mut());
    response
}

/// Refusals that the framework makes get a reason too.
fn with_reason(mut response: Response) -> Response {
    let has_reason = response.extensions().get::<Refusal>().is_some();
    let refusal = match response.status() {
        _ if has_reason => return response,
        StatusCode::NOT_FOUND => Refusal::new(Code::NotFound, "there is nothing here"),
        StatusCode::METHOD_NOT_ALLOWED => Refusal::new(
            Code::MethodNotAllowed,
            "this address does not take this method",
        ),
        StatusCode::BAD_REQUEST => Refusal::new(Code::BadParameter, "a parameter cannot be read"),
        _ => return response,
    };
    response.extensions_mut().insert(refusal);
    response
}

fn wants_cbor(headers: &HeaderMap) -> bool {
    [header::CONTENT_TYPE, header::ACCEPT]
        .iter()
        .filter_map(|name| headers.get(name)?.to_str().ok())
        .any(|value| value.contains(MEDIA_TYPE))
}

fn render(refusal: &Refusal, wants_cbor: bool) -> Response {
    let body = refusal.body();
    let (media_type, bytes) = if wants_cbor {
        (MEDIA_TYPE, minicbor::to_vec(&body).unwrap_or_default())
    } else {
        (
            "application/json",
            serde_json::to_vec(&body).unwrap_or_default(),
        )
    };
    let mut response = (refusal.code.status(), bytes).into_response();
    let headers = response.headers_mut();
    set(headers, header::CONTENT_TYPE, media_type);
    set(
        headers,
        HeaderName::from_static(ERROR_HEADER),
        refusal.code.as_str(),
    );
    if let Some(wait_ms) = refusal.retry_after_ms {
        headers.insert(header::RETRY_AFTER, wait_ms.div_ceil(1000).into());
    }
    if refusal.code.status() == StatusCode::UNAUTHORIZED {
        set(headers, header::WWW_AUTHENTICATE, "Bearer");
    }
    response
}

/// What browsers are told about every answer.
pub fn secure(headers: &mut HeaderMap) {
    set(
        headers,
        header::CONTENT_SECURITY_POLICY,
        CONTENT_SECURITY_POLICY,
    );
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::REFERRER_POLICY, "no-referrer");
    set(
        headers,
        HeaderName::from_static("permissions-policy"),
        PERMISSIONS_POLICY,
    );
    set(
        headers,
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    set(
        headers,
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
