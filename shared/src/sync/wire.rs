//! What phones and servers send each other: CBOR arrays, described byte by byte in
//! `docs/format.md`.
//!
//! Wire types may grow at the end by optional elements: a reader passes over elements that it does
//! not know, unlike the reader of events.

mod branch;
mod pairing;
mod restore;
mod snapshot;

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::bytes::{Bytes, Fixed, Hash, KeyId};
use crate::calendar::TimeMs;
use crate::ids::DeviceNo;
use crate::ledger::Standing;

pub use branch::*;
pub use pairing::*;
pub use restore::*;
pub use snapshot::*;

/// The version of the protocol. A server answers the versions [`PROTOCOLS`].
pub const PROTOCOL: u16 = 1;

/// The versions that this build speaks.
pub const PROTOCOLS: core::ops::RangeInclusive<u16> = 1..=1;

/// The media type of bodies.
pub const MEDIA_TYPE: &str = "application/cbor";

/// The most events in one push. Limits never shrink: phones of any age rely on them.
pub const MAX_PUSH_EVENTS: usize = 1000;

/// The longest body of a request after decoding, in bytes.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// The longest body of a request as sent, in bytes.
pub const MAX_ENCODED_REQUEST_BYTES: usize = 1024 * 1024;

/// The most bytes of events that one answer brings, unless a single chunk is longer.
pub const MAX_ANSWER_BYTES: u32 = 2 * 1024 * 1024;

/// The most keys in one request or answer.
pub const MAX_KEYS: usize = 1000;

/// One life of a server's log. It changes only when a log was lost and its owner said so.
pub type Generation = Fixed<16>;

/// A device's token: 256 random bits, made by the device itself, so that a lost answer loses
/// nothing. The server keeps its hash only.
pub type Token = Fixed<32>;

/// An ECDSA P-256 signature, r ‖ s. Not unique for a message: nothing may be keyed on it.
pub type Signature = Fixed<64>;

/// A device sends what it has and says what it lacks. `POST /api/v1/sync`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct SyncRequest {
    /// The version of the protocol that the device speaks.
    #[n(0)]
    pub protocol: u16,
    /// The generation that the cursor belongs to; absent before the first sync.
    #[n(1)]
    pub generation: Option<Generation>,
    /// The last position that the device holds; 0 for nothing.
    #[n(2)]
    pub position: u64,
    /// The Merkle root of the log at `position` as the device computed it.
    #[n(3)]
    pub root: Hash,
    /// The last number in the device's own chain; 0 for none.
    #[n(4)]
    pub last_seq: u32,
    /// The chain hash at `last_seq`.
    #[n(5)]
    pub last_hash: Hash,
    /// The number of the last key that the device holds; 0 for nothing.
    #[n(6)]
    pub keys_after: u64,
    /// How many bytes of events the answer may bring.
    #[n(7)]
    pub want_bytes: u32,
    /// New events.
    #[n(8)]
    pub push: Option<Push>,
    /// New keys. The server stores them before it answers for the events.
    #[n(9)]
    pub keys: Option<Vec<SealingKey>>,
    /// The device reads segments up to this version of their format, and fetches what is sealed by
    /// itself.
    #[n(10)]
    pub segments: Option<u8>,
}

/// A run of a device's own events with the signature that covers them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Push {
    /// The number of the first event.
    #[n(0)]
    pub first_seq: u32,
    /// The chain hash before it.
    #[n(1)]
    pub previous: Hash,
    /// The events, each in its stored bytes; 1 to [`MAX_PUSH_EVENTS`].
    #[n(2)]
    pub events: Vec<Bytes>,
    /// The signature of [`crate::chain::head_message`] at the last of them.
    #[n(3)]
    pub signature: Signature,
}

/// A key that seals texts, or the news that it was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SealingKey {
    /// Its name.
    #[n(0)]
    pub id: KeyId,
    /// The key; absent when it was destroyed.
    #[n(1)]
    pub key: Option<Fixed<32>>,
}

impl Serialize for SealingKey {
    /// Only the name: keys never stand in anything that people read.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(serializer)
    }
}

