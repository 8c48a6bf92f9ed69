//! Requests to a server: CBOR both ways, bounded in time and size.

use core::time::Duration;

use std::io::{Read, Write};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use minicbor::{Decode, Encode};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderName, HeaderValue, IF_RANGE, RANGE, RETRY_AFTER,
};
use reqwest::{Method, StatusCode};
use shared::sync::engine::{is_of_type, may_be_ours};
use shared::sync::wire::{ErrorBody, MEDIA_TYPE, Token};

/// The longest answer, in bytes. An answer brings at most the bytes that were asked for, or one
/// chunk that is longer by itself.
pub const MAX_ANSWER_BYTES: usize = 80 * 1024 * 1024;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bodies below this many bytes are sent as they are.
const MIN_COMPRESSED_BYTES: usize = 1024;
const BUFFER_BYTES: usize = 16 * 1024;
/// The longest silence while an answer is awaited. A join waits 25 s for the owner.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest that a call may take, its body read to the end: a line that is half open, or lets a
/// byte through now and then, must not hold a tool for ever.
const CALL_PATIENCE: Duration = Duration::from_secs(90);
/// How often a request that met a busy server is sent again.
const MAX_TRIES: u32 = 5;
/// When a busy server says nothing about when to come back.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(2);
/// The longest that a server may ask a tool to wait.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// A connection to one server.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    server: String,
    patience: Duration,
}

/// Where a server is, and whom to believe that it is the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Such as `http://localhost:8787`.
    pub url: String,
    /// The authority of a server on the local network (DER): nothing else is believed then.
    pub authority: Option<Vec<u8>>,
}

impl<T: AsRef<str> + ?Sized> From<&T> for Address {
    /// An address whose certificate, if it has one, the system knows.
    fn from(url: &T) -> Address {
        Address {
            url: url.as_ref().to_owned(),
            authority: None,
        }
    }
}

/// An answer as it came.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// The body came compressed.
    pub is_compressed: bool,
    /// The body, decoded.
    pub body: Vec<u8>,
    /// The body of the request as it was sent.
    pub sent_bytes: usize,
    /// The body as it came.
    pub received_bytes: usize,
}

/// Why a request brought no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Not an address of a server.
    #[error("“{0}” is not the address of a server, such as http://localhost:8787")]
    BadAddress(String),
    /// Not a certificate.
    #[error("the certificate of the server's authority cannot be read")]
    BadAuthority,
    /// No network, no server, or it took too long.
    #[error("the server {0} cannot be reached")]
    Unreachable(String),
    /// Something answered that is not Pakka: a captive portal, another program.
    #[error("{0} answered, but not as a Pakka server does")]
    NotPakka(String),
    /// The server went on asking for patience.
    #[error("the server {0} is busy; try again in a minute")]
    Busy(String),
    /// The server says no.
    #[error("the server refused: {}", .0.message)]
    Refused(ErrorBody),
}

impl CallError {
    /// The reason for machines, of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            CallError::Refused(body) => Some(&body.code),
            _ => None,
        }
    }
}

