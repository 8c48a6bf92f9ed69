//! What an HTTP reply means.

use minicbor::{Decode, Decoder};

use super::status::{Problem, Rewritten, Stop};
use crate::sync::judge::Refusal;
use crate::sync::segment;
use crate::sync::wire::{ErrorBody, MEDIA_TYPE, Protocols, SyncAnswer};

/// The longest body of a reply, decoded. A shell that meets a longer one gives up reading it and
/// says [`Failure::NotOurServer`].
pub const MAX_REPLY_BYTES: usize = 8 * 1024 * 1024;

/// What the server writes for people to read.
const JSON: &str = "application/json";

/// The code of a server that refuses a whole request for its signature.
const BAD_SIGNATURE: &str = "bad_signature";

/// The code of a server that waits for what it lost.
const RECOVERING: &str = "recovering";

/// When a busy server says nothing about when to come back.
const DEFAULT_RETRY_AFTER_MS: u32 = 5_000;

/// Why a request brought no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The server was not reached, or the connection broke.
    Unreachable,
    /// The server asks to come back later (429, 503).
    Busy {
        /// When, in milliseconds.
        retry_after_ms: u32,
    },
    /// The server was set back to an older copy and waits for devices that hold more (503).
    Recovering {
        /// When to come back, in milliseconds.
        retry_after_ms: u32,
    },
    /// Something else than the server answered: a captive portal, a proxy, an error page.
    NotOurServer,
    /// The server had a fault (5xx).
    ServerFault,
    /// The server does not know the token (401).
    NotKnown,
    /// The server does not speak the version of the request (426), but these; a server of before
    /// does not say which.
    OtherProtocol(Option<Protocols>),
    /// The server refuses the request, with this machine-readable reason (4xx).
    Refused(String),
}

/// Reads an HTTP reply to a sync: only a reply that is wholly in Pakka's own format is believed.
///
/// `content_type` and `retry_after` are the headers of these names.
pub fn read_reply(
    status: u16,
    content_type: Option<&str>,
    retry_after: Option<&str>,
    body: &[u8],
) -> Result<SyncAnswer, Failure> {
    read_answer(status, content_type, retry_after, body)
}

/// The same for the other requests that the engine sends.
pub fn read_answer<A: for<'b> Decode<'b, ()>>(
    status: u16,
    content_type: Option<&str>,
    retry_after: Option<&str>,
    body: &[u8],
) -> Result<A, Failure> {
    if status == 200 && is_of_type(content_type, MEDIA_TYPE) {
        return decode_whole(body).ok_or(Failure::NotOurServer);
    }
    Err(read_failure(status, content_type, retry_after, body))
}

fn read_failure(
    status: u16,
    content_type: Option<&str>,
    retry_after: Option<&str>,
    body: &[u8],
) -> Failure {
    let error = match is_of_type(content_type, MEDIA_TYPE) {
        true => decode_whole::<ErrorBody>(body),
        false => None,
    };
    match (status, error) {
        (429 | 503, error) => {
            let is_recovering = error.as_ref().is_some_and(|error| error.code == RECOVERING);
            let retry_after_ms = error
                .and_then(|error| error.retry_after_ms)
                .or_else(|| seconds(retry_after?))
                .unwrap_or(DEFAULT_RETRY_AFTER_MS);
            match is_recovering {
                true => Failure::Recovering { retry_after_ms },
                false => Failure::Busy { retry_after_ms },
            }
        }
        // RFC 6585 §6: never from the server itself, but from what stands in between.
        (511, _) => Failure::NotOurServer,
        (500..=599, _) => Failure::ServerFault,
        (401, Some(_)) => Failure::NotKnown,
        (426, Some(error)) => Failure::OtherProtocol(error.protocols),
        (400..=499, Some(error)) => Failure::Refused(error.code),
        _ => Failure::NotOurServer,
    }
}

/// Reads an HTTP reply to the fetching of a segment, in the same way: gives its bytes.
///
/// # Errors
///
/// It is not a segment that answered.
pub fn read_segment(
    status: u16,
    content_type: Option<&str>,
    retry_after: Option<&str>,
    body: Vec<u8>,
) -> Result<Vec<u8>, Failure> {
    if status == 200 && is_of_type(content_type, segment::MEDIA_TYPE) {
        return Ok(body);
    }
    Err(read_failure(status, content_type, retry_after, &body))
}

/// May a body of this type come from the server? That of anything else, such as the sign-in page of
/// a public network, is not worth waiting for.
pub fn may_be_ours(content_type: Option<&str>) -> bool {
    let ours = [MEDIA_TYPE, segment::MEDIA_TYPE, JSON];
    ours.iter().any(|ours| is_of_type(content_type, ours))
}

/// Is this `Content-Type`, perhaps with parameters, of a media type?
pub fn is_of_type(content_type: Option<&str>, expected: &str) -> bool {
    content_type.is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case(expected)
    })
}

fn decode_whole<'b, T: Decode<'b, ()>>(body: &'b [u8]) -> Option<T> {
    let mut decoder = Decoder::new(body);
    let value = decoder.decode().ok()?;
    (decoder.position() == body.len()).then_some(value)
}

fn seconds(retry_after: &str) -> Option<u32> {
    let seconds: u32 = retry_after.trim().parse().ok()?;
    Some(seconds.saturating_mul(1000))
}

/// What follows from a failure.
pub(super) enum Consequence {
    /// Try again later.
    Retry(Problem),
    /// Only people can help.
    Stop(Stop),
}

impl Failure {
    pub(super) fn consequence(&self) -> Consequence {
        let problem = match self {
            Failure::Unreachable => Problem::Unreachable,
            Failure::Busy { retry_after_ms } => Problem::Busy {
                retry_after_ms: *retry_after_ms,
            },
            Failure::Recovering { retry_after_ms } => Problem::Recovering {
                retry_after_ms: *retry_after_ms,
            },
            Failure::NotOurServer => Problem::NotOurServer,
            Failure::ServerFault => Problem::ServerFault,
            Failure::NotKnown => return Consequence::Stop(Stop::NotKnown),
            Failure::OtherProtocol(_) => return Consequence::Stop(Stop::UpdateNeeded),
            Failure::Refused(code) if code == BAD_SIGNATURE => Problem::SignatureRefused,
            Failure::Refused(code) => match stop_of(code) {
                Some(stop) => return Consequence::Stop(stop),
                None => Problem::Refused,
            },
        };
        Consequence::Retry(problem)
    }
}

fn stop_of(code: &str) -> Option<Stop> {
    let stops = [
        (
            Refusal::OtherGeneration,
            Stop::LogRewritten(Rewritten::OtherGeneration),
        ),
        (Refusal::LogShorter, Stop::LogRewritten(Rewritten::Shorter)),
        (Refusal::OtherLog, Stop::LogRewritten(Rewritten::OtherRoot)),
    ];
    let stop = stops.iter().find(|(refusal, _)| refusal.code() == code);
    stop.map(|(_, stop)| *stop)
}