/// The server's answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct SyncAnswer {
    /// The version of the protocol that the answer is in.
    #[n(0)]
    pub protocol: u16,
    /// The generation of the log.
    #[n(1)]
    pub generation: Generation,
    /// What became of each pushed event.
    #[n(2)]
    pub results: Vec<ResultRun>,
    /// What the server knows of the device.
    #[n(3)]
    pub standing: DeviceStanding,
    /// The log after the request's position.
    #[n(4)]
    pub chunks: Vec<Chunk>,
    /// Keys after the request's `keys_after`.
    #[n(5)]
    pub keys: Vec<SealingKey>,
    /// The number of the last key in this answer, or the request's own.
    #[n(6)]
    pub keys_last: u64,
    /// The log as a whole.
    #[n(7)]
    pub head: TreeHead,
    /// The server's clock.
    #[n(8)]
    pub server_time: TimeMs,
    /// There is more after the last chunk or key.
    #[n(9)]
    pub more: bool,
    /// What is sealed of the log after the request's position: instead of chunks, for a device that
    /// reads segments and is far behind.
    #[n(10)]
    pub sealed: Option<Sealed>,
    /// The last time that the server was set back to an older copy of its log, or got a part of it
    /// back. Devices to whom it is news send all their keys again, for the server may have lost those
    /// too, and read all of its keys again, for their numbers may mean others now.
    #[n(11)]
    pub restored: Option<Restoration>,
    /// The server reads packed requests up to this version of their format.
    #[n(12)]
    pub packed: Option<u8>,
}

/// The same result for a run of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct ResultRun {
    /// The number of the first event.
    #[n(0)]
    pub first_seq: u32,
    /// How many.
    #[n(1)]
    pub count: u32,
    /// What became of them.
    #[n(2)]
    pub result: PushResult,
}

/// What became of a pushed event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(flat)]
#[serde(rename_all = "snake_case")]
pub enum PushResult {
    /// It is in the log now, with this verdict.
    #[n(1)]
    Stored(#[n(0)] Verdict),
    /// It was in the log before.
    #[n(2)]
    Duplicate,
    /// It is not in the log: the chain does not continue what the server holds. See the standing.
    #[n(3)]
    NotStored,
}

/// The server's judgement on an event: a part of the log for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It counts.
    #[n(1)]
    Accepted,
    /// It came from a revoked device and waits for the owner's decision.
    #[n(2)]
    Held,
    /// Not an event of any version.
    #[n(3)]
    QuarantinedMalformed,
    /// It names another device or number than its place in the chain.
    #[n(4)]
    QuarantinedMisplaced,
    /// Its Lamport clock is impossibly far ahead.
    #[n(5)]
    QuarantinedClock,
    /// The device may not write events of this kind.
    #[n(6)]
    QuarantinedForbidden,
}

impl Verdict {
    /// The byte that stands in a leaf of the log's tree.
    pub const fn byte(self) -> u8 {
        match self {
            Verdict::Accepted => 1,
            Verdict::Held => 2,
            Verdict::QuarantinedMalformed => 3,
            Verdict::QuarantinedMisplaced => 4,
            Verdict::QuarantinedClock => 5,
            Verdict::QuarantinedForbidden => 6,
        }
    }

    /// The verdict of a byte, for stores that keep it as a number.
    pub const fn from_byte(byte: u8) -> Option<Verdict> {
        Some(match byte {
            1 => Verdict::Accepted,
            2 => Verdict::Held,
            3 => Verdict::QuarantinedMalformed,
            4 => Verdict::QuarantinedMisplaced,
            5 => Verdict::QuarantinedClock,
            6 => Verdict::QuarantinedForbidden,
            _ => return None,
        })
    }

    /// What it means for the books.
    pub const fn standing(self) -> Standing {
        match self {
            Verdict::Accepted => Standing::Counted,
            Verdict::Held => Standing::Held,
            _ => Standing::Quarantined,
        }
    }

    /// It was put aside as a fault.
    pub const fn is_quarantined(self) -> bool {
        !matches!(self, Verdict::Accepted | Verdict::Held)
    }
}

/// What the server knows of the device that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct DeviceStanding {
    /// What the device has to do, if anything.
    #[n(0)]
    pub advice: Advice,
    /// The last number of the device's chain that the server holds.
    #[n(1)]
    pub known_seq: u32,
    /// The chain hash there.
    #[n(2)]
    pub known_hash: Hash,
}

/// What a device has to do after a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Nothing.
    #[n(1)]
    None,
    /// The signature was not by the device's key over this chain: sign again.
    #[n(2)]
    Resign,
    /// The server does not know the device's key: enrol again.
    #[n(3)]
    Reenrol,
    /// Events between `known_seq` and the push are missing: send from there.
    #[n(4)]
    Resend,
    /// The server holds more of this chain than the device: it was restored from an older copy.
    /// The missing events are in the chunks, with their bytes.
    #[n(5)]
    Behind,
    /// The chain differs from the one that the server holds: this storage is a copy.
    #[n(6)]
    Fork,
    /// The device was revoked.
    #[n(7)]
    Revoked,
}

