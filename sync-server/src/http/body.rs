//! Bodies in CBOR, compressed or not, both ways, each with its bound.

use std::io::Read;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::read::{GzEncoder, MultiGzDecoder};
use minicbor::{Decode, Decoder, Encode};
use shared::sync::wire::{MAX_ENCODED_REQUEST_BYTES, MAX_REQUEST_BYTES, MEDIA_TYPE};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_stream::StreamExt;

use super::error::{Code, Refusal};

/// The longest silence in the middle of a body.
const PART_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest body of a request that needs no more, in bytes as sent: strangers send these, too.
const MAX_SMALL_BYTES: usize = 16 * 1024;

/// Answers below this many bytes are sent as they are.
const MIN_COMPRESSED_BYTES: usize = 1024;

/// Answers from this many bytes on are compressed aside.
const MIN_ASIDE_BYTES: usize = 64 * 1024;

/// Fast rather than small: history that phones fetch again and again belongs into segments.
const BROTLI_QUALITY: i32 = 4;
const SHORT_BROTLI_QUALITY: i32 = 9;
const BROTLI_WINDOW_BITS: i32 = 20;
const BUFFER_BYTES: usize = 16 * 1024;

/// A short request's body, read and decoded.
pub struct Cbor<T>(pub T);

impl<T: for<'b> Decode<'b, ()>, S: Send + Sync> FromRequest<S> for Cbor<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Cbor<T>, Refusal> {
        let bytes = read(request, MAX_SMALL_BYTES).await?;
        decode(&bytes).map(Cbor)
    }
}

/// The body of a request as it was before it was compressed, at most `max_bytes` as sent.
pub async fn read(request: Request, max_bytes: usize) -> Result<Vec<u8>, Refusal> {
    let (_, bytes) = read_one_of(request, &[MEDIA_TYPE], max_bytes).await?;
    Ok(bytes)
}

