//! Requests to a server: CBOR both ways, bounded in time and size.

use core::time::Duration;

use minicbor::{Decode, Encode};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use shared::sync::wire::{ErrorBody, MEDIA_TYPE, Token};

/// The longest answer, in bytes. An answer brings at most the bytes that were asked for, or one
/// chunk that is longer by itself.
pub const MAX_ANSWER_BYTES: usize = 80 * 1024 * 1024;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest silence while an answer is awaited. A join waits 25 s for the owner.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection to one server.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    server: String,
}

/// Why a request brought no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Not an address of a server.
    #[error("“{0}” is not the address of a server, such as http://localhost:8787")]
    BadAddress(String),
    /// No network, no server, or it took too long.
    #[error("the server {0} cannot be reached")]
    Unreachable(String),
    /// Something answered that is not Pakka: a captive portal, another program.
    #[error("{0} answered, but not as a Pakka server does")]
    NotPakka(String),
    /// The server asks to try again later.
    #[error("the server is busy: {message}")]
    Busy {
        /// After how long.
        after: Option<Duration>,
        /// Its words.
        message: String,
    },
    /// The server says no.
    #[error("the server refused: {}", .0.message)]
    Refused(ErrorBody),
}

impl CallError {
    /// The same request may succeed later.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            CallError::Unreachable(_) | CallError::NotPakka(_) | CallError::Busy { .. }
        )
    }

    /// The reason for machines, of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            CallError::Refused(body) => Some(&body.code),
            _ => None,
        }
    }
}

impl Http {
    /// A connection to `server`, such as `http://localhost:8787`. Nothing is sent yet.
    pub fn new(server: &str) -> Result<Http, CallError> {
        let bad = || CallError::BadAddress(server.to_owned());
        let address = reqwest::Url::parse(server).map_err(|_| bad())?;
        if !matches!(address.scheme(), "http" | "https") || !address.has_host() {
            return Err(bad());
        }
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| bad())?;
        Ok(Http {
            client,
            server: address.as_str().trim_end_matches('/').to_owned(),
        })
    }

    /// The address of the server, without a slash at its end.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// `POST /api/v1/<path>`.
    pub async fn post<Q: Encode<()>, A: for<'b> Decode<'b, ()>>(
        &self,
        path: &str,
        token: Option<&Token>,
        body: &Q,
    ) -> Result<A, CallError> {
        let body = minicbor::to_vec(body).expect("writing to memory cannot fail");
        self.call(Method::POST, path, token, Some(body)).await
    }

    /// `GET /api/v1/<path>`.
    pub async fn get<A: for<'b> Decode<'b, ()>>(
        &self,
        path: &str,
        token: Option<&Token>,
    ) -> Result<A, CallError> {
        self.call(Method::GET, path, token, None).await
    }

    async fn call<A: for<'b> Decode<'b, ()>>(
        &self,
        method: Method,
        path: &str,
        token: Option<&Token>,
        body: Option<Vec<u8>>,
    ) -> Result<A, CallError> {
        let url = format!("{}/api/v1/{path}", self.server);
        let mut request = self.client.request(method, url).header(ACCEPT, MEDIA_TYPE);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, MEDIA_TYPE).body(body);
        }
        let unreachable = |_| CallError::Unreachable(self.server.clone());
        let mut answer = request.send().await.map_err(unreachable)?;
        let not_pakka = || CallError::NotPakka(self.server.clone());
        let is_cbor = answer
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(MEDIA_TYPE.as_bytes()));
        let (status, after) = (answer.status(), retry_after(&answer));
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            if bytes.len() + piece.len() > MAX_ANSWER_BYTES {
                return Err(not_pakka());
            }
            bytes.extend_from_slice(&piece);
        }
        if status.is_success() && is_cbor {
            return minicbor::decode(&bytes).map_err(|_| not_pakka());
        }
        let refusal = minicbor::decode::<ErrorBody>(&bytes)
            .ok()
            .filter(|_| is_cbor);
        match (status, refusal) {
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, refusal) => {
                let stated = refusal.as_ref().and_then(|body| body.retry_after_ms);
                Err(CallError::Busy {
                    after: stated
                        .map(|wait_ms| Duration::from_millis(u64::from(wait_ms)))
                        .or(after),
                    message: refusal.map(|body| body.message).unwrap_or_default(),
                })
            }
            (status, Some(body)) if status.is_client_error() => Err(CallError::Refused(body)),
            _ => Err(not_pakka()),
        }
    }
}

/// `Retry-After` in seconds.
fn retry_after(answer: &Response) -> Option<Duration> {
    let value = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}
