//! Refusals: one list of reasons, one shape.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use shared::sync::branch::NotABranch;
use shared::sync::judge;
use shared::sync::wire::{ErrorBody, Protocols};

use crate::store::StoreError;

/// The header that names the reason of a refusal, for logs and for programs that read no body.
pub const ERROR_HEADER: &str = "x-pakka-error";

/// When a store that cannot be read is worth another try.
const STORE_RETRY_MS: u32 = 5000;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident;)*) => {
        /// Why a request was refused. The codes are stable: phones of any age read them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every reason there is.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The reason for machines.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $code,)*
                }
            }

            /// The HTTP status that it goes with.
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Code::$name => StatusCode::$status,)*
                }
            }
        }
    };
}

codes! {
    /// There is nothing at this address.
    NotFound = "not_found", NOT_FOUND;
    /// This address does not take this method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED;
    /// The body is not of the type that this address takes.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE;
    /// The body is compressed in a way that the server does not read.
    UnsupportedEncoding = "unsupported_encoding", UNSUPPORTED_MEDIA_TYPE;
    /// The body is longer than it may be, as sent or after decoding.
    TooLarge = "too_large", PAYLOAD_TOO_LARGE;
    /// The body did not come whole, or not at all.
    Incomplete = "incomplete", BAD_REQUEST;
    /// The body cannot be read.
    Malformed = "malformed", BAD_REQUEST;
    /// The address has a parameter that cannot be read.
    BadParameter = "bad_parameter", BAD_REQUEST;
    /// The asked part lies outside of what there is.
    BadRange = "bad_range", RANGE_NOT_SATISFIABLE;
    /// The device speaks a version of the protocol that the server does not.
    UnsupportedProtocol = "protocol", UPGRADE_REQUIRED;
    /// The signature is not by the device's key over this shop's chain.
    BadSignature = "bad_signature", UNPROCESSABLE_ENTITY;
    /// The public key is not one.
    BadKey = "bad_key", UNPROCESSABLE_ENTITY;
    /// No token came with the request.
    NoToken = "no_token", UNAUTHORIZED;
    /// The server does not know the token.
    UnknownToken = "unknown_token", UNAUTHORIZED;
    /// The device was revoked.
    Revoked = "revoked", FORBIDDEN;
    /// The device's role does not allow it.
    Forbidden = "forbidden", FORBIDDEN;
    /// The cursor belongs to another life of the log.
    OtherGeneration = "other_generation", CONFLICT;
    /// The device holds more of the log than the server, which was restored from an older copy.
    LogShorter = "log_shorter", CONFLICT;
    /// The log at the cursor differs from the one that the device holds.
    OtherLog = "other_log", CONFLICT;
    /// The chain of the copied device does not fork there.
    NoFork = "no_fork", CONFLICT;
    /// These entries belong to another copy.
    BranchTaken = "branch_taken", CONFLICT;
    /// The shop has as many copies as it may have.
    TooManyBranches = "too_many_branches", CONFLICT;
    /// The code is not one of this server's.
    UnknownCode = "unknown_code", FORBIDDEN;
    /// The code was used before.
    UsedCode = "used_code", CONFLICT;
    /// The shop is on this server already.
    ShopTaken = "shop_taken", CONFLICT;
    /// There is no such pairing, or it has lapsed.
    UnknownPairing = "unknown_pairing", NOT_FOUND;
    /// Another phone uses this pairing already.
    PairingTaken = "pairing_taken", CONFLICT;
    /// The shop has as many pairings under way as it may have.
    TooManyPairings = "too_many_pairings", CONFLICT;
    /// Too many tries with wrong codes.
    TooManyTries = "too_many_tries", TOO_MANY_REQUESTS;
    /// More requests than a device may send.
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS;
    /// More devices listen for hints than the server can serve.
    TooManyListeners = "too_many_listeners", TOO_MANY_REQUESTS;
    /// The queue is full.
    Busy = "busy", TOO_MANY_REQUESTS;
    /// The server is stopping.
    Stopping = "stopping", SERVICE_UNAVAILABLE;
    /// An older copy of the logs was put back: new entries are taken a little later.
    Recovering = "recovering", SERVICE_UNAVAILABLE;
    /// It is unknown whether it was stored: send it again.
    Unknown = "unknown", SERVICE_UNAVAILABLE;
    /// The server cannot read its store.
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE;
}