/// The same for a body of one of these media types; gives which.
pub async fn read_one_of(
    request: Request,
    accepted: &[&'static str],
    max_bytes: usize,
) -> Result<(&'static str, Vec<u8>), Refusal> {
    let (head, body) = request.into_parts();
    let media_type = text(&head.headers, header::CONTENT_TYPE);
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let Some(media_type) = accepted.iter().find(|accepted| **accepted == media_type) else {
        return Err(Refusal::new(
            Code::UnsupportedMediaType,
            format!("send {MEDIA_TYPE}"),
        ));
    };
    let sent = receive(&head.headers, body, max_bytes).await?;
    let bytes = match text(&head.headers, header::CONTENT_ENCODING) {
        "" | "identity" => Ok(sent),
        "gzip" => expand(MultiGzDecoder::new(sent.as_slice())),
        "br" => expand(brotli::Decompressor::new(sent.as_slice(), BUFFER_BYTES)),
        _ => Err(Refusal::new(
            Code::UnsupportedEncoding,
            "send gzip, br or nothing compressed",
        )),
    };
    Ok((media_type, bytes?))
}

async fn receive(headers: &HeaderMap, body: Body, max_bytes: usize) -> Result<Vec<u8>, Refusal> {
    let announced = text(headers, header::CONTENT_LENGTH).parse::<u64>();
    if announced.is_ok_and(|length| length > max_bytes as u64) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let mut parts = body.into_data_stream();
    let incomplete = || Refusal::new(Code::Incomplete, "the body did not come whole");
    while let Some(part) = timeout(PART_TIMEOUT, parts.next())
        .await
        .map_err(|_| incomplete())?
    {
        let part = part.map_err(|_| incomplete())?;
        if bytes.len() + part.len() > max_bytes {
            return Err(too_large());
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

/// Reads as much as a body may have and one byte more, so that a bomb costs no more than that.
fn expand(reader: impl Read) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_REQUEST_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| Refusal::new(Code::Malformed, "the compressed body cannot be read"))?;
    if bytes.len() > MAX_REQUEST_BYTES {
        return Err(too_large());
    }
    Ok(bytes)
}

fn too_large() -> Refusal {
    Refusal::new(
        Code::TooLarge,
        format!(
            "at most {MAX_ENCODED_REQUEST_BYTES} bytes as sent and {MAX_REQUEST_BYTES} decoded"
        ),
    )
}

/// Reads a value that fills the bytes to the end.
pub fn decode<T: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> Result<T, Refusal> {
    let mut decoder = Decoder::new(bytes);
    let malformed = |what: String| Refusal::new(Code::Malformed, what);
    let value = decoder
        .decode()
        .map_err(|error| malformed(error.to_string()))?;
    if decoder.position() != bytes.len() {
        return Err(malformed("there is something behind the end".to_owned()));
    }
    Ok(value)
}

/// An answer's body, compressed if the asker can read that and it is worth it.
pub async fn answer<T: Encode<()>>(value: &T, asked: &HeaderMap) -> Response {
    packed(value, asked, BROTLI_QUALITY).await
}

/// The same for an answer that somebody waits for on a slow line, and that is asked for once.
pub async fn answer_short<T: Encode<()>>(value: &T, asked: &HeaderMap) -> Response {
    packed(value, asked, SHORT_BROTLI_QUALITY).await
}

async fn packed<T: Encode<()>>(value: &T, asked: &HeaderMap, quality: i32) -> Response {
    let bytes = minicbor::to_vec(value).expect("a vector takes all that is written");
    let wanted = encoding(text(asked, header::ACCEPT_ENCODING));
    let (encoding, bytes) = match wanted {
        Some(encoding) if bytes.len() >= MIN_COMPRESSED_BYTES => {
            (encoding.name(), compress(encoding, bytes, quality).await)
        }
        _ => ("", bytes),
    };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !encoding.is_empty() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Long bodies are compressed beside the tasks that serve others: the first sync of one phone must
/// not delay another's sale.
async fn compress(encoding: Encoding, bytes: Vec<u8>, quality: i32) -> Vec<u8> {
    let is_short = bytes.len() < MIN_ASIDE_BYTES;
    let work = move || match encoding {
        Encoding::Brotli => to_brotli(&bytes, quality),
        Encoding::Gzip => to_gzip(&bytes),
    };
    if is_short {
        work()
    } else {
        spawn_blocking(work)
            .await
            .expect("compression has no faults")
    }
}

/// The ways of compressing that the server writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

impl Encoding {
    const fn name(self) -> &'static str {
        match self {
            Encoding::Brotli => "br",
            Encoding::Gzip => "gzip",
        }
    }
}

/// The best that an `Accept-Encoding` allows.
pub fn encoding(accepts: &str) -> Option<Encoding> {
    let is_accepted = |name: &str| {
        accepts.split(',').any(|offer| {
            let mut parts = offer.split(';').map(str::trim);
            let is_named = parts
                .next()
                .is_some_and(|offered| offered.eq_ignore_ascii_case(name));
            let is_refused = parts.any(|part| {
                part.strip_prefix("q=")
                    .is_some_and(|weight| weight.trim_end_matches(['0', '.']).is_empty())
            });
            is_named && !is_refused
        })
    };
    if is_accepted("br") {
        Some(Encoding::Brotli)
    } else if is_accepted("gzip") {
        Some(Encoding::Gzip)
    } else {
        None
    }
}

fn to_brotli(bytes: &[u8], quality: i32) -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams {
        quality,
        lgwin: BROTLI_WINDOW_BITS,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut out = Vec::with_capacity(bytes.len() / 2);
    brotli::BrotliCompress(&mut &*bytes, &mut out, &params).expect("memory takes all");
    out
}

fn to_gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 2);
    GzEncoder::new(bytes, Compression::fast())
        .read_to_end(&mut out)
        .expect("memory takes all");
    out
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
    fn the_asker_says_what_it_can_read() {
        for (accepts, expected) in [
            ("gzip, deflate, br, zstd", Some(Encoding::Brotli)),
            ("GZIP", Some(Encoding::Gzip)),
            ("br;q=0, gzip;q=0.5", Some(Encoding::Gzip)),
            ("br;q=0.0", None),
            ("identity", None),
            ("", None),
        ] {
            assert_eq!(encoding(accepts), expected, "{accepts}");
        }
    }

    #[test]
    fn a_bomb_is_given_up_at_the_bound() {
        let bomb = to_gzip(&vec![0; 64 * 1024 * 1024]);
        assert!(bomb.len() < MAX_ENCODED_REQUEST_BYTES);
        let refusal = expand(MultiGzDecoder::new(bomb.as_slice())).expect_err("too large");
        assert_eq!(refusal.code, Code::TooLarge);
    }

    #[test]
    fn nothing_may_stand_behind_a_value() {
        assert_eq!(decode::<u8>(&[7]).ok(), Some(7));
        assert_eq!(
            decode::<u8>(&[7, 7]).map_err(|it| it.code),
            Err(Code::Malformed)
        );
        assert_eq!(
            decode::<u8>(&[]).map_err(|it| it.code),
            Err(Code::Malformed)
        );
    }
}
