//! What a new device takes from the server, so that it works before it has read the log.

use minicbor::{Decode, Encode};

use super::{SealingKey, TreeHead};
use crate::bytes::Bytes;

/// The state of the shop, with the keys that open its names. `GET /api/v1/snapshot`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SnapshotAnswer {
    /// The bytes of a [`crate::snapshot::Snapshot`].
    #[n(0)]
    pub snapshot: Bytes,
    /// The signed head of the log at the place of the snapshot.
    #[n(1)]
    pub head: TreeHead,
    /// The first keys, at most [`super::MAX_KEYS`]; none for who may not read names.
    #[n(2)]
    pub keys: Vec<SealingKey>,
    /// The number of the last of them, for the next sync.
    #[n(3)]
    pub keys_last: u64,
}
