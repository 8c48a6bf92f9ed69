//! What the server keeps, as plain data, and the one trait that a database fulfils.
//!
//! Everything that changes the store is a list of [`Change`]s that are committed together or not
//! at all. Only the [`crate::writer`] commits; anyone reads.

pub mod sqlite;

use std::future::Future;
use std::pin::Pin;

use shared::bytes::{Bytes, Fixed, Hash, KeyId};
use shared::calendar::TimeMs;
use shared::event::{PublicKey, Role};
use shared::ids::{DeviceNo, ShopId};
use shared::sync::judge::LogState;
use shared::sync::wire::{BranchOf, SealingKey, SegmentName, Signature, TreeHead, Verdict};

/// What a store gives when it is done.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A database that keeps the logs of shops.
pub trait Store: Send + Sync + 'static {
    /// A shop as it was last committed.
    fn shop(&self, shop: ShopId) -> Pending<'_, Option<ShopRecord>>;

    /// The shops that are kept here.
    fn shops(&self) -> Pending<'_, Vec<ShopId>>;

    /// Whether any shop is kept here.
    fn has_shops(&self) -> Pending<'_, bool>;

    /// The shop and number of the device with this token.
    fn device(&self, token_hash: Hash) -> Pending<'_, Option<(ShopId, DeviceNo)>>;

    /// What is known of a claim code.
    fn claim_code(&self, code_hash: Hash) -> Pending<'_, Option<ClaimCode>>;

    /// The pairing with this hash of its secret or of its typed code.
    fn pairing(&self, hash: Hash) -> Pending<'_, Option<PairingRecord>>;

    /// The pairings of a shop.
    fn pairings(&self, shop: ShopId) -> Pending<'_, Vec<PairingRecord>>;

    /// The chunks that hold what is behind position `after`, in order; the first may begin before
    /// it. As many as fit into `max_bytes` of events but at least one, and at most [`MAX_CHUNKS`].
    fn chunks(&self, shop: ShopNumber, after: u64, max_bytes: u32)
    -> Pending<'_, Vec<ChunkRecord>>;

    /// The segments of a shop that hold what is behind position `after`, in order, at most `limit`.
    /// What they hold stands nowhere else.
    fn segments(
        &self,
        shop: ShopNumber,
        after: u64,
        limit: usize,
    ) -> Pending<'_, Vec<SegmentRecord>>;

    /// A segment with its bytes, one that was not read back yet too.
    fn segment(&self, shop: ShopNumber, name: SegmentName) -> Pending<'_, Option<StoredSegment>>;

    /// The last position that stands in a segment and nowhere else; 0 for none.
    fn sealed_end(&self, shop: ShopNumber) -> Pending<'_, u64>;

    /// A segment that was stored and not read back yet.
    fn unverified_segment(&self) -> Pending<'_, Option<(ShopNumber, SegmentRecord)>>;

    /// A shop that has about so many events that stand in no segment.
    fn shop_to_seal(&self, events: u64) -> Pending<'_, Option<ShopId>>;

    /// The keys of a shop behind number `after`, in order, at most `limit`, each with its number.
    fn keys(&self, shop: ShopId, after: u64, limit: usize) -> Pending<'_, Vec<(u64, SealingKey)>>;

    /// The keys of a shop with these names, as far as they are known.
    fn keys_named<'a>(&'a self, shop: ShopId, names: &'a [KeyId]) -> Pending<'a, Vec<SealingKey>>;

    /// Makes all changes durable, or none. After an error it is *unknown* which.
    ///
    /// Keys are made durable before anything else: an event never stands in the log without the
    /// key that seals it.
    fn commit<'a>(&'a self, changes: &'a [Change]) -> Pending<'a, ()>;

    /// Answers once everything is written and closed.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The most chunks that one read brings.
pub const MAX_CHUNKS: usize = 1000;

/// The store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// How the store itself names a shop: short, since every chunk carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShopNumber(pub i64);

/// A shop with everything that must be known before its next event can be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopRecord {
    /// How the store names it; set by the store.
    pub number: ShopNumber,
    /// What the judge knows.
    pub state: LogState,
    /// The head of the log, signed.
    pub head: TreeHead,
    /// The number that the next phone gets.
    pub next_device: DeviceNo,
    /// The number of the last key.
    pub last_key: u64,
}

impl ShopRecord {
    /// The shop.
    pub const fn shop(&self) -> ShopId {
        self.state.log.shop()
    }

    /// Where a device left the chain that it is a branch of.
    pub fn branch_of(&self, device: DeviceNo) -> Option<BranchOf> {
        self.state.authority.device(device)?.branch_of
    }
}

/// A code that lets an owner take the server for a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimCode {
    /// Nobody has used it.
    Free,
    /// This shop has.
    UsedBy(ShopId),
}

