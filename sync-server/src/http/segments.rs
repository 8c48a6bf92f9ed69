//! `GET /api/v1/segments` and `/api/v1/segments/{first}-{last}`: what is sealed of a log. A segment
//! never changes, so whoever has it never asks again, and a part of it can be asked for.

use std::ops::Range;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use shared::bytes::Hash;
use shared::sync::segment;
use shared::sync::wire::{MAX_SEGMENTS, SegmentName};
use tokio::task::spawn_blocking;

use super::App;
use super::body::{Encoding, encoding};
use super::caller::Caller;
use super::error::{Code, Refusal};
use crate::archive::expand;
use crate::store::{SegmentRecord, ShopNumber, StoredSegment};

/// For ever, as far as HTTP can say that; for nobody but the device that asked.
const CACHE_CONTROL: &str = "private, max-age=31536000, immutable";

/// The most segments on one page.
const MAX_PAGE: usize = 1000;
const _: () = assert!(MAX_SEGMENTS <= MAX_PAGE);

/// Which part of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// The segments that hold anything behind this position.
    #[serde(default)]
    after: u64,
}

/// A sealed part of the log.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// The position of its first event.
    first: u64,
    /// The position of its last event.
    last: u64,
    /// Its length as it is sent in brotli.
    length_bytes: u64,
    /// SHA-256 of that: its `ETag`, too.
    hash: Hash,
}

impl From<SegmentRecord> for Listed {
    fn from(record: SegmentRecord) -> Listed {
        Listed {
            first: record.name.first,
            last: record.name.last,
            length_bytes: record.length_bytes,
            hash: record.hash,
        }
    }
}

/// What is sealed of the log
#[utoipa::path(
    get,
    path = "/api/v1/segments",
    tag = "log",
    params(Page),
    responses(
        (status = OK, description = "Up to 1000 segments in the order of the log: first and last position, bytes, SHA-256", content_type = "application/json"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Listed>>, Refusal> {
    let (shop, size) = may_read(&caller)?;
    let after = page.after.min(size);
    let segments = app.store.segments(shop, after, MAX_PAGE).await?;
    Ok(Json(segments.into_iter().map(Listed::from).collect()))
}

/// A sealed part of the log: whole, or from a byte on
#[utoipa::path(
    get,
    path = "/api/v1/segments/{name}",
    tag = "log",
    params(("name" = String, Path, description = "First and last position, such as 1-4096")),
    responses(
        (status = OK, description = "The segment, in brotli unless that is not accepted", body = crate::http::openapi::Cbor, content_type = "application/vnd.pakka.segment"),
        (status = PARTIAL_CONTENT, description = "The asked part of the bytes in brotli"),
        (status = NOT_MODIFIED, description = "The asker has it"),
        (status = "4XX", description = "Refused; nothing was changed", body = crate::http::openapi::Error)
    ),
    security(("token" = []))
)]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let (shop, size) = may_read(&caller)?;
    let unknown = || Refusal::new(Code::NotFound, "there is no such segment");
    let name: SegmentName = name.parse().map_err(|_| unknown())?;
    if name.last > size {
        return Err(unknown());
    }
    let stored = app.store.segment(shop, name).await?.ok_or_else(unknown)?;
    let mut response = match encoding(text(&asked, header::ACCEPT_ENCODING)) {
        Some(Encoding::Brotli) => compressed(&asked, stored)?,
        _ => plain(&asked, stored).await?,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, CACHE_CONTROL),
        // Another token may be of another shop, where the same name is another segment.
        (header::VARY, "accept-encoding, authorization"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if response.status() != StatusCode::NOT_MODIFIED {
        let media_type = HeaderValue::from_static(segment::MEDIA_TYPE);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type);
    }
    Ok(response)
}

/// As in a sync: every device that was not revoked reads the log. Gives its shop, and how long the
/// log is.
fn may_read(caller: &Caller) -> Result<(ShopNumber, u64), Refusal> {
    let revoked = || Refusal::new(Code::Revoked, "the device was revoked");
    caller.role().ok_or_else(revoked)?;
    let record = caller.watched.borrow();
    Ok((record.number, record.head.size))
}

/// The stored bytes, or a part of them.
fn compressed(asked: &HeaderMap, stored: StoredSegment) -> Result<Response, Refusal> {
    let tag = format!("\"{}\"", stored.record.hash);
    if text(asked, header::IF_NONE_MATCH).contains(&tag) {
        return Ok(with_tag(StatusCode::NOT_MODIFIED.into_response(), &tag));
    }
    let length = stored.bytes.len();
    // A part of another segment would be no part of this one.
    let if_range = text(asked, header::IF_RANGE);
    let is_this = if_range.is_empty() || if_range == tag;
    let mut response = match range(text(asked, header::RANGE), length).filter(|_| is_this) {
        None => stored.bytes.into_response(),
        Some(part) if part.is_empty() => {
            return Err(Refusal::new(
                Code::BadRange,
                format!("the segment has {length} bytes"),
            ));
        }
        Some(part) => {
            let place = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            let bytes = stored.bytes[part].to_vec();
            let mut response = (StatusCode::PARTIAL_CONTENT, bytes).into_response();
            if let Ok(place) = HeaderValue::from_str(&place) {
                response.headers_mut().insert(header::CONTENT_RANGE, place);
            }
            response
        }
    };
    for (name, value) in [
        (header::CONTENT_ENCODING, "br"),
        (header::ACCEPT_RANGES, "bytes"),
    ] {
        let headers = response.headers_mut();
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(with_tag(response, &tag))
}

/// The segment for one who does not read brotli.
async fn plain(asked: &HeaderMap, stored: StoredSegment) -> Result<Response, Refusal> {
    let tag = format!("\"{}-plain\"", stored.record.hash);
    if text(asked, header::IF_NONE_MATCH).contains(&tag) {
        return Ok(with_tag(StatusCode::NOT_MODIFIED.into_response(), &tag));
    }
    let expanded = spawn_blocking(move || expand(&stored)).await;
    let bytes = expanded.expect("reading brotli has no faults")?;
    Ok(with_tag(bytes.into_response(), &tag))
}

fn with_tag(mut response: Response, tag: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// The one range that is asked for (RFC 9110 §14.1.2). `None`: all of it, also where what is asked
/// cannot be understood or has several parts. Empty: outside of what there is.
fn range(asked: &str, length: usize) -> Option<Range<usize>> {
    let (first, last) = asked.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.parse::<usize>();
    let part = match (number(first), number(last)) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Ok(first), Err(_)) if last.is_empty() => first..length,
        (Err(_), Ok(count)) if first.is_empty() => length.saturating_sub(count)..length,
        _ => return None,
    };
    Some(if part.start < part.end { part } else { 0..0 })
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_a_part_of_what_there_is() {
        for (asked, part) in [
            ("bytes=0-", Some(0..100)),
            ("bytes=40-", Some(40..100)),
            ("bytes=40-49", Some(40..50)),
            ("bytes=40-4000", Some(40..100)),
            ("bytes=-10", Some(90..100)),
            ("bytes=-1000", Some(0..100)),
            ("bytes=100-", Some(0..0)),
            ("bytes=-0", Some(0..0)),
            ("", None),
            ("bytes=9-3", None),
            ("bytes=1-2,5-6", None),
            ("lines=1-2", None),
            ("bytes=", None),
            ("bytes=-", None),
        ] {
            assert_eq!(range(asked, 100), part, "{asked}");
        }
    }
}
