//! How a server that was set back to an older copy gets back what phones hold, and how phones that
//! it has forgotten are let in again.

use minicbor::{Decode, Encode};

use super::{Chunk, Generation, Signature, Token, TreeHead};
use crate::bytes::{Bytes, Fixed, Hash};
use crate::event::{GenerationOpened, PublicKey};
use crate::ids::{DeviceNo, ShopId};
use crate::sync::log::Log;
use crate::sync::tree::Frontier;

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
    /// Of a device that knows another life of the log: how its log stood at some sizes, the largest
    /// first, at most [`MAX_MARKS`]. Sent to learn where both logs part.
    #[n(4)]
    pub marks: Option<Vec<Mark>>,
}

/// How a log stood when it was so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Mark {
    /// How long.
    #[n(0)]
    pub size: u64,
    /// Its root then.
    #[n(1)]
    pub root: Hash,
}

/// The most marks in one request: their distances double, so it is enough for any log.
pub const MAX_MARKS: usize = 65;

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
    /// Set where the server's log is not what stands before: then the part proves by itself where it
    /// stood.
    #[n(2)]
    pub before: Option<Before>,
}

/// What stood before a part of a log that is not the server's any more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Before {
    /// The tree up to there.
    #[n(0)]
    pub tree: Frontier,
    /// For each chunk the chain hash before its first event.
    #[n(1)]
    pub previous: Vec<Hash>,
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
    /// The owner's word that the log has this life, if it is not the first.
    #[n(2)]
    pub opened: Option<GenerationOpened>,
    /// The largest of the marks at which the server's log stood the same; 0 for none of them.
    #[n(3)]
    pub agreed: Option<u64>,
    /// The key that signs the log.
    #[n(4)]
    pub server: Option<PublicKey>,
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