/// A pairing that was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingRecord {
    /// SHA-256 of its secret: its name.
    pub secret_hash: Hash,
    /// SHA-256 of the code that can be typed instead.
    pub code_hash: Hash,
    /// The shop.
    pub shop: ShopId,
    /// The most that the new phone may do.
    pub role: Role,
    /// When it can no longer be used by a phone that has not asked yet.
    pub expires: TimeMs,
    /// The phone that wants to join.
    pub joiner: Option<JoinerRecord>,
}

/// A phone that wants to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinerRecord {
    /// The number that was set aside for it.
    pub device: DeviceNo,
    /// Its key.
    pub key: PublicKey,
    /// SHA-256 of the token that it will use.
    pub token_hash: Hash,
    /// What it calls itself.
    pub name: String,
}

/// A run of the log, see [`shared::sync::wire::Chunk`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkRecord {
    /// The shop.
    pub shop: ShopNumber,
    /// The position of the first event.
    pub position: u64,
    /// How many events.
    pub count: u32,
    /// The device, or the number of the branch.
    pub device: DeviceNo,
    /// The number of the first event in the device's chain.
    pub first_seq: u32,
    /// When the server took them.
    pub received: TimeMs,
    /// The server's judgement.
    pub verdict: Verdict,
    /// Where a branch left its chain.
    pub branch_of: Option<BranchOf>,
    /// The chain hash after the last event; in a segment only where the device's part ends.
    pub end_hash: Option<Hash>,
    /// The device's signature of its chain at the end of the push; likewise.
    pub signature: Option<Signature>,
    /// The events: a CBOR array of byte strings.
    pub events: Vec<u8>,
}

impl ChunkRecord {
    /// The events, each in its stored bytes.
    ///
    /// # Errors
    ///
    /// The store holds something else.
    pub fn events(&self) -> Result<Vec<Bytes>, StoreError> {
        minicbor::decode(&self.events)
            .map_err(|error| StoreError(format!("the chunk at {}: {error}", self.position)))
    }
}

/// A sealed part of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentRecord {
    /// Its first and last position.
    pub name: SegmentName,
    /// SHA-256 of its stored bytes.
    pub hash: Hash,
    /// The length of its stored bytes.
    pub length_bytes: u64,
}

/// A sealed part of a log with its bytes: a [`shared::sync::segment`] in brotli.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSegment {
    /// Which it is.
    pub record: SegmentRecord,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// One thing that is different after a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A claim code can be used.
    CodeIssued {
        /// SHA-256 of the code.
        hash: Hash,
        /// When.
        at: TimeMs,
    },
    /// A claim code was used for a shop.
    CodeUsed {
        /// SHA-256 of the code.
        hash: Hash,
        /// The shop.
        shop: ShopId,
    },
    /// A shop is kept here from now on.
    ShopOpened(ShopRecord),
    /// A shop's record is this now: one for each shop in a commit.
    ShopSaved {
        /// The record.
        record: ShopRecord,
        /// How long the log was that this was decided on. If another program has appended to it
        /// since, the commit fails and nothing of it is done.
        expected_size: u64,
    },
    /// A device may speak for a shop.
    DeviceAdmitted {
        /// SHA-256 of its token.
        token_hash: Hash,
        /// The shop.
        shop: ShopId,
        /// Its number.
        device: DeviceNo,
    },
    /// A pairing can be used.
    PairingOffered(PairingRecord),
    /// A phone wants to join by a pairing.
    PairingJoined {
        /// The pairing.
        secret_hash: Hash,
        /// The phone.
        joiner: JoinerRecord,
    },
    /// A pairing is over.
    PairingRemoved {
        /// The pairing.
        secret_hash: Hash,
    },
    /// The log of a shop grew.
    ChunkAppended(ChunkRecord),
    /// A part of a log stands in a segment, too.
    SegmentStored {
        /// The shop.
        shop: ShopNumber,
        /// The segment.
        segment: StoredSegment,
    },
    /// A segment was read back: its chunks go.
    SegmentVerified {
        /// The shop.
        shop: ShopNumber,
        /// The segment.
        name: SegmentName,
        /// How many chunks it holds. Another number is a fault, and nothing is committed.
        chunks: u64,
    },
    /// A segment was not what it should be: it goes, and the chunks stay.
    SegmentDropped {
        /// The shop.
        shop: ShopNumber,
        /// The segment.
        name: SegmentName,
    },
    /// A key came, or was destroyed.
    KeySet {
        /// The shop.
        shop: ShopId,
        /// In which order phones learn of it.
        number: u64,
        /// The name of the key.
        id: KeyId,
        /// The key, or the news that it was destroyed.
        key: Option<Fixed<32>>,
    },
}
