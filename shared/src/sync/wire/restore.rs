//! How a server that was set back to an older copy gets back what phones hold, and how phones that
//! it has forgotten are let in again.

use minicbor::{Decode, Encode};

use super::{Chunk, Generation, Signature, Token, TreeHead};
use crate::bytes::{Bytes, Fixed, Hash};
use crate::ids::{DeviceNo, ShopId};
use crate::sync::log::Log;

/// A device shows the server a head of its log that the server itself has signed, and gives back
/// what the server lacks up to it. `POST /api/v1/restore`, without a token: nothing is believed but
/// the server's own signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RestoreRequest {
    /// The shop.
    #[n(0)]
    pub shop: ShopId,
    /// The life of the log that the head belongs to.
    #[n(1)]
    pub generation: Generation,
    /// A head that the server signed; absent on a device that has read none yet.
    #[n(2)]
    pub head: Option<TreeHead>,
    /// The bytes of a [`Part`]. Absent to ask how far the server's log reaches.
    #[n(3)]
    pub part: Option<Bytes>,
}

/// A part of the log, given back at its own positions.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Part {
    /// The next chunks, each with its bytes. The first may begin before the end of the server's log.
    #[n(0)]
    pub chunks: Vec<Chunk>,
    /// The rest of the log up to the head, as roots of complete subtrees: with them the server sees
    /// that this part belongs to the log that it signed.
    #[n(1)]
    pub rest: Vec<Hash>,
}

/// How far the server's log reaches now.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RestoreAnswer {
    /// The hashes of its log: where the device goes on. Only for those who show a head.
    #[n(0)]
    pub log: Option<Log>,
    /// What a device signs that the server does not know any more, see [`ReadmitRequest`].
    #[n(1)]
    pub challenge: Challenge,
}

/// Random bytes of a server, new at each of its starts.
pub type Challenge = Fixed<16>;

/// Names one restoration of a server: the random bytes of the start after which it took place.
pub type Restoration = Fixed<16>;

/// A device that stands in the log, but whose token the server has forgotten, proves that it is
/// the one. `POST /api/v1/readmit`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ReadmitRequest {
    /// The shop.
    #[n(0)]
    pub shop: ShopId,
    /// The device.
    #[n(1)]
    pub device: DeviceNo,
    /// The token that it will use.
    #[n(2)]
    pub token: Token,
    /// Its signature of [`crate::sync::restore::readmit_message`].
    #[n(3)]
    pub signature: Signature,
}