impl Http {
    /// A connection to a server. Nothing is sent yet.
    pub fn new(address: Address) -> Result<Http, CallError> {
        let bad = || CallError::BadAddress(address.url.clone());
        let url = reqwest::Url::parse(&address.url).map_err(|_| bad())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(bad());
        }
        // A second time it says that there is one already, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none());
        if let Some(authority) = &address.authority {
            let authority = reqwest::Certificate::from_der(authority);
            builder = builder.tls_certs_only([authority.map_err(|_| CallError::BadAuthority)?]);
        }
        let client = builder.build().map_err(|_| CallError::BadAuthority)?;
        Ok(Http {
            client,
            server: url.as_str().trim_end_matches('/').to_owned(),
            patience: CALL_PATIENCE,
        })
    }

    /// The same with another patience for each call.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Http {
        Http { patience, ..self }
    }

    /// The address of the server, without a slash at its end.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// `POST /api/v1/<path>`, sent again when the server asks to come back.
    pub async fn post<Q: Encode<()>, A: for<'b> Decode<'b, ()>>(
        &self,
        path: &str,
        token: Option<&Token>,
        body: &Q,
    ) -> Result<A, CallError> {
        let reply = self.call(Method::POST, path, token, Some(written(body)));
        self.decoded(&reply.await?)
    }

    /// `GET /api/v1/<path>`, sent again when the server asks to come back.
    pub async fn get<A: for<'b> Decode<'b, ()>>(
        &self,
        path: &str,
        token: Option<&Token>,
    ) -> Result<A, CallError> {
        let reply = self.call(Method::GET, path, token, None);
        self.decoded(&reply.await?)
    }

    fn decoded<A: for<'b> Decode<'b, ()>>(&self, reply: &Reply) -> Result<A, CallError> {
        let not_pakka = || CallError::NotPakka(self.server.clone());
        reply.decode().ok_or_else(not_pakka)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&Token>,
        body: Option<Vec<u8>>,
    ) -> Result<Reply, CallError> {
        let not_pakka = || CallError::NotPakka(self.server.clone());
        for _ in 0..MAX_TRIES {
            let sending = self.send(method.clone(), path, token, body.clone());
            let reply = tokio::time::timeout(self.patience, sending)
                .await
                .map_err(|_| CallError::Unreachable(self.server.clone()))??;
            match reply.status {
                200..=299 => return Ok(reply),
                429 | 503 => tokio::time::sleep(reply.wait()).await,
                400..=499 => {
                    return Err(CallError::Refused(self.decoded(&reply)?));
                }
                _ => return Err(not_pakka()),
            }
        }
        Err(CallError::Busy(self.server.clone()))
    }

    /// Gets what never changes. A connection that breaks in the middle is made again, and only the
    /// rest is asked for.
    pub async fn fetch(&self, path: &str, token: Option<&Token>) -> Result<Reply, CallError> {
        let mut part = Part::default();
        for _ in 0..MAX_TRIES {
            let request = self.request(Method::GET, path, token);
            let mut answer = part.asked_for(request).send().await;
            if let Ok(answer) = &mut answer
                && self.receive(answer, &mut part).await?
            {
                return self.received(part.reply);
            }
            if part.reply.body.is_empty() {
                break;
            }
        }
        Err(CallError::Unreachable(self.server.clone()))
    }

    /// Adds what comes of an answer to a part. False when it broke off.
    async fn receive(
        &self,
        answer: &mut reqwest::Response,
        part: &mut Part,
    ) -> Result<bool, CallError> {
        if !part.goes_on(answer) {
            *part = Part::from(&*answer);
        }
        if !may_be_ours(part.reply.content_type.as_deref()) {
            // A sign-in page can be as long as it likes: what it is has been seen.
            part.reply.is_compressed = false;
            return Ok(true);
        }
        loop {
            match answer.chunk().await {
                Ok(Some(piece)) => {
                    if part.reply.body.len() + piece.len() > MAX_ANSWER_BYTES {
                        return Err(CallError::NotPakka(self.server.clone()));
                    }
                    part.reply.body.extend_from_slice(&piece);
                }
                Ok(None) => return Ok(true),
                Err(_) => return Ok(false),
            }
        }
    }

    fn received(&self, mut reply: Reply) -> Result<Reply, CallError> {
        reply.received_bytes = reply.body.len();
        if reply.is_compressed {
            let expanded = expand(&reply.body);
            reply.body = expanded.ok_or_else(|| CallError::NotPakka(self.server.clone()))?;
        }
        Ok(reply)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&Token>,
    ) -> reqwest::RequestBuilder {
        let url = format!("{}/api/v1/{path}", self.server);
        let request = self
            .client
            .request(method, url)
            .header(ACCEPT, MEDIA_TYPE)
            .header(ACCEPT_ENCODING, "br");
        match token {
            Some(token) => {
                let token = BASE64_URL_SAFE_NO_PAD.encode(token.0);
                request.header(AUTHORIZATION, format!("Bearer {token}"))
            }
            None => request,
        }
    }

    /// Sends once and gives the answer as it came, whatever it is.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&Token>,
        body: Option<Vec<u8>>,
    ) -> Result<Reply, CallError> {
        let body = body.map(|body| (MEDIA_TYPE, body));
        self.send_as(method, path, token, body).await
    }

    /// The same with a body of another media type.
    pub async fn send_as(
        &self,
        method: Method,
        path: &str,
        token: Option<&Token>,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Reply, CallError> {
        let mut request = self.request(method, path, token);
        let mut sent_bytes = 0;
        if let Some((media_type, mut body)) = body {
            request = request.header(CONTENT_TYPE, media_type);
            if body.len() >= MIN_COMPRESSED_BYTES {
                body = gzip(&body);
                request = request.header(CONTENT_ENCODING, "gzip");
            }
            sent_bytes = body.len();
            request = request.body(body);
        }
        let unreachable = |_| CallError::Unreachable(self.server.clone());
        let mut answer = request.send().await.map_err(unreachable)?;
        let mut part = Part::default();
        match self.receive(&mut answer, &mut part).await? {
            true => self.received(Reply {
                sent_bytes,
                ..part.reply
            }),
            false => Err(CallError::Unreachable(self.server.clone())),
        }
    }
}

