//! The page that tells phones how to trust the server. Plain HTTP, since nothing is trusted yet;
//! nothing secret stands on it.

use std::future::ready;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use fast_qr::QRBuilder;

use super::Trust;
use crate::http::secure;

const STYLE: &str = include_str!("page.css");
const PAGE: &str = include_str!("page.html");

/// Modules of white around a QR code (ISO/IEC 18004 §6.3.8).
const QUIET_ZONE: usize = 4;

/// The page, its style, the QR code that opens the app and the authority's certificate.
pub fn trust_page(trust: &Trust, url: &str) -> Router {
    let page = PAGE.replace("{url}", url);
    let qr = qr_svg(url).unwrap_or_default();
    let authority = trust.authority.clone();
    Router::new()
        .route("/", file("text/html; charset=utf-8", page))
        .route("/page.css", file("text/css; charset=utf-8", STYLE))
        .route("/qr.svg", file("image/svg+xml", qr))
        .route("/pakka.crt", file("application/x-x509-ca-cert", authority))
        .layer(map_response(|mut response: Response| {
            secure(response.headers_mut());
            ready(response)
        }))
}

fn file(media_type: &'static str, body: impl Into<Bytes>) -> MethodRouter {
    let body = body.into();
    get(move || {
        let mut response = body.clone().into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        ready(response)
    })
}

/// A QR code as a picture; `None` for a text that is too long.
fn qr_svg(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).build().ok()?;
    let mut path = String::new();
    for row in 0..code.size {
        for column in 0..code.size {
            if code[row][column].value() {
                path += &format!("M{} {}h1v1h-1z", column + QUIET_ZONE, row + QUIET_ZONE);
            }
        }
    }
    let size = code.size + 2 * QUIET_ZONE;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{size}v{size}H0z\"/>\
         <path d=\"{path}\"/></svg>"
    ))
}
