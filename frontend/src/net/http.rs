//! Requests to the shop's server, by fetch. Nothing waits for them but the sync.

use gloo_net::http::{Method, RequestBuilder, Response};
use js_sys::{Reflect, Uint8Array};
use minicbor::{Decode, Encode};
use shared::bytes::Bytes;
use shared::sync::engine::{MAX_REPLY_BYTES, is_of_type, may_be_ours};
use shared::sync::wire::{ErrorBody, MEDIA_TYPE, Token};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStreamDefaultReader, RequestCache, RequestRedirect};

use super::{base64url, gzip};
use crate::store::records::{decode, encode};

/// A server as this device speaks to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Scheme, host and port, without a slash at the end.
    pub url: String,
    /// What lets this device in, where that is asked for.
    pub token: Option<Token>,
}

/// A reply as it came, whatever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header of this name.
    pub content_type: Option<String>,
    /// The header of this name.
    pub retry_after: Option<String>,
    /// The body, decoded.
    pub body: Vec<u8>,
}

/// Why a request for a person brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskError {
    /// No answer came.
    Unreachable,
    /// Something answered that is not the server.
    NotTheServer,
    /// The server refused, with this code and perhaps a wait in ms; see the list in
    /// `docs/format.md`.
    Refused {
        /// The reason for machines, such as `unknown_code`.
        code: String,
        /// When to try again.
        retry_after_ms: Option<u32>,
    },
}

impl Address {
    /// The address that the app itself came from.
    pub fn here() -> Option<Address> {
        let url = web_sys::window()?.location().origin().ok()?;
        Some(Address { url, token: None })
    }

    /// The same server with a token.
    pub fn with(self, token: Token) -> Address {
        Address {
            token: Some(token),
            ..self
        }
    }

    /// A request to `path`. Never cached, never redirected: a redirection comes from something in
    /// between that is not the server, and is seen as an answer without a status.
    pub(super) fn request(
        &self,
        method: Method,
        path: &str,
        signal: &AbortSignal,
    ) -> RequestBuilder {
        let request = RequestBuilder::new(&format!("{}{path}", self.url))
            .method(method)
            .cache(RequestCache::NoStore)
            .redirect(RequestRedirect::Manual)
            .abort_signal(Some(signal));
        match &self.token {
            Some(token) => request.header(
                "authorization",
                &format!("Bearer {}", base64url::encode(&token.0)),
            ),
            None => request,
        }
    }

    /// Sends a body and waits for the reply. `None` when none came.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&[u8]>,
        signal: &AbortSignal,
    ) -> Option<Reply> {
        let body = body.map(|body| (MEDIA_TYPE, body));
        self.send_as(method, path, body, signal).await
    }

    /// The same with a body of another media type.
    pub(super) async fn send_as(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, &[u8])>,
        signal: &AbortSignal,
    ) -> Option<Reply> {
        let request = self
            .request(method, path, signal)
            .header("accept", MEDIA_TYPE);
        let request = match body {
            Some((media_type, body)) => {
                let request = request.header("content-type", media_type);
                match gzip::compress(body).await {
                    Some(packed) => request
                        .header("content-encoding", "gzip")
                        .body(Uint8Array::from(packed.as_slice())),
                    None => request.body(Uint8Array::from(body)),
                }
            }
            None => request.build(),
        };
        let response = request.ok()?.send().await.ok()?;
        let headers = response.headers();
        let content_type = headers.get("content-type");
        let body = match may_be_ours(content_type.as_deref()) {
            true => whole(&response).await.ok()?,
            false => Vec::new(),
        };
        Some(Reply {
            status: response.status(),
            content_type,
            retry_after: headers.get("retry-after"),
            body,
        })
    }

    /// Asks for something that a person waits for.
    pub async fn ask<A>(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        wait_ms: u32,
    ) -> Result<A, AskError>
    where
        A: for<'b> Decode<'b, ()>,
    {
        let reply = self.reply(method, path, body, wait_ms).await?;
        decode(&reply.body, "answer").map_err(|_| AskError::NotTheServer)
    }

    /// Tells something that has no answer but "done".
    pub async fn tell(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        wait_ms: u32,
    ) -> Result<(), AskError> {
        self.reply(method, path, body, wait_ms).await.map(drop)
    }

    async fn reply(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        wait_ms: u32,
    ) -> Result<Reply, AskError> {
        let signal = AbortSignal::timeout_with_u32(wait_ms);
        let body = body.as_ref().map(|body| body.0.as_slice());
        let reply = self.send(method, path, body, &signal).await;
        check(reply.ok_or(AskError::Unreachable)?)
    }
}

/// A body of a request.
pub fn body<T: Encode<()>>(value: &T) -> Option<Bytes> {
    Some(Bytes(encode(value)))
}

/// The body of a response, in parts.
pub(super) fn reader(response: &Response) -> Option<ReadableStreamDefaultReader> {
    response.body()?.get_reader().dyn_into().ok()
}

/// A body broke off in the middle.
pub(super) struct Broken;

/// The next part of a body; `None` at its end.
pub(super) async fn next_part(
    reader: &ReadableStreamDefaultReader,
) -> Result<Option<Vec<u8>>, Broken> {
    let part = JsFuture::from(reader.read()).await.map_err(|_| Broken)?;
    let bytes = Reflect::get(&part, &"value".into()).map_err(|_| Broken)?;
    Ok(bytes.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec))
}

/// The body, as much of it as there may be.
async fn whole(response: &Response) -> Result<Vec<u8>, Broken> {
    let mut body = Vec::new();
    if let Some(reader) = reader(response) {
        while let Some(part) = next_part(&reader).await? {
            body.extend_from_slice(&part);
            if body.len() > MAX_REPLY_BYTES {
                let _ = reader.cancel();
                break;
            }
        }
    }
    Ok(body)
}

/// Only what is wholly in Pakka's own format is believed.
fn check(reply: Reply) -> Result<Reply, AskError> {
    if !is_of_type(reply.content_type.as_deref(), MEDIA_TYPE) {
        return Err(AskError::NotTheServer);
    }
    if (200..300).contains(&reply.status) {
        return Ok(reply);
    }
    match decode::<ErrorBody>(&reply.body, "refusal") {
        Ok(refusal) => Err(AskError::Refused {
            code: refusal.code,
            retry_after_ms: refusal.retry_after_ms,
        }),
        Err(_) => Err(AskError::NotTheServer),
    }
}