/// A refusal on its way to whoever asked.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The reason.
    pub code: Code,
    /// The reason in words, for people who read logs.
    pub message: String,
    /// When it is worth to try again.
    pub retry_after_ms: Option<u32>,
    /// The place in the queue that there would have been, from 1.
    pub place: Option<u32>,
}

impl Refusal {
    /// A refusal for this reason.
    pub fn new(code: Code, message: impl Into<String>) -> Refusal {
        Refusal {
            code,
            message: message.into(),
            retry_after_ms: None,
            place: None,
        }
    }

    /// A refusal that may be gone after this time.
    pub fn after(code: Code, message: impl Into<String>, retry_after_ms: u32) -> Refusal {
        Refusal {
            retry_after_ms: Some(retry_after_ms),
            ..Refusal::new(code, message)
        }
    }

    /// As it is sent.
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            code: self.code.as_str().to_owned(),
            message: self.message.clone(),
            retry_after_ms: self.retry_after_ms,
            place: self.place,
            protocols: (self.code == Code::UnsupportedProtocol).then_some(Protocols::SPOKEN),
        }
    }
}

impl From<judge::Refusal> for Refusal {
    fn from(refusal: judge::Refusal) -> Refusal {
        let code = match refusal {
            judge::Refusal::Protocol(_) => Code::UnsupportedProtocol,
            judge::Refusal::Malformed(_) => Code::Malformed,
            judge::Refusal::OtherGeneration => Code::OtherGeneration,
            judge::Refusal::LogShorter => Code::LogShorter,
            judge::Refusal::OtherLog => Code::OtherLog,
        };
        Refusal::new(code, refusal.to_string())
    }
}

impl From<NotABranch> for Refusal {
    fn from(reason: NotABranch) -> Refusal {
        let code = match reason {
            NotABranch::NotSigned => Code::BadSignature,
            NotABranch::NoFork => Code::NoFork,
            NotABranch::Taken => Code::BranchTaken,
            NotABranch::TooMany => Code::TooManyBranches,
        };
        Refusal::new(code, reason.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        tracing::error!(%error, "the store cannot be read");
        Refusal::after(
            Code::StoreUnavailable,
            "the server cannot read its store",
            STORE_RETRY_MS,
        )
    }
}

impl IntoResponse for Refusal {
    /// The body is written by `http/boundary.rs`, which knows whether CBOR or JSON is wanted.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_judge_and_the_server_name_its_refusals_alike() {
        for refusal in [
            judge::Refusal::Protocol(9),
            judge::Refusal::Malformed("why"),
            judge::Refusal::OtherGeneration,
            judge::Refusal::LogShorter,
            judge::Refusal::OtherLog,
        ] {
            let here = Refusal::from(refusal).code;
            assert_eq!(here.as_str(), refusal.code());
            assert_eq!(here.status().as_u16(), refusal.status());
        }
    }

    #[test]
    fn a_copy_that_is_not_registered_hears_the_same_reason_everywhere() {
        for reason in [
            NotABranch::NotSigned,
            NotABranch::NoFork,
            NotABranch::Taken,
            NotABranch::TooMany,
        ] {
            assert_eq!(Refusal::from(reason).code.as_str(), reason.code());
        }
    }

    #[test]
    fn every_reason_stands_in_the_description_of_the_format() {
        let format = include_str!("../../../docs/format.md");
        for code in Code::ALL {
            let row = format!("| {} | `{}` |", code.status().as_u16(), code.as_str());
            assert!(format.contains(&row), "{row}");
        }
    }

    #[test]
    fn every_reason_has_a_code_of_its_own() {
        let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
    }
}