/// A run of the log: events of one device that the server took at one time with one verdict.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Chunk {
    /// The position of the first event.
    #[n(0)]
    pub position: u64,
    /// The device, or the number of the branch.
    #[n(1)]
    pub device: DeviceNo,
    /// The number of the first event in the device's chain.
    #[n(2)]
    pub first_seq: u32,
    /// How many events.
    #[n(3)]
    pub count: u32,
    /// When the server took them.
    #[n(4)]
    pub received: TimeMs,
    /// The server's judgement.
    #[n(5)]
    pub verdict: Verdict,
    /// The events in their stored bytes; absent where the asking device wrote them and holds them.
    #[n(6)]
    pub events: Option<Vec<Bytes>>,
    /// Set in a branch: the device that was copied and the first number that both wrote.
    #[n(7)]
    pub branch_of: Option<BranchOf>,
}

impl Chunk {
    /// The position of the last event.
    pub const fn last(&self) -> u64 {
        self.position
            .saturating_add(self.count as u64)
            .saturating_sub(1)
    }
}

/// Where a branch left the chain it was copied from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct BranchOf {
    /// The device that was copied.
    #[n(0)]
    pub device: DeviceNo,
    /// The first number that both wrote.
    #[n(1)]
    pub from_seq: u32,
}

/// Segments one behind the other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Sealed {
    /// The last position before the first of them.
    #[n(0)]
    pub after: u64,
    /// The last position of each; 1 to [`MAX_SEGMENTS`].
    #[n(1)]
    pub ends: Vec<u64>,
}

impl Sealed {
    /// The names of the segments.
    pub fn names(&self) -> impl Iterator<Item = SegmentName> {
        let starts = core::iter::once(&self.after).chain(&self.ends);
        starts.zip(&self.ends).map(|(after, last)| SegmentName {
            first: after.saturating_add(1),
            last: *last,
        })
    }
}

/// The most segments that one answer names.
pub const MAX_SEGMENTS: usize = 64;

/// A segment by its first and last position, as in `GET /api/v1/segments/1-4096`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentName {
    /// The position of its first event.
    pub first: u64,
    /// The position of its last event.
    pub last: u64,
}

impl core::fmt::Display for SegmentName {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "{}-{}", self.first, self.last)
    }
}

impl core::str::FromStr for SegmentName {
    type Err = NoSegmentName;

    fn from_str(text: &str) -> Result<SegmentName, NoSegmentName> {
        let number = |text: &str| text.parse().map_err(|_| NoSegmentName);
        let (first, last) = text.split_once('-').ok_or(NoSegmentName)?;
        let name = SegmentName {
            first: number(first)?,
            last: number(last)?,
        };
        // One name for each segment: caches go by it.
        match name.to_string() == text && name.first <= name.last {
            true => Ok(name),
            false => Err(NoSegmentName),
        }
    }
}

/// A text is not the name of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a segment is named by its first and last position, such as 1-4096")]
pub struct NoSegmentName;

/// A signed Merkle tree head (RFC 9162 §4.10 in spirit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct TreeHead {
    /// How many leaves: the last position.
    #[n(0)]
    pub size: u64,
    /// The root over them.
    #[n(1)]
    pub root: Hash,
    /// When it was signed.
    #[n(2)]
    pub at: TimeMs,
    /// The server's signature of [`super::tree::head_message`].
    #[n(3)]
    pub signature: Signature,
}

/// A refusal, in CBOR where the request was CBOR and in JSON else.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct ErrorBody {
    /// The reason for machines, such as `bad_signature`.
    #[n(0)]
    pub code: String,
    /// The reason for people who read logs. The app has its own words for each code.
    #[n(1)]
    pub message: String,
    /// When it is worth to try again.
    #[n(2)]
    pub retry_after_ms: Option<u32>,
    /// The place in the queue that there would have been, from 1, if the queue was full.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
    /// The versions of the protocol that the server speaks, if that was the reason.
    #[n(4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocols: Option<Protocols>,
}

/// Versions of the protocol, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Protocols {
    /// The first.
    #[n(0)]
    pub oldest: u16,
    /// The last.
    #[n(1)]
    pub newest: u16,
}

impl Protocols {
    /// The versions that this build speaks.
    pub const SPOKEN: Protocols = Protocols {
        oldest: *PROTOCOLS.start(),
        newest: *PROTOCOLS.end(),
    };

    /// Is this version one of them?
    pub const fn contain(self, version: u16) -> bool {
        self.oldest <= version && version <= self.newest
    }

    /// The newest version that both speak.
    pub fn common(self, other: Protocols) -> Option<u16> {
        let newest = self.newest.min(other.newest);
        (newest >= self.oldest.max(other.oldest)).then_some(newest)
    }
}