/// An answer as far as it has come.
#[derive(Debug, Default)]
struct Part {
    reply: Reply,
    /// What it is a part of, if the server says so.
    tag: Option<HeaderValue>,
}

impl From<&reqwest::Response> for Part {
    fn from(answer: &reqwest::Response) -> Part {
        let header = |name: HeaderName| {
            let value = answer.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        Part {
            reply: Reply {
                status: answer.status().as_u16(),
                content_type: header(CONTENT_TYPE),
                retry_after: header(RETRY_AFTER),
                is_compressed: header(CONTENT_ENCODING).is_some(),
                ..Reply::default()
            },
            tag: answer.headers().get(ETAG).cloned(),
        }
    }
}

impl Part {
    /// A request for what is missing.
    fn asked_for(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.tag {
            Some(tag) if !self.reply.body.is_empty() => request
                .header(RANGE, format!("bytes={}-", self.reply.body.len()))
                .header(IF_RANGE, tag),
            _ => request,
        }
    }

    /// Does the answer bring what is missing of it?
    fn goes_on(&self, answer: &reqwest::Response) -> bool {
        let from = format!("bytes {}-", self.reply.body.len());
        let range = answer.headers().get(CONTENT_RANGE);
        answer.status() == StatusCode::PARTIAL_CONTENT
            && self.tag.is_some()
            && answer.headers().get(ETAG) == self.tag.as_ref()
            && range.is_some_and(|range| range.as_bytes().starts_with(from.as_bytes()))
    }
}

fn written<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing to memory cannot fail")
}

/// Reads no more than an answer may have, whatever the compressed bytes hold. `None` for more, and
/// for anything else than Brotli.
fn expand(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut expanded = Vec::new();
    brotli::Decompressor::new(bytes, BUFFER_BYTES)
        .take(MAX_ANSWER_BYTES as u64 + 1)
        .read_to_end(&mut expanded)
        .ok()?;
    (expanded.len() <= MAX_ANSWER_BYTES).then_some(expanded)
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("writing to memory cannot fail")
}

impl Reply {
    /// What the body says, if it is in Pakka's own format.
    fn decode<A: for<'b> Decode<'b, ()>>(&self) -> Option<A> {
        is_of_type(self.content_type.as_deref(), MEDIA_TYPE)
            .then(|| minicbor::decode(&self.body).ok())?
    }

    /// When a busy server wants to be asked again.
    fn wait(&self) -> Duration {
        let body = self
            .decode::<ErrorBody>()
            .and_then(|body| body.retry_after_ms);
        let header = || self.retry_after.as_deref()?.trim().parse().ok();
        let stated = match body {
            Some(wait_ms) => Some(Duration::from_millis(wait_ms.into())),
            None => header().map(Duration::from_secs),
        };
        stated.unwrap_or(DEFAULT_RETRY_AFTER).min(MAX_RETRY_AFTER)
    }
}
